#include "services/runner/state/run_state.h"

#include <vector>

#include "absl/strings/str_cat.h"

#include "common/testing/status_matchers.h"
#include "services/runner/state/run_state_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(RunStateTest, EagerJobStartsWhenItsOwnUpstreamIsDone) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(1, "C", {"A"}).Job(1, "D", {"B"});
  RunState state = Make(plan);
  EXPECT_THAT(Start(state), UnorderedElementsAre("A", "B"));
  Succeed(state, "A", "a");
  EXPECT_THAT(Start(state), ElementsAre("C"));
}

TEST_F(RunStateTest, LayeredJobWaitsForTheWholeLayer) {  // F: S1-34
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(1, "C", {"A"}).Job(1, "D", {});
  RunState state = Make(plan, {.layered = true});
  EXPECT_THAT(Start(state), UnorderedElementsAre("A", "B"));
  Succeed(state, "A", "a");
  EXPECT_THAT(Start(state), IsEmpty());
  Succeed(state, "B", "b");
  EXPECT_THAT(Start(state), UnorderedElementsAre("C", "D"));
}

TEST_F(RunStateTest, LongestRemainingPathGoesFirst) {
  PlanBuilder plan;
  plan.Job(0, "Leaf", {})
      .Job(0, "Root", {})
      .Job(1, "Mid", {"Root"})
      .Job(2, "End", {"Mid"});
  RunState state = Make(plan, {.max_concurrency = 1});
  EXPECT_THAT(Start(state), ElementsAre("Root"));
  Succeed(state, "Root", "r");
  EXPECT_THAT(Start(state), ElementsAre("Mid"));
}

// Of the two chains, that of the slow producer has fewer jobs: by their number
// it would wait for the other.
TEST_F(RunStateTest, RecordedDurationsDecideTheLongestPath) {
  PlanBuilder plan;
  plan.Job(0, "Quick1", {}, "quick")
      .Job(0, "Slow1", {}, "slow")
      .Job(1, "Quick2", {"Quick1"}, "quick")
      .Job(1, "Slow2", {"Slow1"}, "slow")
      .Job(2, "Quick3", {"Quick2"}, "quick");
  RunState state = Make(plan, {.max_concurrency = 1});
  state.Recall({{"quick", absl::Seconds(1)}, {"slow", absl::Minutes(1)}});
  EXPECT_THAT(Start(state), ElementsAre("Slow1"));
  Succeed(state, "Slow1", "s");
  EXPECT_THAT(Start(state), ElementsAre("Slow2"));
  Succeed(state, "Slow2", "s");
  EXPECT_THAT(Start(state), ElementsAre("Quick1"));
}

// A producer that was never called counts as the median of the others, not as
// one that takes no time.
TEST_F(RunStateTest, AProducerWithoutARecordCountsAsTheMedian) {
  const std::map<std::string, absl::Duration> recorded = {
      {"quick", absl::Seconds(1)},
      {"slow", absl::Seconds(50)},
      {"slowest", absl::Seconds(60)}};
  const auto first = [&](const std::string& beside) {
    PlanBuilder plan;
    plan.Job(0, "Beside", {}, beside).Job(0, "New", {}, "new");
    RunState state = Make(plan, {.max_concurrency = 1});
    state.Recall(recorded);
    return Start(state);
  };
  EXPECT_THAT(first("quick"), ElementsAre("New"));
  EXPECT_THAT(first("slowest"), ElementsAre("Beside"));
}

// Without a record the run learns from its own calls. What waits for its turn
// by then moves up.
TEST_F(RunStateTest, WhatARunSeesChangesWhatComesNext) {
  PlanBuilder plan;
  plan.Job(0, "Slow0", {}, "slow").Job(0, "Slow1", {}, "slow");
  plan.Job(1, "Behind", {"Slow0"}, "quick");
  plan.Job(2, "Further", {"Behind"}, "quick");
  for (int i = 0; i < 40; ++i) {
    const std::string job = absl::StrCat("Quick", i);
    plan.Job(0, job, {}, "quick").Job(1, job + "Next", {job}, "quick");
  }
  RunState state = Make(plan, {.max_concurrency = 1});
  std::vector<std::string> order;
  for (int i = 0; i < 17; ++i) {
    const std::vector<std::string> started = Start(state);
    ASSERT_EQ(started.size(), 1u);
    order.push_back(started[0]);
    const absl::Duration took =
        started[0] == "Slow0" ? absl::Minutes(1) : absl::Seconds(1);
    state.Apply(
        AttemptSucceeded{Find(state, started[0]), {Text(started[0])}, took});
  }
  // By the number of jobs behind them Slow0 is the first and Slow1 the last.
  EXPECT_EQ(order.front(), "Slow0");
  EXPECT_EQ(std::count(order.begin(), order.end(), "Slow1"), 1);
  EXPECT_EQ(order.back(), "Slow1");
}

