// KeyedStrands run closures on an Executor, those of one key in the order in
// which they were posted and never two at once: a Strand for each key, there
// while it has something to do. What waits for its turn holds no thread.

#ifndef KINORA_COMMON_THREADS_KEYED_STRANDS_H_
#define KINORA_COMMON_THREADS_KEYED_STRANDS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

#include "common/threads/executor.h"

namespace kinora {

// Thread-safe.
class KeyedStrands {
 private:
  struct State;

 public:
  // Where the closures of one key are posted; see For().
  class Key {
   public:
    // Queues `task`. Never runs it before returning. If the Executor has
    // stopped, the task is destroyed unrun at the latest when the KeyedStrands
    // are.
    void Post(Executor::Task task) const;

   private:
    friend class KeyedStrands;
    Key(std::shared_ptr<State> state, absl::string_view key)
        : state_(std::move(state)), key_(key) {}

    std::shared_ptr<State> state_;
    std::string key_;
  };

  // `executor` MUST outlive this and every closure posted to it.
  explicit KeyedStrands(Executor& executor);

  // Closures that are still queued do run after this is destroyed.
  ~KeyedStrands();

  KeyedStrands(const KeyedStrands&) = delete;
  KeyedStrands& operator=(const KeyedStrands&) = delete;

  // MUST NOT outlive this.
  Key For(absl::string_view key) const { return Key(state_, key); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_KEYED_STRANDS_H_
