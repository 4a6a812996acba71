// What the inputs of used blueprints are bound to, and whether it fits their
// types. See sub_blueprints.h.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_USE_BINDINGS_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_USE_BINDINGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/planner/blueprint/blueprint.h"
#include "services/planner/blueprint/input_type.h"
#include "services/planner/blueprint/yaml_tree.h"

namespace kinora {

// What an input of a used blueprint is bound to.
struct UseBinding {
  // As it stands in the whole: the node that the parser gets to see.
  const YamlNode* reference = nullptr;
  std::string path;     // of the binding as its author wrote it
  std::string spelled;  // what stands there
  std::string input;
  std::string blueprint;
  InputRule rule;  // of the input
};

// The document in which a line stands.
const YamlNode& DocumentOf(const std::vector<const YamlNode*>& documents,
                           int line);

// `blueprint title: ` for a line of a document that is not the first.
std::string ContextOf(const std::vector<const YamlNode*>& documents, int line);

// INVALID_ARGUMENT (BLUEPRINT_INVALID) with both types if an input of type
// `given`, to which `binding` binds in that line, does not fit.
absl::Status CheckDeclaredType(absl::string_view file,
                               const std::vector<const YamlNode*>& documents,
                               const UseBinding& binding, int line,
                               InputType given);

// The same for artefacts and inputs of the whole; also if there is none of the
// name, which nobody may have noticed who does not read it.
absl::Status CheckUseBindings(absl::string_view file,
                              const std::vector<const YamlNode*>& documents,
                              const std::vector<UseBinding>& bindings,
                              const Blueprint& whole);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_USE_BINDINGS_H_
