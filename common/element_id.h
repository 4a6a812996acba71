// Ids of the elements of a graph: inputs, artefacts and jobs.
//
//   Input:Topic      Input:Prompt[segment=1]
//   Artifact:Script  Artifact:SegmentImage[segment=0][image=1]
//   Narration[segment=0]                                         (a job)
//
// Dimensions stand in the order in which the blueprint declares them; that is
// known to the planner only, here any order of distinct dimensions is accepted.
// Indices are 0-based. An id has exactly one spelling.

#ifndef KINORA_COMMON_ELEMENT_ID_H_
#define KINORA_COMMON_ELEMENT_ID_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// One step of an id's place in the dimensions: `[segment=0]`.
struct DimensionIndex {
  std::string dimension;
  uint32_t index = 0;

  friend bool operator==(const DimensionIndex&,
                         const DimensionIndex&) = default;
  friend std::strong_ordering operator<=>(const DimensionIndex&,
                                          const DimensionIndex&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const DimensionIndex& i) {
    return H::combine(std::move(h), i.dimension, i.index);
  }
};

// Larger ids are refused: an id is a key in logs and requests, not a document.
inline constexpr size_t kMaxElementIdBytes = 1024;
inline constexpr size_t kMaxDimensionsPerId = 8;

// The id of one input or artefact. Ordered by kind, name, then indices as
// numbers, so segment 2 comes before segment 10.
struct ElementId {
  enum class Kind : uint8_t { kInput, kArtefact };

  Kind kind = Kind::kInput;
  std::string name;
  std::vector<DimensionIndex> indices;

  // Reads `Input:...` or `Artifact:...`. INVALID_ARGUMENT names the id, what
  // was expected, and the byte at which it was not found; the field payload is
  // "id".
  static absl::StatusOr<ElementId> Parse(absl::string_view text);

  // As Parse(), but an id without a prefix is one of `default_kind`. For what
  // people type; stored ids always have their prefix.
  static absl::StatusOr<ElementId> Parse(absl::string_view text,
                                         Kind default_kind);

  std::string ToString() const;

  friend bool operator==(const ElementId&, const ElementId&) = default;
  friend std::strong_ordering operator<=>(const ElementId&,
                                          const ElementId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ElementId& id) {
    return H::combine(std::move(h), id.kind, id.name, id.indices);
  }
};

// The id of one job: a producer node at one point of its dimensions.
struct JobId {
  std::string producer;
  std::vector<DimensionIndex> indices;

  // As ElementId::Parse(), without a prefix; the field payload is "job_id".
  static absl::StatusOr<JobId> Parse(absl::string_view text);

  std::string ToString() const;

  friend bool operator==(const JobId&, const JobId&) = default;
  friend std::strong_ordering operator<=>(const JobId&, const JobId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const JobId& id) {
    return H::combine(std::move(h), id.producer, id.indices);
  }
};

// Appends `[a=0][b=1]`.
void AppendIndices(const std::vector<DimensionIndex>& indices,
                   std::string* out);

// The file name of an id: `:`, `[`, `]`, `=`, `%` and every byte that is not a
// letter, a digit, `_`, `-` or `.` (nor a `.` in front) as %XX. A result of
// more than 200 bytes is replaced by "sha256-" and the hex SHA-256 of the id,
// which leaves room for a suffix under the 255 bytes of a file name.
std::string FileNameOfId(absl::string_view id);

}  // namespace kinora

#endif  // KINORA_COMMON_ELEMENT_ID_H_
