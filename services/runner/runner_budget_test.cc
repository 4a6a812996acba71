// Runs and their budgets.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// First -> Then, each at most 0.02 USD.
std::string PaidChain(const std::string& first, const std::string& then) {
  return absl::StrCat(R"(
blueprint: paid
nodes:
  First:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    settings: )",
                      first, R"(
    outputs: {A: text/plain}
  Then:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    settings: )",
                      then, R"(
    inputs: {a: A}
    outputs: {B: text/plain}
outputs: [B]
)");
}

constexpr char kCent[] = "{cost: 0.01, currency: USD}";

v1::Cost Cost(const std::string& text) {
  return ParseCostText(text).value_or(v1::Cost());
}

bool WaitsForBudget(const v1::LedgerEvent& event) {
  return event.run_waiting().reason() == "budget";
}

class RunnerBudgetTest : public RunnerFixture {
 protected:
  static v1::StartRunRequest WithBudget(const std::string& cap) {
    v1::StartRunRequest request = StartRequest();
    *request.mutable_budget() = Cost(cap);
    return request;
  }

  std::string Start(const v1::StartRunRequest& request) {
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  // Starts a run that is over its budget at once, and waits until it says so.
  std::string StartAtTheEdge() {
    MakeMovie(Paid("sim", 3, kCent));
    const std::string run_id = Start(WithBudget("USD 0.01"));
    Ledger(run_id, WaitsForBudget);
    return run_id;
  }

  absl::StatusOr<v1::SetRunBudgetResponse> SetBudget(const std::string& run_id,
                                                     const std::string& cap) {
    v1::SetRunBudgetRequest request;
    request.set_run_id(run_id);
    if (!cap.empty()) *request.mutable_cap() = Cost(cap);
    return runner().SetBudget(request);
  }

  v1::RunSnapshot Get(const std::string& run_id) {
    v1::GetRunRequest request;
    request.set_run_id(run_id);
    const absl::StatusOr<v1::GetRunResponse> run = runner().Get(request);
    EXPECT_OK(run);
    return run.ok() ? run->run() : v1::RunSnapshot();
  }

  void Restart(const SimProducerOptions& sim = {}) {
    process_.reset();
    process_ = NewProcess(sim);
  }
};

// F: Invariant 14
TEST_F(RunnerBudgetTest, ManyJobsAtOnceNeverCrossTheCap) {
  MakeMovie(Paid("wide", 600, "{cost: 0.01, currency: USD, delay_ms: 5}"));
  const std::string run_id = Start(WithBudget("USD 5.20"));
  const std::vector<v1::LedgerEvent> before = Ledger(run_id, WaitsForBudget);
  // 519 jobs leave 0.01, and one may cost 0.02.
  EXPECT_THAT(
      before.back().run_waiting().message(),
      AllOf(HasSubstr("may cost 0.02 USD"), HasSubstr("run, 5.20 USD"),
            HasSubstr("5.19 USD is spent and 0.00 USD reserved"),
            HasSubstr(absl::StrCat("runs budget ", run_id, " '5.21 USD'"))));
  v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_EQ(FormatCost(run.record().cost()), "5.19 USD");
  EXPECT_EQ(FormatCost(run.record().budget()), "5.20 USD");
  EXPECT_THAT(run.reserved(), IsEmpty());
  EXPECT_EQ(calls(), 519);

  EXPECT_THAT(SetBudget(run_id, "USD 5.18"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("5.18 USD"), HasSubstr("5.19 USD"),
                             HasSubstr("0.00 USD"))));
  ASSERT_OK(SetBudget(run_id, "USD 7"));
  run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(FormatCost(run.record().cost()), "6.00 USD");
  EXPECT_EQ(FormatCost(run.record().budget()), "7.00 USD");
  EXPECT_EQ(calls(), 600);

  // As its ledger has it, event by event.
  int64_t cap = 5'200'000;
  int64_t spent = 0;
  std::map<std::string, int64_t> reserved;
  size_t most = 0;
  for (const v1::LedgerEvent& event : Ledger(run_id)) {
    if (event.has_run_budget()) cap = event.run_budget().cap().micros();
    if (event.has_step_started()) {
      const v1::StepStartedEvent& started = event.step_started();
      reserved[started.step().step_id()] = started.reserved().micros();
    }
    if (event.has_step_completed()) {
      spent += event.step_completed().cost().micros();
      reserved.erase(event.step_completed().step().step_id());
    }
    most = std::max(most, reserved.size());
    int64_t sum = spent;
    for (const auto& [job, micros] : reserved) sum += micros;
    ASSERT_LE(sum, cap);
  }
  EXPECT_EQ(most, 256u);
  EXPECT_EQ(cap, 7'000'000);
  EXPECT_EQ(spent, 6'000'000);

  // What was made is what is wanted: nothing is left to do.
  const std::string manifest = ManifestJson(store());
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());
  EXPECT_EQ(ManifestJson(store()), manifest);
}

