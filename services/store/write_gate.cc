#include "services/store/write_gate.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/telemetry/log.h"

namespace kinora {

absl::Status WriteGate::Check() const {
  if (state_.load(std::memory_order_acquire) == State::kOpen) {
    return absl::OkStatus();
  }
  MutexLock lock(mu_);
  return status_;
}

absl::Status WriteGate::CheckRemoval() const {
  return IsFull() ? absl::OkStatus() : Check();
}

absl::Status WriteGate::CheckAtBegin() {
  absl::Status status = Check();
  if (status.ok() || !IsFull()) return status;
  std::function<void()> look;
  {
    MutexLock lock(mu_);
    look = look_;
  }
  // Refused all the same: whoever calls has looked at what the store held
  // before, such as at which appends were done.
  if (look != nullptr) look();
  return status;
}

absl::Status WriteGate::Close(const absl::Status& why) {
  return CloseAs(State::kFailed, why,
                 "repair the volume, then restart the store");
}

absl::Status WriteGate::CloseUntilRoom(const absl::Status& why) {
  return CloseAs(State::kFull, why,
                 "free space on the volume, such as with kinora gc; writes go "
                 "on once there is room");
}

absl::Status WriteGate::CloseAs(State state, const absl::Status& why,
                                absl::string_view what_to_do) {
  MutexLock lock(mu_);
  const State now = state_.load(std::memory_order_relaxed);
  if (now == State::kOpen || (now == State::kFull && state == State::kFailed)) {
    status_ =
        WithReason(absl::UnavailableError(absl::StrCat(
                       "the store on \"", volume_,
                       "\" is read-only: ", why.message(), ": ", what_to_do)),
                   "STORE_READ_ONLY", {{"volume", volume_}});
    LogError("the store is read-only now",
             {{"volume", volume_}, {"error", why}, {"remedy", what_to_do}});
    state_.store(state, std::memory_order_release);
  }
  return status_;
}

void WriteGate::Reopen() {
  MutexLock lock(mu_);
  if (state_.load(std::memory_order_relaxed) != State::kFull) return;
  status_ = absl::OkStatus();
  state_.store(State::kOpen, std::memory_order_release);
  LogInfo("there is room again, the store takes writes", {{"volume", volume_}});
}

void WriteGate::OnLookForRoom(std::function<void()> look) {
  MutexLock lock(mu_);
  look_ = std::move(look);
}

}  // namespace kinora
