#include "common/run_budget.h"

#include <cstdint>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using End = RunBudget::End;
using Scope = RunBudget::Scope;

v1::Cost Cost(const std::string& text) {
  return ParseCostText(text).value_or(v1::Cost());
}

v1::Cost Usd(int64_t micros) {
  v1::Cost cost;
  cost.set_currency_code("USD");
  cost.set_micros(micros);
  return cost;
}

v1::PlannedNode Node(const std::string& producer) {
  v1::PlannedNode node;
  node.set_node("N");
  node.mutable_producer()->set_name(producer);
  return node;
}

TEST(RunBudgetTest, AnAttemptThatDoesNotFitIsKeptBack) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 1.00")));
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 0.60")).has_value());
  const auto obstacle = budget.Reserve("b", "tts", Cost("USD 0.50"));
  ASSERT_TRUE(obstacle.has_value());
  EXPECT_EQ(obstacle->scope, Scope::kRun);
  EXPECT_EQ(FormatCost(obstacle->cap), "1.00 USD");
  EXPECT_EQ(FormatCost(obstacle->spent), "0.00 USD");
  EXPECT_EQ(FormatCost(obstacle->reserved), "0.60 USD");
  EXPECT_EQ(FormatCost(obstacle->needed), "0.50 USD");
  EXPECT_EQ(budget.reserved().micros(), 600'000);
  // The attempt was cheaper than it might have been.
  budget.Settle("a", End::kSucceeded, Cost("USD 0.30"));
  EXPECT_FALSE(budget.Reserve("b", "tts", Cost("USD 0.50")).has_value());
  EXPECT_EQ(FormatCost(budget.spent()), "0.30 USD");
}

// A producer that declares a price and reports none is taken to have charged
// it, but not for what it says has failed.
TEST(RunBudgetTest, WhatIsNotReportedCountsAsReserved) {
  RunBudget budget;
  budget.Reserve("a", "tts", Cost("USD 2"));
  EXPECT_EQ(FormatCost(budget.Settle("a", End::kSucceeded, std::nullopt)),
            "2.00 USD");
  budget.Reserve("b", "tts", Cost("USD 2"));
  EXPECT_EQ(budget.Settle("b", End::kFailed, std::nullopt).micros(), 0);
  budget.Reserve("c", "tts", Cost("USD 2"));
  budget.Settle("c", End::kSucceeded, Cost("USD 0"));
  EXPECT_EQ(FormatCost(budget.spent()), "2.00 USD");
  EXPECT_EQ(budget.reserved().micros(), 0);
}

TEST(RunBudgetTest, ALostAttemptKeepsItsReservation) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 3")));
  budget.Reserve("a", "tts", Cost("USD 1"));
  budget.Settle("a", End::kLost, std::nullopt);
  EXPECT_EQ(FormatCost(budget.reserved()), "1.00 USD");
  // Called again in doubt: both may have to be paid for.
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 1")).has_value());
  EXPECT_EQ(FormatCost(budget.reserved()), "2.00 USD");
  budget.Settle("a", End::kSucceeded, Cost("USD 1"));
  EXPECT_EQ(FormatCost(budget.reserved()), "1.00 USD");
  EXPECT_TRUE(budget.Reserve("b", "tts", Cost("USD 1.5")).has_value());

  // It is known of another one that it is not paid for apart.
  budget.Reserve("c", "tts", Cost("USD 1"));
  budget.Settle("c", End::kLost, std::nullopt);
  budget.HandOn("c");
  EXPECT_FALSE(budget.Reserve("c", "tts", Cost("USD 1")).has_value());
}

