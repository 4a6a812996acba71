// The part of Runner for starts that wait for their turn.
//
// Such a start is a record: QUEUED, with its request. Whoever sees the movie
// free takes the movie's lease and begins the next one; beginning one and
// calling it off exclude each other by the lease on the run.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cpp/input_edits.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace_context.h"
#include "services/runner/calls/passing_error.h"
#include "services/runner/run_damage.h"
#include "services/runner/run_lease.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {
namespace {

absl::StatusOr<v1::StartRunRequest> RequestOf(const v1::RunRecord& queued) {
  v1::StartRunRequest request;
  KINORA_RETURN_IF_ERROR(
      Annotate(ParseDocument(queued.queued_request_json(), &request),
               "the queued request"));
  // A movie that was restored may have another id.
  request.set_movie_id(queued.movie_id());
  return request;
}

// Which of two is to begin first.
bool IsBefore(const v1::RunRecord& a, const v1::RunRecord& b) {
  const auto waits = [](const v1::RunRecord& record) {
    const absl::StatusOr<v1::StartRunRequest> request = RequestOf(record);
    return !request.ok() || request->if_active() != v1::IF_ACTIVE_REPLACE;
  };
  const bool a_waits = waits(a);
  const bool b_waits = waits(b);
  return a_waits == b_waits ? a.run_id() < b.run_id() : b_waits;
}

}  // namespace

absl::StatusOr<v1::StartRunResponse> Runner::StartInTurn(
    const v1::StartRunRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const bool busy, IsBusy(request.movie_id()));
  if (!busy) {
    // Then what is wrong with the start is said at once.
    absl::StatusOr<v1::StartRunResponse> started =
        StartNow(request, /*resumes=*/"");
    if (ReasonOf(started.status()) != "RUN_ACTIVE") return started;
  }
  KINORA_RETURN_IF_ERROR(CheckEdits(request).status());
  if (!request.plan_hash().empty()) {
    KINORA_RETURN_IF_ERROR(
        LoadPlan(request.movie_id(), request.plan_hash()).status());
  }
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord queued, Enqueue(request));
  if (request.if_active() == v1::IF_ACTIVE_REPLACE) {
    KINORA_RETURN_IF_ERROR(CancelForAnother(queued));
  }
  LookAtQueue(request.movie_id());
  v1::StartRunResponse response;
  *response.mutable_run() = queued;
  return response;
}

absl::StatusOr<bool> Runner::IsBusy(const std::string& movie_id) {
  v1::GetMovieRequest movie;
  movie.set_movie_id(movie_id);
  KINORA_RETURN_IF_ERROR(deps_.store.movies.Get(movie).status());
  {
    MutexLock lock(mu_);
    for (;;) {
      if (draining_) {
        return absl::UnavailableError("the runner is shutting down");
      }
      const auto active = active_.find(movie_id);
      if (active == active_.end()) break;
      if (!active->second->closing()) return true;
      // Who saw it end does not wait behind it.
      ended_cv_.Wait(mu_);
    }
  }
  v1::GetLeaseRequest get;
  get.set_lease_id(LeaseIdOf(movie_id));
  KINORA_ASSIGN_OR_RETURN(const v1::GetLeaseResponse held,
                          deps_.store.leases.Get(get));
  if (FromProto(held.lease().expires_in()) > absl::ZeroDuration()) return true;
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> queued,
                          QueuedRunsOf(movie_id));
  return !queued.empty();
}

