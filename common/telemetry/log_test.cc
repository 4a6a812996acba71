#include "common/telemetry/log.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override {
    SetLogLevel(LogLevel::kInfo);
    SetLogFormat(LogFormat::kLogfmt);
  }

  template <typename Write>
  static std::string Written(Write write) {
    ::testing::internal::CaptureStderr();
    write();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesOneLogfmtLine) {
  const std::string line = Written([] {
    LogInfo("run started", {{"movie_id", "film"}, {"jobs", 3}, {"ok", true}});
  });
  EXPECT_THAT(line, MatchesRegex("time=[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9]Z "
                                 "level=info msg=\"run started\" "
                                 "movie_id=film jobs=3 ok=true\n"));
}

// What a foreign process sends cannot begin a line or a field of its own.
TEST_F(LogTest, QuotesWhatCouldForgeALineOrField) {
  const std::string line = Written([] {
    LogWarning("x", {{"a", "1 level=error"}, {"b", "2\ntime=0"}, {"c", ""}});
  });
  EXPECT_THAT(line, EndsWith("level=warning msg=x a=\"1 level=error\" "
                             "b=\"2\\ntime=0\" c=\"\"\n"));
}

TEST_F(LogTest, WritesJsonThatParses) {
  SetLogFormat(LogFormat::kJson);
  const std::string line = Written([] {
    LogError("lost \"it\"", {{"status", absl::NotFoundError("no\nblob")},
                             {"size", uint64_t{18446744073709551615u}},
                             {"ratio", 0.5},
                             {"bytes", std::string("\xff")}});
  });
  ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson(line));
  EXPECT_EQ(value.Find("level")->string_value(), "error");
  EXPECT_EQ(value.Find("msg")->string_value(), "lost \"it\"");
  EXPECT_EQ(value.Find("status")->string_value(), "NOT_FOUND: no\nblob");
  EXPECT_EQ(value.Find("ratio")->number_value(), 0.5);
  EXPECT_EQ(value.Find("bytes")->string_value(), "\xef\xbf\xbd");
  EXPECT_THAT(line, HasSubstr("\"size\":18446744073709551615"));
}

TEST_F(LogTest, LinesOfAScopeAreMarked) {
  const std::string lines = Written([] {
    {
      const LogMark outer("replay");
      LogInfo("a", {{"run", "r"}});
      std::thread([] { LogInfo("b"); }).join();  // which is another's
      const LogMark inner("late");
      LogInfo("c");
      SetLogFormat(LogFormat::kJson);
      LogInfo("d");
      SetLogFormat(LogFormat::kLogfmt);
    }
    LogInfo("e");
  });
  EXPECT_THAT(lines, HasSubstr(" msg=a run=r replay=true\n"));
  EXPECT_THAT(lines, HasSubstr(" msg=b\n"));
  EXPECT_THAT(lines, HasSubstr(" msg=c late=true replay=true\n"));
  EXPECT_THAT(lines,
              HasSubstr("\"msg\":\"d\",\"late\":true,\"replay\":true}\n"));
  EXPECT_THAT(lines, EndsWith(" msg=e\n"));
}

TEST_F(LogTest, WritesNothingBelowTheLevel) {
  const auto write = [] {
    LogDebug("d");
    LogInfo("i");
    LogWarning("w");
    LogError("e");
  };
  SetLogLevel(LogLevel::kWarning);
  const std::string lines = Written(write);
  EXPECT_THAT(lines, HasSubstr("msg=w\n"));
  EXPECT_THAT(lines, HasSubstr("msg=e\n"));
  EXPECT_THAT(lines, ::testing::Not(HasSubstr("msg=i")));
  SetLogLevel(LogLevel::kOff);
  EXPECT_EQ(Written(write), "");
}

TEST_F(LogTest, LinesOfThreadsDoNotMix) {
  const std::string lines = Written([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 50; ++i) LogInfo("same", {{"k", "v"}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  const std::vector<std::string> all = absl::StrSplit(lines, '\n');
  ASSERT_EQ(all.size(), 201u);
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_THAT(all[i], MatchesRegex("time=[^ ]+ level=info msg=same k=v"));
  }
}

TEST_F(LogTest, ParsesItsSettings) {
  EXPECT_THAT(ParseLogLevel("debug"), IsOkAndHolds(LogLevel::kDebug));
  EXPECT_THAT(ParseLogFormat("json"), IsOkAndHolds(LogFormat::kJson));
  EXPECT_THAT(ParseLogLevel("loud"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "log.level: must be debug, info, warning, error or "
                       "off, got \"loud\""));
  EXPECT_THAT(ParseLogFormat(""), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("log.format")));
}

}  // namespace
}  // namespace kinora
