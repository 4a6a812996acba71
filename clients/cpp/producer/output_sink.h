// An OutputSink takes one output of a job as it arrives: small ones are kept,
// larger ones flow into the movie's blobs and are never held whole.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_OUTPUT_SINK_H_
#define KINORA_CLIENTS_CPP_PRODUCER_OUTPUT_SINK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/producer/output_check.h"
#include "kinora/v1/producer.pb.h"
#include "services/runner/calls/producer_caller.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// Not thread-safe.
class OutputSink {
 public:
  // `blobs` MUST outlive the sink. JSON is held against what `schemas` tells of
  // it; null for nothing.
  OutputSink(BlobStore& blobs, std::string movie_id, int64_t inline_limit,
             AttemptRequest::Output output, OutputSchemaSource schemas);

  // True if taking `chunk` blocks on the store.
  bool Blocks(const v1::OutputChunk& chunk) const;

  // Takes the next chunk. INVALID_ARGUMENT if it does not continue the output,
  // or if the whole is not what its media type says or does not fit its schema;
  // else errors of the store.
  // The last chunk makes the output durable if it is a blob.
  absl::Status Take(const v1::OutputChunk& chunk);

  // True once the last chunk was taken.
  bool complete() const { return complete_; }

  // True if the output is whole but does not fit its schema.
  bool misfit() const { return misfit_; }

  const AttemptRequest::Output& output() const { return output_; }

  // REQUIRES: complete().
  AttemptResult::Output& result() { return result_; }

 private:
  const std::string& MimeTypeOf(const v1::OutputChunk& chunk) const;
  bool Overflows(const v1::OutputChunk& chunk) const;
  absl::Status StartUpload();
  absl::Status Finish();
  absl::Status FinishUpload();
  absl::Status FinishInline();
  absl::StatusOr<std::shared_ptr<const JsonSchema>> Schema() const;
  absl::Status CheckStored(const JsonSchema& schema);
  absl::Status Misfit(const absl::Status& fits);

  BlobStore& blobs_;
  const std::string movie_id_;
  const int64_t inline_limit_;
  const AttemptRequest::Output output_;
  const OutputSchemaSource schemas_;

  bool begun_ = false;
  bool complete_ = false;
  bool misfit_ = false;
  std::string mime_type_;
  int64_t received_ = 0;
  std::string buffer_;  // all of it, until an upload begins
  std::unique_ptr<BlobUpload> upload_;
  AttemptResult::Output result_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_OUTPUT_SINK_H_
