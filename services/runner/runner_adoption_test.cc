// Runs whose runner is gone: another one goes on with them.

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/run_end.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// Slow at its first attempt only, which is the one that is interrupted.
constexpr char kSlowOnce[] = "{delay_ms: 600000, slow_attempts: 1}";

class RunnerAdoptionTest : public RunnerFixture {
 protected:
  // Starts a run and stops its runner once `until` is in the ledger and the
  // producer has all calls that the ledger tells of until then.
  std::string Interrupted(
      const std::function<bool(const v1::LedgerEvent&)>& until,
      const SimProducerOptions& next = {}) {
    absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(StartRequest());
    EXPECT_OK(started);
    if (!started.ok()) return "";
    const std::string run_id = started->run().run_id();
    const std::vector<v1::LedgerEvent> events = Ledger(run_id, until);
    const auto started_steps = std::count_if(
        events.begin(), events.end(),
        [](const auto& event) { return event.has_step_started(); });
    while (calls() < started_steps) std::this_thread::yield();
    process_.reset();
    process_ = NewProcess(next);
    return run_id;
  }

  // True once `done` is completed and `under_way` has started.
  static std::function<bool(const v1::LedgerEvent&)> After(
      std::set<std::string> done, std::set<std::string> under_way) {
    return [done, under_way](const v1::LedgerEvent& event) mutable {
      done.erase(event.step_completed().step().step_id());
      under_way.erase(event.step_started().step().step_id());
      return done.empty() && under_way.empty();
    };
  }

  // "TYPE JOB" of the events about jobs, each as often as it is there, and what
  // the run itself tells.
  std::vector<std::string> Story(const std::string& run_id) {
    std::vector<std::string> story;
    for (const v1::LedgerEvent& event : Ledger(run_id)) {
      if (event.has_run_created()) story.push_back("created");
      if (event.has_run_started()) story.push_back("started");
      if (event.has_run_resumed()) {
        story.push_back("resumed: " + event.run_resumed().reason());
      }
      if (event.has_step_started()) {
        story.push_back(absl::StrCat("start ",
                                     event.step_started().step().step_id(), " ",
                                     event.step_started().attempt()));
      }
      if (event.has_step_completed()) {
        story.push_back("end " + event.step_completed().step().step_id());
      }
      if (event.has_step_failed()) {
        story.push_back("failure " + event.step_failed().step().step_id());
      }
      if (event.has_step_skipped()) {
        story.push_back(absl::StrCat(event.step_skipped().reason(), " ",
                                     event.step_skipped().step().step_id()));
      }
      if (event.has_job()) {
        story.push_back(
            absl::StrCat(event.job().type(), " ", event.job().job_id()));
      }
    }
    return story;
  }
};

// F: B-16, S1-53
TEST_F(RunnerAdoptionTest, AnInterruptedRunGoesOnUnderItsId) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string run_id = Interrupted(After({"A", "D"}, {"B"}));
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  EXPECT_EQ(calls(), 2);  // of the second process: B and C
  std::vector<std::string> story = Story(run_id);
  // A and D run beside each other.
  std::sort(story.begin() + 2, story.begin() + 7);
  EXPECT_THAT(story, ElementsAre("created", "started", "end A", "end D",
                                 "start A 1", "start B 1", "start D 1",
                                 "resumed: adopted", "recovering B",
                                 "start B 2", "end B", "start C 1", "end C"));
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("A completed", "B completed",
                                              "C completed", "D completed"));
  EXPECT_EQ(run.record().jobs().succeeded(), 4);
  // Nothing is left to adopt.
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Story(run_id).size(), story.size());
}

// F: S1-30 (the events of both processes make one revision)
TEST_F(RunnerAdoptionTest, TheManifestIsThatOfAnUndisturbedRun) {
  // The other movie's run takes that time.
  const std::string chain = Chain("{}", "{delay_ms: 1000, slow_attempts: 1}");
  MakeMovie(chain);
  const std::string run_id = Interrupted(After({"A"}, {"B"}));
  ASSERT_OK(runner().AdoptOpenRuns());
  Finish(run_id);
  const std::string interrupted = CurrentOf(store()).hash();
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());
  EXPECT_EQ(CurrentOf(store()).hash(), interrupted);

  MakeMovie(chain, "twin");
  v1::StartRunRequest undisturbed;
  undisturbed.set_movie_id("twin");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(undisturbed));
  Ledger(started.run().run_id(), nullptr, "twin");
  v1::GetRunRequest get;
  get.set_run_id(started.run().run_id());
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse ended, runner().Get(get));
  const v1::RunRecord& record = ended.run().record();
  EXPECT_EQ(record.jobs().succeeded(), 4) << record.error();
  EXPECT_EQ(record.manifest_hash(), interrupted);
}

