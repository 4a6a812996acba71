#include "common/threads/task_slots.h"

#include <deque>
#include <utility>

#include "common/threads/mutex.h"

namespace kinora {

struct TaskSlots::State {
  State(Executor& e, int slots) : executor(e), free(slots) {}

  // Whoever calls it has taken a slot.
  static void Schedule(std::shared_ptr<State> state) {
    Executor& executor = state->executor;
    executor.Post(
        [state = std::move(state)]() mutable { RunNext(std::move(state)); });
  }

  // One a turn: other work of the executor goes on in between.
  static void RunNext(std::shared_ptr<State> state) {
    {
      Executor::Task task;
      {
        MutexLock lock(state->mu);
        if (state->queue.empty()) {
          ++state->free;
          return;
        }
        task = std::move(state->queue.front());
        state->queue.pop_front();
      }
      std::move(task)();
    }
    Schedule(std::move(state));
  }

  Executor& executor;
  Mutex mu;
  std::deque<Executor::Task> queue ABSL_GUARDED_BY(mu);
  int free ABSL_GUARDED_BY(mu);
};

TaskSlots::TaskSlots(Executor& executor, int slots)
    : state_(std::make_shared<State>(executor, slots)) {}

TaskSlots::~TaskSlots() = default;

void TaskSlots::Post(Executor::Task task) {
  {
    MutexLock lock(state_->mu);
    state_->queue.push_back(std::move(task));
    if (state_->free == 0) return;
    --state_->free;
  }
  State::Schedule(state_);
}

}  // namespace kinora
