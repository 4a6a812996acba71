// The part of RunActor that ends the run: with a revision, without, or left to
// whoever adopts it.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/calls/passing_error.h"

namespace kinora {

absl::Status RunActor::Finish() {
  if (step_ != nullptr) return FinishStep();
  KINORA_RETURN_IF_ERROR(BlockDeferred());
  *record_.mutable_jobs() = Counts();
  if (logs_.truncated()) {
    // Lets readers know how many lines there were in all.
    v1::LogAppendedEvent* log = AddLedger()->mutable_log_appended();
    log->set_first_seq(logs_.total() + 1);
    log->set_logs_truncated(true);
  }
  if (refused_expansion_.has_value()) return Fail(*refused_expansion_);
  if (state_.cancelled()) {
    AddLedger()->mutable_run_cancelled()->set_error(cancel_reason_);
    return CloseRecord(v1::RUN_STATUS_CANCELLED, cancel_reason_);
  }
  if (state_.failed()) {
    const JobChange& first = state_.first_failure();
    return Fail(absl::StrCat("job ", state_.job(first.job).job_id(), ": ",
                             first.failure.message()));
  }
  return Commit();
}

absl::Status RunActor::Fail(const std::string& error) {
  v1::RunFailedEvent* failed = AddLedger()->mutable_run_failed();
  failed->set_error(error);
  failed->set_result_json(ResultJson({}, false, record_.jobs()));
  return CloseRecord(v1::RUN_STATUS_FAILED, error);
}

absl::Status RunActor::Commit() {
  v1::CommitRevisionRequest request;
  request.set_movie_id(movie_id());
  v1::RevisionSource* source = request.mutable_source();
  source->set_target_revision(plan_->target_revision());
  source->set_base_manifest_hash(plan_->manifest_base_hash());
  source->set_run_id(run_id());
  source->set_plan_hash(record_.plan_hash());
  source->set_inputs_through_sequence(plan_->inputs_through_sequence());
  source->mutable_removed_artefact_ids()->Assign(removed_artefact_ids_.begin(),
                                                 removed_artefact_ids_.end());
  *request.mutable_lease() = lease_->token();
  absl::StatusOr<v1::CommitRevisionResponse> committed =
      deps_.store.manifests.Commit(request);
  if (!committed.ok()) return Annotate(committed.status(), "commit");

  const v1::ManifestPointer& current = committed->current();
  if (committed->published()) {
    record_.set_published_revision(current.revision());
  }
  record_.set_manifest_hash(current.hash());
  AddLedger()->mutable_run_completed()->set_result_json(
      ResultJson(current, committed->published(), record_.jobs()));
  return CloseRecord(v1::RUN_STATUS_COMPLETED, "");
}

// The terminal event first: the ledger decides, all else follows.
absl::Status RunActor::CloseRecord(v1::RunStatus status,
                                   const std::string& error) {
  Close();
  KINORA_RETURN_IF_ERROR(FlushLedger());
  meter_.Closed(status);
  record_.set_status(status);
  record_.clear_wait();
  record_.set_error(error);
  *record_.mutable_finish_time() = ToProto(deps_.clock.Now());
  cancelled_ = status == v1::RUN_STATUS_CANCELLED;
  LeaveSeat();
  SaveRecord();
  return absl::OkStatus();
}

void RunActor::PutClosed() {
  const absl::Status put = PutRecord();
  if (!put.ok()) {
    LogWarning("run record not written", {{"run", run_id()}, {"error", put}});
  }
  LogInfo("run ended", {{"run", run_id()},
                        {"status", v1::RunStatus_Name(record_.status())},
                        {"error", record_.error()}});
  End();
}

// The run cannot go on here. With the lease, it ends as failed; without,
// nothing more may be written, and whoever has the lease now decides. Where
// only the store was out of reach it is left open: it is adopted once the store
// is back.
void RunActor::GiveUp(const absl::Status& why) {
  LogError("run given up", {{"run", run_id()}, {"error", why}});
  CancelAttempts();
  if (step_ != nullptr) return EndStep(why);
  if (lease_lost_ || ReasonOf(why) == "LEASE_LOST" || IsOutage(why)) {
    return End();
  }
  if (ReasonOf(why) == "BLOB_NOT_FOUND" && state_.unseen_results() > 0) {
    mistook_results_ = true;
    return End();
  }
  artefact_events_.clear();
  ledger_events_.clear();
  *record_.mutable_jobs() = Counts();
  record_.mutable_jobs()->set_running(0);
  const std::string error(why.message());
  AddLedger()->mutable_run_failed()->set_error(error);
  const absl::Status closed = CloseRecord(v1::RUN_STATUS_FAILED, error);
  if (closed.ok()) return;
  LogError("run left open", {{"run", run_id()}, {"error", closed}});
  End();
}

void RunActor::End() {
  if (step_ != nullptr) {
    return EndStep(
        absl::UnavailableError("the runner is shutting down: call again"));
  }
  ended_ = true;
  watch_.reset();
  LeaveSeat();
  lease_->Stop();
  // One that is lost is nobody's to give up, and to say so may take long.
  if (!lease_lost_ && !lease_->lost()) {
    v1::ReleaseLeaseRequest request;
    *request.mutable_token() = lease_->token();
    const absl::Status released = deps_.store.leases.Release(request).status();
    if (!released.ok()) {
      LogWarning("lease not released",
                 {{"run", run_id()}, {"error", released}});
    }
  }
  open_calls_.Close([this] { std::move(on_ended_)(); });
}

}  // namespace kinora
