// A ProgressIntake decides what of the progress of a run's attempts is written
// down, as they may tell of it all the time, and keeps what an attempt leaves
// for the next one (Progress.heartbeat_details).

#ifndef KINORA_SERVICES_RUNNER_STATE_PROGRESS_INTAKE_H_
#define KINORA_SERVICES_RUNNER_STATE_PROGRESS_INTAKE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"

#include "kinora/v1/producer.pb.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// Progress of a job is written at most this often.
inline constexpr absl::Duration kProgressPeriod = absl::Milliseconds(250);

// Times are nanoseconds of Clock::MonotonicNanos(). Not thread-safe.
class ProgressIntake {
 public:
  // An attempt at the job begins, or has ended. All else is about one that is
  // under way.
  void Begin(JobIndex job) { attempts_[job] = Attempt(); }
  void End(JobIndex job) { attempts_.erase(job); }

  // What is to be written now, if anything. Of what comes too often, the
  // numbers are made up for by later progress; what the next attempt needs may
  // be followed by nothing, so it is written when Due() is called after `wait`.
  struct Taken {
    std::optional<v1::Progress> written;
    std::optional<absl::Duration> wait;
  };
  Taken Take(JobIndex job, v1::Progress progress, int64_t now);
  Taken Due(JobIndex job, int64_t now);

  // What was to be written later, for an attempt that ends badly.
  std::optional<v1::Progress> Late(JobIndex job);

  // What attempts of this process have left; empty for nothing.
  std::string LeftBy(JobIndex job) const;

 private:
  struct Attempt {
    int64_t written_nanos = 0;  // 0 for never
    // With heartbeat details, but too soon after the last to be written.
    std::optional<v1::Progress> late;
    bool is_timed = false;  // Due() follows
  };

  v1::Progress Write(v1::Progress progress, int64_t now, Attempt* attempt);

  std::map<JobIndex, Attempt> attempts_;
  std::map<JobIndex, std::string> left_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_PROGRESS_INTAKE_H_
