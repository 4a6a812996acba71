// A ReadStream serves a client-streaming call: the messages go to a consumer
// one after another, then its result is the answer.
//
// While a task on the executor consumes a message, the next one is read: a slow
// consumer holds two. After the last message a task asks for the result. The
// result, an error of either step or a cancellation lead to the one Finish; a
// read that is under way then ends with the call.

#ifndef KINORA_COMMON_RPC_READ_STREAM_H_
#define KINORA_COMMON_RPC_READ_STREAM_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/stream_task.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

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
      stream->Begin();
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

  void Begin() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    this->StartRead(&messages_[0]);
  }

  // At most one task is under way, and one read beside it. Tasks are not posted
  // under the lock: an executor that has stopped drops them at once.
  void OnReadDone(bool ok) override {
    {
      MutexLock lock(mu_);
      (ok ? filled_ : last_read_) = true;
    }
    Advance();
  }

  void Advance() ABSL_LOCKS_EXCLUDED(mu_) {
    Request* message = nullptr;
    {
      MutexLock lock(mu_);
      if (finished_ || working_ || (!filled_ && !last_read_)) return;
      working_ = true;
      if (filled_) {
        filled_ = false;
        message = &messages_[filling_];
        filling_ = 1 - filling_;
        this->StartRead(&messages_[filling_]);
      }
    }
    if (message != nullptr) {
      Post([message](ReadStream& stream) {
        stream.Consumed(stream.consumer_.consume(*message));
      });
    } else {
      Post([](ReadStream& stream) { stream.AskForResult(); });
    }
  }

  template <typename Task>
  void Post(Task task) {
    PostStreamTask(
        executor_, self_, trace_, task,
        [](ReadStream& stream, const absl::Status& why) { stream.End(why); });
  }

  void Consumed(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_) {
    if (!status.ok()) return End(status);
    {
      MutexLock lock(mu_);
      working_ = false;
    }
    Advance();
  }

  void AskForResult() {
    // A read that fails may be the end of the messages or of the call.
    if (context_->IsCancelled()) {
      return End(absl::CancelledError("the caller has gone"));
    }
    absl::StatusOr<Response> result = consumer_.finish();
    const absl::Status status = result.status();
    if (status.ok()) *response_ = *std::move(result);
    End(status);
  }

  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      finished_ = true;
    }
    this->Finish(ToGrpcStatus(status));
  }
  void OnDone() override { self_.reset(); }

  Executor& executor_;
  grpc::CallbackServerContext* const context_;  // valid until Finish
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  Response* const response_;
  Consumer consumer_;  // of the task under way
  // One is consumed while the other is read.
  Request messages_[2];

  Mutex mu_;
  int filling_ ABSL_GUARDED_BY(mu_) = 0;         // which of them is read
  bool filled_ ABSL_GUARDED_BY(mu_) = false;     // and waits for a task
  bool last_read_ ABSL_GUARDED_BY(mu_) = false;  // there are no more
  bool working_ ABSL_GUARDED_BY(mu_) = false;    // a task is under way
  bool finished_ ABSL_GUARDED_BY(mu_) = false;

  std::shared_ptr<ReadStream> self_;  // until OnDone
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_READ_STREAM_H_
