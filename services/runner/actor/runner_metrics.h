// RunnerMetrics counts what a runner does. `producer` is a name of the producer
// table or of a blueprint, so there are few.
//
//   kinora_runner_runs_active                      runs of this process
//   kinora_runner_runs_damaged                     runs that cannot be read, as
//                                                  this process has met them
//   kinora_runner_runs_total{end}                  completed, failed, ...
//   kinora_runner_jobs_total{producer,event}       started, succeeded, ...
//   kinora_runner_attempt_seconds{producer}        from the call to its end
//   kinora_runner_dispatch_seconds                 from the end of the last
//                                                  dependency to the call
//   kinora_runner_cost_micros_total{producer,currency}

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUNNER_METRICS_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUNNER_METRICS_H_

#include <array>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/telemetry/metrics.h"
#include "common/threads/mutex.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// What happens to a job, for the label `event`.
enum class JobMark {
  kStarted,  // called, also again
  kSucceeded,
  kReused,
  kFailed,
  kBlocked,
  kCancelled,
  kRetrying,
  kInDoubt,
};

// Thread-safe.
class RunnerMetrics {
 public:
  // `registry` MUST outlive it.
  explicit RunnerMetrics(MetricsRegistry& registry);

  void RunBegan() { runs_active_.Add(1); }
  // It is active no more, here; what became of it says RunClosed().
  void RunLeft() { runs_active_.Add(-1); }
  void RunClosed(v1::RunStatus status);
  void RunDamaged() { runs_damaged_.Add(1); }
  void RunMended() { runs_damaged_.Add(-1); }

  void JobMarked(absl::string_view producer, JobMark mark);
  void AttemptEnded(absl::string_view producer, absl::Duration duration);
  void Charged(absl::string_view producer, const v1::Cost& cost);
  void Dispatched(absl::Duration latency) { dispatch_.Observe(latency); }

 private:
  static constexpr size_t kMarks = static_cast<size_t>(JobMark::kInDoubt) + 1;

  // What is looked up in the registry once.
  struct Producer {
    std::array<Counter*, kMarks> jobs = {};
    Histogram* attempts = nullptr;
  };

  Producer& ProducerOf(absl::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  MetricsRegistry& registry_;
  Gauge& runs_active_;
  Gauge& runs_damaged_;
  Histogram& dispatch_;
  Mutex mu_;
  std::map<std::string, Producer, std::less<>> producers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUNNER_METRICS_H_
