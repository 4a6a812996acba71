// The spelling of a reference in a blueprint: `Input:Story`, `SegmentText`,
// `Artifact:SegmentText[segment]`, `SegmentText[0]`, `SegmentText[segment=0]`,
// `SegmentText[segment-1]`.
// What the names mean is for the parser to find out.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_REFERENCE_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_REFERENCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// `[segment]`, `[segment-1]`, `[0]` or `[segment=0]`.
struct SpelledIndex {
  std::string dimension;  // empty for `[0]`
  bool is_constant = false;
  uint32_t constant = 0;
  int32_t offset = 0;  // -1 for `[segment-1]`
};

struct SpelledReference {
  bool is_input = false;
  std::string name;
  std::vector<SpelledIndex> indices;
};

// INVALID_ARGUMENT, without a place, says what is wrong with the text.
absl::StatusOr<SpelledReference> ParseReference(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_REFERENCE_H_
