// The part of Runner that tells of runs: how each stands, whether it can be
// gone on with, and which cannot be read.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/run_damage.h"
#include "services/runner/run_recovery.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {
namespace {

std::vector<std::string> UnknownProducers(const v1::Plan& plan,
                                          const ProducerConfigs& configs) {
  std::set<std::string> unknown;
  for (const v1::PlannedNode& node : plan.nodes()) {
    const std::string& name = node.producer().name();
    if (configs.find(name) == configs.end()) unknown.insert(name);
  }
  return {unknown.begin(), unknown.end()};
}

}  // namespace

absl::StatusOr<v1::GetRunResponse> Runner::Get(
    const v1::GetRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  RecoveryFacts facts;
  facts.run.mutable_record()->set_run_id(request.run_id());
  absl::StatusOr<v1::RunRecord> record = RecordOf(request.run_id());
  if (record.ok()) {
    *facts.run.mutable_record() = *record;
    absl::StatusOr<v1::RunSnapshot> run = reductions_.Reduce(*record);
    facts.damage = run.status();
    if (run.ok()) facts.run = *std::move(run);
  } else {
    facts.damage = record.status();
    facts.run.mutable_record()->set_movie_id(
        MetadataOf(record.status())["movie"]);
    facts.run.mutable_record()->set_error(
        std::string(record.status().message()));
  }
  if (!facts.damage.ok() && !IsUnreadable(facts.damage)) {
    // It was deleted with its movie.
    if (absl::IsNotFound(facts.damage)) {
      TellDamage(request.run_id(), absl::OkStatus());
    }
    return facts.damage;
  }
  TellDamage(request.run_id(), facts.damage);
  if (facts.damage.ok()) KINORA_RETURN_IF_ERROR(Complete(*record, &facts));
  v1::GetRunResponse response;
  *facts.run.mutable_recovery() = RecoveryOf(facts);
  *response.mutable_run() = std::move(facts.run);
  return response;
}

absl::Status Runner::Complete(const v1::RunRecord& record,
                              RecoveryFacts* facts) {
  const std::string& movie_id = record.movie_id();
  const bool is_over = IsTerminal(facts->run.record().status());
  facts->now = deps_.clock.Now();
  facts->is_queued = IsQueued(record);
  {
    MutexLock lock(mu_);
    const auto active = active_.find(movie_id);
    facts->is_here =
        active != active_.end() && active->second->run_id() == record.run_id();
    const auto obstacle = obstacles_.find(record.run_id());
    if (obstacle != obstacles_.end()) facts->obstacle = obstacle->second;
  }
  v1::GetLeaseRequest get;
  get.set_lease_id(LeaseIdOf(movie_id));
  absl::StatusOr<v1::GetLeaseResponse> held = deps_.store.leases.Get(get);
  // One that is damaged keeps all runs from starting.
  if (IsUnreadable(held.status())) {
    facts->start = held.status();
  } else {
    KINORA_RETURN_IF_ERROR(held.status());
    if (FromProto(held->lease().expires_in()) > absl::ZeroDuration()) {
      facts->lease = std::move(*held->mutable_lease());
    }
  }
  if (!is_over) {
    v1::GetCurrentManifestRequest current;
    current.set_movie_id(movie_id);
    absl::StatusOr<v1::GetCurrentManifestResponse> found =
        deps_.store.manifests.GetCurrent(current);
    if (found.ok()) facts->current = std::move(*found->mutable_current());
    return absl::OkStatus();
  }
  // Nobody resumes what has completed to have it go on.
  if (facts->run.record().status() == v1::RUN_STATUS_COMPLETED) {
    return absl::OkStatus();
  }
  if (facts->start.ok()) facts->start = CheckStartAgain(record, facts);
  const absl::StatusOr<std::string> active = ActiveBeside(record, *facts);
  if (active.ok()) {
    facts->active_run = *active;
  } else if (facts->start.ok()) {
    facts->start = active.status();
  }
  return absl::OkStatus();
}

