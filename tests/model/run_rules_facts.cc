// The part of RunRules that takes what a RunState is told: what becomes of the
// job that it is about.

#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/model/run_rules.h"

namespace kinora {

bool RunRules::IsOver(const Job& job, absl::Duration used) const {
  const uint32_t limit = NodeOf(job).limits().job_timeout_seconds();
  return limit > 0 && used >= absl::Seconds(limit);
}

void RunRules::FailByTimeout(Job* job) {
  job->status = JobStatus::kFailed;
  std::string message = absl::StrCat(
      "job timeout of ", NodeOf(*job).limits().job_timeout_seconds(),
      " s is over after ", job->attempts, " attempt");
  if (job->attempts != 1) message += "s";
  if (!told_.message().empty()) message += ": " + told_.message();
  told_.set_message(message);
}

bool RunRules::MayBeTold(const RunFact& fact) const {
  const LookedUp* found = std::get_if<LookedUp>(&fact);
  const DoubtResolved* resolved = std::get_if<DoubtResolved>(&fact);
  if (found == nullptr && resolved == nullptr) return true;
  const Job& job =
      jobs_[static_cast<size_t>(found != nullptr ? found->job : resolved->job)];
  const JobStatus waits =
      found != nullptr ? JobStatus::kLookingUp : JobStatus::kInDoubt;
  return job.status != waits || job.asked;
}

void RunRules::Take(const LookedUp& fact) {
  Job& job = jobs_[static_cast<size_t>(fact.job)];
  if (job.status != JobStatus::kLookingUp) return;
  job.attempts = fact.past.attempts;
  job.failures = fact.past.failures;
  job.in_doubt = fact.past.in_doubt;
  if (!fact.outputs.empty()) {
    job.status = fact.is_own ? JobStatus::kSucceeded : JobStatus::kReused;
    Finish(fact.job, fact.outputs);
  } else if (fact.past.failure.has_value()) {
    told_ = *fact.past.failure;
    job.status = JobStatus::kFailed;
  } else if (!fact.past.asking.empty()) {
    job.status = JobStatus::kAsking;
  } else if (IsOver(job, fact.past.time_used)) {
    FailByTimeout(&job);
  } else {
    GoOn(fact.job);
  }
}

void RunRules::Take(const AttemptSucceeded& fact) {
  Job& job = jobs_[static_cast<size_t>(fact.job)];
  if (job.status != JobStatus::kRunning) return;
  job.status = JobStatus::kSucceeded;
  Finish(fact.job, fact.outputs);
}

void RunRules::Take(const AttemptFailed& fact) {
  Job& job = jobs_[static_cast<size_t>(fact.job)];
  if (job.status != JobStatus::kRunning) return;
  told_ = fact.failure;
  if (fact.counts) ++job.failures;
  job.in_doubt = fact.in_doubt;
  job.is_known = false;
  const bool again =
      fact.failure.retryable() && job.failures < MaxAttempts(job);
  job.status = cancelled_ ? JobStatus::kCancelled
               : again    ? JobStatus::kRetrying
                          : JobStatus::kFailed;
  if (!cancelled_ && fact.failure.retryable() && IsOver(job, fact.time_used)) {
    FailByTimeout(&job);
  }
}

void RunRules::Take(const AttemptAsks& fact) {
  Job& job = jobs_[static_cast<size_t>(fact.job)];
  if (job.status != JobStatus::kRunning) return;
  job.in_doubt = fact.in_doubt;
  job.is_known = false;
  job.status = cancelled_ ? JobStatus::kCancelled : JobStatus::kAsking;
}

void RunRules::Take(const AnswerGiven& fact) {
  if (jobs_[static_cast<size_t>(fact.job)].status == JobStatus::kAsking) {
    GoOn(fact.job);
  }
}

void RunRules::Take(const AnswerMissing& fact) {
  Job& job = jobs_[static_cast<size_t>(fact.job)];
  if (job.status != JobStatus::kAsking) return;
  told_ = fact.failure;
  job.status = JobStatus::kFailed;
}

void RunRules::Take(const RetryDue& fact) {
  if (jobs_[static_cast<size_t>(fact.job)].status == JobStatus::kRetrying) {
    GoOn(fact.job);
  }
}

void RunRules::Take(const DoubtResolved& fact) {
  Job& job = jobs_[static_cast<size_t>(fact.job)];
  if (job.status != JobStatus::kInDoubt) return;
  job.in_doubt = false;
  job.is_known = fact.is_known;
  GoOn(fact.job);
}

void RunRules::Take(const CancelRequested&) {
  cancelled_ = true;
  for (Job& job : jobs_) {
    if (!IsFinal(job.status) && job.status != JobStatus::kRunning) {
      job.status = JobStatus::kCancelled;
    }
  }
}

void RunRules::Finish(JobIndex index, const std::vector<v1::Content>& outputs) {
  const Job& job = jobs_[static_cast<size_t>(index)];
  for (size_t i = 0; i < outputs.size(); ++i) {
    values_[job.planned->planned.artefacts(static_cast<int>(i)).artefact_id()] =
        HashOf(outputs[i]);
  }
}

void RunRules::GoOn(JobIndex index) {
  Job& job = jobs_[static_cast<size_t>(index)];
  job.status = job.in_doubt ? JobStatus::kInDoubt : JobStatus::kReady;
  job.asked = false;
}

}  // namespace kinora
