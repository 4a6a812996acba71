// Which versions of a producer a node takes: `>=1.2 <2`.
//
// A range is a list of comparisons (`>=`, `>`, `<=`, `<`, `=`, `!=`; none means
// `=`), separated by spaces or commas, that must all hold. Versions are dotted
// numbers and compared number by number, missing ones as 0. A version that is
// none, such as `2024-beta`, is equal to its own spelling and in no order with
// others.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_VERSION_RANGE_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_VERSION_RANGE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

class VersionRange {
 public:
  // Any version.
  VersionRange() = default;

  // INVALID_ARGUMENT, without a place, says what is wrong with the text, also
  // if no version can be in the range.
  static absl::StatusOr<VersionRange> Parse(absl::string_view text);

  bool Contains(absl::string_view version) const;
  bool any() const { return comparisons_.empty(); }
  // As it was written.
  const std::string& text() const { return text_; }

 private:
  enum class Relation { kLess, kAtMost, kEqual, kNotEqual, kAtLeast, kGreater };
  struct Comparison {
    Relation relation = Relation::kEqual;
    std::string version;
  };

  static bool Holds(const Comparison& comparison, absl::string_view version);
  // Whether no version at all is in it.
  bool IsEmpty() const;

  std::string text_;
  std::vector<Comparison> comparisons_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_VERSION_RANGE_H_
