#include "services/store/write_gate.h"

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/log.h"

namespace kinora {

absl::Status WriteGate::Check() const {
  if (!closed_.load(std::memory_order_acquire)) return absl::OkStatus();
  MutexLock lock(mu_);
  return status_;
}

absl::Status WriteGate::Close(const absl::Status& why) {
  MutexLock lock(mu_);
  if (!closed_.load(std::memory_order_relaxed)) {
    status_ = WithReason(
        absl::UnavailableError(absl::StrCat(
            "the store on \"", volume_, "\" is read-only: ", why.message(),
            ": repair the volume, then restart the store")),
        "STORE_READ_ONLY", {{"volume", volume_}});
    LogError("the store is read-only now",
             {{"volume", volume_}, {"error", why}});
    closed_.store(true, std::memory_order_release);
  }
  return status_;
}

}  // namespace kinora
