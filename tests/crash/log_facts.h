// LogFacts are what is known of one log from the answers of its appends.

#ifndef KINORA_TESTS_CRASH_LOG_FACTS_H_
#define KINORA_TESTS_CRASH_LOG_FACTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

// Events that were appended together: all there or none.
struct AppendedBatch {
  std::vector<std::string> events;  // EventText() of each
  std::string request_id;           // may be empty
  bool sure = false;                // acknowledged, or seen since
  int64_t first_sequence = 0;       // 0 if not known
};

// An event without what the store decides (sequence, time, hashes of a commit),
// so that asked and stored compare equal.
std::string EventText(const v1::Event& event);

class LogFacts {
 public:
  // An append that was acknowledged at `first_sequence`, 0 if the answer did
  // not say. An error says that the store broke a promise: the request id went
  // elsewhere before, or the place is taken.
  absl::Status Acknowledge(AppendedBatch batch);

  // An append without an answer.
  void Attempt(AppendedBatch batch) { batches_.push_back(std::move(batch)); }

  // Holds the facts against the whole log: all that is sure is there once, in
  // its place; anything else is an attempt, whole, once. `events` begin at
  // `oldest` and are dense; what was appended before may be cut off. From then
  // on attempts are sure or forgotten.
  absl::Status CheckAndSettle(int64_t oldest,
                              const std::vector<v1::Event>& events);

  // The last sequence that is known. Exact once settled, as long as every
  // batch came with its sequence.
  int64_t last_sequence() const { return last_sequence_; }

  // The removal of covered records was asked for.
  void MayBeCut() { cut_through_ = last_sequence_; }
  // True if what was appended under the request id may be cut off, so that the
  // store may have forgotten the id.
  bool MayBeForgotten(const std::string& request_id) const;

  // The store appends to the log on its own account.
  void Grow(int64_t events) { last_sequence_ += events; }

 private:
  std::vector<AppendedBatch> batches_;
  int64_t last_sequence_ = 0;
  int64_t cut_through_ = 0;
  int64_t oldest_ = 1;  // as of the last CheckAndSettle()
};

}  // namespace kinora

#endif  // KINORA_TESTS_CRASH_LOG_FACTS_H_
