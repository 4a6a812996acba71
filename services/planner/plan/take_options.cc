// The part of MakePlan that takes up what one plan brings along: staged edits,
// versions of producers and scope; and that says what of it is wrong.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/plan/plan_state.h"
#include "services/planner/plan/takes.h"

namespace kinora {
namespace {

constexpr size_t kMaxWarnings = 20;

absl::StatusOr<ProducerVersions> GivenVersions(const PlanOptions& in) {
  ProducerVersions versions;
  for (size_t i = 0; i < in.producers.size(); ++i) {
    const v1::ProducerIdentity& producer = in.producers[i];
    const std::string field = absl::StrCat("producers[", i, "].name");
    if (producer.name().empty()) {
      return InvalidField(field, "", "a producer has a name");
    }
    if (!versions.emplace(producer.name(), producer.version()).second) {
      return InvalidField(field, producer.name(), "is given twice");
    }
    // It would be part of keys that no result is ever found by.
    if (producer.version().empty()) {
      return InvalidField(absl::StrCat("producers[", i, "].version"), "",
                          absl::StrCat("producer \"", producer.name(),
                                       "\" has a version, or is left out"));
    }
  }
  return versions;
}

absl::Status CheckVersion(const NodeDeclaration& node,
                          const std::string& version) {
  if (node.producer_versions.Contains(version)) return absl::OkStatus();
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "line ", node.producer_line, ": nodes.", node.name,
          ".producer: takes version \"", node.producer_versions.text(),
          "\" of producer ", node.producer, ", which has version \"",
          ClipValue(version), "\"")),
      "BLUEPRINT_INVALID", {{"producer", node.producer}});
}

absl::Status ChooseVersions(PlanState* state) {
  KINORA_ASSIGN_OR_RETURN(const ProducerVersions given,
                          GivenVersions(state->in));
  const Blueprint& blueprint = state->hydrated.blueprint();
  for (size_t i = 0; i < blueprint.nodes.size(); ++i) {
    const int node = static_cast<int>(i);
    const std::string& before = state->hydrated.version(node);
    const auto planned = state->in.node_versions.find(blueprint.nodes[i].name);
    if (planned != state->in.node_versions.end()) {
      state->versions.push_back(planned->second);
      state->node_hashes.push_back(
          planned->second == before
              ? state->hydrated.node_hash(node)
              : HashOfNode(blueprint, node, planned->second));
      continue;
    }
    const auto version = given.find(blueprint.nodes[i].producer);
    const bool same = version == given.end() || version->second == before;
    if (version != given.end()) {
      KINORA_RETURN_IF_ERROR(CheckVersion(blueprint.nodes[i], version->second));
    }
    state->versions.push_back(same ? before : version->second);
    state->node_hashes.push_back(
        same ? state->hydrated.node_hash(node)
             : HashOfNode(blueprint, node, version->second));
  }
  return absl::OkStatus();
}

void NoteEdit(const std::string& id, const Digest& hash, PlanState* state) {
  if (!state->base.exists() || state->hydrated.inputs().IsNew(id, hash)) {
    state->changed_ids.insert(id);
  } else {
    state->changed_ids.erase(id);
  }
}

absl::Status TakeEdits(PlanState* state) {
  const InputTable& inputs = state->hydrated.inputs();
  state->changed_ids = inputs.changed_ids();
  for (const v1::PendingEdit& edit : state->in.edits) {
    const std::string& id = edit.input_id();
    if (const std::optional<Graph::Job> job = inputs.FindTakeJob(id)) {
      KINORA_ASSIGN_OR_RETURN(const uint32_t draw, DrawOf(edit.content()));
      state->staged_takes[*job] = {id, edit.content(), draw};
      NoteEdit(id, Sha256Of(absl::StrCat(draw)), state);
      continue;
    }
    const std::optional<Graph::Element> element = inputs.Find(id);
    if (!element.has_value()) continue;  // CanonicalEdits() lets none through
    KINORA_ASSIGN_OR_RETURN(InputValue value,
                            inputs.Check(id, *element, edit.content()));
    value.origin = InputOrigin::kStaged;
    state->staged_changed[*element] =
        inputs.Differs(id, *element, value.hash, true);
    NoteEdit(id, value.hash, state);
    state->staged[*element] = std::move(value);
  }
  return absl::OkStatus();
}

// The blueprint counts as an input of the revision.
void NoteChangedBlueprint(PlanState* state) {
  if (!state->base.exists()) return;
  const std::string id(kBlueprintInputId);
  const auto before = state->base.inputs().find(id);
  if (before == state->base.inputs().end() ||
      before->second.Hex() != state->hydrated.blueprint_hash()) {
    state->changed_ids.insert(id);
  }
}

// True for an input at an index of a dimension that is not sized yet.
bool MayStillCome(const PlanState& state, const std::string& id) {
  if (state.graph.shape().unknown.empty()) return false;
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  const Blueprint& blueprint = state.graph.blueprint();
  if (!parsed.ok()) return false;
  const int input = blueprint.FindInput(parsed->name);
  const std::optional<ElementId> job = JobOfTake(*parsed);
  const int node = job.has_value() ? blueprint.FindNode(job->name) : -1;
  if (input < 0 && node < 0) return false;
  const std::vector<int>& over =
      input >= 0 ? blueprint.inputs[input].over : blueprint.nodes[node].over;
  return std::any_of(over.begin(), over.end(), [&](int dimension) {
    return state.graph.shape().extents[dimension].HasUnknown();
  });
}

