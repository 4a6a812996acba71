// Questions of a job, and the way of their answers.

#include <future>
#include <memory>
#include <string>

#include "clients/cpp/producer/produce_session_fixture.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

TEST_P(ProduceSessionTest, AJobMayEndToWaitForAnAnswer) {
  auto observer = std::make_shared<WaitingObserver>();
  const std::unique_ptr<Attempt> attempt =
      Start({Accepted("1"), Asks("voice", "Which voice?"), WaitsFor("voice")},
            "text/plain", observer);
  const AttemptResult result = observer->Wait();
  EXPECT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.waits_for, "voice");
  ASSERT_TRUE(observer->WaitForQuestion().has_value());
  EXPECT_EQ(observer->WaitForQuestion()->prompt(), "Which voice?");
  EXPECT_FALSE(observer->takes_answer());
  attempt->Answer({});  // too late for anything
}

TEST_P(ProduceSessionTest, AnAnswerIsDeliveredOnTheStream) {
  producer_.answers_on_stream = true;
  ASSERT_OK(caller_->Describe("tts", ""));
  auto observer = std::make_shared<WaitingObserver>();
  const std::unique_ptr<Attempt> attempt =
      Start({Accepted("1"), Asks("voice", "Which voice?"),
             Chunk("Text", 0, kAnswered, true), Succeeded()},
            "text/plain", observer);
  ASSERT_TRUE(observer->WaitForQuestion().has_value());
  EXPECT_TRUE(observer->takes_answer());
  v1::Answer answer;
  answer.set_question_id("other");  // not asked here
  answer.set_value_json("\"low\"");
  attempt->Answer(answer);
  answer.set_question_id("voice");
  attempt->Answer(answer);
  attempt->Answer(answer);  // once is enough
  const AttemptResult result = observer->Wait();
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs.at(0).content.inline_().data(), "voice=\"low\"");
}

// A person may take a while.
TEST_P(ProduceSessionTest, WhoWaitsForAnAnswerHasNotStalled) {
  producer_.answers_on_stream = true;
  producer_.heartbeat_timeout = absl::Seconds(1);
  ASSERT_OK(caller_->Describe("tts", ""));
  auto observer = std::make_shared<WaitingObserver>();
  const std::unique_ptr<Attempt> attempt =
      Start({Accepted("1"), Asks("tone", "Which?"),
             Chunk("Text", 0, kAnswered, true), Succeeded()},
            "text/plain", observer);
  ASSERT_TRUE(observer->WaitForQuestion().has_value());
  std::promise<void> longer;
  executor_.PostAfter(1.3 * producer_.heartbeat_timeout,
                      [&longer] { longer.set_value(); });
  longer.get_future().wait();
  v1::Answer answer;
  answer.set_question_id("tone");
  answer.set_value_json("\"calm\"");
  attempt->Answer(answer);
  EXPECT_FALSE(observer->Wait().failure.has_value());
}

TEST_P(ProduceSessionTest, AProducerThatMayAskNeedNot) {
  producer_.answers_on_stream = true;
  ASSERT_OK(caller_->Describe("tts", ""));
  const AttemptResult result =
      Produce({Accepted("1"), Chunk("Text", 0, "x", true), Succeeded()});
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
}

TEST_P(ProduceSessionTest, AQuestionThatNobodyCanAnswerFailsTheAttempt) {
  ExpectFailure(Produce({Accepted("1"), Asks("", "Which voice?")}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false,
                "question.question_id");
  ExpectFailure(Produce({Accepted("1"), Asks("voice", std::string(5000, '?'))}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false, "question.prompt");
}

}  // namespace
}  // namespace kinora
