// A Blueprint is a checked graph of producers: whatever parses holds together.
// Names are resolved to positions in the vectors below, in the order in which
// the YAML declares them.
//
// The language, as a whole:
//
//   blueprint: film
//   inputs:
//     Story: {type: text, description: "...", default: "..."}
//     SegmentCount: {type: integer, default: 3, minimum: 1, maximum: 60}
//     Prompt: {type: text, over: [segment], default: ""}
//   dimensions:
//     segment: {size: Input:SegmentCount}      # or a positive integer
//   nodes:
//     Script:
//       producer: script
//       settings: {style: dark}                # any object; part of the key
//       inputs: {story: "Input:Story", count: "Input:SegmentCount"}
//       outputs: {SegmentText: {type: text/plain, over: [segment]}}
//     Narration:
//       producer: narration
//       over: [segment]                        # one job per segment
//       inputs:
//         text: "SegmentText[segment]"         # this job's segment
//         first: "SegmentText[0]"              # always the first
//         prompt: "Input:Prompt[segment]"
//       outputs: {Audio: audio/wav}            # one per segment
//     Film:
//       producer: film
//       inputs: {clips: {all: "Audio[segment]"}}   # fan-in, in index order
//       outputs: {Film: video/mp4}
//   outputs: [Film]
//
// Dimensions of a node, an input or an output stand in the order in which
// `dimensions` declares them. An output has its node's dimensions and, with
// `over`, more: then one job makes an artefact for each index.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "kinora/v1/types.pb.h"
#include "services/planner/blueprint/input_type.h"

namespace kinora {

inline constexpr size_t kMaxBlueprintTextBytes = 1 << 20;
// Per blueprint; far above what a person writes, and small enough that checks
// may be quadratic in names.
inline constexpr size_t kMaxDeclarations = 2000;
inline constexpr uint32_t kMaxDimensionSize = 1000000;
// A default lives in every plan, so it is a value, not a document.
inline constexpr size_t kMaxDefaultBytes = 64 << 10;

// An axis along which inputs, nodes and outputs are repeated.
struct DimensionDeclaration {
  std::string name;
  int line = 0;
  uint32_t size = 0;    // if size_input < 0
  int size_input = -1;  // the integer input that holds the size
};

struct InputDeclaration {
  std::string name;
  int line = 0;
  InputRule rule;
  std::string description;
  std::optional<v1::Content> default_value;
  std::vector<int> over;  // dimensions, ascending
};

// One index of a reference.
struct ReferenceIndex {
  bool is_constant = false;
  uint32_t constant = 0;  // else the index in that dimension
};

// What a job reads under one name.
struct Binding {
  std::string name;
  int line = 0;
  // A fan-in: every dimension of the target that is not the node's own and has
  // no constant index is run through, the last one fastest.
  bool is_list = false;
  bool is_input = false;  // `target` is an input, else an output
  int target = 0;
  std::vector<ReferenceIndex> indices;  // one per dimension of the target
};

// What a job makes under one name. Its name is that of the artefacts, too.
struct OutputDeclaration {
  std::string name;
  int line = 0;
  int node = 0;
  std::string mime_type;
  std::vector<int> own_over;    // beyond the node's, ascending
  std::vector<int> dimensions;  // the node's and its own, ascending
};

struct NodeDeclaration {
  std::string name;
  int line = 0;
  std::string producer;
  std::string settings_json = "{}";  // canonical
  Digest settings_hash;
  std::vector<int> over;          // dimensions, ascending
  std::vector<Binding> bindings;  // sorted by name
  std::vector<int> outputs;       // as declared
};

struct Blueprint {
  std::string name;
  std::vector<DimensionDeclaration> dimensions;
  std::vector<InputDeclaration> inputs;
  std::vector<NodeDeclaration> nodes;
  std::vector<OutputDeclaration> outputs;
  std::vector<int> results;     // outputs the film is made for, as listed
  std::vector<int> node_order;  // nodes, each after all it reads from

  // Positions; -1 if there is none of that name.
  int FindInput(absl::string_view name) const;
  int FindOutput(absl::string_view name) const;
};

// Reads and checks a blueprint. Pure. `file` is for messages and may be empty.
// INVALID_ARGUMENT (BLUEPRINT_INVALID) names file, line, element and value of
// the first problem, such as `film.yaml:12: nodes.Picture.inputs.text: unknown
// artefact "SegmentTxt"; did you mean "SegmentText"?`.
absl::StatusOr<Blueprint> ParseBlueprint(absl::string_view file,
                                         absl::string_view text);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_H_
