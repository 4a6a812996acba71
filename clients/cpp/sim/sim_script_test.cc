#include "clients/cpp/sim/sim_script.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

v1::JobHeader Header(absl::string_view settings = "{}") {
  v1::JobHeader header;
  header.set_job_id("Picture[segment=0]");
  header.set_producer("picture");
  header.set_attempt(1);
  header.set_settings_json(std::string(settings));
  v1::ExpectedOutput& output = *header.add_outputs();
  output.set_name("Image");
  output.set_mime_type("image/png");
  v1::InputBinding& binding = *header.add_inputs();
  binding.set_name("text");
  v1::InputElement& element = *binding.add_elements();
  element.set_source_id("Artifact:SegmentText[segment=0]");
  element.mutable_content()->mutable_digest()->set_hash(
      Sha256Of("a whale").Hex());
  element.set_inline_("a whale");
  return header;
}

// Everything the script answers, outputs joined by id.
struct Answers {
  std::vector<v1::ProduceResponse> messages;
  std::string output;
  v1::JobResult result;
};

Answers Play(v1::JobHeader header) {
  absl::StatusOr<SimScript> script = SimScript::Make(std::move(header));
  EXPECT_TRUE(script.ok()) << script.status();
  Answers answers;
  v1::ProduceResponse response;
  while (script->Next(&response)) {
    if (response.has_output_chunk()) {
      EXPECT_EQ(response.output_chunk().offset(), answers.output.size());
      answers.output += response.output_chunk().data();
    }
    if (response.has_result()) answers.result = response.result();
    answers.messages.push_back(response);
  }
  return answers;
}

TEST(SimScriptTest, NamesTheReadableCopyWithTheFirstChunk) {
  const Answers answers =
      Play(Header(R"({"bytes":2000000,"readable_path":"a/b.txt"})"));
  ASSERT_GT(answers.messages.size(), 2u);
  EXPECT_EQ(answers.messages[0].output_chunk().readable_path(), "a/b.txt");
  EXPECT_EQ(answers.messages[1].output_chunk().readable_path(), "");
}

TEST(SimScriptTest, NamesTheJobAndTheDigestsOfItsInputs) {
  const Answers answers = Play(Header());
  EXPECT_TRUE(answers.result.has_succeeded());
  EXPECT_TRUE(absl::StrContains(answers.output, "Picture[segment=0]"));
  EXPECT_TRUE(absl::StrContains(
      answers.output, absl::StrCat("text = Artifact:SegmentText[segment=0] ",
                                   Sha256Of("a whale").Hex())));
  EXPECT_EQ(Play(Header()).output, answers.output);
}

TEST(SimScriptTest, MakesTheSizeAskedForOutOfTheInputs) {
  const std::string first = Play(Header(R"({"bytes":1000003})")).output;
  EXPECT_EQ(first.size(), 1000003u);
  EXPECT_EQ(Play(Header(R"({"bytes":1000003})")).output, first);
  EXPECT_NE(Play(Header(R"({"bytes":1000003,"salt":"2"})")).output, first);
  EXPECT_EQ(Play(Header(R"({"bytes":0})")).output, "");
}

// A constant text is what makes early cutoff visible.
TEST(SimScriptTest, GivesAConstantTextWhateverTheInputs) {
  v1::JobHeader other = Header(R"({"text":"same"})");
  other.mutable_inputs(0)->mutable_elements(0)->set_inline_("a ship");
  EXPECT_EQ(Play(other).output, "same");
  EXPECT_EQ(Play(Header(R"({"text":"same"})")).output, "same");
}

TEST(SimScriptTest, FailsTheAttemptsItIsToldToFail) {
  v1::JobHeader header = Header(R"({"fail_attempts":1})");
  const v1::Failure failure = Play(header).result.failed();
  EXPECT_TRUE(failure.retryable());
  EXPECT_EQ(failure.message(),
            "simulated UNAVAILABLE in attempt 1 of Picture[segment=0]");
  header.set_attempt(2);
  EXPECT_TRUE(Play(header).result.has_succeeded());

  EXPECT_FALSE(
      Play(Header(R"({"fail_attempts":1,"fail_code":"INVALID_ARGUMENT"})"))
          .result.failed()
          .retryable());
}

