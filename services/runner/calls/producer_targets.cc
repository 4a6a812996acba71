#include "services/runner/calls/producer_targets.h"

#include <algorithm>
#include <tuple>

namespace kinora {

TargetStatus ProducerTargets::StatusOf(const Target& target, int64_t now) {
  if (target.open == absl::ZeroDuration()) return TargetStatus::kClosed;
  return now < target.open_until ? TargetStatus::kOpen
                                 : TargetStatus::kHalfOpen;
}

bool ProducerTargets::IsCallable(const Target& target, int64_t now) {
  return StatusOf(target, now) != TargetStatus::kOpen && !target.probed;
}

bool ProducerTargets::HasOther(const Target& target, const std::string& version,
                               int64_t now) {
  return now < target.version_until && !version.empty() &&
         target.version != version;
}

bool ProducerTargets::AnotherMayHave(const std::string& version,
                                     int64_t now) const {
  return std::any_of(
      targets_.begin(), targets_.end(), [&version, now](const Target& target) {
        return IsCallable(target, now) && !HasOther(target, version, now);
      });
}

bool ProducerTargets::CanCall(int64_t now) const {
  return std::any_of(
      targets_.begin(), targets_.end(),
      [now](const Target& target) { return IsCallable(target, now); });
}

int64_t ProducerTargets::NextAt() const {
  int64_t next = INT64_MAX;
  for (const Target& target : targets_) {
    // The end of a probe is told.
    if (target.probed) continue;
    next =
        std::min(next, target.open == absl::ZeroDuration() ? INT64_MIN
                                                           : target.open_until);
  }
  return next;
}

TargetCall ProducerTargets::Begin(const TargetWish& wish, int64_t now) {
  auto rank = [this, &wish, now](size_t i) {
    const Target& target = targets_[i];
    return std::make_tuple(!IsCallable(target, now), wish.target != i,
                           HasOther(target, wish.version, now),
                           StatusOf(target, now) != TargetStatus::kHalfOpen,
                           now < target.suspect_until, target.running,
                           target.last_used);
  };
  size_t best = 0;
  for (size_t i = 1; i < targets_.size(); ++i) {
    if (rank(i) < rank(best)) best = i;
  }
  Target& target = targets_[best];
  ++target.running;
  target.last_used = ++used_;
  target.probed = StatusOf(target, now) == TargetStatus::kHalfOpen;
  return {best, target.probed, wish.version};
}

void ProducerTargets::Open(Target& target, absl::Duration open, int64_t now) {
  target.open = std::min(open, options_.longest);
  target.open_until = now + absl::ToInt64Nanoseconds(target.open);
}

TargetEnd ProducerTargets::End(const TargetCall& call, Contact contact,
                               const std::string& version, int64_t now) {
  Target& target = targets_[call.target];
  TargetEnd end;
  --target.running;
  if (call.is_probe) target.probed = false;
  if (!version.empty()) {
    target.version = version;
    target.version_until = now + absl::ToInt64Nanoseconds(kVersionTtl);
    if (!call.version.empty() && version != call.version) {
      end.counts = !AnotherMayHave(call.version, now);
    }
  }
  if (contact == Contact::kAnswered) {
    if (target.open != absl::ZeroDuration()) {
      end.became = TargetStatus::kClosed;
    }
    target.open = absl::ZeroDuration();
    target.failures = 0;
    target.suspect_until = INT64_MIN;
    target.probed = false;
  } else if (contact == Contact::kLost) {
    ++target.failures;
    if (target.open == absl::ZeroDuration()) {
      target.suspect_until = now + absl::ToInt64Nanoseconds(options_.open);
      if (target.failures >= options_.failures) {
        target.down_since = now;
        Open(target, options_.open, now);
        end.became = TargetStatus::kOpen;
      }
    } else if (call.is_probe) {
      end.counts = now - target.down_since >=
                   absl::ToInt64Nanoseconds(options_.patience);
      Open(target, target.open * 2, now);
      end.became = TargetStatus::kOpen;
    }
  }
  return end;
}

ProducerTargets::State ProducerTargets::StateOf(size_t index,
                                                int64_t now) const {
  const Target& target = targets_[index];
  return {StatusOf(target, now), target.running, target.failures,
          target.open_until};
}

}  // namespace kinora
