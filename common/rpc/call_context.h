// A CallContext is the server context of every call to an RpcServer: gRPC's
// own, with the call's trace and its admission.
//
// The functions below take any callback context; on a server that is not an
// RpcServer (a scratch server of a test) every call is admitted and the trace
// is empty.

#ifndef KINORA_COMMON_RPC_CALL_CONTEXT_H_
#define KINORA_COMMON_RPC_CALL_CONTEXT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"

#include "common/telemetry/trace_context.h"
#include "common/threads/mutex.h"

namespace kinora {

// A CallTracker counts the calls of one server and turns them away when there
// are too many, or when it drains. Thread-safe.
class CallTracker {
 public:
  explicit CallTracker(int max_calls) : max_calls_(max_calls) {}

  // Counts one call, until Leave(). RESOURCE_EXHAUSTED (LIMIT_EXCEEDED) if
  // max_calls are under way, UNAVAILABLE once draining.
  absl::Status Enter();
  void Leave();

  // Calls `stop` once when the drain begins, at once if it has begun. For
  // calls that would not end by themselves. `stop` MUST be short.
  uint64_t OnDrain(absl::AnyInvocable<void()> stop);
  // Drops such a callback, which may be running.
  void CancelOnDrain(uint64_t id);

  // Turns away every further call and calls the callbacks.
  void StartDrain();

  // Says that a reactor is alive, until the result is dropped: an executor may
  // hold one beyond its call.
  static std::shared_ptr<void> Hold(
      const std::shared_ptr<CallTracker>& tracker);

  // Waits until every reactor is gone.
  void WaitUntilReleased();

  // Waits until no call is under way, no longer than `limit`. True if so.
  bool WaitUntilIdle(absl::Duration limit);

  int calls() const;

 private:
  const int max_calls_;
  mutable Mutex mu_;
  CondVar idle_cv_;
  CondVar released_cv_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  int held_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<uint64_t, absl::AnyInvocable<void()>> on_drain_ ABSL_GUARDED_BY(mu_);
};

class CallContext final : public grpc::CallbackServerContext {
 public:
  explicit CallContext(std::shared_ptr<CallTracker> tracker)
      : tracker_(std::move(tracker)) {}
  ~CallContext() override;

  const std::shared_ptr<CallTracker>& tracker() const { return tracker_; }
  absl::Status Admit();

  // The trace the caller sent along, or a new one, the same at every call.
  // Not before the service method was called.
  const TraceContext& trace();

 private:
  const std::shared_ptr<CallTracker> tracker_;
  bool admitted_ = false;
  TraceContext trace_;
};

// Counts the call as under way until it is done; call it once, first. An error
// (see CallTracker::Enter) is what the call must be finished with.
absl::Status AdmitCall(grpc::CallbackServerContext* context);

// The tracker of the server of a call; null if it has none.
std::shared_ptr<CallTracker> TrackerOf(grpc::CallbackServerContext* context);

// Keeps the server of a call from going away (see RpcServer::Drain) while a
// reactor holds the result. Every reactor that outlives its call holds one.
std::shared_ptr<void> HoldServer(grpc::CallbackServerContext* context);

// The trace of a call. Call it on the thread that calls the service method.
TraceContext TraceOf(grpc::CallbackServerContext* context);

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_CALL_CONTEXT_H_
