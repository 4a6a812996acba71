// What every EventLog must do. A driver's test includes this header and says
//
//   INSTANTIATE_TEST_SUITE_P(Memory, EventLogContract,
//                            testing::Values(&MakeMemory));
//
// Here is the part about appending and reading; the others are included.

#ifndef KINORA_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
#define KINORA_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/store/event/log_line.h"
#include "tests/contract/event_log_archive_contract.h"
#include "tests/contract/event_log_fixture.h"
#include "tests/contract/event_log_follow_contract.h"

namespace kinora {

// F: S3-6
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

// F: S3-3
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
