// The ids of movies, revisions and runs, and the rule for names. Ids of inputs,
// artefacts and jobs are in common/element_id.h.
//
// Every id has exactly one spelling: what parses prints as the same text, so
// ids can be compared, hashed and used as file names as they are. In particular
// none of them can hold '/', '.' or a control character.

#ifndef KINORA_COMMON_IDS_H_
#define KINORA_COMMON_IDS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "common/random.h"
#include "common/threads/mutex.h"

namespace kinora {

inline constexpr size_t kMaxMovieIdBytes = 128;
inline constexpr size_t kMaxNameBytes = 128;

// OK for `[a-z0-9][a-z0-9_-]{0,127}`, else INVALID_ARGUMENT for the field
// "movie_id", with the value and what is wrong with it.
absl::Status ValidateMovieId(absl::string_view movie_id);

// OK for `[A-Za-z][A-Za-z0-9_]*` of at most kMaxNameBytes bytes: names of
// inputs, producers, artefacts and dimensions. Else INVALID_ARGUMENT for
// `field`.
absl::Status ValidateName(absl::string_view field, absl::string_view name);

// A Revision is the number of a manifest: `rev-0001`, `rev-0002`, ...,
// `rev-9999`, `rev-10000`. 0 means "none yet" and has no text form that parses.
struct Revision {
  uint32_t number = 0;

  // INVALID_ARGUMENT for the field "revision" unless `text` is "rev-" and at
  // least four digits, with no zeros in front beyond those four, not 0.
  static absl::StatusOr<Revision> Parse(absl::string_view text);

  std::string ToString() const;

  // The revision after this one; `Revision{}.Next()` is the first.
  Revision Next() const { return Revision{number + 1}; }

  bool IsNone() const { return number == 0; }

  friend bool operator==(const Revision&, const Revision&) = default;
  friend std::strong_ordering operator<=>(const Revision&,
                                          const Revision&) = default;
};

// A run id is "run-" and a ULID: 26 upper-case Crockford base-32 digits that
// begin with 48 bits of milliseconds, so that ids sort by time of creation.
//
// OK for such a text, else INVALID_ARGUMENT for the field "run_id". Lower case
// and a time beyond 48 bits are refused.
absl::Status ValidateRunId(absl::string_view run_id);

// The moment in the id of a run; errors as ValidateRunId().
absl::StatusOr<absl::Time> RunIdTime(absl::string_view run_id);

// A RunIdGenerator makes run ids. Thread-safe. Ids of one generator are
// strictly increasing, also within a millisecond and when the clock steps back.
class RunIdGenerator {
 public:
  // Both MUST outlive the generator.
  RunIdGenerator(Clock& clock, Random& random);

  std::string Next();

 private:
  Clock& clock_;
  Random& random_;
  Mutex mu_;
  uint64_t last_millis_ ABSL_GUARDED_BY(mu_) = 0;
  std::array<uint8_t, 10> last_entropy_ ABSL_GUARDED_BY(mu_) = {};
};

}  // namespace kinora

#endif  // KINORA_COMMON_IDS_H_
