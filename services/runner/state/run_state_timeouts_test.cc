// Jobs that have a limit on how long they may take in all.

#include <vector>

#include "services/runner/state/run_state.h"
#include "services/runner/state/run_state_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunStateTimeoutsTest : public RunStateTest {
 protected:
  // A job that may take 30 s, as its producer has it, with as many attempts as
  // it likes; one that reads it, and one beside them.
  RunState MakeTimed() {
    PlanBuilder plan;
    plan.Job(0, "A", {}).Job(0, "B", {}, "other").Job(1, "C", {"A"});
    RunStateOptions options;
    options.producers["sim"].max_attempts = 100;
    options.producers["sim"].job_timeout = absl::Seconds(30);
    // So that no test hangs on how long it happens to be.
    options.retry.initial = options.retry.longest = absl::ZeroDuration();
    return Make(plan, options);
  }

  // An attempt at A fails when A has used so much time.
  static std::vector<JobChange> FailAt(
      RunState& state, absl::Duration used, bool retryable = true,
      absl::Duration retry_after = absl::ZeroDuration()) {
    AttemptFailed fact{.job = Find(state, "A"), .failure = {}};
    fact.failure.set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    fact.failure.set_message("boom");
    fact.failure.set_retryable(retryable);
    fact.failure.mutable_retry_after()->set_seconds(
        absl::ToInt64Seconds(retry_after));
    fact.time_used = used;
    return state.Apply(fact);
  }
};

// F: B-9
TEST_F(RunStateTimeoutsTest, AJobWhoseTimeIsOverFailsAndItsSiblingsGoOn) {
  RunState state = MakeTimed();
  ASSERT_THAT(Start(state), ElementsAre("A", "B"));
  EXPECT_EQ(FailAt(state, absl::Seconds(29)).at(0).status,
            JobStatus::kRetrying);
  state.Apply(RetryDue{0});
  ASSERT_THAT(Start(state), ElementsAre("A"));
  const std::vector<JobChange> changes = FailAt(state, absl::Seconds(30));
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].status, JobStatus::kFailed);
  EXPECT_EQ(changes[0].failure.reason(), v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(changes[0].failure.message(),
            "job timeout of 30 s is over after 2 attempts: boom");
  EXPECT_EQ(changes[1].status, JobStatus::kBlocked);
  EXPECT_THAT(changes[1].failure.cause().message(), HasSubstr("job timeout"));
  EXPECT_THAT(Start(state), IsEmpty());
  EXPECT_EQ(state.status(Find(state, "B")), JobStatus::kRunning);
  Succeed(state, "B", "b");
  EXPECT_EQ(state.status(Find(state, "B")), JobStatus::kSucceeded);
  EXPECT_TRUE(state.finished());
}

// Nobody is helped by waiting for an attempt that will not be made.
TEST_F(RunStateTimeoutsTest, AWaitThatTheJobHasNoTimeForIsNotBegun) {
  RunState state = MakeTimed();
  Start(state);
  EXPECT_EQ(
      FailAt(state, absl::Seconds(10), true, absl::Seconds(19)).at(0).status,
      JobStatus::kRetrying);
  state.Apply(RetryDue{0});
  ASSERT_THAT(Start(state), ElementsAre("A"));
  const std::vector<JobChange> changes =
      FailAt(state, absl::Seconds(29), true, absl::Seconds(1));
  ASSERT_EQ(changes.at(0).status, JobStatus::kFailed);
  EXPECT_EQ(changes[0].failure.message(),
            "job timeout of 30 s is over after 2 attempts, before the next one "
            "is due: boom");
}

TEST_F(RunStateTimeoutsTest, WhatFailsForGoodSaysItsOwnReason) {
  RunState state = MakeTimed();
  Start(state);
  const std::vector<JobChange> changes =
      FailAt(state, absl::Seconds(31), /*retryable=*/false);
  EXPECT_EQ(changes.at(0).status, JobStatus::kFailed);
  EXPECT_EQ(changes[0].failure.message(), "boom");
}

TEST_F(RunStateTimeoutsTest, AResultThatComesLateIsOneAllTheSame) {
  RunState state = MakeTimed();
  Start(state);
  EXPECT_EQ(FailAt(state, absl::Seconds(29)).at(0).status,
            JobStatus::kRetrying);
  state.Apply(RetryDue{0});
  Start(state);
  EXPECT_EQ(Succeed(state, "A", "a").at(0).status, JobStatus::kSucceeded);
}

TEST_F(RunStateTimeoutsTest, ANodesLimitTakesThePlaceOfItsProducers) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}, "other");
  plan.plan().mutable_nodes(0)->mutable_limits()->set_job_timeout_seconds(60);
  RunStateOptions options;
  options.producers["sim"].job_timeout = absl::Seconds(30);
  RunState state = Make(plan, options);
  EXPECT_EQ(state.job_timeout(Find(state, "A")), absl::Seconds(60));
  EXPECT_EQ(state.job_timeout(Find(state, "B")), absl::InfiniteDuration());
}

// Whoever goes on with a run goes on with the time of its jobs.
TEST_F(RunStateTimeoutsTest, AJobThatWasInterruptedTooLongAgoIsNotCalled) {
  RunState state = MakeTimed();
  EXPECT_THAT(state.NextCommands().look_ups, ElementsAre(0, 1));
  LookedUp interrupted = {.job = Find(state, "A")};
  interrupted.past.attempts = 1;
  interrupted.past.in_doubt = true;
  interrupted.past.time_used = absl::Hours(1);
  const std::vector<JobChange> changes = state.Apply(interrupted);
  ASSERT_EQ(changes.at(0).status, JobStatus::kFailed);
  EXPECT_EQ(changes[0].failure.message(),
            "job timeout of 30 s is over after 1 attempt");
  state.Apply(LookedUp{.job = Find(state, "B")});
  const RunCommands commands = state.NextCommands();
  EXPECT_THAT(commands.doubts, IsEmpty());
  EXPECT_THAT(commands.starts, ElementsAre(Find(state, "B")));
}

// What a person decides about is not hurried.
TEST_F(RunStateTimeoutsTest, AJobInDoubtStaysInDoubt) {
  RunState state = MakeTimed();
  Start(state);
  AttemptFailed lost{.job = Find(state, "A"), .failure = {}, .in_doubt = true};
  lost.failure.set_retryable(true);
  lost.time_used = absl::Seconds(20);
  state.Apply(lost);
  state.Apply(RetryDue{0});
  EXPECT_EQ(state.status(0), JobStatus::kInDoubt);
  state.Apply(DoubtResolved{0});
  EXPECT_EQ(state.status(0), JobStatus::kReady);
}

TEST_F(RunStateTimeoutsTest, ACancelledJobIsCancelled) {
  RunState state = MakeTimed();
  Start(state);
  state.Apply(CancelRequested{});
  EXPECT_EQ(FailAt(state, absl::Hours(1)).at(0).status, JobStatus::kCancelled);
}

}  // namespace
}  // namespace kinora
