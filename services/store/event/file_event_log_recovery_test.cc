// What a start tells of files that are not as the last process left them.

#include "services/store/event/file_event_log_recovery.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/file_event_log_recovery_fixture.h"
#include "services/store/event/journal.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(FileEventLogRecoveryTest, AChangedFileIsToldOfBeforeItIsMadeGood) {
  Append(3);
  const std::string whole = Bytes();
  fs_.FlipByte(path_, 70);
  EXPECT_THAT(Reopen(),
              AllOf(HasSubstr("level=warning"), HasSubstr(kDiffers),
                    HasSubstr("file=" + path_), HasSubstr("offset=70")));
  EXPECT_EQ(Bytes(), whole);
  EXPECT_THAT(Reopen(), Not(HasSubstr(kDiffers)));
}

TEST_F(FileEventLogRecoveryTest, LinesThatTheJournalDoesNotKnowAreToldOf) {
  Append(3);
  const std::string whole = Bytes();
  ASSERT_OK(WriteFileAtomically(fs_, path_, whole + "{\"more\":1}\n"));
  EXPECT_THAT(Reopen(),
              AllOf(HasSubstr(kDiffers),
                    HasSubstr("offset=" + std::to_string(whole.size()))));
  EXPECT_EQ(Bytes(), whole);
}

// What a crash may leave is nothing to tell of.
TEST_F(FileEventLogRecoveryTest, AFileThatEndsEarlyIsCompletedWithoutAWord) {
  Append(1);
  const size_t line = Bytes().size();
  Reopen();
  for (const size_t lost : {size_t{0}, size_t{5}, line}) {
    Append(1);
    const std::string whole = Bytes();
    ASSERT_OK(fs_.Truncate(path_, whole.size() - lost));
    EXPECT_THAT(Reopen(), Not(HasSubstr(kDiffers))) << lost;
    EXPECT_EQ(Bytes(), whole);
  }
}

// Where no journal completes it: the line is cut off, once, and it is said.
// F: S0-25, Invariant 3
TEST_F(FileEventLogRecoveryTest, ATornLastLineIsToldOf) {
  Append(3);
  const std::string whole = Bytes();
  const size_t two_lines = whole.size() / 3 * 2;
  log_.reset();
  ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> segments,
                       ListJournalSegments(fs_, "/store/journal"));
  for (const uint64_t segment : segments) {
    ASSERT_OK(fs_.Remove(JournalSegmentPath("/store/journal", segment)));
  }
  ASSERT_OK(fs_.Truncate(path_, whole.size() - 1));
  Reopen();
  const auto said_at_the_first_look = [this] {
    ::testing::internal::CaptureStderr();
    EXPECT_OK(log_->Extent(kLog));
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(said_at_the_first_look(),
              AllOf(HasSubstr("level=warning"), HasSubstr("torn last line"),
                    HasSubstr(path_)));
  Append(1);
  EXPECT_EQ(Bytes().substr(0, two_lines), whole.substr(0, two_lines));
  Reopen();
  EXPECT_THAT(said_at_the_first_look(), Not(HasSubstr("torn")));
}

TEST_F(FileEventLogRecoveryTest, AnEmptiedSegmentOfTheJournalIsToldOf) {
  Append(3);
  ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> segments,
                       ListJournalSegments(fs_, "/store/journal"));
  ASSERT_FALSE(segments.empty());
  const std::string segment =
      JournalSegmentPath("/store/journal", segments.back());
  ASSERT_OK(fs_.Truncate(segment, 0));
  EXPECT_THAT(Reopen(), AllOf(HasSubstr("level=warning"),
                              HasSubstr("holds nothing"), HasSubstr(segment)));
  EXPECT_THAT(Reopen(), Not(HasSubstr("holds nothing")));
}

// The journal's older lines are not written over what came after the archive.
TEST_F(FileEventLogRecoveryTest, AFileThatWasBegunAnewOutlivesTheJournalsEnd) {
  Append(4);
  const std::string four = Bytes();
  const JournalEnd end = EndOfJournal();
  ASSERT_OK(log_->Archive(kLog, 4, kArchive));
  Append(2);
  const std::string two = Bytes();
  ASSERT_EQ(two.size(), four.size() / 2);

  LoseJournalBehind(end);
  EXPECT_THAT(Reopen(),
              AllOf(HasSubstr("goes on behind the end of the journal"),
                    HasSubstr(path_), Not(HasSubstr(kDiffers))));
  EXPECT_EQ(Bytes(), two);
  ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 6);
  Append(1);
  EXPECT_EQ(Bytes().substr(0, two.size()), two);
}

// Nothing is cut off behind the damage, by which it would be forgotten.
TEST_F(FileEventLogRecoveryTest, DamageInAFileThatWasBegunAnewStaysToBeTold) {
  Append(4);
  const JournalEnd end = EndOfJournal();
  ASSERT_OK(log_->Archive(kLog, 4, kArchive));
  Append(3);
  LoseJournalBehind(end);
  fs_.FlipByte(path_, Bytes().size() / 2);
  const std::string damaged = Bytes();
  for (int start = 0; start < 2; ++start) {
    Reopen();
    EXPECT_EQ(Bytes(), damaged);
    EXPECT_THAT(log_->Extent(kLog),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr(absl::StrCat(path_, ", line 2"))));
  }
}

