#include "common/ids.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(MovieIdTest, AcceptsTheGrammar) {
  for (const std::string& id :
       {std::string("a"), std::string("0"), std::string("my-film_2"),
        std::string(128, 'x')}) {
    EXPECT_OK(ValidateMovieId(id));
  }
}

// Also every way out of the movie's directory.
TEST(MovieIdTest, RefusesEverythingElse) {
  for (const std::string& id :
       {std::string(), std::string("-a"), std::string("_a"), std::string("A"),
        std::string("a.b"), std::string("."), std::string(".."),
        std::string("../a"), std::string("a/b"), std::string("a\\b"),
        std::string("/a"), std::string("a "), std::string("a\n"),
        std::string("a\0", 2), std::string("\xc3\xa9"),
        std::string(129, 'x')}) {
    EXPECT_THAT(ValidateMovieId(id),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         StartsWith("movie_id: must match")));
  }
}

TEST(MovieIdTest, ErrorSaysWhereAndWhat) {
  EXPECT_THAT(ValidateMovieId("my film"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "movie_id: must match [a-z0-9][a-z0-9_-]{0,127}, does "
                       "not at byte 2, got \"my film\""));
}

TEST(NameTest, FollowsTheGrammar) {
  EXPECT_OK(ValidateName("name", "Topic_2"));
  EXPECT_OK(ValidateName("name", std::string(128, 'x')));
  for (const char* name : {"", "2a", "_a", "a-b", "a.b", "a b", "\xc3\xa9"}) {
    EXPECT_THAT(ValidateName("producer", name),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         StartsWith("producer: must match")));
  }
  EXPECT_THAT(ValidateName("name", std::string(129, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at most 128 bytes, has 129")));
}

// F: S1-16
TEST(RevisionTest, TextAndNumberAgree) {
  for (const uint32_t number : {1u, 42u, 9999u, 10000u, 4294967295u}) {
    const Revision revision{number};
    EXPECT_THAT(Revision::Parse(revision.ToString()), IsOkAndHolds(revision));
  }
  EXPECT_EQ(Revision{3}.ToString(), "rev-0003");
  EXPECT_EQ(Revision{12345}.ToString(), "rev-12345");
}

TEST(RevisionTest, NextCountsOnAndComparesAsNumbers) {
  EXPECT_EQ(Revision{}.Next().ToString(), "rev-0001");
  EXPECT_EQ(Revision{9999}.Next().ToString(), "rev-10000");
  EXPECT_LT(Revision{9999}, Revision{10000});
}

TEST(RevisionTest, RefusesEverySecondSpelling) {
  for (const char* text :
       {"", "rev-", "rev-1", "rev-001", "rev-00001", "rev-0000", "rev-000a",
        "REV-0001", "0001", "rev-0001 ", " rev-0001", "rev--001", "rev-+001",
        "rev-0001-pending", "rev-4294967296", "rev-99999999999999999999"}) {
    EXPECT_THAT(Revision::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         StartsWith("revision: must be")))
        << text;
  }
}

TEST(RunIdTest, HoldsItsTime) {
  FakeClock clock(absl::FromUnixMillis(1469918176385));
  SeededRandom random(1);
  const std::string id = RunIdGenerator(clock, random).Next();
  // The example of the ULID specification.
  EXPECT_THAT(id, StartsWith("run-01ARYZ6S41"));
  EXPECT_OK(ValidateRunId(id));
  EXPECT_THAT(RunIdTime(id), IsOkAndHolds(absl::FromUnixMillis(1469918176385)));
}

TEST(RunIdTest, SortsByTimeAlsoWithinAMillisecondAndBackwards) {
  FakeClock clock;
  SeededRandom random(1);
  RunIdGenerator generator(clock, random);
  std::string last = generator.Next();
  for (int i = 0; i < 300; ++i) {
    if (i == 100) clock.Advance(absl::Milliseconds(1));
    if (i == 200) clock.SetNow(clock.Now() - absl::Hours(1));
    const std::string next = generator.Next();
    EXPECT_LT(last, next);
    last = next;
  }
}

// All entropy bits set: counting on within the millisecond must carry into the
// time instead of wrapping to a smaller id.
TEST(RunIdTest, CarriesIntoTheTimeWhenTheEntropyIsUsedUp) {
  class Ones final : public Random {
   public:
    uint64_t Next() override { return ~uint64_t{0}; }
    void Fill(absl::Span<uint8_t> out) override {
      for (uint8_t& byte : out) byte = 0xFF;
    }
  };
  FakeClock clock;
  Ones random;
  RunIdGenerator generator(clock, random);
  const std::string first = generator.Next();
  const std::string second = generator.Next();
  EXPECT_LT(first, second);
  EXPECT_THAT(second, HasSubstr("0000000000000000"));
}

TEST(RunIdTest, RefusesEverySecondSpelling) {
  EXPECT_OK(ValidateRunId("run-01ARYZ6S41TSV4RRFFQ69G5FAV"));
  for (const char* text :
       {"", "run-", "01ARYZ6S41TSV4RRFFQ69G5FAV",
        "run-01aryz6s41tsv4rrffq69g5fav", "run-01ARYZ6S41TSV4RRFFQ69G5FA",
        "run-01ARYZ6S41TSV4RRFFQ69G5FAVV", "run-01ARYZ6S41TSV4RRFFQ69G5FAI",
        "run-81ARYZ6S41TSV4RRFFQ69G5FAV", "run-01ARYZ6S41TSV4RRFFQ69G5F/V"}) {
    EXPECT_THAT(
        ValidateRunId(text),
        StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("run_id: ")))
        << text;
    EXPECT_FALSE(RunIdTime(text).ok());
  }
}

TEST(RunIdTest, ThreadsGetDistinctIds) {
  FakeClock clock;
  SeededRandom random(1);
  RunIdGenerator generator(clock, random);
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (std::vector<std::string>& ids : made) {
    threads.emplace_back([&generator, &ids] {
      for (int i = 0; i < 100; ++i) ids.push_back(generator.Next());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 400u);
}

}  // namespace
}  // namespace kinora
