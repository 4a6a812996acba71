// What outside workers report of runs: of a runner's own, beside its lines, and
// of one that its caller carries out.

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/runner_client.h"
#include "common/error_reason.h"
#include "common/reported_event.h"
#include "common/run_end.h"
#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_steps_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunnerIngestionTest : public RunnerStepsFixture {
 protected:
  static v1::IngestLedgerEventsRequest Report(const std::string& run_id) {
    v1::IngestLedgerEventsRequest request;
    request.set_run_id(run_id);
    return request;
  }

  static v1::LedgerEvent* Add(v1::IngestLedgerEventsRequest* request,
                              int64_t at_ms = 1) {
    v1::LedgerEvent* event = request->add_events();
    event->set_occurred_at_ms(at_ms);
    return event;
  }

  static v1::IngestLedgerEventsRequest Lines(
      const std::string& run_id, const std::string& channel, int64_t offset,
      const std::vector<std::string>& lines) {
    v1::IngestLedgerEventsRequest request = Report(run_id);
    v1::LogAppendedEvent* log = Add(&request)->mutable_log_appended();
    log->set_channel(channel);
    log->set_channel_offset(offset);
    for (const std::string& line : lines) log->add_lines(line);
    return request;
  }

  // Also what came in behind the end.
  std::vector<v1::Event> WholeLedger(const std::string& run_id) {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_run_id(run_id);
    std::vector<v1::Event> events;
    for (;;) {
      const absl::StatusOr<v1::ReadEventsResponse> page =
          store().events.ReadPage(read);
      EXPECT_OK(page);
      if (!page.ok() || page->events().empty()) return events;
      events.insert(events.end(), page->events().begin(), page->events().end());
      read.set_after_sequence(page->bookmark().sequence());
    }
  }

  absl::StatusOr<std::vector<int64_t>> Watch(const std::string& run_id,
                                             int64_t after) {
    std::vector<int64_t> seen;
    const absl::Status watched =
        client_.WatchRun(run_id, after, [&seen](const v1::Event& event) {
          seen.push_back(event.sequence());
          return absl::OkStatus();
        });
    if (!watched.ok()) return watched;
    return seen;
  }

  std::string Start(const std::string& blueprint) {
    MakeMovie(blueprint);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(StartRequest());
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }
};

