#include "services/runner/hooks/hook_table.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::optional<std::string> Variable(const std::string& name) {
  if (name == "SECRET") return "s3cret";
  return std::nullopt;
}

class HookTableTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<Hook>> Load(const std::string& yaml) {
    const std::string path = temp_.Sub("hooks.yaml");
    EXPECT_OK(WriteFileAtomically(PosixFileSystem(), path, yaml));
    return LoadHookTable(PosixFileSystem(), path, Variable);
  }

  TempDir temp_;
};

TEST_F(HookTableTest, ReadsCommandsAndWebhooks) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Hook> hooks, Load(R"(
hooks:
  - on: [failure, completion]
    webhook: https://a.example/x
    secret_env: SECRET
    timeout_seconds: 3
  - on: [question, budget, record]
    command: [notify-send, Kinora]
)"));
  ASSERT_THAT(hooks, SizeIs(2));
  EXPECT_EQ(hooks[0].webhook, "https://a.example/x");
  EXPECT_EQ(hooks[0].secret, "s3cret");
  EXPECT_EQ(hooks[0].timeout, absl::Seconds(3));
  EXPECT_THAT(hooks[0].on,
              ElementsAre(HookEvent::kFailure, HookEvent::kCompletion));
  EXPECT_EQ(hooks[1].index, 1);
  EXPECT_THAT(hooks[1].on, ElementsAre(HookEvent::kQuestion, HookEvent::kBudget,
                                       HookEvent::kRecord));
  EXPECT_THAT(hooks[1].command, ElementsAre("notify-send", "Kinora"));
  EXPECT_EQ(hooks[1].timeout, absl::Seconds(10));
}

TEST_F(HookTableTest, NoFileIsNoHooks) {
  EXPECT_THAT(LoadHookTable(PosixFileSystem(), "", Variable),
              IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(LoadHookTable(PosixFileSystem(), temp_.Sub("none"), Variable),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(HookTableTest, WhatIsWrongIsNamedWithItsEntry) {
  const struct {
    const char* entry;
    const char* field;
    const char* said;
  } cases[] = {
      {"on: [failed], command: [x]", "hooks[1].on", "\"failed\""},
      {"command: [x]", "hooks[1].on", "must name"},
      {"on: [failure]", "hooks[1]", "either"},
      {"on: [failure], command: [x], webhook: 'http://a'", "hooks[1]",
       "either"},
      {"on: [failure], command: ['']", "hooks[1].command", "program"},
      {"on: [failure], webhook: 'ftp://a'", "hooks[1].webhook", "ftp://a"},
      {"on: [failure], webhook: 'http://a', secret_env: NONE",
       "hooks[1].secret_env", "\"NONE\""},
      {"on: [failure], command: [x], secret_env: SECRET", "hooks[1].secret_env",
       "webhooks only"},
      {"on: [failure], command: [x], timeout_seconds: 3601",
       "hooks[1].timeout_seconds", "3601"},
  };
  for (const auto& wrong : cases) {
    const std::string yaml = "hooks:\n  - {on: [budget], command: [x]}\n  - {" +
                             std::string(wrong.entry) + "}\n";
    EXPECT_THAT(Load(yaml).status(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("hooks.yaml"), HasSubstr(wrong.field),
                               HasSubstr(wrong.said))))
        << wrong.entry;
  }
  EXPECT_THAT(Load("hooks:\n  - {when: [failure]}\n").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("hooks.yaml:2"), HasSubstr("when"))));
}

}  // namespace
}  // namespace kinora
