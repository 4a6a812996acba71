// What a runner makes of producers that break the contract.

#include <string>

#include "clients/cpp/producer/produce_session_fixture.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "common/utf8.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Transports, ProduceSessionTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

// Another target may have it still; and who reads it knows what to do.
TEST_P(ProduceSessionTest, AnotherVersionIsRetryable) {
  const AttemptResult result = Produce({Accepted("2"), Succeeded()});
  ExpectFailure(result, v1::FAILURE_REASON_PRODUCER_ERROR, true,
                "\"tts\" changed from version \"1\" to \"2\" since the plan "
                "was made: a new run plans again");
  EXPECT_EQ(result.version, "2");
  EXPECT_EQ(result.contact, Contact::kAnswered);
}

// Only what tells of the target itself may take it for down.
TEST_P(ProduceSessionTest, AJobThatFailsLeavesItsTargetInGoodStanding) {
  v1::ProduceResponse failed;
  failed.mutable_result()->mutable_failed()->set_retryable(true);
  EXPECT_EQ(Produce({Accepted("1"), failed}).contact, Contact::kAnswered);
  EXPECT_EQ(Produce({failed}).contact, Contact::kAnswered);
  EXPECT_EQ(Produce({}, "text/plain", true).contact, Contact::kUnknown);
}

TEST_P(ProduceSessionTest, CallThatEndsWithoutAResultIsRetryable) {
  ExpectFailure(Produce({Accepted("1")}),
                v1::FAILURE_REASON_PRODUCER_UNAVAILABLE, true,
                "without a result");
}

// What was taken may have been paid for; what has succeeded was.
TEST_P(ProduceSessionTest, ACallThatBreaksOffBeforeItsEndIsInDoubt) {
  v1::ProduceResponse failed;
  failed.mutable_result()->mutable_failed()->set_retryable(true);
  producer_.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "reset");
  EXPECT_FALSE(Produce({failed}).in_doubt);
  EXPECT_FALSE(Produce({Accepted("1"), failed}).in_doubt);
  EXPECT_TRUE(Produce({Accepted("1")}).in_doubt);
  const AttemptResult result = Produce({Accepted("1"), Succeeded()});
  ExpectFailure(result, v1::FAILURE_REASON_PRODUCER_UNAVAILABLE, true, "reset");
  EXPECT_TRUE(result.in_doubt);
}

TEST_P(ProduceSessionTest, ACostThatIsNoneFailsTheAttemptAndIsNotCharged) {
  v1::ProduceResponse usage;
  usage.mutable_usage()->mutable_cost()->set_micros(-5);
  const AttemptResult result = Produce({Accepted("1"), usage, Succeeded()});
  ExpectFailure(result, v1::FAILURE_REASON_PRODUCER_ERROR, false,
                "usage.cost.micros");
  EXPECT_FALSE(result.cost.has_value());
}

TEST_P(ProduceSessionTest, CancelledAttemptEnds) {
  ExpectFailure(Produce({}, "text/plain", true), v1::FAILURE_REASON_CANCELLED,
                false, "cancelled");
}

// A producer that has taken a job and says nothing more for longer than it
// promised may have come to anything, as one whose time is up.
TEST_P(ProduceSessionTest, SilenceBeyondTheHeartbeatTimeoutEndsTheAttempt) {
  producer_.heartbeat_timeout = absl::Milliseconds(500);
  ASSERT_OK(caller_->Describe("tts", ""));
  const AttemptResult result =
      Produce({Accepted("1"), v1::ProduceResponse(), Succeeded()});
  ExpectFailure(result, v1::FAILURE_REASON_DEADLINE_EXCEEDED, true,
                "the producer has stalled: no word from it for 500ms");
  EXPECT_TRUE(result.in_doubt);
  EXPECT_EQ(result.contact, Contact::kAnswered);
}

// Nobody has taken the job, and the target may be down.
TEST_P(ProduceSessionTest, ATargetThatSaysNothingAtAllIsLost) {
  producer_.heartbeat_timeout = absl::Milliseconds(50);
  ASSERT_OK(caller_->Describe("tts", ""));
  const AttemptResult result = Produce({});
  ExpectFailure(result, v1::FAILURE_REASON_DEADLINE_EXCEEDED, true, "stalled");
  EXPECT_FALSE(result.in_doubt);
  EXPECT_EQ(result.contact, Contact::kLost);
}

// What a producer says of a failure goes to the ledger, the record of the run
// and everybody who lists runs.
TEST_P(ProduceSessionTest, MessagesOfFailuresAreCutBetweenCharacters) {
  v1::ProduceResponse failed;
  v1::Failure* failure = failed.mutable_result()->mutable_failed();
  for (int depth = 0; depth < 50; ++depth, failure = failure->mutable_cause()) {
    for (int i = 0; i < 2000; ++i) failure->mutable_message()->append("é—");
    failure->set_provider_request_id(std::string(10000, 'r'));
  }
  const AttemptResult result = Produce({Accepted("1"), failed});
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_LT(result.failure->ByteSizeLong(), 40 * 1024);
  EXPECT_GT(result.failure->message().size(), 3 * 1024 - 4);
  for (const v1::Failure* one = &*result.failure; one->has_cause();
       one = &one->cause()) {
    EXPECT_LE(one->message().size(), 3 * 1024);
    EXPECT_TRUE(IsValidUtf8(one->message()));
  }
}

TEST_P(ProduceSessionTest, AFailureWithoutAMessageIsNotAnEmptyLine) {
  v1::ProduceResponse failed;
  failed.mutable_result()->mutable_failed()->set_retryable(true);
  ExpectFailure(Produce({Accepted("1"), failed}),
                v1::FAILURE_REASON_UNSPECIFIED, true, "does not say why");
}

// F: S0-14
TEST_P(ProduceSessionTest, InputThatIsGoneFailsTheJobAndIsNamed) {
  v1::InputBinding& binding = inputs_.emplace_back();
  binding.set_name("image");
  v1::InputElement& element = *binding.add_elements();
  element.set_streamed(true);
  const std::string hash(64, '7');
  element.mutable_content()->mutable_digest()->set_hash(hash);
  element.mutable_content()->mutable_digest()->set_size_bytes(10);
  const AttemptResult result = Produce({});
  ExpectFailure(result, v1::FAILURE_REASON_INPUT_UNRESOLVED, false,
                "input image");
  EXPECT_THAT(result.failure->message(), HasSubstr(hash));
}

TEST_P(ProduceSessionTest, UnknownProducerIsNamed) {
  absl::StatusOr<v1::DescribeResponse> description =
      caller_->Describe("nobody", "");
  EXPECT_THAT(description, StatusIs(absl::StatusCode::kFailedPrecondition,
                                    HasSubstr("\"nobody\"")));
  EXPECT_EQ(ReasonOf(description.status()), "PRODUCER_UNKNOWN");
}

}  // namespace
}  // namespace kinora
