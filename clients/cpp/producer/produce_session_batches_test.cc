// What a runner makes of messages that a producer sends as one.

#include <string>

#include "clients/cpp/producer/produce_session_fixture.h"
#include "common/digest.h"

namespace kinora {
namespace {

v1::ProduceResponse Batch(const Answers& answers) {
  v1::ProduceResponse response;
  response.mutable_batch()->mutable_responses()->Assign(answers.begin(),
                                                        answers.end());
  return response;
}

TEST_P(ProduceSessionTest, ABatchMeansWhatItsMessagesMean) {
  v1::ProduceResponse usage;
  usage.mutable_usage()->mutable_cost()->set_currency_code("USD");
  usage.mutable_usage()->mutable_cost()->set_micros(5);
  const AttemptResult result =
      Produce({Batch({Accepted("1"), Chunk("Text", 0, "a", false)}), usage,
               Batch({Chunk("Text", 1, "b", true), Succeeded()})});
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs.at(0).content.inline_().data(), "ab");
  EXPECT_EQ(result.outputs.at(0).content.inline_().hash(),
            Sha256Of("ab").Hex());
  EXPECT_EQ(result.version, "1");
  EXPECT_EQ(result.cost->micros(), 5);
}

// JSON is looked at, and large outputs are stored, before what is behind them.
TEST_P(ProduceSessionTest, ABatchGoesOnBehindAnOutputThatTakesItsTime) {
  const AttemptResult result = Produce(
      {Batch({Accepted("1"), Chunk("Text", 0, R"({"b":1, "a":2})", true),
              Succeeded()})},
      "application/json");
  ASSERT_FALSE(result.failure.has_value()) << result.failure->message();
  EXPECT_EQ(result.outputs.at(0).content.inline_().data(), R"({"a":2,"b":1})");

  ExpectFailure(
      Produce({Batch({Accepted("1"),
                      Chunk("Text", 0, std::string(10'000, 'x'), true),
                      Succeeded()})}),
      v1::FAILURE_REASON_UNSPECIFIED, true, "no blobs here");
}

TEST_P(ProduceSessionTest, ABatchWithoutMessagesSaysNothing) {
  const AttemptResult result =
      Produce({Batch({}), Accepted("1"), Batch({}), Chunk("Text", 0, "a", true),
               Succeeded(), Batch({})});
  EXPECT_FALSE(result.failure.has_value()) << result.failure->message();
}

TEST_P(ProduceSessionTest, TheRulesOfTheStreamHoldInsideABatch) {
  ExpectFailure(Produce({Batch({Accepted("1"), Chunk("Text", 0, "a", true),
                                Succeeded(), Succeeded()})}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false,
                "more after its result");
  ExpectFailure(Produce({Batch({Chunk("Text", 0, "a", true), Succeeded()})}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false,
                "neither accepted nor a result");
  ExpectFailure(Produce({Batch({Accepted("1"), Batch({Succeeded()})})}),
                v1::FAILURE_REASON_PRODUCER_ERROR, false, "a batch in a batch");
}

}  // namespace
}  // namespace kinora
