#include "services/store/event/file_event_log.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/telemetry/metrics.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/thread_pool.h"
#include "services/store/event/file_event_log_fixture.h"
#include "tests/contract/event_log_contract.h"

namespace kinora {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FileFixture final : public EventLogFixture {
 public:
  explicit FileFixture(const FileEventLogOptions& options) : options_(options) {
    Reopen();
  }
  EventLog& log() override { return *log_; }
  void Reopen() override {
    log_.reset();
    log_ = *FileEventLog::Open(PosixFileSystem(), dir_.path(), options_);
  }

 private:
  const FileEventLogOptions options_;
  TempDir dir_;
  std::unique_ptr<FileEventLog> log_;
};

std::unique_ptr<EventLogFixture> MakeInline() {
  return std::make_unique<FileFixture>(FileEventLogOptions());
}

std::unique_ptr<EventLogFixture> MakeSmallWithExecutor() {
  static ThreadPool pool("waiters", 2);
  FileEventLogOptions options = SmallOptions(&pool);
  options.limits.checkpoint_records = 4;
  return std::make_unique<FileFixture>(options);
}

INSTANTIATE_TEST_SUITE_P(File, EventLogContract,
                         testing::Values(&MakeInline, &MakeSmallWithExecutor));

TEST_F(FileEventLogTest, SequencesGoOnAfterARestart) {
  ASSERT_OK(Append(kInputsLog, 3));
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 3);
  ASSERT_OK(Append(kInputsLog));
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 4);
}

TEST_F(FileEventLogTest, SequencesGoOnAfterTheWholeLogWasArchived) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Archive(kInputsLog, 3, kArchive));
  EXPECT_THAT(ReadFile(fs_, kInputs), IsOkAndHolds(""));
  Reopen();
  ASSERT_OK(Append(kInputsLog));
  EXPECT_EQ(Last(kInputsLog), 4);
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 4);
}

TEST_F(FileEventLogTest, FilesAreJsonLinesUnderTheirKeys) {
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Archive(kInputsLog, 2, kArchive));
  EXPECT_THAT(ReadFile(fs_, "/store/" + kArchive),
              IsOkAndHolds(AllOf(testing::StartsWith("{\"seq\":1,"),
                                 HasSubstr("\n{\"seq\":2,"),
                                 testing::EndsWith("\"}\n"))));
  EXPECT_THAT(ReadFile(fs_, kInputs),
              IsOkAndHolds(testing::StartsWith("{\"seq\":3,")));
}

// An append that nobody overtakes costs one sync, whatever the log.
TEST_F(FileEventLogTest, AnAppendCostsOneSync) {
  for (const char* name : {"b/a.log", "b/b.log", "b/c.log"}) {
    ASSERT_OK(Append(name));
  }
  const int before = fs_.changes();
  ASSERT_OK(Append("b/a.log"));
  ASSERT_OK(Append("b/b.log"));
  // Each: a write and a sync of the journal, a write of the log file.
  EXPECT_EQ(fs_.changes() - before, 2 * 3);
}

TEST_F(FileEventLogTest, ASecondStoreIsKeptOut) {
  EXPECT_THAT(FileEventLog::Open(fs_, "/store"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/store/journal/LOCK")));
}

TEST_F(FileEventLogTest, OldSegmentsGoWhenTheirLogsAreSynced) {
  options_ = SmallOptions(nullptr);
  Reopen();
  ASSERT_OK(Append(kInputsLog, 200));
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_GT(Segments()[0], 5u);
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 200);
}

// A log file put back from a copy is not overwritten from the journal.
TEST_F(FileEventLogTest, AfterACleanEndTheFilesAreAllThereIs) {
  ASSERT_OK(Append(kInputsLog, 2));
  ASSERT_OK_AND_ASSIGN(const std::string copy, ReadFile(fs_, kInputs));
  ASSERT_OK(Append(kInputsLog, 3));
  ASSERT_OK(log_->Close());
  log_.reset();
  EXPECT_THAT(Segments(), testing::IsEmpty());
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);  // all is synced
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 5);
  ASSERT_OK(log_->Close());
  log_.reset();
  ASSERT_OK(WriteFileAtomically(fs_, kInputs, copy));
  Reopen();
  EXPECT_THAT(log_->Extent(kInputsLog),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("ends with record 2, but 5 was")));
  // Whoever wants it so removes the note.
  ASSERT_OK(fs_.Remove("/store/builds/m/events/inputs.checkpoint"));
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 2);
  ASSERT_OK(Append(kInputsLog));
  Reopen();
  EXPECT_EQ(Last(kInputsLog), 3);
}

TEST_F(FileEventLogTest, ForgottenLogsAreFoundAgain) {
  options_ = SmallOptions(nullptr);
  Reopen();
  const auto name = [](int i) { return absl::StrCat("b/m", i, "/x.log"); };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) ASSERT_OK(Append(name(i)));
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Last(name(i)), 3);
}

TEST_F(FileEventLogTest, LogsGetCheckpointsByThemselves) {
  FileEventLogOptions options;
  options.limits.journal_segment_bytes = 2000;
  options.limits.checkpoint_records = 50;
  options_ = options;
  Reopen();
  for (int i = 0; i < 30; ++i) ASSERT_OK(Append(kInputsLog, 10));
  ASSERT_OK_AND_ASSIGN(
      const std::string line,
      ReadFile(fs_, "/store/builds/m/events/inputs.checkpoint"));
  int64_t covered = 0;
  ASSERT_TRUE(absl::SimpleAtoi(line.substr(7, line.find(',') - 7), &covered));
  EXPECT_GE(covered, 200);
}

// What shares a sync is one observation, with each append in it; what is
// refused is none.
TEST(FileEventLogMetricsTest, CountsAppendsAndTheirSyncs) {
  const TempDir dir;
  MetricsRegistry metrics;
  FileEventLogOptions options;
  options.metrics = &metrics;
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<FileEventLog> log,
      FileEventLog::Open(PosixFileSystem(), dir.path(), options));
  const std::vector<std::string> one = {"{}"};
  const std::vector<std::string> two = {"{}", "{}"};
  const auto admit = [](int64_t) { return absl::OkStatus(); };
  const auto refuse = [](int64_t) { return absl::AbortedError("no"); };
  std::vector<EventLog::AppendCall> calls;
  calls.push_back({.log = "logs/a.log", .bodies = one, .admit = admit});
  calls.push_back({.log = "logs/b.log", .bodies = two, .admit = admit});
  calls.push_back({.log = "logs/b.log", .bodies = two, .admit = refuse});
  log->AppendAll(absl::MakeSpan(calls));
  ASSERT_OK(calls[1].result.status());
  const std::string text = metrics.RenderPrometheus();
  EXPECT_THAT(text, HasSubstr("\nkinora_store_appends_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_store_events_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_store_group_commit_appends_count 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_store_group_commit_appends_sum 2\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_store_commit_seconds_count 1\n"));
}

}  // namespace
}  // namespace kinora
