// The part of Runner that takes requests to a run, be it carried out here, in
// another runner, or nowhere now: a request is an event in the run's ledger,
// which its RunActor heeds.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/careful_tries.h"
#include "services/runner/past/run_past.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/run_lease.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"
#include "services/runner/state/run_pauses.h"

namespace kinora {
namespace {

constexpr absl::Duration kPollPeriod = absl::Milliseconds(20);
// A request takes milliseconds; a dead one's lease lasts some seconds.
constexpr absl::Duration kPatience = absl::Seconds(20);

}  // namespace

absl::StatusOr<std::unique_ptr<Runner::RunLease>> Runner::RunLease::Take(
    Runner& runner, const std::string& run_id) {
  v1::AcquireLeaseRequest request;
  request.set_lease_id(absl::StrCat("run/", run_id));
  request.set_holder(runner.holder_);
  // Of its own: two requests of one process must not share a grant.
  request.set_purpose(
      absl::StrCat("request-", absl::Hex(runner.deps_.random.Next())));
  *request.mutable_ttl() = ToProto(runner.options_.lease_ttl);
  const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
  for (;;) {
    absl::StatusOr<v1::AcquireLeaseResponse> response =
        runner.deps_.store.leases.Acquire(request);
    if (response.ok()) {
      return std::unique_ptr<RunLease>(
          new RunLease(runner, response->lease().token()));
    }
    if (ReasonOf(response.status()) != "LEASE_HELD") return response.status();
    MutexLock lock(runner.mu_);
    if (runner.draining_) {
      return absl::UnavailableError("the runner is shutting down");
    }
    if (RealClock().MonotonicNanos() >= deadline) {
      return absl::UnavailableError(
          absl::StrCat("another request to run ", run_id,
                       " is under way: ", response.status().message()));
    }
    runner.ended_cv_.WaitFor(runner.mu_, kPollPeriod);
  }
}

absl::StatusOr<v1::RunRecord> Runner::RecordOf(const std::string& run_id) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(run_id));
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(v1::GetRunRecordResponse found,
                          deps_.store.runs.Get(get));
  return std::move(*found.mutable_record());
}

absl::Status Runner::Ask(const v1::RunRecord& record,
                         const v1::LeaseToken& lease, RequestOfPast request) {
  const RunIdentity identity = {record.movie_id(), record.run_id(),
                                record.target_revision()};
  for (int careful = kCarefulTries;; --careful) {
    RunPast past;
    KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run,
                            reductions_.Reduce(record, &past));
    if (IsTerminal(run.record().status())) return RunHasEnded(record.run_id());
    const std::optional<v1::LedgerEvent> asked = request(past);
    if (!asked.has_value()) return absl::OkStatus();
    v1::Event event = LedgerEventAt(identity, NowMillis(deps_.clock));
    event.mutable_ledger()->MergeFrom(*asked);
    v1::AppendEventsRequest append =
        LedgerAppend(identity, lease, std::move(event));
    // Of two answers to a question only one is taken, or one of each person.
    if (TellsOfQuestion(asked->job().type())) {
      append.set_request_id(QuestionRequestId(asked->job()));
    }
    // Nothing is to come behind the run's end. A run that writes all the time
    // is not about to end.
    if (careful > 0) append.set_expected_sequence(run.last_sequence());
    const absl::Status appended = AppendAndTell(append).status();
    if (careful > 0 && ReasonOf(appended) == "SEQUENCE_MISMATCH") continue;
    KINORA_RETURN_IF_ERROR(appended);
    Nudge(record);
    return absl::OkStatus();
  }
}

void Runner::Nudge(const v1::RunRecord& record) {
  MutexLock lock(mu_);
  const auto active = active_.find(record.movie_id());
  if (active != active_.end() && active->second->run_id() == record.run_id()) {
    active->second->Heed();
  }
  for (const std::shared_ptr<StepCall>& call : steps_) {
    if (call->request().run_id == record.run_id()) call->Heed();
  }
}