void WarnOfStrays(PlanState* state) {
  for (const std::string& id : state->hydrated.inputs().strays()) {
    if (MayStillCome(*state, id)) continue;
    Warn(absl::StrCat(id,
                      " is set, but the blueprint has no such input at the "
                      "sizes of its dimensions"),
         state);
  }
}

absl::Status CheckLostInputs(const PlanState& state) {
  for (Graph::Element element : state.hydrated.inputs().blobs()) {
    const InputValue& value = *state.InputOf(element);
    if (value.origin != InputOrigin::kSet ||
        !state.hydrated.IsLost(value.content)) {
      continue;
    }
    return InputMissing(
        state.hydrated.blueprint().inputs[state.graph.InputOf(element)],
        state.graph.ElementIdOf(element),
        absl::StrCat("has lost its blob ", value.hash.Hex()));
  }
  return absl::OkStatus();
}

bool HasDeferred(const Graph& graph, size_t node) {
  if (graph.SpaceOfNode(static_cast<int>(node)).HasUnknown()) return true;
  for (Graph::Job job = graph.FirstJob(node); job < graph.FirstJob(node + 1);
       ++job) {
    if (graph.IsDeferred(job)) return true;
  }
  return false;
}

// Of a pinned name, what comes during the run and was never there has nothing
// to keep; nor has a job that makes some of that: it is made as a whole.
void UnpinWhatComesAnew(PlanState* state) {
  const Graph& graph = state->graph;
  std::set<Graph::Job> kept;
  for (const ScopeName& name : state->scope.kept) {
    for (Graph::Element artefact : name.artefacts.found) {
      const Graph::Job job = graph.MakerOf(artefact);
      const auto made = graph.Artefacts(graph.NodeOf(job), job);
      const bool as_a_whole =
          !name.is_open || std::all_of(made.begin(), made.end(),
                                       [state](Graph::Element element) {
                                         return state->InBase(element);
                                       });
      if (state->InBase(artefact) && as_a_whole) kept.insert(job);
    }
  }
  std::erase_if(state->scope.pinned,
                [&kept](const auto& pin) { return !kept.contains(pin.first); });
}

}  // namespace

void Warn(std::string text, PlanState* state) {
  if (state->warnings.size() == kMaxWarnings) return;
  state->warnings.push_back(std::move(text));
}

absl::Status TakeOptions(PlanState* state) {
  KINORA_ASSIGN_OR_RETURN(
      state->scope,
      ResolveScope(state->in.scope, state->graph, !state->in.run_id.empty()));
  if (!state->in.run_id.empty()) UnpinWhatComesAnew(state);
  KINORA_RETURN_IF_ERROR(ChooseVersions(state));
  KINORA_RETURN_IF_ERROR(TakeEdits(state));
  KINORA_RETURN_IF_ERROR(CheckLostInputs(*state));
  NoteChangedBlueprint(state);
  WarnOfStrays(state);
  return absl::OkStatus();
}

absl::Status MissingInputs(const PlanState& state,
                           std::vector<Graph::Element> missing) {
  const Graph& graph = state.graph;
  constexpr size_t kMaxNamed = 5;
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  const InputDeclaration& input =
      graph.blueprint().inputs[graph.InputOf(missing[0])];
  std::string why = "has neither a value nor a default";
  for (size_t i = 1; i < missing.size() && i < kMaxNamed; ++i) {
    absl::StrAppend(&why, i == 1 ? " (nor have " : ", ",
                    graph.ElementIdOf(missing[i]));
  }
  if (missing.size() > kMaxNamed) {
    absl::StrAppend(&why, " and ", missing.size() - kMaxNamed, " more");
  }
  if (missing.size() > 1) why += ")";
  return InputMissing(input, graph.ElementIdOf(missing[0]), why);
}

// Jobs that come during the run need their inputs then, after what decides
// about them has been paid for.
void WarnOfMissingLater(PlanState* state) {
  const Graph& graph = state->graph;
  if (graph.shape().unknown.empty()) return;
  const Blueprint& blueprint = graph.blueprint();
  for (size_t n = 0; n < blueprint.nodes.size(); ++n) {
    if (!state->scope.Awaits(n) || !HasDeferred(graph, n)) continue;
    for (const Binding& binding : blueprint.nodes[n].bindings) {
      const Reference& read = binding.from;
      if (!read.is_input || binding.fallback.has_value() ||
          !blueprint.inputs[read.target].over.empty()) {
        continue;
      }
      const Graph::Element input =
          graph.FirstInput(static_cast<size_t>(read.target));
      if (state->InputOf(input) != nullptr) continue;
      Warn(absl::StrCat(graph.ElementIdOf(input), " has no value, and jobs of ",
                        blueprint.nodes[n].name,
                        " that may come during the run read it"),
           state);
    }
  }
}

}  // namespace kinora
