// TaskSlots run closures on an Executor, at most so many at once: what may
// block for long takes no more than that of its threads. A Strand is for one at
// a time.

#ifndef KINORA_COMMON_THREADS_TASK_SLOTS_H_
#define KINORA_COMMON_THREADS_TASK_SLOTS_H_

#include <memory>

#include "common/threads/executor.h"

namespace kinora {

// Thread-safe.
class TaskSlots {
 public:
  // `executor` MUST outlive this and every closure posted to it. REQUIRES:
  // slots > 0.
  TaskSlots(Executor& executor, int slots);

  // Closures that are still queued do run after this is destroyed.
  ~TaskSlots();

  TaskSlots(const TaskSlots&) = delete;
  TaskSlots& operator=(const TaskSlots&) = delete;

  // Queues `task`; those posted first begin first. Never runs it before
  // returning. If the Executor has stopped, the task is destroyed unrun at the
  // latest when this is.
  void Post(Executor::Task task);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_TASK_SLOTS_H_
