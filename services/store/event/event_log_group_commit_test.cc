#include "services/store/event/event_log_group_commit.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "common/threads/mutex.h"

namespace kinora {
namespace {

struct Numbered : EventLogGroupCommit::Entry {
  int number = 0;
  int served = 0;
};

TEST(EventLogGroupCommitTest, ALoneCallerLeadsItself) {
  EventLogGroupCommit queue(100);
  Numbered entry;
  EventLogGroupCommit::Entry* entries[] = {&entry};
  queue.Run(entries, [](absl::Span<EventLogGroupCommit::Entry* const> group) {
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
      EventLogGroupCommit::Entry* entries[] = {&entry};
      queue.Run(entries, step);
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
  EventLogGroupCommit::Entry* entries[] = {&entry};
  queue.Run(entries, [](absl::Span<EventLogGroupCommit::Entry* const> group) {
    ++static_cast<Numbered*>(group[0])->served;
  });
  EXPECT_EQ(entry.served, 1);
}

// The entries of a caller pass in their order, in as many groups as it takes,
// and those of others come in between.
TEST(EventLogGroupCommitTest, CallersWithManyEntriesShareSteps) {
  constexpr int kCallers = 4;
  constexpr int kEntries = 7;
  EventLogGroupCommit queue(3);
  std::vector<Numbered*> order;  // of the leader of the moment
  const auto step = [&](absl::Span<EventLogGroupCommit::Entry* const> group) {
    EXPECT_LE(group.size(), 3u);
    for (EventLogGroupCommit::Entry* entry : group) {
      order.push_back(static_cast<Numbered*>(entry));
      ++order.back()->served;
    }
  };
  std::vector<std::thread> threads;
  std::vector<std::vector<Numbered>> all(kCallers);
  for (std::vector<Numbered>& mine : all) {
    mine.resize(kEntries);
    threads.emplace_back([&queue, &mine, step] {
      std::vector<EventLogGroupCommit::Entry*> entries;
      for (Numbered& entry : mine) {
        entry.number = static_cast<int>(entries.size());
        entry.bytes = 1;
        entries.push_back(&entry);
      }
      queue.Run(entries, step);
      for (const Numbered& entry : mine) EXPECT_EQ(entry.served, 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order.size(), static_cast<size_t>(kCallers * kEntries));
  for (const std::vector<Numbered>& mine : all) {
    int next = 0;
    for (const Numbered* entry : order) {
      if (entry < mine.data() || entry >= mine.data() + mine.size()) continue;
      EXPECT_EQ(entry->number, next++);
    }
    EXPECT_EQ(next, kEntries);
  }
}

}  // namespace
}  // namespace kinora
