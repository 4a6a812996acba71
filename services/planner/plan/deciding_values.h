// The values of deciding artefacts: those that size a dimension or that a
// condition looks at. One that is not among them is not known: its job has
// still to run.

#ifndef KINORA_SERVICES_PLANNER_PLAN_DECIDING_VALUES_H_
#define KINORA_SERVICES_PLANNER_PLAN_DECIDING_VALUES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// A plan waits until it is read, so it is a list of scenes, not a film.
inline constexpr int64_t kMaxDecidingBytes = 16 << 20;

// As much of a value as can decide something.
struct DecidingValue {
  // Of JSON in canonical form, of a text without white space at its ends.
  std::string hash;
  std::optional<uint64_t> length;  // of a JSON list
  std::optional<double> number;    // a JSON number
  std::string shown;               // the beginning, for errors
};

// By full id.
using DecidingValues = std::map<std::string, DecidingValue>;

// A deciding artefact whose value a plan knows.
struct DecidedArtefact {
  int output = 0;
  std::string artefact_id;
  v1::Content content;
};

DecidingValue ReadDecidingValue(const OutputDeclaration& output,
                                absl::string_view bytes);

// False if the value is none that can decide what the output is to decide.
bool CanDecide(const OutputDeclaration& output, const DecidingValue& value);

// The deciding artefacts that a manifest has.
std::vector<DecidedArtefact> DecidedByManifest(const Blueprint& blueprint,
                                               const v1::Manifest& manifest);

// Where the bytes of blobs come from.
class BlobBytes {
 public:
  virtual ~BlobBytes() = default;

  // NOT_FOUND if the blob is gone.
  virtual absl::StatusOr<std::string> Read(const v1::BlobRef& blob) = 0;
};

// Reads values and remembers them by hash. Not thread-safe.
class DecidingReader {
 public:
  // `blobs` MUST outlive the reader; null if there are inline values only.
  explicit DecidingReader(BlobBytes* blobs) : blobs_(blobs) {}

  // NOT_FOUND if the blob is gone; FAILED_PRECONDITION (DECISION_INVALID) if it
  // is larger than kMaxDecidingBytes.
  absl::StatusOr<DecidingValue> Read(const Blueprint& blueprint,
                                     const DecidedArtefact& artefact);

  // All of them.
  absl::StatusOr<DecidingValues> ReadAll(
      const Blueprint& blueprint,
      const std::vector<DecidedArtefact>& artefacts);

  // Those that can be read and can decide: a guess of what a plan will find.
  DecidingValues Guess(const Blueprint& blueprint,
                       const std::vector<DecidedArtefact>& artefacts);

 private:
  BlobBytes* const blobs_;
  // By content hash and whether it is a text. Small: lengths and hashes.
  absl::flat_hash_map<std::pair<std::string, bool>, DecidingValue> known_;
};

// FAILED_PRECONDITION (DECISION_INVALID) `id why`.
absl::Status DecisionInvalid(absl::string_view artefact_id,
                             absl::string_view why);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_DECIDING_VALUES_H_
