// Runs that stand still though nobody has stopped them: they say why, and until
// when. Producers are held by the test, and the clock stands still.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/proto_time.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/past/run_wait.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A job of `sim` for each of the names, beside each other.
std::string Beside(const std::vector<std::string>& names) {
  std::string blueprint = "blueprint: beside\nnodes:\n";
  for (const std::string& name : names) {
    absl::StrAppend(&blueprint, "  ", name,
                    ":\n    producer: sim\n    outputs: {", name,
                    "Text: text/plain}\n");
  }
  absl::string_view separator = "outputs: [";
  for (const std::string& name : names) {
    absl::StrAppend(&blueprint, separator, name, "Text");
    separator = ", ";
  }
  return blueprint + "]\n";
}

bool Waits(const v1::LedgerEvent& event) { return event.has_run_waiting(); }

// `sim` is called twice at once.
class RunnerWaitsTest : public RunnerFixture {
 protected:
  RunnerWaitsTest() {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 2, 3, absl::Minutes(5)};
    carrier_ =
        std::make_unique<Runner>(RunnerDeps{store(), planner_, producers_,
                                            executor_, clock_, SystemRandom()},
                                 configs, RunnerOptions());
  }
  ~RunnerWaitsTest() override { carrier_.reset(); }

  std::string Start(const std::string& movie_id,
                    const std::vector<std::string>& jobs) {
    MakeMovie(Beside(jobs), movie_id);
    v1::StartRunRequest request;
    request.set_movie_id(movie_id);
    const absl::StatusOr<v1::StartRunResponse> started =
        carrier_->Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  // What the run says of its next wait.
  v1::RunWaitingEvent WaitOf(const std::string& run_id,
                             const std::string& movie_id) {
    const std::vector<v1::LedgerEvent> events =
        Ledger(run_id, &Waits, movie_id);
    return events.empty() ? v1::RunWaitingEvent() : events.back().run_waiting();
  }

  StorePlanner planner_{store()};
  HeldProducers producers_;
  ThreadPool executor_{"runner", 4};
  std::unique_ptr<Runner> carrier_;
};

// Nothing happens for an hour. Whoever looks is told, wherever that is.
TEST_F(RunnerWaitsTest, ARunSaysUntilWhenItsProducerIsLeftAlone) {
  const std::string run_id = Start("film", {"A"});
  producers_.WaitForAttempt("A");
  producers_.Fail("A", absl::Hours(1));
  const v1::RunWaitingEvent waiting = WaitOf(run_id, "film");
  EXPECT_EQ(waiting.reason(), "producer");
  EXPECT_EQ(waiting.message(), "sim asked not to be called yet");
  EXPECT_EQ(waiting.until_ms(),
            absl::ToUnixMillis(clock_.Now() + absl::Hours(1)));

  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse shown, runner().Get(get));
  EXPECT_EQ(shown.run().record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_EQ(shown.run().wait_reason(), "producer");
  EXPECT_EQ(FromProto(shown.run().record().wait().until()),
            clock_.Now() + absl::Hours(1));

  // Another run that has called nobody yet is in the same place.
  const std::string other = Start("other", {"X"});
  const v1::RunWaitingEvent stands = WaitOf(other, "other");
  EXPECT_EQ(stands.reason(), "producer");
  EXPECT_EQ(stands.until_ms(), waiting.until_ms());

  carrier_.reset();  // the records are written behind the ledgers
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse listed,
                       runner().List(v1::ListRunsRequest()));
  ASSERT_EQ(listed.runs_size(), 2);
  for (const v1::RunRecord& run : listed.runs()) {
    EXPECT_EQ(run.status(), v1::RUN_STATUS_WAITING) << run.run_id();
    EXPECT_EQ(run.wait().message(), "sim asked not to be called yet");
    EXPECT_EQ(FromProto(run.wait().until()), clock_.Now() + absl::Hours(1));
  }
}

TEST_F(RunnerWaitsTest, ARunThatHasEndedWaitsForNothing) {
  const std::string run_id = Start("film", {"A"});
  producers_.WaitForAttempt("A");
  producers_.Fail("A", absl::Hours(1));
  WaitOf(run_id, "film");
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(carrier_->Cancel(cancel));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_FALSE(run.record().has_wait());
  carrier_.reset();
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse listed,
                       runner().List(v1::ListRunsRequest()));
  ASSERT_EQ(listed.runs_size(), 1);
  EXPECT_FALSE(listed.runs(0).has_wait());
}

