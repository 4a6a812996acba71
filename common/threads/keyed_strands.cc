#include "common/threads/keyed_strands.h"

#include <deque>

#include "absl/container/flat_hash_map.h"

#include "common/threads/mutex.h"

namespace kinora {

struct KeyedStrands::State {
  explicit State(Executor& e) : executor(e) {}

  static void Run(std::shared_ptr<State> state, std::string key,
                  Executor::Task task) {
    Executor& executor = state->executor;
    executor.Post([state = std::move(state), key = std::move(key),
                   task = std::move(task)]() mutable {
      std::move(task)();
      task = nullptr;  // what it holds is gone before the next one begins
      RunNext(std::move(state), std::move(key));
    });
  }

  // By way of the Executor's queue, so that a key with much to do keeps no
  // thread from the others.
  static void RunNext(std::shared_ptr<State> state, std::string key) {
    Executor::Task task;
    {
      MutexLock lock(state->mu);
      const auto found = state->waiting.find(key);
      if (found->second.empty()) {
        state->waiting.erase(found);
        return;
      }
      task = std::move(found->second.front());
      found->second.pop_front();
    }
    Run(std::move(state), std::move(key), std::move(task));
  }

  Executor& executor;
  Mutex mu;
  // Of each key of which a closure is on the executor or running: those that
  // wait for it.
  absl::flat_hash_map<std::string, std::deque<Executor::Task>> waiting
      ABSL_GUARDED_BY(mu);
};

KeyedStrands::KeyedStrands(Executor& executor)
    : state_(std::make_shared<State>(executor)) {}

KeyedStrands::~KeyedStrands() = default;

void KeyedStrands::Key::Post(Executor::Task task) const {
  {
    MutexLock lock(state_->mu);
    const auto [entry, is_first] = state_->waiting.try_emplace(key_);
    if (!is_first) {
      entry->second.push_back(std::move(task));
      return;
    }
  }
  State::Run(state_, key_, std::move(task));
}

}  // namespace kinora
