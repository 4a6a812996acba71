// A TakeStream serves a client-streaming call whose handler takes the messages
// itself: a blocking function that is given a Take.
//
// One task on the executor runs the handler and holds its thread. A message is
// read when Take() asks for it, so a slow handler stops the sender. A sender
// that has gone, or the drain of the server, is the error of Take(), which the
// handler returns. What it returns leads to the one Finish.

#ifndef KINORA_COMMON_RPC_TAKE_STREAM_H_
#define KINORA_COMMON_RPC_TAKE_STREAM_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/drain_watch.h"
#include "common/rpc/stream_task.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

template <typename Request, typename Response>
class TakeStream final : public grpc::ServerReadReactor<Request> {
 public:
  // Fills the next message and returns true, or returns false after the last.
  // Valid until the handler returns, on its thread.
  using Take = absl::FunctionRef<absl::StatusOr<bool>(Request*)>;
  // Runs on the executor and may block.
  using Handler = absl::AnyInvocable<absl::StatusOr<Response>(Take)>;

  // What a service method returns. `executor` MUST outlive the server, and be
  // one whose threads slow senders may hold.
  static grpc::ServerReadReactor<Request>* Start(
      grpc::CallbackServerContext* context, Executor& executor,
      Response* response, Handler handler) {
    auto* stream = new TakeStream(context, response, std::move(handler));
    stream->self_.reset(stream);
    if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
      stream->Finish(ToGrpcStatus(admitted));
    } else {
      stream->Begin(executor);
    }
    return stream;
  }

 private:
  TakeStream(grpc::CallbackServerContext* context, Response* response,
             Handler handler)
      : context_(context),
        hold_(HoldServer(context)),
        trace_(TraceOf(context)),
        drain_(context),
        response_(response),
        handler_(std::move(handler)) {}

  void Begin(Executor& executor) {
    drain_.Start(self_, &TakeStream::Stop);
    PostStreamTask(
        executor, self_, trace_, [](TakeStream& stream) { stream.Run(); },
        [](TakeStream& stream, const absl::Status& why) {
          stream.Finish(ToGrpcStatus(why));
        });
  }

  void Run() {
    absl::StatusOr<Response> result =
        handler_([this](Request* message) { return Read(message); });
    const absl::Status status = result.status();
    if (status.ok()) *response_ = *std::move(result);
    // A read that is under way, after a drain, ends with the call.
    this->Finish(ToGrpcStatus(status));
  }

  absl::StatusOr<bool> Read(Request* message) {
    {
      MutexLock lock(mu_);
      if (!stopped_.ok()) return stopped_;
      if (ended_) return false;
      reading_ = true;
    }
    this->StartRead(&message_);
    MutexLock lock(mu_);
    while (reading_ && stopped_.ok()) read_cv_.Wait(mu_);
    if (!stopped_.ok()) return stopped_;
    if (ended_) return false;
    *message = std::move(message_);
    message_ = Request();
    return true;
  }

  void Stop(const absl::Status& why) {
    MutexLock lock(mu_);
    if (stopped_.ok()) stopped_ = why;
    read_cv_.SignalAll();
  }

  void OnReadDone(bool ok) override {
    // A read that fails may be the end of the messages or of the call.
    if (!ok && context_->IsCancelled()) OnCancel();
    MutexLock lock(mu_);
    reading_ = false;
    ended_ = !ok;
    read_cv_.SignalAll();
  }
  void OnCancel() override {
    Stop(absl::CancelledError("the caller has gone"));
  }
  void OnDone() override { self_.reset(); }

  grpc::CallbackServerContext* const context_;  // valid until OnDone
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  DrainWatch drain_;
  Response* const response_;
  Handler handler_;
  Request message_;  // of the read under way

  Mutex mu_;
  CondVar read_cv_;
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;    // after the last message
  absl::Status stopped_ ABSL_GUARDED_BY(mu_);  // why Take() fails from now on

  std::shared_ptr<TakeStream> self_;  // until OnDone
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_TAKE_STREAM_H_
