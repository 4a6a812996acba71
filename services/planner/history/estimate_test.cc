#include "services/planner/history/estimate.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EstimateTest : public ::testing::Test {
 protected:
  EstimateTest() {
    inputs_.nodes["Script"].producer = "script";
    inputs_.nodes["Picture"].producer = "picture";
    inputs_.history = &history_;
  }

  // A job that reads artefacts and makes one of its own name.
  void AddJob(size_t layer, const std::string& node, const std::string& name,
              const std::vector<std::string>& reads, bool must = true) {
    if (layers_.size() <= layer) layers_.resize(layer + 1);
    v1::PlannedJob& job = *layers_[layer].add_jobs();
    job.set_job_id(name);
    job.set_node(node);
    job.set_need(must ? v1::JOB_NEED_MUST_RUN : v1::JOB_NEED_MAY_RUN);
    job.add_artefacts()->set_artefact_id(name);
    for (const std::string& source : reads) {
      v1::PlannedBinding& binding = *job.add_bindings();
      binding.set_name(source);
      binding.add_source_ids(source);
    }
  }

  void Record(const std::string& producer, int seconds, int64_t micros,
              const std::string& currency = "USD", bool failed = false) {
    v1::Event event;
    event.set_sequence(++sequence_);
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_status(failed ? v1::ARTEFACT_STATUS_FAILED
                              : v1::ARTEFACT_STATUS_SUCCEEDED);
    v1::ProducedBy& by = *attempt.mutable_produced_by();
    by.set_run_id("run");
    by.set_job_id(absl::StrCat("job", sequence_));
    by.mutable_producer()->set_name(producer);
    attempt.mutable_duration()->set_seconds(seconds);
    attempt.mutable_cost()->set_micros(micros);
    attempt.mutable_cost()->set_currency_code(currency);
    history_.Add(event);
    // The second output of the same attempt is no call of its own.
    event.set_sequence(++sequence_);
    attempt.clear_cost();
    history_.Add(event);
  }

  static v1::CostRange Price(int64_t least, int64_t most,
                             const std::string& currency) {
    v1::CostRange price;
    price.mutable_low()->set_micros(least);
    price.mutable_low()->set_currency_code(currency);
    price.mutable_high()->set_micros(most);
    price.mutable_high()->set_currency_code(currency);
    return price;
  }

  static std::vector<std::string> CostsOf(
      const v1::EstimatePlanResponse& estimate) {
    std::vector<std::string> costs;
    for (const v1::CostRange& cost : estimate.costs()) {
      EXPECT_EQ(cost.low().currency_code(), cost.high().currency_code());
      costs.push_back(absl::StrCat(cost.low().micros(), " to ",
                                   cost.high().micros(), " ",
                                   cost.high().currency_code()));
    }
    return costs;
  }

  v1::EstimatePlanResponse Run() {
    inputs_.layers = layers_;
    absl::StatusOr<v1::EstimatePlanResponse> estimate = Estimate(inputs_);
    EXPECT_OK(estimate);
    return estimate.ok() ? *estimate : v1::EstimatePlanResponse();
  }

  std::vector<v1::PlanLayer> layers_;
  CallHistory history_;
  EstimateInputs inputs_;
  int64_t sequence_ = 0;
};

// F: B-7
TEST_F(EstimateTest, RangesComeFromRecordedCalls) {
  Record("script", 10, 1000);
  Record("picture", 3, 200);
  Record("picture", 5, 700);
  Record("picture", 500, 90000, "USD", /*failed=*/true);
  AddJob(0, "Script", "text", {});
  AddJob(1, "Picture", "a", {"text"}, false);
  AddJob(1, "Picture", "b", {"text"}, false);
  const v1::EstimatePlanResponse estimate = Run();
  EXPECT_EQ(estimate.low().micros(), 1000);
  EXPECT_EQ(estimate.high().micros(), 1000 + 2 * 700);
  EXPECT_EQ(estimate.high().currency_code(), "USD");
  EXPECT_EQ(estimate.low_duration().seconds(), 10);
  // One after the other is the most it can take.
  EXPECT_EQ(estimate.high_duration().seconds(), 10 + 2 * 5);
  EXPECT_THAT(estimate.unpriced_producers(), IsEmpty());
  EXPECT_THAT(estimate.untimed_producers(), IsEmpty());
  ASSERT_EQ(estimate.producers_size(), 2);
  EXPECT_EQ(estimate.producers(0).producer(), "picture");
  EXPECT_EQ(estimate.producers(0).may_run_jobs(), 2);
  EXPECT_EQ(estimate.producers(0).recorded_calls(), 2);
  EXPECT_EQ(estimate.producers(0).price_source(), v1::PRICE_SOURCE_HISTORY);
}