// A producer has told what an attempt costs, and is then lost. If it knows the
// work it tells the same again when it is called with the same key.
TEST(RunBudgetTest, WorkThatIsKnownIsChargedOnce) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 2")));
  budget.Reserve("a", "tts", Cost("USD 2"));
  budget.Settle("a", End::kLost, Cost("USD 1"));
  EXPECT_EQ(FormatCost(budget.spent()), "1.00 USD");
  EXPECT_EQ(FormatCost(budget.reserved()), "1.00 USD");
  budget.HandOn("a");
  // It may be paid for already, so nobody else gets the money.
  EXPECT_TRUE(budget.Reserve("b", "tts", Cost("USD 0.01")).has_value());
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 2")).has_value());
  EXPECT_EQ(budget.spent().micros(), 0);
  EXPECT_EQ(FormatCost(budget.reserved()), "2.00 USD");
  // Also where it is not started yet after all.
  budget.TakeBack("a");
  EXPECT_EQ(FormatCost(budget.spent()), "1.00 USD");
  EXPECT_TRUE(budget.Reserve("b", "tts", Cost("USD 0.01")).has_value());
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 2")).has_value());
  EXPECT_EQ(FormatCost(budget.reserved()), "2.00 USD");
  budget.Settle("a", End::kSucceeded, Cost("USD 1"));
  EXPECT_EQ(FormatCost(budget.spent()), "1.00 USD");

  // Called again in doubt, both count, however often that is put off.
  budget.Reserve("b", "tts", Cost("USD 0.25"));
  budget.Settle("b", End::kLost, Cost("USD 0.25"));
  budget.Reserve("b", "tts", Cost("USD 0.25"));
  budget.TakeBack("b");
  EXPECT_EQ(FormatCost(budget.spent()), "1.25 USD");
  EXPECT_EQ(budget.reserved().micros(), 0);
}

// A producer that is busy has not forgotten what it was at.
TEST(RunBudgetTest, AnAttemptThatIsRefusedGivesNobodyTheMoneyOfKnownWork) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 1")));
  budget.Reserve("a", "tts", Cost("USD 1"));
  budget.Settle("a", End::kLost, std::nullopt);
  budget.HandOn("a");
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 1")).has_value());
  budget.Settle("a", End::kFailed, std::nullopt);
  EXPECT_EQ(FormatCost(budget.reserved()), "1.00 USD");
  EXPECT_TRUE(budget.Reserve("b", "tts", Cost("USD 1")).has_value());
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 1")).has_value());
  budget.Settle("a", End::kSucceeded, Cost("USD 1"));
  EXPECT_EQ(FormatCost(budget.spent()), "1.00 USD");
  EXPECT_EQ(budget.reserved().micros(), 0);

  // Nobody pays for what has failed for good.
  ASSERT_OK(budget.SetCap(Cost("USD 2")));
  budget.Reserve("c", "tts", Cost("USD 1"));
  budget.Settle("c", End::kLost, std::nullopt);
  budget.HandOn("c");
  budget.Reserve("c", "tts", Cost("USD 1"));
  budget.Settle("c", End::kFailed, std::nullopt);
  budget.GiveUp("c");
  EXPECT_EQ(budget.reserved().micros(), 0);
}

// All attempts at a job have the same key: what its producer says is said of
// each of them.
TEST(RunBudgetTest, ADoubtThatIsSettledLateGivesBackAllThatWasLost) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 2")));
  const auto lose = [&budget] {
    EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 1")).has_value());
    budget.Settle("a", End::kLost, std::nullopt);
  };
  lose();
  lose();
  EXPECT_EQ(FormatCost(budget.reserved()), "2.00 USD");
  budget.HandOn("a");
  EXPECT_EQ(FormatCost(budget.reserved()), "1.00 USD");
  lose();
  lose();
  EXPECT_EQ(FormatCost(budget.reserved()), "2.00 USD");
  // Nobody asks any more what became of them.
  budget.GiveUp("a");
  EXPECT_EQ(budget.reserved().micros(), 0);
}

TEST(RunBudgetTest, WhoChargesMoreThanDeclaredStopsTheRun) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 1")));
  budget.Reserve("a", "tts", Cost("USD 0.5"));
  budget.Settle("a", End::kSucceeded, Cost("USD 4"));
  EXPECT_EQ(FormatCost(budget.spent()), "4.00 USD");
  EXPECT_TRUE(budget.Reserve("free", "other", v1::Cost()).has_value());
  ASSERT_OK(budget.SetCap(Cost("USD 4")));
  EXPECT_FALSE(budget.Reserve("free", "other", v1::Cost()).has_value());
}

