#include "services/runner/questions/question_verdict.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "services/runner/questions/question_events.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kDeadline = 10'000;

class QuestionVerdictTest : public ::testing::Test {
 protected:
  QuestionVerdictTest() {
    asked_.job_id = "A";
    asked_.question.set_question_id("ok");
    asked_.question.set_kind(v1::QUESTION_KIND_CONFIRM);
    asked_.question.set_content_hash("sha");
    asked_.deadline_ms = kDeadline;
  }

  void Vote(const std::string& value_json) {
    v1::Answer vote;
    vote.set_question_id("ok");
    vote.set_value_json(value_json);
    vote.set_answered_by("p" + std::to_string(asked_.votes.size()));
    asked_.votes.push_back(vote);
  }

  // "TYPE DETAIL" of the verdict; empty for none.
  std::string Verdict(int64_t now_ms, bool may_cancel_run = true) const {
    const auto event = VerdictOn(asked_, now_ms, may_cancel_run);
    if (!event.has_value()) return "";
    EXPECT_EQ(event->job_id(), "A");
    return event->type() + " " + event->detail_json();
  }

  RunQuestion asked_;
};

TEST_F(QuestionVerdictTest, NothingHappensBeforeTheDeadline) {
  EXPECT_EQ(Verdict(kDeadline - 1), "");
  asked_.deadline_ms = 0;
  EXPECT_EQ(Verdict(INT64_MAX), "");
}

TEST_F(QuestionVerdictTest, TheDefaultIsTheAnswerIfThereIsOne) {
  asked_.question.set_default_json(" true ");
  EXPECT_EQ(Verdict(kDeadline),
            R"(answered {"assumed":"deadline","contentHash":"sha",)"
            R"("questionId":"ok","value":true})");
  asked_.question.set_on_deadline(v1::QUESTION_DEADLINE_ACTION_FAIL_JOB);
  EXPECT_THAT(Verdict(kDeadline), HasSubstr("unanswered"));
}

TEST_F(QuestionVerdictTest, WithoutADefaultTheJobFails) {
  EXPECT_EQ(Verdict(kDeadline),
            R"(unanswered {"contentHash":"sha","questionId":"ok",)"
            R"("then":"fail_job","why":"deadline"})");
  EXPECT_THAT(VerdictOn(asked_, kDeadline, true)->message(),
              HasSubstr("\"ok\" of job A by 1970-01-01T00:00:10Z"));
}

TEST_F(QuestionVerdictTest, TheRunIsCancelledWhereThatIsTheRunners) {
  asked_.question.set_on_deadline(v1::QUESTION_DEADLINE_ACTION_CANCEL_RUN);
  EXPECT_THAT(Verdict(kDeadline), HasSubstr(R"("then":"cancel_run")"));
  EXPECT_THAT(Verdict(kDeadline, /*may_cancel_run=*/false),
              HasSubstr(R"("then":"fail_job")"));
}

// Who is asked late has the same time to answer.
TEST_F(QuestionVerdictTest, OthersAreAskedFirstAndHaveTheirTimeFromThenOn) {
  asked_.question.set_default_json("true");
  v1::QuestionEscalation* next = asked_.question.add_escalations();
  next->add_assignees("bob");
  next->mutable_timeout()->set_seconds(5);
  asked_.question.add_escalations()->add_assignees("cleo");
  EXPECT_EQ(Verdict(kDeadline + 700),
            R"(escalated {"assignees":["bob"],"contentHash":"sha",)"
            R"("deadlineMs":15700,"level":1,"questionId":"ok"})");
  asked_.level = 1;
  EXPECT_EQ(Verdict(kDeadline),
            R"(escalated {"assignees":["cleo"],"contentHash":"sha",)"
            R"("level":2,"questionId":"ok"})");
  asked_.level = 2;
  EXPECT_THAT(Verdict(kDeadline), HasSubstr("answered"));
}

