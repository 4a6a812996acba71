#include "common/rpc/call_context.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/error_reason.h"

namespace kinora {
namespace {

TraceContext TraceFromCaller(grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(
      grpc::string_ref(kTraceparentHeader.data(), kTraceparentHeader.size()));
  if (found != metadata.end()) {
    const absl::string_view text(found->second.data(), found->second.size());
    if (auto trace = TraceContext::Parse(text)) return trace->Child();
  }
  return TraceContext::New();
}

}  // namespace

absl::Status CallTracker::Enter() {
  MutexLock lock(mu_);
  if (draining_) {
    return absl::UnavailableError("the server is draining: try another one");
  }
  if (calls_ >= max_calls_) {
    return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                          "the server serves ", calls_,
                          " calls, as many as it may: try again later")),
                      "LIMIT_EXCEEDED");
  }
  ++calls_;
  return absl::OkStatus();
}

void CallTracker::Leave() {
  MutexLock lock(mu_);
  if (--calls_ == 0) idle_cv_.SignalAll();
}

uint64_t CallTracker::OnDrain(absl::AnyInvocable<void()> stop) {
  uint64_t id;
  {
    MutexLock lock(mu_);
    id = next_id_++;
    if (!draining_) {
      on_drain_.emplace(id, std::move(stop));
      return id;
    }
  }
  stop();
  return id;
}

void CallTracker::CancelOnDrain(uint64_t id) {
  absl::AnyInvocable<void()> dropped;  // destroyed without the lock
  MutexLock lock(mu_);
  const auto found = on_drain_.find(id);
  if (found == on_drain_.end()) return;
  dropped = std::move(found->second);
  on_drain_.erase(found);
}

void CallTracker::StartDrain() {
  std::map<uint64_t, absl::AnyInvocable<void()>> callbacks;
  {
    MutexLock lock(mu_);
    draining_ = true;
    callbacks.swap(on_drain_);
  }
  for (auto& callback : callbacks) callback.second();
}

std::shared_ptr<void> CallTracker::Hold(
    const std::shared_ptr<CallTracker>& tracker) {
  {
    MutexLock lock(tracker->mu_);
    ++tracker->held_;
  }
  return std::shared_ptr<void>(tracker.get(), [tracker](void*) {
    MutexLock lock(tracker->mu_);
    if (--tracker->held_ == 0) tracker->released_cv_.SignalAll();
  });
}

void CallTracker::WaitUntilReleased() {
  MutexLock lock(mu_);
  while (held_ > 0) released_cv_.Wait(mu_);
}

bool CallTracker::WaitUntilIdle(absl::Duration limit) {
  const int64_t deadline = DeadlineAfter(RealClock(), limit);
  MutexLock lock(mu_);
  while (calls_ > 0) {
    if (!idle_cv_.WaitUntil(mu_, deadline)) return calls_ == 0;
  }
  return true;
}

int CallTracker::calls() const {
  MutexLock lock(mu_);
  return calls_;
}

CallContext::~CallContext() {
  if (admitted_) tracker_->Leave();
}

absl::Status CallContext::Admit() {
  absl::Status status = tracker_->Enter();
  admitted_ = status.ok();
  return status;
}

const TraceContext& CallContext::trace() {
  if (trace_.empty()) trace_ = TraceFromCaller(*this);
  return trace_;
}

absl::Status AdmitCall(grpc::CallbackServerContext* context) {
  auto* call = dynamic_cast<CallContext*>(context);
  return call == nullptr ? absl::OkStatus() : call->Admit();
}

std::shared_ptr<CallTracker> TrackerOf(grpc::CallbackServerContext* context) {
  auto* call = dynamic_cast<CallContext*>(context);
  return call == nullptr ? nullptr : call->tracker();
}

std::shared_ptr<void> HoldServer(grpc::CallbackServerContext* context) {
  const std::shared_ptr<CallTracker> tracker = TrackerOf(context);
  return tracker == nullptr ? nullptr : CallTracker::Hold(tracker);
}

TraceContext TraceOf(grpc::CallbackServerContext* context) {
  auto* call = dynamic_cast<CallContext*>(context);
  return call == nullptr ? TraceContext() : call->trace();
}

}  // namespace kinora
