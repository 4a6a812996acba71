#include "services/runner/questions/question_check.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/testing/asked_question.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

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

TEST(QuestionCheckTest, AChoiceOfSeveralHasAsManyAsAreWanted) {
  v1::Question question = Ask("q", v1::QUESTION_KIND_MULTIPLE, {"a", "b", "c"});
  question.set_min_choices(1);
  question.set_max_choices(2);
  EXPECT_OK(ValidateQuestion(question));
  EXPECT_OK(CheckAnswer(question, R"(["a"])"));
  EXPECT_OK(CheckAnswer(question, R"(["c","a"])"));
  EXPECT_THAT(CheckAnswer(question, "[]"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at least 1 of the options")));
  EXPECT_THAT(CheckAnswer(question, R"(["a","b","c"])"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at most 2 of the options")));
  const auto refused = [](const v1::Question& bad, const std::string& why) {
    EXPECT_THAT(ValidateQuestion(bad),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  question.set_min_choices(3);
  refused(question, "question.min_choices: more than max_choices, 2");
  question.set_max_choices(4);
  refused(question, "question.max_choices: there are 3 options, got \"4\"");
  question.set_min_choices(5);
  refused(question, "question.min_choices: there are 3 options, got \"5\"");
  question.set_kind(v1::QUESTION_KIND_CHOICE);
  refused(question, "question.min_choices: only for several choices");
}

TEST(QuestionCheckTest, ATextIsAsLongAsItMayBeAndMatchesAsAWhole) {
  v1::Question question = Ask("q", v1::QUESTION_KIND_UNSPECIFIED);
  question.set_max_length(3);
  EXPECT_OK(ValidateQuestion(question));
  EXPECT_OK(CheckAnswer(question, "\"\u00e9\u00e9\u00e9\""));
  EXPECT_THAT(CheckAnswer(question, R"("four")"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at most 3 characters")));
  question.set_max_length(0);
  question.set_pattern("a|b+");
  EXPECT_OK(ValidateQuestion(question));
  EXPECT_OK(CheckAnswer(question, R"("a")"));
  EXPECT_OK(CheckAnswer(question, R"("bbb")"));
  for (const char* value : {R"("ab")", R"("xa")", R"("")", "\"a\\n\""}) {
    EXPECT_THAT(CheckAnswer(question, value),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(R"(a text that matches "a|b+")")))
        << value;
  }
  for (const char* pattern : {"(", "a)|(b", R"((?=x))"}) {
    question.set_pattern(pattern);
    EXPECT_THAT(ValidateQuestion(question),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("question.pattern")))
        << pattern;
  }
  question.set_pattern("a");
  question.set_kind(v1::QUESTION_KIND_CONFIRM);
  EXPECT_THAT(ValidateQuestion(question),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("question.pattern: only for text")));
}

// F: S3-7
TEST(QuestionCheckTest, NullAnswersWhatIsNotRequired) {
  for (const v1::QuestionKind kind :
       {v1::QUESTION_KIND_TEXT, v1::QUESTION_KIND_CONFIRM,
        v1::QUESTION_KIND_CHOICE, v1::QUESTION_KIND_MULTIPLE}) {
    v1::Question question = Ask("q", kind);
    question.add_options("a");
    EXPECT_FALSE(CheckAnswer(question, "null").ok());
    question.set_required(true);
    EXPECT_FALSE(CheckAnswer(question, "null").ok());
    question.set_required(false);
    ASSERT_OK_AND_ASSIGN(const std::string answer,
                         CheckAnswer(question, " null "));
    EXPECT_EQ(answer, "null");
    EXPECT_FALSE(CheckAnswer(question, "").ok());
  }
}

TEST(QuestionCheckTest, WhatElseThereIsToKnowIsAnObject) {
  v1::Question question = Ask("q", v1::QUESTION_KIND_TEXT);
  question.set_metadata_json(R"({"scene":3})");
  EXPECT_OK(ValidateQuestion(question));
  for (const std::string& metadata :
       {std::string("[1]"), std::string("{"),
        "{\"a\":\"" + std::string(16 * 1024, 'x') + "\"}"}) {
    question.set_metadata_json(metadata);
    EXPECT_THAT(ValidateQuestion(question),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("question.metadata_json")));
  }
}

}  // namespace
}  // namespace kinora
