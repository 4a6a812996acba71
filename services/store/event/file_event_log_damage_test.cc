// What becomes of log files that are not as they were written.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log_fixture.h"

namespace kinora {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// F: S0-25, Invariant 3
TEST_F(FileEventLogTest, ATornLastLineIsCutBeforeTheNextAppend) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK_AND_ASSIGN(const std::string whole, ReadFile(fs_, kInputs));
  for (const uint64_t segment : Segments()) {
    ASSERT_OK(fs_.Remove(JournalSegmentPath("/store/journal", segment)));
  }
  ASSERT_OK(fs_.Truncate(kInputs, whole.size() - 1));
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 2);
  ASSERT_OK(Append(kInputsLog, 1));
  EXPECT_EQ(Last(kInputsLog), 3);
  EXPECT_THAT(ReadFile(fs_, kInputs), IsOkAndHolds(whole));
}

// F: S0-25, Invariant 3
TEST_F(FileEventLogTest, DamageQuarantinesOneLog) {
  options_ = SmallOptions(nullptr);
  Reopen();
  ASSERT_OK(Append(kArtefactsLog, 20));
  ASSERT_OK(Append(kInputsLog, 60));
  fs_.FlipByte(kInputs, 70);  // in a line that the journal has forgotten
  Reopen();
  const auto where = HasSubstr(kInputs + ", line 2: ");
  EXPECT_THAT(log_->Read(kInputsLog, 0, 1, 1),
              StatusIs(absl::StatusCode::kDataLoss, where));
  EXPECT_THAT(log_->Extent(kInputsLog),
              StatusIs(absl::StatusCode::kDataLoss, where));
  EXPECT_EQ(ReasonOf(log_->Extent(kInputsLog).status()), "DATA_CORRUPT");
  EXPECT_THAT(Append(kInputsLog),
              StatusIs(absl::StatusCode::kFailedPrecondition, where));
  EXPECT_EQ(ReasonOf(Append(kInputsLog)), "MOVIE_QUARANTINED");
  EXPECT_THAT(log_->Archive(kInputsLog, 1, kArchive),
              StatusIs(absl::StatusCode::kFailedPrecondition, where));
  NotificationCounter counter;
  log_->NotifyAfter(kInputsLog, 1000, [&counter] { counter.Add(); });
  EXPECT_EQ(counter.count(), 1);
  ASSERT_OK(Append(kArtefactsLog));
  EXPECT_EQ(Last(kArtefactsLog), 21);
}

// Records that somebody has read before are missing, were it all of them.
TEST_F(FileEventLogTest, AReportOfALostEndQuarantinesTheLog) {
  for (const int left : {2, 0}) {
    SCOPED_TRACE(left);
    const std::string name = absl::StrCat("builds/m", left, "/events/a.log");
    ASSERT_OK(Append(name, left));
    EXPECT_THAT(log_->ReportLostEnd(name, 3, "a manifest"),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr(name), HasSubstr("a manifest"))));
    EXPECT_EQ(ReasonOf(Append(name)), "MOVIE_QUARANTINED");
    EXPECT_THAT(log_->FoundDamage(absl::StrCat("builds/m", left, "/")),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

// Who has read of a log before it was removed may come with that at any time
// after it: the next log of that name has lost nothing.
TEST_F(FileEventLogTest, ALateReportAboutARemovedLogIsNoDamage) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Remove(kInputsLog));
  for (int next = 0; next < 2; ++next) {
    EXPECT_THAT(log_->ReportLostEnd(kInputsLog, 3, "a manifest"),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_OK(log_->FoundDamage("builds/m/"));
    ASSERT_OK(Append(kInputsLog));
  }
  EXPECT_EQ(Last(kInputsLog), 2);
}

