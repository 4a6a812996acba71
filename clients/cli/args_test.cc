#include "clients/cli/args.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/status.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

const FlagSpec kSpecs[] = {
    {"set", "NAME=JSON", ""}, {"json", "", ""}, {"output", "FILE", ""}};

TEST(ArgsTest, TakesFlagsAnywhereAndKeepsOperandsInOrder) {
  const Args args = *Args::Parse(
      {"film", "--set", "A=1", "--json", "x", "--set=B=2", "-o", "f"}, kSpecs);
  EXPECT_THAT(args.operands(), ElementsAre("film", "x"));
  EXPECT_THAT(args.GetAll("set"), ElementsAre("A=1", "B=2"));
  EXPECT_EQ(args.Get("output"), "f");
  EXPECT_TRUE(args.Has("json"));
  EXPECT_FALSE(Args::Parse({"film"}, kSpecs)->Has("json"));
}

TEST(ArgsTest, TakesWhatFollowsTwoDashesAsItIs) {
  EXPECT_THAT(Args::Parse({"--", "--json", "-x"}, kSpecs)->operands(),
              ElementsAre("--json", "-x"));
}

// A command that takes a number says what is wrong with this one.
TEST(ArgsTest, TakesNegativeNumbersAsTheyAre) {
  EXPECT_THAT(Args::Parse({"film", "-1", "-2.5"}, kSpecs)->operands(),
              ElementsAre("film", "-1", "-2.5"));
}

TEST(ArgsTest, NamesTheWordThatIsWrong) {
  EXPECT_EQ(Args::Parse({"--jsn"}, kSpecs).status().message(),
            "unknown flag --jsn; did you mean \"--json\"?");
  EXPECT_EQ(Args::Parse({"--frame=3"}, kSpecs).status().message(),
            "unknown flag --frame");
  EXPECT_EQ(Args::Parse({"-x"}, kSpecs).status().message(), "unknown flag -x");
  EXPECT_EQ(Args::Parse({"--set"}, kSpecs).status().message(),
            "--set needs a value: NAME=JSON");
  // As with "$REV" where that is not set.
  EXPECT_EQ(Args::Parse({"film", "--output", ""}, kSpecs).status().message(),
            "--output needs a value: FILE, got an empty one");
  EXPECT_EQ(Args::Parse({"--set="}, kSpecs).status().message(),
            "--set needs a value: NAME=JSON, got an empty one");
  EXPECT_EQ(Args::Parse({"--json=1"}, kSpecs).status().message(),
            "--json takes no value");
  EXPECT_EQ(
      Args::Parse({"film", "--set", "A=\xff\xfe"}, kSpecs).status().message(),
      "the argument \"A=\\xff\\xfe\" is not UTF-8 text");
}

// What a server refuses is no fault of the command line.
TEST(ArgsTest, TellsErrorsOfTheCommandLineFromOthers) {
  EXPECT_TRUE(IsBadUsage(InvalidField("--grace", "soon", "must be a span")));
  EXPECT_FALSE(IsBadUsage(InvalidField("movie_id", "Film!", "must be an id")));
  const absl::Status error = InvalidField("N", "x", "must be a number");
  EXPECT_FALSE(IsBadUsage(error));
  const absl::Status marked = BadUsage(error);
  EXPECT_TRUE(IsBadUsage(marked));
  EXPECT_EQ(marked.code(), error.code());
  EXPECT_EQ(marked.message(), error.message());
  EXPECT_TRUE(IsBadUsage(Annotate(marked, "take")));
  EXPECT_TRUE(BadUsage(absl::OkStatus()).ok());
  EXPECT_FALSE(IsBadUsage(absl::OkStatus()));
}

}  // namespace
}  // namespace kinora
