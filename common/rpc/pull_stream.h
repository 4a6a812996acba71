// A PullStream serves a server-streaming call from a source that is asked for
// one message after another.
//
// While a message is written, a task on the executor fills the next one: a slow
// reader costs two messages. The end of the source, an error of it, a failed
// write or a cancellation lead to the one Finish, once no write is under way.

#ifndef KINORA_COMMON_RPC_PULL_STREAM_H_
#define KINORA_COMMON_RPC_PULL_STREAM_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/stream_task.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

template <typename Response>
class PullStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // Fills the next message (an empty one at first) and returns true, or
  // returns false at the end. Runs on the executor, never twice at once, and
  // may block. The request it reads must be copied into it.
  using Next = absl::AnyInvocable<absl::StatusOr<bool>(Response*)>;

  // What a service method returns. `executor` MUST outlive the server.
  static grpc::ServerWriteReactor<Response>* Start(
      grpc::CallbackServerContext* context, Executor& executor, Next next) {
    auto* stream = new PullStream(context, executor, std::move(next));
    stream->self_.reset(stream);
    if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
      stream->Finish(ToGrpcStatus(admitted));
    } else {
      stream->Begin();
    }
    return stream;
  }

 private:
  PullStream(grpc::CallbackServerContext* context, Executor& executor,
             Next next)
      : executor_(executor),
        hold_(HoldServer(context)),
        trace_(TraceOf(context)),
        next_(std::move(next)) {}

  void Begin() ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      working_ = true;
    }
    Fill(&messages_[0]);
  }

  // At most one task is under way, and one write beside it. Not called under
  // the lock: an executor that has stopped drops the task at once.
  void Fill(Response* message) ABSL_LOCKS_EXCLUDED(mu_) {
    PostStreamTask(
        executor_, self_, trace_,
        [message](PullStream& stream) {
          if (stream.cancelled_.load(std::memory_order_acquire)) {
            return stream.Filled(absl::CancelledError("the caller has gone"));
          }
          message->Clear();
          stream.Filled(stream.next_(message));
        },
        [](PullStream& stream, const absl::Status& why) {
          stream.Filled(why);
        });
  }

  void Filled(const absl::StatusOr<bool>& more) ABSL_LOCKS_EXCLUDED(mu_) {
    Response* next;
    {
      MutexLock lock(mu_);
      working_ = false;
      filled_ = more.ok() && *more;
      if (!filled_ && !end_.has_value()) end_ = more.status();
      next = Advance();
    }
    if (next != nullptr) Fill(next);
  }

  void OnWriteDone(bool ok) override {
    Response* next;
    {
      MutexLock lock(mu_);
      writing_ = false;
      if (!ok && !end_.has_value()) {
        end_ = absl::CancelledError("the caller has gone");
      }
      next = Advance();
    }
    if (next != nullptr) Fill(next);
  }

  // Writes what is filled or ends the call. The message to fill, if it is time.
  Response* Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_) return nullptr;
    if (end_.has_value()) {
      if (!working_) this->Finish(ToGrpcStatus(*end_));
      return nullptr;
    }
    if (!filled_) return nullptr;
    filled_ = false;
    writing_ = true;
    working_ = true;
    Response* const message = &messages_[filling_];
    filling_ = 1 - filling_;
    this->StartWrite(message);
    return &messages_[filling_];
  }

  void OnCancel() override {
    cancelled_.store(true, std::memory_order_release);
  }
  void OnDone() override { self_.reset(); }

  Executor& executor_;
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  Next next_;  // of the task under way
  // One is written while the other is filled.
  Response messages_[2];
  std::atomic<bool> cancelled_{false};

  Mutex mu_;
  int filling_ ABSL_GUARDED_BY(mu_) = 0;       // which of them is next
  bool filled_ ABSL_GUARDED_BY(mu_) = false;   // and waits to be written
  bool working_ ABSL_GUARDED_BY(mu_) = false;  // a task is under way
  bool writing_ ABSL_GUARDED_BY(mu_) = false;  // a write is under way
  // Why there is nothing more to fill, if so.
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);

  std::shared_ptr<PullStream> self_;  // until OnDone
};

// A source of bytes that are loaded once, before the first message, and sent
// in pieces of kStreamChunkBytes as the `data` of the messages. `load` is a
// StatusOr<std::string>(Response* first) that may also fill the first message.
template <typename Response, typename Load>
typename PullStream<Response>::Next LoadedBytesSource(Load load) {
  return [load = std::move(load), bytes = std::string(), offset = size_t{0},
          loaded = false](Response* message) mutable -> absl::StatusOr<bool> {
    if (!loaded) {
      absl::StatusOr<std::string> result = load(message);
      if (!result.ok()) return result.status();
      bytes = *std::move(result);
      loaded = true;
    } else if (offset == bytes.size()) {
      return false;
    }
    message->set_data(bytes.substr(offset, kStreamChunkBytes));
    offset += message->data().size();
    return true;
  };
}

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_PULL_STREAM_H_
