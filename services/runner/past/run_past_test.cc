#include "services/runner/past/run_past.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Job A, which asks for a tone, and others.
class RunPastTest : public ::testing::Test {
 protected:
  RunPastTest() {
    question_.set_question_id("tone");
    question_.set_prompt("Which tone?");
    answer_.set_question_id("tone");
    answer_.set_value_json("\"calm\"");
  }

  void Start(uint32_t attempt, const std::string& job = "A",
             int64_t at_ms = 0) {
    v1::LedgerEvent event;
    event.set_occurred_at_ms(at_ms);
    event.mutable_step_started()->mutable_step()->set_step_id(job);
    event.mutable_step_started()->set_attempt(attempt);
    past_.Apply(event);
  }
  void Leave(const std::string& details) {
    v1::LedgerEvent event;
    event.mutable_step_progress()->mutable_step()->set_step_id("A");
    event.mutable_step_progress()->set_heartbeat_details(details);
    past_.Apply(event);
  }
  void Take(const v1::JobEvent& job, int64_t at_ms = 0) {
    v1::LedgerEvent event;
    event.set_occurred_at_ms(at_ms);
    *event.mutable_job() = job;
    past_.Apply(event);
  }

  void Retry(const std::string& job, int64_t at_ms, const std::string& detail) {
    v1::LedgerEvent event;
    event.set_occurred_at_ms(at_ms);
    event.mutable_job()->set_type("retrying");
    event.mutable_job()->set_job_id(job);
    event.mutable_job()->set_detail_json(detail);
    past_.Apply(event);
  }

  // What job A has used of its time, in milliseconds.
  int64_t UsedMs(int64_t at_ms) const {
    return absl::ToInt64Milliseconds(
        past_.TimeUsed("A", absl::FromUnixMillis(at_ms)));
  }

  RunPast past_;
  v1::Question question_;
  v1::Answer answer_;
};

// Who asks through another runner is told which jobs that concerns; who adopts
// the run heeds it until the job has been called.
TEST_F(RunPastTest, JobsThatWaitForAnAttemptAreToBeRetriedOnceAsked) {
  const auto tell = [this](const std::string& type, const std::string& job) {
    v1::JobEvent event;
    event.set_type(type);
    event.set_job_id(job);
    Take(event);
  };
  Start(1);
  Start(1, "B");
  Start(1, "C");
  tell("retry", "");  // nobody waits
  EXPECT_FALSE(past_.IsToRetry("A"));
  tell("in_doubt", "B");
  Retry("A", 0, "{}");
  EXPECT_THAT(past_.AwaitingAttempt(""), ElementsAre("A", "B"));
  EXPECT_THAT(past_.AwaitingAttempt("B"), ElementsAre("B"));
  EXPECT_THAT(past_.AwaitingAttempt("C"), IsEmpty());
  EXPECT_TRUE(past_.AwaitsAttempt("B"));
  EXPECT_FALSE(past_.AwaitsAttempt("C"));
  tell("retry", "B");
  EXPECT_TRUE(past_.IsToRetry("B"));
  EXPECT_FALSE(past_.IsToRetry("A"));
  // A doubt that comes later was not meant.
  tell("retry", "A");
  tell("in_doubt", "A");
  EXPECT_FALSE(past_.IsToRetry("A"));
  tell("retry", "A");
  EXPECT_TRUE(past_.IsToRetry("A"));
  Start(2, "B");
  EXPECT_FALSE(past_.IsToRetry("B"));
  EXPECT_THAT(past_.AwaitingAttempt(""), ElementsAre("A"));
}

// A job may have an attempt that leaves nothing after one that did.
TEST_F(RunPastTest, WhatAnAttemptLeftIsKeptUntilTheJobEnds) {
  Start(1);
  EXPECT_EQ(past_.HeartbeatDetailsOf("A"), "");
  Leave("frame 1");
  Leave("frame 2");
  Leave("");
  Start(1, "B");
  Retry("A", 0, "{}");
  Start(2);
  EXPECT_EQ(past_.HeartbeatDetailsOf("A"), "frame 2");
  EXPECT_EQ(past_.HeartbeatDetailsOf("B"), "");
  v1::LedgerEvent completed;
  completed.mutable_step_completed()->mutable_step()->set_step_id("A");
  past_.Apply(completed);
  EXPECT_EQ(past_.HeartbeatDetailsOf("A"), "");
}

