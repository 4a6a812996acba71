#include "clients/cli/question_text.h"

#include <string>

#include "gtest/gtest.h"

namespace kinora {
namespace {

v1::PendingQuestion Pending(v1::QuestionKind kind) {
  v1::PendingQuestion pending;
  pending.set_run_id("run-1");
  pending.set_job_id("Picture[segment=0]");
  pending.mutable_question()->set_question_id("tone");
  pending.mutable_question()->set_kind(kind);
  for (const char* option : {"calm", "it's"}) {
    pending.mutable_question()->add_options(option);
  }
  return pending;
}

// What is shown can be pasted into a shell.
TEST(QuestionTextTest, TellsTheCommandThatAnswers) {
  const std::string job = " --job 'Picture[segment=0]'";
  const auto shown = [](v1::QuestionKind kind) {
    return HowToAnswer(Pending(kind));
  };
  EXPECT_EQ(shown(v1::QUESTION_KIND_UNSPECIFIED),
            "    kinora answer run-1 tone TEXT" + job);
  EXPECT_EQ(shown(v1::QUESTION_KIND_CONFIRM),
            "    kinora answer run-1 tone yes | no" + job);
  EXPECT_EQ(shown(v1::QUESTION_KIND_CHOICE),
            R"(    kinora answer run-1 tone 'calm' | 'it'\''s')" + job);
  EXPECT_EQ(shown(v1::QUESTION_KIND_MULTIPLE),
            R"(    kinora answer run-1 tone '["calm","it'\''s"]')" + job);
  v1::PendingQuestion pending = Pending(v1::QUESTION_KIND_JSON);
  pending.mutable_question()->set_default_json("[1]");
  EXPECT_EQ(HowToAnswer(pending),
            "    proposed: [1]\n    kinora answer run-1 tone JSON" + job);
}

TEST(QuestionTextTest, WhatTheRunAsksIsAnsweredWithWhatIsProposed) {
  v1::PendingQuestion pending;
  pending.set_run_id("run-1");
  pending.mutable_question()->set_question_id("budget");
  EXPECT_EQ(HowToAnswer(pending), "");
  pending.mutable_question()->set_default_json(R"("5.20 USD")");
  EXPECT_EQ(HowToAnswer(pending), "    kinora answer run-1 budget '5.20 USD'");
}

TEST(QuestionTextTest, TakesAnswersAsTheyAreTyped) {
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_TEXT, "a \"b\""), R"("a \"b\"")");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_CHOICE, "true"), R"("true")");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_CONFIRM, "Yes"), "true");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_CONFIRM, "no"), "false");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_CONFIRM, "true"), "true");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_CONFIRM, "maybe"), "maybe");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_MULTIPLE, "[\"a\"]"), "[\"a\"]");
  EXPECT_EQ(AnswerJson(v1::QUESTION_KIND_JSON, "{\"a\":1}"), "{\"a\":1}");
}

}  // namespace
}  // namespace kinora