// F: Decision 4
// The run takes its time, so that it is there still when the start looks.
TEST_F(RunnerAdoptionTest, AStartIsToldOfTheRunThatGoesOn) {
  MakeMovie(Chain("{}", "{delay_ms: 1000}"));
  const std::string run_id = Interrupted(After({"A", "D"}, {"B"}));
  // As if the first process had died with its lease.
  TakeFilmLease(store(), "dead-runner", run_id);
  std::thread later([this] {
    // Once the start is waiting, or before: it makes no difference.
    clock_.Advance(absl::Hours(1));
  });
  const absl::StatusOr<v1::StartRunResponse> second =
      runner().Start(StartRequest());
  later.join();
  EXPECT_EQ(ReasonOf(second.status()), "RUN_ACTIVE") << second.status();
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr(run_id)));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(),
            v1::RUN_STATUS_COMPLETED);
}

TEST_F(RunnerAdoptionTest, ARunWhoseLeaseIsHeldIsLeftAlone) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string run_id = Interrupted(After({"A"}, {"B"}));
  const v1::LeaseToken lease = TakeFilmLease(store(), "living-runner", run_id);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(calls(), 0);
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

// F: B-9 (a failure is final in every process)
TEST_F(RunnerAdoptionTest, AFailedJobStaysFailed) {
  std::string blueprint =
      Chain("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}");
  blueprint.insert(blueprint.find("inputs: {side:"),
                   absl::StrCat("settings: ", kSlowOnce, "\n    "));
  MakeMovie(blueprint);
  bool failed = false;
  bool slow = false;
  const std::string run_id = Interrupted([&](const v1::LedgerEvent& event) {
    failed = failed || event.has_step_failed();
    slow = slow || event.step_started().step().step_id() == "D";
    return failed && slow;
  });
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("job A"));
  EXPECT_EQ(calls(), 1);  // D
  const std::vector<std::string> story = Story(run_id);
  EXPECT_EQ(std::count(story.begin(), story.end(), "failure A"), 1);
  EXPECT_EQ(std::count(story.begin(), story.end(), "blocked C"), 1);
}

// F: B-2 (deferred jobs are those of the first process)
TEST_F(RunnerAdoptionTest, ARunGoesOnAfterItsExpansion) {
  MakeMovie(Scenes(R"({text: '["a", "b"]'})", kSlowOnce));
  const std::string run_id =
      Interrupted(After({"Script"}, {"Clip[segment=0]", "Clip[segment=1]"}));
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 3);  // the clips and the film, not the script
  EXPECT_EQ(run.record().jobs().total(), 4);
  const std::vector<std::string> story = Story(run_id);
  EXPECT_EQ(std::count(story.begin(), story.end(), "expanded Script"), 1);
  EXPECT_EQ(std::count(story.begin(), story.end(), "end Script"), 1);
}

// What is expanded once more holds jobs that the run has finished.
// F: B-2
TEST_F(RunnerAdoptionTest, JobsOfAnExpansionThatAreDoneStayDone) {
  MakeMovie(Scenes(R"({text: '["a", "b"]'})", "{cost: 1}", kSlowOnce));
  const std::string run_id =
      Interrupted(After({"Clip[segment=0]", "Clip[segment=1]"}, {"Film"}));
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(run.record().jobs().succeeded(), 4);
  EXPECT_EQ(run.record().jobs().reused(), 0);
  EXPECT_EQ(run.record().cost().micros(), 2'000'000);
  const std::vector<std::string> story = Story(run_id);
  EXPECT_THAT(story, Not(Contains("reused Clip[segment=0]")));
  EXPECT_EQ(std::count(story.begin(), story.end(), "end Clip[segment=0]"), 1);
}