TEST_F(RunnerBudgetTest, FailedAttemptsAreCharged) {
  MakeMovie(Paid("sim", 1, "{cost: 0.01, currency: USD, fail_attempts: 2}"));
  const v1::RunSnapshot run = RunToEnd(WithBudget("USD 0.04"));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(FormatCost(run.record().cost()), "0.03 USD");
  // Two more would cost as much again.
  EXPECT_THAT(Jobs(run), ::testing::ElementsAre("Part[part=0] completed"));
}

TEST_F(RunnerBudgetTest, ASecondAttemptThatDoesNotFitWaits) {
  MakeMovie(Paid("sim", 1, "{cost: 0.01, currency: USD, fail_attempts: 1}"));
  const std::string run_id = Start(WithBudget("USD 0.02"));
  Ledger(run_id, WaitsForBudget);
  EXPECT_EQ(calls(), 1);
  ASSERT_OK_AND_ASSIGN(const v1::SetRunBudgetResponse set,
                       SetBudget(run_id, "USD 0.03"));
  EXPECT_EQ(FormatCost(set.spent()), "0.01 USD");
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

TEST_F(RunnerBudgetTest, LiftingTheBudgetLetsTheRunGoOn) {
  const std::string run_id = StartAtTheEdge();
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(SetBudget(run_id, ""));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_FALSE(run.record().has_budget());
  EXPECT_EQ(FormatCost(run.record().cost()), "0.03 USD");
  const absl::StatusOr<v1::SetRunBudgetResponse> late =
      SetBudget(run_id, "USD 1");
  EXPECT_EQ(ReasonOf(late.status()), "RUN_TERMINAL") << late.status();
}

// What one process has spent, failed attempts included, is spent for the next.
// F: Invariant 14
TEST_F(RunnerBudgetTest, WhatIsSpentOutlivesTheRunner) {
  MakeMovie(PaidChain(
      "{cost: 0.01, currency: USD, fail_attempts: 1}",
      "{cost: 0.02, currency: USD, delay_ms: 600000, slow_attempts: 1}"));
  const std::string run_id = Start(WithBudget("USD 0.05"));
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_started().step().step_id() == "Then";
  });
  EXPECT_EQ(FormatCost(Get(run_id).record().cost()), "0.02 USD");
  Restart();
  ASSERT_OK(runner().AdoptOpenRuns());
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.run_waiting().reason() == "in_doubt";
  });
  // The attempt that was lost may have been paid for.
  v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(FormatCost(run.record().cost()), "0.02 USD");
  EXPECT_EQ(FormatCost(run.record().budget()), "0.05 USD");
  ASSERT_EQ(run.reserved_size(), 1);
  EXPECT_EQ(FormatCost(run.reserved(0)), "0.02 USD");
  v1::RetryRunRequest retry;
  retry.set_run_id(run_id);
  ASSERT_OK(runner().Retry(retry));
  // So another one does not fit.
  const std::vector<v1::LedgerEvent> events = Ledger(run_id, WaitsForBudget);
  EXPECT_THAT(events.back().run_waiting().message(),
              HasSubstr("0.02 USD is spent and 0.02 USD reserved"));
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(SetBudget(run_id, "USD 0.06"));
  run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(FormatCost(run.record().cost()), "0.04 USD");
}

// Of what the producer knows to be under way nothing is paid for twice.
TEST_F(RunnerBudgetTest, WhatIsLookedUpReservesOnce) {
  SimRecord record;
  Restart({.record = &record});
  MakeMovie(PaidChain(
      kCent,
      "{cost: 0.02, currency: USD, delay_ms: 600000, slow_attempts: 1}"));
  const std::string run_id = Start(WithBudget("USD 0.03"));
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_started().step().step_id() == "Then";
  });
  while (calls() < 2) std::this_thread::yield();  // the ledger tells it before
  Restart({.record = &record});
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(FormatCost(run.record().cost()), "0.03 USD");
  process_.reset();
}

