// The records that a runner leaves of runs that end, as documents.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/forwarding_file_system.h"
#include "common/ids.h"
#include "common/random.h"
#include "common/run_end.h"
#include "common/telemetry/metrics.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/replay_fixture.h"
#include "services/runner/record/run_document.h"
#include "services/runner/record/run_recorder.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Its first attempt ends only with its process.
constexpr char kSlowOnce[] = "{delay_ms: 600000, slow_attempts: 1}";

// A disk that hangs while it is told to.
class HangingFileSystem final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  absl::Status CreateDirectories(absl::string_view directory) override {
    {
      MutexLock lock(mu_);
      has_hung_ = has_hung_ || hangs_;
      cv_.SignalAll();
      while (hangs_) cv_.Wait(mu_);
    }
    return ForwardingFileSystem::CreateDirectories(directory);
  }

  void Hang(bool hangs) {
    MutexLock lock(mu_);
    hangs_ = hangs;
    cv_.SignalAll();
  }

  bool AwaitHanging() {
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    MutexLock lock(mu_);
    while (!has_hung_ && cv_.WaitUntil(mu_, deadline)) {
    }
    return has_hung_;
  }

 private:
  Mutex mu_;
  CondVar cv_;
  bool hangs_ ABSL_GUARDED_BY(mu_) = false;
  bool has_hung_ ABSL_GUARDED_BY(mu_) = false;
};

// Of each record that it is told of, what was told, and whether the file was
// there.
class RecordListener final : public RunListener {
 public:
  explicit RecordListener(FileSystem& files) : files_(files) {}

  void OnLedger(absl::string_view, absl::string_view, int64_t,
                const google::protobuf::RepeatedPtrField<v1::Event>&) override {
  }

  void OnRecord(absl::string_view movie_id, absl::string_view run_id,
                absl::string_view topic, const TopicRecord& event) override {
    const std::string path(TextOrEmpty(event.payload, "persisted_path"));
    const absl::StatusOr<bool> exists = Exists(files_, path);
    MutexLock lock(mu_);
    told_.push_back(absl::StrCat(
        movie_id, " ", topic, " ", event.kind, " ",
        event.header("run_id") == run_id ? "its run" : "another", " ",
        exists.ok() && *exists ? "is there" : "is not there"));
  }

  std::vector<std::string> told() {
    MutexLock lock(mu_);
    return told_;
  }

 private:
  FileSystem& files_;
  Mutex mu_;
  std::vector<std::string> told_ ABSL_GUARDED_BY(mu_);
};

class RunnerRecordsTest : public RunnerFixture {
 protected:
  RunnerRecordsTest() { process_ = NewRecordingProcess(); }
  ~RunnerRecordsTest() override {
    process_.reset();
    threads_.Stop();
  }

  std::unique_ptr<RunnerProcess> NewRecordingProcess() {
    return std::make_unique<RunnerProcess>(store(), clock_,
                                           SimProducerOptions(), &metrics_,
                                           &listener_, &recorder_);
  }

  static std::string PathOf(const std::string& run_id) {
    return absl::StrCat("records/film/", run_id, ".json");
  }

  JsonValue Load(const std::string& run_id) {
    const absl::StatusOr<JsonValue> loaded =
        LoadRunDocument(PathOf(run_id), {clock_, ids_, disk_});
    EXPECT_OK(loaded);
    return loaded.ok() ? *loaded : JsonValue(JsonObject());
  }

