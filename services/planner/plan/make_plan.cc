#include "services/planner/plan/make_plan.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// Version by producer, as given.
absl::StatusOr<std::map<std::string, std::string>> GivenVersions(
    const PlanInputs& in) {
  std::map<std::string, std::string> versions;
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
  const PlanInputs& in = state->in;
  KINORA_ASSIGN_OR_RETURN(auto given, GivenVersions(in));
  // A node that is new may use a producer that other nodes of the base used.
  // Maps of messages have no order, so the base is put into one first.
  std::map<std::string, v1::ProducerIdentity> by_node;
  if (in.base != nullptr) {
    for (const auto& [name, node] : in.base->nodes()) {
      by_node[name] = node.producer();
    }
  }
  std::map<std::string, std::string> by_producer;
  for (const auto& [name, producer] : by_node) {
    by_producer.emplace(producer.name(), producer.version());
  }
  for (const NodeDeclaration& node : in.blueprint->nodes) {
    auto version = given.find(node.producer);
    auto before = by_node.find(node.name);
    auto elsewhere = by_producer.find(node.producer);
    if (version != given.end()) {
      KINORA_RETURN_IF_ERROR(CheckVersion(node, version->second));
      state->versions.push_back(version->second);
    } else if (before != by_node.end() &&
               before->second.name() == node.producer) {
      state->versions.push_back(before->second.version());
    } else if (elsewhere != by_producer.end()) {
      state->versions.push_back(elsewhere->second);
    } else {
      state->versions.emplace_back();
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MadePlan> MakePlan(const PlanInputs& inputs) {
  InputMap set = inputs.inputs;
  for (const v1::PendingEdit& edit : inputs.edits) {
    set[edit.input_id()] = edit.content();
  }
  KINORA_ASSIGN_OR_RETURN(GraphShape shape, ShapeOf(*inputs.blueprint, set));
  KINORA_ASSIGN_OR_RETURN(Graph graph,
                          Graph::Expand(*inputs.blueprint, std::move(shape)));
  PlanState state(inputs, std::move(graph));
  state.set = std::move(set);
  KINORA_RETURN_IF_ERROR(ChooseVersions(&state));
  KINORA_RETURN_IF_ERROR(ReadInputs(&state));
  KINORA_RETURN_IF_ERROR(ReadBase(&state));
  KINORA_RETURN_IF_ERROR(JudgeJobs(&state));
  return WritePlan(state);
}

}  // namespace kinora
