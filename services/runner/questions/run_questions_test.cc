#include "services/runner/questions/run_questions.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/questions/question_check.h"
#include "services/runner/testing/asked_question.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Answer Say(const std::string& id, const std::string& value_json) {
  v1::Answer answer;
  answer.set_question_id(id);
  answer.set_value_json(value_json);
  answer.set_answered_by("ann");
  return answer;
}

bool All(const std::string&) { return true; }

class RunQuestionsTest : public ::testing::Test {
 protected:
  void Take(const v1::JobEvent& job) {
    v1::LedgerEvent event;
    event.set_occurred_at_ms(++now_ms_);
    *event.mutable_job() = job;
    questions_.Apply(event);
  }
  void Complete(const std::string& job_id) {
    v1::LedgerEvent event;
    event.mutable_step_completed()->mutable_step()->set_step_id(job_id);
    questions_.Apply(event);
  }
  // "JOB QUESTION" of each question that waits.
  std::vector<std::string> Pending() const {
    std::vector<std::string> pending;
    for (const RunQuestion* asked : questions_.Pending()) {
      pending.push_back(asked->job_id + " " + asked->question.question_id());
    }
    return pending;
  }

  RunQuestions questions_;
  int64_t now_ms_ = 0;
};

// What one process wrote, another reads: nothing of either may be lost.
TEST_F(RunQuestionsTest, TheLedgerHoldsTheWholeQuestionAndItsAnswer) {
  v1::Question question = Ask("tone", v1::QUESTION_KIND_CHOICE, {"calm", "é"});
  question.set_default_json("\"calm\"");
  question.mutable_timeout()->set_seconds(60);
  question.set_content_hash("sha");
  Take(QuestionEvent("A", question));
  ASSERT_NE(questions_.Latest("A", "tone"), nullptr);
  EXPECT_EQ(questions_.Latest("A", "tone")->question.SerializeAsString(),
            question.SerializeAsString());
  EXPECT_EQ(questions_.Latest("A", "tone")->asked_at_ms, 1);
  EXPECT_THAT(questions_.AnswersOf("A"), IsEmpty());

  v1::Answer answer = Say("tone", "\"é\"");
  answer.set_content_hash("sha");
  Take(AnsweredEvent("A", answer));
  ASSERT_EQ(questions_.AnswersOf("A").size(), 1u);
  EXPECT_EQ(questions_.AnswersOf("A")[0].SerializeAsString(),
            answer.SerializeAsString());
  EXPECT_THAT(questions_.AnswersOf("B"), IsEmpty());
  EXPECT_THAT(Pending(), IsEmpty());
}

TEST_F(RunQuestionsTest, AQuestionIsAskedOnceAndAnsweredOnce) {
  Take(QuestionEvent("A", Ask("tone", v1::QUESTION_KIND_TEXT)));
  Take(QuestionEvent("B", Ask("tone", v1::QUESTION_KIND_TEXT)));
  Take(QuestionEvent("A", Ask("tone", v1::QUESTION_KIND_CONFIRM)));
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A tone", "B tone"));
  Take(AnsweredEvent("A", Say("tone", "\"first\"")));
  Take(AnsweredEvent("A", Say("tone", "\"second\"")));
  EXPECT_EQ(questions_.AnswersOf("A").at(0).value_json(), "\"first\"");
  EXPECT_THAT(Pending(), ::testing::ElementsAre("B tone"));
  EXPECT_EQ(ReasonOf(questions_.Accept("A", Say("tone", "\"x\"")).status()),
            "QUESTION_NOT_FOUND");
}

TEST_F(RunQuestionsTest, WhatAJobAskedIsOverWhenTheJobIs) {
  Take(QuestionEvent("A", Ask("tone", v1::QUESTION_KIND_TEXT)));
  Complete("A");
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_THAT(questions_.Accept("A", Say("tone", "\"x\"")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"tone\"")));
}

TEST_F(RunQuestionsTest, TheJobMustBeNamedIfSeveralAskTheSame) {
  Take(QuestionEvent("A", Ask("tone", v1::QUESTION_KIND_TEXT)));
  Take(QuestionEvent("B", Ask("tone", v1::QUESTION_KIND_TEXT)));
  EXPECT_THAT(questions_.Accept("", Say("tone", "\"x\"")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("A, B")));
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent event,
                       questions_.Accept("B", Say("tone", "\"x\"")));
  Take(event);
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A tone"));
  EXPECT_OK(questions_.Accept("", Say("tone", "\"x\"")));
}

TEST_F(RunQuestionsTest, AnswersOfOneQuestionShareARequestId) {
  const auto id = [](const std::string& job, const std::string& question,
                     const std::string& value) {
    return QuestionRequestId(AnsweredEvent(job, Say(question, value)));
  };
  EXPECT_EQ(id("A", "q", "1"), id("A", "q", "2"));
  EXPECT_NE(id("A", "q", "1"), id("B", "q", "1"));
  EXPECT_NE(id("A", "q", "1"), id("A", "r", "1"));
}

