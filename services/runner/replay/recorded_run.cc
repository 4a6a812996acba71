#include "services/runner/replay/recorded_run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "common/reported_event.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/ledger_fold.h"
#include "services/runner/past/run_results.h"

namespace kinora {
namespace {

// Of steps, outside workers tell what proves nothing about jobs.
bool IsStep(const v1::LedgerEvent& event) {
  if (IsReported(event)) return event.has_run_created();
  switch (event.kind_case()) {
    case v1::LedgerEvent::kRunCreated:
    case v1::LedgerEvent::kRunStarted:
    case v1::LedgerEvent::kStepStarted:
    case v1::LedgerEvent::kStepCompleted:
    case v1::LedgerEvent::kStepFailed:
    case v1::LedgerEvent::kStepSkipped:
      return true;
    case v1::LedgerEvent::kJob:
      return event.job().type() == "expanded";
    default:
      return false;
  }
}

// What is current after a run that ended well.
std::string ManifestHashIn(const std::string& result_json) {
  const absl::StatusOr<JsonValue> result = ParseJson(result_json);
  if (!result.ok() || !result->is_object()) return "";
  const JsonValue* hash = result->Find("manifestHash");
  return hash != nullptr && hash->is_string() ? hash->string_value() : "";
}

absl::Status GoesOn(const std::string& run_id) {
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "run ", run_id,
                        " has not ended: only its whole record can be "
                        "replayed")),
                    "RUN_ACTIVE", {{"run", run_id}});
}

absl::Status ReadLedger(const Store& store, RecordedRun* run) {
  std::optional<v1::RunStatus> end;
  const auto take = [&](const v1::Event& event) {
    const v1::LedgerEvent& ledger = event.ledger();
    if (ledger.has_run_completed()) {
      end = v1::RUN_STATUS_COMPLETED;
      // What was published they do not know either.
      if (!IsReported(ledger)) {
        run->manifest_hash =
            ManifestHashIn(ledger.run_completed().result_json());
      }
    } else if (ledger.has_run_failed()) {
      end = v1::RUN_STATUS_FAILED;
    } else if (ledger.has_run_cancelled()) {
      end = v1::RUN_STATUS_CANCELLED;
    }
    if (IsStep(ledger)) run->steps.push_back(event);
  };
  KINORA_RETURN_IF_ERROR(FoldLedger(store.events, run->record.movie_id(),
                                    run->record.run_id(), &run->last_sequence,
                                    take));
  if (end.has_value()) run->record.set_status(*end);
  if (!IsTerminal(run->record.status())) return GoesOn(run->record.run_id());
  if (run->manifest_hash.empty()) {
    run->manifest_hash = run->record.manifest_hash();
  }
  return absl::OkStatus();
}

absl::Status ReadPlan(const Store& store, RecordedRun* run) {
  const std::string& hash = run->record.plan_hash();
  if (hash.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", run->record.run_id(),
                     " has ended before it had a plan: there is nothing to "
                     "replay"));
  }
  v1::LoadPlanRequest load;
  load.set_movie_id(run->record.movie_id());
  load.set_plan_hash(hash);
  KINORA_ASSIGN_OR_RETURN(run->plan_json, store.plans.Load(load));
  return Annotate(ParseDocument(run->plan_json, &run->plan), "plan " + hash);
}

absl::Status ReadResults(const Store& store, RecordedRun* run) {
  const std::string& run_id = run->record.run_id();
  int64_t first = 0;  // event of the run
  const auto take = [&](v1::Event event) {
    const v1::RevisionCommitted& commit = event.revision_committed();
    const bool commits_it =
        event.has_revision_committed() && commit.run_id() == run_id;
    const bool is_result = event.artefact().produced_by().run_id() == run_id;
    if (first == 0 && (commits_it || is_result)) first = event.sequence();
    if (commits_it) {
      run->revision = commit.revision();
      run->manifest_hash = commit.manifest_hash();
    }
    if (is_result) run->results.push_back(std::move(event));
  };
  // What there was of the revision it builds on.
  KINORA_ASSIGN_OR_RETURN(int64_t base,
                          FoldResultsAbout(store.events, run->record, take));
  run->beginning.inputs_through = run->plan.inputs_through_sequence();
  if (first > 0) {
    run->beginning.artefacts_through = first - 1;
    return absl::OkStatus();
  }
  const v1::JobCounts& jobs = run->record.jobs();
  if (jobs.succeeded() > 0 || jobs.reused() > 0) {
    return WithReason(
        absl::OutOfRangeError(absl::StrCat(
            "the events of run ", run_id,
            " were removed by a checkpoint: it cannot be replayed")),
        "LOG_TRIMMED", {{"oldest", absl::StrCat(base + 1)}});
  }
  for (const v1::ReusedJob& job : run->plan.reused()) {
    for (const v1::ReusedArtefact& artefact : job.artefacts()) {
      base = std::max(base, artefact.sequence());
    }
  }
  run->beginning.artefacts_through = base;
  return absl::OkStatus();
}

}  // namespace

std::string JobEndWord(JobEnd end) {
  switch (end) {
    case JobEnd::kSucceeded:
    case JobEnd::kReused:
      return "succeeded";
    case JobEnd::kFailed:
      return "failed";
    case JobEnd::kBlocked:
      return "blocked";
  }
  return "";
}

std::map<std::string, JobEnd> EndsOf(const RecordedRun& run, int64_t through) {
  std::map<std::string, JobEnd> ends;
  for (const v1::Event& event : run.steps) {
    if (event.sequence() > through) break;
    const v1::LedgerEvent& ledger = event.ledger();
    if (ledger.has_step_started()) {
      ends.erase(ledger.step_started().step().step_id());
    } else if (ledger.has_step_completed()) {
      ends[ledger.step_completed().step().step_id()] = JobEnd::kSucceeded;
    } else if (ledger.has_step_failed()) {
      ends[ledger.step_failed().step().step_id()] = JobEnd::kFailed;
    } else if (ledger.has_step_skipped()) {
      ends[ledger.step_skipped().step().step_id()] =
          ledger.step_skipped().reason() == "reused" ? JobEnd::kReused
                                                     : JobEnd::kBlocked;
    }
  }
  return ends;
}

absl::StatusOr<RecordedRun> ReadRecordedRun(const Store& store,
                                            const std::string& run_id) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(run_id));
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(v1::GetRunRecordResponse found, store.runs.Get(get));
  RecordedRun run;
  run.record = std::move(*found.mutable_record());
  KINORA_RETURN_IF_ERROR(ReadLedger(store, &run));
  KINORA_RETURN_IF_ERROR(ReadPlan(store, &run));
  KINORA_RETURN_IF_ERROR(ReadResults(store, &run));
  return run;
}

}  // namespace kinora
