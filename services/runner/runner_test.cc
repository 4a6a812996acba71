// Whole runs: a store in memory, the real planner, the simulated producer
// behind an in-process channel.

#include "services/runner/runner.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kPatience = absl::Seconds(60);

class RunnerTest : public CoreFixture {
 protected:
  RunnerTest() { process_ = NewProcess(); }
  ~RunnerTest() override { process_.reset(); }

  std::unique_ptr<RunnerProcess> NewProcess(const std::string& version = "1") {
    return std::make_unique<RunnerProcess>(store(), clock_, version);
  }
  Runner& runner() { return process_->runner(); }
  int64_t calls() const { return process_->calls(); }

  void MakeMovie(const std::string& blueprint) {
    v1::CreateMovieRequest request;
    request.set_movie_id("film");
    request.set_blueprint(blueprint);
    ASSERT_OK(store().movies.Create(request));
  }

  static v1::StartRunRequest StartRequest(
      const std::map<std::string, std::string>& texts = {}) {
    v1::StartRunRequest request;
    request.set_movie_id("film");
    for (const auto& text : texts) {
      v1::PendingEdit* edit = request.add_edits();
      edit->set_input_id("Input:" + text.first);
      v1::InlineValue* value = edit->mutable_content()->mutable_inline_();
      value->set_mime_type("text/plain");
      value->set_data(text.second);
    }
    return request;
  }

  // The run's ledger to its terminal event, or to the first event that `until`
  // accepts.
  std::vector<v1::LedgerEvent> Ledger(
      const std::string& run_id,
      const std::function<bool(const v1::LedgerEvent&)>& until = nullptr) {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_run_id(run_id);
    std::vector<v1::LedgerEvent> events;
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    for (;;) {
      absl::StatusOr<v1::ReadEventsResponse> page =
          store().events.ReadPage(read);
      EXPECT_OK(page);
      if (!page.ok()) return events;
      for (const v1::Event& event : page->events()) {
        events.push_back(event.ledger());
        const v1::LedgerEvent& last = events.back();
        if (last.has_run_completed() || last.has_run_failed() ||
            last.has_run_cancelled() || (until && until(last))) {
          return events;
        }
      }
      read.set_after_sequence(page->bookmark().sequence());
      if (page->events().empty() && !WaitFor(read, deadline)) return events;
    }
  }

  v1::RunSnapshot Finish(const std::string& run_id) {
    Ledger(run_id);
    v1::GetRunRequest get;
    get.set_run_id(run_id);
    absl::StatusOr<v1::GetRunResponse> run = runner().Get(get);
    EXPECT_OK(run);
    return run.ok() ? run->run() : v1::RunSnapshot();
  }

  v1::RunSnapshot RunToEnd(const v1::StartRunRequest& request) {
    absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
    EXPECT_OK(started);
    if (!started.ok()) return v1::RunSnapshot();
    return Finish(started->run().run_id());
  }

  // "Job status[: detail]" of each job of a run.
  static std::set<std::string> Jobs(const v1::RunSnapshot& run) {
    std::set<std::string> jobs;
    for (const v1::JobState& job : run.jobs()) {
      jobs.insert(absl::StrCat(job.job_id(), " ", job.status(),
                               job.detail().empty() ? "" : " ", job.detail()));
    }
    return jobs;
  }

  std::unique_ptr<RunnerProcess> process_;

 private:
  bool WaitFor(const v1::ReadEventsRequest& read, int64_t deadline) {
    // Shared: a waiter may fire while it is being cancelled.
    struct Signal {
      Mutex mu;
      CondVar cv;
      bool set = false;
    };
    auto signal = std::make_shared<Signal>();
    const EventStore::WaiterId id =
        store().events.NotifyAfter(read.log(), read.after_sequence(), [signal] {
          MutexLock lock(signal->mu);
          signal->set = true;
          signal->cv.SignalAll();
        });
    bool set = false;
    {
      MutexLock lock(signal->mu);
      while (!signal->set && signal->cv.WaitUntil(signal->mu, deadline)) {
      }
      set = signal->set;
    }
    store().events.CancelNotify(id);
    EXPECT_TRUE(set) << "nothing happened in " << kPatience;
    return set;
  }
};