// What is made once more ends once more.
TEST_F(RunPastTest, ResultsAreToldInTheOrderOfTheirLastEnds) {
  const auto complete = [this](const std::string& job) {
    v1::LedgerEvent event;
    event.mutable_step_completed()->mutable_step()->set_step_id(job);
    past_.Apply(event);
  };
  complete("A");
  complete("B");
  ASSERT_TRUE(past_.ToldResult("B").has_value());
  EXPECT_LT(past_.ToldResult("A")->order, past_.ToldResult("B")->order);
  Start(2);
  EXPECT_FALSE(past_.ToldResult("A").has_value());
  complete("A");
  ASSERT_TRUE(past_.ToldResult("A").has_value());
  EXPECT_GT(past_.ToldResult("A")->order, past_.ToldResult("B")->order);
}

TEST_F(RunPastTest, AnAttemptThatHadAskedWasInterrupted) {
  Start(1);
  Take(QuestionEvent("A", question_));
  EXPECT_EQ(past_.Of("A").asking, "");
  EXPECT_TRUE(past_.Of("A").in_doubt);
  EXPECT_THAT(past_.Interrupted(), ElementsAre("A"));
  EXPECT_EQ(past_.questions().Pending().size(), 1u);
}

TEST_F(RunPastTest, AJobThatHasLeftItsPlaceWaitsForTheAnswer) {
  Start(1);
  Take(QuestionEvent("A", question_));
  Take(AskingEvent("A", question_, false, v1::Cost()));
  EXPECT_EQ(past_.Of("A").asking, "tone");
  EXPECT_EQ(past_.Of("A").attempts, 1u);
  EXPECT_EQ(past_.Of("A").failures, 0u);
  EXPECT_FALSE(past_.Of("A").in_doubt);
  EXPECT_THAT(past_.Interrupted(), IsEmpty());

  Take(AnsweredEvent("A", answer_));
  EXPECT_EQ(past_.Of("A").asking, "");
  Start(2);
  EXPECT_EQ(past_.Of("A").asking, "");
  EXPECT_THAT(past_.Interrupted(), ElementsAre("A"));
}

// Who answers at once may do so before the attempt has ended.
TEST_F(RunPastTest, AJobDoesNotWaitForAnAnswerThatIsThere) {
  Start(1);
  Take(QuestionEvent("A", question_));
  Take(AnsweredEvent("A", answer_));
  Take(AskingEvent("A", question_, true, v1::Cost()));
  EXPECT_EQ(past_.Of("A").asking, "");
  EXPECT_TRUE(past_.Of("A").in_doubt);
  EXPECT_EQ(past_.questions().AnswersOf("A").size(), 1u);
}

// Dies between the end of the question and that of its job.
TEST_F(RunPastTest, AJobWhoseQuestionHasNoAnswerHasFailed) {
  question_.set_content_hash("sha");
  Start(1);
  Take(QuestionEvent("A", question_));
  Take(AskingEvent("A", question_, false, v1::Cost()));
  EXPECT_NE(past_.Of("A").asking, "");
  EXPECT_FALSE(past_.Of("A").failure.has_value());
  RunQuestion asked;
  asked.job_id = "A";
  asked.question = question_;
  Unanswered unanswered;
  unanswered.message = "nobody was there";
  Take(UnansweredEvent(asked, unanswered));
  ASSERT_TRUE(past_.Of("A").failure.has_value());
  EXPECT_EQ(past_.Of("A").failure->message(), "nobody was there");
  // Called again in another step, it asks anew.
  v1::LedgerEvent failed;
  failed.mutable_step_failed()->mutable_step()->set_step_id("A");
  past_.Apply(failed);
  past_.ForgetFailures();
  EXPECT_EQ(past_.Of("A").asking, "");
  EXPECT_FALSE(past_.Of("A").failure.has_value());
}

