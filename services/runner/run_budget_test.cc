#include "services/runner/run_budget.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/random.h"
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

// Writes what a runner tells in its ledger of the same steps.
class Teller {
 public:
  void Started(const std::string& job, const std::string& producer,
               const v1::Cost& price) {
    v1::StepStartedEvent* e = events.emplace_back().mutable_step_started();
    e->mutable_step()->set_step_id(job);
    e->mutable_step()->set_kind(producer);
    *e->mutable_reserved() = price;
  }
  void Ended(const std::string& job, End end, const v1::Cost& cost) {
    if (end == End::kSucceeded) {
      v1::StepCompletedEvent* e =
          events.emplace_back().mutable_step_completed();
      e->mutable_step()->set_step_id(job);
      *e->mutable_cost() = cost;
      return;
    }
    v1::JobEvent* e = events.emplace_back().mutable_job();
    e->set_type("retrying");
    e->set_job_id(job);
    e->set_detail_json(absl::StrCat(
        R"({"cost":{"currencyCode":"USD","micros":)", cost.micros(), "}",
        end == End::kLost ? R"(,"inDoubt":true})" : "}"));
  }
  void Failed(const std::string& job) {
    v1::StepFailedEvent* e = events.emplace_back().mutable_step_failed();
    e->mutable_step()->set_step_id(job);
  }
  void Released(const std::string& job) {
    v1::JobEvent* e = events.emplace_back().mutable_job();
    e->set_type("recovering");
    e->set_job_id(job);
    e->set_detail_json(R"({"released":true})");
  }

  std::vector<v1::LedgerEvent> events;
};

