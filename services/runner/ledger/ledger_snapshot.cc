#include "services/runner/ledger/ledger_snapshot.h"

#include <algorithm>

#include "services/runner/ledger/status_words.h"

namespace kinora {

LedgerSnapshot EmptySnapshot(const LedgerInit& init) {
  LedgerSnapshot snapshot;
  snapshot.run_id = init.run_id;
  snapshot.movie_id = init.movie_id;
  snapshot.status =
      std::string(NormalizedRunStatus(init.status.value_or("unknown")));
  snapshot.error = init.error;
  snapshot.created_at = init.created_at;
  snapshot.started_at = init.started_at;
  snapshot.finished_at = init.finished_at;
  for (const std::optional<double>& time :
       {init.updated_at, init.finished_at, init.started_at, init.created_at}) {
    if (!snapshot.updated_at.has_value()) snapshot.updated_at = time;
  }
  snapshot.duration_ms = DurationOf(snapshot);
  return snapshot;
}

std::optional<double> DurationOf(const LedgerSnapshot& snapshot) {
  if (!snapshot.started_at.has_value() || !snapshot.finished_at.has_value()) {
    return std::nullopt;
  }
  return std::max(0.0, *snapshot.finished_at - *snapshot.started_at);
}

void AppendToTail(absl::string_view line, LedgerSnapshot* snapshot) {
  snapshot->log_tail.emplace_back(line);
  if (snapshot->log_tail.size() > kLogTailLines) snapshot->log_tail.pop_front();
}

}  // namespace kinora
