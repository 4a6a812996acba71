#include "services/store/event/file_event_log.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/file_system.h"
#include "common/metrics.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/thread_pool.h"
#include "tests/contract/event_log_contract.h"

namespace kinora {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Small limits, so that segments change and logs are forgotten in short tests.
FileEventLogOptions SmallOptions(Executor* executor) {
  FileEventLogOptions options;
  options.executor = executor;
  options.limits.journal_segment_bytes = 2000;
  options.limits.max_unsynced_logs = 3;
  options.max_cached_logs = 2;
  return options;
}

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

class FileEventLogTest : public testing::Test {
 protected:
  FileEventLogTest() { Reopen(); }

  void Reopen() {
    log_.reset();
    auto opened = FileEventLog::Open(fs_, "/store", options_);
    ASSERT_OK(opened);
    log_ = *std::move(opened);
  }
  absl::Status Append(absl::string_view name, int count = 1) {
    for (int i = 0; i < count; ++i) {
      const std::vector<std::string> bodies = {"{\"some\":\"event\"}"};
      const auto range = log_->Append(name, bodies, AdmitAlways);
      if (!range.ok()) return range.status();
    }
    return absl::OkStatus();
  }
  // The last sequence, after checking that all up to it can be read.
  int64_t Last(absl::string_view name) {
    const auto records = log_->Read(name, 0, kNoLimit, kNoLimit);
    EXPECT_OK(records);
    if (!records.ok()) return -1;
    for (size_t i = 0; i < records->size(); ++i) {
      EXPECT_EQ((*records)[i].sequence, static_cast<int64_t>(i + 1));
    }
    const auto extent = log_->Extent(name);
    EXPECT_EQ(extent->last_sequence, static_cast<int64_t>(records->size()));
    return extent->last_sequence;
  }
  std::vector<uint64_t> Segments() {
    return *ListJournalSegments(fs_, "/store/journal");
  }

  const std::string kInputs = std::string("/store/") + kInputsLog;
  const std::string kArchive = "builds/m/events/rev-1.inputs.jsonl";
  FileEventLogOptions options_;
  FaultyFileSystem fs_;
  std::unique_ptr<FileEventLog> log_;
};

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

// F: S0-25
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

// F: S0-25
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
