// A PushStream serves a server-streaming call from a source that hands out its
// messages itself: a blocking function that is given a Send.
//
// One task on the executor runs the source and holds its thread. Send() waits
// until the message before is written, so a slow reader stops the source and
// costs two messages. A reader that has gone, or the drain of the server, is
// the error of the next Send(), which the source returns. Its status leads to
// the one Finish.

#ifndef KINORA_COMMON_RPC_PUSH_STREAM_H_
#define KINORA_COMMON_RPC_PUSH_STREAM_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/drain_watch.h"
#include "common/rpc/stream_task.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

template <typename Response>
class PushStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // Valid until the source returns, on its thread.
  using Send = absl::FunctionRef<absl::Status(Response)>;
  // Runs on the executor and may block. The request it reads must be copied
  // into it.
  using Source = absl::AnyInvocable<absl::Status(Send)>;

  // What a service method returns. `executor` MUST outlive the server, and be
  // one whose threads slow readers may hold.
  static grpc::ServerWriteReactor<Response>* Start(
      grpc::CallbackServerContext* context, Executor& executor, Source source) {
    auto* stream = new PushStream(context, std::move(source));
    stream->self_.reset(stream);
    if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
      stream->Finish(ToGrpcStatus(admitted));
    } else {
      stream->Begin(executor);
    }
    return stream;
  }

 private:
  PushStream(grpc::CallbackServerContext* context, Source source)
      : hold_(HoldServer(context)),
        trace_(TraceOf(context)),
        drain_(context),
        source_(std::move(source)) {}

  void Begin(Executor& executor) {
    drain_.Start(self_, &PushStream::Stop);
    PostStreamTask(
        executor, self_, trace_, [](PushStream& stream) { stream.Run(); },
        [](PushStream& stream, const absl::Status& why) {
          stream.Finish(ToGrpcStatus(why));
        });
  }

  void Run() {
    absl::Status status;
    {
      MutexLock lock(mu_);
      status = stopped_;
    }
    if (status.ok()) {
      status = source_(
          [this](Response message) { return Write(std::move(message)); });
    }
    if (absl::Status written = WaitUntilWritten(); status.ok()) {
      status = written;
    }
    this->Finish(ToGrpcStatus(status));
  }

  absl::Status Write(Response message) {
    if (absl::Status stopped = WaitUntilWritten(); !stopped.ok()) {
      return stopped;
    }
    message_ = std::move(message);
    {
      MutexLock lock(mu_);
      writing_ = true;
    }
    this->StartWrite(&message_);
    return absl::OkStatus();
  }

  absl::Status WaitUntilWritten() {
    MutexLock lock(mu_);
    while (writing_) written_cv_.Wait(mu_);
    return stopped_;
  }

  void Stop(const absl::Status& why) {
    MutexLock lock(mu_);
    if (stopped_.ok()) stopped_ = why;
  }

  void OnWriteDone(bool ok) override {
    if (!ok) Stop(absl::CancelledError("the caller has gone"));
    MutexLock lock(mu_);
    writing_ = false;
    written_cv_.SignalAll();
  }
  void OnCancel() override {
    Stop(absl::CancelledError("the caller has gone"));
  }
  void OnDone() override { self_.reset(); }

  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  DrainWatch drain_;
  Source source_;
  Response message_;  // of the write under way

  Mutex mu_;
  CondVar written_cv_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status stopped_ ABSL_GUARDED_BY(mu_);  // why Send() fails from now on

  std::shared_ptr<PushStream> self_;  // until OnDone
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_PUSH_STREAM_H_
