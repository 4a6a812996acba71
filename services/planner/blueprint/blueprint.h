// A Blueprint is a checked graph of producers: whatever parses holds together.
// Names are resolved to positions in the vectors below, in the order in which
// the YAML declares them.
//
// The language is described in docs/blueprint.md, its structure in
// docs/blueprint.schema.json. In short:
//
//   blueprint: film
//   inputs:
//     Story: {type: text, description: "...", default: "..."}
//     SegmentCount: {type: integer, default: 3, minimum: 1, maximum: 60}
//     ImageCount: {type: integer, over: [segment], default: 2}
//     WithMusic: {type: boolean, default: true}
//   dimensions:
//     segment: {size: Input:SegmentCount}      # or a positive integer, or the
//                                              # name of a JSON list: Shots
//     image: {within: segment, size: "Input:ImageCount[segment]"}
//   nodes:
//     Script:
//       producer: {name: script, version: ">=1.2 <2"}
//       settings: {style: dark}                # any object; part of the key
//       limits: {max_attempts: 5}              # not part of it
//       inputs: {story: "Input:Story", count: "Input:SegmentCount"}
//       outputs:
//         SegmentText:
//           type: text/plain
//           over: [segment]
//           readable: "segment/{segment}/text.txt"
//     Clip:
//       producer: clip
//       over: [segment]                        # one job per segment
//       inputs:
//         text: "SegmentText[segment]"         # this job's segment
//         first: "SegmentText[0]"              # always the first
//         before: "Clip[segment-1]"            # absent in the first one
//         images: {all: "Image[segment][image]"}  # fan-in, in index order
//       outputs: {Clip: video/mp4}             # one per segment
//     Music:
//       producer: music
//       when: Input:WithMusic                  # else it and its jobs are not
//       outputs: {Music: audio/wav}
//   outputs: [Clip]
//
// Dimensions of a node, an input or an output stand in the order in which
// `dimensions` declares them. An output has its node's dimensions and, with
// `over`, more: then one job makes an artefact for each index. Whatever has a
// dimension has those it is nested in, too.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "kinora/v1/types.pb.h"
#include "services/planner/blueprint/input_type.h"
#include "services/planner/blueprint/leaf_pointer.h"
#include "services/planner/blueprint/readable_template.h"
#include "services/planner/blueprint/version_range.h"

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
  uint32_t size = 0;     // if both below are < 0
  int size_input = -1;   // the integer input that holds the size
  int size_output = -1;  // the output that is a list of that many elements
  // The dimension it is nested in, which is declared before it; -1 for none.
  int within = -1;
  // All it is nested in, outermost first. The input or output that sizes it
  // has some of these as its dimensions, and then a size for each of their
  // points.
  std::vector<int> ancestors;
};

// Names of inputs that begin like this are the system's: see plan/takes.h.
inline constexpr absl::string_view kTakePrefix = "Take_";

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
  int32_t offset = 0;     // added to the job's own index

  // Where it is for a job at `own` of that dimension; below 0 is outside.
  int64_t At(uint32_t own) const {
    return is_constant ? int64_t{constant} : int64_t{own} + offset;
  }
};

// Elements of an input or output, as seen from a job.
struct Reference {
  bool is_input = false;  // `target` is an input, else an output
  int target = 0;
  std::vector<ReferenceIndex> indices;  // one per dimension of the target
};

// One step of the order of a fan-in.
struct ListOrder {
  size_t place = 0;  // among the target's dimensions
  bool descending = false;
};

// What a job reads under one name.
struct Binding {
  std::string name;
  int line = 0;
  Reference from;
  // A fan-in: every dimension of the target that is not the node's own and has
  // no constant index is run through, the last one fastest.
  bool is_list = false;
  // If not empty, another order for a fan-in: the dimensions run through, the
  // slowest first.
  std::vector<ListOrder> order;
  // If not -1, the dimension by whose index the elements of a fan-in are put
  // into groups; it is the slowest.
  int group = -1;
  // Read instead by a job for which `from` points outside, or at what an
  // inactive job would have made. Without one the binding is absent there.
  std::optional<Reference> fallback;
};

// One condition of a node, on an input or an artefact.
struct Condition {
  int line = 0;
  Reference value;
  // An artefact's value is compared in the form of DecidingValue::hash
  // (plan/deciding_values.h).
  // The value's hash is one of these, or with `negated` none of them.
  std::vector<std::string> hashes;
  bool negated = false;
  // If `hashes` is empty: the bounds of a number, inclusive.
  std::optional<double> at_least;
  std::optional<double> at_most;
};