TEST(SimScriptTest, SendsLogLinesWithTheirOffsets) {
  const Answers answers = Play(Header(R"({"log_lines":150})"));
  ASSERT_TRUE(answers.messages[1].has_log_lines());
  EXPECT_EQ(answers.messages[0].log_lines().lines_size(), 100);
  EXPECT_EQ(answers.messages[1].log_lines().channel_offset(), 100);
  EXPECT_EQ(answers.messages[1].log_lines().lines(49),
            "Picture[segment=0]: line 150 of 150");
}

TEST(SimScriptTest, ChargesItsCost) {
  const Answers answers = Play(Header(R"({"cost":0.04,"currency":"USD"})"));
  const v1::Cost& cost = answers.messages[0].usage().cost();
  EXPECT_EQ(cost.micros(), 40000);
  EXPECT_EQ(cost.currency_code(), "USD");
}

TEST(SimScriptTest, AsksOnceAndUsesTheAnswer) {
  v1::JobHeader header = Header(R"({"question":"Which whale?"})");
  const Answers asked = Play(header);
  EXPECT_EQ(asked.messages[0].question().prompt(), "Which whale?");
  EXPECT_EQ(asked.result.waiting().question_id(), "sim");

  v1::Answer& answer = *header.add_answers();
  answer.set_question_id("sim");
  answer.set_value_json(R"("the white one")");
  const Answers answered = Play(header);
  EXPECT_TRUE(answered.result.has_succeeded());
  EXPECT_TRUE(absl::StrContains(answered.output, "the white one"));
}

TEST(SimScriptTest, AsksOnTheTermsThatAreSetAndAnewAboutOtherContent) {
  v1::JobHeader header =
      Header(R"({"question":"Ok?","question_kind":"confirm","question_terms":)"
             R"({"timeout":60,"assignees":["ann"],"contentHash":"inputs"}})");
  header.set_inputs_hash("h1");
  const Answers asked = Play(header);
  const v1::Question& question = asked.messages[0].question();
  EXPECT_EQ(question.prompt(), "Ok?");
  EXPECT_EQ(question.timeout().seconds(), 60);
  EXPECT_EQ(question.assignees(0), "ann");
  EXPECT_EQ(question.content_hash(), "h1");
  v1::Answer& answer = *header.add_answers();
  answer.set_question_id("sim");
  answer.set_value_json("true");
  answer.set_content_hash("h1");
  EXPECT_TRUE(Play(header).result.has_succeeded());
  header.set_inputs_hash("h2");
  EXPECT_EQ(Play(header).messages[0].question().content_hash(), "h2");
}

TEST(SimScriptTest, MayAskAboutOtherContentEachTime) {
  v1::JobHeader header = Header(
      R"({"question":"Ok?","question_terms":{"contentHash":"answers"}})");
  EXPECT_EQ(Play(header).messages[0].question().content_hash(), "0");
  v1::Answer& answer = *header.add_answers();
  answer.set_question_id("sim");
  answer.set_content_hash("0");
  EXPECT_EQ(Play(header).messages[0].question().content_hash(), "1");
}

TEST(SimScriptTest, WaitsForTheAnswerOnAnOpenStream) {
  SimScript script =
      *SimScript::Make(Header(R"({"question":"Go?","question_kind":"choice",)"
                              R"("question_options":["a","b"]})"));
  script.StayOpen(true);
  v1::ProduceResponse response;
  ASSERT_FALSE(script.paused());
  ASSERT_TRUE(script.Next(&response));
  EXPECT_EQ(response.question().kind(), v1::QUESTION_KIND_CHOICE);
  EXPECT_EQ(response.question().options_size(), 2);
  EXPECT_TRUE(script.paused());
  v1::Answer answer;
  answer.set_question_id("sim");
  answer.set_value_json("\"b\"");
  script.TakeAnswer(answer);
  ASSERT_FALSE(script.paused());
  ASSERT_TRUE(script.Next(&response));
  EXPECT_TRUE(absl::StrContains(response.output_chunk().data(), "\"b\""));
}

