#include "common/threads/strand.h"

#include <deque>
#include <utility>

#include "common/threads/mutex.h"

namespace kinora {
namespace {

// Closures run in a row before the Strand goes to the back of the Executor's
// queue, so that a busy one does not keep a thread from the others.
constexpr int kBatch = 16;

}  // namespace

struct Strand::State {
  explicit State(Executor& e) : executor(e) {}

  static void Schedule(std::shared_ptr<State> state) {
    Executor& executor = state->executor;
    executor.Post(
        [state = std::move(state)]() mutable { RunBatch(std::move(state)); });
  }

  static void RunBatch(std::shared_ptr<State> state) {
    for (int i = 0; i < kBatch; ++i) {
      Executor::Task task;
      {
        MutexLock lock(state->mu);
        if (state->queue.empty()) {
          state->scheduled = false;
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
  // A closure of ours is on the executor or running.
  bool scheduled ABSL_GUARDED_BY(mu) = false;
};

Strand::Strand(Executor& executor)
    : state_(std::make_shared<State>(executor)) {}

Strand::~Strand() = default;

void Strand::Post(Executor::Task task) {
  {
    MutexLock lock(state_->mu);
    state_->queue.push_back(std::move(task));
    if (state_->scheduled) return;
    state_->scheduled = true;
  }
  State::Schedule(state_);
}

}  // namespace kinora