  std::string StartRun(v1::IfActive if_active = v1::IF_ACTIVE_UNSPECIFIED) {
    v1::StartRunRequest request = StartRequest();
    request.set_if_active(if_active);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  // Its record in the store is closed: what a runner leaves of it is left.
  v1::RunStatus AwaitClosed(const std::string& run_id) {
    return AwaitRecord(run_id,
                       [](const v1::RunRecord& record) {
                         return IsTerminal(record.status());
                       })
        .status();
  }

  FaultyFileSystem disk_;
  HangingFileSystem files_{disk_};
  SeededRandom random_{1};
  RunIdGenerator ids_{clock_, random_};
  MetricsRegistry metrics_;
  RecordListener listener_{disk_};
  ThreadPool threads_{"records", RunRecorder::kAtOnce};
  RunRecorder recorder_{RunRecorderDeps{store(), files_, clock_, random_,
                                        threads_, &listener_, &metrics_},
                        "records"};
};

// F: S4-35, S4-40: first the file, then the closing of the run.
TEST_F(RunnerRecordsTest, ARunThatEndsLeavesItsRecord) {
  MakeMovie(Chain("{}"));
  const std::string run_id = StartRun();
  EXPECT_EQ(AwaitClosed(run_id), v1::RUN_STATUS_COMPLETED);
  const JsonValue record = Load(run_id);
  EXPECT_EQ(TextOrEmpty(record, "id"), run_id);
  EXPECT_EQ(TextOrEmpty(record, "status"), "completed");
  EXPECT_EQ(TextOrEmpty(record, "persisted_path"), PathOf(run_id));
  EXPECT_EQ(ElementsOf(record, "stages").size(), 4u);
  const JsonValue* fixture = record.Find("replay_fixture");
  ASSERT_NE(fixture, nullptr);
  EXPECT_THAT(EvaluateReplay(record, *fixture), IsEmpty());
  EXPECT_THAT(listener_.told(),
              ElementsAre("film observability.action_graph "
                          "action_graph_update its run is there"));
  EXPECT_THAT(
      metrics_.RenderPrometheus(),
      HasSubstr("\nkinora_runner_records_total{outcome=\"saved\"} 1\n"));
}

// F: S4-41: however it ends.
TEST_F(RunnerRecordsTest, RunsThatFailAndAreCancelledDoSo) {
  MakeMovie(Chain("{fail_attempts: 9}"));
  const std::string failed = StartRun();
  EXPECT_EQ(AwaitClosed(failed), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(TextOrEmpty(Load(failed), "status"), "failed");

  MakeMovie(Chain(kSlowOnce), "other");
  v1::StartRunRequest slow = StartRequest();
  slow.set_movie_id("other");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(slow));
  const std::string& run_id = started.run().run_id();
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner().Cancel(cancel));
  EXPECT_EQ(AwaitClosed(run_id), v1::RUN_STATUS_CANCELLED);
  ASSERT_OK_AND_ASSIGN(
      const JsonValue record,
      LoadRunDocument(absl::StrCat("records/other/", run_id, ".json"),
                      {clock_, ids_, disk_}));
  EXPECT_EQ(TextOrEmpty(record, "status"), "cancelled");
}

