#include "services/runner/replay/dry_runs.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/store_planner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/layout.h"
#include "services/store/testing/movie_copies.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DryRunsTest : public RunnerFixture {
 protected:
  DryRuns& dry_runs() { return process_->dry_runs(); }

  static v1::StartRunRequest DryRequest(
      const std::map<std::string, std::string>& texts = {}) {
    v1::StartRunRequest request = StartRequest(texts);
    request.set_dry_run(true);
    return request;
  }

  v1::RunRecord DryRun(const v1::StartRunRequest& request) {
    const absl::StatusOr<v1::StartRunResponse> ended =
        dry_runs().Start(request);
    EXPECT_OK(ended);
    return ended.ok() ? ended->run() : v1::RunRecord();
  }

  // Each object of the store with its time and the hash of its bytes, and that
  // of the movie with all its logs.
  std::map<std::string, std::string> Everything() {
    std::map<std::string, std::string> all;
    for (const char* prefix : {"builds/", "leases/", "runs/"}) {
      AddBelow(prefix, &all);
    }
    absl::StatusOr<std::string> copy = CopyOf(store(), "film");
    EXPECT_OK(copy);
    if (copy.ok()) all["copy"] = Sha256Of(*copy).Hex();
    return all;
  }

 private:
  void AddBelow(const std::string& prefix,
                std::map<std::string, std::string>* all) {
    std::string token;
    do {
      const absl::StatusOr<ObjectPage> page = storage_.List(prefix, 100, token);
      ASSERT_OK(page);
      for (const ObjectInfo& object : page->objects) {
        const absl::StatusOr<std::string> bytes =
            ReadObject(storage_, object.key);
        ASSERT_OK(bytes);
        (*all)[object.key] = absl::StrCat(absl::FormatTime(object.create_time),
                                          " ", Sha256Of(*bytes).Hex());
      }
      for (const std::string& below : page->prefixes) AddBelow(below, all);
      token = page->next_token;
    } while (!token.empty());
  }
};

// F: B-8
TEST_F(DryRunsTest, GoesThroughAllOfARunAndLeavesNothing) {
  MakeMovie(Chain("{}"));
  const auto before = Everything();
  const v1::RunRecord run = DryRun(DryRequest({{"Topic", "moon"}}));
  EXPECT_TRUE(run.dry_run());
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
  EXPECT_EQ(run.target_revision(), "rev-0001");
  EXPECT_EQ(run.published_revision(), "");
  EXPECT_EQ(run.jobs().succeeded(), 4);
  EXPECT_EQ(Everything(), before);
  EXPECT_EQ(calls(), 0);
  v1::GetLeaseRequest lease;
  lease.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse held,
                       store().leases.Get(lease));
  EXPECT_FALSE(held.has_lease());

  const std::shared_ptr<const EndedDryRun> known =
      dry_runs().Find(run.run_id());
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->run.jobs_size(), 4);
  EXPECT_TRUE(known->ledger.front().ledger().has_run_created());
  EXPECT_TRUE(known->ledger.back().ledger().has_run_completed());
  EXPECT_EQ(known->ledger.back().sequence(),
            static_cast<int64_t>(known->ledger.size()));

  // The edit was not kept, and all is still to do.
  const v1::RunSnapshot real = RunToEnd(StartRequest());
  EXPECT_EQ(real.record().published_revision(), "rev-0001");
  EXPECT_EQ(calls(), 4);
}

// F: B-8
TEST_F(DryRunsTest, ReusesResultsWhoseBlobsStayWhereTheyAre) {
  MakeMovie(Chain("{bytes: 9000}", "{bytes: 9001}"));
  RunToEnd(StartRequest({{"Topic", "moon"}}));
  RunToEnd(StartRequest({{"Topic", "sun"}}));
  const int64_t called = calls();
  // The record of a run comes after its ledger.
  runner().Drain(kPatience);
  // Old enough that asking for them would be written down.
  clock_.Advance(absl::Hours(48));
  const auto before = Everything();
  const v1::RunRecord run =
      DryRun(DryRequest({{"Topic", "moon"}, {"Side", "right"}}));
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
  EXPECT_EQ(run.jobs().reused(), 3);
  EXPECT_EQ(run.jobs().succeeded(), 1);
  EXPECT_EQ(calls(), called);
  EXPECT_EQ(Everything(), before);
}