TEST_F(QuestionVerdictTest, SoManyEqualAnswersDecide) {
  asked_.question.set_quorum(2);
  Vote("true");
  Vote("false");
  EXPECT_EQ(Verdict(0), "");
  Vote("true");
  EXPECT_EQ(Verdict(0),
            R"(answered {"answeredBy":"p0, p2","contentHash":"sha",)"
            R"("questionId":"ok","value":true})");
}

// The deadline is for those who have not answered.
TEST_F(QuestionVerdictTest, AQuorumHoldsAlsoAtTheDeadline) {
  asked_.question.set_quorum(2);
  Vote("true");
  EXPECT_THAT(Verdict(kDeadline), HasSubstr("unanswered"));
  Vote("true");
  EXPECT_THAT(Verdict(kDeadline), HasSubstr(R"("value":true)"));
}

TEST_F(QuestionVerdictTest, WhatNotEnoughCanAgreeToIsNotAgreedTo) {
  asked_.question.set_quorum(2);
  asked_.question.set_voters(3);
  asked_.question.set_kind(v1::QUESTION_KIND_CHOICE);
  Vote("\"a\"");
  Vote("\"b\"");
  EXPECT_EQ(Verdict(0), "");  // the third may agree with one of them
  Vote("\"c\"");
  EXPECT_THAT(Verdict(0), HasSubstr(R"("then":"fail_job","why":"quorum")"));
}

TEST_F(QuestionVerdictTest, OneNoOfTwoDecides) {
  asked_.question.set_quorum(2);
  asked_.question.set_voters(2);
  Vote("false");
  EXPECT_THAT(Verdict(0), HasSubstr(R"("answeredBy":"p0","assumed":"quorum")"));
  EXPECT_THAT(Verdict(0), HasSubstr(R"("value":false)"));
}

// Nobody says how many there are: it does not go on for ever.
TEST_F(QuestionVerdictTest, AfterAHundredAnswersNoOtherIsAwaited) {
  asked_.question.set_quorum(3);
  asked_.question.set_kind(v1::QUESTION_KIND_TEXT);
  for (int i = 0; i < 98; ++i) Vote(absl::StrCat("\"", i, "\""));
  EXPECT_EQ(Verdict(0), "");  // two more may agree with one of them
  Vote("\"98\"");
  EXPECT_THAT(Verdict(0), HasSubstr(R"("then":"fail_job","why":"quorum")"));
  EXPECT_THAT(VerdictOn(asked_, 0, true)->message(),
              HasSubstr("no 3 of 100 people agree"));
}

// F: S3-7
TEST_F(QuestionVerdictTest, WhatMayBePassedOverIsSoAtTheDeadline) {
  asked_.question.set_required(false);
  EXPECT_EQ(Verdict(kDeadline),
            R"(answered {"assumed":"deadline","contentHash":"sha",)"
            R"("questionId":"ok","value":null})");
  asked_.question.set_on_deadline(v1::QUESTION_DEADLINE_ACTION_DEFAULT);
  EXPECT_THAT(Verdict(kDeadline), HasSubstr(R"("value":null)"));
  asked_.question.set_default_json("true");
  EXPECT_THAT(Verdict(kDeadline), HasSubstr(R"("value":true)"));
  asked_.question.set_on_deadline(v1::QUESTION_DEADLINE_ACTION_FAIL_JOB);
  EXPECT_THAT(Verdict(kDeadline), HasSubstr("unanswered"));
}

TEST_F(QuestionVerdictTest, WhatIsSettledStaysSo) {
  asked_.answer.emplace();
  EXPECT_EQ(Verdict(kDeadline), "");
  asked_.answer.reset();
  asked_.is_void = true;
  EXPECT_EQ(Verdict(kDeadline), "");
  asked_.is_void = false;
  asked_.unanswered.emplace().message = "nobody";
  EXPECT_EQ(Verdict(kDeadline), "");
  EXPECT_EQ(FailureOf(asked_).reason(), v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(FailureOf(asked_).message(), "nobody");
  EXPECT_FALSE(FailureOf(asked_).retryable());
}

}  // namespace
}  // namespace kinora
