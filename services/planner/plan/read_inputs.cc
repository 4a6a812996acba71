// The part of MakePlan that finds out what is known before any job is looked
// at: values of inputs, and the artefacts of the base.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

constexpr size_t kMaxWarnings = 20;

void Warn(PlanState* state, std::string text) {
  if (state->warnings.size() < kMaxWarnings) {
    state->warnings.push_back(std::move(text));
  }
}

// OK if a value that was set fits the declaration, which may be newer.
absl::Status CheckValue(const PlanState& state, const InputDeclaration& input,
                        absl::string_view id, const ElementValue& value) {
  if (value.origin == Origin::kSet && state.IsLost(*value.content)) {
    return InputMissing(input, id,
                        absl::StrCat("has lost its blob ", value.hash.Hex()));
  }
  absl::StatusOr<v1::Content> canonical =
      CanonicalContent(input.rule, *value.content);
  if (!canonical.ok()) {
    return InputMissing(input, id,
                        absl::StrCat("has a value that does not fit: it ",
                                     canonical.status().message()));
  }
  if (ContentHash(*canonical) != value.hash.Hex()) {
    return InputMissing(
        input, id,
        absl::StrCat("has a value that is not in the form of type ",
                     InputTypeName(input.rule.type)));
  }
  return absl::OkStatus();
}

// True if the element's value is another than the base was made with.
bool Changed(const PlanInputs& in, const InputDeclaration& input,
             const std::string& id, const ElementValue& value) {
  if (in.base == nullptr) return value.origin != Origin::kDefault;
  auto before = in.base->inputs().find(id);
  if (before != in.base->inputs().end()) {
    return ContentHash(before->second.content()) != value.hash.Hex();
  }
  if (in.base_blueprint == nullptr) return value.origin != Origin::kDefault;
  int found = in.base_blueprint->FindInput(input.name);
  if (found < 0) return true;
  const auto& old = in.base_blueprint->inputs[found].default_value;
  return !old.has_value() || ContentHash(*old) != value.hash.Hex();
}

// Warns of values that were set but have no place in the blueprint.
void WarnOfStrays(const absl::flat_hash_set<std::string>& in_effect,
                  PlanState* state) {
  for (const auto& [id, content] : state->set) {
    if (in_effect.contains(id)) continue;
    Warn(state, absl::StrCat(id,
                             " is set, but the blueprint has no such input at "
                             "the sizes of its dimensions"));
  }
}

// Inputs that nobody reads any more are part of a manifest nevertheless.
void NoteChangedStrays(const PlanInputs& in, const InputMap& set,
                       std::set<std::string>* changed) {
  if (in.base == nullptr) return;
  for (const auto& [id, content] : set) {
    auto before = in.base->inputs().find(id);
    if (before == in.base->inputs().end() ||
        ContentHash(before->second.content()) != ContentHash(content)) {
      changed->insert(id);
    }
  }
}

}  // namespace

bool PlanState::IsLost(const v1::Content& content) const {
  if (!content.has_blob() || in.lost_blobs.empty()) return false;
  absl::StatusOr<Digest> digest =
      Digest::ParseHex(content.blob().digest().hash());
  return digest.ok() && in.lost_blobs.contains(*digest);
}

absl::StatusOr<Digest> HashOf(absl::string_view id,
                              const v1::Content& content) {
  const std::string& hex = ContentHash(content);
  if (hex.empty() && content.has_inline_()) {
    return Sha256Of(content.inline_().data());
  }
  absl::StatusOr<Digest> digest = Digest::ParseHex(hex);
  if (digest.ok()) return digest;
  return absl::DataLossError(absl::StrCat(
      id, ": the hash of its value is malformed: ", digest.status().message()));
}

absl::Status ReadInputs(PlanState* state) {
  const PlanInputs& in = state->in;
  const Graph& graph = state->graph;
  state->values.resize(graph.num_elements());
  state->input_changed.resize(graph.num_inputs(), false);
  absl::flat_hash_set<std::string> staged;
  for (const v1::PendingEdit& edit : in.edits) staged.insert(edit.input_id());
  absl::flat_hash_set<std::string> in_effect;
  std::set<std::string> changed;
  for (size_t i = 0; i < in.blueprint->inputs.size(); ++i) {
    const InputDeclaration& input = in.blueprint->inputs[i];
    Graph::Element end = graph.FirstInput(i + 1);
    for (Graph::Element e = graph.FirstInput(i); e < end; ++e) {
      std::string id = graph.ElementIdOf(e);
      ElementValue& value = state->values[e];
      value.content = EffectiveValue(input, id, state->set);
      if (value.content == nullptr) continue;
      bool is_set = state->set.contains(id);
      value.origin = !is_set               ? Origin::kDefault
                     : staged.contains(id) ? Origin::kStaged
                                           : Origin::kSet;
      KINORA_ASSIGN_OR_RETURN(value.hash, HashOf(id, *value.content));
      if (is_set) KINORA_RETURN_IF_ERROR(CheckValue(*state, input, id, value));
      state->input_changed[e] = Changed(in, input, id, value);
      if (state->input_changed[e]) changed.insert(id);
      if (is_set) in_effect.insert(std::move(id));
    }
  }
  WarnOfStrays(in_effect, state);
  NoteChangedStrays(in, state->set, &changed);
  if (in.base != nullptr) {
    auto before = in.base->inputs().find(std::string(kBlueprintInputId));
    if (before == in.base->inputs().end() ||
        ContentHash(before->second.content()) != in.blueprint_hash) {
      changed.insert(std::string(kBlueprintInputId));
    }
  }
  state->changed_inputs.assign(changed.begin(), changed.end());
  return absl::OkStatus();
}

absl::Status ReadBase(PlanState* state) {
  state->base.resize(state->graph.num_artefacts(), nullptr);
  if (state->in.base == nullptr) return absl::OkStatus();
  for (const auto& [text, artefact] : state->in.base->artefacts()) {
    absl::StatusOr<ElementId> id = ElementId::Parse(text);
    std::optional<Graph::Element> element;
    if (id.ok() && id->kind == ElementId::Kind::kArtefact) {
      element = state->graph.Find(*id);
    }
    if (element.has_value()) {
      state->base[*element - state->graph.num_inputs()] = &artefact;
    } else {
      state->removed_artefact_ids.push_back(text);
    }
  }
  std::sort(state->removed_artefact_ids.begin(),
            state->removed_artefact_ids.end());
  return absl::OkStatus();
}

}  // namespace kinora
