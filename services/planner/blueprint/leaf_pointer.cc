#include "services/planner/blueprint/leaf_pointer.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/json/json_pointer.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

absl::StatusOr<LeafPointer> LeafPointer::Parse(
    absl::string_view text, const std::vector<std::string>& dimensions,
    const std::vector<bool>& required) {
  KINORA_RETURN_IF_ERROR(ValidateJsonPointer(text));
  auto malformed = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ClipValue(text), "\": ", why));
  };
  if (text.empty()) return malformed("a leaf is a part, such as /title");
  LeafPointer result;
  result.text_ = std::string(text);
  std::vector<bool> seen(dimensions.size(), false);
  for (absl::string_view name : absl::StrSplit(text.substr(1), '/')) {
    Step& step = result.steps_.emplace_back();
    step.name = std::string(name);
    if (name.size() < 2 || name.front() != '{' || name.back() != '}') continue;
    name = name.substr(1, name.size() - 2);
    auto found = std::find(dimensions.begin(), dimensions.end(), name);
    if (found == dimensions.end()) {
      return malformed(absl::StrCat(
          "{", ClipValue(name), "} is no dimension of the leaf",
          DidYouMean(name, std::vector<absl::string_view>(dimensions.begin(),
                                                          dimensions.end()))));
    }
    step.place = static_cast<int>(found - dimensions.begin());
    seen[step.place] = true;
  }
  for (size_t i = 0; i < dimensions.size(); ++i) {
    if (!required[i] || seen[i]) continue;
    return malformed(absl::StrCat("must hold {", dimensions[i],
                                  "}, as each leaf stands in its own place"));
  }
  return result;
}

std::string LeafPointer::At(absl::Span<const uint32_t> point) const {
  std::string pointer;
  for (const Step& step : steps_) {
    if (step.place < 0) {
      absl::StrAppend(&pointer, "/", step.name);
    } else {
      absl::StrAppend(&pointer, "/", point[step.place]);
    }
  }
  return pointer;
}

}  // namespace kinora
