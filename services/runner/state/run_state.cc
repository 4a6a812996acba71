#include "services/runner/state/run_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "services/runner/state/job_time.h"

namespace kinora {
namespace {

constexpr size_t kStatuses = static_cast<size_t>(JobStatus::kCancelled) + 1;

}  // namespace

RunState::RunState(std::shared_ptr<const v1::Plan> plan,
                   const RunStateOptions& options, Random& random)
    : plan_(std::move(plan)),
      options_(options),
      random_(&random),
      queue_(options_.max_concurrency, options_.producers),
      counts_(kStatuses) {}

std::vector<JobChange> RunState::Apply(RunFact fact) {
  changes_.clear();
  std::visit([this](auto& what) { Handle(std::move(what)); }, fact);
  OpenLayers();
  return std::move(changes_);
}

void RunState::Handle(LookedUp fact) {
  if (status(fact.job) != JobStatus::kLookingUp) return;
  Job& job = Entry(fact.job);
  job.attempts = fact.past.attempts;
  job.failures = fact.past.failures;
  job.in_doubt = fact.past.in_doubt;
  if (!fact.outputs.empty()) {
    const JobStatus end =
        fact.is_own ? JobStatus::kSucceeded : JobStatus::kReused;
    SetStatus(fact.job, end);
    changes_.push_back({fact.job, end, {}, {}});
    return Land(fact.job, std::move(fact.outputs));
  }
  if (fact.past.failure.has_value()) return Fail(fact.job, *fact.past.failure);
  if (!fact.past.asking.empty()) {
    return SetStatus(fact.job, JobStatus::kAsking);
  }
  // Time has passed since an attempt was interrupted.
  if (job_timeout(fact.job) - fact.past.time_used < kLeastAttempt) {
    return FailByTimeout(fact.job, {}, /*early=*/false);
  }
  Proceed(fact.job);
}

void RunState::Handle(AttemptSucceeded fact) {
  if (status(fact.job) != JobStatus::kRunning) return;
  queue_.Leave(Entry(fact.job).lane);
  SetStatus(fact.job, JobStatus::kSucceeded);
  changes_.push_back({fact.job, JobStatus::kSucceeded, {}, {}});
  Learn(fact);
  Land(fact.job, std::move(fact.outputs));
}

void RunState::Handle(const AttemptFailed& fact) {
  if (status(fact.job) != JobStatus::kRunning) return;
  queue_.Leave(Entry(fact.job).lane);
  Job& job = Entry(fact.job);
  if (fact.counts) ++job.failures;
  job.in_doubt = fact.in_doubt;
  job.is_known = false;
  JobChange change{fact.job, JobStatus::kRetrying, fact.failure, {}};
  const absl::Duration left = job_timeout(fact.job) - fact.time_used;
  if (cancelled_) {
    change.status = JobStatus::kCancelled;
  } else if (fact.failure.retryable() && left < kLeastAttempt) {
    return FailByTimeout(fact.job, fact.failure, /*early=*/false);
  } else if (ShouldRetry(fact.failure, job.failures,
                         queue_.MaxAttempts(*job.node, job.lane))) {
    change.delay = std::max(RetryDelay(options_.retry, job.failures, *random_),
                            RetryAfter(fact.failure));
    change.counts = fact.counts;
    // To wait for what is not to be would help nobody.
    if (left - change.delay < kLeastAttempt) {
      return FailByTimeout(fact.job, fact.failure, /*early=*/true);
    }
  } else {
    return Fail(fact.job, fact.failure);
  }
  SetStatus(fact.job, change.status);
  changes_.push_back(std::move(change));
}

void RunState::Handle(const AttemptAsks& fact) {
  if (status(fact.job) != JobStatus::kRunning) return;
  queue_.Leave(Entry(fact.job).lane);
  Entry(fact.job).in_doubt = fact.in_doubt;
  Entry(fact.job).is_known = false;
  const JobStatus next =
      cancelled_ ? JobStatus::kCancelled : JobStatus::kAsking;
  SetStatus(fact.job, next);
  changes_.push_back({fact.job, next, {}, {}});
}

void RunState::Handle(const AnswerGiven& fact) {
  if (status(fact.job) == JobStatus::kAsking) Proceed(fact.job);
}

void RunState::Handle(const AnswerMissing& fact) {
  if (status(fact.job) == JobStatus::kAsking) Fail(fact.job, fact.failure);
}

void RunState::Fail(JobIndex index, const v1::Failure& failure) {
  const JobChange change{index, JobStatus::kFailed, failure, {}};
  SetStatus(index, JobStatus::kFailed);
  if (count(JobStatus::kFailed) == 1) first_failure_ = change;
  changes_.push_back(change);
  failures_[index] = change;
  Block(index, failure);
}

void RunState::FailByTimeout(JobIndex index, const v1::Failure& last,
                             bool early) {
  Fail(index,
       JobTimeoutFailure(last, job_timeout(index), attempts(index), early));
}

void RunState::Handle(const RetryDue& fact) {
  if (status(fact.job) == JobStatus::kRetrying) Proceed(fact.job);
}

void RunState::Handle(const DoubtResolved& fact) {
  if (status(fact.job) != JobStatus::kInDoubt) return;
  Entry(fact.job).is_known = fact.is_known;
  MakeReady(fact.job);
}

void RunState::Handle(const CancelRequested&) {
  if (cancelled_) return;
  cancelled_ = true;
  look_ups_.clear();
  doubts_.clear();
  queue_.Clear();
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const JobIndex index = static_cast<JobIndex>(i);
    // Running ones are final when their attempt has ended.
    if (IsFinal(status(index)) || status(index) == JobStatus::kRunning) {
      continue;
    }
    SetStatus(index, JobStatus::kCancelled);
    changes_.push_back({index, JobStatus::kCancelled, {}, {}});
  }
}