// A call that took far longer than the others says little of the next.
TEST_F(EstimateTest, HistoryTellsTheMedianOfWhatCallsTook) {
  Record("script", 10, 1000);
  Record("picture", 3, 200);
  Record("picture", 500, 700);
  Record("picture", 4, 700);
  Record("picture", 9000, 90000, "USD", /*failed=*/true);
  const v1::GetJobDurationsResponse told = DurationsOf(history_);
  ASSERT_EQ(told.producers_size(), 2);
  EXPECT_EQ(told.producers(0).producer(), "picture");
  EXPECT_EQ(told.producers(0).recorded_calls(), 3);
  EXPECT_EQ(told.producers(0).median().seconds(), 4);
  EXPECT_EQ(told.producers(0).shortest().seconds(), 3);
  EXPECT_EQ(told.producers(0).longest().seconds(), 500);
  EXPECT_EQ(told.producers(1).median().seconds(), 10);

  AddJob(0, "Picture", "a", {});
  EXPECT_EQ(Run().producers(0).median_duration().seconds(), 4);
}

// F: B-7
TEST_F(EstimateTest, DeclaredPricesAreWidenedByWhatWasPaid) {
  Record("picture", 3, 900);
  v1::ProducerTerms& terms = inputs_.producers["picture"];
  terms.mutable_low_price()->set_micros(100);
  terms.mutable_high_price()->set_micros(500);
  terms.mutable_high_price()->set_currency_code("USD");
  AddJob(0, "Picture", "a", {});
  AddJob(0, "Script", "text", {});
  v1::EstimatePlanResponse estimate = Run();
  EXPECT_EQ(estimate.low().micros(), 100);
  EXPECT_EQ(estimate.high().micros(), 900);
  EXPECT_EQ(estimate.producers(0).price_source(), v1::PRICE_SOURCE_PRODUCER);
  EXPECT_THAT(estimate.unpriced_producers(), ElementsAre("script"));
  EXPECT_THAT(estimate.untimed_producers(), ElementsAre("script"));
  // The node's own price wins over the producer's.
  inputs_.nodes["Picture"].price = Price(300, 600, "USD");
  estimate = Run();
  ASSERT_EQ(estimate.costs_size(), 1);
  EXPECT_EQ(estimate.low().micros(), 300);
  EXPECT_EQ(estimate.high().micros(), 900);
  EXPECT_EQ(estimate.producers(0).price_source(), v1::PRICE_SOURCE_BLUEPRINT);
}

// F: B-7 what was billed in another currency than declared is no second price.
TEST_F(EstimateTest, AJobHasOnePriceThoughCurrenciesDiffer) {
  inputs_.nodes["Picture"].price = Price(2000, 3000, "EUR");
  AddJob(0, "Picture", "a", {});
  AddJob(0, "Picture", "b", {}, /*must=*/false);
  v1::EstimatePlanResponse estimate = Run();
  EXPECT_THAT(CostsOf(estimate), ElementsAre("2000 to 6000 EUR"));

  Record("picture", 3, 700, "USD");
  Record("picture", 3, 900, "USD");
  estimate = Run();
  EXPECT_THAT(CostsOf(estimate), ElementsAre("700 to 1800 USD"));
  EXPECT_EQ(estimate.producers(0).price().high().currency_code(), "USD");
  EXPECT_EQ(estimate.producers(0).price_source(), v1::PRICE_SOURCE_HISTORY);

  // Of several recorded currencies the latest counts.
  Record("picture", 3, 2500, "EUR");
  EXPECT_THAT(CostsOf(Run()), ElementsAre("2000 to 6000 EUR"));
  Record("picture", 3, 800, "USD");
  EXPECT_THAT(CostsOf(Run()), ElementsAre("700 to 1800 USD"));
}

