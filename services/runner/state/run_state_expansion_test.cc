// Plans that grow while they are carried out.

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/runner/state/run_state.h"
#include "services/runner/state/run_state_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// What was asked for in the tests of expansions.
const std::vector<std::string> kScript = {"Artifact:Script"};

// F: B-2
TEST_F(RunStateTest, JobsOfAnExpansionFollowWhatHasLanded) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(0, "Title", {}).Defer("Film", "Script");
  RunState state = Make(plan);
  EXPECT_THAT(Start(state), UnorderedElementsAre("Script", "Title"));
  Succeed(state, "Script", "[1]");
  EXPECT_THAT(state.landed_deciders(), ElementsAre("Artifact:Script"));
  EXPECT_THAT(Start(state), IsEmpty());
  PlanBuilder more;
  more.Job(0, "Clip", {"Script"}).Job(1, "Film", {"Clip", "Title"});
  ASSERT_OK_AND_ASSIGN(RunState::Extension extension,
                       state.Extend(more.TakeExpansion(), kScript));
  EXPECT_EQ(extension.jobs, 2u);
  EXPECT_THAT(state.landed_deciders(), IsEmpty());
  EXPECT_THAT(Start(state), ElementsAre("Clip"));
  Succeed(state, "Clip", "c");
  EXPECT_THAT(Start(state), IsEmpty());  // Title is not there yet
  // The same once more changes nothing.
  ASSERT_OK_AND_ASSIGN(extension, state.Extend(more.TakeExpansion(), kScript));
  EXPECT_EQ(extension.jobs, 0u);
  Succeed(state, "Title", "t");
  EXPECT_THAT(Start(state), ElementsAre("Film"));
  Succeed(state, "Film", "f");
  EXPECT_TRUE(state.finished());
}

// What waits for a free place while the plan grows has a longer way to go then.
TEST_F(RunStateTest, AnExpansionMovesReadyJobsUp) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(0, "Title", {}).Job(0, "Cover", {});
  plan.Job(0, "Voice", {}).Defer("Film", "Script");
  RunState state = Make(plan, {.max_concurrency = 1});
  EXPECT_THAT(Start(state), ElementsAre("Script"));
  Succeed(state, "Script", "[1]");
  EXPECT_THAT(Start(state), ElementsAre("Title"));
  PlanBuilder more;
  more.Job(0, "Film", {"Script", "Voice"});
  ASSERT_OK(state.Extend(more.TakeExpansion(), kScript));
  Succeed(state, "Title", "t");
  EXPECT_THAT(Start(state), ElementsAre("Voice"));
}

// Several lists land while the planner is asked about the first.
TEST_F(RunStateTest, WhatLandsWhileAnExpansionIsMadeIsAskedForNext) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(0, "Title", {});
  plan.Defer("Film", "Script").Defer("Card", "Title");
  RunState state = Make(plan);
  Start(state);
  Succeed(state, "Script", "[1]");
  Succeed(state, "Title", "[1]");  // after the planner was asked
  PlanBuilder more;
  more.Job(0, "Film", {"Script"}).Defer("Card", "Title");
  ASSERT_OK(state.Extend(more.TakeExpansion(), kScript));
  EXPECT_THAT(state.landed_deciders(), ElementsAre("Artifact:Title"));
  EXPECT_THAT(Start(state), ElementsAre("Film"));
  EXPECT_FALSE(state.finished());
}

TEST_F(RunStateTest, ARunIsNotFinishedBeforeItIsExpanded) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Defer("Clip", "Script").Defer("Film", "Script");
  RunState state = Make(plan);
  Start(state);
  Succeed(state, "Script", "[]");
  EXPECT_FALSE(state.finished());
  PlanBuilder stuck;
  stuck.Defer("Clip", "Script");
  EXPECT_THAT(state.Extend(stuck.TakeExpansion(), kScript),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("has landed")));
  PlanBuilder nothing;
  ASSERT_OK(state.Extend(nothing.TakeExpansion(), kScript));
  EXPECT_TRUE(state.finished());
}

// F: B-9
TEST_F(RunStateTest, FurtherJobsBehindAFailedOneAreBlocked) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(0, "Title", {}).Job(1, "Card", {"Title"});
  plan.Defer("Film", "Script");
  RunState state = Make(plan, {.layered = true});
  Start(state);
  Fail(state, "Title", false);
  Succeed(state, "Script", "[1]");
  PlanBuilder more;
  more.Job(0, "Clip", {"Script"}).Job(1, "Film", {"Clip", "Card"});
  ASSERT_OK_AND_ASSIGN(RunState::Extension extension,
                       state.Extend(more.TakeExpansion(), kScript));
  ASSERT_EQ(extension.changes.size(), 1u);
  EXPECT_EQ(extension.changes[0].status, JobStatus::kBlocked);
  EXPECT_EQ(extension.changes[0].failure.cause().job_id(), "Title");
  EXPECT_THAT(Start(state), ElementsAre("Clip"));
  Succeed(state, "Clip", "c");
  EXPECT_TRUE(state.finished());
}

TEST_F(RunStateTest, AFailedDeciderIsTheCauseOfWhatNeverComes) {
  PlanBuilder plan;
  plan.Job(0, "Topic", {}).Job(1, "Script", {"Topic"}).Defer("Clip", "Script");
  RunState state = Make(plan);
  Start(state);
  Fail(state, "Topic", false);
  EXPECT_TRUE(state.finished());
  ASSERT_EQ(state.deferred().size(), 1u);
  const JobChange* failure = state.FailureBehind(state.deferred()[0]);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(state.job(failure->job).job_id(), "Topic");
}

}  // namespace
}  // namespace kinora
