// A WriteGate is what the drivers of one store share about its volume. It is
// closed in one of two ways; reads go on in both:
//   - for good, until the store is opened again: a write failed whose outcome
//     nobody can tell, or that no write gets around, as on a volume that was
//     made read-only;
//   - until there is room: the volume is full. What only removes still goes
//     on, since that makes room.

#ifndef KINORA_SERVICES_STORE_WRITE_GATE_H_
#define KINORA_SERVICES_STORE_WRITE_GATE_H_

#include <atomic>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class WriteGate {
 public:
  // `volume` is what users know it by: the store's directory.
  explicit WriteGate(absl::string_view volume) : volume_(volume) {}

  // OK while the gate is open, at the cost of one load. Else UNAVAILABLE
  // (STORE_READ_ONLY) with the volume and what happened.
  absl::Status Check() const;

  // The same for what needs no room: OK also while the volume is full.
  absl::Status CheckRemoval() const;

  // The same at the beginning of a write. One that is refused because the
  // volume is full has the store look for room first, so that a later one gets
  // through. MUST NOT be called in the middle of a call of the EventLog.
  absl::Status CheckAtBegin();

  // True while it is closed until there is room.
  bool IsFull() const { return state_.load() == State::kFull; }

  // Closes it for good, also one that was closed until there is room; of
  // several reasons the first stays. Returns Check().
  absl::Status Close(const absl::Status& why);

  // Closes it until Reopen(), unless it is closed. Returns Check().
  absl::Status CloseUntilRoom(const absl::Status& why);

  // Opens it again if it was closed until there is room.
  void Reopen();

  // `look` is called to see whether there is room, and to go on then, by any
  // thread, by several at once; null for none.
  void OnLookForRoom(std::function<void()> look);

 private:
  enum class State { kOpen, kFull, kFailed };

  absl::Status CloseAs(State state, const absl::Status& why,
                       absl::string_view what_to_do);

  const std::string volume_;
  std::atomic<State> state_{State::kOpen};
  mutable Mutex mu_;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  std::function<void()> look_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_WRITE_GATE_H_