// However many logs were used meanwhile: two are kept in memory.
TEST_F(FileEventLogTest, ARemovalIsNotForgottenWithTheLogsState) {
  options_ = SmallOptions(nullptr);
  Reopen();
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Remove(kInputsLog));
  for (int other = 0; other < 9; ++other) {
    ASSERT_OK(Append(absl::StrCat("builds/m", other, "/events/a.log"), 9));
  }
  EXPECT_THAT(log_->ReportLostEnd(kInputsLog, 3, "a manifest"),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_OK(log_->FoundDamage("builds/m/"));
  EXPECT_OK(Append(kInputsLog));
}

// What was found in an archive, or was reported, opening the log does not find.
TEST_F(FileEventLogTest, AQuarantineIsNotForgottenWithTheLogsState) {
  options_ = SmallOptions(nullptr);
  Reopen();
  ASSERT_OK(Append(kInputsLog, 2));
  EXPECT_THAT(log_->ReportLostEnd(kInputsLog, 3, "a manifest"),
              StatusIs(absl::StatusCode::kDataLoss));
  for (int other = 0; other < 9; ++other) {
    ASSERT_OK(Append(absl::StrCat("builds/m", other, "/events/a.log"), 9));
  }
  EXPECT_EQ(ReasonOf(Append(kInputsLog)), "MOVIE_QUARANTINED");
}

TEST_F(FileEventLogTest, ALogFileThatLostSyncedBytesIsReported) {
  options_ = SmallOptions(nullptr);
  Reopen();
  ASSERT_OK(Append(kInputsLog, 100));
  log_.reset();
  ASSERT_OK(fs_.Truncate(kInputs, 100));
  Reopen();
  EXPECT_THAT(
      log_->Read(kInputsLog, 0, 1, 1),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kInputs + ", line 3")));
}

// It says nothing about what is in the log, and may pass.
TEST_F(FileEventLogTest, AReadThatTheDiskFailsIsNoDamage) {
  ASSERT_OK(Append(kInputsLog, 3));
  const auto failed =
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("Input/output error"));
  for (const bool opened : {true, false}) {
    if (!opened) Reopen();
    fs_.FailAlways(FileOp::kRead, DiskFailure("Input/output error"));
    const absl::Status read = log_->Read(kInputsLog, 0, 9, 9999).status();
    EXPECT_THAT(read, failed);
    EXPECT_EQ(ReasonOf(read), "");
    EXPECT_OK(log_->FoundDamage("builds/m/"));
    fs_.ClearFailures();
    EXPECT_OK(Append(kInputsLog));
  }
  EXPECT_EQ(Last(kInputsLog), 5);
}

TEST_F(FileEventLogTest, ADamagedArchiveIsReportedWhereItIsRead) {
  ASSERT_OK(Append(kInputsLog, 5));
  ASSERT_OK(log_->Archive(kInputsLog, 3, kArchive));
  fs_.FlipByte("/store/" + kArchive, 70);
  Reopen();
  const absl::Status damage = log_->Read(kInputsLog, 1, 1, 1).status();
  EXPECT_THAT(damage, StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("/store/" + kArchive + ", line 2")));
  EXPECT_EQ(ReasonOf(damage), "DATA_CORRUPT");
  EXPECT_EQ(ReasonOf(Append(kInputsLog)), "MOVIE_QUARANTINED");
  ASSERT_OK_AND_ASSIGN(auto records, log_->Read(kInputsLog, 3, 9, kNoLimit));
  EXPECT_EQ(records.size(), 2u);
}

TEST_F(FileEventLogTest, RecordsWhoseArchiveIsGoneAreOutOfRange) {
  ASSERT_OK(Append(kInputsLog, 5));
  ASSERT_OK(log_->Archive(kInputsLog, 3, kArchive));
  ASSERT_OK(fs_.Remove("/store/" + kArchive));
  Reopen();
  EXPECT_THAT(log_->Read(kInputsLog, 0, 1, 1),
              StatusIs(absl::StatusCode::kOutOfRange,
                       AllOf(HasSubstr("record 1"), HasSubstr("oldest is 4"))));
  EXPECT_OK(log_->Read(kInputsLog, 3, 1, 1));
}

