// An InputTable holds the values of a graph's inputs that are in effect, what
// was set over the blueprint's defaults, and which of them differ from the base
// manifest's. An edit costs what it touches.

#ifndef KINORA_SERVICES_PLANNER_PLAN_INPUT_TABLE_H_
#define KINORA_SERVICES_PLANNER_PLAN_INPUT_TABLE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/hydrated_base.h"
#include "services/planner/plan/input_values.h"

namespace kinora {

// Where the value of an input is from.
enum class InputOrigin : uint8_t { kDefault, kSet, kStaged };

struct InputValue {
  v1::Content content;
  Digest hash;
  InputOrigin origin = InputOrigin::kDefault;
};

// What chooses the take of a job.
struct TakeValue {
  std::string id;  // of the input
  v1::Content content;
  uint32_t draw = 0;
};

// Not thread-safe while Set() or Clear() runs.
class InputTable {
 public:
  // All MUST outlive the table; `base_blueprint` may be null, see PlanInputs.
  InputTable(const Graph& graph, const HydratedBase& base,
             const Blueprint* base_blueprint);

  // A value that somebody set. FAILED_PRECONDITION (INPUT_MISSING) if it does
  // not fit the declaration, which may be newer; DATA_LOSS for a malformed
  // hash. Returns the element whose value in effect is another one now.
  absl::StatusOr<std::optional<Graph::Element>> Set(const std::string& id,
                                                    const v1::Content& content);

  // The blueprint's default holds again.
  std::optional<Graph::Element> Clear(const std::string& id);

  // The same for what chooses the take of a job, see takes.h. Returns the job
  // whose draw is another one now; nullopt also for an id of no job.
  absl::StatusOr<std::optional<Graph::Job>> SetTake(const std::string& id,
                                                    const v1::Content& content);
  std::optional<Graph::Job> ClearTake(const std::string& id);

  // The takes that were set, by job.
  const std::map<Graph::Job, TakeValue>& takes() const { return takes_; }
  uint32_t DrawOf(Graph::Job job) const {
    if (takes_.empty()) return 0;
    const auto take = takes_.find(job);
    return take == takes_.end() ? 0 : take->second.draw;
  }
  // The id of what chooses the take of a job.
  std::string TakeIdOf(Graph::Job job) const;
  // True if the base was made with another take.
  bool IsOtherTake(const std::string& id, uint32_t draw) const;
  // The job of such an id.
  std::optional<Graph::Job> FindTakeJob(const std::string& id) const;

  // Null if there is none.
  const InputValue* Of(Graph::Element input) const {
    const uint32_t at = value_of_[input];
    return at == 0 ? nullptr : &values_[at];
  }

  // True if the value is another than the base was made with.
  bool IsChanged(Graph::Element input) const { return changed_[input]; }

  // Ids of inputs that differ from the base's, sorted: also of those that have
  // no place in the graph, but not that of the blueprint.
  const std::set<std::string>& changed_ids() const { return changed_ids_; }

  // Elements whose value is a blob that somebody set.
  const std::set<Graph::Element>& blobs() const { return blobs_; }

  // Ids that were set but have no place in the graph.
  const std::set<std::string>& strays() const { return strays_; }

  // What Set() would put into the table.
  absl::StatusOr<InputValue> Check(const std::string& id,
                                   Graph::Element element,
                                   const v1::Content& content) const;

  // True if the value of an input, set or not, is another than the base was
  // made with, be it that the base only had a default.
  bool Differs(const std::string& id, Graph::Element element,
               const Digest& hash, bool is_set) const;

  // True if the base manifest does not list that value. What is set like the
  // default makes nothing dirty, and yet is a change of the manifest.
  bool IsNew(const std::string& id, const Digest& hash) const;

  // The element of an id; nullopt for a stray.
  std::optional<Graph::Element> Find(const std::string& id) const;

 private:
  void NoteId(const std::string& id, bool changed);
  absl::Status SetStray(const std::string& id, const v1::Content& content);

  const Graph& graph_;
  const HydratedBase& base_;
  const Blueprint* base_blueprint_;
  // Positions in values_: 0 for none, then a default for each declaration that
  // has one, then values set.
  std::vector<uint32_t> value_of_;
  std::deque<InputValue> values_;
  std::vector<uint32_t> default_of_;  // by declaration
  std::vector<bool> changed_;         // by element
  std::set<std::string> changed_ids_;
  std::set<std::string> strays_;
  std::set<Graph::Element> blobs_;
  std::map<Graph::Job, TakeValue> takes_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_INPUT_TABLE_H_
