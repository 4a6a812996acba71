#include "services/runner/run_state.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

v1::Content Text(absl::string_view text) {
  v1::Content content;
  content.mutable_inline_()->set_hash(Sha256Of(text).Hex());
  content.mutable_inline_()->set_data(std::string(text));
  return content;
}

// Makes a plan: nodes are producers, jobs have one artefact `Artifact:<id>`.
class PlanBuilder {
 public:
  PlanBuilder() : plan_(std::make_shared<v1::Plan>()) {
    v1::PlannedInput* input = plan_->add_inputs();
    input->set_input_id("Input:Topic");
    *input->mutable_content() = Text("topic");
  }

  PlanBuilder& Job(size_t layer, const std::string& id,
                   const std::vector<std::string>& upstream,
                   const std::string& producer = "sim") {
    while (plan_->layers_size() <= static_cast<int>(layer)) plan_->add_layers();
    if (nodes_.insert(producer).second) {
      v1::PlannedNode* node = plan_->add_nodes();
      node->set_node(producer);
      node->mutable_producer()->set_name(producer);
      node->mutable_producer()->set_version("1");
      node->set_settings_json("{}");
      node->set_settings_hash(Sha256Of("{}").Hex());
    }
    v1::PlannedJob* job =
        plan_->mutable_layers(static_cast<int>(layer))->add_jobs();
    job->set_job_id(id);
    job->set_node(producer);
    job->add_artefacts()->set_artefact_id("Artifact:" + id);
    v1::PlannedBinding* list = job->add_bindings();
    list->set_name("parts");
    list->set_is_list(true);
    for (const std::string& name : upstream) {
      list->add_source_ids("Artifact:" + name);
    }
    v1::PlannedBinding* topic = job->add_bindings();
    topic->set_name("topic");
    topic->add_source_ids("Input:Topic");
    return *this;
  }

  PlanBuilder& Defer(const std::string& node, const std::string& decider) {
    v1::DeferredGroup* group = plan_->add_deferred();
    group->set_node(node);
    group->set_dimension("segment");
    group->set_sized_by_artefact_id("Artifact:" + decider);
    return *this;
  }

  // The same as an answer of the planner.
  std::shared_ptr<const v1::ExpandDeferredGroupResponse> TakeExpansion() {
    auto expansion = std::make_shared<v1::ExpandDeferredGroupResponse>();
    *expansion->mutable_layers() = plan_->layers();
    *expansion->mutable_nodes() = plan_->nodes();
    *expansion->mutable_deferred() = plan_->deferred();
    return expansion;
  }

  v1::Plan& plan() { return *plan_; }
  std::shared_ptr<const v1::Plan> Take() { return plan_; }

 private:
  std::shared_ptr<v1::Plan> plan_;
  std::set<std::string> nodes_;
};

class RunStateTest : public ::testing::Test {
 protected:
  RunState Make(PlanBuilder& builder, const RunStateOptions& options = {}) {
    absl::StatusOr<RunState> state =
        RunState::Create(builder.Take(), options, random_);
    EXPECT_OK(state);
    return *std::move(state);
  }

  // Names of the jobs that start, when no lookup finds anything.
  std::vector<std::string> Start(RunState& state) {
    std::vector<std::string> started;
    for (RunCommands c = state.NextCommands(); !c.empty();
         c = state.NextCommands()) {
      for (JobIndex job : c.look_ups) state.Apply(LookedUp{job, {}});
      for (JobIndex job : c.starts) started.push_back(state.job(job).job_id());
    }
    return started;
  }

  static JobIndex Find(const RunState& state, const std::string& id) {
    for (size_t i = 0; i < state.job_count(); ++i) {
      if (state.job(static_cast<JobIndex>(i)).job_id() == id) {
        return static_cast<JobIndex>(i);
      }
    }
    ADD_FAILURE() << "no job " << id;
    return 0;
  }

  static std::vector<JobChange> Succeed(RunState& state, const std::string& id,
                                        absl::string_view text) {
    return state.Apply(AttemptSucceeded{Find(state, id), {Text(text)}});
  }

  static std::vector<JobChange> Fail(RunState& state, const std::string& id,
                                     bool retryable) {
    v1::Failure failure;
    failure.set_message("boom");
    failure.set_retryable(retryable);
    return state.Apply(AttemptFailed{Find(state, id), failure});
  }

  SeededRandom random_{1};
};

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

// The key of a job behind a rerun upstream depends on the bytes it made and on
// nothing else: same bytes, same key.
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

TEST_F(RunStateTest, PlanWithoutJobsIsFinishedAtOnce) {
  PlanBuilder plan;
  RunState state = Make(plan);
  EXPECT_TRUE(state.finished());
  EXPECT_FALSE(state.failed());
}

}  // namespace
}  // namespace kinora
