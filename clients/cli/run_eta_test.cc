#include "clients/cli/run_eta.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

// Makes a plan, with each job in a layer of its own.
class PlanBuilder {
 public:
  PlanBuilder& Node(const std::string& name, const std::string& producer) {
    v1::PlannedNode* node = plan_.add_nodes();
    node->set_node(name);
    node->mutable_producer()->set_name(producer);
    return *this;
  }
  PlanBuilder& Job(const std::string& id,
                   const std::vector<std::string>& upstream = {}) {
    v1::PlannedJob* job = plan_.add_layers()->add_jobs();
    job->set_job_id(id);
    job->add_artefacts()->set_artefact_id("Artifact:" + id);
    for (const std::string& name : upstream) {
      job->add_bindings()->add_source_ids("Artifact:" + name);
    }
    return *this;
  }
  v1::Plan& plan() { return plan_; }

 private:
  v1::Plan plan_;
};

PlanBuilder Film() {
  PlanBuilder film;
  film.Node("Script", "text").Node("Clip", "video").Node("Film", "cut");
  film.Job("Script");
  std::vector<std::string> clips;
  for (int i = 0; i < 8; ++i) {
    clips.push_back(absl::StrCat("Clip[segment=", i, "]"));
    film.Job(clips.back(), {"Script"});
  }
  film.Job("Film", clips);
  return film;
}

const RecordedDurations kRecorded = {{"text", absl::Seconds(10)},
                                     {"video", absl::Seconds(60)},
                                     {"cut", absl::Seconds(20)}};

TEST(RunEtaTest, TellsNothingBeforeTheFirstCallOrWithoutAPlan) {
  const RunEta film(Film().plan(), kRecorded);
  EXPECT_EQ(film.At(1000), std::nullopt);
  RunEta unknown(v1::Plan(), kRecorded);
  unknown.Start("Script", 1000);
  EXPECT_EQ(unknown.At(1000), std::nullopt);
}

// With all clips at once the chain of script, clip and film is what takes
// longest, however many clips there are.
TEST(RunEtaTest, TheLongestChainIsTheLeast) {
  RunEta eta(Film().plan(), kRecorded);
  eta.Start("Script", 0);
  eta.End("Script", true, 10'000);
  for (int i = 0; i < 8; ++i) {
    eta.Start(absl::StrCat("Clip[segment=", i, "]"), 10'000);
  }
  EXPECT_EQ(eta.At(10'000), absl::Seconds(80));
  EXPECT_EQ(eta.At(40'000), absl::Seconds(50));
  // They are late: what is behind them is still to come.
  EXPECT_EQ(eta.At(100'000), absl::Seconds(20));
}

TEST(RunEtaTest, FewAtOnceTakeAsLongAsAllTheWork) {
  RunEta eta(Film().plan(), kRecorded);
  eta.Start("Script", 0);
  EXPECT_EQ(eta.At(0), absl::Seconds(10 + 8 * 60 + 20));
  eta.End("Script", true, 10'000);
  eta.Start("Clip[segment=0]", 10'000);
  eta.Start("Clip[segment=1]", 10'000);
  EXPECT_EQ(eta.At(10'000), absl::Seconds((8 * 60 + 20) / 2));
  EXPECT_EQ(eta.At(40'000), absl::Seconds((8 * 60 + 20 - 2 * 30) / 2));
}

// A producer that is slower than it was recorded.
TEST(RunEtaTest, WhatTheRunSeesCountsForMore) {
  PlanBuilder plan;
  plan.Node("Clip", "video");
  for (int i = 0; i < 10; ++i) plan.Job(absl::StrCat("Clip[segment=", i, "]"));
  RunEta eta(plan.plan(), kRecorded);
  int64_t now = 0;
  for (int i = 0; i < 5; ++i) {
    eta.Start(absl::StrCat("Clip[segment=", i, "]"), now);
    eta.End(absl::StrCat("Clip[segment=", i, "]"), true, now += 100'000);
  }
  EXPECT_EQ(eta.At(now), absl::Seconds(500));
}

// Nothing is known of most of what is left; then of most it is.
TEST(RunEtaTest, TellsNothingWhileMostIsNotKnown) {
  RunEta eta(Film().plan(), {{"text", absl::Seconds(10)}});
  eta.Start("Script", 0);
  eta.End("Script", true, 10'000);
  eta.Start("Clip[segment=0]", 10'000);
  EXPECT_EQ(eta.At(20'000), std::nullopt);
  eta.End("Clip[segment=0]", true, 70'000);
  // The film counts as the lower of the other two.
  EXPECT_EQ(eta.At(70'000), absl::Seconds(7 * 60 + 10));
}

// A job that is reused or blocked takes no time, and one that waits for its
// next attempt has all of its time before it.
TEST(RunEtaTest, OnlyWhatIsToBeCalledCounts) {
  RunEta eta(Film().plan(), kRecorded);
  eta.End("Script", false, 0);
  for (int i = 0; i < 7; ++i) {
    eta.End(absl::StrCat("Clip[segment=", i, "]"), false, 0);
  }
  eta.Start("Clip[segment=7]", 0);
  EXPECT_EQ(eta.At(50'000), absl::Seconds(10 + 20));
  eta.Leave("Clip[segment=7]", 50'000);
  EXPECT_EQ(eta.At(51'000), absl::Seconds(60 + 20));
}

TEST(RunEtaTest, AnOverdueLastJobHasNoEta) {
  RunEta eta(PlanBuilder().Node("Film", "cut").Job("Film").plan(), kRecorded);
  eta.Start("Film", 0);
  EXPECT_EQ(eta.At(15'000), absl::Seconds(5));
  EXPECT_EQ(eta.At(25'000), std::nullopt);
}

TEST(RunEtaTest, JobsThatAPlanGrowsByCount) {
  PlanBuilder plan;
  plan.Node("Script", "text").Node("Clip", "video").Job("Script");
  RunEta eta(plan.plan(), kRecorded);
  eta.Start("Script", 0);
  eta.End("Script", true, 10'000);
  eta.Grow("Clip", 3);
  EXPECT_EQ(eta.At(10'000), absl::Seconds(180));
  eta.Start("Clip[segment=0]", 10'000);
  eta.Start("Clip[segment=1]", 10'000);
  EXPECT_EQ(eta.At(40'000), absl::Seconds(60));
  eta.End("Clip[segment=0]", true, 70'000);
  eta.End("Clip[segment=1]", true, 70'000);
  eta.Start("Clip[segment=2]", 70'000);
  EXPECT_EQ(eta.At(90'000), absl::Seconds(40));
}

}  // namespace
}  // namespace kinora
