// A ReportedRun is what is known of a run to which outside workers report, and
// says what of their reports goes into its ledger.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_REPORTED_RUN_H_
#define KINORA_SERVICES_RUNNER_LEDGER_REPORTED_RUN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/runner/ledger/ledger_ingestion.h"

namespace kinora {

// A request has at most so many events, and a status document becomes so many
// at most.
inline constexpr int kMaxReportedEvents = 5'000;
// And none of these is larger: with what stands beside it on a page, who
// watches the run gets it in a message of at most 4 MiB, which is all that
// clients of gRPC take where they are not told otherwise.
inline constexpr size_t kMaxReportedEventBytes = 2'000'000;
// Lines before those of a report, on their channel or in the run.
inline constexpr int64_t kMaxReportedPosition = 1'000'000'000'000;

// Folds the ledger, as a LedgerIngestion does, whose rules hold for all that
// comes in. Before them come those of what a worker may say at all:
//   - All that comes in is marked as reported (common/reported_event.h), as of
//     a worker if it says so, else as external.
//   - Only Kinora says `job.*`, `run.waiting`, `run.resumed` and `run.budget`:
//     whoever carries the run out reads them as facts and requests. Nor does a
//     worker say what a step costs, or what is left for its next attempt.
//   - That the run was created, has started or has ended is said by whoever
//     carries it out: by workers of a run whose caller does (`stepwise`), never
//     of a runner's own. What Kinora has told as the end of a run stays it.
//   - That a run has started or ended, said again, is nothing new.
// Pure: no clock, no I/O. Not thread-safe.
class ReportedRun {
 public:
  // `is_callers`: the run's caller carries it out, and no runner.
  ReportedRun(std::string run_id, std::string movie_id, bool is_callers);

  // Takes an event of the ledger, in its order.
  void Recall(const v1::LedgerEvent& event);

  // What is to be appended; nothing if the report says nothing new. No change
  // of state: what is in the ledger then is told to Recall(). An event without
  // a run's id is of this run.
  //   INVALID_ARGUMENT: a field has a value that is refused; named, for events
  //     with their index.
  //   FAILED_PRECONDITION: the run was created before, or Kinora has told
  //     another end of it (RUN_TERMINAL).
  absl::StatusOr<std::vector<v1::LedgerEvent>> Take(
      const v1::IngestLedgerEventsRequest& request, int64_t now_ms) const;

  // What it holds in memory, in steps.
  size_t weight() const { return ingestion_.weight(); }

 private:
  using Events = std::vector<v1::LedgerEvent>;

  absl::StatusOr<Events> TakeEvents(
      const v1::IngestLedgerEventsRequest& request, int64_t now_ms) const;
  absl::StatusOr<Events> TakePatch(const std::string& patch_json,
                                   int64_t now_ms) const;
  absl::Status MayBeSaid(const v1::LedgerEvent& event) const;
  absl::Status CheckEnd(const v1::LedgerEvent& event) const;
  bool SaysNothingNew(const v1::LedgerEvent& event) const;

  const std::string run_id_;
  const bool is_callers_;
  LedgerIngestion ingestion_;
  bool ended_by_kinora_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_REPORTED_RUN_H_
