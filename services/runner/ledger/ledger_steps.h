// The steps of a run, by id and in their order.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_LEDGER_STEPS_H_
#define KINORA_SERVICES_RUNNER_LEDGER_LEDGER_STEPS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "services/runner/ledger/position_set.h"
#include "services/runner/ledger/status_words.h"

namespace kinora {

// How far a step is.
struct LedgerProgress {
  std::optional<double> completed;
  std::optional<double> total;
  std::optional<double> failed;
  std::optional<std::string> message;
  std::optional<std::string> artefact_namespace;
  std::optional<double> started_at;
  std::optional<double> completed_at;
  std::optional<double> updated_at;

  // True if they differ in nothing but updated_at.
  bool SaysTheSameAs(const LedgerProgress& other) const;
};

struct LedgerStep {
  std::string step_id;
  std::optional<std::string> label;
  std::optional<std::string> kind;
  std::optional<StepStatus> status;  // always, after an event of the step
  std::optional<std::string> artefact_namespace;
  std::optional<double> started_at;
  std::optional<double> completed_at;
  std::optional<double> updated_at;
  std::optional<LedgerProgress> progress;
  // Of the last step.failed that had one (F: S2-64). Beyond the shared rules:
  // the JSON form of a snapshot does not have it.
  std::optional<std::string> error;

  // True if they differ in nothing but the times of their last update.
  bool SaysTheSameAs(const LedgerStep& other) const;
};

// Steps are found by id, and the last one in order that is running or has an
// artefact namespace is known without a search, so that reducing an event costs
// the same in a run of a hundred thousand steps as in one of ten. Copyable; not
// thread-safe.
class LedgerSteps {
 public:
  // All steps, in the order they were added.
  const std::vector<LedgerStep>& all() const { return steps_; }

  // The ids in the order first seen. Of a snapshot from elsewhere it may name
  // an id twice, or one without a step, and leave steps out.
  const std::vector<std::string>& order() const { return order_; }

  // Null if there is none. Valid until the next change.
  const LedgerStep* Find(absl::string_view id) const;

  // Has `change` change the step of that id, which is made if it is new and
  // appended to the order unless the order has it. `change` MUST leave the id
  // alone. The step is valid until the next change.
  template <typename Change>
  const LedgerStep& Update(absl::string_view id, const Change& change) {
    const size_t i = Take(id);
    change(&steps_[i]);
    Note(i);
    return steps_[i];
  }

  // For snapshots that are read: adds a step that the order need not have, in
  // the place of one with the same id, and an id to the order.
  void Add(LedgerStep step);
  void AppendToOrder(absl::string_view id);

  // The last step in order that is running, or whose artefact namespace is not
  // blank; null if there is none.
  const LedgerStep* LastRunning() const { return At(running_.Last()); }
  const LedgerStep* LastWithNamespace() const { return At(named_.Last()); }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  struct Place {
    size_t step = kNone;      // in steps_
    size_t position = kNone;  // the last of its own in order_
  };

  size_t Take(absl::string_view id);
  void Note(size_t step);
  void NoteAt(const LedgerStep& step, size_t position);
  const LedgerStep* At(std::optional<size_t> position) const;

  std::vector<LedgerStep> steps_;
  std::vector<size_t> positions_;  // of each step, as in Place
  std::vector<std::string> order_;
  absl::flat_hash_map<std::string, Place> places_;
  // Positions in order_.
  PositionSet running_;
  PositionSet named_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_LEDGER_STEPS_H_
