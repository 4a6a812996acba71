#include "services/runner/calls/open_calls.h"

#include <memory>

#include "gtest/gtest.h"

namespace kinora {
namespace {

TEST(OpenCallsTest, TheEndWaitsForTheLastCall) {
  OpenCalls calls;
  auto first = calls.Begin();
  auto second = calls.Begin();
  int ended = 0;
  calls.Close([&ended] { ++ended; });
  EXPECT_EQ(calls.Begin(), nullptr);
  first.reset();
  EXPECT_EQ(ended, 0);
  second.reset();
  EXPECT_EQ(ended, 1);
}

TEST(OpenCallsTest, WithoutACallTheEndIsAtOnce) {
  OpenCalls calls;
  calls.Begin().reset();
  int ended = 0;
  calls.Close([&ended] { ++ended; });
  calls.Close([&ended] { ++ended; });
  EXPECT_EQ(ended, 1);
}

TEST(OpenCallsTest, TheEndCutsShortWhatIsUnderWayAndWhatFollows) {
  OpenCalls calls;
  const auto call = calls.Begin();
  int cancelled = 0;
  {
    const CallStop::Way first(call->stop(), [&cancelled] { ++cancelled; });
    calls.Close([] {});
    EXPECT_EQ(cancelled, 1);
  }
  EXPECT_TRUE(call->stop().stopped());
  const CallStop::Way second(call->stop(), [&cancelled] { ++cancelled; });
  EXPECT_EQ(cancelled, 2);
}

TEST(OpenCallsTest, WhatHasEndedIsNotCutShort) {
  OpenCalls calls;
  const auto call = calls.Begin();
  int cancelled = 0;
  {
    const CallStop::Way way(call->stop(), [&cancelled] { ++cancelled; });
  }
  calls.Close([] {});
  EXPECT_EQ(cancelled, 0);
}

}  // namespace
}  // namespace kinora