// A job that was to be made anew has been: once is enough.
// F: B-5
TEST_F(RunnerAdoptionTest, AForcedJobIsMadeAnewOnce) {
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest());
  v1::SetBlueprintRequest slow;
  slow.set_movie_id("film");
  slow.set_blueprint(Chain("{}", kSlowOnce));
  ASSERT_OK(store().movies.SetBlueprint(slow));
  v1::StartRunRequest request = StartRequest();
  request.mutable_scope()->add_regenerate("Artifact:DText");
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
  ASSERT_OK(started);
  const std::string run_id = started->run().run_id();
  Ledger(run_id, After({"D"}, {"B"}));
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  const std::vector<std::string> story = Story(run_id);
  EXPECT_THAT(story, Contains("start D 1"));
  EXPECT_THAT(story, Not(Contains("start D 2")));
  EXPECT_THAT(story, Contains("start B 2"));
}

// What may have been paid for and cannot be looked up waits for a person.
// F: B-10
TEST_F(RunnerAdoptionTest, PaidWorkThatWasLostIsInDoubt) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string run_id =
      Interrupted(After({"A", "D"}, {"B"}), {.price_micros = 1'000'000});
  ASSERT_OK(runner().AdoptOpenRuns());
  bool waits = false;
  for (const v1::LedgerEvent& event :
       Ledger(run_id, [](const v1::LedgerEvent& e) {
         return e.run_waiting().reason() == "in_doubt";
       })) {
    waits = waits || event.has_run_waiting();
    if (event.job().type() != "in_doubt") continue;
    EXPECT_EQ(event.job().job_id(), "B");
    EXPECT_THAT(event.job().message(), HasSubstr("may have been paid for"));
  }
  ASSERT_TRUE(waits);
  EXPECT_EQ(calls(), 0);
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, runner().Get(get));
  EXPECT_EQ(run.run().record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_THAT(Jobs(run.run()), Contains(HasSubstr("B in_doubt")));

  v1::RetryRunRequest retry;
  retry.set_run_id(run_id);
  retry.set_job_id("A");
  EXPECT_THAT(runner().Retry(retry),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("does not wait")));
  retry.set_job_id("B");
  ASSERT_OK_AND_ASSIGN(const v1::RetryRunResponse retried,
                       runner().Retry(retry));
  EXPECT_THAT(retried.job_ids(), ElementsAre("B"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 2);  // B and C
}

// F: B-10 (a producer that can look work up is asked)
TEST_F(RunnerAdoptionTest, PaidWorkThatIsKnownIsAskedForAgain) {
  SimRecord record;
  const SimProducerOptions sim = {.price_micros = 1'000'000, .record = &record};
  process_.reset();
  process_ = NewProcess(sim);
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string run_id = Interrupted(After({"A", "D"}, {"B"}), sim);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 2);
  bool told = false;
  for (const v1::LedgerEvent& event : Ledger(run_id)) {
    EXPECT_NE(event.job().type(), "in_doubt");
    told = told ||
           event.job().message().find("is at it still") != std::string::npos;
  }
  EXPECT_TRUE(told);
  process_.reset();
}

TEST_F(RunnerAdoptionTest, ACancellationOutlivesItsRunner) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string run_id = Interrupted(After({"A"}, {"B"}));
  // What Cancel() writes before it returns.
  v1::LedgerEvent cancelling;
  cancelling.mutable_run_waiting()->set_reason(std::string(kCancelling));
  cancelling.mutable_run_waiting()->set_message("enough");
  TellAsTheDead(run_id, cancelling);

  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
  EXPECT_EQ(calls(), 0);
}

// A record that is lost for a while leaves two: the other one began without it,
// and may wait for a person.
TEST_F(RunnerAdoptionTest, OfTwoOpenRunsOfAMovieTheOlderOneGoesOn) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string older = Interrupted(After({"A", "D"}, {"B"}));
  const std::string key = RunRecordKey("film", older);
  ASSERT_OK_AND_ASSIGN(const std::string record,
                       storage_.Read(key, 0, 1 << 20));
  ASSERT_OK(storage_.Delete(key));
  clock_.Advance(absl::Seconds(1));  // their ids tell which is older
  const std::string newer = Interrupted(After({}, {"B"}));
  ASSERT_OK(storage_.Write(key, record));
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(older).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  // What it was to change is no longer current.
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(newer);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(run.record().error(), HasSubstr("no other can go on"));
}

}  // namespace
}  // namespace kinora
