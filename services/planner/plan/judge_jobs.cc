// The part of MakePlan that decides what becomes of each job. This is the one
// place where that is decided.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/plan/job_keys.h"
#include "services/planner/plan/keys_ahead.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// For one plan; goes through the jobs in the order in which data flows, but
// only those that are *pending*: not verified, or reached by something new. All
// others are clean. What a job makes reaches its readers if it is not what the
// base has.
//
// A job's layer is one more than the highest of the running jobs it reads from,
// which is the round in which Kahn's algorithm over the running jobs frees it.
class JobJudge {
 public:
  explicit JobJudge(PlanState* state)
      : state_(*state),
        graph_(state->graph),
        keys_(*state),
        keys_ahead_(*state, state->in.executor),
        pending_(state->hydrated.verified().Complement()),
        // Then everything is looked at, and nobody need be told.
        all_pending_(!state->hydrated.any_verified()) {}

  absl::Status Run() {
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

 private:
  // A job whose key is known and not that of the base, until the results in the
  // log are looked up.
  struct Question {
    int node = 0;
    Graph::Job job = 0;
    Digest key;
    size_t first_query = 0;
  };

  void Reach(Graph::Element element) {
    if (all_pending_) return;
    for (Graph::Job reader : state_.hydrated.readers().Of(element)) {
      pending_.Add(reader);
    }
  }

  void SeedInputs() {
    for (const auto& [element, value] : state_.staged) {
      const InputValue* set = state_.hydrated.inputs().Of(element);
      if (set == nullptr || set->hash != value.hash) Reach(element);
    }
    for (const auto& [job, take] : state_.staged_takes) pending_.Add(job);
  }

  void SeedHandEdits() {
    for (const auto& [id, edit] : state_.in.results->HandEdits()) {
      const std::optional<Graph::Element> element = graph_.FindArtefact(id);
      if (!element.has_value()) continue;
      hand_edits_[*element] = &edit;
      pending_.Add(graph_.MakerOf(*element));
    }
  }

  void SeedVersions() {
    if (all_pending_) return;
    for (size_t node = 0; node < state_.node_hashes.size(); ++node) {
      if (!IsOtherNode(static_cast<int>(node))) continue;
      const Graph::Job end = graph_.FirstJob(node + 1);
      for (Graph::Job job = graph_.FirstJob(node); job < end; ++job) {
        pending_.Add(job);
      }
    }
  }

  // True if the node's producer has another version than that of the base.
  bool IsOtherNode(int node) const {
    return state_.node_hashes[node] != state_.hydrated.node_hash(node);
  }

  absl::Status JudgeRun(const Graph::JobRun& run) {
    is_other_node_ = IsOtherNode(run.node);
    for (Graph::Job first = run.first; first < run.end;) {
      const Graph::Job end =
          run.first + std::min(run.end - run.first,
                               first - run.first + KeysAhead::kMaxJobs);
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

  absl::Status Judge(int node, Graph::Job job) {
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

  bool IsForced(Graph::Job job) const {
    return !state_.scope.forced.empty() && state_.scope.forced.contains(job);
  }

  bool IsOfThisRun(const LoggedResult& result) const {
    return result.run_id != nullptr && *result.run_id == state_.in.run_id &&
           !state_.hydrated.IsLost(result.content);
  }

  // REQUIRES: the job's layer is known.
  bool LeavesOut(Graph::Job job) const {
    const JobScope& scope = state_.scope;
    return scope.LeavesOut(job) ||
           (scope.up_to_layer != 0 && state_.layers[job] >= scope.up_to_layer);
  }

  // The job is not clean and stays as it is.
  absl::Status Leave(Graph::Job job,
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

  // For a job that reads what was left without a value: what lies behind the
  // last layer asked for is left, too; else the scope cannot be met.
  absl::Status CannotBeMade(int node, Graph::Job job,
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

  struct Sources {
    bool known = true;    // all of them
    bool of_base = true;  // and nothing but the base and the inputs in effect
    bool asked = false;   // some are not known *yet*: look again after LookUp()
    bool is_behind = false;  // some come after the last layer asked for
    std::optional<Graph::Element> none;  // one that has no value
  };

  Sources LookAtSources(int node, Graph::Job job) {
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

  void ComeAfter(Graph::Job maker, Graph::Job job) {
    uint32_t& layer = state_.layers[job];
    layer = std::max(layer, state_.layers[maker] + 1);
  }

  // The edit by hand that stands for the artefact under that key, if it says
  // something else than the base.
  const HandEdit* EditOf(Graph::Element artefact, const Digest& key) const {
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

  bool BaseHas(uint32_t artefact, const Digest& key) const {
    return state_.base.Has(artefact) &&
           state_.base.inputs_hash(artefact) == key &&
           !state_.hydrated.IsLost(artefact);
  }

  bool BaseHasAll(absl::Span<const Graph::Element> artefacts,
                  const Digest& key) const {
    for (Graph::Element artefact : artefacts) {
      if (!BaseHas(state_.NumberOf(artefact), key)) return false;
      if (EditOf(artefact, key) != nullptr) return false;
    }
    return true;
  }

  bool HasAllInBase(absl::Span<const Graph::Element> artefacts) const {
    return std::all_of(artefacts.begin(), artefacts.end(),
                       [this](Graph::Element a) { return state_.InBase(a); });
  }

  void BecomesUnknown(Graph::Job job,
                      absl::Span<const Graph::Element> artefacts) {
    state_.dirty.push_back(job);
    for (Graph::Element artefact : artefacts) {
      state_.origins[state_.NumberOf(artefact)] = ArtefactOrigin::kUnknown;
      Reach(artefact);
    }
  }

  void Ask(int node, Graph::Job job, const Digest& key,
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

  void MustRun(Graph::Job job, absl::Span<const Graph::Element> artefacts) {
    state_.fates[job] = JobFate::kMustRun;
    BecomesUnknown(job, artefacts);
  }

  // Looks up all that was asked so far.
  absl::Status LookUp() {
    if (questions_.empty()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<std::optional<LoggedResult>> results,
        state_.in.results->Find(queries_));
    for (const Question& question : questions_) {
      KINORA_RETURN_IF_ERROR(
          Answer(question,
                 absl::MakeConstSpan(results).subspan(question.first_query)));
    }
    questions_.clear();
    queries_.clear();
    return absl::OkStatus();
  }

  // Takes the results of a job from base and log if they have all of them.
  absl::Status Answer(const Question& question,
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

  // Takes an artefact from the log, or from the base for null.
  absl::Status Take(Graph::Element artefact, const LoggedResult* result) {
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

  // A job whose key is not known yet may turn out to have a result only if
  // there is an earlier one of all it makes.
  absl::Status FindEarlierResults() {
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

  PlanState& state_;
  const Graph& graph_;
  JobKeys keys_;
  KeysAhead keys_ahead_;
  JobSet pending_;
  const bool all_pending_;
  bool is_other_node_ = false;  // the node at hand
  absl::flat_hash_map<Graph::Element, const HandEdit*> hand_edits_;
  std::vector<Question> questions_;
  std::vector<ResultQuery> queries_;
  std::vector<Question> unsure_;  // of jobs whose artefacts the base lacks
  std::vector<Graph::Element> missing_;
};

}  // namespace

absl::Status JudgeJobs(PlanState* state) { return JobJudge(state).Run(); }

}  // namespace kinora
