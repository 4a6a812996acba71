// A Strand runs closures on an Executor in the order in which they were posted,
// never two at once. It holds no thread while it has nothing to do, so an
// object per run or per movie can own one: state that only a Strand's closures
// touch needs no lock.

#ifndef KINORA_COMMON_THREADS_STRAND_H_
#define KINORA_COMMON_THREADS_STRAND_H_

#include <memory>

#include "common/threads/executor.h"

namespace kinora {

// Thread-safe. What one closure wrote, the next one sees.
class Strand {
 public:
  // `executor` MUST outlive the Strand and every closure posted to it.
  explicit Strand(Executor& executor);

  // Closures that are still queued do run after the Strand is destroyed.
  ~Strand();

  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  // Queues `task`. Never runs it before returning, also not when called from a
  // closure of this Strand. If the Executor has stopped, the task is destroyed
  // unrun at the latest when the Strand is.
  void Post(Executor::Task task);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_STRAND_H_
