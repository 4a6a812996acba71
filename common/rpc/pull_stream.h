// A PullStream serves a server-streaming call from a source that is asked for
// one message after another.
//
// States: 1. a task on the executor fills the next message; 2. it is written;
// 3. OnWriteDone goes back to 1, so a slow reader costs one message. The end of
// the source, an error of it, a failed write or a cancellation lead to the one
// Finish.

#ifndef KINORA_COMMON_RPC_PULL_STREAM_H_
#define KINORA_COMMON_RPC_PULL_STREAM_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"

#include "common/executor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/stream_task.h"

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
      stream->Advance();
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

  // Exactly one of task, write and Finish is under way at any time, which is
  // all the locking there is to do.
  void Advance() {
    PostStreamTask(
        executor_, self_, trace_,
        [](PullStream& stream) {
          if (stream.cancelled_.load(std::memory_order_acquire)) {
            return stream.End(absl::CancelledError("the caller has gone"));
          }
          stream.message_.Clear();
          absl::StatusOr<bool> more = stream.next_(&stream.message_);
          if (!more.ok() || !*more) return stream.End(more.status());
          stream.StartWrite(&stream.message_);
        },
        [](PullStream& stream, const absl::Status& why) { stream.End(why); });
  }

  void End(const absl::Status& status) { this->Finish(ToGrpcStatus(status)); }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the caller has gone"));
    Advance();
  }
  void OnCancel() override {
    cancelled_.store(true, std::memory_order_release);
  }
  void OnDone() override { self_.reset(); }

  Executor& executor_;
  const std::shared_ptr<void> hold_;
  const TraceContext trace_;
  Next next_;
  Response message_;
  std::atomic<bool> cancelled_{false};
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
