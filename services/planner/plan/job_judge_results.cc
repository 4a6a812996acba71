// The part of JobJudge that finds what was made before: in the base, by hand
// and in the log.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/content.h"
#include "common/status.h"
#include "services/planner/plan/job_judge.h"

namespace kinora {

bool JobJudge::IsOfThisRun(const LoggedResult& result) const {
  return result.run_id != nullptr && *result.run_id == state_.in.run_id &&
         !state_.hydrated.IsLost(result.content);
}

const HandEdit* JobJudge::EditOf(Graph::Element artefact,
                                 const Digest& key) const {
  if (hand_edits_.empty()) return nullptr;
  const auto found = hand_edits_.find(artefact);
  if (found == hand_edits_.end() || found->second->inputs_hash != key ||
      state_.hydrated.IsLost(found->second->result.content)) {
    return nullptr;
  }
  const uint32_t number = state_.NumberOf(artefact);
  const bool same =
      BaseHas(number, key) && state_.base.content_hash(number).Hex() ==
                                  ContentHash(found->second->result.content);
  return same ? nullptr : found->second;
}

bool JobJudge::BaseHas(uint32_t artefact, const Digest& key) const {
  return state_.base.Has(artefact) &&
         state_.base.inputs_hash(artefact) == key &&
         !state_.hydrated.IsLost(artefact);
}

bool JobJudge::BaseHasAll(absl::Span<const Graph::Element> artefacts,
                          const Digest& key) const {
  for (Graph::Element artefact : artefacts) {
    if (!BaseHas(state_.NumberOf(artefact), key)) return false;
    if (EditOf(artefact, key) != nullptr) return false;
  }
  return true;
}

bool JobJudge::HasAllInBase(absl::Span<const Graph::Element> artefacts) const {
  return std::all_of(artefacts.begin(), artefacts.end(),
                     [this](Graph::Element a) { return state_.InBase(a); });
}

void JobJudge::Ask(int node, Graph::Job job, const Digest& key,
                   absl::Span<const Graph::Element> artefacts) {
  state_.keys[job] = key;
  if (state_.in.results->IsEmpty() ||
      (IsForced(job) && state_.in.run_id.empty())) {
    MustRun(job, artefacts);
    return;
  }
  questions_.push_back({node, job, key, queries_.size()});
  for (Graph::Element artefact : artefacts) {
    state_.origins[state_.NumberOf(artefact)] = ArtefactOrigin::kAsked;
    queries_.push_back({graph_.ElementIdOf(artefact), key});
    Reach(artefact);  // whatever comes of it, its readers wait for it
  }
}

absl::Status JobJudge::LookUp() {
  if (questions_.empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<std::optional<LoggedResult>> results,
      state_.in.results->Find(queries_));
  for (const Question& question : questions_) {
    KINORA_RETURN_IF_ERROR(Answer(
        question, absl::MakeConstSpan(results).subspan(question.first_query)));
  }
  questions_.clear();
  queries_.clear();
  return absl::OkStatus();
}

absl::Status JobJudge::Answer(
    const Question& question,
    absl::Span<const std::optional<LoggedResult>> logged) {
  const absl::Span<const Graph::Element> artefacts =
      graph_.Artefacts(question.node, question.job);
  std::vector<const LoggedResult*> found(artefacts.size(), nullptr);
  bool complete = true;
  const bool is_forced = IsForced(question.job);
  for (size_t i = 0; i < artefacts.size(); ++i) {
    const HandEdit* edit = EditOf(artefacts[i], question.key);
    if (is_forced) {
      if (logged[i].has_value() && IsOfThisRun(*logged[i])) {
        found[i] = &*logged[i];
      } else {
        complete = false;
      }
    } else if (edit != nullptr) {
      found[i] = &edit->result;
    } else if (!BaseHas(state_.NumberOf(artefacts[i]), question.key)) {
      if (!logged[i].has_value()) {
        complete = false;
      } else if (state_.hydrated.IsLost(logged[i]->content)) {
        state_.lost_results.insert(artefacts[i]);
        complete = false;
      } else {
        found[i] = &*logged[i];
      }
    }
  }
  if (!complete) {
    MustRun(question.job, artefacts);
    return absl::OkStatus();
  }
  state_.fates[question.job] = JobFate::kReused;
  state_.dirty.push_back(question.job);
  for (size_t i = 0; i < artefacts.size(); ++i) {
    KINORA_RETURN_IF_ERROR(Take(artefacts[i], found[i]));
  }
  return absl::OkStatus();
}

absl::Status JobJudge::Take(Graph::Element artefact,
                            const LoggedResult* result) {
  const uint32_t number = state_.NumberOf(artefact);
  state_.origins[number] = ArtefactOrigin::kBase;
  if (result == nullptr) return absl::OkStatus();
  LogValue value;
  value.result = *result;
  KINORA_ASSIGN_OR_RETURN(
      value.hash, HashOf(graph_.ElementIdOf(artefact), result->content));
  state_.origins[number] = ArtefactOrigin::kLog;
  state_.log_values[artefact] = std::move(value);
  return absl::OkStatus();
}

absl::Status JobJudge::FindEarlierResults() {
  if (unsure_.empty()) return absl::OkStatus();
  std::vector<std::string> ids;
  const bool none = state_.in.results->IsEmpty();
  for (Question& question : unsure_) {
    question.first_query = ids.size();
    if (none) continue;
    for (Graph::Element artefact :
         graph_.Artefacts(question.node, question.job)) {
      ids.push_back(graph_.ElementIdOf(artefact));
    }
  }
  KINORA_ASSIGN_OR_RETURN(const std::vector<bool> made,
                          state_.in.results->WereMade(ids));
  for (const Question& question : unsure_) {
    const absl::Span<const Graph::Element> artefacts =
        graph_.Artefacts(question.node, question.job);
    for (size_t i = 0; i < artefacts.size(); ++i) {
      if (state_.InBase(artefacts[i])) continue;
      if (!none && made[question.first_query + i]) continue;
      state_.fates[question.job] = JobFate::kMustRun;
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
