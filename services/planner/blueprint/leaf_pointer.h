// Where the leaves of a structured output stand: `/shots/{shot}/prompt`.
//
// A JSON pointer in which `{shot}`, as a whole step, stands for the artefact's
// index in that dimension.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_LEAF_POINTER_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_LEAF_POINTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace kinora {

class LeafPointer {
 public:
  // None.
  LeafPointer() = default;

  // `dimensions` are those of the leaf; each that is `required` must stand in
  // it. INVALID_ARGUMENT, without a place, says what is wrong with the text.
  static absl::StatusOr<LeafPointer> Parse(
      absl::string_view text, const std::vector<std::string>& dimensions,
      const std::vector<bool>& required);

  // As it was written.
  const std::string& text() const { return text_; }

  // The pointer of the leaf at that point of its dimensions.
  std::string At(absl::Span<const uint32_t> point) const;

 private:
  // A step of the pointer.
  struct Step {
    std::string name;
    int place = -1;  // among the dimensions; -1 for a name
  };

  std::string text_;
  std::vector<Step> steps_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_LEAF_POINTER_H_
