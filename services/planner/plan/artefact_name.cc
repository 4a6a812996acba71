#include "services/planner/plan/artefact_name.h"

#include <vector>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

absl::Status NoSuchArtefact(absl::string_view field, absl::string_view value,
                            const Blueprint& blueprint,
                            absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const OutputDeclaration& known : blueprint.outputs) {
    names.push_back(known.name);
  }
  return InvalidField(
      field, value,
      absl::StrCat("blueprint ", blueprint.name, " has no such artefact",
                   DidYouMean(name, names)));
}

}  // namespace kinora
