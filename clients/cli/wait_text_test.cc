#include "clients/cli/wait_text.h"

#include "gtest/gtest.h"

namespace kinora {
namespace {

TEST(WaitTextTest, SaysWhyAndUntilWhen) {
  v1::RunWait wait;
  wait.set_reason("paused");
  EXPECT_EQ(WaitText(wait), "paused");
  wait.set_reason("producer");
  wait.set_message("tts is down");
  EXPECT_EQ(WaitText(wait), "producer: tts is down");
  wait.mutable_until()->set_seconds(1767229200);
  EXPECT_EQ(WaitText(wait),
            "producer: tts is down, until 2026-01-01 01:00:00 UTC");
}

}  // namespace
}  // namespace kinora
