// What all runs of a movie may cost together, where what one of them has cost
// cannot be read: that is not nothing, and nobody knows what is left.

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/telemetry/metrics.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

class RunnerMovieLimitTest : public RunnerFixture {
 protected:
  // A run that has cost 0.03 USD, and a limit of 0.05 USD for the movie.
  void SpendUnderALimit() {
    MakeMovie(Paid("sim", 3, "{cost: 0.01, currency: USD}"));
    const std::string spent = RunToEnd(StartRequest()).record().run_id();
    // With its record closed.
    process_.reset();
    process_ = NewProcess();
    v1::SetMovieQuotaRequest limit;
    limit.set_movie_id("film");
    *limit.mutable_quota()->mutable_max_cost() =
        ParseCostText("USD 0.05").value_or(v1::Cost());
    ASSERT_OK(store().movies.SetQuota(limit));
    key_ = RunRecordKey("film", spent);
    ASSERT_OK_AND_ASSIGN(record_, ReadObject(storage_, key_));
  }
  void Damage() { ASSERT_OK(storage_.Write(key_, "{\"runId")); }
  void Mend() { ASSERT_OK(storage_.Write(key_, record_)); }

  // One job of it anew, which may cost the 0.02 USD that are left.
  static v1::StartRunRequest Again() {
    v1::StartRunRequest request = StartRequest();
    request.mutable_scope()->add_regenerate("Text[part=0]");
    return request;
  }

  std::string key_;  // of the record of the run that was
  std::string record_;
};

// F: Invariant 14
TEST_F(RunnerMovieLimitTest, NoRunStartsUntilAllCanBeRead) {
  SpendUnderALimit();
  Damage();
  const absl::Status refused = runner().Start(Again()).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(key_)));
  EXPECT_EQ(ReasonOf(refused), "DATA_CORRUPT");
  EXPECT_EQ(calls(), 0);
  Mend();
  EXPECT_EQ(RunToEnd(Again()).record().status(), v1::RUN_STATUS_COMPLETED);
}

// And the run is no damaged one for that. F: Invariant 14
TEST_F(RunnerMovieLimitTest, NoRunIsAdoptedUntilAllCanBeRead) {
  SpendUnderALimit();
  v1::StartRunRequest request = Again();
  *request.mutable_budget() = ParseCostText("USD 0.01").value_or(v1::Cost());
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(request));
  const std::string& run_id = started.run().run_id();
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.run_waiting().reason() == "budget";
  });
  process_.reset();
  Damage();
  MetricsRegistry metrics;
  process_ = std::make_unique<RunnerProcess>(store(), clock_,
                                             SimProducerOptions(), &metrics);
  ASSERT_OK(runner().AdoptOpenRuns());
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse left, runner().Get(get));
  EXPECT_EQ(left.run().recovery().state(), v1::RUN_RECOVERY_STATE_AVAILABLE);
  EXPECT_THAT(left.run().recovery().message(), HasSubstr(key_));
  EXPECT_THAT(metrics.RenderPrometheus(),
              HasSubstr("\nkinora_runner_runs_damaged 0\n"));
  Mend();
  ASSERT_OK(runner().AdoptOpenRuns());
  v1::SetRunBudgetRequest raise;
  raise.set_run_id(run_id);
  *raise.mutable_cap() = ParseCostText("USD 0.02").value_or(v1::Cost());
  ASSERT_OK(runner().SetBudget(raise));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  process_.reset();
}

// It is not the queued run's fault, and what damaged the record may be mended.
// F: Invariant 14
TEST_F(RunnerMovieLimitTest, AQueuedRunWaitsUntilAllCanBeRead) {
  SpendUnderALimit();
  process_.reset();
  process_ = NewProcess();
  v1::StartRunRequest first = Again();
  *first.mutable_budget() = ParseCostText("USD 0.01").value_or(v1::Cost());
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(first));
  const std::string& active = started.run().run_id();
  Ledger(active, [](const v1::LedgerEvent& event) {
    return event.run_waiting().reason() == "budget";
  });
  v1::StartRunRequest second = Again();
  second.set_if_active(v1::IF_ACTIVE_QUEUE);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse queued,
                       runner().Start(second));
  const std::string& run_id = queued.run().run_id();
  Damage();
  v1::CancelRunRequest cancel;
  cancel.set_run_id(active);
  ASSERT_OK(runner().Cancel(cancel));
  Finish(active);
  ASSERT_OK(runner().AdoptOpenRuns());
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse left, runner().Get(get));
  EXPECT_EQ(left.run().record().status(), v1::RUN_STATUS_QUEUED)
      << left.run().record().error();
  EXPECT_EQ(calls(), 0);
  Mend();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

}  // namespace
}  // namespace kinora