// What a job makes under one name. Its name is that of the artefacts, too.
struct OutputDeclaration {
  std::string name;
  int line = 0;
  int node = 0;
  std::string mime_type;
  std::vector<int> own_over;    // beyond the node's, ascending
  std::vector<int> dimensions;  // the node's and its own, ascending
  // Where the readable copies lie below `prompts/`; empty for none.
  ReadableTemplate readable;
  // For a leaf: the output of the same node whose values it is a part of, and
  // where in them it stands. -1 for what the producer makes itself.
  int leaf_of = -1;
  LeafPointer pointer;
  // What its values decide: the size of a dimension, so each is a list; by
  // their order as numbers; both also by being among deciding_outputs.
  bool sizes_dimension = false;
  bool is_ordered = false;
};

// How the jobs of a node are run. 0 leaves it to the runner's producer table.
struct NodeLimitsDeclaration {
  uint32_t concurrency = 0;
  uint32_t max_attempts = 0;
  uint32_t attempt_timeout_seconds = 0;
  uint32_t job_timeout_seconds = 0;
  uint32_t priority = 0;

  bool operator==(const NodeLimitsDeclaration&) const = default;
};

// What one job of a node may cost.
struct PriceDeclaration {
  int64_t min_micros = 0;
  int64_t max_micros = 0;
  std::string currency;  // ISO 4217, such as USD
};

// Stands in a node's salt before the hash of its leaves.
inline constexpr absl::string_view kLeavesOfSalt = "\nleaves ";

struct NodeDeclaration {
  std::string name;
  int line = 0;
  std::string producer;
  int producer_line = 0;
  VersionRange producer_versions;    // any unless the node says
  std::string settings_json = "{}";  // canonical
  Digest settings_hash;
  // What the key has besides: the node's salt, and after kLeavesOfSalt a hash
  // of its leaves if it has any.
  std::string salt;
  NodeLimitsDeclaration limits;
  std::optional<PriceDeclaration> price;
  std::vector<Condition> conditions;  // all must hold, else a job is inactive
  std::vector<int> over;              // dimensions, ascending
  std::vector<Binding> bindings;      // sorted by name
  std::vector<int> outputs;           // as declared
};

// A dimension or a node, whichever is not -1.
struct ShapeStep {
  int dimension = -1;
  int node = -1;
};

struct Blueprint {
  std::string name;
  std::vector<DimensionDeclaration> dimensions;
  std::vector<InputDeclaration> inputs;
  std::vector<NodeDeclaration> nodes;
  std::vector<OutputDeclaration> outputs;
  std::vector<int> results;  // outputs the film is made for, as listed
  // The nodes in groups, each after all it reads from. More than one node, or
  // one that reads from itself, makes a group only by offsets or fallbacks:
  // its jobs have an order, its nodes have none.
  std::vector<std::vector<int>> node_groups;
  // Outputs whose artefacts decide about the graph: they size a dimension or a
  // condition looks at them. Ascending; mostly there are none.
  std::vector<int> deciding_outputs;
  // All dimensions and nodes, each after those that decide how large it is or
  // which of its jobs are active.
  std::vector<ShapeStep> shape_order;

  // Positions; -1 if there is none of that name.
  int FindInput(absl::string_view name) const;
  int FindNode(absl::string_view name) const;
  int FindOutput(absl::string_view name) const;

  // The dimensions of what a reference leads to.
  const std::vector<int>& DimensionsOf(const Reference& reference) const;

  // The coordinates of what a leaf is a part of. REQUIRES: `point` has one for
  // each dimension of `leaf`, which is one.
  std::vector<uint32_t> PointOfWhole(const OutputDeclaration& leaf,
                                     absl::Span<const uint32_t> point) const;
};

// The coordinates of `point` in those of its `dimensions` that are among
// `onto`, in their order.
std::vector<uint32_t> ProjectPoint(absl::Span<const uint32_t> point,
                                   const std::vector<int>& dimensions,
                                   const std::vector<int>& onto);

// Reads and checks a blueprint. Pure. `file` is for messages and may be empty.
// INVALID_ARGUMENT (BLUEPRINT_INVALID) names file, line, element and value of
// the first problem, such as `film.yaml:12: nodes.Picture.inputs.text: unknown
// artefact "SegmentTxt"; did you mean "SegmentText"?`.
absl::StatusOr<Blueprint> ParseBlueprint(absl::string_view file,
                                         absl::string_view text);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_H_