// One that ends before its turn has come has a record, too.
TEST_F(RunnerRecordsTest, AQueuedRunThatIsCancelledLeavesItsRecord) {
  MakeMovie(Chain(kSlowOnce));
  const std::string first = StartRun();
  const std::string queued = StartRun(v1::IF_ACTIVE_QUEUE);
  v1::CancelRunRequest cancel;
  cancel.set_run_id(queued);
  ASSERT_OK(runner().Cancel(cancel));
  EXPECT_EQ(AwaitClosed(queued), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(TextOrEmpty(Load(queued), "status"), "cancelled");
  EXPECT_THAT(Exists(disk_, PathOf(first)), IsOkAndHolds(false));
}

TEST_F(RunnerRecordsTest, ADiskThatFailsKeepsNoRunFromEnding) {
  disk_.FailAlways(FileOp::kSync, DiskFailure("no"));
  MakeMovie(Chain("{}"));
  const std::string run_id = StartRun();
  EXPECT_EQ(AwaitClosed(run_id), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Exists(disk_, PathOf(run_id)), IsOkAndHolds(false));
  EXPECT_THAT(listener_.told(), IsEmpty());
  EXPECT_THAT(
      metrics_.RenderPrometheus(),
      HasSubstr("\nkinora_runner_records_total{outcome=\"failed\"} 1\n"));
}

// The movie has its run until the record is there; others go on meanwhile.
TEST_F(RunnerRecordsTest, ADiskThatHangsHoldsUpNoOtherRun) {
  MakeMovie(Chain("{}"));
  MakeMovie(Chain("{}"), "other");
  files_.Hang(true);
  const std::string run_id = StartRun();
  const std::vector<v1::LedgerEvent> ledger = Ledger(run_id);
  ASSERT_FALSE(ledger.empty());
  EXPECT_TRUE(ledger.back().has_run_completed());
  ASSERT_TRUE(files_.AwaitHanging());
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse open,
                       store().runs.Get(get));
  EXPECT_EQ(open.record().status(), v1::RUN_STATUS_RUNNING);

  v1::StartRunRequest beside = StartRequest();
  beside.set_movie_id("other");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(beside));
  const std::vector<v1::LedgerEvent> other =
      Ledger(started.run().run_id(), nullptr, "other");
  ASSERT_FALSE(other.empty());
  EXPECT_TRUE(other.back().has_run_completed());

  files_.Hang(false);
  EXPECT_EQ(AwaitClosed(run_id), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(AwaitClosed(started.run().run_id()), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(TextOrEmpty(Load(run_id), "status"), "completed");
}

// It has no job left that could be called: a place that comes free is not kept
// for it.
TEST_F(RunnerRecordsTest, ARunThatIsBeingSavedTakesNobodysTurn) {
  MakeMovie(Slow("single", 1, /*delay_ms=*/600'000), "first");
  MakeMovie(R"(
blueprint: beside
nodes:
  Slow:
    producer: single
    outputs: {SlowText: text/plain}
  Quick:
    producer: sim
    outputs: {QuickText: text/plain}
outputs: [SlowText, QuickText]
)",
            "second");
  MakeMovie(Parts("single", 1, ""), "third");
  const auto start = [this](const std::string& movie_id) {
    v1::StartRunRequest request = StartRequest();
    request.set_movie_id(movie_id);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  };
  const auto has_started = [](const v1::LedgerEvent& event) {
    return event.has_step_started();
  };
  const auto cancel = [this](const std::string& run_id) {
    v1::CancelRunRequest request;
    request.set_run_id(run_id);
    EXPECT_OK(runner().Cancel(request));
  };
  const std::string first = start("first");
  Ledger(first, has_started, "first");
  const std::string second = start("second");
  // Its other job is in line by then.
  Ledger(second, has_started, "second");
  files_.Hang(true);
  cancel(second);
  Ledger(second, nullptr, "second");
  ASSERT_TRUE(files_.AwaitHanging());
  const std::string third = start("third");
  cancel(first);
  Ledger(third, has_started, "third");
  v1::GetRunRecordRequest get;
  get.set_run_id(second);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse open,
                       store().runs.Get(get));
  EXPECT_FALSE(IsTerminal(open.record().status()));
  files_.Hang(false);
  EXPECT_EQ(AwaitClosed(third), v1::RUN_STATUS_COMPLETED);
}

// F: S4-35: its runner died with the end in the ledger and no record yet.
TEST_F(RunnerRecordsTest, TheNextRunnerSavesWhatADeadOneHasNot) {
  process_ = NewProcess();  // which leaves none
  MakeMovie(Chain(kSlowOnce));
  const std::string run_id = StartRun();
  Ledger(run_id,
         [](const v1::LedgerEvent& event) { return event.has_step_started(); });
  process_.reset();
  v1::LedgerEvent end;
  end.mutable_run_failed()->set_error("no");
  TellAsTheDead(run_id, end);

  process_ = NewRecordingProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(AwaitClosed(run_id), v1::RUN_STATUS_FAILED);
  const JsonValue record = Load(run_id);
  EXPECT_EQ(TextOrEmpty(record, "status"), "failed");

  // It may have died behind the save, too: once more is the same.
  v1::RunRecord run;
  run.set_movie_id("film");
  run.set_run_id(run_id);
  recorder_.SaveAndWait(run, kPatience);
  EXPECT_EQ(Load(run_id), record);
  EXPECT_EQ(listener_.told().size(), 2u);
}

// Dry runs and replays are no runs that count.
TEST_F(RunnerRecordsTest, WhatIsTriedOutLeavesNone) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest dry = StartRequest();
  dry.set_dry_run(true);
  ASSERT_OK(process_->dry_runs().Start(dry));
  EXPECT_THAT(Exists(disk_, "records"), IsOkAndHolds(false));

  const std::string run_id = StartRun();
  EXPECT_EQ(AwaitClosed(run_id), v1::RUN_STATUS_COMPLETED);
  v1::ReplayRunRequest replay;
  replay.set_run_id(run_id);
  ASSERT_OK(process_->dry_runs().Replay(replay));
  EXPECT_EQ(listener_.told().size(), 1u);
}

}  // namespace
}  // namespace kinora