absl::StatusOr<v1::RunRecord> Runner::Enqueue(
    const v1::StartRunRequest& request) {
  v1::PutRunRecordRequest put;
  v1::RunRecord& record = *put.mutable_record();
  KINORA_ASSIGN_OR_RETURN(record, OriginOf(request));
  record.set_movie_id(request.movie_id());
  record.set_status(v1::RUN_STATUS_QUEUED);
  record.set_dispatch(request.dispatch());
  record.set_max_concurrency(request.max_concurrency());
  *record.mutable_create_time() = ToProto(deps_.clock.Now());
  *record.mutable_labels() = request.labels();
  if (request.has_budget()) *record.mutable_budget() = request.budget();
  record.set_traceparent(CurrentTrace().ToString());
  record.set_queued_request_json(CanonicalBytes(request));
  KINORA_RETURN_IF_ERROR(deps_.store.runs.Put(put).status());
  absl::Status told;
  {
    const absl::StatusOr<std::unique_ptr<RunLease>> lease =
        RunLease::Take(*this, record.run_id());
    told = lease.ok() ? TellQueued(record, (*lease)->token()) : lease.status();
  }
  if (!told.ok()) {
    // Nobody must find it running who was told that it was not started.
    const absl::Status ended =
        RequestCancel(record.run_id(), std::string(told.message())).status();
    LogWarning("a start was not queued",
               {{"run", record.run_id()}, {"error", told}, {"end", ended}});
    return told;
  }
  Remember(request.request_id(), record.run_id());
  return record;
}

// Once: whoever saw the record first may have done so.
absl::Status Runner::TellQueued(const v1::RunRecord& record,
                                const v1::LeaseToken& lease) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run,
                          reductions_.Reduce(record));
  if (run.last_sequence() > 0) return absl::OkStatus();
  return AppendCreated(record, lease);
}

absl::Status Runner::CancelForAnother(const v1::RunRecord& successor) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> open,
                          OpenRunsOf(successor.movie_id()));
  for (const v1::RunRecord& record : open) {
    if (record.run_id() == successor.run_id()) continue;  // its turn has come
    v1::CancelRunRequest cancel;
    cancel.set_run_id(record.run_id());
    cancel.set_reason(absl::StrCat("replaced by ", successor.run_id()));
    // However it ends, this one's turn comes then.
    const absl::Status asked = AskToEnd(cancel).status();
    if (!asked.ok() && ReasonOf(asked) != "RUN_TERMINAL") {
      return Annotate(asked,
                      absl::StrCat(successor.run_id(), " is queued; cancel ",
                                   record.run_id()));
    }
  }
  return absl::OkStatus();
}

void Runner::LookAtQueue(const std::string& movie_id) {
  {
    MutexLock lock(mu_);
    // Nobody may wait for it any more.
    if (draining_) return;
    ++queue_looks_;
  }
  PostQueueLook(movie_id);
}

void Runner::PostQueueLook(const std::string& movie_id) {
  deps_.executor.Post([this, movie_id] {
    BeginQueued(movie_id);
    MutexLock lock(mu_);
    --queue_looks_;
    ended_cv_.SignalAll();
  });
}

void Runner::BeginQueued(const std::string& movie_id) {
  for (;;) {
    {
      MutexLock lock(mu_);
      if (draining_) return;
    }
    absl::StatusOr<std::vector<v1::RunRecord>> queued = QueuedRunsOf(movie_id);
    if (!queued.ok()) {
      LogWarning("queued runs not looked at",
                 {{"movie", movie_id}, {"error", queued.status()}});
      return;
    }
    if (queued->empty()) return;
    const v1::RunRecord next =
        *std::min_element(queued->begin(), queued->end(), IsBefore);
    const absl::StatusOr<std::unique_ptr<StartSlot>> slot =
        StartSlot::Take(*this, movie_id);
    if (!slot.ok()) return;  // a run is active, whose end leads here again
    const absl::StatusOr<bool> waits = BeginInSlot(next);
    TellObstacle(next.run_id(), waits.status());
    if (!waits.ok() || *waits) return;
  }
}

