// Attempts that ask, that fail, and of which nobody knows what became.

#include <vector>

#include "services/runner/state/run_state.h"
#include "services/runner/state/run_state_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(RunStateTest, AJobThatAsksHoldsNoPlaceAndHasNotFailed) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(1, "C", {"A"});
  RunStateOptions options;
  options.max_concurrency = 1;
  options.producers["sim"].max_attempts = 1;
  RunState state = Make(plan, options);
  ASSERT_THAT(Start(state), ElementsAre("A"));
  const std::vector<JobChange> changes = state.Apply(AttemptAsks{0});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].status, JobStatus::kAsking);
  // Its place is free, what depends on it waits, and nothing is over.
  EXPECT_THAT(Start(state), ElementsAre("B"));
  Succeed(state, "B", "b");
  EXPECT_THAT(Start(state), IsEmpty());
  EXPECT_EQ(state.status(Find(state, "C")), JobStatus::kPending);
  EXPECT_FALSE(state.finished());

  state.Apply(AnswerGiven{0});
  EXPECT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(state.attempts(0), 2u);
  state.Apply(AnswerGiven{0});  // twice
  EXPECT_EQ(state.status(0), JobStatus::kRunning);
  Succeed(state, "A", "a");
  EXPECT_THAT(Start(state), ElementsAre("C"));
}

TEST_F(RunStateTest, AJobThatGetsNoAnswerFailsForGood) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(1, "C", {"A"});
  RunState state = Make(plan);
  ASSERT_THAT(Start(state), ElementsAre("A"));
  AnswerMissing missing{0, {}};
  missing.failure.set_message("nobody was there");
  EXPECT_THAT(state.Apply(missing), IsEmpty());  // it goes on by itself
  state.Apply(AttemptAsks{0});
  const std::vector<JobChange> changes = state.Apply(missing);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].status, JobStatus::kFailed);
  EXPECT_EQ(changes[0].failure.message(), "nobody was there");
  EXPECT_EQ(changes[1].status, JobStatus::kBlocked);
  EXPECT_TRUE(state.finished());
  EXPECT_THAT(state.Apply(AnswerGiven{0}), IsEmpty());
}

TEST_F(RunStateTest, AStartThatIsTakenBackWasNone) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(0, "C", {});
  RunStateOptions options;
  options.max_concurrency = 2;
  RunState state = Make(plan, options);
  ASSERT_THAT(Start(state), ElementsAre("A", "B"));
  state.TakeBackStart(Find(state, "A"));
  EXPECT_EQ(state.status(Find(state, "A")), JobStatus::kReady);
  EXPECT_EQ(state.attempts(Find(state, "A")), 0u);
  // Its place is free, and its turn as early as it was.
  EXPECT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(state.attempts(Find(state, "A")), 1u);
  Succeed(state, "A", "a");
  EXPECT_THAT(Start(state), ElementsAre("C"));
}

TEST_F(RunStateTest, AskingTakesNoAttemptFromTheRetries) {
  PlanBuilder plan;
  plan.Job(0, "A", {});
  RunStateOptions options;
  options.producers["sim"].max_attempts = 2;
  RunState state = Make(plan, options);
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(Start(state), ElementsAre("A"));
    state.Apply(AttemptAsks{0});
    state.Apply(AnswerGiven{0});
  }
  ASSERT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(Fail(state, "A", true).at(0).status, JobStatus::kRetrying);
}

TEST_F(RunStateTest, AJobThatAsksIsCancelledWithTheRun) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {});
  RunState state = Make(plan);
  Start(state);
  state.Apply(AttemptAsks{0});
  state.Apply(CancelRequested{});
  EXPECT_EQ(state.status(0), JobStatus::kCancelled);
  EXPECT_EQ(state.Apply(AttemptAsks{1}).at(0).status, JobStatus::kCancelled);
  EXPECT_TRUE(state.finished());
  state.Apply(AnswerGiven{0});
  EXPECT_EQ(state.status(0), JobStatus::kCancelled);
}

// What an attempt may have paid before its time was up is looked up before the
// job is called with its answer.
TEST_F(RunStateTest, AnAnswerDoesNotSettleADoubt) {
  PlanBuilder plan;
  plan.Job(0, "A", {});
  RunState state = Make(plan);
  Start(state);
  state.Apply(AttemptAsks{0, true});
  state.Apply(AnswerGiven{0});
  EXPECT_EQ(state.status(0), JobStatus::kInDoubt);
  EXPECT_THAT(state.NextCommands().doubts, ElementsAre(0));
}

TEST_F(RunStateTest, AJobThatAskedInAnotherProcessGoesOnWaiting) {
  PlanBuilder plan;
  plan.Job(0, "A", {});
  RunState state = Make(plan);
  ASSERT_THAT(state.NextCommands().look_ups, ElementsAre(0));
  LookedUp fact;
  fact.past.attempts = 3;
  fact.past.asking = "tone";
  EXPECT_THAT(state.Apply(fact), IsEmpty());
  EXPECT_EQ(state.status(0), JobStatus::kAsking);
  EXPECT_THAT(Start(state), IsEmpty());
  state.Apply(AnswerGiven{0});
  EXPECT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(state.attempts(0), 4u);
}

