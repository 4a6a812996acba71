// A LedgerIngestion is the gate of a run's ledger: what outside workers report
// comes in as events that any reader can reduce without a second thought.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_LEDGER_INGESTION_H_
#define KINORA_SERVICES_RUNNER_LEDGER_LEDGER_INGESTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "kinora/v1/ledger.pb.h"
#include "services/runner/ledger/ledger_snapshot.h"
#include "services/runner/ledger/repeated_events.h"
#include "services/runner/ledger/run_log.h"
#include "services/runner/ledger/run_patch.h"

namespace kinora {

// Outside workers have so many channels with positions in a run at most: where
// each of them stands is kept for as long as the run takes reports.
inline constexpr size_t kMaxReportedChannels = 10'000;

// Its state is a fold of the ledger's own events: whoever takes a ledger over
// tells them to Recall(), in their order. What Take() and TakePatch() give MUST
// be appended in its order; if that fails, the state is ahead of the ledger and
// the object is to be made anew. What Preview() and PreviewPatch() give is told
// to Recall() once it is in the ledger. Pure: no clock, no I/O. Not
// thread-safe.
//
// Rules, for each event and each patch:
//   - Log lines come in once: by position on a channel (`channelOffset`), by
//     the run's own numbers (`firstSeq`) or, without either, by their text
//     (run_log.h). What comes out has `firstSeq`. Channels of outside workers
//     and those of Kinora's own jobs are different ones, whatever their names.
//   - A reported event (common/reported_event.h) that is in the ledger already,
//     or came before in the same report, is dropped, and not refused
//     (repeated_events.h).
//   - `run.created` comes once. One that comes late, when the run has started
//     or ended, does not set its status (F: S2-37).
//   - Status words are normalised.
//   - A step of a run that has ended does not start or go on (F: S2-51): such
//     an event is dropped. How steps end is still told, as they may end late.
//   - `step.progress` that changes nothing but times of updates is dropped,
//     unless it has heartbeat details; so is any event of a step that a patch
//     repeats (F: S2-89, S2-90).
//   - A time of 0 is none, and becomes `now`.
//   - Types that are not known come in as they are, for newer readers.
class LedgerIngestion {
 public:
  explicit LedgerIngestion(const LedgerInit& init);

  // Takes an event that is in the ledger.
  void Recall(const v1::LedgerEvent& event);

  // Gives what of the events is to be appended; without a change of state an
  // error, if one of them is refused, which it names by its index:
  //   INVALID_ARGUMENT: it is of another run or of no type, or a field is
  //     wrong: a negative time, a status that is none, a blank step id, a
  //     number that is not finite, a result that is no JSON.
  //   FAILED_PRECONDITION: a `run.created` after the first.
  //   RESOURCE_EXHAUSTED (LIMIT_EXCEEDED): a channel beyond
  //     kMaxReportedChannels.
  absl::StatusOr<std::vector<v1::LedgerEvent>> Take(
      absl::Span<const v1::LedgerEvent> events, int64_t now_ms);

  // The same for a status document. INVALID_ARGUMENT if it is of another run,
  // or its status is none that a run can have; RESOURCE_EXHAUSTED as above.
  absl::StatusOr<std::vector<v1::LedgerEvent>> TakePatch(const RunPatch& patch,
                                                         int64_t now_ms);

  // As Take() and TakePatch(), without a change of state. Their cost is that of
  // the events, also in a run of very many steps.
  absl::StatusOr<std::vector<v1::LedgerEvent>> Preview(
      absl::Span<const v1::LedgerEvent> events, int64_t now_ms) const;
  absl::StatusOr<std::vector<v1::LedgerEvent>> PreviewPatch(
      const RunPatch& patch, int64_t now_ms) const;

  // What it holds in memory, in steps.
  size_t weight() const {
    return snapshot_.steps.all().size() + repeated_.size() / 8 +
           log_.channels() / 8;
  }

  // The reduction of all events so far.
  const LedgerSnapshot& snapshot() const { return snapshot_; }

 private:
  using Events = std::vector<v1::LedgerEvent>;

  // Those of the events that are no repetitions, if none is refused.
  absl::StatusOr<Events> Checked(
      absl::Span<const v1::LedgerEvent> events) const;
  absl::StatusOr<Events> Checked(const RunPatch& patch, int64_t now_ms) const;
  Events AdmitAll(Events events, int64_t now_ms, bool of_patch);
  // One that admits these events as this does, but knows no other steps.
  LedgerIngestion Aside(const Events& events) const;
  absl::Status CheckRun(const std::string& run_id) const;
  absl::Status Check(const v1::LedgerEvent& event, bool created) const;
  // Of an event that comes behind others with the channels `before`, which
  // are not known yet; its own, if it is none of them, joins them.
  absl::Status CheckChannel(const v1::LedgerEvent& event,
                            absl::flat_hash_set<std::string>* before) const;
  // What becomes of an event that may come in; nothing if it says nothing new.
  std::optional<v1::LedgerEvent> Admit(v1::LedgerEvent event, bool of_patch);
  bool AdmitsStep(const v1::LedgerEvent& event, bool of_patch) const;
  std::optional<v1::LogAppendedEvent> TakeLines(
      const v1::LogAppendedEvent& event);
  void Fold(const v1::LedgerEvent& event);

  LedgerSnapshot snapshot_;
  RunLog log_;
  RepeatedEvents repeated_;
  bool created_ = false;  // `run.created` has come
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_LEDGER_INGESTION_H_
