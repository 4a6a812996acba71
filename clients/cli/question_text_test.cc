#include "clients/cli/question_text.h"

#include <string>
#include <vector>

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

TEST(QuestionTextTest, TellsForWhomUntilWhenAndWhoHasAnswered) {
  v1::PendingQuestion pending = Pending(v1::QUESTION_KIND_CONFIRM);
  v1::Question* question = pending.mutable_question();
  question->clear_options();
  question->add_assignees("ann");
  question->mutable_deadline()->set_seconds(60);
  question->add_escalations()->add_assignees("bob");
  question->set_quorum(2);
  question->set_content_hash("sha");
  const std::string command =
      "    kinora answer run-1 tone yes | no --job 'Picture[segment=0]' "
      "--by NAME --about 'sha'";
  EXPECT_EQ(HowToAnswer(pending),
            "    for ann\n"
            "    until 1970-01-01 00:01:00 UTC, then bob\n"
            "    2 people must agree\n" +
                command);
  pending.set_escalations(1);
  pending.add_assignees("bob");
  pending.mutable_deadline()->set_seconds(90);
  v1::Answer* vote = pending.add_votes();
  vote->set_answered_by("cleo");
  vote->set_value_json("true");
  question->set_voters(3);
  question->set_default_json("false");
  EXPECT_EQ(HowToAnswer(pending),
            "    proposed: false\n"
            "    for bob\n"
            "    until 1970-01-01 00:01:30 UTC, then what is proposed\n"
            "    2 of 3 people must agree; so far cleo true\n" +
                command);
  // The last may have all the time there is.
  pending.clear_deadline();
  EXPECT_EQ(HowToAnswer(pending).find("until"), std::string::npos);
}

TEST(QuestionTextTest, TellsWhatAnAnswerKeepsTo) {
  v1::PendingQuestion pending = Pending(v1::QUESTION_KIND_MULTIPLE);
  pending.mutable_question()->set_min_choices(1);
  EXPECT_EQ(HowToAnswer(pending).rfind("    1 to 2 of them\n", 0), 0u);
  pending = Pending(v1::QUESTION_KIND_TEXT);
  pending.mutable_question()->set_max_length(40);
  pending.mutable_question()->set_pattern("[a-z]+");
  EXPECT_EQ(HowToAnswer(pending).rfind(
                "    at most 40 characters\n    matches [a-z]+\n", 0),
            0u);
}

// F: S3-7
// What may be passed over, and what a producer tells beside it.
TEST(QuestionTextTest, TellsThatItMayBePassedOver) {
  v1::PendingQuestion pending = Pending(v1::QUESTION_KIND_TEXT);
  pending.mutable_question()->set_required(true);
  EXPECT_EQ(HowToAnswer(pending).find("--skip"), std::string::npos);
  pending.mutable_question()->set_required(false);
  pending.mutable_question()->set_metadata_json(R"({"scene":3})");
  EXPECT_EQ(HowToAnswer(pending),
            "    {\"scene\":3}\n"
            "    kinora answer run-1 tone TEXT | --skip "
            "--job 'Picture[segment=0]'");
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
  const auto several = [](std::vector<absl::string_view> typed) {
    return AnswerJson(v1::QUESTION_KIND_MULTIPLE, typed);
  };
  EXPECT_EQ(several({"calm", "it's"}), R"(["calm","it's"])");
  EXPECT_EQ(several({"calm"}), R"(["calm"])");
  EXPECT_EQ(several({"[]"}), "[]");
  EXPECT_EQ(several({"[1]", "b"}), R"(["[1]","b"])");
}

}  // namespace
}  // namespace kinora
