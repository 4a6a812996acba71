// Reads a manifest's canonical JSON straight into a HydratedBase: one pass over
// pieces as they come, no tree, no message, about as fast as the bytes come
// from memory.

#ifndef KINORA_SERVICES_PLANNER_PLAN_MANIFEST_SCANNER_H_
#define KINORA_SERVICES_PLANNER_PLAN_MANIFEST_SCANNER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/planner/graph/graph.h"
#include "services/planner/plan/hydrated_base.h"

namespace kinora {

// Takes a manifest piece by piece. It holds what it has not understood yet: a
// part of an artefact, if the text is of the form that CanonicalBytes() writes.
class ManifestScanner {
 public:
  // `builder` MUST outlive the scanner.
  explicit ManifestScanner(HydratedBaseBuilder* builder) : builder_(*builder) {}

  void Add(absl::string_view piece);

  // True if that was all of a manifest of that form. If not, `builder` is of no
  // use, and the text is for the general parser.
  bool Finish();

 private:
  enum class Part { kBegin, kArtefacts, kMiddle, kInputs, kRest, kFailed };

  // Goes on as far as `text` is understood; returns what is left. With
  // `is_end` nothing follows.
  absl::string_view Scan(absl::string_view text, bool is_end);
  // One step: the part that comes then, with `text` moved on; nullopt if that
  // takes more text.
  std::optional<Part> Begin(bool is_end, absl::string_view* text);
  std::optional<Part> Artefact(absl::string_view* text);
  std::optional<Part> Middle(bool is_end, absl::string_view* text);
  std::optional<Part> Input(absl::string_view* text);

  HydratedBaseBuilder& builder_;
  Part part_ = Part::kBegin;
  std::string left_;
  // What stands between the two large maps and after them; it is small.
  std::string rest_ = "{";
};

// A whole manifest as it concerns `graph`. What is not in that form goes
// through the general parser, whose errors are returned; DATA_LOSS as of
// HydratedBase::Of().
absl::StatusOr<HydratedBase> HydrateManifest(absl::string_view json,
                                             const Graph& graph);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_MANIFEST_SCANNER_H_
