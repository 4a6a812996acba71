// The part of Runner for runs that jobs of other runs have started.
//
// A child that has not ended is cancelled once its parent has ended as
// cancelled: at once by the runner that sees the parent end, and in any case by
// whichever looks for open runs next, so that no crash in between leaves it.
// A parent that ends otherwise leaves its children alone.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {
namespace {

absl::Status ParentError(const absl::Status& status) {
  return Annotate(status, "parent_run_id");
}

bool HasBegun(const v1::RunSnapshot& run, const std::string& job_id) {
  for (const v1::JobState& job : run.jobs()) {
    if (job.job_id() == job_id) return job.attempts() > 0;
  }
  return false;
}

}  // namespace

// A new id has no descendants, so no chain of parents leads back to it.
absl::StatusOr<v1::RunRecord> Runner::OriginOf(
    const v1::StartRunRequest& request) {
  v1::RunRecord origin;
  origin.set_run_id(ids_.Next());
  origin.set_trigger_event_json(request.trigger_event_json());
  const std::string& parent_id = request.parent_run_id();
  if (parent_id.empty()) {
    origin.set_root_run_id(origin.run_id());
    return origin;
  }
  absl::StatusOr<v1::RunRecord> parent = RecordOf(parent_id);
  if (!parent.ok()) return ParentError(parent.status());
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run,
                          reductions_.Reduce(*parent));
  if (IsTerminal(run.record().status())) {
    return ParentError(RunHasEnded(parent_id));
  }
  if (!HasBegun(run, request.parent_job_id())) {
    return InvalidField(
        "parent_job_id", request.parent_job_id(),
        absl::StrCat("run ", parent_id, " has begun no such job"));
  }
  origin.set_parent_run_id(parent_id);
  origin.set_parent_job_id(request.parent_job_id());
  // Records of older builds name no root.
  origin.set_root_run_id(parent->root_run_id().empty() ? parent_id
                                                       : parent->root_run_id());
  KINORA_RETURN_IF_ERROR(CheckReplaces(request, *std::move(parent)));
  return origin;
}

absl::Status Runner::CheckReplaces(const v1::StartRunRequest& request,
                                   v1::RunRecord parent) {
  if (request.if_active() != v1::IF_ACTIVE_REPLACE) return absl::OkStatus();
  for (;;) {
    if (parent.movie_id() == request.movie_id()) {
      return InvalidField(
          "if_active", v1::IfActive_Name(request.if_active()),
          absl::StrCat("would cancel run ", parent.run_id(),
                       " of the same movie, of which this run is a part"));
    }
    if (parent.parent_run_id().empty()) return absl::OkStatus();
    absl::StatusOr<v1::RunRecord> above = RecordOf(parent.parent_run_id());
    // A run that is gone is cancelled by nobody.
    if (absl::IsNotFound(above.status())) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(above.status());
    parent = *std::move(above);
  }
}

// The parent's end is written before its children are looked for, and a child's
// record before this: one of the two sees the other. What fails here is done by
// the next look for open runs.
void Runner::HeedParent(const v1::RunRecord& child) {
  if (child.parent_run_id().empty()) return;
  const absl::StatusOr<v1::RunRecord> parent = RecordOf(child.parent_run_id());
  if (!parent.ok()) return;
  const absl::StatusOr<v1::RunSnapshot> run = reductions_.Reduce(*parent);
  if (!run.ok() || run->record().status() != v1::RUN_STATUS_CANCELLED) return;
  LookAtChildren(child.parent_run_id());
}

void Runner::CancelOrphans(const std::vector<v1::RunRecord>& unended) {
  std::map<std::string, bool> cancelled;  // parents
  for (const v1::RunRecord& child : unended) {
    const std::string& parent_id = child.parent_run_id();
    if (parent_id.empty()) continue;
    if (cancelled.count(parent_id) == 0) {
      const absl::StatusOr<v1::RunRecord> parent = RecordOf(parent_id);
      cancelled[parent_id] =
          parent.ok() && parent->status() == v1::RUN_STATUS_CANCELLED;
    }
    if (!cancelled[parent_id]) continue;
    {
      MutexLock lock(mu_);
      if (draining_) return;  // whoever looks next does so
    }
    const absl::Status asked =
        RequestCancel(child.run_id(),
                      absl::StrCat("its parent ", parent_id, " was cancelled"))
            .status();
    if (asked.ok() || ReasonOf(asked) == "RUN_TERMINAL") continue;
    LogWarning(
        "a child is not cancelled yet",
        {{"run", child.run_id()}, {"parent", parent_id}, {"error", asked}});
  }
}

void Runner::LookAtChildren(const std::string& run_id) {
  {
    MutexLock lock(mu_);
    // Nobody may wait for it any more.
    if (draining_) return;
    ++queue_looks_;
  }
  PostChildrenLook(run_id);
}

void Runner::PostChildrenLook(const std::string& run_id) {
  deps_.executor.Post([this, run_id] {
    CancelOrphans(OpenChildrenOf(run_id));
    MutexLock lock(mu_);
    --queue_looks_;
    ended_cv_.SignalAll();
  });
}

// Those that can be told: the next look for open runs finds the others.
std::vector<v1::RunRecord> Runner::OpenChildrenOf(const std::string& run_id) {
  std::vector<v1::RunRecord> children;
  {
    MutexLock lock(mu_);
    if (draining_) return children;
  }
  v1::ListRunRecordsRequest list;
  list.set_parent_run_id(run_id);
  for (const v1::RunStatus status :
       {v1::RUN_STATUS_QUEUED, v1::RUN_STATUS_RUNNING,
        v1::RUN_STATUS_WAITING}) {
    list.add_statuses(status);
  }
  do {
    const absl::StatusOr<v1::ListRunRecordsResponse> page =
        deps_.store.runs.List(list);
    if (!page.ok()) break;
    children.insert(children.end(), page->records().begin(),
                    page->records().end());
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  return children;
}

}  // namespace kinora