// F: B-8
TEST_F(DryRunsTest, ListsThatDecideHaveTwoElementsUnlessTheSettingsSayMore) {
  MakeMovie(Scenes("{}"));
  v1::RunRecord run = DryRun(DryRequest());
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
  EXPECT_EQ(run.jobs().succeeded(), 1 + 2 + 1);

  MakeMovie(Scenes(R"({text: '["a", "b", "c"]'})"), "other");
  v1::StartRunRequest request = DryRequest();
  request.set_movie_id("other");
  run = DryRun(request);
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
  EXPECT_EQ(run.jobs().succeeded(), 1 + 3 + 1);
  EXPECT_EQ(calls(), 0);
}

// F: B-8
TEST_F(DryRunsTest, LeavesDecide) {
  const std::string blueprint = R"(
blueprint: leaves
dimensions:
  segment: {size: Shots}
nodes:
  Script:
    producer: sim
    settings: SETTINGS
    outputs: {Script: {type: application/json, leaves: {Shots: /shots}}}
  Clip:
    producer: sim
    over: [segment]
    inputs: {shots: Shots}
    outputs: {Clip: text/plain}
)";
  const auto with = [&blueprint](const std::string& settings) {
    std::string text = blueprint;
    return text.replace(text.find("SETTINGS"), 8, settings);
  };
  MakeMovie(with("{}"));
  EXPECT_EQ(DryRun(DryRequest()).jobs().succeeded(), 1 + 2);
  MakeMovie(with(R"({text: '{"shots": [1, 2, 3, 4]}'})"), "other");
  v1::StartRunRequest request = DryRequest();
  request.set_movie_id("other");
  EXPECT_EQ(DryRun(request).jobs().succeeded(), 1 + 4);
}

// F: B-8
TEST_F(DryRunsTest, NeitherWaitsForARunNorStopsIt) {
  MakeMovie(Chain("{delay_ms: 3600000}"));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse real,
                       runner().Start(StartRequest()));
  const v1::RunRecord run = DryRun(DryRequest());
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
  v1::GetRunRequest get;
  get.set_run_id(real.run().run_id());
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse still, runner().Get(get));
  EXPECT_EQ(still.run().record().status(), v1::RUN_STATUS_RUNNING);
}

constexpr char kPaid[] = R"(
blueprint: paid
dimensions:
  part: {size: 6}
nodes:
  Part:
    producer: sim
    over: [part]
    price: {min: 0.01, max: 0.02, currency: USD}
    outputs: {Text: text/plain}
)";