// F: S1-31 A node's priority comes before the length of the path.
TEST_F(RunStateTest, TheHighestPriorityGoesFirst) {
  PlanBuilder plan;
  plan.Job(0, "Root", {}, "sim").Job(0, "Trailer", {}, "quick");
  plan.Job(1, "End", {"Root"}, "sim");
  v1::PlannedNode& trailer = *plan.plan().mutable_nodes(1);
  ASSERT_EQ(trailer.node(), "quick");
  trailer.mutable_limits()->set_priority(1);
  RunState state = Make(plan, {.max_concurrency = 1});
  EXPECT_THAT(Start(state), ElementsAre("Trailer"));
  Succeed(state, "Trailer", "t");
  EXPECT_THAT(Start(state), ElementsAre("Root"));
}

TEST_F(RunStateTest, ProducerLimitHoldsBesideTheTotal) {  // F: S1-47
  PlanBuilder plan;
  for (int i = 0; i < 4; ++i) plan.Job(0, absl::StrCat("S", i), {}, "slow");
  for (int i = 0; i < 4; ++i) plan.Job(0, absl::StrCat("Q", i), {}, "quick");
  RunStateOptions options;
  options.max_concurrency = 5;
  options.producers["slow"].concurrency = 1;
  options.producers["quick"].concurrency = 10;
  RunState state = Make(plan, options);
  EXPECT_THAT(Start(state), UnorderedElementsAre("S0", "Q0", "Q1", "Q2", "Q3"));
  Succeed(state, "Q0", "q");
  EXPECT_THAT(Start(state), IsEmpty());
  Succeed(state, "S0", "s");
  EXPECT_THAT(Start(state), ElementsAre("S1"));
}

// A node's own limits narrow those of its producer, and only its own jobs.
TEST_F(RunStateTest, NodeLimitHoldsBesideItsProducers) {
  PlanBuilder plan;
  plan.Job(0, "A", {}, "slow").Job(0, "B", {}, "slow").Job(0, "C", {}, "sim");
  plan.Job(0, "D", {}, "sim").Job(0, "E", {}, "sim");
  v1::PlannedNode& slow = *plan.plan().mutable_nodes(0);
  slow.mutable_producer()->set_name("sim");
  slow.mutable_limits()->set_concurrency(1);
  slow.mutable_limits()->set_max_attempts(2);
  RunState state = Make(plan, {.producers = {{"sim", {3, 1}}}});
  EXPECT_THAT(Start(state), ElementsAre("A", "C", "D"));
  Succeed(state, "C", "c");
  EXPECT_THAT(Start(state), ElementsAre("E")) << "B waits for A";
  EXPECT_EQ(Fail(state, "D", true)[0].status, JobStatus::kFailed);
  EXPECT_EQ(Fail(state, "A", true)[0].status, JobStatus::kRetrying);
  EXPECT_THAT(Start(state), ElementsAre("B"));
}

// F: B-2 A binding without a source is part of the key and of what is recorded.
TEST_F(RunStateTest, AbsentBindingHasASlotOfItsOwn) {
  PlanBuilder bound, absent;
  bound.Job(0, "A", {});
  absent.Job(0, "A", {});
  absent.plan().mutable_layers(0)->mutable_jobs(0)->add_bindings()->set_name(
      "zero");
  RunState with = Make(absent), without = Make(bound);
  Start(with);
  Start(without);
  EXPECT_NE(with.key(0), without.key(0));
  std::vector<v1::Dependency> dependencies = with.Dependencies(0);
  ASSERT_EQ(dependencies.size(), 3u);
  EXPECT_EQ(dependencies[2].slot(), "zero");
  EXPECT_EQ(dependencies[2].source_id(), "");
  EXPECT_EQ(dependencies[2].hash(), Digest().Hex());
}

// The key of a job behind a rerun upstream depends on the bytes it made and on
// nothing else: same bytes, same key.
TEST_F(RunStateTest, KeyFollowsTheContentOfTheUpstream) {
  auto key_after = [&](absl::string_view content) {
    PlanBuilder plan;
    plan.Job(0, "A", {}).Job(1, "B", {"A"});
    RunState state = Make(plan);
    Start(state);
    Succeed(state, "A", content);
    EXPECT_THAT(state.NextCommands().look_ups, ElementsAre(1));
    return state.key(1);
  };
  EXPECT_EQ(key_after("same"), key_after("same"));
  EXPECT_NE(key_after("same"), key_after("other"));
}

