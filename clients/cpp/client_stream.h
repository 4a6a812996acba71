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

// An UploadCall is a call of many messages and one answer. Not thread-safe.
// Destroying it before Finish() cancels the call.
template <typename Request, typename Response>
class UploadCall {
 public:
  using Writer = std::unique_ptr<grpc::ClientWriter<Request>>;

  // `open` is a Writer(grpc::ClientContext*, Response*).
  template <typename Open>
  UploadCall(absl::Duration timeout, Open open) {
    SetTimeout(context_, timeout);
    writer_ = open(&context_, &response_);
  }
  ~UploadCall() {
    if (done_) return;
    context_.TryCancel();
    writer_->Finish();
  }
  UploadCall(const UploadCall&) = delete;
  UploadCall& operator=(const UploadCall&) = delete;

  // Fails with what the server ended the call with.
  absl::Status Write(const Request& request) {
    // A write that fails means that the server has ended the call.
    if (!done_ && !writer_->Write(request)) End();
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

// An UploadStream writes a header and then bytes, as SavePlan takes them. As
// UploadCall.
template <typename Request, typename Response>
class UploadStream {
 public:
  using Writer = typename UploadCall<Request, Response>::Writer;

  template <typename Stub>
  UploadStream(Stub& stub,
               Writer (Stub::*method)(grpc::ClientContext*, Response*),
               const Request& header, absl::Duration timeout)
      : call_(timeout, [&](grpc::ClientContext* context, Response* response) {
          return (stub.*method)(context, response);
        }) {
    call_.Write(header).IgnoreError();  // Append() or Finish() tells
  }

  absl::Status Append(absl::string_view bytes) {
    Request request;
    absl::Status status;
    while (!bytes.empty() && status.ok()) {
      const absl::string_view piece = bytes.substr(0, kStreamChunkBytes);
      bytes.remove_prefix(piece.size());
      request.set_data(std::string(piece));
      status = call_.Write(request);
    }
    return status;
  }

  absl::StatusOr<Response> Finish() { return call_.Finish(); }

 private:
  UploadCall<Request, Response> call_;
};

// Reads a server stream to its end. `open` is a
// std::unique_ptr<grpc::ClientReader<Response>>(grpc::ClientContext*). An error
// of `consume` ends the stream with that error.
template <typename Response, typename Open>
absl::Status ReadCallToEnd(absl::Duration timeout, Open open,
                           absl::FunctionRef<absl::Status(Response&)> consume) {
  grpc::ClientContext context;
  SetTimeout(context, timeout);
  const std::unique_ptr<grpc::ClientReader<Response>> reader = open(&context);
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

// As ReadCallToEnd(), of a method of a generated stub.
template <typename Stub, typename Request, typename Response>
absl::Status ReadStreamToEnd(
    Stub& stub,
    std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(
        grpc::ClientContext*, const Request&),
    const Request& request, absl::Duration timeout,
    absl::FunctionRef<absl::Status(Response&)> consume) {
  return ReadCallToEnd<Response>(
      timeout,
      [&](grpc::ClientContext* context) {
        return (stub.*method)(context, request);
      },
      consume);
}

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_CLIENT_STREAM_H_
