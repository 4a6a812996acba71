// What a runner makes of the outputs that a producer sends.

#include <string>

#include "clients/cpp/producer/produce_session_fixture.h"
#include "common/digest.h"

namespace kinora {
namespace {

TEST_P(ProduceSessionTest, SmallOutputIsInlineWithItsHash) {
  AttemptResult result =
      Produce({Accepted("1"), Chunk("Text", 0, "a", false),
               Chunk("Artifact:Text", 1, "b", true), Succeeded()});
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  const v1::InlineValue& value = result.outputs.at(0).content.inline_();
  EXPECT_EQ(value.data(), "ab");
  EXPECT_EQ(value.hash(), Sha256Of("ab").Hex());
  EXPECT_EQ(value.mime_type(), "text/plain");
}

TEST_P(ProduceSessionTest, InlineJsonHasOneSpelling) {
  AttemptResult result = Produce(
      {Accepted("1"), Chunk("Text", 0, R"({"b":1, "a":2})", true), Succeeded()},
      "application/json");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs.at(0).content.inline_().data(), R"({"a":2,"b":1})");
}

TEST_P(ProduceSessionTest, OutputThatIsNotWhatItsTypeSaysIsInvalid) {
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "{", true), Succeeded()},
              "application/json"),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "must be JSON");
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "\xff", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "UTF-8");
}

// F: B-3
TEST_P(ProduceSessionTest, LeavesAreTakenFromTheirOutput) {
  leaves_ = {{"Artifact:Title", "Title", "text/plain", "Artifact:Text", "/t"},
             {"Artifact:Mood", "Mood", "application/json", "Artifact:Text",
              "/a~1b/1"}};
  auto produce = [&](const std::string& json) {
    return Produce({Accepted("1"), Chunk("Text", 0, json, true), Succeeded()},
                   "application/json");
  };
  AttemptResult result = produce(R"({"t": "Sea", "a/b": [0, {"y":1, "x":2}]})");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  ASSERT_EQ(result.outputs.size(), 3u);
  EXPECT_EQ(result.outputs[1].content.inline_().data(), "Sea");
  EXPECT_EQ(result.outputs[1].content.inline_().mime_type(), "text/plain");
  EXPECT_EQ(result.outputs[2].content.inline_().data(), R"({"x":2,"y":1})");

  // An edit of a readable copy would not reach the leaves.
  v1::ProduceResponse named =
      Chunk("Text", 0, R"({"t": "Sea", "a/b": [0, 1]})", true);
  named.mutable_output_chunk()->set_readable_path("plan.json");
  result = Produce({Accepted("1"), named, Succeeded()}, "application/json");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs[0].readable_path, "");

  for (const char* json : {R"({"t": "Sea", "a/b": [0]})", R"({"t": "Sea"})",
                           R"({"t": "Sea", "a/b": {"01": 1}})", "7"}) {
    ExpectFailure(produce(json), v1::FAILURE_REASON_OUTPUT_INVALID, false,
                  "Artifact:Text has nothing at /");
  }
  ExpectFailure(
      produce(R"({"t": 3, "a/b": [0, 1]})"), v1::FAILURE_REASON_OUTPUT_INVALID,
      false, "Artifact:Title: Artifact:Text has number 3, not a string, at /t");
  // The producer cannot send a leaf itself.
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Title", 0, "Sky", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "\"Title\"");
}

TEST_P(ProduceSessionTest, JsonMustFitTheSchemaThatItsProducerDeclares) {
  producer_.schema_json =
      R"({"properties":{"shots":{"items":{"required":["prompt"]}}}})";
  auto produce = [&](const std::string& json, const std::string& mime) {
    return Produce({Accepted("1"), Chunk("Text", 0, json, true), Succeeded()},
                   mime);
  };
  const std::string bad = R"({"shots":[{"prompt":"sea"},{}]})";
  // What a model made may fit the next time.
  ExpectFailure(
      produce(bad, "application/json"), v1::FAILURE_REASON_OUTPUT_INVALID, true,
      "Artifact:Text: does not fit the JSON Schema that the producer declares "
      "for its output \"Text\": at /shots/1: expected a member \"prompt\"");
  ExpectFailure(produce("{", "application/json"),
                v1::FAILURE_REASON_OUTPUT_INVALID, true, "must be JSON");
  EXPECT_FALSE(
      produce(R"({"shots":[{"prompt":1}]})", "application/json").failure);
  EXPECT_FALSE(produce(bad, "text/plain").failure);
}

TEST_P(ProduceSessionTest, ASchemaThatIsNoneFailsWhatItIsFor) {
  producer_.schema_json = R"({"type":"text"})";
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "{}", true), Succeeded()},
              "application/json"),
      v1::FAILURE_REASON_OUTPUT_INVALID, false,
      "producer \"tts\": the JSON Schema of its output \"Text\" cannot be "
      "used: "
      "/type");
}

TEST_P(ProduceSessionTest, BytesOutOfPlaceAreInvalid) {
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 5, "late", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "goes on at 0");
  ExpectFailure(Produce({Accepted("1"), Chunk("Text", 0, "", true),
                         Chunk("Text", 0, "", true), Succeeded()}),
                v1::FAILURE_REASON_OUTPUT_INVALID, false, "last chunk");
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Other", 0, "x", true), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_INVALID, false, "\"Other\"");
}

TEST_P(ProduceSessionTest, SuccessWithoutAnOutputIsAFailure) {  // F: B-9
  ExpectFailure(Produce({Accepted("1"), Succeeded()}),
                v1::FAILURE_REASON_OUTPUT_MISSING, false, "Artifact:Text");
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, "half", false), Succeeded()}),
      v1::FAILURE_REASON_OUTPUT_MISSING, false, "Artifact:Text");
}

TEST_P(ProduceSessionTest, UnreachableStoreIsNotTheJobsFault) {
  ExpectFailure(
      Produce({Accepted("1"), Chunk("Text", 0, std::string(10'000, 'x'), true),
               Succeeded()}),
      v1::FAILURE_REASON_UNSPECIFIED, true, "no blobs here");
}

}  // namespace
}  // namespace kinora