// F: B-10
TEST_F(RunStateTest, AJobInDoubtIsNotCalledBeforeTheDoubtIsResolved) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {});
  RunState state = Make(plan);
  LookedUp lost = {.job = 0};
  lost.past.attempts = 1;
  lost.past.in_doubt = true;
  EXPECT_THAT(state.NextCommands().look_ups, ElementsAre(0, 1));
  state.Apply(lost);
  state.Apply(LookedUp{.job = 1});
  RunCommands commands = state.NextCommands();
  EXPECT_THAT(commands.doubts, ElementsAre(0));
  EXPECT_THAT(commands.starts, ElementsAre(1));
  EXPECT_TRUE(state.NextCommands().empty());

  // One that breaks after its producer has taken it is in doubt when its turn
  // comes again.
  v1::Failure broken;
  broken.set_retryable(true);
  const std::vector<JobChange> changes =
      state.Apply(AttemptFailed{1, broken, /*in_doubt=*/true});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].status, JobStatus::kRetrying);
  state.Apply(RetryDue{1});
  EXPECT_THAT(state.NextCommands().doubts, ElementsAre(1));
  state.Apply(DoubtResolved{0});
  state.Apply(DoubtResolved{1});
  EXPECT_THAT(state.NextCommands().starts, ElementsAre(0, 1));
  EXPECT_EQ(state.attempts(0), 2U);
}

// Nobody waits for it in vain: its producer is at work already, and what it may
// cost is put aside. Others may wait for just that.
TEST_F(RunStateTest, WorkThatItsProducerKnowsGoesBeforeAllThatIsNew) {
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(1, "C", {"A"});
  RunStateOptions options;
  options.producers["sim"].concurrency = 1;
  RunState state = Make(plan, options);
  LookedUp lost = {.job = 1};
  lost.past.attempts = 1;
  lost.past.in_doubt = true;
  EXPECT_THAT(state.NextCommands().look_ups, ElementsAre(0, 1));
  state.Apply(LookedUp{.job = 0});
  state.Apply(lost);
  const auto only_b = [](JobIndex job) { return job == 1; };
  EXPECT_THAT(state.NextCommands(only_b).doubts, ElementsAre(1));
  state.Apply(DoubtResolved{1, /*is_known=*/true});
  ASSERT_THAT(state.NextCommands(only_b).starts, ElementsAre(1));
  // Also if that is put off, but not once it was made in vain.
  state.TakeBackStart(1);
  ASSERT_THAT(state.NextCommands(only_b).starts, ElementsAre(1));
  EXPECT_EQ(state.attempts(1), 2u);
  Fail(state, "B", true);
  state.Apply(RetryDue{1});
  EXPECT_THAT(Start(state), ElementsAre("A"));
}

TEST_F(RunStateTest, RetryableFailureIsRetriedUpToTheLimit) {
  PlanBuilder plan;
  plan.Job(0, "A", {});
  RunStateOptions options;
  options.producers["sim"].max_attempts = 2;
  RunState state = Make(plan, options);
  EXPECT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(Fail(state, "A", true)[0].status, JobStatus::kRetrying);
  EXPECT_THAT(Start(state), IsEmpty());
  state.Apply(RetryDue{0});
  EXPECT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(state.attempts(0), 2u);
  EXPECT_EQ(Fail(state, "A", true)[0].status, JobStatus::kFailed);
  EXPECT_TRUE(state.finished());
}

// The probe of a producer that is down, say.
TEST_F(RunStateTest, AnAttemptThatDoesNotCountUsesNothingUp) {
  PlanBuilder plan;
  plan.Job(0, "A", {});
  RunStateOptions options;
  options.producers["sim"].max_attempts = 1;
  RunState state = Make(plan, options);
  v1::Failure lost;
  lost.set_retryable(true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Start(state), ElementsAre("A"));
    const std::vector<JobChange> changes = state.Apply(
        AttemptFailed{0, lost, /*in_doubt=*/false, /*counts=*/false});
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].status, JobStatus::kRetrying);
    EXPECT_FALSE(changes[0].counts);
    state.Apply(RetryDue{0});
  }
  EXPECT_THAT(Start(state), ElementsAre("A"));
  EXPECT_EQ(Fail(state, "A", true)[0].status, JobStatus::kFailed);
}

TEST_F(RunStateTest, AJobWaitsForAsLongAsItsProviderAsks) {
  PlanBuilder plan;
  plan.Job(0, "A", {});
  RunState state = Make(plan, RunStateOptions());
  Start(state);
  v1::Failure limited;
  limited.set_retryable(true);
  limited.mutable_retry_after()->set_seconds(90);
  const std::vector<JobChange> changes = state.Apply(AttemptFailed{0, limited});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].delay, absl::Seconds(90));
}

TEST_F(RunStateTest, FailureBlocksDownstreamAndSparesSiblings) {  // F: B-9
  PlanBuilder plan;
  plan.Job(0, "A", {}).Job(0, "B", {}).Job(1, "C", {"A"}).Job(2, "D", {"C"});
  plan.Job(2, "E", {"B"});
  RunState state = Make(plan);
  Start(state);
  std::vector<JobChange> changes = Fail(state, "A", false);
  ASSERT_EQ(changes.size(), 3u);
  for (size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(changes[i].status, JobStatus::kBlocked);
    EXPECT_EQ(changes[i].failure.cause().job_id(), "A");
    EXPECT_EQ(changes[i].failure.cause().message(), "boom");
  }
  Succeed(state, "B", "b");
  EXPECT_THAT(Start(state), ElementsAre("E"));
  Succeed(state, "E", "e");
  EXPECT_TRUE(state.finished());
  EXPECT_TRUE(state.failed());
  EXPECT_EQ(state.job(state.first_failure().job).job_id(), "A");
}

}  // namespace
}  // namespace kinora
