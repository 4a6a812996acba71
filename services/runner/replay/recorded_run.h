// A RecordedRun is what the store has of a run that has ended: what it began
// with, how its jobs ended, and what its producers answered.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_RECORDED_RUN_H_
#define KINORA_SERVICES_RUNNER_REPLAY_RECORDED_RUN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/backup/history_end.h"
#include "services/store/store.h"

namespace kinora {

struct RecordedRun {
  // Its status is that of the ledger, which a record may lag behind.
  v1::RunRecord record;
  std::string plan_json;  // exactly the bytes that have the plan's hash
  v1::Plan plan;
  // Of its ledger what tells of the run's beginning, of the starts and ends of
  // jobs, and of expansions.
  std::vector<v1::Event> steps;
  int64_t last_sequence = 0;  // of the ledger
  // Its events in the log of artefacts.
  std::vector<v1::Event> results;
  // The logs when it began: what it could reuse, and the inputs of its plan.
  HistoryEnd beginning;
  std::string revision;       // that it published; empty if none
  std::string manifest_hash;  // current after it; empty if it did not end well
};

// How far jobs had come by an event of the ledger.
enum class JobEnd { kSucceeded, kReused, kFailed, kBlocked };

// `succeeded` for both ways to a result.
std::string JobEndWord(JobEnd end);

// The jobs that had ended by `through`, by id, and how.
std::map<std::string, JobEnd> EndsOf(const RecordedRun& run, int64_t through);

// Reads a run whose ledger has ended. Blocks.
// - INVALID_ARGUMENT, NOT_FOUND (RUN_NOT_FOUND, PLAN_NOT_FOUND)
// - FAILED_PRECONDITION (RUN_ACTIVE): it goes on, or waits for its turn.
// - FAILED_PRECONDITION: it has ended before it had a plan.
// - OUT_OF_RANGE (LOG_TRIMMED): its events are not there any more.
absl::StatusOr<RecordedRun> ReadRecordedRun(const Store& store,
                                            const std::string& run_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_RECORDED_RUN_H_
