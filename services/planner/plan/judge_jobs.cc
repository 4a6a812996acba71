// The part of MakePlan that decides what becomes of each job. This is the one
// place where that is decided.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/plan/job_judge.h"

namespace kinora {

absl::Status JobJudge::Run() {
  SeedInputs();
  SeedHandEdits();
  SeedVersions();
  for (const auto& [job, artefact] : state_.scope.forced) pending_.Add(job);
  for (const Graph::JobRun& run : graph_.order()) {
    KINORA_RETURN_IF_ERROR(JudgeRun(run));
  }
  KINORA_RETURN_IF_ERROR(LookUp());
  KINORA_RETURN_IF_ERROR(FindEarlierResults());
  std::sort(state_.dirty.begin(), state_.dirty.end());
  return missing_.empty() ? absl::OkStatus()
                          : MissingInputs(state_, std::move(missing_));
}

void JobJudge::Reach(Graph::Element element) {
  if (all_pending_) return;
  for (Graph::Job reader : state_.hydrated.readers().Of(element)) {
    pending_.Add(reader);
  }
}

void JobJudge::SeedInputs() {
  for (const auto& [element, value] : state_.staged) {
    const InputValue* set = state_.hydrated.inputs().Of(element);
    if (set == nullptr || set->hash != value.hash) Reach(element);
  }
  for (const auto& [job, take] : state_.staged_takes) pending_.Add(job);
}

void JobJudge::SeedHandEdits() {
  for (const auto& [id, edit] : state_.in.results->HandEdits()) {
    const std::optional<Graph::Element> element = graph_.FindArtefact(id);
    if (!element.has_value()) continue;
    hand_edits_[*element] = &edit;
    pending_.Add(graph_.MakerOf(*element));
  }
}

void JobJudge::SeedVersions() {
  if (all_pending_) return;
  for (size_t node = 0; node < state_.node_hashes.size(); ++node) {
    if (!IsOtherNode(static_cast<int>(node))) continue;
    const Graph::Job end = graph_.FirstJob(node + 1);
    for (Graph::Job job = graph_.FirstJob(node); job < end; ++job) {
      pending_.Add(job);
    }
  }
}

bool JobJudge::IsOtherNode(int node) const {
  return state_.node_hashes[node] != state_.hydrated.node_hash(node);
}

absl::Status JobJudge::JudgeRun(const Graph::JobRun& run) {
  is_other_node_ = IsOtherNode(run.node);
  for (Graph::Job first = run.first; first < run.end;) {
    const Graph::Job end =
        run.first +
        std::min(run.end - run.first, first - run.first + KeysAhead::kMaxJobs);
    if (run.is_parallel) keys_ahead_.Compute(run.node, first, end, pending_);
    for (Graph::Job job = pending_.Next(first, end); job < end;
         job = pending_.Next(job + 1, end)) {
      if (graph_.IsDeferred(job)) continue;
      KINORA_RETURN_IF_ERROR(Judge(run.node, job));
    }
    first = end;
  }
  return absl::OkStatus();
}

absl::Status JobJudge::Judge(int node, Graph::Job job) {
  absl::Span<const Graph::Element> artefacts = graph_.Artefacts(node, job);
  Sources sources = LookAtSources(node, job);
  if (sources.asked) {
    KINORA_RETURN_IF_ERROR(LookUp());
    sources = LookAtSources(node, job);
  }
  if (artefacts.empty()) {  // nothing to make
    if (sources.known && sources.of_base) state_.hydrated.Verify(job);
    return absl::OkStatus();
  }
  if (sources.is_behind) return Leave(job, artefacts);
  if (sources.none.has_value()) {
    return CannotBeMade(node, job, artefacts, *sources.none);
  }
  const bool is_forced = IsForced(job);
  if (!sources.known) {
    if (LeavesOut(job)) return Leave(job, artefacts);
    BecomesUnknown(job, artefacts);
    state_.fates[job] = is_forced ? JobFate::kMustRun : JobFate::kMayRun;
    if (!is_forced && !HasAllInBase(artefacts)) {
      unsure_.push_back({node, job, Digest(), 0});
    }
    return absl::OkStatus();
  }
  const Digest* const ahead = keys_ahead_.Find(job);
  const Digest key = ahead == nullptr ? keys_.KeyOf(node, job) : *ahead;
  if (is_forced && !LeavesOut(job)) {
    Ask(node, job, key, artefacts);
    return absl::OkStatus();
  }
  if (BaseHasAll(artefacts, key)) {
    if (sources.of_base && !is_other_node_ &&
        !state_.staged_takes.contains(job)) {
      state_.hydrated.Verify(job);
    }
    return absl::OkStatus();
  }
  if (LeavesOut(job)) return Leave(job, artefacts);
  Ask(node, job, key, artefacts);
  return absl::OkStatus();
}

bool JobJudge::IsForced(Graph::Job job) const {
  return !state_.scope.forced.empty() && state_.scope.forced.contains(job);
}

bool JobJudge::LeavesOut(Graph::Job job) const {
  const JobScope& scope = state_.scope;
  return scope.LeavesOut(job) ||
         (scope.up_to_layer != 0 && state_.layers[job] >= scope.up_to_layer);
}

absl::Status JobJudge::Leave(Graph::Job job,
                             absl::Span<const Graph::Element> artefacts) {
  state_.fates[job] = JobFate::kLeft;
  state_.dirty.push_back(job);
  const bool is_behind = state_.IsBehindLastLayer(job);
  for (Graph::Element artefact : artefacts) {
    const uint32_t number = state_.NumberOf(artefact);
    if (is_behind) Reach(artefact);  // its readers come after it
    if (state_.base.Has(number) && !state_.hydrated.IsLost(number)) continue;
    if (state_.scope.pinned.contains(job)) {
      return InvalidField("scope.pin", graph_.ElementIdOf(artefact),
                          state_.base.Has(number)
                              ? "its blob is lost, so it cannot be kept"
                              : "it has no value that could be kept");
    }
    state_.origins[number] = ArtefactOrigin::kNone;
    Reach(artefact);
  }
  return absl::OkStatus();
}

absl::Status JobJudge::CannotBeMade(int node, Graph::Job job,
                                    absl::Span<const Graph::Element> artefacts,
                                    Graph::Element source) {
  const Graph::Job maker = graph_.MakerOf(source);
  if (LeavesOut(job) || !state_.scope.LeavesOut(maker)) {
    return Leave(job, artefacts);
  }
  return WithReason(
      absl::InvalidArgumentError(absl::StrCat(
          "scope: ", graph_.JobIdOf(node, job), " reads ",
          graph_.ElementIdOf(source),
          ", which the scope leaves out and which has no value yet")),
      "SCOPE_CONTRADICTION", {{"field", "scope"}});
}

JobJudge::Sources JobJudge::LookAtSources(int node, Graph::Job job) {
  Sources found;
  const size_t bindings = graph_.blueprint().nodes[node].bindings.size();
  for (size_t b = 0; b < bindings; ++b) {
    for (Graph::Element source : graph_.Sources(node, job, b)) {
      if (graph_.IsInput(source)) {
        if (state_.staged.contains(source)) found.of_base = false;
        if (state_.InputOf(source) != nullptr) continue;
        found.known = false;
        if (!state_.scope.LeavesOut(job)) missing_.push_back(source);
        continue;
      }
      if (state_.IsBehindLastLayer(graph_.MakerOf(source))) {
        found.is_behind = true;
        ComeAfter(graph_.MakerOf(source), job);
      }
      switch (state_.OriginOf(source)) {
        case ArtefactOrigin::kBase:
          break;
        case ArtefactOrigin::kLog:
          found.of_base = false;
          break;
        case ArtefactOrigin::kUnknown:
          found.known = false;
          ComeAfter(graph_.MakerOf(source), job);
          break;
        case ArtefactOrigin::kAsked:
          found.asked = true;
          break;
        case ArtefactOrigin::kNone:
          found.none = source;
          found.known = false;
          break;
      }
    }
  }
  return found;
}

void JobJudge::ComeAfter(Graph::Job maker, Graph::Job job) {
  uint32_t& layer = state_.layers[job];
  layer = std::max(layer, state_.layers[maker] + 1);
}

void JobJudge::BecomesUnknown(Graph::Job job,
                              absl::Span<const Graph::Element> artefacts) {
  state_.dirty.push_back(job);
  for (Graph::Element artefact : artefacts) {
    state_.origins[state_.NumberOf(artefact)] = ArtefactOrigin::kUnknown;
    Reach(artefact);
  }
}

void JobJudge::MustRun(Graph::Job job,
                       absl::Span<const Graph::Element> artefacts) {
  state_.fates[job] = JobFate::kMustRun;
  BecomesUnknown(job, artefacts);
}

absl::Status JudgeJobs(PlanState* state) { return JobJudge(state).Run(); }

}  // namespace kinora