// A chain and a sibling: A -> B -> C, and D beside them.
std::string Chain(const std::string& a_settings,
                  const std::string& b_settings = "{}") {
  return absl::StrCat(R"(
blueprint: chain
inputs:
  Topic: {type: text, default: "sea"}
  Side: {type: text, default: "left"}
nodes:
  A:
    producer: sim
    settings: )",
                      a_settings, R"(
    inputs: {topic: "Input:Topic"}
    outputs: {AText: text/plain}
  B:
    producer: sim
    settings: )",
                      b_settings, R"(
    inputs: {a: AText}
    outputs: {BText: text/plain}
  C:
    producer: sim
    inputs: {b: BText}
    outputs: {CText: text/plain}
  D:
    producer: sim
    inputs: {side: "Input:Side"}
    outputs: {DText: text/plain}
outputs: [CText, DText]
)");
}

TEST_F(RunnerTest, FirstRunMakesEverythingAndTheNextNothing) {  // F: S1-39
  MakeMovie(Chain("{}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("A completed", "B completed",
                                              "C completed", "D completed"));
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  EXPECT_EQ(run.record().manifest_hash(), CurrentOf(store()).hash());

  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Jobs(run), IsEmpty());
  EXPECT_EQ(run.record().published_revision(), "");
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  EXPECT_EQ(calls(), 4);
}

// What depends on a step starts after the step's end is in the ledger, and the
// artefact is in the log before that.
TEST_F(RunnerTest, LedgerTellsTheStepsInOrder) {  // F: S0-4, S0-8
  MakeMovie(Chain("{log_lines: 2}"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  std::vector<std::string> seen;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    if (event.has_run_created()) seen.push_back("created");
    if (event.has_run_started()) seen.push_back("started");
    if (event.step_started().step().step_id() == "A") seen.push_back("A>");
    if (event.log_appended().channel() == "A") {
      seen.push_back(absl::StrCat("A log ", event.log_appended().first_seq()));
    }
    if (event.step_completed().step().step_id() == "A") seen.push_back("A.");
    if (event.step_started().step().step_id() == "B") seen.push_back("B>");
    if (event.has_run_completed()) {
      EXPECT_THAT(event.run_completed().result_json(),
                  HasSubstr(R"("revision":"rev-0001")"));
      seen.push_back("completed");
    }
  }
  EXPECT_THAT(seen, ElementsAre("created", "started", "A>", "A log 1", "A.",
                                "B>", "completed"));
}

// A makes the same text whatever the topic is: B must not be called again.
TEST_F(RunnerTest, SameBytesUpstreamCutTheRunShort) {  // F: S1-26
  MakeMovie(Chain(R"({text: "always the same"})"));
  RunToEnd(StartRequest());
  v1::RunSnapshot run = RunToEnd(StartRequest({{"Topic", "mountains"}}));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("A completed", "B skipped reused",
                                              "C skipped reused"));
  EXPECT_EQ(calls(), 5);
}

TEST_F(RunnerTest, OnlyWhatAChangeReachesRuns) {
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest());
  v1::RunSnapshot run = RunToEnd(StartRequest({{"Side", "right"}}));
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("D completed"));
  EXPECT_EQ(run.record().jobs().clean(), 3);
}

TEST_F(RunnerTest, UndoneEditCallsNobody) {  // F: S1-22
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest({{"Topic", "sea"}}));
  const std::string first = ManifestJson(store());
  RunToEnd(StartRequest({{"Topic", "mountains"}}));
  const int64_t before = calls();
  v1::RunSnapshot run = RunToEnd(StartRequest({{"Topic", "sea"}}));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), before);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0003");
}

