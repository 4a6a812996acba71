#include "services/planner/plan/input_table.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/takes.h"

namespace kinora {

InputTable::InputTable(const Graph& graph, const HydratedBase& base,
                       const Blueprint* base_blueprint)
    : graph_(graph),
      base_(base),
      base_blueprint_(base_blueprint),
      value_of_(graph.num_inputs(), 0),
      changed_(graph.num_inputs(), false) {
  values_.emplace_back();
  const std::vector<InputDeclaration>& inputs = graph.blueprint().inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    default_of_.push_back(0);
    if (!inputs[i].default_value.has_value()) continue;
    default_of_.back() = static_cast<uint32_t>(values_.size());
    InputValue& value = values_.emplace_back();
    value.content = *inputs[i].default_value;
    value.hash = HashOf(inputs[i].name, value.content).value_or(Digest());
    const Graph::Element end = graph.FirstInput(i + 1);
    const bool differs = graph.FirstInput(i) < end &&
                         Differs("", graph.FirstInput(i), value.hash, false);
    for (Graph::Element e = graph.FirstInput(i); e < end; ++e) {
      value_of_[e] = default_of_.back();
      changed_[e] = differs;
      if (differs) NoteId(graph.ElementIdOf(e), true);
    }
  }
  // What the base lists counts whether it is set now or not.
  for (const auto& [id, hash] : base.inputs()) {
    const std::optional<Graph::Element> element = Find(id);
    // Not set, until SetTake() says otherwise.
    if (!element.has_value() && FindTakeJob(id).has_value()) {
      NoteId(id, IsOtherTake(id, 0));
    }
    if (!element.has_value() || Of(*element) == nullptr) continue;
    changed_[*element] = Of(*element)->hash != hash;
    NoteId(id, changed_[*element]);
  }
}

std::optional<Graph::Element> InputTable::Find(const std::string& id) const {
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok() || parsed->kind != ElementId::Kind::kInput) {
    return std::nullopt;
  }
  return graph_.Find(*parsed);
}

bool InputTable::Differs(const std::string& id, Graph::Element element,
                         const Digest& hash, bool is_set) const {
  if (!base_.exists()) return is_set;
  const auto before = base_.inputs().find(id);
  if (before != base_.inputs().end()) return before->second != hash;
  if (base_blueprint_ == nullptr) return is_set;
  const InputDeclaration& input =
      graph_.blueprint().inputs[graph_.InputOf(element)];
  const int found = base_blueprint_->FindInput(input.name);
  if (found < 0) return true;
  const auto& old = base_blueprint_->inputs[found].default_value;
  return !old.has_value() || ContentHash(*old) != hash.Hex();
}

bool InputTable::IsNew(const std::string& id, const Digest& hash) const {
  const auto before = base_.inputs().find(id);
  return before == base_.inputs().end() || before->second != hash;
}

void InputTable::NoteId(const std::string& id, bool changed) {
  if (changed) {
    changed_ids_.insert(id);
  } else {
    changed_ids_.erase(id);
  }
}

absl::StatusOr<InputValue> InputTable::Check(const std::string& id,
                                             Graph::Element element,
                                             const v1::Content& content) const {
  InputValue value;
  KINORA_ASSIGN_OR_RETURN(value.hash, HashOf(id, content));
  const InputDeclaration& input =
      graph_.blueprint().inputs[graph_.InputOf(element)];
  const absl::StatusOr<v1::Content> canonical =
      CanonicalContent(input.rule, content);
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
  value.content = content;
  value.origin = InputOrigin::kSet;
  return value;
}

