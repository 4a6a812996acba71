// What the calls of a movie's producers have cost and taken so far, from the
// events of its artefact log.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_CALL_HISTORY_H_
#define KINORA_SERVICES_PLANNER_HISTORY_CALL_HISTORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"

#include "common/recent_durations.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// The calls of one producer that succeeded.
struct RecordedCalls {
  int64_t count = 0;
  // By currency, in millionths; the least and the most one call cost.
  std::map<std::string, std::pair<int64_t, int64_t>> micros;
  // That of the latest call that says what it cost; unset if none does.
  std::optional<std::string> latest_currency;
  // The shortest and the longest one call took; unset if none said.
  std::optional<absl::Duration> shortest;
  std::optional<absl::Duration> longest;
  RecentDurations durations;
};

// Not thread-safe while Add() runs.
class CallHistory {
 public:
  // Takes the next event. The outputs of one attempt, which follow each other
  // in the log, are one call; reuses and edits by hand are none.
  void Add(const v1::Event& event);

  // Where to go on reading; 0 for the log's beginning.
  int64_t last_sequence() const { return last_sequence_; }
  void SkipTo(int64_t sequence) { last_sequence_ = sequence; }

  // Null if the producer was never called.
  const RecordedCalls* Find(const std::string& producer) const;

  // All of them, by producer.
  const std::map<std::string, RecordedCalls>& calls() const { return calls_; }

 private:
  int64_t last_sequence_ = 0;
  std::string last_attempt_;
  std::map<std::string, RecordedCalls> calls_;  // by producer
};

// What is recorded of every producer, sorted by name.
v1::GetJobDurationsResponse DurationsOf(const CallHistory& history);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_CALL_HISTORY_H_