absl::Status Runner::CheckProducerOf(const v1::RunRecord& record,
                                     const std::string& producer) {
  if (producer.empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const v1::Plan> plan,
                          LoadPlan(record.movie_id(), record.plan_hash()));
  std::set<std::string> producers;
  for (const v1::PlannedNode& node : plan->nodes()) {
    producers.insert(node.producer().name());
  }
  if (producers.count(producer) > 0) return absl::OkStatus();
  return InvalidField("producer", producer,
                      absl::StrCat("the plan of run ", record.run_id(), " has ",
                                   absl::StrJoin(producers, ", ")));
}

absl::Status Runner::RequestPause(const std::string& run_id, bool pause,
                                  const std::string& producer) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, run_id));
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  if (IsQueued(record)) {
    if (!pause) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("run ", run_id,
                     " waits for its turn and cannot be paused "
                     "before it has begun"));
  }
  if (IsTerminal(record.status())) return RunHasEnded(run_id);
  if (record.stepwise()) return IsItsCallers(run_id, "cannot be paused");
  KINORA_RETURN_IF_ERROR(CheckProducerOf(record, producer));
  return Ask(record, lease->token(),
             [pause, &producer](
                 const RunPast& past) -> std::optional<v1::LedgerEvent> {
               if (!past.pauses().IsChange(pause, producer)) {
                 return std::nullopt;
               }
               return PauseEvent(pause, producer);
             });
}

absl::StatusOr<v1::PauseRunResponse> Runner::Pause(
    const v1::PauseRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  KINORA_RETURN_IF_ERROR(
      RequestPause(request.run_id(), /*pause=*/true, request.producer()));
  return v1::PauseRunResponse();
}

absl::StatusOr<v1::ResumeRunResponse> Runner::Resume(
    const v1::ResumeRunRequest& request) {
  KINORA_ASSIGN_OR_RETURN(v1::RunRecord record, RecordOf(request.run_id()));
  KINORA_RETURN_IF_ERROR(CheckResume(record));
  v1::ResumeRunResponse response;
  if (!IsTerminal(record.status())) {
    const absl::Status resumed =
        RequestPause(request.run_id(), /*pause=*/false, request.producer());
    if (resumed.ok()) {
      KINORA_ASSIGN_OR_RETURN(v1::RunSnapshot run, reductions_.Reduce(record));
      *response.mutable_run() = std::move(*run.mutable_record());
      return response;
    }
    if (ReasonOf(resumed) != "RUN_TERMINAL") return resumed;
    // It has ended meanwhile, or its record lags.
  }
  if (!request.producer().empty()) return RunHasEnded(request.run_id());
  KINORA_ASSIGN_OR_RETURN(*response.mutable_run(), StartAgain(record));
  return response;
}

absl::StatusOr<v1::RunRecord> Runner::StartAgain(const v1::RunRecord& ended) {
  v1::StartRunRequest request;
  if (ended.plan_hash().empty() && !ended.queued_request_json().empty()) {
    // It ended before its turn had come.
    KINORA_RETURN_IF_ERROR(
        ParseDocument(ended.queued_request_json(), &request));
    request.clear_if_active();
    request.clear_request_id();
    // No job of the parent waits for the new run.
    request.clear_parent_run_id();
    request.clear_parent_job_id();
    // A movie that was restored may have another id.
    request.set_movie_id(ended.movie_id());
  } else {
    request.set_movie_id(ended.movie_id());
    request.set_dispatch(ended.dispatch());
    request.set_max_concurrency(ended.max_concurrency());
    *request.mutable_labels() = ended.labels();
    request.set_trigger_event_json(ended.trigger_event_json());
    if (ended.has_budget()) *request.mutable_budget() = ended.budget();
    const absl::StatusOr<std::shared_ptr<const v1::Plan>> plan =
        LoadPlan(ended.movie_id(), ended.plan_hash());
    if (!plan.ok()) {
      return Annotate(plan.status(),
                      absl::StrCat("what run ", ended.run_id(), " was to do"));
    }
    if ((*plan)->has_scope()) *request.mutable_scope() = (*plan)->scope();
  }
  KINORA_ASSIGN_OR_RETURN(v1::StartRunResponse started,
                          StartNow(request, ended.run_id()));
  return std::move(*started.mutable_run());
}

}  // namespace kinora