TEST(SimScriptTest, WaitsNoLongerThanTheStreamIsOpen) {
  SimScript script = *SimScript::Make(Header(R"({"question":"Go?"})"));
  script.StayOpen(true);
  v1::ProduceResponse response;
  ASSERT_TRUE(script.Next(&response));
  script.StayOpen(false);
  ASSERT_FALSE(script.paused());
  ASSERT_TRUE(script.Next(&response));
  EXPECT_EQ(response.result().waiting().question_id(), "sim");
}

TEST(SimScriptTest, MakesEveryElementOfAnOutput) {
  v1::JobHeader header = Header();
  for (int i = 0; i < 2; ++i) {
    header.mutable_outputs(0)->add_elements()->set_artefact_id(
        absl::StrCat("Artifact:Image[segment=", i, "]"));
  }
  const Answers answers = [&] {
    Answers all;
    SimScript script = *SimScript::Make(header);
    v1::ProduceResponse response;
    while (script.Next(&response)) all.messages.push_back(response);
    return all;
  }();
  EXPECT_EQ(answers.messages[0].output_chunk().output(),
            "Artifact:Image[segment=0]");
  EXPECT_EQ(answers.messages[1].output_chunk().output(),
            "Artifact:Image[segment=1]");
}

TEST(SimScriptTest, ChecksTheBytesOfStreamedInputs) {
  v1::JobHeader header = Header();
  header.mutable_inputs(0)->mutable_elements(0)->set_streamed(true);
  SimScript script = *SimScript::Make(header);
  EXPECT_TRUE(
      absl::StrContains(script.CheckInputs().message(), "ends after 0 of"));

  v1::InputChunk chunk;
  chunk.set_binding("text");
  chunk.set_data("a wha");
  EXPECT_TRUE(script.TakeInput(chunk).ok());
  EXPECT_TRUE(
      absl::StrContains(script.TakeInput(chunk).message(), "is at offset 5"));
  chunk.set_offset(5);
  chunk.set_data("le");
  chunk.set_last(true);
  EXPECT_TRUE(script.TakeInput(chunk).ok());
  EXPECT_TRUE(script.CheckInputs().ok());

  SimScript corrupted = *SimScript::Make(header);
  chunk.set_offset(0);
  EXPECT_TRUE(absl::StrContains(corrupted.TakeInput(chunk).message(),
                                "expected the bytes of"));
}

TEST(SimScriptTest, NamesTheSettingThatIsWrong) {
  const char* const cases[][2] = {
      {R"({"bytes":-1})", "settings.bytes: expected an integer from 0"},
      {R"({"delay_ms":"1"})", "settings.delay_ms: expected an integer"},
      {R"({"fail_code":"EAGAIN"})", "settings.fail_code: expected one of"},
      {R"({"question_kind":"riddle"})",
       "settings.question_kind: expected one of text, confirm"},
      {R"({"question_options":["a",1]})",
       "settings.question_options: expected an array of strings"},
      {R"({"question_terms":{"quorum":"two"}})",
       "settings.question_terms: quorum"},
      {R"({"cost":-2})", "settings.cost: expected a number"},
      {R"([])", "settings_json: expected an object"},
      {R"({)", "settings_json"},
  };
  for (const auto& [settings, message] : cases) {
    const absl::Status status = SimScript::Make(Header(settings)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << settings;
    EXPECT_TRUE(absl::StrContains(status.message(), message)) << status;
  }
}

}  // namespace
}  // namespace kinora