// F: B-8, Invariant 14
TEST_F(DryRunsTest, CostsTheMostThatItMayAndEndsWhereARunWouldWait) {
  MakeMovie(kPaid);
  EXPECT_EQ(FormatCost(DryRun(DryRequest()).cost()), "0.12 USD");
  v1::StartRunRequest request = DryRequest();
  request.mutable_budget()->set_currency_code("USD");
  request.mutable_budget()->set_micros(50'000);
  const v1::RunRecord run = DryRun(request);
  EXPECT_EQ(run.status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(run.error(),
              AllOf(HasSubstr("would wait: budget: job Part[part="),
                    Not(HasSubstr("kinora runs budget"))));
  EXPECT_EQ(FormatCost(run.cost()), "0.04 USD");
}

// F: B-8, Invariant 14
TEST_F(DryRunsTest, WhatTheMoviesRunsHaveCostCountsForItsLimit) {
  MakeMovie(kPaid);
  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->mutable_max_cost()->set_currency_code("USD");
  quota.mutable_quota()->mutable_max_cost()->set_micros(200'000);
  ASSERT_OK(store().movies.SetQuota(quota));
  EXPECT_EQ(DryRun(DryRequest()).status(), v1::RUN_STATUS_COMPLETED);
  // No cost is reported, so it counts with its price.
  ASSERT_EQ(FormatCost(RunToEnd(StartRequest()).record().cost()), "0.12 USD");
  v1::StartRunRequest request = DryRequest();
  for (int i = 0; i < 6; ++i) {
    request.mutable_scope()->add_regenerate(absl::StrCat("Text[part=", i, "]"));
  }
  EXPECT_EQ(DryRun(request).status(), v1::RUN_STATUS_CANCELLED);
}

// F: B-8, Invariant 14: nobody knows what is left of the limit.
TEST_F(DryRunsTest, OfAMovieWithALimitEachRunMustBeReadable) {
  MakeMovie(kPaid);
  const std::string spent = RunToEnd(StartRequest()).record().run_id();
  // Until its record is closed.
  process_.reset();
  process_ = NewProcess();
  const std::string key = RunRecordKey("film", spent);
  ASSERT_OK(storage_.Write(key, "{\"runId"));
  EXPECT_EQ(DryRun(DryRequest()).status(), v1::RUN_STATUS_COMPLETED);
  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->mutable_max_cost()->set_currency_code("USD");
  quota.mutable_quota()->mutable_max_cost()->set_micros(200'000);
  ASSERT_OK(store().movies.SetQuota(quota));
  const absl::Status refused = dry_runs().Start(DryRequest()).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(key)));
  EXPECT_EQ(ReasonOf(refused), "DATA_CORRUPT");
}

// F: B-8
TEST_F(DryRunsTest, CarriesOutAPlanThatWasSaved) {
  MakeMovie(Chain("{}"));
  StorePlanner planner(store());
  v1::CreatePlanRequest create;
  create.set_movie_id("film");
  create.add_producers()->set_name("sim");
  create.mutable_producers(0)->set_version("1");
  ASSERT_OK_AND_ASSIGN(const CreatedPlan plan, planner.CreatePlan(create));
  v1::StartRunRequest request = DryRequest();
  request.set_plan_hash(plan.header.plan_hash());
  const v1::RunRecord run = DryRun(request);
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
  EXPECT_EQ(run.plan_hash(), plan.header.plan_hash());
  request.set_plan_hash(HashOf('0'));
  EXPECT_EQ(ReasonOf(dry_runs().Start(request).status()), "PLAN_NOT_FOUND");
}

// F: B-8
TEST_F(DryRunsTest, ABlobThatIsOnlyNamedNeedNotBeThere) {
  MakeMovie(R"(
blueprint: look
inputs:
  Look: {type: file}
nodes:
  A:
    producer: sim
    inputs: {look: "Input:Look"}
    outputs: {A: text/plain}
)");
  v1::StartRunRequest request = DryRequest();
  v1::PendingEdit* edit = request.add_edits();
  edit->set_input_id("Input:Look");
  v1::BlobRef* blob = edit->mutable_content()->mutable_blob();
  blob->set_mime_type("image/png");
  blob->mutable_digest()->set_hash(Sha256Of("not sent").Hex());
  blob->mutable_digest()->set_size_bytes(8);
  const v1::RunRecord run = DryRun(request);
  EXPECT_EQ(run.status(), v1::RUN_STATUS_COMPLETED) << run.error();
}

TEST_F(DryRunsTest, RefusesWhatARunRefuses) {
  v1::StartRunRequest request = DryRequest();
  EXPECT_EQ(ReasonOf(dry_runs().Start(request).status()), "MOVIE_NOT_FOUND");
  MakeMovie(Chain("{}"));
  EXPECT_THAT(dry_runs().Start(DryRequest({{"Tpoic", "moon"}})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Tpoic")));
  request.set_if_active(v1::IF_ACTIVE_QUEUE);
  EXPECT_THAT(
      dry_runs().Start(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("if_active")));
  dry_runs().Stop();
  EXPECT_THAT(dry_runs().Start(DryRequest()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DryRunsTest, TheLatestAreKnown) {
  MakeMovie(kPaid);
  std::vector<std::string> ids;
  for (size_t i = 0; i <= DryRuns::kMaxKept; ++i) {
    ids.push_back(DryRun(DryRequest()).run_id());
  }
  EXPECT_EQ(dry_runs().Find(ids.front()), nullptr);
  for (size_t i = 1; i < ids.size(); ++i) {
    EXPECT_NE(dry_runs().Find(ids[i]), nullptr);
  }
}

}  // namespace
}  // namespace kinora
