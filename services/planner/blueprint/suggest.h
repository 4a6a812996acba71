// "did you mean" for names that people mistype.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_SUGGEST_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kinora {

// `; did you mean "Story"?` for the known name nearest to `name`, or an empty
// string if none is near. Of equally near ones the first.
std::string DidYouMean(absl::string_view name,
                       const std::vector<absl::string_view>& known);

// The same for ids such as `Artifact:Image[segment=1]`: the nearest one of the
// nearest name, or else the first of that name. What it takes goes with the ids
// of one name.
std::string DidYouMeanId(absl::string_view id,
                         const std::vector<absl::string_view>& known);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_SUGGEST_H_
