// What every EventLog must do. A driver's test includes this header and says
//
//   INSTANTIATE_TEST_SUITE_P(Memory, EventLogContract,
//                            testing::Values(&MakeMemory));

#ifndef KINORA_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
#define KINORA_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/mutex.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_line.h"

namespace kinora {

// Owns a log and what it needs. Each test gets an empty one.
class EventLogFixture {
 public:
  virtual ~EventLogFixture() = default;
  virtual EventLog& log() = 0;

  // Closes the log and opens it again with what it keeps; nothing for a driver
  // that keeps nothing.
  virtual void Reopen() {}
};

using EventLogFactory = std::unique_ptr<EventLogFixture> (*)();

// Counts notifications and waits for them.
class NotificationCounter {
 public:
  void Add() {
    MutexLock lock(mu_);
    ++count_;
    changed_.SignalAll();
  }
  // False if there are fewer than `count` after half a minute.
  bool WaitFor(int count) {
    MutexLock lock(mu_);
    while (count_ < count) {
      if (!changed_.WaitFor(mu_, absl::Seconds(30))) return count_ >= count;
    }
    return true;
  }
  int count() {
    MutexLock lock(mu_);
    return count_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

inline constexpr char kInputsLog[] = "builds/m/events/inputs.log";
inline constexpr char kArtefactsLog[] = "builds/m/events/artefacts.log";
inline constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

class EventLogContract : public testing::TestWithParam<EventLogFactory> {
 protected:
  EventLog& log() { return fixture_->log(); }
  void Reopen() { fixture_->Reopen(); }

  absl::StatusOr<AppendedRange> Append(absl::string_view name,
                                       std::vector<std::string> bodies) {
    return log().Append(name, bodies, AdmitAlways);
  }

  // Appends `count` records {"n":1}, {"n":2}, ... one by one; n goes on from
  // call to call and is the sequence number.
  void Fill(absl::string_view name, int count) {
    ASSERT_OK_AND_ASSIGN(const LogExtent extent, log().Extent(name));
    for (int64_t n = extent.last_sequence + 1;
         n <= extent.last_sequence + count; ++n) {
      ASSERT_OK(Append(name, {absl::StrCat("{\"n\":", n, "}")}));
    }
  }

  // The sequence numbers after `after`; checks each line.
  std::vector<int64_t> Sequences(absl::string_view name, int64_t after,
                                 int64_t limit = kNoLimit) {
    std::vector<int64_t> sequences;
    const auto records = log().Read(name, after, limit, kNoLimit);
    EXPECT_OK(records);
    if (!records.ok()) return sequences;
    for (const LogRecord& record : *records) {
      EXPECT_OK(CheckLogLineIs(record.sequence, record.line));
      EXPECT_TRUE(absl::StrContains(
          record.line, absl::StrCat("\"n\":", record.sequence, ",")))
          << record.line;
      sequences.push_back(record.sequence);
    }
    return sequences;
  }

 private:
  std::unique_ptr<EventLogFixture> fixture_ = GetParam()();
};

inline std::vector<int64_t> FromTo(int64_t first, int64_t last) {
  std::vector<int64_t> numbers;
  for (int64_t n = first; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

TEST_P(EventLogContract, SequencesAreDenseAndBeginAtOne) {
  ASSERT_OK_AND_ASSIGN(AppendedRange first, Append(kInputsLog, {"{\"n\":1}"}));
  EXPECT_EQ(first.first_sequence, 1);
  EXPECT_EQ(first.last_sequence, 1);
  ASSERT_OK_AND_ASSIGN(AppendedRange more,
                       Append(kInputsLog, {"{\"n\":2}", "{\"n\":3}"}));
  EXPECT_EQ(more.first_sequence, 2);
  EXPECT_EQ(more.last_sequence, 3);
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 3));
}

TEST_P(EventLogContract, ALineIsTheBodyBetweenNumberAndChecksum) {
  ASSERT_OK(Append(kInputsLog, {"{\"text\":\"\xc3\xa9 }\"}"}));
  ASSERT_OK_AND_ASSIGN(auto records, log().Read(kInputsLog, 0, 1, kNoLimit));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_THAT(
      records[0].line,
      testing::StartsWith("{\"seq\":1,\"text\":\"\xc3\xa9 }\",\"crc32c\":\""));
  EXPECT_OK(CheckLogLineIs(1, records[0].line));
}

TEST_P(EventLogContract, AnUnknownLogIsEmpty) {
  EXPECT_THAT(Sequences(kInputsLog, 0), testing::IsEmpty());
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
  EXPECT_EQ(extent.oldest_sequence, 0);
  EXPECT_EQ(extent.last_sequence, 0);
}

TEST_P(EventLogContract, LogsAreApart) {
  Fill(kInputsLog, 3);
  Fill(kArtefactsLog, 1);
  EXPECT_EQ(Sequences(kArtefactsLog, 0), FromTo(1, 1));
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
  EXPECT_EQ(extent.oldest_sequence, 1);
  EXPECT_EQ(extent.last_sequence, 3);
}

TEST_P(EventLogContract, ReadsFromAnyPointInPages) {
  Fill(kInputsLog, 10);
  EXPECT_EQ(Sequences(kInputsLog, 4), FromTo(5, 10));
  EXPECT_EQ(Sequences(kInputsLog, 4, 2), FromTo(5, 6));
  EXPECT_THAT(Sequences(kInputsLog, 10), testing::IsEmpty());
  EXPECT_THAT(Sequences(kInputsLog, 99), testing::IsEmpty());
  EXPECT_THAT(Sequences(kInputsLog, kNoLimit - 1), testing::IsEmpty());
  EXPECT_THAT(Sequences(kInputsLog, kNoLimit), testing::IsEmpty());
  EXPECT_THAT(Sequences(kArtefactsLog, kNoLimit), testing::IsEmpty());
  // At least one record, however few the bytes.
  ASSERT_OK_AND_ASSIGN(auto one, log().Read(kInputsLog, 2, 10, 1));
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].sequence, 3);
  const int64_t bytes = static_cast<int64_t>(one[0].line.size());
  ASSERT_OK_AND_ASSIGN(auto two, log().Read(kInputsLog, 2, 10, 2 * bytes));
  EXPECT_EQ(two.size(), 2u);
}

TEST_P(EventLogContract, LongLinesAndManyLinesReadBack) {
  const std::string text(300000, 'x');
  ASSERT_OK(Append(kInputsLog, {"{\"n\":1,\"x\":\"" + text + "\"}"}));
  std::vector<std::string> bodies;
  for (int n = 2; n <= 3000; ++n) {
    bodies.push_back(absl::StrCat("{\"n\":", n, ",\"pad\":\"0123456789\"}"));
  }
  ASSERT_OK(Append(kInputsLog, bodies));
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 3000));
  for (int64_t after = 0; after < 3000; after += 97) {
    EXPECT_EQ(Sequences(kInputsLog, after, 3),
              FromTo(after + 1, std::min<int64_t>(after + 3, 3000)));
  }
}

