// The part of the contract of EventLog about what becomes of old records.

#ifndef KINORA_TESTS_CONTRACT_EVENT_LOG_ARCHIVE_CONTRACT_H_
#define KINORA_TESTS_CONTRACT_EVENT_LOG_ARCHIVE_CONTRACT_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "tests/contract/event_log_fixture.h"

namespace kinora {

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

}  // namespace kinora

#endif  // KINORA_TESTS_CONTRACT_EVENT_LOG_ARCHIVE_CONTRACT_H_
