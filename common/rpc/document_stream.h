// Serves a client-streaming call that brings one document: its header first and
// once, then its bytes in pieces.

#ifndef KINORA_COMMON_RPC_DOCUMENT_STREAM_H_
#define KINORA_COMMON_RPC_DOCUMENT_STREAM_H_

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/server_callback.h"

#include "common/error_reason.h"
#include "common/rpc/read_stream.h"
#include "common/status.h"
#include "common/threads/executor.h"

namespace kinora {

// A document is held in memory while it arrives: ten times the manifest, or the
// plan, of 100,000 artefacts.
inline constexpr size_t kMaxDocumentBytes = size_t{1} << 30;

// What a service method returns. `Request` has a `header` and `data`; `take`
// gets the header and the whole document, as `const std::string&`, on the
// executor, and returns the answer or an error. `what` names the document in
// errors and MUST live as long as the program; `executor` MUST outlive the
// server.
template <typename Request, typename Response, typename Take>
grpc::ServerReadReactor<Request>* TakeDocument(
    grpc::CallbackServerContext* context, Executor& executor,
    Response* response, absl::string_view what, Take take) {
  struct Arrival {
    bool begun = false;
    std::decay_t<decltype(std::declval<Request>().header())> header;
    std::string bytes;
  };
  auto arrival = std::make_shared<Arrival>();
  typename ReadStream<Request, Response>::Consumer consumer;
  consumer.consume = [arrival, what](const Request& request) -> absl::Status {
    if (request.has_header() == arrival->begun) {
      return InvalidField(
          "header", request.header().movie_id(),
          arrival->begun ? "must come once" : "must come first");
    }
    if (!arrival->begun) {
      arrival->begun = true;
      arrival->header = request.header();
      return absl::OkStatus();
    }
    if (arrival->bytes.size() + request.data().size() > kMaxDocumentBytes) {
      return WithReason(
          absl::ResourceExhaustedError(absl::StrCat(
              "the ", what, " is larger than ", kMaxDocumentBytes, " bytes")),
          "LIMIT_EXCEEDED");
    }
    arrival->bytes += request.data();
    return absl::OkStatus();
  };
  consumer.finish =
      [arrival, take = std::move(take)]() mutable -> absl::StatusOr<Response> {
    if (!arrival->begun) return InvalidField("header", "", "must come first");
    return take(arrival->header, arrival->bytes);
  };
  return ReadStream<Request, Response>::Start(context, executor, response,
                                              std::move(consumer));
}

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_DOCUMENT_STREAM_H_
