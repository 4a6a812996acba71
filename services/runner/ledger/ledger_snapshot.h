// The state of a run as its ledger tells it: `reduce(empty(init), events)`.
//
// Numbers are those of JSON (doubles), times are milliseconds since the epoch,
// and a value that is not there is nullopt; blank text is a value.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_LEDGER_SNAPSHOT_H_
#define KINORA_SERVICES_RUNNER_LEDGER_LEDGER_SNAPSHOT_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "services/runner/ledger/ledger_steps.h"

namespace kinora {

// So many lines of the log are kept in a snapshot. The number of the first,
// counted from 1, is total_log_count - log_tail.size() + 1.
inline constexpr size_t kLogTailLines = 100;

// What a run begins with.
struct LedgerInit {
  std::string run_id;
  std::optional<std::string> movie_id;
  std::optional<std::string> status;
  std::optional<std::string> error;
  std::optional<double> created_at;
  std::optional<double> started_at;
  std::optional<double> updated_at;
  std::optional<double> finished_at;
};

struct LedgerSnapshot {
  std::string run_id;
  std::optional<std::string> movie_id;
  // As the last event gave it: `run.created` may give any text.
  std::string status = "unknown";
  std::optional<std::string> error;
  std::optional<double> created_at;
  std::optional<double> started_at;
  std::optional<double> updated_at;
  std::optional<double> finished_at;
  std::optional<double> duration_ms;
  LedgerSteps steps;
  std::deque<std::string> log_tail;
  double total_log_count = 0;
  bool logs_truncated = false;
  std::optional<std::string> active_step_id;
  std::optional<std::string> active_artefact_namespace;
  std::optional<std::string> result_namespace;
  std::optional<std::string> result_summary;  // JSON
  std::optional<std::string> result;          // JSON
};

// The snapshot before the first event.
LedgerSnapshot EmptySnapshot(const LedgerInit& init);

// max(0, finished - started) of a snapshot, if it has both.
std::optional<double> DurationOf(const LedgerSnapshot& snapshot);

// Appends a line and drops the first if there are more than kLogTailLines.
void AppendToTail(absl::string_view line, LedgerSnapshot* snapshot);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_LEDGER_SNAPSHOT_H_
