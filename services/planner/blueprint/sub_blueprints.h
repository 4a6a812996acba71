// Sub-blueprints: a node that uses another blueprint of the same file stands
// for all nodes of that blueprint. They are put in its place here, before
// anything else is read, so that the rest of the parser sees one blueprint.
//
// A node `Intro: {use: title, over: [segment], inputs: {text: "Input:Title"}}`
// becomes the nodes of blueprint `title`, each with
//   - its name and those of its outputs and dimensions after `Intro_`,
//   - `segment` before its own dimensions, and as index in every reference to
//     what belongs to `title`,
//   - "Input:Title" wherever it reads `Input:text`.
// Inputs of `title` that are not bound become inputs `Intro_NAME` of the whole.
// What is bound must fit the declared type.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_SUB_BLUEPRINTS_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_SUB_BLUEPRINTS_H_

#include <deque>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/planner/blueprint/use_bindings.h"
#include "services/planner/blueprint/yaml_tree.h"

namespace kinora {

struct WholeBlueprint {
  const YamlNode* root = nullptr;
  // Those whose types were not compared yet, outer uses before inner ones.
  std::vector<UseBinding> bindings;
};

// One blueprint without uses, in place of `root`, one of `documents`. Nodes are
// shared with the documents or made in `made`; both MUST outlive the result.
// If `root` is the first, all others must be used.
// INVALID_ARGUMENT (BLUEPRINT_INVALID) names file, line, element and value.
absl::StatusOr<WholeBlueprint> ExpandSubBlueprints(
    absl::string_view file, const std::vector<const YamlNode*>& documents,
    const YamlNode& root, std::deque<YamlNode>* made);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_SUB_BLUEPRINTS_H_