TEST_F(RunPastTest, AttemptsThatDoNotCountUseNothingUpLater) {
  Start(1);
  Retry("A", 0, R"({"attempt":1,"delayMs":5})");
  Start(2);
  Retry("A", 0, R"({"attempt":2,"delayMs":5,"counts":false})");
  EXPECT_EQ(past_.Of("A").attempts, 2u);
  EXPECT_EQ(past_.Of("A").failures, 1u);
  EXPECT_FALSE(past_.Of("A").in_doubt);
}

// The longest of what a producer asked for.
TEST_F(RunPastTest, RecallsUntilWhenProducersAreLeftAlone) {
  Start(1);
  Retry("A", 1000, R"({"retryAfterMs":60000,"producer":"tts"})");
  Start(1, "B");
  Retry("B", 2000, R"({"retryAfterMs":5000,"producer":"tts"})");
  Start(1, "C");
  Retry("C", 3000, R"({"attempt":1,"delayMs":5})");
  EXPECT_THAT(past_.held_back(), ElementsAre(Pair("tts", 61000)));
}

// Attempts and the waits between them, and what the interrupted one may have
// gone on for.
TEST_F(RunPastTest, TimeIsUsedByAttemptsAndTheWaitsBetweenThem) {
  EXPECT_EQ(UsedMs(500), 0);
  Start(1, "A", 1000);
  Retry("A", 4000, R"({"attempt":1,"delayMs":500})");
  EXPECT_EQ(UsedMs(4200), 3200);
  EXPECT_EQ(UsedMs(60'000), 3500);  // it waited for its turn
  Start(2, "A", 60'000);
  EXPECT_EQ(UsedMs(61'000), 4500);
  EXPECT_EQ(UsedMs(3'600'000), 3500 + 3'540'000);
  past_.ForgetFailures();
  EXPECT_EQ(UsedMs(3'600'000), 0);
}

TEST_F(RunPastTest, TimeStandsStillWhileAPersonIsAsked) {
  Start(1, "A", 1000);
  Take(QuestionEvent("A", question_), 2000);
  EXPECT_EQ(UsedMs(50'000), 1000);
  // The attempt goes on with its answer.
  Take(AnsweredEvent("A", answer_), 50'000);
  EXPECT_EQ(UsedMs(50'500), 1500);
}

TEST_F(RunPastTest, TimeStandsStillFromTheLastAttemptToTheAnswer) {
  Start(1, "A", 1000);
  Take(QuestionEvent("A", question_), 2000);
  Take(AskingEvent("A", question_, false, v1::Cost()), 3000);
  EXPECT_EQ(UsedMs(50'000), 1000);
  Take(AnsweredEvent("A", answer_), 60'000);
  EXPECT_EQ(UsedMs(70'000), 1000);  // not called yet
  Start(2, "A", 70'000);
  EXPECT_EQ(UsedMs(70'100), 1100);
}

// It will ask again, and nobody has answered.
TEST_F(RunPastTest, TimeStandsStillOnceAnAttemptThatAskedWasInterrupted) {
  Start(1, "A", 1000);
  Take(QuestionEvent("A", question_), 2000);
  Start(2, "A", 10'000);
  EXPECT_EQ(UsedMs(20'000), 1000);
  Take(AnsweredEvent("A", answer_), 20'000);
  EXPECT_EQ(UsedMs(21'000), 2000);
}

// Of what outside workers report only the lines are taken.
TEST_F(RunPastTest, ReportsProveNothingAboutJobs) {
  Start(1);
  v1::LedgerEvent report;
  report.set_source(v1::LEDGER_SOURCE_WORKER);
  report.mutable_step_completed()->mutable_step()->set_step_id("A");
  past_.Apply(report);
  report.mutable_step_started()->mutable_step()->set_step_id("B");
  past_.Apply(report);
  report.mutable_run_started();
  past_.Apply(report);
  EXPECT_THAT(past_.Interrupted(), ElementsAre("A"));
  EXPECT_FALSE(past_.Told("A", JobStatus::kSucceeded));
  EXPECT_FALSE(past_.has_started());
  report.mutable_log_appended()->add_lines("x");
  report.mutable_log_appended()->set_first_seq(1);
  past_.Apply(report);
  EXPECT_EQ(past_.logs().total(), 1);
}

}  // namespace
}  // namespace kinora
