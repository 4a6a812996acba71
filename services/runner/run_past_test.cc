#include "services/runner/run_past.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Job A, which asks for a tone.
class RunPastTest : public ::testing::Test {
 protected:
  RunPastTest() {
    question_.set_question_id("tone");
    question_.set_prompt("Which tone?");
    answer_.set_question_id("tone");
    answer_.set_value_json("\"calm\"");
  }

  void Start(uint32_t attempt) {
    v1::LedgerEvent event;
    event.mutable_step_started()->mutable_step()->set_step_id("A");
    event.mutable_step_started()->set_attempt(attempt);
    past_.Apply(event);
  }
  void Take(const v1::JobEvent& job) {
    v1::LedgerEvent event;
    *event.mutable_job() = job;
    past_.Apply(event);
  }

  RunPast past_;
  v1::Question question_;
  v1::Answer answer_;
};

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

}  // namespace
}  // namespace kinora