void RunState::SetStatus(JobIndex index, JobStatus status) {
  Job& job = Entry(index);
  --counts_[static_cast<size_t>(job.status)];
  ++counts_[static_cast<size_t>(status)];
  job.status = status;
  if (!IsFinal(status)) return;
  ++final_;
  --unfinished_in_layer_[job.layer];
}

void RunState::Land(JobIndex index, std::vector<v1::Content> outputs) {
  Know(index, std::move(outputs));
  LetDependantsGoOn(index);
}

void RunState::Know(JobIndex index, std::vector<v1::Content> outputs) {
  const Job& job = Entry(index);
  for (int i = 0; i < job.job->artefacts_size(); ++i) {
    const std::string& id = job.job->artefacts(i).artefact_id();
    Source& source = sources_[id];
    source.content = std::move(outputs[static_cast<size_t>(i)]);
    // Whoever made the content has computed the hash; none is all zero.
    source.hash = DigestOf(source.content).value_or(Digest());
    source.known = true;
    if (deciders_.contains(id)) landed_.insert(id);
  }
}

void RunState::LetDependantsGoOn(JobIndex index) {
  for (JobIndex dependant : Entry(index).dependants) {
    Job& next = Entry(dependant);
    --next.missing;
    if (next.missing == 0 && next.layer < open_layers_) MakeKeyed(dependant);
  }
}

void RunState::Block(JobIndex failed, const v1::Failure& root) {
  BlockAll(Entry(failed).dependants, failed, root);
}

void RunState::BlockAll(std::vector<JobIndex> stack, JobIndex failed,
                        const v1::Failure& root) {
  v1::Failure failure;
  failure.set_reason(v1::FAILURE_REASON_BLOCKED);
  failure.set_message(
      absl::StrCat("blocked: ", job(failed).job_id(), " failed"));
  *failure.mutable_cause() = root;
  failure.mutable_cause()->set_job_id(job(failed).job_id());
  while (!stack.empty()) {
    const JobIndex index = stack.back();
    stack.pop_back();
    if (IsFinal(status(index))) continue;
    SetStatus(index, JobStatus::kBlocked);
    Entry(index).blocked_by = failed;
    changes_.push_back({index, JobStatus::kBlocked, failure, {}});
    const std::vector<JobIndex>& next = Entry(index).dependants;
    stack.insert(stack.end(), next.begin(), next.end());
  }
}

void RunState::MakeKeyed(JobIndex index) {
  Job& job = Entry(index);
  if (cancelled_ || job.status != JobStatus::kPending) return;
  job.key = KeyOf(job);
  SetStatus(index, JobStatus::kLookingUp);
  look_ups_.push_back(index);
}

void RunState::Proceed(JobIndex index) {
  if (!Entry(index).in_doubt) return MakeReady(index);
  SetStatus(index, JobStatus::kInDoubt);
  doubts_.push_back(index);
}

void RunState::MakeReady(JobIndex index) {
  SetStatus(index, JobStatus::kReady);
  Job& job = Entry(index);
  job.in_doubt = false;
  queue_.Push(job.lane, TurnOf(index));
}

DispatchQueue::Turn RunState::TurnOf(JobIndex index) const {
  const Job& job = Entry(index);
  return {!job.is_known, -static_cast<int64_t>(job.node->limits().priority()),
          -job.remaining_path, index};
}

void RunState::OpenLayers() {
  while (open_layers_ < unfinished_in_layer_.size()) {
    if (options_.layered && open_layers_ > 0 &&
        unfinished_in_layer_[open_layers_ - 1] > 0) {
      return;
    }
    const size_t layer = open_layers_++;
    for (size_t i = first_of_layer_[layer]; i < first_of_layer_[layer + 1];
         ++i) {
      if (jobs_[i].missing == 0) MakeKeyed(static_cast<JobIndex>(i));
    }
  }
}

RunCommands RunState::NextCommands(StartGate gate) {
  RunCommands commands;
  commands.look_ups.swap(look_ups_);
  // What is being looked up may be more urgent than what is ready.
  if (!commands.look_ups.empty()) return commands;
  commands.doubts.swap(doubts_);
  commands.starts = queue_.TakeAll(gate);
  for (const JobIndex index : commands.starts) {
    ++Entry(index).attempts;
    SetStatus(index, JobStatus::kRunning);
  }
  return commands;
}

void RunState::TakeBackStart(JobIndex index) {
  queue_.Leave(Entry(index).lane);
  --Entry(index).attempts;
  MakeReady(index);
}

const v1::Content& RunState::content(absl::string_view source_id) const {
  return sources_.find(source_id)->second.content;
}

}  // namespace kinora