TEST_F(RunStateTest, JobWithAnEarlierResultIsNotCalled) {  // F: S1-36
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(1, "B", {"A"});
  RunState state = Make(plan);
  EXPECT_THAT(state.NextCommands().look_ups, ElementsAre(0));
  std::vector<JobChange> changes = state.Apply(LookedUp{0, {Text("a")}});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].status, JobStatus::kReused);
  EXPECT_THAT(Start(state), ElementsAre("B"));
  EXPECT_EQ(state.content("Artifact:A").inline_().data(), "a");
}

// F: B-16 (what a process before this one did counts)
TEST_F(RunStateTest, AJobGoesOnFromItsPast) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(0, "C", {}).Job(1, "D", {"C"});
  RunStateOptions options;
  options.producers["sim"].max_attempts = 3;
  RunState state = Make(plan, options);
  EXPECT_THAT(state.NextCommands().look_ups, ElementsAre(0, 1, 2));

  // Made by the run itself: it succeeded, it is not reused.
  LookedUp made = {.job = 0, .outputs = {Text("a")}, .is_own = true};
  made.past.attempts = 2;
  std::vector<JobChange> changes = state.Apply(made);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].status, JobStatus::kSucceeded);
  EXPECT_EQ(state.attempts(0), 2U);

  // Failed for good: it stays that, and blocks what reads from it.
  LookedUp failed = {.job = 2};
  failed.past.attempts = 1;
  failed.past.failures = 1;
  failed.past.failure.emplace().set_message("no such voice");
  changes = state.Apply(failed);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].status, JobStatus::kFailed);
  EXPECT_EQ(changes[1].status, JobStatus::kBlocked);
  EXPECT_EQ(state.first_failure().failure.message(), "no such voice");

  // One failure and one attempt that was interrupted: attempts are counted on,
  // and two more failures are allowed for.
  LookedUp tried = {.job = 1};
  tried.past.attempts = 2;
  tried.past.failures = 1;
  state.Apply(tried);
  EXPECT_THAT(Start(state), ElementsAre("B"));
  EXPECT_EQ(state.attempts(1), 3U);
  EXPECT_EQ(Fail(state, "B", true)[0].status, JobStatus::kRetrying);
  state.Apply(RetryDue{1});
  EXPECT_THAT(Start(state), ElementsAre("B"));
  EXPECT_EQ(state.attempts(1), 4U);
  EXPECT_EQ(Fail(state, "B", true)[0].status, JobStatus::kFailed);
  EXPECT_TRUE(state.finished());
}

TEST_F(RunStateTest, CancelStopsDispatchAndWaitsForRunningJobs) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(1, "C", {"A"});
  RunState state = Make(plan, {.max_concurrency = 1});
  EXPECT_THAT(Start(state), ElementsAre("A"));
  state.Apply(CancelRequested{});
  EXPECT_FALSE(state.finished());
  // A result that was paid for counts, though the run is cancelled.
  Succeed(state, "A", "a");
  EXPECT_THAT(Start(state), IsEmpty());
  EXPECT_TRUE(state.finished());
  EXPECT_EQ(state.count(JobStatus::kCancelled), 2u);
}

TEST_F(RunStateTest, PlanThatDoesNotHoldTogetherIsRefused) {
  PlanBuilder unknown;
  unknown.Job(0, "A", {"Nobody"});
  EXPECT_THAT(RunState::Create(unknown.Take(), {}, random_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("job A: parts/0: unknown source "
                                 "Artifact:Nobody")));
  PlanBuilder cycle;
  cycle.Job(0, "A", {"B"}).Job(0, "B", {"A"});
  EXPECT_THAT(RunState::Create(cycle.Take(), {}, random_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("made in layer 0")));
  PlanBuilder twice;
  twice.Job(0, "A", {}).Job(1, "A", {});
  EXPECT_THAT(RunState::Create(twice.Take(), {}, random_),
              StatusIs(absl::StatusCode::kInvalidArgument));
  PlanBuilder key;
  key.Job(0, "A", {});
  key.plan().mutable_layers(0)->mutable_jobs(0)->set_inputs_hash("00");
  EXPECT_THAT(RunState::Create(key.Take(), {}, random_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("inputs hash 00")));
}

TEST_F(RunStateTest, PlanWithoutJobsIsFinishedAtOnce) {
  PlanBuilder plan;
  RunState state = Make(plan);
  EXPECT_TRUE(state.finished());
  EXPECT_FALSE(state.failed());
}

}  // namespace
}  // namespace kinora
