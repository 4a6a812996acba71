// What a budget comes to by attempts in any order, and that one which recalls
// them from the ledger comes to the same.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/random.h"
#include "common/run_budget.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using End = RunBudget::End;

v1::Cost Cost(const std::string& text) {
  return ParseCostText(text).value_or(v1::Cost());
}

v1::Cost Usd(int64_t micros) {
  v1::Cost cost;
  cost.set_currency_code("USD");
  cost.set_micros(micros);
  return cost;
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
TEST(RunBudgetRecallTest, NoOrderOfAttemptsCrossesACap) {
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
    // Whose running attempt has the place of one that is known.
    std::set<std::string> replaces;
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
                replaces.insert(job);
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
        replaces.erase(job);
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
          replaces.erase(job);
        } else if (replaces.erase(job) > 0 && end == End::kFailed &&
                   cost == 0) {
          // One that was refused leaves its place to the next.
          left.is_known = true;
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
TEST(RunBudgetRecallTest,
     WhatALostAttemptHasReportedStaysSpentWhenItsJobFails) {
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

TEST(RunBudgetRecallTest, ARunThatHasEndedReservesNothing) {
  RunBudget budget;
  Teller teller;
  teller.Started("a", "tts", Usd(5));
  teller.events.emplace_back().mutable_run_cancelled();
  for (const v1::LedgerEvent& event : teller.events) budget.Recall(event);
  EXPECT_EQ(budget.reserved().micros(), 0);
}

}  // namespace
}  // namespace kinora
