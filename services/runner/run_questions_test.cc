#include "services/runner/run_questions.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/question_check.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Question Ask(const std::string& id, v1::QuestionKind kind,
                 const std::vector<std::string>& options = {}) {
  v1::Question question;
  question.set_question_id(id);
  question.set_prompt("Which " + id + "?");
  question.set_kind(kind);
  for (const std::string& option : options) question.add_options(option);
  return question;
}

v1::Answer Say(const std::string& id, const std::string& value_json) {
  v1::Answer answer;
  answer.set_question_id(id);
  answer.set_value_json(value_json);
  answer.set_answered_by("ann");
  return answer;
}

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
  ASSERT_NE(questions_.Find("A", "tone"), nullptr);
  EXPECT_EQ(questions_.Find("A", "tone")->question.SerializeAsString(),
            question.SerializeAsString());
  EXPECT_EQ(questions_.Find("A", "tone")->asked_at_ms, 1);
  EXPECT_THAT(questions_.AnswersOf("A"), IsEmpty());

  Take(AnsweredEvent("A", Say("tone", "\"é\"")));
  ASSERT_EQ(questions_.AnswersOf("A").size(), 1u);
  EXPECT_EQ(questions_.AnswersOf("A")[0].SerializeAsString(),
            Say("tone", "\"é\"").SerializeAsString());
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
    return AnswerRequestId(AnsweredEvent(job, Say(question, value)));
  };
  EXPECT_EQ(id("A", "q", "1"), id("A", "q", "2"));
  EXPECT_NE(id("A", "q", "1"), id("B", "q", "1"));
  EXPECT_NE(id("A", "q", "1"), id("A", "r", "1"));
}

TEST(QuestionCheckTest, AnswersMustHaveTheQuestionsForm) {
  const std::vector<std::string> options = {"a", "b"};
  struct Case {
    v1::QuestionKind kind;
    std::vector<const char*> good;
    std::vector<const char*> bad;
    const char* why;
  };
  const Case cases[] = {
      {v1::QUESTION_KIND_UNSPECIFIED, {"\"\""}, {"1", "null"}, "a string"},
      {v1::QUESTION_KIND_TEXT, {"\"x\""}, {"true", "[\"x\"]"}, "a string"},
      {v1::QUESTION_KIND_CONFIRM,
       {"true", "false"},
       {"\"true\"", "1", "null", "perhaps"},
       "true or false"},
      {v1::QUESTION_KIND_CHOICE,
       {"\"a\"", "\"b\""},
       {"\"c\"", "[\"a\"]", "\"\""},
       R"(one of "a", "b")"},
      {v1::QUESTION_KIND_MULTIPLE,
       {"[]", R"(["b","a"])"},
       {R"(["a","a"])", R"(["c"])", "\"a\"", "[1]"},
       R"(some of "a", "b")"},
      {v1::QUESTION_KIND_JSON, {"null", "{\"x\":[1]}"}, {"{", ""}, "JSON"},
  };
  for (const Case& c : cases) {
    for (const char* value : c.good) {
      EXPECT_OK(CheckAnswer(Ask("q", c.kind, options), value)) << value;
    }
    for (const char* value : c.bad) {
      const absl::Status status =
          CheckAnswer(Ask("q", c.kind, options), value).status();
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                   HasSubstr(c.why)))
          << value;
      EXPECT_THAT(status.message(), HasSubstr("answer.value_json"));
    }
  }
  ASSERT_OK_AND_ASSIGN(
      const std::string canonical,
      CheckAnswer(Ask("q", v1::QUESTION_KIND_JSON), R"( {"b": 1.0, "a": 2} )"));
  EXPECT_EQ(canonical, R"({"a":2,"b":1})");
}

TEST(QuestionCheckTest, AnswersFitTheSchemaOfTheirQuestion) {
  v1::Question question = Ask("q", v1::QUESTION_KIND_JSON);
  question.set_schema_json(
      R"({"type":"object","properties":{"takes":{"items":{"maximum":9}}}})");
  EXPECT_OK(ValidateQuestion(question));
  EXPECT_OK(CheckAnswer(question, R"({"takes":[1,9]})"));
  EXPECT_THAT(CheckAnswer(question, R"({"takes":[1,10]})"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("answer.value_json: does not fit the "
                                 "question's JSON Schema: at /takes/1: "
                                 "expected at most 9, got 10")));
  // The default is an answer.
  question.set_default_json("[]");
  EXPECT_THAT(ValidateQuestion(question),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("question.default_json")));
  // One that was asked before schemas were looked at.
  question.set_schema_json(R"({"type":"text"})");
  EXPECT_OK(CheckAnswer(question, "7"));
}

TEST(QuestionCheckTest, WhatNobodyCouldAnswerIsRefused) {
  EXPECT_OK(ValidateQuestion(Ask("a/b:c.d-e_1", v1::QUESTION_KIND_TEXT)));
  const auto refused = [](const v1::Question& question,
                          const std::string& why) {
    EXPECT_THAT(ValidateQuestion(question),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  refused(Ask("", v1::QUESTION_KIND_TEXT), "question.question_id");
  refused(Ask("a b", v1::QUESTION_KIND_TEXT), "question.question_id");
  refused(Ask(std::string(129, 'x'), v1::QUESTION_KIND_TEXT),
          "question.question_id");
  refused(Ask("q", v1::QUESTION_KIND_CHOICE), "question.options");
  refused(Ask("q", v1::QUESTION_KIND_MULTIPLE), "question.options");
  refused(Ask("q", v1::QUESTION_KIND_CHOICE, {"a", "a"}), "twice");
  refused(Ask("q", v1::QUESTION_KIND_CHOICE, {""}), "1 to 1024 bytes");
  refused(
      Ask("q", v1::QUESTION_KIND_CHOICE, std::vector<std::string>(101, "a")),
      "1 to 100 options");
  v1::Question question = Ask("q", v1::QUESTION_KIND_TEXT);
  question.clear_prompt();
  refused(question, "question.prompt");
  question.set_prompt(std::string(4097, 'x'));
  refused(question, "question.prompt: at most 4096 bytes");
  question = Ask("q", v1::QUESTION_KIND_CHOICE, {"a"});
  question.set_default_json("\"b\"");
  refused(question, "question.default_json");
  question = Ask("q", v1::QUESTION_KIND_JSON);
  for (const char* schema :
       {"7", "{", R"({"type":"text"})", R"({"unevaluatedItems":false})"}) {
    question.set_schema_json(schema);
    refused(question, "question.schema_json");
  }
  question = Ask("q", static_cast<v1::QuestionKind>(77));
  refused(question, "question.kind");
}

}  // namespace
}  // namespace kinora
