#include "services/store/event/memory_event_log.h"

#include <memory>

#include "gtest/gtest.h"

#include "common/threads/thread_pool.h"
#include "tests/contract/event_log_contract.h"

namespace kinora {
namespace {

class MemoryFixture final : public EventLogFixture {
 public:
  explicit MemoryFixture(Executor* executor) : log_(executor) {}
  EventLog& log() override { return log_; }

 private:
  MemoryEventLog log_;
};

std::unique_ptr<EventLogFixture> MakeInline() {
  return std::make_unique<MemoryFixture>(nullptr);
}

std::unique_ptr<EventLogFixture> MakeWithExecutor() {
  static ThreadPool pool("waiters", 2);
  return std::make_unique<MemoryFixture>(&pool);
}

INSTANTIATE_TEST_SUITE_P(Memory, EventLogContract,
                         testing::Values(&MakeInline, &MakeWithExecutor));

}  // namespace
}  // namespace kinora