TEST_F(RunnerTest, FailedJobBlocksDownstreamAndLeavesCurrentAlone) {
  // F: B-9, S1-38
  MakeMovie(Chain("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("job A"));
  EXPECT_EQ(run.record().jobs().blocked(), 2);
  EXPECT_EQ(run.record().jobs().failed(), 1);
  EXPECT_EQ(run.record().jobs().succeeded(), 1);  // D went on
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

TEST_F(RunnerTest, RetryReachesSuccess) {
  MakeMovie(Chain("{fail_attempts: 2}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 6);
}

// Three attempts fail, then the run; the next run calls only what is missing.
TEST_F(RunnerTest, WhatAFailedRunFinishedIsReused) {  // F: S1-53
  MakeMovie(Chain("{}", "{fail_attempts: 3}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  const int64_t before = calls();
  EXPECT_EQ(before, 5);  // A, D, and B three times

  v1::SetBlueprintRequest fix;
  fix.set_movie_id("film");
  fix.set_blueprint(Chain("{}", "{}"));
  ASSERT_OK(store().movies.SetBlueprint(fix));
  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), before + 2);  // B and C
  EXPECT_EQ(run.record().jobs().reused(), 2);
}

// As many clips as the script's list has scenes.
std::string Scenes(const std::string& script_settings,
                   const std::string& clip_settings = "{}") {
  return absl::StrCat(R"(
blueprint: scenes
dimensions:
  segment: {size: Scenes}
nodes:
  Script:
    producer: sim
    settings: )",
                      script_settings, R"(
    outputs: {Scenes: application/json}
  Clip:
    producer: sim
    settings: )",
                      clip_settings, R"(
    over: [segment]
    inputs: {scenes: Scenes}
    outputs: {Clip: text/plain}
  Film:
    producer: sim
    inputs: {clips: {all: "Clip[segment]"}}
    outputs: {Film: text/plain}
outputs: [Film]
)");
}

TEST_F(RunnerTest, AListDecidesHowManyJobsThereAre) {  // F: B-2
  MakeMovie(Scenes(R"({text: '["a", "b"]'})"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  EXPECT_EQ(started->plan().summary().deferred_nodes(), 2);
  std::string expanded;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    if (event.job().type() != "expanded") continue;
    expanded = absl::StrCat(event.job().job_id(), ": ", event.job().message());
  }
  EXPECT_EQ(expanded, "Script: Artifact:Scenes: 3 more jobs, 0 reused");
  v1::RunSnapshot run = Finish(started->run().run_id());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(Jobs(run), UnorderedElementsAre(
                             "Script completed", "Clip[segment=0] completed",
                             "Clip[segment=1] completed", "Film completed"));
  EXPECT_EQ(run.record().jobs().total(), 4);
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());

  // A shorter list: the clip that is gone leaves the revision.
  v1::SetBlueprintRequest shorter;
  shorter.set_movie_id("film");
  shorter.set_blueprint(Scenes(R"({text: '["a"]'})"));
  ASSERT_OK(store().movies.SetBlueprint(shorter));
  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().published_revision(), "rev-0002")
      << run.record().error();
  EXPECT_THAT(ManifestJson(store()), HasSubstr("Artifact:Clip[segment=0]"));
  EXPECT_THAT(ManifestJson(store()), Not(HasSubstr("Clip[segment=1]")));

  // The longer one again: all of it was made before.
  v1::SetBlueprintRequest longer;
  longer.set_movie_id("film");
  longer.set_blueprint(Scenes(R"({text: '["a", "b"]'})"));
  ASSERT_OK(store().movies.SetBlueprint(longer));
  const int64_t before = calls();
  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().published_revision(), "rev-0003");
  EXPECT_EQ(calls(), before);
}

TEST_F(RunnerTest, AFailedListBlocksWhatItDecides) {  // F: B-9
  MakeMovie(Scenes("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  std::set<std::string> blocked;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    if (event.job().type() != "blocked") continue;
    EXPECT_THAT(event.job().message(), HasSubstr("Script failed"));
    blocked.insert(event.job().job_id());
  }
  EXPECT_THAT(blocked, UnorderedElementsAre("Clip", "Film"));
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

TEST_F(RunnerTest, AValueThatIsNoListEndsTheRun) {
  MakeMovie(Scenes(R"({text: '{"scenes": 2}'})"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(),
              HasSubstr("Artifact:Scenes is the size of dimension segment"));
}

// Whoever goes on with the movie comes to the same jobs.
TEST_F(RunnerTest, ARunThatEndsAfterItsExpansionIsGoneOnWith) {
  MakeMovie(Scenes(R"({text: '["a", "b"]'})", "{delay_ms: 60000}"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  Ledger(started->run().run_id(), [](const v1::LedgerEvent& event) {
    return event.step_started().step().step_id() == "Clip[segment=1]";
  });
  process_.reset();
  process_ = NewProcess();
  v1::SetBlueprintRequest faster;
  faster.set_movie_id("film");
  faster.set_blueprint(Scenes(R"({text: '["a", "b"]'})"));
  ASSERT_OK(store().movies.SetBlueprint(faster));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 3);  // the new process: clips and film, not the script
  EXPECT_EQ(run.record().jobs().reused(), 1);
}

std::string Slow(const std::string& producer, int jobs, int delay_ms) {
  return absl::StrCat(R"(
blueprint: slow
dimensions:
  part: {size: )",
                      jobs, R"(}
nodes:
  Part:
    producer: )",
                      producer, R"(
    over: [part]
    settings: {delay_ms: )",
                      delay_ms, R"(}
    outputs: {Text: text/plain}
outputs: [Text]
)");
}

// Four jobs that hold their places at once are seen to run at once.
TEST_F(RunnerTest, JobsRunInParallelUpToTheLimit) {  // F: S1-34, S1-47
  MakeMovie(Slow("sim", 8, 30));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  int running = 0;
  int most = 0;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    running += event.has_step_started() ? 1 : 0;
    running -= event.has_step_completed() ? 1 : 0;
    most = std::max(most, running);
  }
  EXPECT_EQ(most, 4);
}

TEST_F(RunnerTest, SecondStartIsToldOfTheFirst) {
  MakeMovie(Slow("single", 1, 600'000));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(StartRequest());
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr(started->run().run_id())));
  EXPECT_EQ(ReasonOf(second.status()), "RUN_ACTIVE");

  v1::CancelRunRequest cancel;
  cancel.set_run_id(started->run().run_id());
  cancel.set_reason("enough");
  ASSERT_OK(runner().Cancel(cancel));
  v1::RunSnapshot run = Finish(started->run().run_id());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  EXPECT_THAT(runner().Cancel(cancel),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("ended already")));
}

TEST_F(RunnerTest, PlanOfAnOldBaseIsRefused) {  // F: S1-28
  MakeMovie(Chain("{}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  v1::StartRunRequest again = StartRequest();
  again.set_plan_hash(run.record().plan_hash());
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(again);
  EXPECT_THAT(second,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("plan again")));
  EXPECT_EQ(ReasonOf(second.status()), "BASE_CHANGED");
}

TEST_F(RunnerTest, RepeatedRequestIsTheSameRun) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest request = StartRequest();
  request.set_request_id("r-1");
  absl::StatusOr<v1::StartRunResponse> first = runner().Start(request);
  ASSERT_OK(first);
  Finish(first->run().run_id());
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(request);
  ASSERT_OK(second);
  EXPECT_EQ(second->run().run_id(), first->run().run_id());
  EXPECT_EQ(second->plan().plan_hash(), first->plan().plan_hash());
}

TEST_F(RunnerTest, BadRequestsNameTheFieldAndWriteNothing) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest bad;
  bad.set_movie_id("../film");
  EXPECT_THAT(runner().Start(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("movie_id")));
  bad.set_movie_id("nobody");
  EXPECT_THAT(runner().Start(bad),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nobody")));
  EXPECT_THAT(
      runner().Start(StartRequest({{"Nothing", "x"}})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Nothing")));
  v1::GetRunRequest get;
  get.set_run_id("run-1");
  EXPECT_THAT(runner().Get(get), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("run_id")));
}

TEST_F(RunnerTest, UnknownProducerIsRefusedBeforeTheRun) {
  MakeMovie(Slow("nobody", 1, 0));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  EXPECT_THAT(started, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("nobody")));
  EXPECT_EQ(ReasonOf(started.status()), "PRODUCER_UNKNOWN");
}

// F: S0-1, S0-12, S0-23
// Sim checks the digest of what it is sent, so this shows both directions.
TEST_F(RunnerTest, LargeOutputsAreStreamedInBothDirections) {
  MakeMovie(R"(
blueprint: large
nodes:
  Big:
    producer: sim
    settings: {bytes: 67108864}
    outputs: {Blob: application/octet-stream}
  Reader:
    producer: sim
    inputs: {big: Blob}
    outputs: {Text: text/plain}
outputs: [Text]
)");
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(ManifestJson(store()), HasSubstr("67108864"));
}

// The runner dies with its lease held: the next one waits until the lease has
// expired, closes the run it finds open and calls nothing that was finished.
TEST_F(RunnerTest, DeadRunnersRunIsTakenOver) {
  MakeMovie(Chain("{}"));
  // What a dead runner leaves: a lease, a record, an open ledger.
  const v1::LeaseToken lease = TakeFilmLease(store(), "dead-runner", kRun1);
  v1::PutRunRecordRequest put;
  put.mutable_record()->set_run_id(std::string(kRun1));
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_target_revision("rev-0001");
  put.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
  *put.mutable_lease() = lease;
  ASSERT_OK(store().runs.Put(put));

  std::thread later([this] {
    // Once the start is waiting, or before: it makes no difference.
    clock_.Advance(absl::Hours(1));
  });
  v1::RunSnapshot run = RunToEnd(StartRequest());
  later.join();
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  v1::GetRunRequest get;
  get.set_run_id(std::string(kRun1));
  absl::StatusOr<v1::GetRunResponse> orphan = runner().Get(get);
  ASSERT_OK(orphan);
  EXPECT_EQ(orphan->run().record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(orphan->run().record().error(),
            "superseded by " + run.record().run_id());
}

TEST_F(RunnerTest, ShutdownInterruptsARunAndTheNextRunnerFinishesIt) {
  // F: B-16
  MakeMovie(Chain("{}", "{delay_ms: 600000}"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  int completed = 0;
  bool blocked = false;
  Ledger(started->run().run_id(), [&](const v1::LedgerEvent& event) {
    completed += event.has_step_completed() ? 1 : 0;
    blocked = blocked || event.step_started().step().step_id() == "B";
    return completed == 2 && blocked;  // A and D are done, B is on its way
  });
  runner().Drain(absl::ZeroDuration());
  for (const v1::LedgerEvent& event :
       Ledger(started->run().run_id(), [](const v1::LedgerEvent& e) {
         return e.step_started().step().step_id() == "B";
       })) {
    EXPECT_FALSE(event.has_run_cancelled() || event.has_run_failed());
  }

  process_ = NewProcess();
  v1::SetBlueprintRequest fix;
  fix.set_movie_id("film");
  fix.set_blueprint(Chain("{}", "{}"));
  ASSERT_OK(store().movies.SetBlueprint(fix));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 2);  // B and C
}

TEST_F(RunnerTest, NewProducerVersionRunsItsJobsAgain) {  // F: B-4
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest());
  process_ = NewProcess("2");
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_GE(calls(), 2);
}

}  // namespace
}  // namespace kinora
