// A LogIntake turns the log lines of jobs into the run's log: every line once,
// numbered through the run. Pure: no clock, no I/O.

#ifndef KINORA_SERVICES_RUNNER_PAST_LOG_INTAKE_H_
#define KINORA_SERVICES_RUNNER_PAST_LOG_INTAKE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/producer.pb.h"
#include "services/runner/ledger/run_log.h"

namespace kinora {

// Not thread-safe.
class LogIntake {
 public:
  // Takes what attempt `attempt` of a job sent, as RunLog::TakeAt() takes lines
  // of a channel: the job is one. Positions go on over the attempts of a job;
  // an attempt whose first batch begins at 0 counts anew, and nothing of it is
  // taken for a repetition. nullopt if there is nothing new to tell.
  std::optional<v1::LogAppendedEvent> Take(const std::string& job_id,
                                           uint32_t attempt,
                                           const v1::LogLines& batch);

  // Takes an event that Take() gave in another process; in their order, before
  // anything else.
  void Recall(const v1::LogAppendedEvent& event) { log_.Recall(event); }

  // The same for one that outside workers reported; whatever its channel is
  // called, it is no job's.
  void RecallReported(const v1::LogAppendedEvent& event);

  // Gives up the numbers of the last `numbers` lines to such an event, as
  // RunLog::GiveWay() does.
  void GiveWay(const v1::LogAppendedEvent& event, int64_t numbers) {
    log_.GiveWay(event, numbers);
  }

  // Lines of the run so far, those not stored included.
  int64_t total() const { return log_.total(); }
  bool truncated() const { return log_.truncated(); }

 private:
  struct Attempt {
    uint32_t number = 0;
    int64_t base = 0;  // position of its line 0
  };

  absl::flat_hash_map<std::string, Attempt> attempts_;  // the last, by job
  RunLog log_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_LOG_INTAKE_H_