TEST_P(EventLogContract, AdmitDecidesOnTheLastSequence) {
  Fill(kInputsLog, 2);
  int64_t seen = -1;
  const auto refuse = [&seen](int64_t last_sequence) {
    seen = last_sequence;
    return absl::AbortedError("stale token");
  };
  const std::vector<std::string> bodies = {"{\"n\":3}"};
  EXPECT_THAT(log().Append(kInputsLog, bodies, refuse),
              StatusIs(absl::StatusCode::kAborted, "stale token"));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 2));
  Fill(kInputsLog, 1);
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 3));
}

// Appends that come together: each is answered for itself, and those to one
// log pass in their order, each seeing what the one before it did.
TEST_P(EventLogContract, ManyAppendsAtOnceAreAnsweredEachForItself) {
  Fill(kInputsLog, 1);
  const std::vector<std::string> one = {"{\"a\":1}"};
  const std::vector<std::string> two = {"{\"b\":1}", "{\"b\":2}"};
  const std::vector<std::string> bad = {"not an object"};
  std::vector<int64_t> asked;
  const auto ask = [&asked](int64_t last) {
    asked.push_back(last);
    return absl::OkStatus();
  };
  const auto refuse = [](int64_t) { return absl::AbortedError("no"); };
  std::vector<EventLog::AppendCall> calls;
  calls.push_back({.log = kInputsLog, .bodies = two, .admit = ask});
  calls.push_back({.log = kArtefactsLog, .bodies = one, .admit = ask});
  calls.push_back({.log = kInputsLog, .bodies = one, .admit = refuse});
  calls.push_back({.log = kInputsLog, .bodies = bad, .admit = ask});
  calls.push_back({.log = "no log", .bodies = one, .admit = ask});
  calls.push_back({.log = kInputsLog, .bodies = one, .admit = ask});
  log().AppendAll(absl::MakeSpan(calls));

  EXPECT_EQ(asked, (std::vector<int64_t>{1, 0, 3}));
  ASSERT_OK(calls[0].result.status());
  EXPECT_EQ(calls[0].result->first_sequence, 2);
  EXPECT_EQ(calls[0].result->last_sequence, 3);
  ASSERT_OK(calls[1].result.status());
  EXPECT_EQ(calls[1].result->first_sequence, 1);
  EXPECT_THAT(calls[2].result.status(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(calls[3].result.status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(calls[4].result.status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK(calls[5].result.status());
  EXPECT_EQ(calls[5].result->first_sequence, 4);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const std::vector<LogRecord> records,
                       log().Read(kInputsLog, 0, 100, kNoLimit));
  EXPECT_EQ(records.size(), 4u);
}

TEST_P(EventLogContract, MalformedArgumentsAreRefused) {
  const auto refused = [](absl::string_view field) {
    return StatusIs(absl::StatusCode::kInvalidArgument,
                    testing::StartsWith(std::string(field)));
  };
  for (const char* name : {"", "inputs.log", "b/inputs", "b/.log", "b//x.log",
                           "../x.log", "/b/x.log", "b/x y.log", "b/x.y.log"}) {
    EXPECT_THAT(Append(name, {"{}"}), refused("log")) << name;
    EXPECT_THAT(log().Read(name, 0, 1, 1), refused("log"));
    EXPECT_THAT(log().Extent(name), refused("log"));
    EXPECT_THAT(log().Archive(name, 1, "b/r.x.jsonl"), refused("log"));
  }
  EXPECT_THAT(Append(kInputsLog, {}), refused("bodies"));
  EXPECT_THAT(Append(kInputsLog, {"{}", "{\n}"}), refused("bodies"));
  EXPECT_THAT(Append(kInputsLog, {"[]"}), refused("bodies"));
  EXPECT_THAT(Append(kInputsLog, {"{\"seq\":1}"}), refused("bodies"));
  EXPECT_THAT(log().Read(kInputsLog, -1, 1, 1), refused("after"));
  EXPECT_THAT(log().Read(kInputsLog, 0, 0, 1), refused("limit"));
  EXPECT_THAT(log().Read(kInputsLog, 0, 1, 0), refused("max_bytes"));
  for (const char* archive :
       {"", "builds/m/events/inputs.jsonl", "builds/m/events/.inputs.jsonl",
        "builds/m/rev-0001.inputs.jsonl",
        "builds/m/events/rev-0001.artefacts.jsonl"}) {
    EXPECT_THAT(log().Archive(kInputsLog, 1, archive), refused("archive"))
        << archive;
  }
  EXPECT_THAT(Sequences(kInputsLog, 0), testing::IsEmpty());
}

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

TEST_P(EventLogContract, ArchivedRecordsStayReadableAndNumbersGoOn) {
  Fill(kInputsLog, 5);
  ASSERT_OK(log().Archive(kInputsLog, 3, "builds/m/events/rev-1.inputs.jsonl"));
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 5));
  Fill(kInputsLog, 2);
  ASSERT_OK(log().Archive(kInputsLog, 7, "builds/m/events/rev-2.inputs.jsonl"));
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 7));
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
  EXPECT_EQ(extent.oldest_sequence, 1);
  EXPECT_EQ(extent.last_sequence, 7);
  Fill(kInputsLog, 1);
  for (int64_t after = 0; after <= 8; ++after) {
    EXPECT_EQ(Sequences(kInputsLog, after), FromTo(after + 1, 8));
    EXPECT_EQ(Sequences(kInputsLog, after, 2),
              FromTo(after + 1, std::min<int64_t>(after + 2, 8)));
  }
}

