#include "services/runner/hooks/hook_sender.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

HookCall CallOf(const std::string& json) {
  HookCall call;
  call.event = HookEvent::kFailure;
  call.movie_id = "film";
  call.run_id = "run-1";
  call.key = "run-1/17";
  call.json = json;
  return call;
}

TEST(HookSenderTest, ACommandGetsTheDocumentAndWhatItIsAbout) {
  const TempDir temp;
  Hook hook;
  hook.command = {"sh", "-c",
                  "{ cat; echo $KINORA_EVENT $KINORA_MOVIE_ID $KINORA_RUN_ID "
                  "$KINORA_HOOK_KEY $TRACEPARENT; } > \"$1\"",
                  "sh", temp.Sub("out")};
  HookCall call = CallOf("{\"a\":1}");
  call.traceparent = "00-trace-span-01";
  ASSERT_OK(SendToHook(hook, call));
  EXPECT_THAT(ReadFile(PosixFileSystem(), temp.Sub("out")),
              IsOkAndHolds("{\"a\":1}\nfailure film run-1 run-1/17 "
                           "00-trace-span-01\n"));
}

// RFC 4231, test case 2.
TEST(HookSenderTest, SignsWithHmacSha256) {
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HookSenderTest, AWebhookThatIsNotThereMayComeLater) {
  Hook hook;
  hook.webhook = "http://user:word@127.0.0.1:1/hook?token=secret";
  EXPECT_THAT(
      SendToHook(hook, CallOf("{}")),
      StatusIs(absl::StatusCode::kUnavailable,
               AllOf(HasSubstr("http://127.0.0.1:1/hook: "),
                     Not(HasSubstr("word")), Not(HasSubstr("secret")))));
}

TEST(HookSenderTest, UrlsAreToldWithoutTheirSecrets) {
  EXPECT_EQ(PublicUrl("https://a.example/x?key=1#f"), "https://a.example/x");
  EXPECT_EQ(PublicUrl("https://u:p@a.example:8/x@y"),
            "https://a.example:8/x@y");
  EXPECT_EQ(PublicUrl("http://u@a.example"), "http://a.example");
}

}  // namespace
}  // namespace kinora