// Two runners are sent the same lines at the same time, while one of them
// writes those of the run's jobs. F: S2-9, S2-75, S2-76
TEST_F(RunnerIngestionTest, LinesComeInOnceAndAreNumberedBesideTheRunsOwn) {
  constexpr int kLines = 40;
  const std::string run_id =
      Start(Parts("sim", 30, "    settings: {delay_ms: 15, log_lines: 6}"));
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  std::vector<std::thread> workers;
  for (Runner* at : {&runner(), &other->runner()}) {
    workers.emplace_back([at, &run_id] {
      for (int i = 0; i < kLines; ++i) {
        EXPECT_OK(
            at->Ingest(Lines(run_id, "w", i, {absl::StrCat("worker ", i)})));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  int64_t lines = 0;
  int64_t own = 0;
  int next = 0;
  for (const v1::Event& event : WholeLedger(run_id)) {
    const v1::LogAppendedEvent& log = event.ledger().log_appended();
    if (log.has_first_seq()) {
      EXPECT_EQ(log.first_seq(), lines + 1);
    }
    for (const std::string& line : log.lines()) {
      ++lines;
      if (IsReported(event.ledger())) {
        EXPECT_EQ(line, absl::StrCat("worker ", next++));
      } else {
        ++own;
      }
    }
  }
  EXPECT_EQ(next, kLines);
  EXPECT_EQ(own, 30 * 6);
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, runner().Get(get));
  EXPECT_EQ(run.run().total_log_count(), lines);
}

// The answer got lost with the runner. F: S2-76, S2-90
TEST_F(RunnerIngestionTest, AnotherRunnerKnowsWhatWasTaken) {
  const std::string run_id = Start(Parts("sim", 2, ""));
  Finish(run_id);
  v1::IngestLedgerEventsRequest report =
      Lines(run_id, "w", 0, {"one", "two", "two"});
  Add(&report)->mutable_step_failed()->mutable_step()->set_step_id("upload");
  ASSERT_OK_AND_ASSIGN(const v1::IngestLedgerEventsResponse first,
                       runner().Ingest(report));
  EXPECT_EQ(first.appended(), 2);
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  ASSERT_OK_AND_ASSIGN(const v1::IngestLedgerEventsResponse again,
                       other->runner().Ingest(report));
  EXPECT_EQ(again.appended(), 0);
  EXPECT_EQ(again.last_sequence(), first.last_sequence());
  // This one has not read what the other one takes now.
  ASSERT_OK(other->runner().Ingest(Lines(run_id, "w", 3, {"three"})));
  ASSERT_OK_AND_ASSIGN(
      const v1::IngestLedgerEventsResponse rest,
      runner().Ingest(Lines(run_id, "w", 2, {"two", "three", "four"})));
  EXPECT_EQ(rest.appended(), 1);
  const v1::LedgerEvent last = WholeLedger(run_id).back().ledger();
  EXPECT_THAT(last.log_appended().lines(), ElementsAre("four"));
  EXPECT_EQ(last.source(), v1::LEDGER_SOURCE_EXTERNAL);
}

// A runner that adopts the run numbers its lines behind those of the workers,
// and believes no word about its jobs.
TEST_F(RunnerIngestionTest, ARunIsAdoptedWithWhatWasReportedOfIt) {
  MakeMovie(Chain("{delay_ms: 300, log_lines: 2}", "{log_lines: 2}"));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(StartRequest()));
  const std::string run_id = started.run().run_id();
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_started().step().step_id() == "A";
  });
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  v1::IngestLedgerEventsRequest report = Lines(run_id, "B", 0, {"x", "y"});
  Add(&report)->mutable_step_completed()->mutable_step()->set_step_id("B");
  ASSERT_OK(other->runner().Ingest(report));
  // Stopped at once: whoever goes on calls what was under way once more.
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  int64_t lines = 0;
  int ends_of_b = 0;  // as the runner tells them
  std::vector<std::string> of_b;
  for (const v1::Event& event : WholeLedger(run_id)) {
    const v1::LogAppendedEvent& log = event.ledger().log_appended();
    if (log.has_first_seq()) {
      EXPECT_EQ(log.first_seq(), lines + 1);
    }
    lines += log.lines_size();
    if (!IsReported(event.ledger()) &&
        event.ledger().step_completed().step().step_id() == "B") {
      ++ends_of_b;
    }
    if (log.channel() != "B") continue;
    of_b.insert(of_b.end(), log.lines().begin(), log.lines().end());
  }
  EXPECT_EQ(ends_of_b, 1);
  EXPECT_THAT(of_b, SizeIs(4));
  EXPECT_EQ(run.total_log_count(), lines);
}

TEST_F(RunnerIngestionTest, NothingIsWrittenWhereOneEventIsRefused) {
  const std::string run_id = Start(Parts("sim", 1, ""));
  Finish(run_id);
  const size_t before = WholeLedger(run_id).size();
  v1::IngestLedgerEventsRequest report = Lines(run_id, "w", 0, {"x"});
  Add(&report)->mutable_job()->set_type("answered");
  EXPECT_THAT(client_.IngestLedgerEvents(report).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("events[1]: kind: is said by Kinora alone")));
  report.mutable_events(1)->mutable_run_failed();
  EXPECT_THAT(client_.IngestLedgerEvents(report).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("got \"run.failed\"")));
  EXPECT_THAT(WholeLedger(run_id), SizeIs(before));
  EXPECT_EQ(
      ReasonOf(
          client_.IngestLedgerEvents(Lines(std::string(kRun2), "w", 0, {"x"}))
              .status()),
      "RUN_NOT_FOUND");
  EXPECT_THAT(
      client_.IngestLedgerEvents(Lines("run-x", "w", 0, {"x"})).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("run-x")));
}

