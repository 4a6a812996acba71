// The part of Runner that decides whose turn it is: the movie's lease, and
// runs that were left open.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {
namespace {

// How often a lease that is held is looked at.
constexpr absl::Duration kPollPeriod = absl::Milliseconds(100);

bool IsHeld(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) && ReasonOf(status) == "LEASE_HELD";
}

}  // namespace

absl::StatusOr<v1::LeaseToken> Runner::TryAcquire(const std::string& movie_id,
                                                  const std::string& run_id) {
  v1::AcquireLeaseRequest request;
  request.set_lease_id(LeaseIdOf(movie_id));
  request.set_holder(holder_);
  request.set_purpose(run_id);
  *request.mutable_ttl() = ToProto(options_.lease_ttl);
  KINORA_ASSIGN_OR_RETURN(v1::AcquireLeaseResponse response,
                          deps_.store.leases.Acquire(request));
  return response.lease().token();
}

absl::StatusOr<v1::LeaseToken> Runner::AcquireLease(const std::string& movie_id,
                                                    const std::string& run_id) {
  // The lease as it was first seen held.
  v1::Lease seen;
  for (;;) {
    absl::StatusOr<v1::LeaseToken> token = TryAcquire(movie_id, run_id);
    if (token.ok() || !IsHeld(token.status())) return token;
    v1::GetLeaseRequest get;
    get.set_lease_id(LeaseIdOf(movie_id));
    KINORA_ASSIGN_OR_RETURN(v1::GetLeaseResponse response,
                            deps_.store.leases.Get(get));
    if (!response.has_lease()) continue;
    const v1::Lease& lease = response.lease();
    const bool first = seen.token().fencing_token() == 0;
    const bool renewed = !first && (lease.token().fencing_token() !=
                                        seen.token().fencing_token() ||
                                    lease.renewals() != seen.renewals());
    if (lease.holder() == holder_ || renewed) {
      return WithReason(absl::FailedPreconditionError(absl::StrCat(
                            "run ", lease.purpose(), " of movie \"", movie_id,
                            "\" is active")),
                        "RUN_ACTIVE",
                        {{"movie", movie_id}, {"run", lease.purpose()}});
    }
    if (first) {
      seen = lease;
      LogInfo("waiting for a lease to be renewed or to expire",
              {{"movie", movie_id}, {"run", lease.purpose()}});
    }
    MutexLock lock(mu_);
    if (draining_) return absl::UnavailableError("the runner is shutting down");
    ended_cv_.WaitFor(mu_, kPollPeriod);
  }
}

void Runner::Release(const v1::LeaseToken& lease) {
  v1::ReleaseLeaseRequest request;
  *request.mutable_token() = lease;
  const absl::Status released = deps_.store.leases.Release(request).status();
  if (!released.ok()) {
    LogWarning("lease not released",
               {{"lease", lease.lease_id()}, {"error", released}});
  }
}

absl::StatusOr<v1::LeaseToken> Runner::LeaseToStart(const std::string& movie_id,
                                                    const std::string& run_id) {
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const v1::LeaseToken lease,
                            AcquireLease(movie_id, run_id));
    const absl::StatusOr<std::vector<v1::RunRecord>> open =
        OpenRunsOf(movie_id);
    if (open.ok() && open->empty()) return lease;
    Release(lease);
    KINORA_RETURN_IF_ERROR(open.status());
    for (const v1::RunRecord& record : *open) {
      KINORA_RETURN_IF_ERROR(
          Annotate(AdoptInSlot(record),
                   absl::StrCat("run ", record.run_id(), " is open")));
      MutexLock lock(mu_);
      if (active_.contains(movie_id))
        return RunActive(movie_id, record.run_id());
    }
  }
}

absl::StatusOr<std::vector<v1::RunRecord>> Runner::OpenRunsOf(
    const std::string& movie_id) {
  return UnendedRunsOf(
      movie_id,
      {v1::RUN_STATUS_QUEUED, v1::RUN_STATUS_RUNNING, v1::RUN_STATUS_WAITING},
      /*queued=*/false);
}

absl::StatusOr<std::vector<v1::RunRecord>> Runner::QueuedRunsOf(
    const std::string& movie_id) {
  return UnendedRunsOf(movie_id, {v1::RUN_STATUS_QUEUED}, /*queued=*/true);
}

