// The part of Runner that carries out steps of runs whose callers have the
// movie's lease.
//
// A call goes through these steps, each on the executor; what takes long is
// the actor's:
//
//   1. request, record, base and lease are checked;
//   2. if the ledger does not say that the run has begun, the call begins it:
//      record, run.created, then an actor that says again what the plan reuses;
//      then 1 again;
//   3. the jobs are claimed, here and over all runners, or the call waits for
//      those who have them, as long as not all of its own are done;
//   4. what the jobs read is looked up, by the keys it must have;
//   5. an actor carries the jobs out as a plan of their own.

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "services/runner/actor/lease_keeper.h"
#include "services/runner/past/run_events.h"
#include "services/runner/runner.h"
#include "services/runner/runner_step.h"
#include "services/runner/start_slot.h"
#include "services/runner/step_checks.h"

namespace kinora {
namespace {

// Claimed by the call that begins a run; no job has an empty id.
const char kBegin[] = "";

// What is known of a run is known of it with that plan.
std::string KeyOf(const StepRequest& request) {
  return absl::StrCat(request.run_id, "/", request.movie_id, "/",
                      request.plan_hash);
}

}  // namespace

void Runner::Execute(std::shared_ptr<StepCall> call) {
  bool draining = false;
  {
    MutexLock lock(mu_);
    draining = draining_;
    if (!draining) steps_.insert(call);
  }
  if (draining) {
    return call->Finish(
        absl::UnavailableError("the runner is shutting down: call again"));
  }
  std::weak_ptr<StepCall> weak = call;
  Executor::TimerId timer = 0;
  if (const auto& timeout = call->request().timeout; timeout.has_value()) {
    timer = deps_.executor.PostAfter(*timeout, [weak, limit = *timeout] {
      v1::Failure why;
      why.set_reason(v1::FAILURE_REASON_DEADLINE_EXCEEDED);
      why.set_message(absl::StrCat("not done within ",
                                   absl::FormatDuration(limit),
                                   ", the timeout of the call"));
      why.set_retryable(true);
      if (auto alive = weak.lock()) alive->Cancel(why);
    });
  }
  call->Begin(deps_.executor, timer, [this, weak] {
    auto alive = weak.lock();
    if (alive == nullptr) return;
    deps_.executor.Post([this, alive] {
      if (alive->EndWait()) TakeUp(alive);
    });
  });
  deps_.executor.Post([this, call] { TakeUp(call); });
}

void Runner::TakeUp(const std::shared_ptr<StepCall>& call) {
  TraceScope trace(call->trace());
  const absl::Status status = Advance(call);
  if (!status.ok()) Finish(call, status);
}

// OK if the call has been finished, or will be by somebody else.
absl::Status Runner::Advance(const std::shared_ptr<StepCall>& call) {
  KINORA_RETURN_IF_ERROR(call->MayGoOn());
  KINORA_ASSIGN_OR_RETURN(Step step, StepOf(call));
  if (const std::optional<v1::Failure> why = call->TimedOut()) {
    for (const std::string& id : step.job_ids)
      step.states[id] = FailedJob(id, *why);
    Answer(step);
    return absl::OkStatus();
  }
  KINORA_ASSIGN_OR_RETURN(const RunPast past,
                          step.run->Past(deps_.store.events));
  const bool is_begin = !step.is_stored || !past.has_started();
  const PlanParts& parts = step.run->parts();
  if (is_begin) {
    step.claimed.push_back(kBegin);
  } else {
    for (const std::string& id : step.job_ids) {
      if (parts.Find(id) != nullptr) step.claimed.push_back(id);
    }
  }
  if (!step.run->Claim(step.claimed, call)) {
    const absl::StatusOr<bool> are_done = AreDone(&step);
    if (!are_done.ok() || *are_done) {
      // Somebody else may have taken it up meanwhile.
      if (!call->EndWait()) return absl::OkStatus();
      KINORA_RETURN_IF_ERROR(are_done.status());
      Answer(step);
      return absl::OkStatus();
    }
    return StayWaiting(call);
  }
  const absl::StatusOr<bool> is_ours =
      is_begin ? ClaimBegin(&step) : ClaimJobs(&step);
  if (!is_ours.ok() || !*is_ours) {
    Unclaim(&step);
    KINORA_RETURN_IF_ERROR(is_ours.status());
    KINORA_ASSIGN_OR_RETURN(const bool are_done, AreDone(&step));
    if (!are_done) return WaitForOthers(call);
    Answer(step);
    return absl::OkStatus();
  }
  const absl::Status begun =
      is_begin ? LaunchStep(&step, nullptr) : CarryOut(&step);
  if (!begun.ok()) Unclaim(&step);
  return begun;
}

absl::StatusOr<Runner::Step> Runner::StepOf(
    const std::shared_ptr<StepCall>& call) {
  const StepRequest& request = call->request();
  KINORA_RETURN_IF_ERROR(CheckStep(request));
  Step step;
  step.call = call;
  absl::StatusOr<v1::RunRecord> found = RecordOf(request.run_id);
  if (found.ok()) {
    step.is_stored = true;
    step.record = *std::move(found);
    KINORA_RETURN_IF_ERROR(CheckStepRecord(request, step.record));
  } else if (ReasonOf(found.status()) != "RUN_NOT_FOUND") {
    return found.status();
  }
  const std::string key = KeyOf(request);
  {
    MutexLock lock(mu_);
    step.run = stepwise_[key].lock();
  }
  if (step.run == nullptr) {
    KINORA_ASSIGN_OR_RETURN(std::shared_ptr<const v1::Plan> plan,
                            LoadPlan(request.movie_id, request.plan_hash));
    auto made = std::make_shared<StepwiseRun>(request.run_id, request.plan_hash,
                                              std::move(plan));
    MutexLock lock(mu_);
    step.run = stepwise_[key].lock();  // another call may have been faster
    if (step.run == nullptr) step.run = std::move(made);
    stepwise_[key] = step.run;
    kept_stepwise_.Put(key, step.run);
    for (auto known = stepwise_.begin(); known != stepwise_.end();) {
      known =
          known->second.expired() ? stepwise_.erase(known) : std::next(known);
    }
  }
  const v1::Plan& plan = step.run->parts().plan();
  KINORA_ASSIGN_OR_RETURN(step.job_ids, JobsOfStep(request, step.run->parts()));
  if (!step.is_stored) step.record = NewStepRecord(request, plan);
  // Writes are fenced by the store; this is for calls that write nothing.
  KINORA_RETURN_IF_ERROR(
      LeaseKeeper::TimeLeft(deps_.store.leases, request.lease).status());
  KINORA_RETURN_IF_ERROR(CheckBase(plan));
  return step;
}

// One run of a movie at a time: a run of a runner comes first, and one whose
// caller has begun another was given up by it.
absl::Status Runner::Admit(const v1::RunRecord& record,
                           const v1::LeaseToken& lease) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> open,
                          OpenRunsOf(record.movie_id()));
  for (const v1::RunRecord& other : open) {
    if (other.run_id() == record.run_id()) continue;
    if (!other.stepwise()) return RunActive(record.movie_id(), other.run_id());
  }
  for (const v1::RunRecord& other : open) {
    if (other.run_id() == record.run_id()) continue;
    KINORA_RETURN_IF_ERROR(CloseRun(
        other, lease,
        absl::StrCat("its caller went on with run ", record.run_id())));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Runner::ClaimBegin(Step* step) {
  const v1::LeaseToken& lease = step->call->request().lease;
  if (!step->is_stored) {
    KINORA_RETURN_IF_ERROR(Admit(step->record, lease));
    *step->record.mutable_create_time() = ToProto(deps_.clock.Now());
    step->record.set_traceparent(CurrentTrace().ToString());
    step->record.set_root_run_id(step->record.run_id());
    KINORA_RETURN_IF_ERROR(PutRecord(step->record, lease));
  }
  const absl::Status created =
      AppendCreated(step->record, lease, /*only_first=*/true);
  // Another runner may have been faster, or a process before this one.
  if (!created.ok() && ReasonOf(created) != "SEQUENCE_MISMATCH") {
    return created;
  }
  KINORA_ASSIGN_OR_RETURN(const bool is_ours, ClaimJobs(step));
  if (!is_ours) return false;
  // Another runner may have begun it before it was ours to begin.
  KINORA_ASSIGN_OR_RETURN(const RunPast past,
                          step->run->Past(deps_.store.events));
  return !past.has_started();
}

absl::Status Runner::CarryOut(Step* held) {
  Step& step = *held;
  const PlanParts& parts = step.run->parts();
  PlanParts::Jobs jobs;
  for (const std::string& id : step.claimed) jobs.push_back(parts.Find(id));
  KINORA_ASSIGN_OR_RETURN(const InputContents made,
                          InputsOf(parts, step.record.run_id(), jobs));
  PlanParts::Jobs ready;
  for (const v1::PlannedJob* job : jobs) {
    const std::vector<std::string> reads = parts.MadeInputs(*job);
    const auto missing = std::find_if(
        reads.begin(), reads.end(),
        [&made](const std::string& id) { return made.count(id) == 0; });
    if (missing == reads.end()) {
      ready.push_back(job);
      continue;
    }
    step.states[job->job_id()] =
        FailedJob(job->job_id(), Unresolved(*job, *missing));
  }
  TakeReused(&step);
  KINORA_RETURN_IF_ERROR(TellUnresolved(step));
  if (!ready.empty()) return LaunchStep(held, parts.Alone(ready, made));
  Unclaim(held);
  Answer(step);
  return absl::OkStatus();
}

// Without a part the run begins, and the call is taken up again then.
absl::Status Runner::LaunchStep(Step* held,
                                std::shared_ptr<const v1::Plan> part) {
  Step& step = *held;
  const bool is_begin = part == nullptr;
  if (is_begin) part = step.run->parts().Reuse();
  KINORA_ASSIGN_OR_RETURN(RunState state, StateOf(step.record, part));
  // As of now: whoever had the jobs before has just let go of them.
  KINORA_ASSIGN_OR_RETURN(RunPast past, step.run->Past(deps_.store.events));
  const RunActorDeps actor_deps = ActorDeps();
  const std::shared_ptr<StepCall> call = step.call;
  const v1::RunRecord record = step.record;
  RunStep carried_out;
  carried_out.call = absl::StrCat("-", step.claim->call());
  carried_out.claim = step.claim->keeper();
  carried_out.on_done = [this,
                         run = step.run](const std::set<std::string>& done) {
    TakeUpAll(run->WaitingFor(done));
  };
  carried_out.on_ended =
      [this, is_begin, step = std::move(step)](StepCall::Answer ended) mutable {
        Unclaim(&step);
        if (!ended.ok()) return Finish(step.call, ended.status());
        if (is_begin) {
          deps_.executor.Post([this, call = step.call] { TakeUp(call); });
          return;
        }
        for (v1::JobState& job : *ended) {
          step.states[job.job_id()] = std::move(job);
        }
        Answer(step);
      };
  const std::shared_ptr<RunActor> actor = RunActor::CreateStep(
      actor_deps, record, std::move(part), std::move(state), std::move(past),
      call->request().lease, std::move(carried_out));
  call->Attach(actor);
  actor->Start();
  return absl::OkStatus();
}

void Runner::Answer(Step& step) {
  std::vector<v1::JobState> states;
  for (const std::string& id : step.job_ids) {
    states.push_back(std::move(step.states[id]));
  }
  Finish(step.call, std::move(states));
}

void Runner::LetGo(const std::shared_ptr<StepwiseRun>& run,
                   const std::vector<std::string>& jobs) {
  TakeUpAll(run->Release(jobs));
}

void Runner::TakeUpAll(std::vector<std::shared_ptr<StepCall>> waited) {
  for (const std::shared_ptr<StepCall>& call : waited) {
    deps_.executor.Post([this, call] {
      if (call->EndWait()) TakeUp(call);
    });
  }
}

void Runner::Finish(const std::shared_ptr<StepCall>& call,
                    StepCall::Answer answer) {
  // Jobs for which it waited in vain may go on for hours.
  std::shared_ptr<StepwiseRun> run;
  {
    MutexLock lock(mu_);
    const auto known = stepwise_.find(KeyOf(call->request()));
    if (known != stepwise_.end()) run = known->second.lock();
  }
  if (run != nullptr) run->StopWaiting(call);
  call->Finish(std::move(answer));
  MutexLock lock(mu_);
  steps_.erase(call);
  ended_cv_.SignalAll();
}

}  // namespace kinora