TEST_F(FileEventLogTest, AMissingArchiveInTheMiddleIsDataLoss) {
  for (int i = 1; i <= 3; ++i) {
    ASSERT_OK(Append(kInputsLog, 2));
    ASSERT_OK(log_->Archive(
        kInputsLog, 2 * i,
        absl::StrCat("builds/m/events/rev-", i, ".inputs.jsonl")));
  }
  ASSERT_OK(fs_.Remove("/store/builds/m/events/rev-2.inputs.jsonl"));
  Reopen();
  EXPECT_THAT(log_->Read(kInputsLog, 0, 1, 1),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(kInputs + ": the records 3 to 4 are"),
                             HasSubstr("between rev-1.inputs.jsonl and "
                                       "rev-3.inputs.jsonl"))));
}

TEST_F(FileEventLogTest, ADamagedCheckpointIsIgnored) {
  const std::string path = "/store/builds/m/events/inputs.checkpoint";
  ASSERT_OK(Append(kInputsLog, 40));
  ASSERT_OK(log_->Checkpoint(kInputsLog));
  ASSERT_OK_AND_ASSIGN(const std::string line, ReadFile(fs_, path));
  for (size_t i = 0; i < line.size(); ++i) {
    fs_.FlipByte(path, i);
    Reopen();
    ASSERT_OK_AND_ASSIGN(LogExtent extent, log_->Extent(kInputsLog));
    EXPECT_EQ(extent.last_sequence, 40);
    fs_.FlipByte(path, i);
  }
}

// F: S0-24
TEST_F(FileEventLogTest, ACheckpointSparesReadingTheLog) {
  ASSERT_OK(Append(kInputsLog, 400));
  ASSERT_OK(log_->Checkpoint(kInputsLog));
  ASSERT_OK(Append(kInputsLog, 3));
  Reopen();
  // Found by whoever reads it, not by opening.
  fs_.FlipByte(kInputs, 1000);
  ASSERT_OK_AND_ASSIGN(LogExtent extent, log_->Extent(kInputsLog));
  EXPECT_EQ(extent.last_sequence, 403);
  ASSERT_OK_AND_ASSIGN(auto end, log_->Read(kInputsLog, 399, 9, kNoLimit));
  EXPECT_EQ(end.size(), 4u);
  ASSERT_OK(Append(kInputsLog));
  // From then on it is as if opening had found it.
  const auto damaged =
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kInputs + ", line "));
  EXPECT_THAT(log_->Read(kInputsLog, 0, 400, kNoLimit), damaged);
  EXPECT_THAT(log_->Read(kInputsLog, 399, 9, kNoLimit), damaged);
  absl::Status refused = Append(kInputsLog);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReasonOf(refused), "MOVIE_QUARANTINED");
  EXPECT_OK(Append(kArtefactsLog));
}

TEST_F(FileEventLogTest, ADamagedLogCanBeRemoved) {
  ASSERT_OK(Append(kInputsLog, 5));
  ASSERT_OK(log_->Archive(kInputsLog, 3, kArchive));
  fs_.FlipByte(kInputs, 20);
  Reopen();
  ASSERT_FALSE(Append(kInputsLog).ok());
  ASSERT_OK(log_->Remove(kInputsLog));
  EXPECT_THAT(Exists(fs_, kInputs), IsOkAndHolds(false));
  EXPECT_THAT(Exists(fs_, "/store/" + kArchive), IsOkAndHolds(false));
  ASSERT_OK(Append(kInputsLog));
  Reopen();
  ASSERT_OK_AND_ASSIGN(auto records, log_->Read(kInputsLog, 0, 9, kNoLimit));
  EXPECT_EQ(records.size(), 1u);
}

}  // namespace
}  // namespace kinora