absl::StatusOr<std::vector<v1::RunRecord>> Runner::UnendedRunsOf(
    const std::string& movie_id, std::initializer_list<v1::RunStatus> statuses,
    bool queued) {
  v1::ListRunRecordsRequest list;
  list.set_movie_id(movie_id);
  for (const v1::RunStatus status : statuses) list.add_statuses(status);
  std::vector<v1::RunRecord> runs;
  do {
    KINORA_ASSIGN_OR_RETURN(v1::ListRunRecordsResponse page,
                            deps_.store.runs.List(list));
    for (v1::RunRecord& record : *page.mutable_records()) {
      if (IsQueued(record) == queued) runs.push_back(std::move(record));
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  std::reverse(runs.begin(), runs.end());
  return runs;
}

// Three ways to be left open: the record lags behind the ledger; the revision
// was published and the ledger lags behind it; or the run was interrupted.
absl::Status Runner::CloseRun(v1::RunRecord record, const v1::LeaseToken& lease,
                              const std::string& reason) {
  KINORA_ASSIGN_OR_RETURN(v1::RunSnapshot snapshot, reductions_.Reduce(record));
  const v1::RunRecord& reduced = snapshot.record();
  if (!IsTerminal(reduced.status())) {
    KINORA_ASSIGN_OR_RETURN(const v1::CommitRevisionResponse commit,
                            CommitBy(record, reduced.jobs(), lease));
    const v1::ManifestPointer& current = commit.current();
    v1::Event event = LedgerEventAt({record.movie_id(), record.run_id(), ""},
                                    NowMillis(deps_.clock));
    event.mutable_ledger()->set_source(v1::LEDGER_SOURCE_SYSTEM);
    if (!current.revision().empty()) {
      record.set_status(v1::RUN_STATUS_COMPLETED);
      if (commit.published()) record.set_published_revision(current.revision());
      record.set_manifest_hash(current.hash());
      event.mutable_ledger()->mutable_run_completed()->set_result_json(
          ResultJson(current, commit.published(), reduced.jobs()));
    } else {
      record.set_status(v1::RUN_STATUS_CANCELLED);
      record.set_error(reason);
      event.mutable_ledger()->mutable_run_cancelled()->set_error(reason);
    }
    KINORA_RETURN_IF_ERROR(AppendLedger(record, lease, std::move(event)));
  } else {
    record.set_status(reduced.status());
    record.set_error(reduced.error());
    record.set_published_revision(reduced.published_revision());
    record.set_manifest_hash(reduced.manifest_hash());
    // Its workers have told the end; what it has published they cannot tell.
    if (record.stepwise() && record.manifest_hash().empty()) {
      KINORA_ASSIGN_OR_RETURN(const v1::CommitRevisionResponse commit,
                              CommitBy(record, reduced.jobs(), lease));
      if (commit.published()) {
        record.set_published_revision(commit.current().revision());
        record.set_manifest_hash(commit.current().hash());
      }
    }
  }
  record.clear_wait();
  *record.mutable_jobs() = reduced.jobs();
  CopyMoney(reduced, &record);
  record.mutable_jobs()->set_running(0);
  const absl::Time now = deps_.clock.Now();
  record.mutable_finish_time()->set_seconds(absl::ToUnixSeconds(now));
  LogInfo("open run closed", {{"run", record.run_id()},
                              {"status", v1::RunStatus_Name(record.status())}});
  KINORA_RETURN_IF_ERROR(PutClosed(record, lease));
  if (record.status() == v1::RUN_STATUS_CANCELLED) {
    LookAtChildren(record.run_id());
  }
  return absl::OkStatus();
}

// A lease that nobody renews outlasts the wait.
absl::Status Runner::PutClosed(const v1::RunRecord& record,
                               const v1::LeaseToken& lease) {
  if (deps_.recorder != nullptr) {
    deps_.recorder->SaveAndWait(
        record, std::min(options_.lease_ttl / 3, RunRecorder::kPatience));
  }
  return PutRecord(record, lease);
}

absl::Status Runner::PutRecord(const v1::RunRecord& record,
                               const v1::LeaseToken& lease) {
  v1::PutRunRecordRequest request;
  *request.mutable_record() = record;
  *request.mutable_lease() = lease;
  return deps_.store.runs.Put(request).status();
}

absl::Status Runner::AppendLedger(const v1::RunRecord& record,
                                  const v1::LeaseToken& lease,
                                  v1::Event event) {
  const RunIdentity run = {record.movie_id(), record.run_id(), ""};
  return AppendAndTell(LedgerAppend(run, lease, std::move(event))).status();
}

absl::StatusOr<v1::AppendEventsResponse> Runner::AppendAndTell(
    const v1::AppendEventsRequest& request) {
  KINORA_ASSIGN_OR_RETURN(v1::AppendEventsResponse appended,
                          deps_.store.events.Append(request));
  if (deps_.listener != nullptr) {
    deps_.listener->OnLedger(request.log().movie_id(), request.log().run_id(),
                             appended.first_sequence(), request.events());
  }
  return appended;
}

}  // namespace kinora
