#include "common/config_file.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/config_options.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "kinora/v1/config.pb.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest() {
    sources_.env = [this](const std::string& name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt
                                         : std::make_optional(found->second);
    };
  }

  void File(const std::string& text) {
    ASSERT_OK(files_.CreateDirectories("/etc"));
    ASSERT_OK(WriteFileAtomically(files_, "/etc/k.yaml", text));
    sources_.args.insert(sources_.args.begin(), "--config=/etc/k.yaml");
  }
  absl::Status Load() { return LoadConfig(sources_, files_, &config_); }

  FaultyFileSystem files_;
  std::map<std::string, std::string> environment_;
  ConfigSources sources_;
  v1::RunnerConfig config_;
};

TEST_F(ConfigFileTest, FlagsWinOverEnvironmentOverFileOverDefaults) {
  File("store_addr: file\nplanner_addr: file\nproducers: file\n");
  environment_["KINORA_STORE_ADDR"] = "environment";
  environment_["KINORA_PLANNER_ADDR"] = "environment";
  sources_.args.push_back("--store-addr=flag");
  ASSERT_OK(Load());
  EXPECT_EQ(config_.store_addr(), "flag");
  EXPECT_EQ(config_.planner_addr(), "environment");
  EXPECT_EQ(config_.producers(), "file");
  EXPECT_EQ(config_.max_concurrency(), 64);
}

TEST_F(ConfigFileTest, FieldsOfServerStandAtTheTopLevel) {
  File("worker_threads: 3\n");
  environment_["KINORA_DRAIN_SECONDS"] = "4";
  sources_.args.insert(sources_.args.end(), {"--listen", "127.0.0.1:1"});
  ASSERT_OK(Load());
  EXPECT_EQ(config_.server().worker_threads(), 3);
  EXPECT_EQ(config_.server().drain_seconds(), 4);
  EXPECT_EQ(config_.server().listen(), "127.0.0.1:1");
}

TEST_F(ConfigFileTest, AProgramsDefaultReplacesTheTables) {
  sources_.defaults = {{"listen", "127.0.0.1:7403"}};
  ASSERT_OK(Load());
  EXPECT_EQ(config_.server().listen(), "127.0.0.1:7403");
}

TEST_F(ConfigFileTest, AnUnknownFieldIsAnErrorThatNamesItsLine) {
  File("store_addr: a\n\nplaner_addr: b\n");
  EXPECT_THAT(Load(), StatusIs(kInvalid, AllOf(HasSubstr("/etc/k.yaml:3: "),
                                               HasSubstr("\"planer_addr\""),
                                               HasSubstr("planner_addr"))));
}

TEST_F(ConfigFileTest, AValueOfTheWrongTypeNamesItsPlaceAndItself) {
  File("store_addr: a\nmax_concurrency: many\n");
  EXPECT_THAT(Load(), StatusIs(kInvalid, AllOf(HasSubstr("/etc/k.yaml:2: "),
                                               HasSubstr("max_concurrency"),
                                               HasSubstr("\"many\""))));
}

TEST_F(ConfigFileTest, AFieldSetTwiceIsAnError) {
  File("producers: a\nproducers: b\n");
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("/etc/k.yaml:2: ")));
}

TEST_F(ConfigFileTest, BrokenYamlNamesItsLine) {
  File("store_addr: a\n  b: [\n");
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("/etc/k.yaml:2")));
}

TEST_F(ConfigFileTest, AnEnumIsSetByItsWord) {
  const auto parse = [](absl::string_view policy, v1::ProducerTable* table) {
    return ParseYamlConfig(
        absl::StrCat("producers:\n  a: {target: x, in_doubt: ", policy, "}\n"),
        "p.yaml", table);
  };
  v1::ProducerTable table;
  ASSERT_OK(parse("call_again", &table));
  EXPECT_EQ(table.producers().at("a").in_doubt(),
            v1::IN_DOUBT_POLICY_CALL_AGAIN);
  EXPECT_THAT(parse("never", &table),
              StatusIs(kInvalid,
                       "p.yaml:2: in_doubt: must be one of wait, "
                       "call_again, got \"never\""));
}

TEST_F(ConfigFileTest, AListMayHoldMessages) {
  v1::HookTable table;
  ASSERT_OK(ParseYamlConfig(
      "hooks:\n  - {on: [failure], command: [a, b]}\n  - webhook: http://x\n",
      "h.yaml", &table));
  ASSERT_EQ(table.hooks_size(), 2);
  EXPECT_EQ(table.hooks(0).on(0), "failure");
  EXPECT_EQ(table.hooks(0).command(1), "b");
  EXPECT_EQ(table.hooks(1).webhook(), "http://x");
  EXPECT_THAT(
      ParseYamlConfig("hooks:\n  - {wbhook: x}\n", "h.yaml", &table),
      StatusIs(kInvalid, AllOf(HasSubstr("h.yaml:2"), HasSubstr("wbhook"))));
}

