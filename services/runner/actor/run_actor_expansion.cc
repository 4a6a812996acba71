// The part of RunActor that has the plan expanded when an artefact has landed
// that decides about deferred jobs.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/json/json_writer.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/calls/passing_error.h"

namespace kinora {
namespace {

constexpr absl::Duration kFirstExpansionDelay = absl::Milliseconds(250);
constexpr absl::Duration kLongestExpansionDelay = absl::Seconds(30);

}  // namespace

void RunActor::AskForExpansion() {
  std::vector<std::string> landed = state_.landed_deciders();
  if (expanding_ || landed.empty()) return;
  expanding_ = true;
  v1::ExpandDeferredGroupRequest request;
  request.set_movie_id(movie_id());
  request.set_plan_hash(record_.plan_hash());
  request.set_artefact_id(landed[0]);
  *request.mutable_content() = state_.content(landed[0]);
  request.set_run_id(run_id());
  absl::Duration delay;
  if (expansion_attempts_ > 0) {
    delay = kFirstExpansionDelay *
            (1 << std::min(expansion_attempts_ - 1, kPatientExpansions));
    delay = std::min(delay, kLongestExpansionDelay);
  }
  ++expansion_attempts_;
  // The call may take as long as a plan: the run goes on meanwhile. Its end
  // does only if it is not stopped or cancelled, which cut the call short.
  auto ask = [weak = weak_from_this(), request = std::move(request),
              landed = std::move(landed)]() mutable {
    const std::shared_ptr<RunActor> self = weak.lock();
    if (self == nullptr) return;
    const std::unique_ptr<OpenCalls::Call> call = self->open_calls_.Begin();
    if (call == nullptr) return;
    TraceScope trace(self->trace_);
    Expanded expanded{
        std::move(landed),
        self->deps_.planner.ExpandDeferredGroup(request, call->stop())};
    if (call->stop().stopped()) return;
    self->Post(std::move(expanded));
  };
  deps_.executor.PostAfter(
      delay, [slots = deps_.expansions, ask = std::move(ask)]() mutable {
        slots->Post(std::move(ask));
      });
}

void RunActor::Take(Expanded& expanded) {
  // One that was cancelled has not waited for it.
  if (!expanding_) return;
  expanding_ = false;
  expanded_ = std::move(expanded);
}

absl::Status RunActor::TakeExpansion() {
  if (!expanded_.has_value()) return absl::OkStatus();
  Expanded expanded = *std::exchange(expanded_, std::nullopt);
  if (state_.cancelled() || stopping_) return absl::OkStatus();
  const std::string what =
      absl::StrCat("expand the plan by ", expanded.landed[0]);
  if (!expanded.answer.ok()) {
    const absl::Status& status = expanded.answer.status();
    // What has been made is not given up for a planner that is away.
    if (IsOutage(status)) {
      LogWarning("a plan is not expanded yet",
                 {{"run", run_id()}, {"error", status}});
      return absl::OkStatus();
    }
    return RefuseExpansion(Annotate(status, what));
  }
  expansion_attempts_ = 0;
  const auto answer = std::make_shared<const v1::ExpandDeferredGroupResponse>(
      *std::move(expanded.answer));
  absl::StatusOr<RunState::Extension> extension =
      state_.Extend(answer, expanded.landed);
  // The planner is not to be trusted then, nor is what it has left half done.
  if (!extension.ok()) return Annotate(extension.status(), what);
  removed_artefact_ids_.assign(answer->removed_artefact_ids().begin(),
                               answer->removed_artefact_ids().end());
  ReportExpansion(expanded.landed, *extension);
  KINORA_RETURN_IF_ERROR(Reuse(extension->reused));
  KINORA_RETURN_IF_ERROR(FlushArtefacts());
  for (const JobChange& change : extension->changes) Report(change);
  RecallDurations();
  // For those who look at the run meanwhile; its end is written anyway.
  record_.mutable_jobs()->set_total(Counts().total());
  return PutRecord();
}

// What other jobs have cost by now is known when their attempts have ended, and
// belongs into the ledger.
absl::Status RunActor::RefuseExpansion(const absl::Status& why) {
  if (step_ != nullptr) return why;
  LogError("a plan cannot be expanded", {{"run", run_id()}, {"error", why}});
  refused_expansion_ = std::string(why.message());
  CancelJobs();
  for (RunFact& fact : facts_) ApplyFact(std::move(fact));
  facts_.clear();
  return absl::OkStatus();
}

void RunActor::ReportExpansion(const std::vector<std::string>& landed,
                               const RunState::Extension& extension) {
  if (past_.has_value() && past_->ToldExpansion(landed)) return;
  v1::JobEvent* event = AddLedger()->mutable_job();
  event->set_type("expanded");
  const JobIndex maker = state_.MakerOf(landed[0]);
  if (maker >= 0) event->set_job_id(state_.job(maker).job_id());
  const size_t others = landed.size() - 1;
  event->set_message(absl::StrCat(
      landed[0], others == 0 ? "" : absl::StrCat(" and ", others, " others"),
      ": ", extension.jobs, " more jobs, ", extension.reused.size(),
      " reused"));
  std::string detail;
  JsonWriter json(&detail);
  json.BeginObject();
  json.Key("artefacts").BeginArray();
  for (const std::string& id : landed) json.String(id);
  json.EndArray();
  json.Key("jobs").Int(static_cast<int64_t>(extension.jobs));
  json.Key("reused").Int(static_cast<int64_t>(extension.reused.size()));
  json.Key("jobsByNode").BeginObject();
  for (const auto& [node, jobs] : extension.by_node) json.Key(node).Int(jobs);
  json.EndObject();
  json.Key("deferredGroups")
      .Int(static_cast<int64_t>(state_.deferred().size()));
  json.EndObject();
  event->set_detail_json(std::move(detail));
}

// What is deferred still when all jobs have ended never comes.
absl::Status RunActor::BlockDeferred() {
  if (state_.deferred().empty()) return absl::OkStatus();
  if (state_.cancelled()) return absl::OkStatus();
  if (!state_.failed()) {
    // The scope may leave out what would decide.
    if (plan_->has_scope()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat(
        "node ", state_.deferred()[0].node(), " waits for ",
        state_.deferred()[0].sized_by_artefact_id(), ", which no job makes"));
  }
  std::set<std::string> nodes;
  for (const v1::DeferredGroup& group : state_.deferred()) {
    if (!nodes.insert(group.node()).second) continue;
    const JobChange* failure = state_.FailureBehind(group);
    const JobChange& root =
        failure == nullptr ? state_.first_failure() : *failure;
    v1::JobEvent* event = AddLedger()->mutable_job();
    event->set_type("blocked");
    event->set_job_id(group.node());
    event->set_message(absl::StrCat(
        "blocked before it was known how many jobs there are: ",
        state_.job(root.job).job_id(), " failed: ", root.failure.message()));
  }
  return absl::OkStatus();
}

v1::JobCounts RunActor::Counts() const {
  v1::JobCounts counts =
      CountJobs(state_, reused_by_plan_, plan_->summary().clean_jobs());
  counts.set_total(counts.total() + made_before_);
  counts.set_succeeded(counts.succeeded() + made_before_);
  return counts;
}

}  // namespace kinora
