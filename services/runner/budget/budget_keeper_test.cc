#include "services/runner/budget/budget_keeper.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

class BudgetKeeperTest : public ::testing::Test {
 protected:
  // Whether another cent can be reserved; it is not kept.
  bool CanAfford(const std::string& price) {
    const bool can =
        !keeper_.Reserve("A", "tts", *ParseCostText(price)).has_value();
    if (can) keeper_.TakeBack("A");
    return can;
  }
  absl::Status Set(const std::string& cap, absl::StatusOr<int64_t> told) {
    return keeper_
        .SetCap(*ParseCostText(cap),
                [this, &told] {
                  could_meanwhile_ = CanAfford("USD 0.05");
                  return told;
                })
        .status();
  }

  BudgetKeeper keeper_{RunBudget()};
  std::optional<bool> could_meanwhile_;
};

// Who was told that a lower cap holds can rely on it; who was not told that a
// higher one does must not be charged for it.
TEST_F(BudgetKeeperTest, ALowerCapHoldsBeforeTheLedgerHasItAHigherOneBehind) {
  ASSERT_OK(Set("USD 0.01", 3));
  EXPECT_EQ(could_meanwhile_, false);
  EXPECT_FALSE(CanAfford("USD 0.05"));
  ASSERT_OK(Set("USD 0.10", 4));
  EXPECT_EQ(could_meanwhile_, false);
  EXPECT_TRUE(CanAfford("USD 0.05"));
}

TEST_F(BudgetKeeperTest, ACapThatIsNotInTheLedgerDoesNotHold) {
  ASSERT_OK(Set("USD 0.10", 3));
  EXPECT_FALSE(Set("USD 0.01", absl::UnavailableError("away")).ok());
  EXPECT_TRUE(CanAfford("USD 0.05"));
}

TEST_F(BudgetKeeperTest, ACapBelowWhatIsReservedIsNotTold) {
  ASSERT_FALSE(
      keeper_.Reserve("B", "tts", *ParseCostText("USD 0.05")).has_value());
  EXPECT_FALSE(Set("USD 0.01", 3).ok());
  EXPECT_FALSE(could_meanwhile_.has_value());
}

// The ledger may be read behind what this process has set itself.
TEST_F(BudgetKeeperTest, AnEarlierCapDoesNotGoBeforeALaterOne) {
  ASSERT_OK(Set("USD 0.10", 7));
  keeper_.HeedCap(*ParseCostText("USD 0.01"), 5);
  EXPECT_TRUE(CanAfford("USD 0.05"));
  keeper_.HeedCap(*ParseCostText("USD 0.01"), 9);
  EXPECT_FALSE(CanAfford("USD 0.05"));
}

}  // namespace
}  // namespace kinora
