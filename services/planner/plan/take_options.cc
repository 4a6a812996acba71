// The part of MakePlan that takes up what one plan brings along: staged edits
// and versions of producers.

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

constexpr size_t kMaxWarnings = 20;

absl::StatusOr<ProducerVersions> GivenVersions(const PlanOptions& in) {
  ProducerVersions versions;
  for (const v1::ProducerIdentity& producer : in.producers) {
    if (producer.name().empty()) {
      return InvalidField("producers.name", "", "a producer has a name");
    }
    if (!versions.emplace(producer.name(), producer.version()).second) {
      return InvalidField("producers.name", producer.name(), "is given twice");
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

absl::Status TakeEdits(PlanState* state) {
  const InputTable& inputs = state->hydrated.inputs();
  state->changed_ids = inputs.changed_ids();
  for (const v1::PendingEdit& edit : state->in.edits) {
    const std::string& id = edit.input_id();
    const std::optional<Graph::Element> element = inputs.Find(id);
    if (!element.has_value()) continue;  // CanonicalEdits() lets none through
    KINORA_ASSIGN_OR_RETURN(InputValue value,
                            inputs.Check(id, *element, edit.content()));
    value.origin = InputOrigin::kStaged;
    state->staged_changed[*element] =
        inputs.Differs(id, *element, value.hash, true);
    if (!state->base.exists() || inputs.IsNew(id, value.hash)) {
      state->changed_ids.insert(id);
    } else {
      state->changed_ids.erase(id);
    }
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

void WarnOfStrays(PlanState* state) {
  for (const std::string& id : state->hydrated.inputs().strays()) {
    if (state->warnings.size() == kMaxWarnings) break;
    state->warnings.push_back(
        absl::StrCat(id,
                     " is set, but the blueprint has no such input at the "
                     "sizes of its dimensions"));
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

}  // namespace

absl::Status TakeOptions(PlanState* state) {
  KINORA_RETURN_IF_ERROR(ChooseVersions(state));
  KINORA_RETURN_IF_ERROR(TakeEdits(state));
  KINORA_RETURN_IF_ERROR(CheckLostInputs(*state));
  NoteChangedBlueprint(state);
  WarnOfStrays(state);
  return absl::OkStatus();
}

}  // namespace kinora
