#include "services/store/event/event_log_group_commit.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "common/mutex.h"

namespace kinora {
namespace {

struct Numbered : EventLogGroupCommit::Entry {
  int number = 0;
  int served = 0;
};

TEST(EventLogGroupCommitTest, ALoneCallerLeadsItself) {
  EventLogGroupCommit queue(100);
  Numbered entry;
  queue.Run(entry, [](absl::Span<EventLogGroupCommit::Entry* const> group) {
    ASSERT_EQ(group.size(), 1u);
    ++static_cast<Numbered*>(group[0])->served;
  });
  EXPECT_EQ(entry.served, 1);
}

// While the first step runs, callers gather; the next steps take them in groups
// within the limit of bytes, each caller once.
TEST(EventLogGroupCommitTest, CallersThatComeMeanwhileShareAStep) {
  constexpr int kCallers = 9;
  EventLogGroupCommit queue(3);
  Mutex mu;
  CondVar changed;
  int arrived = 0;             // guarded by mu
  std::vector<size_t> groups;  // of the leader of the moment
  const auto step = [&](absl::Span<EventLogGroupCommit::Entry* const> group) {
    groups.push_back(group.size());
    for (EventLogGroupCommit::Entry* entry : group) {
      ++static_cast<Numbered*>(entry)->served;
    }
    if (groups.size() > 1) return;
    // The first: all others have at least begun to call.
    MutexLock lock(mu);
    while (arrived < kCallers) changed.Wait(mu);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] {
      Numbered entry;
      entry.number = i;
      entry.bytes = 1;
      {
        MutexLock lock(mu);
        ++arrived;
        changed.SignalAll();
      }
      queue.Run(entry, step);
      EXPECT_EQ(entry.served, 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  size_t served = 0;
  for (const size_t size : groups) {
    EXPECT_LE(size, 3u);
    served += size;
  }
  EXPECT_EQ(served, static_cast<size_t>(kCallers));
}

TEST(EventLogGroupCommitTest, AnEntryAboveTheLimitIsServedAlone) {
  EventLogGroupCommit queue(3);
  Numbered entry;
  entry.bytes = 1000;
  queue.Run(entry, [](absl::Span<EventLogGroupCommit::Entry* const> group) {
    ++static_cast<Numbered*>(group[0])->served;
  });
  EXPECT_EQ(entry.served, 1);
}

}  // namespace
}  // namespace kinora
