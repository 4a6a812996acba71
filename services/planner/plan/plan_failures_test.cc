// What failed before, in the plan after it.

#include <string>

#include "absl/strings/str_cat.h"

#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kYaml[] = R"(blueprint: film
inputs:
  Story: {type: text, default: a cat}
  Mood: {type: text, default: calm}
  Count: {type: integer, default: 2}
dimensions: {segment: {size: Input:Count}}
nodes:
  Script:
    producer: script
    inputs: {story: Input:Story}
    outputs: {Text: {type: text/plain, over: [segment]}}
  Picture:
    producer: picture
    over: [segment]
    inputs: {text: "Text[segment]", mood: Input:Mood}
    outputs: {Image: image/png, Caption: text/plain}
  Film:
    producer: film
    inputs: {images: {all: "Image[segment]"}}
    outputs: {Film: video/mp4}
)";

class PlanFailuresTest : public ::testing::Test {
 protected:
  PlanFailuresTest() : world_(kYaml) {
    world_.failure.set_reason(v1::FAILURE_REASON_REJECTED);
    world_.failure.set_message("the prompt was refused");
  }

  // Runs with pictures that fail for that reason, then plans again.
  v1::Plan PlanAfter(v1::FailureReason reason) {
    world_.failing = {"Picture[segment=1]"};
    world_.failure.set_reason(reason);
    world_.Run();
    world_.failing.clear();
    return world_.Plan();
  }

  static const v1::PlannedJob& JobOf(const v1::Plan& plan,
                                     absl::string_view id) {
    for (const v1::PlanLayer& layer : plan.layers()) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        if (job.job_id() == id) return job;
      }
    }
    ADD_FAILURE() << "no job " << id << " in " << plan.ShortDebugString();
    return v1::PlannedJob::default_instance();
  }
  static const v1::PlannedJob& Picture(const v1::Plan& plan) {
    return JobOf(plan, "Picture[segment=1]");
  }

  PlanWorld world_;
};

// F: B-4 (failed)
TEST_F(PlanFailuresTest, KnownFailureIsShownBeforeItIsPaidForAgain) {
  EXPECT_EQ(world_.Plan().summary().known_failures(), 0);
  const v1::Plan plan = PlanAfter(v1::FAILURE_REASON_REJECTED);
  EXPECT_EQ(plan.summary().known_failures(), 1);
  const v1::PlannedJob& picture = Picture(plan);
  EXPECT_EQ(picture.last_failure().reason(), v1::FAILURE_REASON_REJECTED);
  EXPECT_EQ(picture.last_failure().message(), "the prompt was refused");
  EXPECT_THAT(picture.reason().text(),
              HasSubstr("the latest attempt failed: REJECTED \"the prompt was "
                        "refused\" (another call fails in the same way)"));
  EXPECT_FALSE(JobOf(plan, "Film").has_last_failure());
  // Made good, it is no longer known.
  world_.Run(plan);
  world_.scope.add_regenerate("Image[segment=1]");
  const v1::Plan again = world_.Plan();
  EXPECT_FALSE(Picture(again).has_last_failure());
  EXPECT_EQ(again.summary().known_failures(), 0);
}

TEST_F(PlanFailuresTest, FailureThatMayPassIsToldAndNotCounted) {
  world_.failure.set_retryable(true);
  const v1::Plan plan = PlanAfter(v1::FAILURE_REASON_RATE_LIMITED);
  EXPECT_EQ(plan.summary().known_failures(), 0);
  EXPECT_EQ(Picture(plan).last_failure().reason(),
            v1::FAILURE_REASON_RATE_LIMITED);
  EXPECT_THAT(Picture(plan).reason().text(),
              HasSubstr("RATE_LIMITED \"the prompt was refused\" (another call "
                        "may succeed)"));
}

// The kind tells it first where the base has the rest.
TEST_F(PlanFailuresTest, FailureIsTheReasonOnceThereIsABase) {
  world_.Run();
  world_.Set("Input:Mood", "\"wild\"");
  const v1::Plan plan = PlanAfter(v1::FAILURE_REASON_REJECTED);
  EXPECT_EQ(Picture(plan).reason().kind(), v1::REASON_KIND_FAILED);
  EXPECT_THAT(
      Picture(plan).reason().subjects(),
      ElementsAre("Artifact:Caption[segment=1]", "Artifact:Image[segment=1]"));
  EXPECT_THAT(Picture(plan).reason().text(),
              StartsWith("the latest attempt failed: REJECTED"));
  EXPECT_THAT(Picture(plan).reason().text(),
              HasSubstr("; input changed: Input:Mood"));
}

