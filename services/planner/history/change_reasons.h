// Collects why something changed and says it as a v1::JobReason, in the words
// that plans use.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_CHANGE_REASONS_H_
#define KINORA_SERVICES_PLANNER_HISTORY_CHANGE_REASONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/plan.pb.h"
#include "services/planner/history/revision_state.h"

namespace kinora {

// Said of a value that an edit by hand gave before, under the same key: a
// revert brought it back, or a run took it over late.
inline constexpr absl::string_view kPutInByHandBefore =
    "an earlier value, put in by hand";
// The same of what was made.
inline constexpr absl::string_view kMadeBefore =
    "an earlier value, from the same inputs";
// Said of what has a key, where before it was imported and had none: nothing
// can be compared. An import has no node.
inline constexpr absl::string_view kImportedBefore =
    "imported before, and not known what it was made from";

// Small while there is one reason or none: a diff keeps one for every artefact
// that differs. Not thread-safe.
class ChangeReasons {
 public:
  // A reason without subjects; `text` is what is said of it.
  void Add(v1::ReasonKind kind, absl::string_view text = "");
  // One more subject of a reason of that kind.
  void AddSubject(v1::ReasonKind kind, absl::string_view subject);

  bool empty() const { return reasons_.empty(); }
  void Clear() { reasons_.clear(); }

  // The most telling kind with its subjects, all kinds as text.
  v1::JobReason Build() const;

 private:
  // More are not named. A fan-in may have a million.
  static constexpr size_t kMaxSubjects = 20;

  struct Reason {
    std::string text;
    std::set<std::string> subjects;
    size_t more = 0;
  };
  std::map<v1::ReasonKind, Reason> reasons_;
};

// What became of an input that has another value in `now` than in `before`:
// `edited`, `back to the blueprint's default`.
std::string InputChangeText(const RevisionState& before,
                            const RevisionState& now, const std::string& id);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_CHANGE_REASONS_H_