// It is told by whoever pauses the run, which has told of another wait before.
TEST_F(RunnerWaitsTest, APauseOfARunThatWaitsIsToldOnce) {
  const std::string run_id = Start("film", {"A"});
  producers_.WaitForAttempt("A");
  producers_.Fail("A", absl::Hours(1));
  WaitOf(run_id, "film");
  v1::PauseRunRequest pause;
  pause.set_run_id(run_id);
  ASSERT_OK(runner().Pause(pause));
  // The record follows what the run has to tell.
  AwaitRecord(run_id, [](const v1::RunRecord& record) {
    const v1::RunWait& wait = record.wait();
    EXPECT_EQ(wait.has_until(), wait.reason() == "producer");
    return wait.reason() == "paused";
  });
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse ledger,
                       store().events.ReadPage(read));
  std::vector<std::string> told;
  for (const v1::Event& event : ledger.events()) {
    if (!event.ledger().has_run_waiting()) continue;
    told.push_back(event.ledger().run_waiting().reason());
  }
  EXPECT_THAT(told, ElementsAre("producer", "paused"));
}

// What else is to be done goes on, so the run does not wait.
TEST_F(RunnerWaitsTest, ARunWaitsOnlyOnceNothingElseGoesOn) {
  const std::string run_id = Start("film", {"A", "B"});
  producers_.WaitForAttempt("A");
  producers_.WaitForAttempt("B");
  producers_.Fail("A", absl::Hours(1));
  producers_.Succeed("B");
  bool done = false;
  Ledger(run_id, [&done](const v1::LedgerEvent& event) {
    done = done || event.step_completed().step().step_id() == "B";
    return event.has_run_waiting();
  });
  EXPECT_TRUE(done);
}

// Its other job has a place as soon as somebody answers: here or there, by
// nobody's work.
TEST_F(RunnerWaitsTest, PlacesThatAreHeldForAnswersLetARunWaitForItsQuestion) {
  const std::string first = Start("film", {"X"});
  producers_.WaitForAttempt("X");
  producers_.Ask("X", /*takes_answer=*/true);
  EXPECT_EQ(WaitOf(first, "film").reason(), "question");
  const std::string second = Start("other", {"A", "B"});
  producers_.WaitForAttempt("A");
  producers_.Ask("A", /*takes_answer=*/true);
  EXPECT_EQ(WaitOf(second, "other").reason(), "question");

  // One that has no place at all has no question either.
  const std::string third = Start("third", {"Z"});
  const v1::RunWaitingEvent waiting = WaitOf(third, "third");
  EXPECT_EQ(waiting.reason(), "producer");
  EXPECT_THAT(waiting.message(), HasSubstr("wait for answers"));
  EXPECT_EQ(waiting.until_ms(), 0);
  v1::AnswerQuestionRequest answer;
  answer.set_run_id(first);
  answer.set_job_id("X");
  answer.mutable_answer()->set_question_id("go");
  answer.mutable_answer()->set_value_json("true");
  answer.mutable_answer()->set_answered_by("ann");
  ASSERT_OK(carrier_->AnswerQuestion(answer));
  producers_.Succeed("X");
  Ledger(
      third,
      [](const v1::LedgerEvent& event) {
        return event.run_resumed().reason() == "producer";
      },
      "third");
}

// Who looks at it is not left to think that it does something.
TEST_F(RunnerWaitsTest, ARunThatGetsNoTurnSaysSoAfterAWhile) {
  const std::string first = Start("film", {"X", "Y"});
  producers_.WaitForAttempt("X");
  producers_.WaitForAttempt("Y");
  const std::string second = Start("other", {"A"});
  // It begins to wait with what it tells first, and looks again soon.
  Ledger(
      second,
      [](const v1::LedgerEvent& event) { return event.has_run_started(); },
      "other");
  clock_.Advance(kLeastWait);
  const v1::RunWaitingEvent waiting = WaitOf(second, "other");
  EXPECT_EQ(waiting.reason(), "producer");
  EXPECT_THAT(waiting.message(), HasSubstr("other runs"));
  EXPECT_EQ(waiting.until_ms(), 0);
  producers_.Succeed("X");
  producers_.WaitForAttempt("A");
  Ledger(
      second,
      [](const v1::LedgerEvent& event) {
        return event.run_resumed().reason() == "producer";
      },
      "other");
}

}  // namespace
}  // namespace kinora
