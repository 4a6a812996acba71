// What is cut off a log after a clean end is missed.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/file_event_log_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::string_view kOther = "b/o/x.log";
constexpr absl::string_view kNote = "/store/builds/m/events/inputs.checkpoint";

class FileEventLogCloseTest : public FileEventLogTest {
 protected:
  void Close() {
    ASSERT_OK(log_->Close());
    log_.reset();
  }
  // Leaves the first `size` bytes of a file.
  void CutTo(const std::string& path, size_t size) {
    ASSERT_OK_AND_ASSIGN(std::string text, ReadFile(fs_, path));
    ASSERT_LT(size, text.size());
    text.resize(size);
    ASSERT_OK(WriteFileAtomically(fs_, path, text));
  }
  // That a log which had `count` records says that it has lost the last ones.
  void ExpectLost(absl::string_view name, int64_t left, int64_t count) {
    const absl::Status lost = log_->Extent(name).status();
    EXPECT_THAT(lost, StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr(std::string(name)),
                                     HasSubstr(absl::StrCat(
                                         "ends with record ", left, ", but ",
                                         count, " was acknowledged")))));
    EXPECT_EQ(ReasonOf(lost), "DATA_CORRUPT");
    EXPECT_EQ(ReasonOf(Append(name)), "MOVIE_QUARANTINED");
    // What is there is read before it is told what is not.
    const auto records = log_->Read(name, 0, kNoLimit, kNoLimit);
    if (left > 0) {
      EXPECT_THAT(records, IsOkAndHolds(SizeIs(left)));
    }
    EXPECT_THAT(log_->Read(name, left, kNoLimit, kNoLimit),
                StatusIs(absl::StatusCode::kDataLoss));
  }
};

TEST_F(FileEventLogCloseTest, WhateverIsCutOffALogIsMissed) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(Append(kOther, 2));
  Close();
  ASSERT_OK_AND_ASSIGN(const std::string whole, ReadFile(fs_, kInputs));
  const size_t line_bytes = whole.size() / 3;
  for (size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    CutTo(kInputs, size);
    Reopen();
    ExpectLost(kInputsLog, static_cast<int64_t>(size / line_bytes), 3);
    EXPECT_EQ(Last(kOther), 2);
    Close();  // notes nothing of a damaged log
    ASSERT_OK(WriteFileAtomically(fs_, kInputs, whole));
    Reopen();
    EXPECT_EQ(Last(kInputsLog), 3);
    Close();
  }
}

TEST_F(FileEventLogCloseTest, RecordsBehindAnArchiveAreMissed) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Archive(kInputsLog, 2, kArchive));
  ASSERT_OK(Append(kInputsLog, 2));
  Close();
  CutTo(kInputs, 0);
  Reopen();
  EXPECT_THAT(log_->Extent(kInputsLog),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("ends with record 2, but 5 was "
                                 "acknowledged, as inputs.checkpoint shows")));
}

// Many are noted together, and those that are not in memory any more as well.
TEST_F(FileEventLogCloseTest, TheEndsOfManyLogsAreKnown) {
  options_ = SmallOptions(nullptr);
  Reopen();
  const auto name = [](int i) { return absl::StrCat("b/m", i, "/x.log"); };
  for (int i = 0; i < 60; ++i) ASSERT_OK(Append(name(i), 2));
  Close();
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);  // all is synced
  for (int i = 0; i < 60; ++i) CutTo(absl::StrCat("/store/", name(i)), 1);
  Reopen();
  for (int i = 0; i < 60; ++i) ExpectLost(name(i), 0, 2);
}

TEST_F(FileEventLogCloseTest, TheEndsOfRecoveredLogsAreKnown) {
  ASSERT_OK(Append(kInputsLog, 3));
  log_.reset();
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  Reopen();
  Close();  // nobody has asked for the log
  CutTo(kInputs, 1);
  Reopen();
  ExpectLost(kInputsLog, 0, 3);
}

TEST_F(FileEventLogCloseTest, TheEndsOfLogsOfBeforeTheVolumeWasFullAreKnown) {
  options_ = SmallOptions(nullptr);
  Reopen();
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(Append(kOther, 60));  // the journal needs the others no more
  fs_.SetRoom(0);
  Append(kOther).IgnoreError();  // finds none
  EXPECT_EQ(ReasonOf(Append(kOther)), "STORE_READ_ONLY");
  fs_.ClearFailures();
  Append(kOther).IgnoreError();  // looks for room
  ASSERT_OK(Append(kOther));
  Close();
  CutTo(kInputs, 1);
  Reopen();
  ExpectLost(kInputsLog, 0, 3);
}

TEST_F(FileEventLogCloseTest, LogsThatDidNotChangeAreNotWritten) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Archive(kInputsLog, 3, kArchive));
  ASSERT_OK(Append(kOther, 2));
  Reopen();
  Close();
  ASSERT_OK_AND_ASSIGN(const std::string note, ReadFile(fs_, kNote));
  Reopen();
  const int opened = fs_.changes();
  Close();
  const int idle = fs_.changes() - opened;
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 3);
  EXPECT_EQ(Last(kOther), 2);
  const int read = fs_.changes();
  Close();
  EXPECT_EQ(fs_.changes() - read, idle);
  EXPECT_THAT(ReadFile(fs_, kNote), IsOkAndHolds(note));
}

// A log that was removed has no end that could be missed.
TEST_F(FileEventLogCloseTest, ALogThatWasRemovedLeavesNoNote) {
  ASSERT_OK(Append(kInputsLog, 3));
  Reopen();
  ASSERT_OK(log_->Remove(kInputsLog));
  Close();
  EXPECT_TRUE(absl::IsNotFound(fs_.Stat(kNote).status()));
  Reopen();
  ASSERT_OK(Append(kInputsLog));
  EXPECT_EQ(Last(kInputsLog), 1);
}

// The notes are the last of what is written, and nothing depends on them.
TEST_F(FileEventLogCloseTest, AFailingDiskKeepsNobodyFromClosing) {
  for (const FileOp op : {FileOp::kOpenForWrite, FileOp::kAppend, FileOp::kSync,
                          FileOp::kRename, FileOp::kSyncDirectory}) {
    ASSERT_OK(Append(kInputsLog));
    fs_.FailAlways(op, absl::UnavailableError("Input/output error"));
    log_->Close().IgnoreError();
    log_.reset();
    fs_.ClearFailures();
    Reopen();
  }
  EXPECT_EQ(Last(kInputsLog), 5);
}

// Cut by a loss of power wherever, the logs are whole.
TEST_F(FileEventLogCloseTest, ACloseThatIsCutShortLosesNothing) {
  int64_t due = 0;
  for (int changes = 0;; ++changes) {
    ASSERT_OK(Append(kInputsLog));
    ASSERT_OK(Append(kOther));
    ++due;
    fs_.StopAfter(changes);
    log_->Close().IgnoreError();
    const bool stopped = fs_.stopped();
    log_.reset();
    fs_.Crash(static_cast<uint64_t>(changes));
    Reopen();
    EXPECT_EQ(Last(kInputsLog), due);
    EXPECT_EQ(Last(kOther), due);
    if (!stopped) break;
  }
  EXPECT_GT(due, 5);
}

}  // namespace
}  // namespace kinora