// An answer holds for the bytes that were looked at.
TEST_F(RunQuestionsTest, OtherContentIsAskedAnewAndTheOldAnswerHoldsNoMore) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  question.set_content_hash("old");
  Take(QuestionEvent("A", question));
  EXPECT_FALSE(questions_.IsNew("A", question));
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent first,
                       questions_.Accept("A", Say("ok", "true")));
  Take(first);
  EXPECT_EQ(questions_.AnswersOf("A").at(0).content_hash(), "old");

  question.set_content_hash("new");
  EXPECT_TRUE(questions_.IsNew("A", question));
  Take(QuestionEvent("A", question));
  EXPECT_EQ(questions_.AnswersOf("A").size(), 1u);
  EXPECT_FALSE(questions_.Latest("A", "ok")->answer.has_value());
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A ok"));
  Take(first);  // came late
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A ok"));

  v1::Answer about_old = Say("ok", "true");
  about_old.set_content_hash("old");
  const absl::Status refused = questions_.Accept("A", about_old).status();
  EXPECT_EQ(ReasonOf(refused), "QUESTION_NOT_FOUND");
  EXPECT_THAT(refused.message(), HasSubstr("asked about content new"));
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent second,
                       questions_.Accept("A", Say("ok", "true")));
  EXPECT_NE(QuestionRequestId(first), QuestionRequestId(second));
  Take(second);
  // The producer begins anew, and may come by the old one first.
  ASSERT_EQ(questions_.AnswersOf("A").size(), 2u);
  EXPECT_EQ(questions_.AnswersOf("A").at(0).content_hash(), "old");
  EXPECT_EQ(questions_.AnswersOf("A").at(1).content_hash(), "new");
  question.set_content_hash("old");
  EXPECT_FALSE(questions_.IsNew("A", question));
}

// An attempt that makes other bytes than the one before.
TEST_F(RunQuestionsTest, WhatIsAskedAboutNoMoreNeedsNoAnswer) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  question.set_content_hash("old");
  Take(QuestionEvent("A", question));
  question.set_content_hash("new");
  Take(QuestionEvent("A", question));
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A ok"));
  question.set_content_hash("old");
  EXPECT_TRUE(questions_.IsNew("A", question));
  Take(QuestionEvent("A", question));
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A ok"));
  EXPECT_EQ(questions_.Latest("A", "ok")->question.content_hash(), "old");
  EXPECT_EQ(questions_.Latest("A", "ok")->round, 2u);
}

// Those for which a person has answered are a review that goes on.
TEST_F(RunQuestionsTest, CountsContentsThatNobodyHasAnsweredFor) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  EXPECT_EQ(questions_.UnheededContents("A", "ok"), 0u);
  for (const char* hash : {"1", "2", "3"}) {
    question.set_content_hash(hash);
    Take(QuestionEvent("A", question));
  }
  Take(QuestionEvent("A", Ask("tone", v1::QUESTION_KIND_TEXT)));
  EXPECT_EQ(questions_.UnheededContents("A", "ok"), 3u);
  EXPECT_EQ(questions_.UnheededContents("B", "ok"), 0u);
  v1::Answer answer = Say("ok", "true");
  answer.set_content_hash("3");
  Take(AssumedEvent("A", answer, "deadline"));
  EXPECT_EQ(questions_.UnheededContents("A", "ok"), 3u);
  question.set_content_hash("4");
  Take(QuestionEvent("A", question));
  EXPECT_EQ(questions_.UnheededContents("A", "ok"), 4u);
  answer.set_content_hash("4");
  Take(AnsweredEvent("A", answer));
  EXPECT_EQ(questions_.UnheededContents("A", "ok"), 3u);
}

// F: S3-7
// Also what is not required, and what else there is to know, is told.
TEST_F(RunQuestionsTest, TheLedgerHoldsWhatMayBePassedOver) {
  v1::Question question = Ask("tone", v1::QUESTION_KIND_TEXT);
  question.set_required(false);
  question.set_metadata_json(R"({"scene":3})");
  Take(QuestionEvent("A", question));
  ASSERT_NE(questions_.Latest("A", "tone"), nullptr);
  EXPECT_EQ(questions_.Latest("A", "tone")->question.SerializeAsString(),
            question.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent skipped,
                       questions_.Accept("A", Say("tone", "null")));
  Take(skipped);
  ASSERT_EQ(questions_.AnswersOf("A").size(), 1u);
  EXPECT_EQ(questions_.AnswersOf("A")[0].value_json(), "null");
}