// Attempts in any order, in any number at once, with any end: no cap is ever
// crossed, the sums are those of the attempts, and a budget that recalls the
// ledger has the same.
TEST(RunBudgetTest, NoOrderOfAttemptsCrossesACap) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SeededRandom random(seed);
    const auto below = [&random](uint64_t bound) {
      return static_cast<int64_t>(random.Next() % bound);
    };
    RunBudget budget;
    int64_t cap = below(2'000);
    ASSERT_OK(budget.SetCap(Usd(cap)));
    budget.SetProducerCap("p0", Usd(500));
    const int64_t movie_before = below(300);
    const int64_t movie_cap = movie_before + below(2'000);
    budget.SetMovieCap(Usd(movie_cap));
    budget.AddToMovie(Usd(movie_before));

    Teller teller;
    struct Attempt {
      std::string producer;
      int64_t price = 0;
      int64_t charged = 0;    // if it was lost
      bool is_known = false;  // the next one takes its place
    };
    std::map<std::string, Attempt> running;
    std::map<std::string, Attempt> lost;
    // Lost before another that nobody knew of either.
    std::map<std::string, std::vector<Attempt>> earlier;
    int64_t spent = 0;
    std::map<std::string, int64_t> by_producer;
    const auto give_back = [&spent, &by_producer](const Attempt& attempt) {
      by_producer[attempt.producer] -= attempt.price + attempt.charged;
      spent -= attempt.charged;
    };
    for (int step = 0; step < 200; ++step) {
      const std::string job = absl::StrCat("job", below(40));
      const auto attempt = running.find(job);
      if (below(20) == 0) {
        const int64_t next = below(3'000);
        if (budget.SetCap(Usd(next)).ok()) cap = next;
      } else if (attempt == running.end()) {
        const std::string producer = absl::StrCat("p", below(3));
        const int64_t price = below(100);
        if (lost.contains(job) && below(2) == 0) {
          budget.HandOn(job);
          teller.Released(job);
          lost[job].is_known = true;
          for (const Attempt& before : earlier[job]) give_back(before);
          earlier.erase(job);
        }
        if (!budget.Reserve(job, producer, Usd(price)).has_value()) {
          if (below(4) == 0) {
            budget.TakeBack(job);
          } else {
            running[job] = {producer, price};
            teller.Started(job, producer, Usd(price));
            by_producer[producer] += price;
            if (const auto before = lost.find(job); before != lost.end()) {
              if (before->second.is_known) {
                give_back(before->second);
              } else {
                earlier[job].push_back(before->second);
              }
              lost.erase(before);
            }
          }
        }
      } else if (below(10) == 0) {
        // It fails for good.
        teller.Failed(job);
        budget.GiveUp(job);
        by_producer[attempt->second.producer] -= attempt->second.price;
        running.erase(attempt);
        for (const Attempt& before : earlier[job]) {
          by_producer[before.producer] -= before.price;
        }
        earlier.erase(job);
      } else {
        const End end = static_cast<End>(below(3));
        const int64_t cost =
            below(static_cast<uint64_t>(attempt->second.price) + 1);
        teller.Ended(job, end, budget.Settle(job, end, Usd(cost)));
        spent += cost;
        Attempt left = attempt->second;
        running.erase(attempt);
        left.price -= cost;
        if (end == End::kLost) {
          left.charged = cost;
          lost[job] = left;
        } else {
          by_producer[left.producer] -= left.price;
          // It stays, and so the next attempt comes behind it.
          if (!earlier[job].empty()) {
            lost[job] = earlier[job].back();
            earlier[job].pop_back();
          }
        }
      }
      int64_t reserved = 0;
      for (const auto& [id, kept] : running) reserved += kept.price;
      for (const auto& [id, kept] : lost) reserved += kept.price;
      for (const auto& [id, before] : earlier) {
        for (const Attempt& kept : before) reserved += kept.price;
      }
      ASSERT_EQ(budget.spent().micros(), spent);
      ASSERT_EQ(budget.reserved().micros(), reserved);
      ASSERT_LE(spent + reserved, cap);
      ASSERT_LE(movie_before + spent + reserved, movie_cap);
      ASSERT_LE(by_producer["p0"], 500);
    }
    RunBudget recalled;
    for (const v1::LedgerEvent& event : teller.events) recalled.Recall(event);
    EXPECT_EQ(recalled.spent().micros(), budget.spent().micros());
    EXPECT_EQ(recalled.reserved().micros(), budget.reserved().micros());
  }
}

// Its producer has told what the attempt costs, and is not asked again.
TEST(RunBudgetTest, WhatALostAttemptHasReportedStaysSpentWhenItsJobFails) {
  RunBudget budget;
  ASSERT_OK(budget.SetCap(Cost("USD 2")));
  budget.Reserve("a", "tts", Cost("USD 2"));
  const v1::Cost charged = budget.Settle("a", End::kLost, Cost("USD 1.50"));
  budget.GiveUp("a");
  EXPECT_EQ(FormatCost(budget.spent()), "1.50 USD");
  EXPECT_EQ(budget.reserved().micros(), 0);
  EXPECT_TRUE(budget.Reserve("b", "tts", Cost("USD 1")).has_value());

  // As the ledger tells it: the attempt is the job's end, or its time is up
  // while it waits for the next one.
  for (const bool waits : {false, true}) {
    Teller teller;
    teller.Started("a", "tts", Cost("USD 2"));
    if (waits) teller.Ended("a", End::kLost, charged);
    v1::StepFailedEvent* failed =
        teller.events.emplace_back().mutable_step_failed();
    failed->mutable_step()->set_step_id("a");
    if (!waits) *failed->mutable_cost() = charged;
    RunBudget recalled;
    for (const v1::LedgerEvent& event : teller.events) recalled.Recall(event);
    EXPECT_EQ(FormatCost(recalled.spent()), "1.50 USD") << waits;
    EXPECT_EQ(recalled.reserved().micros(), 0) << waits;
  }
}

TEST(RunBudgetTest, ARunThatHasEndedReservesNothing) {
  RunBudget budget;
  Teller teller;
  teller.Started("a", "tts", Usd(5));
  teller.events.emplace_back().mutable_run_cancelled();
  for (const v1::LedgerEvent& event : teller.events) budget.Recall(event);
  EXPECT_EQ(budget.reserved().micros(), 0);
}

}  // namespace
}  // namespace kinora