// A line that was torn there is cut as in any other log.
TEST_F(FileEventLogRecoveryTest, AFileThatWasBegunAnewMayEndInATornLine) {
  Append(4);
  const JournalEnd end = EndOfJournal();
  ASSERT_OK(log_->Archive(kLog, 4, kArchive));
  Append(3);
  LoseJournalBehind(end);
  const std::string three = Bytes();
  const std::string two = three.substr(0, three.size() / 3 * 2);
  ASSERT_OK(fs_.Truncate(path_, three.size() - 1));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 6);
  Append(1);
  Reopen();
  EXPECT_EQ(Bytes().size(), three.size());
  EXPECT_EQ(Bytes().substr(0, two.size()), two);
}

// What docs/operations.md advises if a journal cannot be mended.
TEST_F(FileEventLogRecoveryTest,
       WithoutItsDamagedJournalAStoreHasWhatIsInLogs) {
  Append(5);
  const std::string whole = Bytes();
  log_.reset();
  ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> segments,
                       ListJournalSegments(fs_, "/store/journal"));
  ASSERT_EQ(segments.size(), 1u);
  const std::string segment = JournalSegmentPath("/store/journal", segments[0]);
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(fs_, segment));
  bytes.replace(kJournalHeader.size(), 200, std::string(200, '\0'));
  ASSERT_OK(WriteFileAtomically(fs_, segment, bytes));
  EXPECT_THAT(FileEventLog::Open(fs_, "/store").status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(segment),
                             HasSubstr("with later records behind it"))));
  ASSERT_OK(fs_.Remove(segment));
  Reopen();
  EXPECT_EQ(Bytes(), whole);
  Append(1);
  ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 6);
}

// The lines are gone, the checkpoint that was synced after them is there.
TEST_F(FileEventLogRecoveryTest, AnEndThatWasAcknowledgedAndIsGoneIsDamage) {
  Append(5);
  ASSERT_OK(log_->Checkpoint(kLog));
  Reopen();  // the journal is done with them
  const std::string whole = Bytes();
  for (const size_t kept :
       {whole.size() - 1, whole.size() / 5 * 3, size_t{0}}) {
    const auto records = static_cast<int64_t>(kept * 5 / whole.size());
    SCOPED_TRACE(records);
    ASSERT_OK(WriteFileAtomically(fs_, path_, whole.substr(0, kept)));
    const auto lost =
        StatusIs(absl::StatusCode::kDataLoss,
                 HasSubstr(absl::StrCat(path_, ": it ends with record ",
                                        records, ", but 5 was acknowledged")));
    for (int start = 0; start < 2; ++start) {  // it is not forgotten
      Reopen();
      EXPECT_THAT(log_->Extent(kLog), lost);
      EXPECT_EQ(ReasonOf(log_->Extent(kLog).status()), "DATA_CORRUPT");
      if (records > 0) {
        ASSERT_OK_AND_ASSIGN(const auto found, log_->Read(kLog, 0, 9, 10'000));
        EXPECT_EQ(static_cast<int64_t>(found.size()), records);
      }
      EXPECT_THAT(log_->Read(kLog, records, 9, 10'000), lost);
      const std::vector<std::string> bodies = {"{\"some\":\"event\"}"};
      EXPECT_EQ(ReasonOf(log_->Append(kLog, bodies, AdmitAlways).status()),
                "MOVIE_QUARANTINED");
      EXPECT_FALSE(log_->FoundDamage("builds/m/").ok());
    }
  }
  ASSERT_OK(WriteFileAtomically(fs_, path_, whole));
  Reopen();
  Append(1);
  ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 6);
}

TEST_F(FileEventLogRecoveryTest, TheEndOfTheNewestArchiveIsKnown) {
  const std::string archive = "builds/m/events/rev-1.inputs.jsonl";
  Append(5);
  ASSERT_OK(log_->Archive(kLog, 5, archive));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const std::string whole,
                       ReadFile(fs_, "/store/" + archive));
  ASSERT_OK(fs_.Truncate("/store/" + archive, whole.size() / 5 * 4));
  Reopen();
  EXPECT_THAT(log_->Extent(kLog),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(archive + ": it ends with record 4"),
                             HasSubstr("but 5 was acknowledged"))));
  ASSERT_OK(fs_.Remove("/store/" + archive));
  Reopen();
  EXPECT_THAT(log_->Extent(kLog), StatusIs(absl::StatusCode::kDataLoss,
                                           HasSubstr("with record 0, but 5")));
}

// Not the archive before it, in which nothing is wrong.
TEST_F(FileEventLogRecoveryTest, ALiveFileThatIsGoneIsNamedWithWhatItHeld) {
  Append(5);
  ASSERT_OK(log_->Archive(kLog, 5, kArchive));
  Append(2);
  ASSERT_OK(log_->Checkpoint(kLog));
  Reopen();  // the journal is done with them
  ASSERT_OK(fs_.Remove(path_));
  Reopen();
  EXPECT_THAT(log_->Extent(kLog),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_ + ": it is missing, where record "
                                               "6 is due, but 7 was "
                                               "acknowledged"),
                             HasSubstr("as inputs.checkpoint shows"),
                             Not(HasSubstr(kArchive)))));
  EXPECT_EQ(log_->Read(kLog, 0, 9, 10'000)->size(), 5u);
}

TEST_F(FileEventLogRecoveryTest, WhatWasRemovedOnPurposeIsNotMissed) {
  Append(5);
  ASSERT_OK(log_->Archive(kLog, 5, "builds/m/events/rev-1.inputs.jsonl"));
  Append(1);
  ASSERT_OK(log_->Trim(kLog, 5));
  Reopen();
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.oldest_sequence, 6);
  EXPECT_EQ(extent.last_sequence, 6);
  ASSERT_OK(log_->Remove(kLog));
  Append(1);
  Reopen();
  ASSERT_OK_AND_ASSIGN(extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 1);
}

}  // namespace
}  // namespace kinora
