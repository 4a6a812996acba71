#include "services/runner/questions/question_terms.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

void ExpectRefused(const v1::Question& question, const std::string& why) {
  EXPECT_THAT(ValidateTerms(question),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
}

TEST(QuestionTermsTest, ADeadlineIsAbsoluteFromWhenItIsAsked) {
  v1::Question question;
  EXPECT_OK(ValidateTerms(question));
  StampDeadline(1'000, &question);
  EXPECT_EQ(DeadlineMillis(question), 0);
  question.mutable_timeout()->set_seconds(60);
  EXPECT_OK(ValidateTerms(question));
  StampDeadline(1'500, &question);
  EXPECT_EQ(DeadlineMillis(question), 61'500);
  StampDeadline(9'000, &question);
  EXPECT_EQ(DeadlineMillis(question), 61'500);
}

TEST(QuestionTermsTest, ADeadlineThatIsNoneIsRefused) {
  v1::Question question;
  question.mutable_timeout();
  ExpectRefused(question, "question.timeout: expected more than none");
  question.mutable_timeout()->set_seconds(-1);
  ExpectRefused(question, "question.timeout");
  question.mutable_timeout()->set_seconds(int64_t{1} << 62);
  ExpectRefused(question, "at most 10 years");
  question.mutable_timeout()->set_seconds(60);
  question.mutable_deadline()->set_seconds(60);
  ExpectRefused(question, "a timeout or a deadline, not both");
  question.clear_timeout();
  EXPECT_OK(ValidateTerms(question));
  question.mutable_deadline()->set_seconds(int64_t{1} << 50);
  ExpectRefused(question, "question.deadline");
}

TEST(QuestionTermsTest, WhatHappensAtTheDeadlineMustBePossible) {
  v1::Question question;
  question.set_on_deadline(v1::QUESTION_DEADLINE_ACTION_DEFAULT);
  ExpectRefused(question, "question.on_deadline: there is no default_json");
  question.set_default_json("true");
  EXPECT_OK(ValidateTerms(question));
  question.set_on_deadline(static_cast<v1::QuestionDeadlineAction>(9));
  ExpectRefused(question, "question.on_deadline");
}

TEST(QuestionTermsTest, AnEscalationGoesToSomebodyAtSomeTime) {
  v1::Question question;
  v1::QuestionEscalation* first = question.add_escalations();
  first->add_assignees("ann");
  ExpectRefused(question, "question.escalations: nothing is escalated");
  question.mutable_timeout()->set_seconds(1);
  EXPECT_OK(ValidateTerms(question));
  question.add_escalations();
  ExpectRefused(question, "question.escalations[0].timeout: must be set");
  question.mutable_escalations(0)->mutable_timeout()->set_seconds(1);
  ExpectRefused(question, "question.escalations[1].assignees: must be set");
  question.mutable_escalations(1)->add_assignees("bob");
  EXPECT_OK(ValidateTerms(question));
  question.mutable_escalations(1)->add_assignees("bob");
  ExpectRefused(question, "question.escalations[1].assignees: stands there");
  question.mutable_escalations(1)->set_assignees(1, std::string(257, 'x'));
  ExpectRefused(question, "1 to 256 bytes");
  for (int i = 0; i < 10; ++i) *question.add_escalations() = *first;
  ExpectRefused(question, "question.escalations: expected at most 10");
}

// F: S3-7
TEST(QuestionTermsTest, WhatIsNotRequiredNeedsNoDefault) {
  v1::Question question;
  EXPECT_FALSE(MayBePassedOver(question));
  question.set_required(true);
  EXPECT_FALSE(MayBePassedOver(question));
  question.set_required(false);
  EXPECT_TRUE(MayBePassedOver(question));
  question.set_on_deadline(v1::QUESTION_DEADLINE_ACTION_DEFAULT);
  EXPECT_OK(ValidateTerms(question));
}

TEST(QuestionTermsTest, SoManyPeopleAreAskedAtMost) {
  v1::Question question;
  question.set_quorum(2);
  EXPECT_EQ(VotersOf(question), 100u);
  question.set_quorum(80);
  EXPECT_EQ(VotersOf(question), 160u);
  question.set_voters(81);
  EXPECT_EQ(VotersOf(question), 81u);
}

TEST(QuestionTermsTest, AQuorumCanBeReached) {
  v1::Question question;
  EXPECT_EQ(QuorumOf(question), 1u);
  question.set_quorum(3);
  EXPECT_OK(ValidateTerms(question));
  EXPECT_EQ(QuorumOf(question), 3u);
  question.set_voters(2);
  ExpectRefused(question, "question.voters: fewer than the quorum, 3");
  question.set_voters(3);
  EXPECT_OK(ValidateTerms(question));
  question.set_quorum(1);
  ExpectRefused(question, "question.voters: only a question with a quorum");
  question.set_quorum(101);
  ExpectRefused(question, "question.quorum: expected at most 100");
}

}  // namespace
}  // namespace kinora