TEST_F(RunnerBudgetTest, ARunThatWaitsWaitsOnAfterItsRunner) {
  const std::string run_id = StartAtTheEdge();
  Restart();
  ASSERT_OK(runner().AdoptOpenRuns());
  int waited = 0;
  Ledger(run_id, [&waited](const v1::LedgerEvent& event) {
    waited += WaitsForBudget(event) ? 1 : 0;
    return waited == 2;
  });
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(SetBudget(run_id, "USD 1"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

// Nobody carries the run out when its budget is raised.
TEST_F(RunnerBudgetTest, ABudgetIsSetForWhoeverAdoptsTheRun) {
  const std::string run_id = StartAtTheEdge();
  Restart();
  ASSERT_OK(SetBudget(run_id, "USD 0.04"));
  EXPECT_EQ(FormatCost(Get(run_id).record().budget()), "0.04 USD");
  Restart();
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(FormatCost(run.record().budget()), "0.04 USD");
}

TEST_F(RunnerBudgetTest, AProducerHasABudgetOfItsOwn) {
  MakeMovie(Paid("capped", 6, "{cost: 0.02, currency: USD}"));
  const std::string run_id = Start(StartRequest());
  const std::vector<v1::LedgerEvent> events = Ledger(run_id, WaitsForBudget);
  EXPECT_THAT(events.back().run_waiting().message(),
              AllOf(HasSubstr("budget of the producer \"capped\", 0.10 USD"),
                    HasSubstr("0.10 USD is spent")));
  EXPECT_EQ(calls(), 5);
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner().Cancel(cancel));
  EXPECT_EQ(FormatCost(Finish(run_id).record().cost()), "0.10 USD");
}

// What earlier runs have cost counts, too.
TEST_F(RunnerBudgetTest, AMovieHasABudgetOfAllItsRuns) {
  const auto limit = [this](const std::string& cap) {
    v1::SetMovieQuotaRequest request;
    request.set_movie_id("film");
    *request.mutable_quota()->mutable_max_cost() = Cost(cap);
    ASSERT_OK(store().movies.SetQuota(request));
  };
  MakeMovie(Paid("sim", 3, kCent));
  RunToEnd(StartRequest());
  limit("USD 0.05");
  v1::SetBlueprintRequest other;
  other.set_movie_id("film");
  other.set_blueprint(Paid("sim", 3, "{cost: 0.01, currency: USD, salt: b}"));
  ASSERT_OK(store().movies.SetBlueprint(other));
  const std::string run_id = Start(StartRequest());
  const std::vector<v1::LedgerEvent> events = Ledger(run_id, WaitsForBudget);
  EXPECT_THAT(events.back().run_waiting().message(),
              AllOf(HasSubstr("budget of the movie, 0.05 USD"),
                    HasSubstr("0.04 USD is spent"),
                    HasSubstr("movie quota film --max-cost '0.06 USD'")));
  EXPECT_EQ(calls(), 4);
  limit("USD 1");
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(FormatCost(run.record().cost()), "0.03 USD");
}

// The dear one has its turn first; what costs less, at the same producer, does
// not wait for the money that it lacks.
TEST_F(RunnerBudgetTest, WhatDoesNotFitHoldsNothingUpThatDoes) {
  MakeMovie(R"(
blueprint: uneven
dimensions:
  part: {size: 3}
nodes:
  Dear:
    producer: sim
    price: {min: 0.01, max: 0.50, currency: USD}
    limits: {priority: 10}
    settings: {cost: 0.40, currency: USD}
    outputs: {Dear: text/plain}
  Cheap:
    producer: sim
    over: [part]
    price: {min: 0.01, max: 0.02, currency: USD}
    settings: {cost: 0.01, currency: USD}
    outputs: {Cheap: text/plain}
outputs: [Dear, Cheap]
)");
  const std::string run_id = Start(WithBudget("USD 0.10"));
  const std::vector<v1::LedgerEvent> events = Ledger(run_id, WaitsForBudget);
  EXPECT_THAT(events.back().run_waiting().message(),
              AllOf(HasSubstr("job Dear may cost 0.50 USD"),
                    HasSubstr("0.03 USD is spent")));
  EXPECT_EQ(calls(), 3);
  ASSERT_OK(SetBudget(run_id, "USD 0.53"));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(FormatCost(run.record().cost()), "0.43 USD");
}

TEST_F(RunnerBudgetTest, WhatCostsMoreThanDeclaredIsToldAndStopsTheRun) {
  MakeMovie(Paid("single", 3, "{cost: 0.50, currency: USD}"));
  const std::string run_id = Start(WithBudget("USD 0.10"));
  std::string told;
  for (const v1::LedgerEvent& event : Ledger(run_id, WaitsForBudget)) {
    if (event.job().type() == "overcharged") told = event.job().message();
  }
  EXPECT_THAT(told, AllOf(HasSubstr("0.50 USD"), HasSubstr("0.02 USD")));
  EXPECT_EQ(calls(), 1);
  EXPECT_EQ(FormatCost(Get(run_id).record().cost()), "0.50 USD");
}

TEST_F(RunnerBudgetTest, BadBudgetsAreRefusedBeforeTheRun) {
  MakeMovie(Paid("sim", 1, kCent));
  v1::StartRunRequest request = StartRequest();
  request.mutable_budget()->set_micros(-1);
  EXPECT_THAT(
      runner().Start(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("budget.micros")));
  request.mutable_budget()->set_micros(1);
  request.mutable_budget()->set_currency_code("dollars");
  EXPECT_THAT(runner().Start(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("budget.currency_code")));
  EXPECT_THAT(
      runner().Start(WithBudget("EUR 5")),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("sim"), HasSubstr("EUR"), HasSubstr("USD"))));
  const absl::StatusOr<v1::SetRunBudgetResponse> unknown =
      SetBudget(std::string(kRun2), "USD 1");
  EXPECT_EQ(ReasonOf(unknown.status()), "RUN_NOT_FOUND") << unknown.status();
  // The movie is free for a run.
  EXPECT_EQ(RunToEnd(WithBudget("USD 1")).record().status(),
            v1::RUN_STATUS_COMPLETED);
}

}  // namespace
}  // namespace kinora
