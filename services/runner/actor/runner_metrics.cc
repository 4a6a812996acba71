#include "services/runner/actor/runner_metrics.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace kinora {
namespace {

absl::string_view Word(JobMark mark) {
  switch (mark) {
    case JobMark::kStarted:
      return "started";
    case JobMark::kSucceeded:
      return "succeeded";
    case JobMark::kReused:
      return "reused";
    case JobMark::kFailed:
      return "failed";
    case JobMark::kBlocked:
      return "blocked";
    case JobMark::kCancelled:
      return "cancelled";
    case JobMark::kRetrying:
      return "retrying";
    case JobMark::kInDoubt:
      return "in_doubt";
  }
  return "";
}

}  // namespace

RunnerMetrics::RunnerMetrics(MetricsRegistry& registry)
    : registry_(registry),
      runs_active_(registry.GetGauge("kinora_runner_runs_active",
                                     "Runs that this process carries out.")),
      runs_damaged_(registry.GetGauge("kinora_runner_runs_damaged",
                                      "Runs that cannot be read.")),
      dispatch_(registry.GetHistogram(
          "kinora_runner_dispatch_seconds",
          "Time from the end of a job's last dependency to its first call.",
          kLatencySeconds)) {}

void RunnerMetrics::RunClosed(v1::RunStatus status) {
  absl::string_view word = v1::RunStatus_Name(status);
  absl::ConsumePrefix(&word, "RUN_STATUS_");
  registry_
      .GetCounter("kinora_runner_runs_total", "Runs that ended, by their end.",
                  {{"end", absl::AsciiStrToLower(word)}})
      .Add();
}

void RunnerMetrics::JobMarked(absl::string_view producer, JobMark mark) {
  MutexLock lock(mu_);
  Counter*& jobs = ProducerOf(producer).jobs[static_cast<size_t>(mark)];
  if (jobs == nullptr) {
    jobs = &registry_.GetCounter("kinora_runner_jobs_total",
                                 "What happened to jobs, by producer.",
                                 {{"producer", std::string(producer)},
                                  {"event", std::string(Word(mark))}});
  }
  jobs->Add();
}

void RunnerMetrics::AttemptEnded(absl::string_view producer,
                                 absl::Duration duration) {
  MutexLock lock(mu_);
  Histogram*& attempts = ProducerOf(producer).attempts;
  if (attempts == nullptr) {
    attempts = &registry_.GetHistogram(
        "kinora_runner_attempt_seconds",
        "Time from a producer's call to its end.", kWorkSeconds,
        {{"producer", std::string(producer)}});
  }
  attempts->Observe(duration);
}

void RunnerMetrics::Charged(absl::string_view producer, const v1::Cost& cost) {
  if (cost.micros() <= 0) return;
  registry_
      .GetCounter("kinora_runner_cost_micros_total",
                  "Cost that producers reported, in millionths.",
                  {{"producer", std::string(producer)},
                   {"currency", cost.currency_code()}})
      .Add(cost.micros());
}

RunnerMetrics::Producer& RunnerMetrics::ProducerOf(absl::string_view name) {
  const auto found = producers_.find(name);
  if (found != producers_.end()) return found->second;
  return producers_[std::string(name)];
}

}  // namespace kinora
