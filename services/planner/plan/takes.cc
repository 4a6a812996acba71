#include "services/planner/plan/takes.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/content.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/planner/plan/artefact_name.h"

namespace kinora {

bool IsTakeId(absl::string_view id) {
  return absl::ConsumePrefix(&id, "Input:") &&
         absl::StartsWith(id, kTakePrefix);
}

std::optional<ElementId> JobOfTake(const ElementId& input) {
  if (input.kind != ElementId::Kind::kInput ||
      !absl::StartsWith(input.name, kTakePrefix)) {
    return std::nullopt;
  }
  ElementId job = input;
  job.name = input.name.substr(kTakePrefix.size());
  return job;
}

ElementId TakeOfJob(const ElementId& job) {
  ElementId input = job;
  input.kind = ElementId::Kind::kInput;
  input.name = absl::StrCat(kTakePrefix, job.name);
  return input;
}

std::string TakeInputId(absl::string_view job_id) {
  return absl::StrCat("Input:", kTakePrefix, job_id);
}

absl::StatusOr<ElementId> JobOfArtefact(absl::string_view field,
                                        const Blueprint& blueprint,
                                        const ElementId& artefact) {
  const int found = blueprint.FindOutput(artefact.name);
  if (artefact.kind != ElementId::Kind::kArtefact || found < 0) {
    return NoSuchArtefact(field, artefact.ToString(), blueprint, artefact.name);
  }
  const OutputDeclaration& output = blueprint.outputs[found];
  std::string spelling = absl::StrCat("Artifact:", output.name);
  bool fits = output.dimensions.size() == artefact.indices.size();
  for (size_t i = 0; i < output.dimensions.size(); ++i) {
    const std::string& name = blueprint.dimensions[output.dimensions[i]].name;
    absl::StrAppend(&spelling, "[", name, "=N]");
    fits = fits && artefact.indices[i].dimension == name;
  }
  if (!fits) {
    return InvalidField(field, artefact.ToString(),
                        absl::StrCat("its ids are ", spelling));
  }
  ElementId job;
  const NodeDeclaration& node = blueprint.nodes[output.node];
  job.name = node.name;
  for (size_t i = 0; i < output.dimensions.size(); ++i) {
    if (std::count(node.over.begin(), node.over.end(), output.dimensions[i]) !=
        0) {
      job.indices.push_back(artefact.indices[i]);
    }
  }
  return job;
}

InputDeclaration TakeDeclaration(const NodeDeclaration& node) {
  InputDeclaration input;
  input.name = absl::StrCat(kTakePrefix, node.name);
  input.rule.type = InputType::kInteger;
  input.rule.minimum = 0;
  input.rule.maximum = kMaxDraw;
  input.default_value = InlineContent("application/json", "0");
  input.over = node.over;
  return input;
}

absl::StatusOr<uint32_t> DrawOf(const v1::Content& content) {
  const absl::StatusOr<JsonValue> json = ParseJson(content.inline_().data());
  const std::optional<int64_t> draw =
      json.ok() ? json->integer_value() : std::nullopt;
  if (draw.has_value() && *draw >= 0 && *draw <= int64_t{kMaxDraw}) {
    return static_cast<uint32_t>(*draw);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("must be a draw, an integer from 0 to ", kMaxDraw));
}

}  // namespace kinora