// Whether what the run was to do can still be read.
absl::Status Runner::CheckStartAgain(const v1::RunRecord& ended,
                                     RecoveryFacts* facts) {
  // It ended before its turn had come.
  if (ended.plan_hash().empty()) return absl::OkStatus();
  const absl::StatusOr<std::shared_ptr<const v1::Plan>> plan =
      LoadPlan(ended.movie_id(), ended.plan_hash());
  if (!plan.ok()) {
    return Annotate(plan.status(),
                    absl::StrCat("what run ", ended.run_id(), " was to do"));
  }
  facts->unknown_producers = UnknownProducers(**plan, configs_);
  return absl::OkStatus();
}

// Another run of the movie that a start would meet; empty if there is none.
absl::StatusOr<std::string> Runner::ActiveBeside(const v1::RunRecord& ended,
                                                 const RecoveryFacts& facts) {
  if (facts.lease.has_value()) {
    const std::string& holder = facts.lease->purpose();
    if (holder == ended.run_id()) return std::string();
    // Whoever has just ended has its lease for a moment longer.
    const absl::StatusOr<v1::RunRecord> other = RecordOf(holder);
    if (other.ok() && IsTerminal(other->status())) return std::string();
    return holder;
  }
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> open,
                          OpenRunsOf(ended.movie_id()));
  // Its record may lag behind its ledger.
  for (const v1::RunRecord& other : open) {
    if (other.run_id() != ended.run_id()) return other.run_id();
  }
  return std::string();
}

absl::Status Runner::CheckResume(const v1::RunRecord& record) {
  KINORA_ASSIGN_OR_RETURN(v1::RunSnapshot run, reductions_.Reduce(record));
  RecoveryFacts facts;
  facts.run = std::move(run);
  KINORA_RETURN_IF_ERROR(Complete(record, &facts));
  const std::vector<absl::Status> refusals = RefusalsOf(facts);
  // The start itself waits for a run that is about to end.
  if (refusals.size() == 1 && ReasonOf(refusals.front()) == "RUN_ACTIVE") {
    return absl::OkStatus();
  }
  return RefusalOf(refusals);
}

absl::StatusOr<v1::ListRunsResponse> Runner::List(
    const v1::ListRunsRequest& request) {
  v1::ListRunRecordsRequest list;
  list.set_movie_id(request.movie_id());
  list.set_page_size(request.page_size());
  list.set_page_token(request.page_token());
  *list.mutable_statuses() = request.statuses();
  list.set_parent_run_id(request.parent_run_id());
  KINORA_ASSIGN_OR_RETURN(v1::ListRunRecordsResponse records,
                          deps_.store.runs.List(list));
  v1::ListRunsResponse response;
  response.set_next_page_token(records.next_page_token());
  for (v1::RunRecord& record : *records.mutable_records()) {
    MarkDamaged(&record);
    *response.add_runs() = std::move(record);
  }
  return response;
}

// What its ledger would tell of a run that has not ended, nobody knows.
void Runner::MarkDamaged(v1::RunRecord* record) {
  if (record->status() == v1::RUN_STATUS_UNSPECIFIED) {
    TellDamage(record->run_id(), absl::DataLossError(record->error()));
    return;
  }
  {
    MutexLock lock(mu_);
    if (damaged_.count(record->run_id()) == 0) return;
  }
  const absl::Status read = reductions_.Reduce(*record).status();
  TellDamage(record->run_id(), read);
  if (!IsUnreadable(read) || IsTerminal(record->status())) return;
  record->set_status(v1::RUN_STATUS_UNSPECIFIED);
  record->set_error(std::string(read.message()));
}

// Once for what is wrong with it.
void Runner::TellDamage(const std::string& run_id, const absl::Status& status) {
  {
    MutexLock lock(mu_);
    if (!IsUnreadable(status)) {
      if (status.ok() && damaged_.erase(run_id) > 0 && metrics_.has_value()) {
        metrics_->RunMended();
      }
      return;
    }
    const auto known = damaged_.try_emplace(run_id);
    if (known.second && metrics_.has_value()) metrics_->RunDamaged();
    std::string& told = known.first->second;
    if (told == status.message()) return;
    told = std::string(status.message());
  }
  LogWarning("a run cannot be read, and nobody goes on with it",
             {{"run", run_id}, {"error", status}});
}

}  // namespace kinora
