#include "common/telemetry/redaction.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json.h"

namespace kinora {
namespace {

std::string Forms(absl::string_view text) { return Redact(text, {}); }

TEST(RedactionTest, ConfiguredSecretsGoWhereverTheyStand) {
  EXPECT_EQ(Redact("key hunter22 was refused (hunter22!)", {"hunter22"}),
            "key [redacted] was refused ([redacted]!)");
  EXPECT_EQ(Redact("no secret here", {"", "no"}), "no secret here");
}

TEST(RedactionTest, CredentialsOfARequestGo) {
  EXPECT_EQ(Forms("Authorization: Bearer abc.def-ghi, Accept: */*"),
            "Authorization: Bearer [redacted], Accept: */*");
  EXPECT_EQ(Forms("authorization: Basic dXNlcjpwYXNz"),
            "authorization: Basic [redacted]");
  EXPECT_EQ(Forms("sent 'bearer 0123456789abcdef' to it"),
            "sent 'bearer [redacted]' to it");
  EXPECT_EQ(Forms("GET /v1?api_key=abc123&size=2"),
            "GET /v1?api_key=[redacted]&size=2");
  EXPECT_EQ(Forms("OPENAI_API_KEY=abc X-Api-Key: def password = ghi"),
            "OPENAI_API_KEY=[redacted] X-Api-Key: [redacted] password = "
            "[redacted]");
}

TEST(RedactionTest, KeysAreToldByHowTheyBegin) {
  EXPECT_EQ(Forms("Incorrect API key provided: sk-proj-0123456789abcdef_XY."),
            "Incorrect API key provided: [redacted].");
  EXPECT_EQ(Forms("AKIAIOSFODNN7EXAMPLE is unknown"), "[redacted] is unknown");
}

TEST(RedactionTest, JsonStaysJson) {
  const std::string redacted =
      Forms(R"({"apiKey":"abc","nested":{"client_secret": "d"},"n":1})");
  EXPECT_EQ(redacted, R"({"apiKey":"[redacted]","nested":{"client_secret": )"
                      R"("[redacted]"},"n":1})");
  EXPECT_TRUE(ParseJson(redacted).ok());
}

// Words that only look like it must be readable.
TEST(RedactionTest, OrdinaryTextStaysAsItIs) {
  for (absl::string_view text :
       {"the bearer of bad news", "usage: tokens=512", "risk-averse sk-1",
        "secret garden, scene 3", "a task-list", "password must be set",
        "Grüße: 1 → 2", ""}) {
    EXPECT_EQ(Forms(text), text);
  }
}

TEST(RedactionTest, OnceIsAsGoodAsTwice) {
  const std::string once =
      Redact("api_key=abcdef Authorization: Bearer abcdef", {"abcdef"});
  EXPECT_EQ(once, "api_key=[redacted] Authorization: Bearer [redacted]");
  EXPECT_EQ(Redact(once, {"abcdef"}), once);
}

}  // namespace
}  // namespace kinora
