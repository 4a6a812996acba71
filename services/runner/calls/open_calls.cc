#include "services/runner/calls/open_calls.h"

#include <utility>

namespace kinora {

std::unique_ptr<OpenCalls::Call> OpenCalls::Begin() {
  MutexLock lock(mu_);
  if (closed_) return nullptr;
  auto call = std::make_unique<Call>(*this);
  calls_.insert(call.get());
  return call;
}

void OpenCalls::Close(absl::AnyInvocable<void()> on_none) {
  {
    MutexLock lock(mu_);
    if (std::exchange(closed_, true)) return;
    if (!calls_.empty()) {
      on_none_ = std::move(on_none);
      // Under the lock: none of them ends meanwhile.
      for (Call* call : calls_) call->stop().Stop();
      return;
    }
  }
  on_none();
}

void OpenCalls::End(Call* call) {
  absl::AnyInvocable<void()> on_none;
  {
    MutexLock lock(mu_);
    calls_.erase(call);
    if (calls_.empty()) on_none = std::exchange(on_none_, nullptr);
  }
  // This may be destroyed by it.
  if (on_none) on_none();
}

}  // namespace kinora