TEST_F(RunQuestionsTest, EachPersonOfAQuorumAnswersOnce) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  question.set_quorum(2);
  Take(QuestionEvent("A", question));
  v1::Answer answer = Say("ok", "true");
  answer.clear_answered_by();
  EXPECT_THAT(questions_.Accept("A", answer),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("answer.answered_by: must be set")));
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent ann,
                       questions_.Accept("A", Say("ok", "true")));
  EXPECT_EQ(ann.type(), "voted");
  Take(ann);
  EXPECT_THAT(questions_.AnswersOf("A"), IsEmpty());
  EXPECT_EQ(questions_.NextVerdictMillis(All), INT64_MAX);
  // Also of one who says the other thing, and under blanks.
  answer = Say("ok", "false");
  answer.set_answered_by(" ann ");
  EXPECT_THAT(questions_.Accept("A", answer),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has answered already, true")));
  answer.set_answered_by("bob");
  answer.set_value_json("true");
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent bob, questions_.Accept("A", answer));
  EXPECT_NE(QuestionRequestId(ann), QuestionRequestId(bob));
  Take(bob);
  Take(bob);
  // It is decided, and is to be told.
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_EQ(questions_.NextVerdictMillis(All), 0);
  const std::vector<v1::JobEvent> told = questions_.Verdicts(0, true, All);
  ASSERT_EQ(told.size(), 1u);
  Take(told[0]);
  EXPECT_EQ(questions_.AnswersOf("A").at(0).answered_by(), "ann, bob");
  EXPECT_EQ(questions_.AnswersOf("A").at(0).value_json(), "true");
  EXPECT_EQ(questions_.NextVerdictMillis(All), INT64_MAX);
}

// Whoever adopts the run knows how far it has come.
TEST_F(RunQuestionsTest, AnEscalationMovesTheDeadlineToOthers) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  question.add_assignees("ann");
  question.mutable_deadline()->set_seconds(100);
  v1::QuestionEscalation* next = question.add_escalations();
  next->add_assignees("bob");
  next->mutable_timeout()->set_seconds(60);
  Take(QuestionEvent("A", question));
  EXPECT_EQ(questions_.NextVerdictMillis(All), 100'000);
  EXPECT_THAT(questions_.Verdicts(99'999, true, All), IsEmpty());
  // Nobody was there for a while.
  const std::vector<v1::JobEvent> late =
      questions_.Verdicts(500'000, true, All);
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].type(), "escalated");
  Take(late[0]);
  Take(late[0]);
  EXPECT_EQ(questions_.Find("A", "ok")->level, 1u);
  EXPECT_THAT(questions_.Find("A", "ok")->assignees,
              ::testing::ElementsAre("bob"));
  EXPECT_EQ(questions_.NextVerdictMillis(All), 560'000);
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A ok"));

  const std::vector<v1::JobEvent> end = questions_.Verdicts(560'000, true, All);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].type(), "unanswered");
  Take(end[0]);
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_FALSE(questions_.Waits("A"));
  EXPECT_EQ(questions_.Settled("A").size(), 1u);
  Take(AnsweredEvent("A", Say("ok", "true")));  // too late
  EXPECT_THAT(questions_.AnswersOf("A"), IsEmpty());
}

// In a stepwise run a job that has failed may be called again.
TEST_F(RunQuestionsTest, WhatNobodyAnsweredIsAskedAnewIfTheJobIsTriedAnew) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  question.mutable_deadline()->set_seconds(1);
  Take(QuestionEvent("A", question));
  const std::vector<v1::JobEvent> end = questions_.Verdicts(2'000, true, All);
  ASSERT_EQ(end.size(), 1u);
  Take(end[0]);
  EXPECT_FALSE(questions_.IsNew("A", question));
  Complete("A");  // however it ended
  EXPECT_TRUE(questions_.IsNew("A", question));
  question.mutable_deadline()->set_seconds(9);
  Take(QuestionEvent("A", question));
  EXPECT_THAT(Pending(), ::testing::ElementsAre("A ok"));
  ASSERT_OK_AND_ASSIGN(const v1::JobEvent answered,
                       questions_.Accept("A", Say("ok", "true")));
  EXPECT_NE(QuestionRequestId(answered), QuestionRequestId(end[0]));
  Take(answered);
  EXPECT_EQ(questions_.AnswersOf("A").size(), 1u);
}

TEST_F(RunQuestionsTest, AnAnswerOfAnEarlierRunBringsItsQuestion) {
  v1::Question question = Ask("ok", v1::QUESTION_KIND_CONFIRM);
  question.set_content_hash("sha");
  v1::Answer answer = Say("ok", "true");
  answer.set_content_hash("sha");
  Take(ApprovedEvent("A", question, answer, "run-1"));
  EXPECT_FALSE(questions_.IsNew("A", question));
  EXPECT_EQ(questions_.Latest("A", "ok")->approved_in, "run-1");
  EXPECT_EQ(questions_.AnswersOf("A").at(0).SerializeAsString(),
            answer.SerializeAsString());
}

}  // namespace
}  // namespace kinora