TEST(RunBudgetTest, ACapBelowWhatIsGoneIsRefused) {
  RunBudget budget;
  budget.Reserve("a", "tts", Cost("USD 2"));
  budget.Settle("a", End::kSucceeded, Cost("USD 1.5"));
  budget.Reserve("b", "tts", Cost("USD 2"));
  EXPECT_THAT(budget.SetCap(Cost("USD 3.49")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("3.49 USD"), HasSubstr("1.50 USD"),
                             HasSubstr("2.00 USD"))));
  EXPECT_FALSE(budget.cap().has_value());
  EXPECT_OK(budget.SetCap(Cost("USD 3.5")));
  EXPECT_OK(budget.SetCap(std::nullopt));
}

TEST(RunBudgetTest, EveryScopeHasItsCap) {
  RunBudget budget;
  budget.SetProducerCap("tts", Cost("USD 1"));
  budget.SetMovieCap(Cost("USD 10"));
  budget.AddToMovie(Cost("USD 7"));
  EXPECT_FALSE(budget.Reserve("a", "tts", Cost("USD 1")).has_value());
  auto obstacle = budget.Reserve("b", "tts", Cost("USD 1"));
  ASSERT_TRUE(obstacle.has_value());
  EXPECT_EQ(obstacle->scope, Scope::kProducer);
  EXPECT_EQ(obstacle->producer, "tts");
  EXPECT_FALSE(budget.Reserve("c", "image", Cost("USD 2")).has_value());
  obstacle = budget.Reserve("d", "image", Cost("USD 0.01"));
  ASSERT_TRUE(obstacle.has_value());
  EXPECT_EQ(obstacle->scope, Scope::kMovie);
  EXPECT_EQ(FormatCost(obstacle->spent), "7.00 USD");
  EXPECT_EQ(FormatCost(obstacle->reserved), "3.00 USD");
  EXPECT_EQ(FormatCost(budget.reserved()), "3.00 USD");
}

TEST(RunBudgetTest, CurrenciesAreNeverAdded) {
  RunBudget budget;
  v1::PlannedNode dear = Node("video");
  *dear.mutable_high_price() = Cost("EUR 1");
  budget.AddNode(Node("tts"), Cost("USD 1"));
  budget.AddNode(dear, Cost("USD 5"));
  EXPECT_EQ(FormatCost(budget.PriceOf(dear)), "1.00 EUR");
  EXPECT_EQ(FormatCost(budget.PriceOf(Node("tts"))), "1.00 USD");
  EXPECT_OK(budget.CheckCurrencies());
  const auto names_both =
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("video"), HasSubstr("EUR"), HasSubstr("USD")));
  EXPECT_THAT(budget.SetCap(Cost("USD 9")), names_both);
  budget.RestoreCap(Cost("USD 9"));
  EXPECT_THAT(budget.CheckCurrencies(), names_both);

  // A charge in another currency than declared cannot be counted.
  RunBudget other;
  ASSERT_OK(other.SetCap(Cost("USD 9")));
  other.Reserve("a", "tts", Cost("USD 1"));
  other.Settle("a", End::kSucceeded, Cost("EUR 1"));
  const auto obstacle = other.Reserve("b", "tts", Cost("USD 1"));
  ASSERT_TRUE(obstacle.has_value());
  EXPECT_EQ(FormatCost(*obstacle->foreign), "1.00 EUR");
  EXPECT_EQ(FormatCost(other.OtherCosts()[0]), "1.00 EUR");
  EXPECT_THAT(
      other.SetCap(Cost("USD 99")),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("1.00 EUR")));

  // One without a currency counts in every cap.
  RunBudget bare;
  bare.Reserve("a", "tts", v1::Cost());
  bare.Settle("a", End::kSucceeded, Cost("2"));
  ASSERT_OK(bare.SetCap(Cost("USD 2")));
  EXPECT_EQ(FormatCost(bare.spent()), "2.00 USD");
}

TEST(RunBudgetTest, HugeAmountsDoNotWrap) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 5")));
  EXPECT_TRUE(budget.Reserve("a", "tts", Usd(INT64_MAX)).has_value());
  EXPECT_THAT(
      ValidateCap("budget", Usd(INT64_MAX)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("budget.micros")));
  EXPECT_THAT(ValidateCap("budget", Usd(-1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must not be negative")));
}

}  // namespace
}  // namespace kinora