absl::StatusOr<std::optional<Graph::Element>> InputTable::Set(
    const std::string& id, const v1::Content& content) {
  const std::optional<Graph::Element> element = Find(id);
  if (!element.has_value()) {
    KINORA_RETURN_IF_ERROR(SetStray(id, content));
    return element;
  }
  KINORA_ASSIGN_OR_RETURN(InputValue value, Check(id, *element, content));
  changed_[*element] = Differs(id, *element, value.hash, true);
  NoteId(id, base_.exists() ? IsNew(id, value.hash) : true);
  uint32_t& at = value_of_[*element];
  const bool same = at != 0 && values_[at].hash == value.hash;
  if (at == 0 || values_[at].origin == InputOrigin::kDefault) {
    at = static_cast<uint32_t>(values_.size());
    values_.emplace_back();
  }
  if (value.content.has_blob()) {
    blobs_.insert(*element);
  } else {
    blobs_.erase(*element);
  }
  values_[at] = std::move(value);
  return same ? std::nullopt : element;
}

// Inputs that nobody reads any more are part of a manifest nevertheless.
absl::Status InputTable::SetStray(const std::string& id,
                                  const v1::Content& content) {
  KINORA_ASSIGN_OR_RETURN(const Digest hash, HashOf(id, content));
  strays_.insert(id);
  if (base_.exists()) NoteId(id, IsNew(id, hash));
  return absl::OkStatus();
}

std::optional<Graph::Job> InputTable::FindTakeJob(const std::string& id) const {
  if (!IsTakeId(id)) return std::nullopt;
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok()) return std::nullopt;
  const std::optional<ElementId> job = JobOfTake(*parsed);
  return job.has_value() ? graph_.FindJob(*job) : std::nullopt;
}

std::string InputTable::TakeIdOf(Graph::Job job) const {
  return TakeInputId(graph_.JobIdOf(graph_.NodeOf(job), job));
}

bool InputTable::IsOtherTake(const std::string& id, uint32_t draw) const {
  const auto before = base_.inputs().find(id);
  if (before == base_.inputs().end()) return draw != 0;
  return before->second != Sha256Of(absl::StrCat(draw));
}

absl::StatusOr<std::optional<Graph::Job>> InputTable::SetTake(
    const std::string& id, const v1::Content& content) {
  const std::optional<Graph::Job> job = FindTakeJob(id);
  if (!job.has_value()) {
    KINORA_RETURN_IF_ERROR(SetStray(id, content));
    return job;
  }
  KINORA_ASSIGN_OR_RETURN(const Digest hash, HashOf(id, content));
  const absl::StatusOr<uint32_t> draw = kinora::DrawOf(content);
  if (!draw.ok()) {
    return InputMissing(
        TakeDeclaration(graph_.blueprint().nodes[graph_.NodeOf(*job)]), id,
        absl::StrCat("has a value that does not fit: it ",
                     draw.status().message()));
  }
  const bool same = DrawOf(*job) == *draw;
  takes_[*job] = {id, content, *draw};
  NoteId(id, !base_.exists() || IsNew(id, hash));
  return same ? std::nullopt : job;
}

std::optional<Graph::Job> InputTable::ClearTake(const std::string& id) {
  const std::optional<Graph::Job> job = FindTakeJob(id);
  if (!job.has_value()) {
    Clear(id);
    return job;
  }
  const uint32_t before = DrawOf(*job);
  takes_.erase(*job);
  NoteId(id, IsOtherTake(id, 0));
  return before == 0 ? std::nullopt : job;
}

std::optional<Graph::Element> InputTable::Clear(const std::string& id) {
  const std::optional<Graph::Element> element = Find(id);
  if (!element.has_value()) {
    strays_.erase(id);
    NoteId(id, false);
    return element;
  }
  const InputValue* before = Of(*element);
  const Digest old = before == nullptr ? Digest() : before->hash;
  value_of_[*element] = default_of_[graph_.InputOf(*element)];
  blobs_.erase(*element);
  const InputValue* now = Of(*element);
  const Digest hash = now == nullptr ? Digest() : now->hash;
  changed_[*element] = now != nullptr && Differs(id, *element, hash, false);
  NoteId(id, changed_[*element]);
  return old == hash ? std::nullopt : element;
}

}  // namespace kinora
