#include "services/runner/state/progress_intake.h"

#include <utility>

namespace kinora {

ProgressIntake::Taken ProgressIntake::Take(JobIndex job, v1::Progress progress,
                                           int64_t now) {
  Taken taken;
  const auto found = attempts_.find(job);
  if (found == attempts_.end()) return taken;
  Attempt& attempt = found->second;
  const bool leaves = !progress.heartbeat_details().empty();
  if (leaves) left_[job] = progress.heartbeat_details();
  const absl::Duration since = absl::Nanoseconds(now - attempt.written_nanos);
  if (attempt.written_nanos == 0 || since >= kProgressPeriod) {
    taken.written = Write(std::move(progress), now, &attempt);
    return taken;
  }
  if (!leaves) return taken;
  attempt.late = std::move(progress);
  if (attempt.is_timed) return taken;
  attempt.is_timed = true;
  taken.wait = kProgressPeriod - since;
  return taken;
}

ProgressIntake::Taken ProgressIntake::Due(JobIndex job, int64_t now) {
  const auto found = attempts_.find(job);
  if (found == attempts_.end()) return Taken();
  Attempt& attempt = found->second;
  attempt.is_timed = false;
  if (!attempt.late.has_value()) return Taken();
  // Something else may have been written meanwhile: it waits once more.
  v1::Progress late = *std::exchange(attempt.late, std::nullopt);
  return Take(job, std::move(late), now);
}

std::optional<v1::Progress> ProgressIntake::Late(JobIndex job) {
  const auto found = attempts_.find(job);
  if (found == attempts_.end()) return std::nullopt;
  return std::exchange(found->second.late, std::nullopt);
}

std::string ProgressIntake::LeftBy(JobIndex job) const {
  const auto left = left_.find(job);
  return left == left_.end() ? "" : left->second;
}

// The last that was left is in it, also where it came with what was late.
v1::Progress ProgressIntake::Write(v1::Progress progress, int64_t now,
                                   Attempt* attempt) {
  attempt->written_nanos = now;
  if (progress.heartbeat_details().empty() && attempt->late.has_value()) {
    progress.set_heartbeat_details(attempt->late->heartbeat_details());
  }
  attempt->late.reset();
  return progress;
}

}  // namespace kinora
