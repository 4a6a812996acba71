// ProducerTargets says at which of a producer's targets the next call is made,
// and keeps calls from one that is down (a circuit breaker). Pure: no clock, no
// I/O.
//
// Of each target:
//
//   closed --- `failures` calls in a row are lost ---> open
//   open --- its time has passed ---> half open: one call probes it
//   half open --- the probe is answered ---> closed
//             --- the probe is lost ---> open, twice as long, to `longest`
//
// A call that was answered closes it at any time; what a job makes of the
// answer does not matter. Times are nanoseconds of Clock::MonotonicNanos().

#ifndef KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TARGETS_H_
#define KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TARGETS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "services/runner/calls/producer_caller.h"

namespace kinora {

struct BreakerOptions {
  uint32_t failures = 5;                   // lost in a row until it opens
  absl::Duration open = absl::Seconds(5);  // for the first time
  absl::Duration longest = absl::Minutes(2);
  // From when it opened until probes that are lost count against their jobs:
  // how long jobs wait for a producer that is down.
  absl::Duration patience = absl::Minutes(10);
};

enum class TargetStatus { kClosed, kOpen, kHalfOpen };

// What a call asks for.
struct TargetWish {
  // Targets that are known to have another version come last; empty for any.
  std::string version;
  // The one that has the work already, if it can be called.
  std::optional<size_t> target;
};

// A call under way.
struct TargetCall {
  size_t target = 0;
  bool is_probe = false;
  std::string version;  // as it was wished for
};

// What the end of a call brought.
struct TargetEnd {
  // False for a call that says nothing of its job: the probe of a target that
  // was down, or one that another version took where a further target may have
  // the right one.
  bool counts = true;
  std::optional<TargetStatus> became;  // if it changed
};

// Not thread-safe.
class ProducerTargets {
 public:
  // How long it is believed which version a target had.
  static constexpr absl::Duration kVersionTtl = absl::Seconds(30);

  struct State {
    TargetStatus status = TargetStatus::kClosed;
    uint32_t running = 0;
    uint32_t failures = 0;  // lost in a row
    int64_t open_until = 0;
  };

  // REQUIRES: count > 0.
  ProducerTargets(size_t count, const BreakerOptions& options)
      : options_(options), targets_(count) {}

  // True if some target may be called.
  bool CanCall(int64_t now) const;

  // When CanCall() turns true with nothing but time; INT64_MAX for never.
  int64_t NextAt() const;

  // The one to call: what is wished for, one that is to be probed, then the one
  // with the fewest calls under way, where those that lost a call a moment ago
  // come last. REQUIRES: CanCall(now).
  TargetCall Begin(const TargetWish& wish, int64_t now);

  // `version` is the one that took the job; empty if none did.
  TargetEnd End(const TargetCall& call, Contact contact,
                const std::string& version, int64_t now);

  size_t size() const { return targets_.size(); }
  State StateOf(size_t index, int64_t now) const;

 private:
  struct Target {
    uint32_t running = 0;
    uint32_t failures = 0;
    int64_t suspect_until = INT64_MIN;
    absl::Duration open;  // zero if closed
    int64_t open_until = 0;
    int64_t down_since = 0;
    bool probed = false;
    std::string version;
    int64_t version_until = INT64_MIN;
    uint64_t last_used = 0;
  };

  static TargetStatus StatusOf(const Target& target, int64_t now);
  static bool IsCallable(const Target& target, int64_t now);
  static bool HasOther(const Target& target, const std::string& version,
                       int64_t now);
  bool AnotherMayHave(const std::string& version, int64_t now) const;
  void Open(Target& target, absl::Duration open, int64_t now);

  BreakerOptions options_;
  std::vector<Target> targets_;
  uint64_t used_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TARGETS_H_
