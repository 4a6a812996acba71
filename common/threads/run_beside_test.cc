#include "common/threads/run_beside.h"

#include <atomic>
#include <string>

#include "gtest/gtest.h"

#include "common/telemetry/trace_context.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

TEST(RunBesideTest, BothHaveEndedWhenItReturns) {
  ThreadPool pool("test", 2);
  for (int i = 0; i < 1000; ++i) {
    int own = 0, other = 0;
    RunBeside(
        pool, [&] { other = 1; }, [&] { own = 1; });
    ASSERT_EQ(own + other, 2);
  }
}

// The only thread of the pool waits in the call itself.
TEST(RunBesideTest, NeedsNoFreeThread) {
  ThreadPool pool("test", 1);
  std::atomic<bool> done = false;
  pool.Post([&] {
    int runs = 0;
    RunBeside(
        pool, [&] { ++runs; }, [] {});
    EXPECT_EQ(runs, 1);
    done = true;
    done.notify_all();
  });
  done.wait(false);
}

TEST(RunBesideTest, CallsOfBothBelongToTheTraceOfTheCaller) {
  ThreadPool pool("test", 1);
  TraceScope scope(TraceContext::New());
  std::string trace_id;
  std::atomic<bool> seen = false;
  RunBeside(
      pool,
      [&] {
        trace_id = CurrentTrace().trace_id;
        seen = true;
        seen.notify_all();
      },
      [&] { seen.wait(false); });
  EXPECT_EQ(trace_id, CurrentTrace().trace_id);
}

TEST(RunBesideTest, AHelperThatComesLateDoesNothing) {
  FakeClock clock;
  ManualExecutor executor(clock);
  int runs = 0;
  RunBeside(
      executor, [&] { ++runs; }, [] {});
  EXPECT_EQ(runs, 1);
  executor.RunUntilIdle();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace kinora
