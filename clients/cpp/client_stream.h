// What blocking streams of the client have in common.

#ifndef KINORA_CLIENTS_CPP_CLIENT_STREAM_H_
#define KINORA_CLIENTS_CPP_CLIENT_STREAM_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"

#include "common/rpc/status.h"
#include "common/rpc/stream_task.h"
#include "common/rpc/unary.h"

namespace kinora {

// An UploadStream writes a header and then bytes: WriteBlob, SavePlan. Not
// thread-safe. Destroying it before Finish() cancels the call.
template <typename Request, typename Response>
class UploadStream {
 public:
  using Writer = std::unique_ptr<grpc::ClientWriter<Request>>;

  template <typename Stub>
  UploadStream(Stub& stub,
               Writer (Stub::*method)(grpc::ClientContext*, Response*),
               const Request& header, absl::Duration timeout) {
    SetTimeout(context_, timeout);
    writer_ = (stub.*method)(&context_, &response_);
    Write(header);
  }
  ~UploadStream() {
    if (done_) return;
    context_.TryCancel();
    writer_->Finish();
  }
  UploadStream(const UploadStream&) = delete;
  UploadStream& operator=(const UploadStream&) = delete;

  // Fails with what the server ended the call with.
  absl::Status Append(absl::string_view bytes) {
    Request request;
    while (!bytes.empty() && !done_) {
      const absl::string_view piece = bytes.substr(0, kStreamChunkBytes);
      bytes.remove_prefix(piece.size());
      request.set_data(std::string(piece));
      Write(request);
    }
    return status_;
  }

  absl::StatusOr<Response> Finish() {
    if (!done_) {
      writer_->WritesDone();
      End();
    }
    if (!status_.ok()) return status_;
    return response_;
  }

 private:
  // A write that fails means that the server has ended the call.
  void Write(const Request& request) {
    if (!writer_->Write(request)) End();
  }
  void End() {
    done_ = true;
    status_ = FromGrpcStatus(writer_->Finish());
  }

  grpc::ClientContext context_;
  Response response_;
  Writer writer_;
  bool done_ = false;
  absl::Status status_;
};

// Reads a server stream to its end. An error of `consume` ends it with that
// error.
template <typename Stub, typename Request, typename Response>
absl::Status ReadStreamToEnd(
    Stub& stub,
    std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(
        grpc::ClientContext*, const Request&),
    const Request& request, absl::Duration timeout,
    absl::FunctionRef<absl::Status(Response&)> consume) {
  grpc::ClientContext context;
  SetTimeout(context, timeout);
  auto reader = (stub.*method)(&context, request);
  absl::Status consumed;
  Response response;
  while (reader->Read(&response)) {
    if (!consumed.ok()) continue;  // what was under way when it was cancelled
    consumed = consume(response);
    if (!consumed.ok()) context.TryCancel();
  }
  const absl::Status status = FromGrpcStatus(reader->Finish());
  return consumed.ok() ? status : consumed;
}

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_CLIENT_STREAM_H_
