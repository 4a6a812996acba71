// What the stream reactors share.

#ifndef KINORA_COMMON_RPC_STREAM_TASK_H_
#define KINORA_COMMON_RPC_STREAM_TASK_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"

#include "common/rpc/status.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/executor.h"

namespace kinora {

// Bytes in one message of a byte stream: large enough that the cost of a
// message does not show, small beside the message limit.
inline constexpr size_t kStreamChunkBytes = 256 * 1024;

namespace internal {

// Runs `body` once; if it is destroyed unrun, by a stopped executor, runs
// `dropped`, so that the stream ends all the same.
template <typename Reactor, typename Body, typename Dropped>
class StreamTask {
 public:
  StreamTask(std::shared_ptr<Reactor> reactor, TraceContext trace, Body body,
             Dropped dropped)
      : reactor_(std::move(reactor)),
        trace_(std::move(trace)),
        body_(std::move(body)),
        dropped_(std::move(dropped)) {}
  StreamTask(StreamTask&&) = default;
  ~StreamTask() {
    if (reactor_ == nullptr) return;
    dropped_(*reactor_, absl::UnavailableError("the server is shutting down"));
  }

  void operator()() {
    // Holds on to the reactor: the body may finish the call.
    const std::shared_ptr<Reactor> reactor = std::move(reactor_);
    TraceScope scope(trace_);
    body_(*reactor);
  }

 private:
  std::shared_ptr<Reactor> reactor_;
  TraceContext trace_;
  Body body_;
  Dropped dropped_;
};

}  // namespace internal

// Posts `body(Reactor&)`, which keeps the reactor alive, with its call's trace
// set. An executor that has stopped leads to `dropped(Reactor&, Status)`.
template <typename Reactor, typename Body, typename Dropped>
void PostStreamTask(Executor& executor, std::shared_ptr<Reactor> reactor,
                    const TraceContext& trace, Body body, Dropped dropped) {
  executor.Post(internal::StreamTask<Reactor, Body, Dropped>(
      std::move(reactor), trace, std::move(body), std::move(dropped)));
}

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_STREAM_TASK_H_
