// A LedgerFollower reads a run's ledger as it grows, and goes on where it was
// when the store was away.

#ifndef KINORA_TESTS_MODEL_LEDGER_FOLLOWER_H_
#define KINORA_TESTS_MODEL_LEDGER_FOLLOWER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/threads/executor.h"
#include "kinora/v1/event.pb.h"
#include "tests/model/model_store.h"

namespace kinora {

// For one thread.
class LedgerFollower {
 public:
  // Both MUST outlive this, and no closure of the executor run after it.
  LedgerFollower(ModelStore& store, Executor& executor, v1::LogName log);

  // Begins, and does not end.
  void Follow();

  // What came, serialised, in the order in which it came.
  const std::vector<std::string>& events() const { return events_; }

 private:
  ModelStore& store_;
  Executor& executor_;
  const v1::LogName log_;
  int64_t bookmark_ = 0;
  std::vector<std::string> events_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_LEDGER_FOLLOWER_H_
