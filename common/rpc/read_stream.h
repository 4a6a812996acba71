// A ReadStream serves a client-streaming call: the messages go to a consumer
// one after another, then its result is the answer.
//
// States: 1. a message is read; 2. a task on the executor consumes it and goes
// back to 1, so a slow consumer holds one message; 3. after the last message a
// task asks for the result. The result, an error of either step or a
// cancellation lead to the one Finish.

#ifndef KINORA_COMMON_RPC_READ_STREAM_H_
#define KINORA_COMMON_RPC_READ_STREAM_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"

#include "common/executor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/stream_task.h"

namespace kinora {

template <typename Request, typename Response>
class ReadStream final : public grpc::ServerReadReactor<Request> {
 public:
  // Both run on the executor, never two at once, and may block. They are
  // destroyed with the call; a call that ends without `finish` was cancelled
  // or refused and must leave nothing behind.
  struct Consumer {
    absl::AnyInvocable<absl::Status(const Request&)> consume;
    absl::AnyInvocable<absl::StatusOr<Response>()> finish;
  };

  // What a service method returns. `executor` MUST outlive the server.
  static grpc::ServerReadReactor<Request>* Start(
      grpc::CallbackServerContext* context, Executor& executor,
      Response* response, Consumer consumer) {
    auto* stream =
        new ReadStream(context, executor, response, std::move(consumer));
    stream->self_.reset(stream);
    if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
      stream->End(admitted);
    } else {
      stream->StartRead(&stream->message_);
    }
    return stream;
  }

 private:
  ReadStream(grpc::CallbackServerContext* context, Executor& executor,
             Response* response, Consumer consumer)
      : executor_(executor),
        context_(context),
        hold_(HoldServer(context)),
        trace_(TraceOf(context)),
        response_(response),
        consumer_(std::move(consumer)) {}

  // Exactly one of read, task and Finish is under way at any time, which is
  // all the locking there is to do.
  void OnReadDone(bool ok) override {
    auto consume = [](ReadStream& stream) {
      absl::Status status = stream.consumer_.consume(stream.message_);
      if (!status.ok()) return stream.End(status);
      stream.StartRead(&stream.message_);
    };
    auto finish = [](ReadStream& stream) {
      // A read that fails may be the end of the messages or of the call.
      if (stream.context_->IsCancelled()) {
        return stream.End(absl::CancelledError("the caller has gone"));
      }
      absl::StatusOr<Response> result = stream.consumer_.finish();
      if (!result.ok()) return stream.End(result.status());
      *stream.response_ = *std::move(result);
      stream.End(absl::OkStatus());
    };
    auto dropped = [](ReadStream& stream, const absl::Status& why) {
      stream.End(why);
    };
    if (ok) {
      PostStreamTask(executor_, self_, trace_, consume, dropped);
    } else {
      PostStreamTask(executor_, self_, trace_, finish, dropped);
    }
  }

  void End(const absl::Status& status) { this->Finish(ToGrpcStatus(status)); }
  void OnDone() override { self_.reset(); }

  Executor& executor_;
  grpc::CallbackServerContext* const context_;  // valid until Finish
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  Response* const response_;
  Consumer consumer_;
  Request message_;
  std::shared_ptr<ReadStream> self_;  // until OnDone
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_READ_STREAM_H_
