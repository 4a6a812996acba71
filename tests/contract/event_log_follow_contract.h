// The part of the contract of EventLog about who waits for more.

#ifndef KINORA_TESTS_CONTRACT_EVENT_LOG_FOLLOW_CONTRACT_H_
#define KINORA_TESTS_CONTRACT_EVENT_LOG_FOLLOW_CONTRACT_H_

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/store/event/log_line.h"
#include "tests/contract/event_log_fixture.h"

namespace kinora {

TEST_P(EventLogContract, AWaiterIsCalledOnceWhenThereIsMore) {
  Fill(kInputsLog, 2);
  NotificationCounter later, never;
  log().NotifyAfter(kInputsLog, 2, [&later] { later.Add(); });
  const auto id = log().NotifyAfter(kInputsLog, 5, [&never] { never.Add(); });
  Fill(kArtefactsLog, 9);
  EXPECT_EQ(later.count(), 0);
  Fill(kInputsLog, 2);
  EXPECT_TRUE(later.WaitFor(1));
  log().CancelNotify(id);
  Fill(kInputsLog, 9);
  EXPECT_EQ(later.count(), 1);
  EXPECT_EQ(never.count(), 0);
}

TEST_P(EventLogContract, AWaiterIsCalledAtOnceIfThereIsMoreAlready) {
  Fill(kInputsLog, 2);
  NotificationCounter counter;
  log().NotifyAfter(kInputsLog, 1, [&counter] { counter.Add(); });
  EXPECT_TRUE(counter.WaitFor(1));
  Reopen();
  log().NotifyAfter(kInputsLog, 0, [&counter] { counter.Add(); });
  EXPECT_TRUE(counter.WaitFor(Sequences(kInputsLog, 0).empty() ? 1 : 2));
}

TEST_P(EventLogContract, CancellingWhatIsUnknownOrOverIsHarmless) {
  NotificationCounter counter;
  const auto id = log().NotifyAfter(kInputsLog, 0, [&] { counter.Add(); });
  Fill(kInputsLog, 1);
  EXPECT_TRUE(counter.WaitFor(1));
  log().CancelNotify(id);
  log().CancelNotify(id + 1000);
}

TEST_P(EventLogContract, WhoWaitsHearsOfARemoval) {
  Fill(kInputsLog, 2);
  NotificationCounter counter;
  log().NotifyAfter(kInputsLog, 2, [&counter] { counter.Add(); });
  ASSERT_OK(log().Remove(kInputsLog));
  EXPECT_TRUE(counter.WaitFor(1));
}

// F: Invariant 9
TEST_P(EventLogContract, FollowersSeeEveryRecordOnceAndInOrder) {
  constexpr int kLogs = 4, kAppendersPerLog = 3, kAppends = 40;
  constexpr int64_t kTotal = kAppendersPerLog * kAppends;
  const auto name = [](int i) {
    return absl::StrCat("builds/m", i, "/events/inputs.log");
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kLogs; ++i) {
    for (int j = 0; j < kAppendersPerLog; ++j) {
      threads.emplace_back([this, i, &name] {
        for (int k = 0; k < kAppends; ++k) {
          EXPECT_OK(Append(name(i), {"{\"a\":1}"}));
        }
      });
    }
    threads.emplace_back([this, i, &name] {
      // Reads to the end, waits for more, archives now and then.
      int64_t seen = 0;
      while (seen < kTotal) {
        NotificationCounter more;
        const auto id =
            log().NotifyAfter(name(i), seen, [&more] { more.Add(); });
        ASSERT_TRUE(more.WaitFor(1));
        log().CancelNotify(id);
        const auto records = log().Read(name(i), seen, 7, kNoLimit);
        ASSERT_OK(records);
        ASSERT_FALSE(records->empty());
        for (const LogRecord& record : *records) {
          ASSERT_EQ(record.sequence, ++seen);
          ASSERT_OK(CheckLogLineIs(seen, record.line));
        }
        if (i % 2 == 0 && seen % 5 == 0) {
          EXPECT_OK(log().Archive(
              name(i), seen - 2,
              absl::StrCat("builds/m", i, "/events/r", seen, ".inputs.jsonl")));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kLogs; ++i) {
    ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(name(i)));
    EXPECT_EQ(extent.last_sequence, kTotal);
  }
}

}  // namespace kinora

#endif  // KINORA_TESTS_CONTRACT_EVENT_LOG_FOLLOW_CONTRACT_H_
