// The part of a MovieHistory that compares runs.

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "kinora/v1/plan.pb.h"
#include "services/planner/history/diff_page.h"
#include "services/planner/history/movie_history.h"
#include "services/store/event/ledger_log.h"
#include "services/store/plan/saved_plan.h"

namespace kinora {
absl::StatusOr<v1::RunRecord> MovieHistory::RecordOf(
    const std::string& run_id) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(run_id));
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(v1::GetRunRecordResponse found, store_.runs.Get(get));
  if (found.record().plan_hash().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "run ", run_id, " has not begun: there is no plan to compare"));
  }
  return std::move(*found.mutable_record());
}

absl::StatusOr<ToldRun> MovieHistory::ReadRun(const v1::RunRecord& record,
                                              bool* complete) {
  KINORA_ASSIGN_OR_RETURN(
      v1::Plan plan,
      ReadSavedPlan(store_.plans, record.movie_id(), record.plan_hash()));
  const std::string base = plan.base_revision();
  ToldRun run(record, std::move(plan));
  v1::ReadEventsRequest read;
  *read.mutable_log() = LedgerLog(record.movie_id(), record.run_id());
  while (true) {
    KINORA_ASSIGN_OR_RETURN(const v1::ReadEventsResponse page,
                            store_.events.ReadPage(read));
    for (const v1::Event& event : page.events()) run.AddLedger(event.ledger());
    if (page.bookmark().sequence() <= read.after_sequence()) break;
    read.set_after_sequence(page.bookmark().sequence());
  }
  KINORA_RETURN_IF_ERROR(reader_.ForEachArtefactEvent(
      record.movie_id(), base, 0,
      [&run](const v1::Event& event) { run.AddArtefact(event.artefact()); },
      complete));
  return run;
}

absl::StatusOr<v1::ManifestPointer> MovieHistory::ManifestAfter(
    const ToldRun& run) {
  const v1::RunRecord& record = run.record();
  std::string revision = record.published_revision();
  // What changes nothing publishes nothing.
  if (revision.empty() && record.status() == v1::RUN_STATUS_COMPLETED) {
    revision = run.plan().base_revision();
  }
  if (revision.empty()) return v1::ManifestPointer();
  absl::StatusOr<v1::ManifestPointer> found =
      reader_.Find(record.movie_id(), revision);
  if (ReasonOf(found.status()) == "REVISION_NOT_FOUND") {
    return v1::ManifestPointer();  // pruned
  }
  return found;
}

absl::StatusOr<std::shared_ptr<const RevisionDiff>> MovieHistory::ManifestsOf(
    const ToldRun& from, const ToldRun& to) {
  KINORA_ASSIGN_OR_RETURN(const v1::ManifestPointer before,
                          ManifestAfter(from));
  KINORA_ASSIGN_OR_RETURN(const v1::ManifestPointer after, ManifestAfter(to));
  if (before.hash().empty() || after.hash().empty()) return nullptr;
  const std::string& movie_id = from.record().movie_id();
  if (movie_id == to.record().movie_id()) {
    return DiffOf(movie_id, before, after);
  }
  // Why is told by a movie's history, and these are two.
  KINORA_ASSIGN_OR_RETURN(RevisionState old_state,
                          reader_.Read(movie_id, before));
  KINORA_ASSIGN_OR_RETURN(RevisionState new_state,
                          reader_.Read(to.record().movie_id(), after));
  return std::make_shared<const RevisionDiff>(std::move(old_state),
                                              std::move(new_state));
}

absl::StatusOr<std::shared_ptr<const RunDiff>> MovieHistory::DiffOf(
    const v1::RunRecord& from, const v1::RunRecord& to) {
  // Pages of one answer are of one diff as long as nothing happens.
  std::string key;
  for (const v1::RunRecord* record : {&from, &to}) {
    v1::GetLogStatusRequest status;
    *status.mutable_log() = LedgerLog(record->movie_id(), record->run_id());
    KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                            store_.events.GetLogStatus(status));
    KINORA_ASSIGN_OR_RETURN(const std::string birth,
                            movies_.BirthOf(record->movie_id()));
    absl::StrAppend(&key, record->run_id(), "/", birth, "/",
                    extent.last_sequence(), "/", record->status(), "/");
  }
  {
    MutexLock lock(mu_);
    if (auto diff = run_diffs_.Get(key)) return diff;
  }
  bool old_complete = true;
  bool new_complete = true;
  KINORA_ASSIGN_OR_RETURN(ToldRun before, ReadRun(from, &old_complete));
  KINORA_ASSIGN_OR_RETURN(ToldRun after, ReadRun(to, &new_complete));
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const RevisionDiff> manifests,
                          ManifestsOf(before, after));
  auto diff = std::make_shared<RunDiff>(std::move(before), std::move(after));
  if (manifests != nullptr) diff->SetManifests(manifests);
  if (!old_complete || !new_complete) diff->SetIncomplete();
  MutexLock lock(mu_);
  run_diffs_.Put(key, diff);
  return diff;
}

absl::StatusOr<v1::DiffRunsResponse> MovieHistory::DiffRuns(
    const v1::DiffRunsRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const size_t at,
                          PageStart(request.page_size(), request.page_token()));
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord from,
                          RecordOf(request.old_run_id()));
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord to,
                          RecordOf(request.new_run_id()));
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const RunDiff> diff,
                          DiffOf(from, to));
  v1::DiffRunsResponse response;
  *response.mutable_summary() = diff->Summary();
  FillPage(*diff, at, request.page_size(), &response);
  return response;
}

}  // namespace kinora
