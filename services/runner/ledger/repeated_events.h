// RepeatedEvents knows what outside workers have reported of a run lately, so
// that a report that is sent again, as its answer was lost, is told from one
// that says the same once more.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_REPEATED_EVENTS_H_
#define KINORA_SERVICES_RUNNER_LEDGER_REPEATED_EVENTS_H_

#include <cstddef>
#include <deque>

#include "absl/container/flat_hash_map.h"

#include "kinora/v1/ledger.pb.h"

namespace kinora {

// So many events of a run are known; more than any request has.
inline constexpr size_t kRepeatWindow = 20'000;

// Two events are the same if all that they say is, their time included. One
// without a time is the same as any that says the same but for its time; of a
// step's progress, which goes up and down, it is never. Log lines are none of
// this: they have rules of their own (run_log.h). Pure; not thread-safe.
class RepeatedEvents {
 public:
  // Whether the event is one of those noted. It may be as its worker has sent
  // it, before status words were put right.
  bool Knows(const v1::LedgerEvent& event) const;

  // Notes an event of the ledger, in the order of the ledger.
  void Note(const v1::LedgerEvent& event);

  size_t size() const { return keys_.size(); }

 private:
  void Count(size_t key);

  absl::flat_hash_map<size_t, size_t> counts_;
  std::deque<size_t> keys_;  // two of an event, the oldest first
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_REPEATED_EVENTS_H_