// True if there is nothing more to do now: it has begun, or something else goes
// on. False if the queue is to be looked at again.
absl::StatusOr<bool> Runner::BeginInSlot(const v1::RunRecord& queued) {
  const std::string& movie_id = queued.movie_id();
  const absl::StatusOr<v1::StartRunRequest> request = RequestOf(queued);
  // A plan that was given is carried out as it was made.
  if (request.ok() && request->plan_hash().empty()) {
    // Before the lease is taken, which a scan needs.
    const absl::Status looked = RecordHandEdits(movie_id);
    if (!looked.ok()) {
      LogWarning("edits by hand not looked for",
                 {{"movie", movie_id}, {"error", looked}});
    }
  }
  const absl::StatusOr<v1::LeaseToken> lease =
      TryAcquire(movie_id, queued.run_id());
  if (ReasonOf(lease.status()) == "LEASE_HELD") return true;
  KINORA_RETURN_IF_ERROR(InTheWay(lease.status(), movie_id));
  const absl::StatusOr<std::vector<v1::RunRecord>> open = OpenRunsOf(movie_id);
  if (!open.ok() || !open->empty()) {
    Release(*lease);
    KINORA_RETURN_IF_ERROR(InTheWay(open.status(), movie_id));
    // What was left open goes first.
    for (const v1::RunRecord& record : *open) {
      const absl::Status adopted = InTheWay(AdoptInSlot(record), movie_id);
      KINORA_RETURN_IF_ERROR(
          Annotate(adopted, absl::StrCat("run ", record.run_id(), " is open")));
      MutexLock lock(mu_);
      if (active_.contains(movie_id)) return true;
    }
    return false;
  }
  const absl::StatusOr<bool> begun = BeginUnderLease(queued.run_id(), *lease);
  if (!begun.ok() || !*begun) Release(*lease);
  return begun;
}

// False if it has ended, or ends now.
absl::StatusOr<bool> Runner::BeginUnderLease(const std::string& run_id,
                                             const v1::LeaseToken& lease) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> own,
                          RunLease::Take(*this, run_id));
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  if (!IsQueued(record)) return false;
  // It does not end for another run's record, but waits until that is mended.
  RunBudget limit;
  KINORA_RETURN_IF_ERROR(
      InTheWay(LimitByMovie(record, &limit), record.movie_id()));
  KINORA_RETURN_IF_ERROR(TellQueued(record, own->token()));
  const auto begin = [&]() -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(v1::StartRunRequest request, RequestOf(record));
    // So that its edits are made once, however often it tries to begin.
    KINORA_ASSIGN_OR_RETURN(const Revision revision,
                            NextRevision(deps_.store, record.movie_id()));
    request.set_request_id(absl::StrCat(run_id, "/", revision.ToString()));
    v1::GetMovieRequest get;
    get.set_movie_id(record.movie_id());
    KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse movie,
                            deps_.store.movies.Get(get));
    KINORA_ASSIGN_OR_RETURN(const std::vector<v1::PendingEdit> edits,
                            CheckEdits(request));
    return StartUnderLease(request, record, edits, movie.movie(), lease)
        .status();
  };
  TraceScope trace(
      TraceContext::Parse(record.traceparent()).value_or(TraceContext()));
  const absl::Status begun = begin();
  if (begun.ok()) return true;
  // A plan whose base is gone does not get it back.
  if (MayPass(begun) && ReasonOf(begun) != "BASE_CHANGED") return begun;
  KINORA_RETURN_IF_ERROR(EndQueued(record, own->token(), v1::RUN_STATUS_FAILED,
                                   std::string(begun.message())));
  return false;
}

absl::Status Runner::EndQueued(v1::RunRecord record,
                               const v1::LeaseToken& lease,
                               v1::RunStatus status, const std::string& error) {
  KINORA_RETURN_IF_ERROR(TellQueued(record, lease));
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run,
                          reductions_.Reduce(record));
  if (!IsTerminal(run.record().status())) {
    v1::Event event = LedgerEventAt({record.movie_id(), record.run_id(), ""},
                                    NowMillis(deps_.clock));
    if (status == v1::RUN_STATUS_CANCELLED) {
      event.mutable_ledger()->mutable_run_cancelled()->set_error(error);
    } else {
      event.mutable_ledger()->mutable_run_failed()->set_error(error);
    }
    KINORA_RETURN_IF_ERROR(AppendLedger(record, lease, std::move(event)));
    record.set_status(status);
    record.set_error(error);
  } else {
    record.set_status(run.record().status());
    record.set_error(run.record().error());
  }
  *record.mutable_finish_time() = ToProto(deps_.clock.Now());
  LogInfo("queued run ended", {{"run", record.run_id()},
                               {"status", v1::RunStatus_Name(record.status())},
                               {"error", record.error()}});
  return PutClosed(record, lease);
}

}  // namespace kinora
