// The part of RunActor for answers that hold for the content they are about
// (approvals.h): those of earlier runs are looked for before anybody is asked,
// and those of this run are kept for later ones.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/questions/approvals.h"

namespace kinora {
namespace {

v1::ResolveArtefactsRequest FindRequest(
    const std::string& movie_id,
    const std::vector<v1::ArtefactQuery>& queries) {
  v1::ResolveArtefactsRequest request;
  request.set_movie_id(movie_id);
  request.mutable_queries()->Assign(queries.begin(), queries.end());
  return request;
}

}  // namespace

// Whether somebody has approved of the same content before; that is the answer
// then. What was approved of other content holds no more, and the ledger says
// so. Who cannot look is asked.
bool RunActor::TakeApproval(const std::string& job_id,
                            const v1::Question& question) {
  std::optional<Approval> other;
  const auto latest = questions_.Latest(job_id, question.question_id());
  if (latest.has_value() && IsApproval(*latest)) {
    other.emplace().answer = *latest->answer;
    other->run_id = run_id();
  }
  if (!question.content_hash().empty()) {
    const auto found = deps_.store.events.FindArtefacts(
        FindRequest(movie_id(), ApprovalQueries(job_id, question)));
    if (!found.ok()) {
      LogWarning("approvals of earlier runs are not known",
                 {{"run", run_id()}, {"error", found.status()}});
    }
    for (size_t i = 0; found.ok() && i < found->size(); ++i) {
      if ((*found)[i] == nullptr) continue;
      std::optional<Approval> approval = ApprovalIn(*(*found)[i]);
      if (!approval.has_value()) continue;
      if (Answers(*approval, question)) {
        const absl::Status recorded = RecordApproved(ApprovedEvent(
            job_id, question, approval->answer, approval->run_id));
        if (recorded.ok()) return true;
        LogWarning("an approval of an earlier run is not recorded",
                   {{"run", run_id()}, {"error", recorded}});
      } else if (!other.has_value() &&
                 approval->answer.content_hash() != question.content_hash()) {
        other = std::move(approval);
      }
    }
  }
  if (other.has_value()) {
    *AddLedger()->mutable_job() = VoidedEvent(
        job_id, other->answer, question.content_hash(), other->run_id);
  }
  return false;
}

// At once: the attempt that asks goes on with it.
absl::Status RunActor::RecordApproved(const v1::JobEvent& approved) {
  return questions_.RecordAlone([&]() -> absl::Status {
    v1::Event event = LedgerEventAt(identity_, NowMillis(deps_.clock));
    *event.mutable_ledger()->mutable_job() = approved;
    const v1::LedgerEvent told = event.ledger();
    const auto appended = deps_.store.events.Append(
        LedgerAppend(identity_, lease_->token(), std::move(event)));
    KINORA_RETURN_IF_ERROR(appended.status());
    if (step_ == nullptr) watch_->NoteAppended(*appended);
    questions_.Apply(told);
    return absl::OkStatus();
  });
}

void RunActor::NoteApprovals(const std::string& job_id) {
  for (const RunQuestion& asked : questions_.Settled(job_id)) {
    if (IsApproval(asked)) {
      approvals_.Keep(run_id(), identity_.revision, asked);
    }
  }
}

// Those given before this process had the run, unless they are kept already.
void RunActor::RecallApprovals() {
  std::vector<RunQuestion> given;
  std::vector<v1::ArtefactQuery> queries;
  for (const std::string& job_id : past_->questions().Jobs()) {
    if (!HasToSettle(job_id)) continue;
    for (const RunQuestion& asked : questions_.Settled(job_id)) {
      if (!IsApproval(asked)) continue;
      given.push_back(asked);
      queries.push_back(ApprovalQueries(job_id, asked.question).front());
    }
  }
  if (given.empty()) return;
  const auto found =
      deps_.store.events.FindArtefacts(FindRequest(movie_id(), queries));
  for (size_t i = 0; found.ok() && i < given.size(); ++i) {
    if ((*found)[i] == nullptr) continue;
    const std::optional<Approval> kept = ApprovalIn(*(*found)[i]);
    if (kept.has_value() && kept->run_id == run_id()) {
      approvals_.NoteKept(given[i]);
    }
  }
  for (const RunQuestion& asked : given) NoteApprovals(asked.job_id);
}

}  // namespace kinora
