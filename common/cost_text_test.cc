#include "common/cost_text.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace kinora {
namespace {

v1::Cost Cost(int64_t micros, const std::string& currency) {
  v1::Cost cost;
  cost.set_micros(micros);
  cost.set_currency_code(currency);
  return cost;
}

TEST(CostTextTest, CostsShowCentsAndWhatIsSmaller) {
  EXPECT_EQ(FormatCost(Cost(1'500'000, "USD")), "1.50 USD");
  EXPECT_EQ(FormatCost(Cost(125, "USD")), "0.000125 USD");
  EXPECT_EQ(FormatCost(Cost(0, "")), "0.00");
  EXPECT_EQ(FormatCost(Cost(-250'000, "EUR")), "-0.25 EUR");
}

// The currency may stand on either side, and no millionth is lost.
TEST(CostTextTest, AmountsAreReadExactly) {
  for (const char* text : {"USD 12.50", "12.50 USD", " USD  12.5 "}) {
    const auto cost = ParseCostText(text);
    ASSERT_TRUE(cost.has_value()) << text;
    EXPECT_EQ(FormatCost(*cost), "12.50 USD");
  }
  EXPECT_EQ(ParseCostText("0")->micros(), 0);
  EXPECT_EQ(ParseCostText("7")->currency_code(), "");
  EXPECT_EQ(ParseCostText("EUR 0.000001")->micros(), 1);
  EXPECT_EQ(ParseCostText("9007199254.740992")->micros(), int64_t{1} << 53);
}

TEST(CostTextTest, WhatIsNoAmountIsRefused) {
  for (const char* bad :
       {"", " ", "USD", "-1", "USD -1", "1e3", "1,5", "1.2345678", "1.", ".5",
        "usd 1", "DOLLAR 1", "USD 1 EUR", "1 2", "9007199254.740993",
        "99999999999999999999", "USD 1.0.0", "inf"}) {
    EXPECT_FALSE(ParseCostText(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace kinora
