#include "common/random.h"

#include <array>
#include <set>

#include "gtest/gtest.h"

namespace kinora {
namespace {

// The published sequence of SplitMix64 for this seed: a change of the generator
// would change every recorded seed's meaning.
TEST(SeededRandomTest, YieldsThePublishedSequence) {
  SeededRandom random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317ull);
  EXPECT_EQ(random.Next(), 3203168211198807973ull);
  EXPECT_EQ(random.Next(), 9817491932198370423ull);
}

TEST(SeededRandomTest, FillsAlsoLengthsThatAreNoMultipleOfEight) {
  std::array<uint8_t, 19> bytes = {};
  SeededRandom(7).Fill(absl::MakeSpan(bytes));
  std::array<uint8_t, 19> again = {};
  SeededRandom(7).Fill(absl::MakeSpan(again));
  EXPECT_EQ(bytes, again);
  EXPECT_NE(bytes[16] | bytes[17] | bytes[18], 0);
}

TEST(SystemRandomTest, DoesNotRepeatItself) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 100; ++i) seen.insert(SystemRandom().Next());
  EXPECT_EQ(seen.size(), 100u);
}

TEST(UniformTest, StaysInRangeAndReachesAllOfIt) {
  SeededRandom random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(UniformBelow(random, 7));
    const double unit = UniformUnit(random);
    EXPECT_GE(unit, 0.0);
    EXPECT_LT(unit, 1.0);
  }
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace kinora
