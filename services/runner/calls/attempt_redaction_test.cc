#include "services/runner/calls/attempt_redaction.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

TEST(AttemptRedactionTest, NothingAProducerSaysHoldsASecret) {
  const AttemptRedaction redaction({"hunter22"});
  AttemptResult result;
  result.failure.emplace();
  result.failure->set_message("refused hunter22");
  result.failure->mutable_cause()->set_message("401 for api_key=abcdef");
  result.diagnostics_json = R"({"request":"key hunter22"})";
  redaction.Redact(&result);
  EXPECT_EQ(result.failure->message(), "refused [redacted]");
  EXPECT_EQ(result.failure->cause().message(), "401 for api_key=[redacted]");
  EXPECT_EQ(result.diagnostics_json, R"({"request":"key [redacted]"})");

  v1::Progress progress;
  progress.set_message("with hunter22");
  progress.set_completed(0.5);
  progress = redaction.Redacted(std::move(progress));
  EXPECT_EQ(progress.message(), "with [redacted]");
  EXPECT_EQ(progress.completed(), 0.5);

  v1::LogLines lines;
  lines.set_channel_offset(7);
  lines.add_lines("Authorization: Bearer xyz");
  lines.add_lines("all well");
  lines = redaction.Redacted(std::move(lines));
  EXPECT_EQ(lines.channel_offset(), 7);
  EXPECT_THAT(lines.lines(),
              ElementsAre("Authorization: Bearer [redacted]", "all well"));
}

}  // namespace
}  // namespace kinora