TEST_F(RunnerIngestionTest, NoWordAboutAJobIsBelieved) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  EXPECT_EQ(calls(), 2);
  v1::IngestLedgerEventsRequest report = Report(std::string(kRun1));
  for (const char* job : {"B", "C"}) {
    Add(&report)->mutable_step_started()->mutable_step()->set_step_id(job);
    Add(&report)->mutable_step_completed()->mutable_step()->set_step_id(job);
  }
  ASSERT_OK_AND_ASSIGN(const v1::IngestLedgerEventsResponse taken,
                       client_.IngestLedgerEvents(report));
  EXPECT_EQ(taken.appended(), 4);
  EXPECT_EQ(RecordOf(kRun1).jobs().succeeded(), 2);
  EXPECT_THAT(Execute(Layer(planned, 1, lease)), ElementsAre("B completed"));
  EXPECT_EQ(calls(), 3);
}

// F: S2-91, S2-93
TEST_F(RunnerIngestionTest, WorkersTellTheEndOfARunThatItsCallerCarriesOut) {
  const std::string run_id(kRun1);
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  v1::IngestLedgerEventsRequest report = Report(run_id);
  report.set_status_patch_json(
      R"({"status":"failed","error":"the farm is down","liveLogs":["bye"],)"
      R"("liveLogsChannelOffset":0})");
  ASSERT_OK_AND_ASSIGN(const v1::IngestLedgerEventsResponse ended,
                       client_.IngestLedgerEvents(report));
  EXPECT_EQ(ended.appended(), 2);
  EXPECT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(RecordOf(kRun1).error(), "the farm is down");
  const int64_t end = ended.last_sequence();

  // A watch ends with the end, and one from there with what is behind it.
  ASSERT_OK_AND_ASSIGN(
      const v1::IngestLedgerEventsResponse late,
      client_.IngestLedgerEvents(Lines(run_id, "w", 0, {"late", "later"})));
  EXPECT_EQ(late.last_sequence(), end + 1);
  EXPECT_THAT(Watch(run_id, end - 1), IsOkAndHolds(ElementsAre(end, end + 1)));
  EXPECT_THAT(Watch(run_id, end), IsOkAndHolds(ElementsAre(end + 1)));
  EXPECT_THAT(Watch(run_id, end + 1), IsOkAndHolds(IsEmpty()));

  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunRecord record = AwaitRecord(
      run_id,
      [](const v1::RunRecord& each) { return IsTerminal(each.status()); });
  EXPECT_EQ(record.status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(record.error(), "the farm is down");
}

// What a worker says it has published is not believed; what the caller has
// published is found.
TEST_F(RunnerIngestionTest, TheRevisionOfAReportedEndIsTheOneThereIs) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  for (uint32_t layer = 0; layer < 3; ++layer) {
    Execute(Layer(planned, layer, lease));
  }
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Commit(planned, lease));
  v1::IngestLedgerEventsRequest report = Report(std::string(kRun1));
  Add(&report)->mutable_run_completed()->set_result_json(
      R"({"published":true,"revision":"rev-0999","manifestHash":"f00"})");
  ASSERT_OK(client_.IngestLedgerEvents(report));
  EXPECT_EQ(RecordOf(kRun1).published_revision(), "");
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunRecord record = AwaitRecord(
      std::string(kRun1),
      [](const v1::RunRecord& each) { return IsTerminal(each.status()); });
  EXPECT_EQ(record.status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(record.published_revision(), "rev-0001");
  EXPECT_EQ(record.manifest_hash(), committed.current().hash());
}

}  // namespace
}  // namespace kinora