TEST_P(EventLogContract, ArchivingAgainIsHarmless) {
  const char kArchive[] = "builds/m/events/rev-1.inputs.jsonl";
  EXPECT_OK(log().Archive(kInputsLog, 3, kArchive));
  Fill(kInputsLog, 5);
  EXPECT_OK(log().Archive(kInputsLog, 0, kArchive));
  EXPECT_OK(log().Archive(kInputsLog, 3, kArchive));
  EXPECT_OK(log().Archive(kInputsLog, 3, kArchive));
  EXPECT_OK(log().Archive(kInputsLog, 2, kArchive));
  EXPECT_THAT(
      log().Archive(kInputsLog, 4, kArchive),
      StatusIs(absl::StatusCode::kAlreadyExists, testing::HasSubstr(kArchive)));
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 5));
  // More than there is: all that there is.
  EXPECT_OK(
      log().Archive(kInputsLog, 99, "builds/m/events/rev-2.inputs.jsonl"));
  Fill(kInputsLog, 1);
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 6));
}

// A checkpoint shows in nothing.
TEST_P(EventLogContract, CheckpointsChangeNothing) {
  EXPECT_OK(log().Checkpoint(kInputsLog));
  for (int64_t last = 3; last <= 9; last += 3) {
    Fill(kInputsLog, 3);
    ASSERT_OK(log().Checkpoint(kInputsLog));
    EXPECT_OK(log().Checkpoint(kInputsLog));
    EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, last));
  }
  ASSERT_OK(log().Archive(kInputsLog, 5, "builds/m/events/rev-1.inputs.jsonl"));
  Fill(kInputsLog, 1);
  ASSERT_OK(log().Checkpoint(kInputsLog));
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 10));
  EXPECT_THAT(log().Checkpoint("nope"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// F: S1-43
TEST_P(EventLogContract, TrimRemovesWholeArchives) {
  EXPECT_OK(log().Trim(kInputsLog, 9));
  for (int i = 1; i <= 3; ++i) {
    Fill(kInputsLog, 2);
    ASSERT_OK(log().Archive(
        kInputsLog, 2 * i,
        absl::StrCat("builds/m/events/rev-", i, ".inputs.jsonl")));
  }
  ASSERT_OK(log().Trim(kInputsLog, 1));
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 6));
  ASSERT_OK(log().Trim(kInputsLog, 3));
  EXPECT_EQ(Sequences(kInputsLog, 2), FromTo(3, 6));
  EXPECT_THAT(log().Read(kInputsLog, 1, 1, 1),
              StatusIs(absl::StatusCode::kOutOfRange,
                       testing::HasSubstr("oldest is 3")));
  // The last one stays, so that the numbers do.
  ASSERT_OK(log().Trim(kInputsLog, 99));
  EXPECT_EQ(Sequences(kInputsLog, 4), FromTo(5, 6));
  Fill(kInputsLog, 1);
  ASSERT_OK(log().Trim(kInputsLog, 99));
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
  EXPECT_EQ(extent.oldest_sequence, 7);
  EXPECT_EQ(extent.last_sequence, 7);
  Fill(kInputsLog, 1);
  EXPECT_EQ(Sequences(kInputsLog, 6), FromTo(7, 8));
  EXPECT_THAT(log().Trim("nope", 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(EventLogContract, ARemovedLogIsGoneAndItsNameIsFree) {
  EXPECT_OK(log().Remove(kInputsLog));
  Fill(kInputsLog, 5);
  Fill(kArtefactsLog, 2);
  ASSERT_OK(log().Archive(kInputsLog, 3, "builds/m/events/rev-1.inputs.jsonl"));
  ASSERT_OK(log().Checkpoint(kInputsLog));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(log().Remove(kInputsLog));
    EXPECT_THAT(Sequences(kInputsLog, 0), testing::IsEmpty());
    ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
    EXPECT_EQ(extent.last_sequence, 0);
  }
  EXPECT_EQ(Sequences(kArtefactsLog, 0), FromTo(1, 2));
  Fill(kInputsLog, 2);
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 2));
  EXPECT_THAT(log().Remove("nope"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(EventLogContract, WhoWaitsHearsOfARemoval) {
  Fill(kInputsLog, 2);
  NotificationCounter counter;
  log().NotifyAfter(kInputsLog, 2, [&counter] { counter.Add(); });
  ASSERT_OK(log().Remove(kInputsLog));
  EXPECT_TRUE(counter.WaitFor(1));
}

TEST_P(EventLogContract, AClosedLogIsThereWhenOpenedAgain) {
  Fill(kInputsLog, 3);
  Fill(kArtefactsLog, 2);
  ASSERT_OK(log().Archive(kInputsLog, 1, "builds/m/events/rev-1.inputs.jsonl"));
  ASSERT_OK(log().Close());
  Reopen();
  if (Sequences(kInputsLog, 0).empty()) return;  // a driver in memory
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 3));
  EXPECT_EQ(Sequences(kArtefactsLog, 0), FromTo(1, 2));
  Fill(kInputsLog, 1);
  EXPECT_EQ(Sequences(kInputsLog, 0), FromTo(1, 4));
}

TEST_P(EventLogContract, ARestoredLogBeginsWhereItsOriginalDid) {
  const std::vector<std::string> bodies = {"{\"n\":41}", "{\"n\":42}"};
  ASSERT_OK_AND_ASSIGN(AppendedRange range,
                       log().Restore(kInputsLog, 41, bodies));
  EXPECT_EQ(range.first_sequence, 41);
  EXPECT_EQ(range.last_sequence, 42);
  EXPECT_THAT(log().Restore(kInputsLog, 43, bodies),
              StatusIs(absl::StatusCode::kAlreadyExists));
  Fill(kInputsLog, 2);
  EXPECT_EQ(Sequences(kInputsLog, 40), FromTo(41, 44));
  EXPECT_THAT(log().Read(kInputsLog, 0, 1, 1),
              StatusIs(absl::StatusCode::kOutOfRange));
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
  EXPECT_EQ(extent.oldest_sequence, 41);
  EXPECT_THAT(log().Restore(kArtefactsLog, 0, bodies),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::StartsWith("first_sequence")));
  EXPECT_THAT(log().Restore(kArtefactsLog, 1, {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

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

// Of writers that admit only from the last sequence they saw, each number goes
// to one: the critical section is one.
TEST_P(EventLogContract, AdmitAndAppendAreOneStep) {
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, &won] {
      for (int64_t expected = 0; expected < 25;) {
        const std::vector<std::string> bodies = {"{}"};
        const auto admit = [expected](int64_t last_sequence) {
          return last_sequence == expected ? absl::OkStatus()
                                           : absl::AbortedError("lost");
        };
        const auto range = log().Append(kInputsLog, bodies, admit);
        if (range.ok()) {
          EXPECT_EQ(range->first_sequence, expected + 1);
          ++won;
        }
        const auto extent = log().Extent(kInputsLog);
        ASSERT_OK(extent);
        expected = extent->last_sequence;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log().Extent(kInputsLog));
  EXPECT_EQ(extent.last_sequence, won);
}

}  // namespace kinora

#endif  // KINORA_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