// What failed with other inputs says nothing, until these come back.
TEST_F(PlanFailuresTest, FailureHoldsForTheInputsItWasMadeWith) {
  world_.Set("Input:Mood", "\"wild\"");
  PlanAfter(v1::FAILURE_REASON_REJECTED);
  world_.Set("Input:Mood", "\"calm\"");
  EXPECT_FALSE(Picture(world_.Plan()).has_last_failure());
  world_.failure.set_message("too calm");
  PlanAfter(v1::FAILURE_REASON_PRODUCER_ERROR);
  EXPECT_EQ(Picture(world_.Plan()).last_failure().message(), "too calm");
  world_.Set("Input:Mood", "\"wild\"");
  const v1::Plan plan = world_.Plan();
  EXPECT_EQ(Picture(plan).last_failure().message(), "the prompt was refused");
  EXPECT_EQ(plan.summary().known_failures(), 1);
}

TEST_F(PlanFailuresTest, WhatDidNotComeOfTheJobIsNoFailureOfIt) {
  for (const v1::FailureReason reason :
       {v1::FAILURE_REASON_CANCELLED, v1::FAILURE_REASON_BLOCKED,
        v1::FAILURE_REASON_BUDGET, v1::FAILURE_REASON_LEASE_LOST,
        v1::FAILURE_REASON_INPUT_UNRESOLVED}) {
    const v1::Plan plan = PlanAfter(reason);
    EXPECT_FALSE(Picture(plan).has_last_failure()) << reason;
    EXPECT_THAT(Picture(plan).reason().text(), Not(HasSubstr("failed")));
    EXPECT_EQ(plan.summary().known_failures(), 0);
  }
  world_.failure.set_job_id("Script");
  EXPECT_FALSE(
      Picture(PlanAfter(v1::FAILURE_REASON_REJECTED)).has_last_failure());
  // Nor does it make good what is known.
  world_.failure.clear_job_id();
  PlanAfter(v1::FAILURE_REASON_REJECTED);
  const v1::Plan plan = PlanAfter(v1::FAILURE_REASON_CANCELLED);
  EXPECT_EQ(Picture(plan).last_failure().reason(), v1::FAILURE_REASON_REJECTED);
}

TEST_F(PlanFailuresTest, LongTextsAreCutAndStandOnOneLine) {
  std::string message = "first\nsecond ";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&message, "\u00e9");
  world_.failure.set_message(message);
  world_.failure.mutable_cause()->set_message(message);
  const v1::Plan plan = PlanAfter(v1::FAILURE_REASON_REJECTED);
  const v1::Failure& failure = Picture(plan).last_failure();
  EXPECT_LE(failure.message().size(), 500u);
  EXPECT_THAT(message, StartsWith(failure.message()));
  EXPECT_GE(failure.message().size(), 499u);  // no half of a character
  EXPECT_FALSE(failure.has_cause());
  const std::string& text = Picture(plan).reason().text();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_LT(text.size(), 400u);
  EXPECT_THAT(text, HasSubstr("REJECTED \"first\\nsecond "));
}

// A failure of what the scope leaves out is not about to be paid for.
TEST_F(PlanFailuresTest, OnlyJobsThatRunCount) {
  PlanAfter(v1::FAILURE_REASON_REJECTED);
  world_.scope.add_only("Image[segment=0]");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), IsEmpty());
  EXPECT_EQ(plan.summary().known_failures(), 0);
}

// F: B-11 a job that may run reads what a job of this plan makes, and an
// earlier result may turn out to be it; if none can, it must run.
TEST_F(PlanFailuresTest, MayRunMeansThatAnEarlierResultMayTurnOutToBeIt) {
  const auto needs = [](const v1::Plan& plan) {
    std::vector<std::string> needs;
    for (const v1::PlanLayer& layer : plan.layers()) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        needs.push_back(absl::StrCat(
            job.job_id(), job.need() == v1::JOB_NEED_MAY_RUN ? " may" : " must",
            job.inputs_hash().empty() ? "" : ", key known"));
      }
    }
    return needs;
  };
  // Nothing was ever made: everything must run.
  EXPECT_THAT(needs(world_.Plan()),
              ElementsAre("Script must, key known", "Picture[segment=0] must",
                          "Picture[segment=1] must", "Film must"));
  world_.constant["Script"] = "the same for every story";
  world_.Run();
  world_.Set("Input:Story", "\"a dog\"");
  EXPECT_THAT(needs(world_.Plan()),
              ElementsAre("Script must, key known", "Picture[segment=0] may",
                          "Picture[segment=1] may", "Film may"));
  // It turned out that the earlier results are right.
  EXPECT_THAT(world_.Run(), ElementsAre("Script"));
  // One whose inputs are known and have no result must run at once.
  world_.Set("Input:Mood", "\"wild\"");
  EXPECT_THAT(needs(world_.Plan()),
              ElementsAre("Picture[segment=0] must, key known",
                          "Picture[segment=1] must, key known", "Film may"));
  // An earlier result counts, too, if the base no longer has it; and a picture
  // that never was must run, though it reads what is not made yet.
  world_.Set("Input:Count", "1");
  world_.Run();
  world_.Set("Input:Count", "3");
  EXPECT_THAT(needs(world_.Plan()),
              ElementsAre("Script must, key known", "Picture[segment=0] may",
                          "Picture[segment=1] may", "Picture[segment=2] must",
                          "Film may"));
}

}  // namespace
}  // namespace kinora