// F: B-7 a producer that changed its currency tells a range in each, as it may
// change back; the plan's costs count the latest alone.
TEST_F(EstimateTest, AProducerHasARangeForEachCurrencyItWasBilledIn) {
  inputs_.nodes["Picture"].price = Price(2000, 3000, "EUR");
  AddJob(0, "Picture", "a", {});
  const auto prices_of = [](const v1::EstimatePlanResponse& estimate) {
    v1::EstimatePlanResponse same;
    *same.mutable_costs() = estimate.producers(0).prices();
    return CostsOf(same);
  };
  EXPECT_THAT(prices_of(Run()), ElementsAre("2000 to 3000 EUR"));
  Record("picture", 3, 2500, "EUR");
  Record("picture", 3, 4000, "EUR");
  Record("picture", 3, 60, "CHF");
  Record("picture", 3, 700, "USD");
  Record("picture", 3, 900, "USD");
  const v1::EstimatePlanResponse estimate = Run();
  EXPECT_THAT(prices_of(estimate), ElementsAre("700 to 900 USD", "60 to 60 CHF",
                                               "2000 to 4000 EUR"));
  EXPECT_EQ(estimate.producers(0).price().low().micros(), 700);
  EXPECT_EQ(estimate.producers(0).price_source(), v1::PRICE_SOURCE_HISTORY);
  EXPECT_THAT(CostsOf(estimate), ElementsAre("700 to 900 USD"));
}

// Jobs of two producers may well be billed in two currencies.
TEST_F(EstimateTest, CurrenciesOfProducersStandBesideEachOther) {
  Record("picture", 3, 700, "USD");
  Record("script", 3, 40, "EUR");
  AddJob(0, "Script", "text", {});
  AddJob(1, "Picture", "a", {"text"}, /*must=*/false);
  const v1::EstimatePlanResponse estimate = Run();
  EXPECT_THAT(CostsOf(estimate), ElementsAre("40 to 40 EUR", "0 to 700 USD"));
  EXPECT_EQ(estimate.low().currency_code(), "EUR");
}

// F: B-7
TEST_F(EstimateTest, TimeIsBoundByChainsAndByPlaces) {
  Record("picture", 2, 0);
  for (int i = 0; i < 100; ++i) {
    AddJob(0, "Picture", absl::StrCat("p", i), {});
  }
  inputs_.producers["picture"].set_max_concurrency(10);
  EXPECT_EQ(Run().low_duration().seconds(), 20);
  EXPECT_EQ(Run().high_duration().seconds(), 2 + 20 + 200 / 64);
  inputs_.max_concurrency = 5;
  EXPECT_EQ(Run().low_duration().seconds(), 40);
  // A chain of a hundred takes as long as its links.
  layers_.clear();
  for (int i = 0; i < 100; ++i) {
    AddJob(i, "Picture", absl::StrCat("p", i),
           i == 0 ? std::vector<std::string>{}
                  : std::vector<std::string>{absl::StrCat("p", i - 1)});
  }
  EXPECT_EQ(Run().low_duration().seconds(), 200);
  EXPECT_EQ(Run().high_duration().seconds(), 200);
}

TEST_F(EstimateTest, EmptyPlanCostsNothing) {
  const v1::EstimatePlanResponse estimate = Run();
  EXPECT_FALSE(estimate.has_low());
  EXPECT_EQ(estimate.high_duration().seconds(), 0);
  AddJob(0, "Voice", "v", {});
  inputs_.layers = layers_;
  EXPECT_THAT(Estimate(inputs_), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("\"Voice\"")));
}

}  // namespace
}  // namespace kinora
