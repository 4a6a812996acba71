#include "common/run_end.h"

#include "gtest/gtest.h"

namespace kinora {
namespace {

TEST(RunEndTest, OnlyAnEndedRunIsTerminal) {
  for (int i = v1::RunStatus_MIN; i <= v1::RunStatus_MAX; ++i) {
    if (!v1::RunStatus_IsValid(i)) continue;
    const v1::RunStatus status = static_cast<v1::RunStatus>(i);
    const bool open = status == v1::RUN_STATUS_UNSPECIFIED ||
                      status == v1::RUN_STATUS_QUEUED ||
                      status == v1::RUN_STATUS_RUNNING ||
                      status == v1::RUN_STATUS_WAITING;
    EXPECT_EQ(IsTerminal(status), !open) << v1::RunStatus_Name(status);
  }
}

TEST(RunEndTest, ThreeEventsEndARun) {
  v1::LedgerEvent event;
  EXPECT_FALSE(IsTerminal(event));
  event.mutable_run_started();
  EXPECT_FALSE(IsTerminal(event));
  event.mutable_step_failed();
  EXPECT_FALSE(IsTerminal(event));
  event.mutable_run_completed();
  EXPECT_TRUE(IsTerminal(event));
  event.mutable_run_failed();
  EXPECT_TRUE(IsTerminal(event));
  event.mutable_run_cancelled();
  EXPECT_TRUE(IsTerminal(event));
}

}  // namespace
}  // namespace kinora
