// What an append or an archive that fails leaves behind.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log_fixture.h"

namespace kinora {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Every way in which the volume may fail an append: it is refused, nothing of
// it is seen, nothing more is taken, and a restart finds all and goes on.
TEST_F(FileEventLogTest, AFailedWriteMakesAllLogsReadOnly) {
  const auto read_only = StatusIs(
      absl::StatusCode::kUnavailable,
      AllOf(HasSubstr("/store"), HasSubstr("read-only"), HasSubstr("broken")));
  int last = 0;
  for (const FileOp op : {FileOp::kAppend, FileOp::kSync}) {
    ASSERT_OK(Append(kInputsLog, 2));
    ASSERT_OK(Append(kArtefactsLog));
    last += 2;
    fs_.FailNext(op, absl::DataLossError("broken"));
    EXPECT_THAT(Append(kInputsLog), read_only);
    EXPECT_THAT(Append(kInputsLog), read_only);
    EXPECT_THAT(Append(kArtefactsLog), read_only);
    EXPECT_THAT(Append("b/new.log"), read_only);
    EXPECT_THAT(log_->Archive(kInputsLog, 1, kArchive), read_only);
    EXPECT_EQ(Last(kInputsLog), last);
    fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
    Reopen();
    EXPECT_EQ(Last(kInputsLog), last);
  }
}

TEST_F(FileEventLogTest, AFailedWriteOfTheLogFileIsMadeGoodByTheJournal) {
  ASSERT_OK(Append(kInputsLog, 2));
  fs_.FailNext(FileOp::kAppend, absl::OkStatus());  // the journal's
  fs_.FailNext(FileOp::kAppend, absl::DataLossError("broken"));
  EXPECT_THAT(Append(kInputsLog),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("broken")));
  EXPECT_EQ(Last(kInputsLog), 2);
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 3);
}

TEST_F(FileEventLogTest, AnArchiveThatFindsNoRoomChangesNothing) {
  ASSERT_OK(Append(kInputsLog, 3));
  fs_.FailNext(FileOp::kAppend, absl::ResourceExhaustedError("disk full"));
  EXPECT_THAT(log_->Archive(kInputsLog, 2, kArchive),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(Last(kInputsLog), 3);
  ASSERT_OK(Append(kInputsLog));
  ASSERT_OK(log_->Archive(kInputsLog, 2, kArchive));
  EXPECT_EQ(Last(kInputsLog), 4);
}

// A crash between the two halves of giving an archive its name leaves the file
// with two names, of which the staged one must not be written through.
TEST(FileEventLogArchiveTest, AnArchiveWithTwoNamesIsNotOverwritten) {
  const std::string key = "builds/m/events/rev-1.inputs.jsonl";
  const std::string path = "/store/" + key;
  const std::vector<std::string> bodies(5, "{\"some\":\"event\"}");
  int found = 0;
  for (int cut = 0; cut < 12; ++cut) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      FaultyFileSystem fs;
      auto log = *FileEventLog::Open(fs, "/store");
      ASSERT_OK(log->Append(kInputsLog, bodies, AdmitAlways));
      fs.StopAfter(cut);
      (void)log->Archive(kInputsLog, 3, key);
      log.reset();
      fs.Crash(seed);
      if (!fs.Stat(path).ok() || !fs.Stat(path + "~").ok()) continue;

      ++found;
      log = *FileEventLog::Open(fs, "/store");
      EXPECT_THAT(log->Archive(kInputsLog, 5, key),
                  StatusIs(absl::StatusCode::kAlreadyExists));
      log.reset();
      log = *FileEventLog::Open(fs, "/store");
      ASSERT_OK_AND_ASSIGN(const auto records,
                           log->Read(kInputsLog, 0, kNoLimit, kNoLimit));
      EXPECT_EQ(records.size(), bodies.size());
    }
  }
  EXPECT_GT(found, 0);
}

TEST_F(FileEventLogTest, ReadsGoOnWhenTheArchivingBroke) {
  ASSERT_OK(Append(kInputsLog, 3));
  fs_.FailNext(FileOp::kRename, absl::DataLossError("broken"));
  EXPECT_THAT(log_->Archive(kInputsLog, 2, kArchive),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Last(kInputsLog), 3);
  Reopen();
  // The archive is there, so the records are not in the live log any more.
  EXPECT_EQ(Last(kInputsLog), 3);
  ASSERT_OK(log_->Archive(kInputsLog, 2, kArchive));
  ASSERT_OK(Append(kInputsLog));
  ASSERT_OK(log_->Archive(kInputsLog, 4, "builds/m/events/rev-2.inputs.jsonl"));
  EXPECT_EQ(Last(kInputsLog), 4);
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 4);
}

}  // namespace
}  // namespace kinora
