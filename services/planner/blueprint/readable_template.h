// Where the readable copies of an output lie: `segment/{segment:04}/text.txt`.
//
// `{segment}` stands for the artefact's index in that dimension, `{segment:04}`
// for the same with zeros up to four digits. Every dimension of the output
// stands in it once, apart from digits and other indices, so that no two
// artefacts share a file.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_READABLE_TEMPLATE_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_READABLE_TEMPLATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace kinora {

class ReadableTemplate {
 public:
  // None.
  ReadableTemplate() = default;

  // `dimensions` are those of the output. INVALID_ARGUMENT, without a place,
  // says what is wrong with the text.
  static absl::StatusOr<ReadableTemplate> Parse(
      absl::string_view text, const std::vector<std::string>& dimensions);

  bool empty() const { return parts_.empty(); }

  // The path of the artefact at that point of the output's dimensions.
  std::string PathOf(absl::Span<const uint32_t> point) const;

  // The same for two templates whose paths might be the same: every run of
  // digits and indices as one `#`.
  std::string Skeleton() const;

 private:
  // A text, then an index.
  struct Part {
    std::string text;
    int place = -1;  // among the output's dimensions; -1 for none
    uint32_t width = 0;
  };

  std::vector<Part> parts_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_READABLE_TEMPLATE_H_
