// A StallWatch tells when a producer has been silent for longer than it says
// that it ever is (`DescribeResponse.heartbeat_timeout`).

#ifndef KINORA_CLIENTS_CPP_PRODUCER_STALL_WATCH_H_
#define KINORA_CLIENTS_CPP_PRODUCER_STALL_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/time/time.h"

#include "common/clock.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

// Silence counts while a message is awaited and no person is asked: a producer
// is neither blamed for a store that takes its outputs slowly nor for whoever
// has to answer. What is called a silence lasts `limit` at least, and at most
// twice as long. Thread-safe.
class StallWatch : public std::enable_shared_from_this<StallWatch> {
 public:
  // Calls `stalled` once, on the executor, with nothing held; an infinite limit
  // never. `clock` and `executor` MUST outlive the watch.
  StallWatch(Clock& clock, Executor& executor, absl::Duration limit,
             std::function<void()> stalled);

  // Begins; held by a shared_ptr.
  void Start();

  // Whether a message of the producer is awaited: not while one is worked on.
  void Await(bool message);
  // Whether the producer waits for a person.
  void Ask(bool person);
  // Something else went through to the producer.
  void Hear();

  // `stalled` is not called any more, but it may be under way.
  void Stop();

 private:
  void Arm(absl::Duration delay) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Look();

  Clock& clock_;
  Executor& executor_;
  const absl::Duration limit_;

  Mutex mu_;
  std::function<void()> stalled_ ABSL_GUARDED_BY(mu_);  // null once it is over
  bool awaits_ ABSL_GUARDED_BY(mu_) = false;
  bool asks_ ABSL_GUARDED_BY(mu_) = false;
  int64_t since_ ABSL_GUARDED_BY(mu_) = 0;  // MonotonicNanos()
  Executor::TimerId timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_STALL_WATCH_H_
