#include "common/rpc/unary_calls.h"

#include <vector>

namespace kinora {

UnaryCalls::~UnaryCalls() {
  std::vector<std::shared_ptr<Call>> cancelled;
  {
    MutexLock lock(mu_);
    cancelled.reserve(calls_.size());
    for (const auto& call : calls_) cancelled.push_back(call.second);
  }
  // Not under the lock, which the end of a call takes.
  for (const std::shared_ptr<Call>& call : cancelled) {
    call->context.TryCancel();
  }
  cancelled.clear();
  MutexLock lock(mu_);
  while (under_way_ > 0) idle_cv_.Wait(mu_);
}

void UnaryCalls::Enter(std::shared_ptr<Call> call) {
  MutexLock lock(mu_);
  ++under_way_;
  Call* key = call.get();
  calls_.emplace(key, std::move(call));
}

std::shared_ptr<UnaryCalls::Call> UnaryCalls::Leave(Call* call) {
  MutexLock lock(mu_);
  const auto found = calls_.find(call);
  std::shared_ptr<Call> left = std::move(found->second);
  calls_.erase(found);
  return left;
}

void UnaryCalls::Left() {
  MutexLock lock(mu_);
  if (--under_way_ == 0) idle_cv_.SignalAll();
}

}  // namespace kinora
