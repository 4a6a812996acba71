// Removals of logs that a crash may have cut short, and logs that were begun
// anew after one.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/file_event_log_recovery_fixture.h"
#include "services/store/event/journal.h"
#include "services/store/event/journal_batch.h"
#include "services/store/event/log_file_removal.h"

namespace kinora {
namespace {

class FileEventLogRemovalTest : public FileEventLogRecoveryTest {};

// Where the batches of a segment end, beginning with its header.
std::vector<size_t> BatchEnds(absl::string_view segment) {
  std::vector<size_t> ends = {kJournalHeader.size()};
  for (;;) {
    const std::optional<JournalBatchHeader> batch =
        FindJournalBatch(segment.substr(ends.back()));
    if (!batch.has_value()) return ends;
    ends.push_back(ends.back() + batch->bytes());
  }
}

// Whichever batch was the last that the journal kept: what was acknowledged of
// the later log is in its file, and stays.
// F: Invariant 2
TEST_F(FileEventLogRemovalTest, ALaterLogStaysWhereverTheJournalEnds) {
  Append(3);
  ASSERT_OK(log_->Remove(kLog));
  Append(2, "other");
  const std::string later = Bytes();
  const JournalEnd end = EndOfJournal();
  log_.reset();
  ASSERT_OK_AND_ASSIGN(const std::string journal, ReadFile(fs_, end.segment));
  const std::vector<size_t> ends = BatchEnds(journal);
  ASSERT_GE(ends.size(), 7u);  // three appends, the removal, two appends
  for (const size_t kept : ends) {
    SCOPED_TRACE(kept);
    FaultyFileSystem fs;
    ASSERT_OK(fs.CreateDirectories("/store/journal"));
    ASSERT_OK(fs.CreateDirectories(ParentPath(path_)));
    ASSERT_OK(WriteFileAtomically(fs, end.segment, journal.substr(0, kept)));
    ASSERT_OK(WriteFileAtomically(fs, path_, later));
    ASSERT_OK_AND_ASSIGN(const auto log, FileEventLog::Open(fs, "/store"));
    EXPECT_THAT(ReadFile(fs, path_), IsOkAndHolds(later));
    ASSERT_OK_AND_ASSIGN(const LogExtent extent, log->Extent(kLog));
    EXPECT_EQ(extent.last_sequence, 2);
  }
}

// One that is the same to the byte, as a movie that was restored from its copy.
TEST_F(FileEventLogRemovalTest, ALaterLogWithTheSameLinesStaysToo) {
  Append(3);
  const std::string lines = Bytes();
  ASSERT_OK(log_->Remove(kLog));
  const JournalEnd end = EndOfJournal();
  Append(3);
  ASSERT_EQ(Bytes(), lines);
  LoseJournalBehind(end);
  Reopen();
  EXPECT_EQ(Bytes(), lines);
}

// The log is gone once the journal says so, whatever was left of its files.
TEST_F(FileEventLogRemovalTest, ARemovalThatWasCutShortIsEnded) {
  Append(3);
  ASSERT_OK(log_->Archive(kLog, 2, kArchive));
  const std::string live = Bytes();
  ASSERT_OK_AND_ASSIGN(const std::string archive,
                       ReadFile(fs_, JoinPath("/store", kArchive)));
  ASSERT_OK(log_->Remove(kLog));
  log_.reset();
  ASSERT_OK(NoteLogRemoval(fs_, "/store", kLog));
  ASSERT_OK(WriteFileAtomically(fs_, path_, live));
  ASSERT_OK(WriteFileAtomically(fs_, JoinPath("/store", kArchive), archive));
  Reopen();
  EXPECT_THAT(fs_.List(ParentPath(path_)), IsOkAndHolds(testing::IsEmpty()));
  Append(1);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 1);
}

// It never came to pass: the log goes on, also over further starts, and can be
// removed another time.
TEST_F(FileEventLogRemovalTest, ANoteAloneRemovesNothing) {
  Append(3);
  ASSERT_OK(NoteLogRemoval(fs_, "/store", kLog));
  for (int64_t last = 4; last < 7; ++last) {
    Reopen();
    Append(1);
    ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
    EXPECT_EQ(extent.last_sequence, last);
  }
  ASSERT_OK(log_->Remove(kLog));
  EXPECT_THAT(fs_.List(ParentPath(path_)), IsOkAndHolds(testing::IsEmpty()));
}

// In a journal that a crash of an older build left; that noted nothing.
TEST_F(FileEventLogRemovalTest, ARemovalOfAnOlderBuildIsEnded) {
  Append(3);
  const JournalEnd end = EndOfJournal();
  LoseJournalBehind(end);
  ASSERT_OK_AND_ASSIGN(std::string journal, ReadFile(fs_, end.segment));
  JournalBatchBuilder batch;
  batch.Add({.kind = JournalRecord::Kind::kRemoved, .log = kLog});
  const absl::string_view bytes = batch.Finish(4);
  journal.append(bytes.data(), bytes.size());
  ASSERT_OK(WriteFileAtomically(fs_, end.segment, journal));
  Reopen();
  EXPECT_THAT(Exists(fs_, path_), IsOkAndHolds(false));
  ASSERT_OK_AND_ASSIGN(const LogExtent extent, log_->Extent(kLog));
  EXPECT_EQ(extent.last_sequence, 0);
}

}  // namespace
}  // namespace kinora
