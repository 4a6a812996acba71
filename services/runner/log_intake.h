// A LogIntake turns the log lines of jobs into the run's log: every line once,
// numbered through the run. Pure: no clock, no I/O.

#ifndef KINORA_SERVICES_RUNNER_LOG_INTAKE_H_
#define KINORA_SERVICES_RUNNER_LOG_INTAKE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// A run stores at most this much of its log; later lines are counted only.
inline constexpr int64_t kMaxStoredLogLines = 25'000;
inline constexpr int64_t kMaxStoredLogBytes = 5'000'000;
// Longer lines are cut; the producer contract allows no longer ones.
inline constexpr size_t kMaxLogLineBytes = 16 * 1024;

// Not thread-safe.
class LogIntake {
 public:
  // Takes what attempt `attempt` of a job sent. Lines that were taken before
  // are skipped by their position, so that equal lines survive; where lines
  // are missing, one line says so. Positions go on over the attempts of a job;
  // an attempt whose first batch begins at 0 counts anew, and nothing of it is
  // taken for a repetition. nullopt if there is nothing new to store.
  std::optional<v1::LogAppendedEvent> Take(const std::string& job_id,
                                           uint32_t attempt,
                                           const v1::LogLines& batch);

  // Takes an event that Take() gave in another process; in their order, before
  // anything else.
  void Recall(const v1::LogAppendedEvent& event);

  // Lines of the run so far, those not stored included.
  int64_t total() const { return total_; }
  bool truncated() const { return truncated_; }

 private:
  struct Channel {
    uint32_t attempt = 0;
    int64_t base = 0;   // position of this attempt's line 0
    int64_t taken = 0;  // lines of the job so far
  };

  void Store(absl::string_view line, v1::LogAppendedEvent* event);

  absl::flat_hash_map<std::string, Channel> channels_;
  int64_t total_ = 0;
  int64_t stored_lines_ = 0;
  int64_t stored_bytes_ = 0;
  bool truncated_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LOG_INTAKE_H_