TEST_F(ConfigFileTest, AMissingFileIsNotFound) {
  sources_.args = {"--config", "/none.yaml"};
  EXPECT_THAT(Load(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none.yaml")));
}

TEST_F(ConfigFileTest, BadFlagsNameThemselves) {
  sources_.args = {"--no-such=1"};
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("--no-such")));
  sources_.args = {"--max-concurrency=-1"};
  EXPECT_THAT(Load(), StatusIs(kInvalid, AllOf(HasSubstr("--max-concurrency"),
                                               HasSubstr("\"-1\""))));
  sources_.args = {"--listen"};
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("--listen: has no value")));
  sources_.args = {"stray"};
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("\"stray\"")));
}

TEST_F(ConfigFileTest, ANumberOutOfRangeIsNamedWithItsRange) {
  v1::StandaloneConfig config;
  const auto load = [&](absl::string_view arg) {
    sources_.args = {std::string(arg)};
    return LoadConfig(sources_, files_, &config);
  };
  EXPECT_THAT(load("--max-message-bytes=0"),
              StatusIs(kInvalid,
                       "--max-message-bytes: must be a whole number from "
                       "1048576 to 1073741824, or such as 1GiB, got \"0\""));
  for (const char* bad :
       {"--max-blob-bytes=-1", "--max-concurrent-calls=0",
        "--worker-threads=100000000", "--inline-limit-bytes=100000000",
        "--max-concurrency=0", "--lease-seconds=3601"}) {
    EXPECT_THAT(load(bad), StatusIs(kInvalid, HasSubstr("must be a whole")))
        << bad;
  }
  EXPECT_OK(load("--max-blob-bytes=9223372036854775807"));
  EXPECT_EQ(config.max_blob_bytes(), 9223372036854775807);
  // Sizes as quotas are written, and only where bytes are meant.
  EXPECT_OK(load("--max-blob-bytes=1.5GiB"));
  EXPECT_EQ(config.max_blob_bytes(), int64_t{3} << 29);
  EXPECT_THAT(load("--max-message-bytes=2GiB"), StatusIs(kInvalid));
  EXPECT_THAT(load("--max-concurrency=1KiB"), StatusIs(kInvalid));
}

TEST_F(ConfigFileTest, TextThatIsNotUtf8IsNamed) {
  sources_.args = {"--listen=\xff:7400"};
  EXPECT_THAT(Load(), StatusIs(kInvalid,
                               "--listen: must be UTF-8 text, got "
                               "\"\\xff:7400\""));
  sources_.args.clear();
  environment_["KINORA_LISTEN"] = "\xff:7400";
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("KINORA_LISTEN: must be")));
}

TEST_F(ConfigFileTest, ABadVariableNamesItself) {
  environment_["KINORA_LEASE_SECONDS"] = "soon";
  EXPECT_THAT(Load(), StatusIs(kInvalid, HasSubstr("KINORA_LEASE_SECONDS")));
}

TEST(ParseYamlConfigTest, ReadsMapsAndLists) {
  v1::ProducerTable table;
  ASSERT_OK(
      ParseYamlConfig("producers:\n"
                      "  narration:\n"
                      "    target: dns:///127.0.0.1:7501\n"
                      "    concurrency: 2\n"
                      "    run: [python3, narration.py]\n"
                      "  images: {target: \"x:1\"}\n",
                      "p.yaml", &table));
  ASSERT_EQ(table.producers_size(), 2);
  const v1::ProducerEntry& entry = table.producers().at("narration");
  EXPECT_EQ(entry.target(), "dns:///127.0.0.1:7501");
  EXPECT_EQ(entry.concurrency(), 2);
  EXPECT_THAT(entry.run(), ::testing::ElementsAre("python3", "narration.py"));
}

TEST(ParseYamlConfigTest, UnknownFieldsDeepInsideNameTheirLine) {
  v1::ProducerTable table;
  EXPECT_THAT(
      ParseYamlConfig("producers:\n  a:\n    targett: x\n", "p.yaml", &table),
      StatusIs(kInvalid, HasSubstr("p.yaml:3: unknown field "
                                   "\"targett\"")));
}

// An option without a row in the table would have no documentation.
TEST(ConfigHelpTest, EveryOptionOfEveryServerIsDocumented) {
  for (const auto* message :
       {v1::StoreConfig::descriptor(), v1::PlannerConfig::descriptor(),
        v1::RunnerConfig::descriptor(), v1::StandaloneConfig::descriptor()}) {
    for (const ConfigOption& option : ConfigOptionsOf(message)) {
      EXPECT_FALSE(option.doc.empty()) << message->name() << " " << option.flag;
    }
  }
  const std::string help =
      ConfigHelp(v1::StoreConfig(), {{"listen", "127.0.0.1:7401"}});
  EXPECT_THAT(help, HasSubstr("--listen=V"));
  EXPECT_THAT(help, HasSubstr("[KINORA_LISTEN, default 127.0.0.1:7401]"));
}

}  // namespace
}  // namespace kinora
