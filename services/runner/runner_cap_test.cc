// Caps that are set while a run is at work, here and through another runner:
// what who has set one may rely on, and what becomes of the run's question.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/late_answer.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

constexpr char kCent[] = "{cost: 0.01, currency: USD}";

// Two producers wait for a job of a third.
constexpr char kFork[] = R"(
blueprint: fork
nodes:
  Root:
    producer: wide
    outputs: {RootText: text/plain}
  First:
    producer: single
    price: {min: 0.01, max: 0.02, currency: USD}
    inputs: {root: RootText}
    outputs: {FirstText: text/plain}
  Second:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    inputs: {root: RootText}
    outputs: {SecondText: text/plain}
outputs: [FirstText, SecondText]
)";

bool AsksForBudget(const v1::LedgerEvent& event) {
  return event.job().type() == "over_budget";
}

bool WaitsForBudget(const v1::LedgerEvent& event) {
  return event.run_waiting().reason() == "budget";
}

// Once it has come to a stand, not when it is asked to.
bool StandsPaused(const v1::LedgerEvent& event) {
  return event.run_waiting().reason() == "paused" &&
         !event.run_waiting().requested();
}

// A store where something happens before a record with that budget is put.
class LateRecord final : public RunRecordStore {
 public:
  LateRecord(const Store& base, std::string budget,
             std::function<void()> meanwhile)
      : base_(base),
        budget_(std::move(budget)),
        meanwhile_(std::move(meanwhile)) {}

  Store store() {
    return {base_.movies, base_.blobs,  base_.events, base_.manifests,
            base_.plans,  base_.leases, *this,        base_.maintenance};
  }

  absl::StatusOr<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) override {
    std::function<void()> meanwhile;
    {
      MutexLock lock(mu_);
      if (FormatCost(request.record().budget()) == budget_) {
        meanwhile = std::exchange(meanwhile_, nullptr);
      }
    }
    if (meanwhile) meanwhile();
    return base_.runs.Put(request);
  }
  absl::StatusOr<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) override {
    return base_.runs.Get(request);
  }
  absl::StatusOr<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) override {
    return base_.runs.List(request);
  }

 private:
  const Store base_;
  const std::string budget_;
  Mutex mu_;
  std::function<void()> meanwhile_ ABSL_GUARDED_BY(mu_);
};

// Nothing happens but by what is posted: no timer ever fires.
class UntimedExecutor final : public Executor {
 public:
  void Post(Task task) override { pool_.Post(std::move(task)); }
  TimerId PostAfter(absl::Duration delay, Task task) override {
    if (delay <= absl::ZeroDuration()) pool_.Post(std::move(task));
    MutexLock lock(mu_);
    return ++last_;
  }
  bool Cancel(TimerId /*id*/) override { return true; }

 private:
  Mutex mu_;
  TimerId last_ ABSL_GUARDED_BY(mu_) = 0;
  ThreadPool pool_{"untimed", 2};
};

// `carrier_` has the run; runner() is another one.
class RunnerCapTest : public RunnerFixture {
 protected:
  ~RunnerCapTest() override { carrier_.reset(); }

  void CarryOn(const Store& store) {
    carrier_ =
        std::make_unique<RunnerProcess>(store, clock_, SimProducerOptions());
  }

  static void Start(Runner& carrier, const std::string& cap,
                    const std::string& movie_id = "film") {
    v1::StartRunRequest request = StartRequest();
    request.set_movie_id(movie_id);
    if (!cap.empty()) *request.mutable_budget() = *ParseCostText(cap);
    ASSERT_OK(carrier.Start(request));
  }

  static std::string RunOf(Runner& runner,
                           const std::string& movie_id = "film") {
    v1::ListRunsRequest request;
    request.set_movie_id(movie_id);
    const absl::StatusOr<v1::ListRunsResponse> runs = runner.List(request);
    EXPECT_OK(runs);
    return runs.ok() && runs->runs_size() == 1 ? runs->runs(0).run_id() : "";
  }

  static void SetAt(Runner& runner, const std::string& cap,
                    const std::string& movie_id = "film") {
    v1::SetRunBudgetRequest request;
    request.set_run_id(RunOf(runner, movie_id));
    *request.mutable_cap() = *ParseCostText(cap);
    EXPECT_OK(runner.SetBudget(request)) << cap;
  }

  static std::vector<std::string> ProposalsOf(Runner& runner) {
    std::vector<std::string> proposals;
    const absl::StatusOr<v1::ListQuestionsResponse> list =
        runner.ListQuestions(v1::ListQuestionsRequest());
    EXPECT_OK(list);
    if (!list.ok()) return proposals;
    for (const v1::PendingQuestion& asked : list->questions()) {
      proposals.push_back(asked.question().default_json());
    }
    return proposals;
  }

  std::unique_ptr<RunnerProcess> carrier_;
};

// The carrier is about to write down the next call when another runner says
// that a lower cap holds. F: Invariant 14
TEST_F(RunnerCapTest, NothingIsReservedBeyondALowerCapOnceItWasAcknowledged) {
  int starts = 0;
  LateAnswer late(
      store(),
      [&starts](const v1::Event& event) {
        return event.ledger().has_step_started() && ++starts == 2;
      },
      [this] { SetAt(runner(), "USD 0.02"); }, LateAnswer::Late::kAppend);
  CarryOn(late.store());
  MakeMovie(Paid("single", 3, kCent));
  Start(carrier_->runner(), "");
  const std::string run_id = RunOf(runner());
  bool was_set = false;
  for (const v1::LedgerEvent& event : Ledger(run_id, WaitsForBudget)) {
    was_set = was_set || event.has_run_budget();
    EXPECT_FALSE(was_set && event.has_step_started());
  }
  EXPECT_TRUE(was_set);
  EXPECT_EQ(carrier_->calls(), 1);

  SetAt(runner(), "USD 1");
  for (const v1::LedgerEvent& event : Ledger(run_id)) {
    // What was taken back was no attempt.
    if (!event.has_step_started()) continue;
    EXPECT_EQ(event.step_started().attempt(), 1u);
  }
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(FormatCost(run.record().cost()), "0.03 USD");
  EXPECT_EQ(carrier_->calls(), 3);
  carrier_.reset();  // before the store it calls
}

// Between what the carrier has heeded and what it asks, two caps are set; it
// knows of the later one, which it has set itself.
TEST_F(RunnerCapTest, AQuestionIsNotSettledByACapFromBeforeIt) {
  LateAnswer late(
      store(), [](const v1::Event& event) { return event.has_artefact(); },
      [this] {
        SetAt(runner(), "USD 0.024");
        SetAt(carrier_->runner(), "USD 0.028");
      },
      LateAnswer::Late::kAppend);
  CarryOn(late.store());
  MakeMovie(Paid("single", 3, kCent));
  Start(carrier_->runner(), "USD 0.02");
  const std::string run_id = RunOf(runner());
  Ledger(run_id, WaitsForBudget);
  // Another request, to which the ledger is read.
  v1::PauseRunRequest pause;
  pause.set_run_id(run_id);
  ASSERT_OK(carrier_->runner().Pause(pause));
  // The record follows what the run has heeded.
  AwaitRecord(run_id, [](const v1::RunRecord& record) {
    return record.wait().reason() == "paused";
  });
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse told,
                       store().events.ReadPage(read));
  EXPECT_EQ(std::count_if(told.events().begin(), told.events().end(),
                          [](const v1::Event& event) {
                            return AsksForBudget(event.ledger());
                          }),
            1);
  const std::vector<std::string> proposed = {R"("0.03 USD")"};
  EXPECT_EQ(ProposalsOf(carrier_->runner()), proposed);
  EXPECT_EQ(ProposalsOf(runner()), proposed);
  carrier_.reset();
}

// The last cap that holds is the one that the question was about: to who has
// set it anew the run asks anew.
TEST_F(RunnerCapTest, ACapThatIsSetBackIsAskedAboutAgain) {
  LateRecord late(store(), "0.015 USD",
                  [this] { SetAt(carrier_->runner(), "USD 0.01"); });
  CarryOn(late.store());
  MakeMovie(Paid("sim", 3, kCent));
  Start(carrier_->runner(), "USD 0.01");
  const std::string run_id = RunOf(runner());
  Ledger(run_id, WaitsForBudget);
  SetAt(carrier_->runner(), "USD 0.015");
  int asked = 0;
  int set = 0;
  Ledger(run_id, [&asked, &set](const v1::LedgerEvent& event) {
    set += event.has_run_budget() ? 1 : 0;
    asked += AsksForBudget(event) ? 1 : 0;
    return asked == 2;
  });
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(set, 2);
  const std::vector<std::string> proposed = {R"("0.02 USD")"};
  EXPECT_EQ(ProposalsOf(carrier_->runner()), proposed);
  EXPECT_EQ(ProposalsOf(runner()), proposed);
  SetAt(carrier_->runner(), "USD 1");
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  carrier_.reset();
}

// Whichever of the two is looked at last.
TEST_F(RunnerCapTest, APausedProducerDoesNotHideTheQuestionOfTheOthers) {
  for (const std::string paused : {"sim", "single"}) {
    SCOPED_TRACE(paused);
    const std::string movie = "film-" + paused;
    LateAnswer late(store(), &TellsOfAStart, [this, &movie, &paused] {
      v1::PauseRunRequest pause;
      pause.set_run_id(RunOf(runner(), movie));
      pause.set_producer(paused);
      EXPECT_OK(carrier_->runner().Pause(pause));
    });
    CarryOn(late.store());
    MakeMovie(kFork, movie);
    Start(carrier_->runner(), "USD 0.01", movie);
    const std::string run_id = RunOf(runner(), movie);
    std::string reason;
    Ledger(
        run_id,
        [&reason](const v1::LedgerEvent& event) {
          if (!event.has_run_waiting()) return false;
          if (event.run_waiting().requested()) return false;
          reason = event.run_waiting().reason();
          return true;
        },
        movie);
    EXPECT_EQ(reason, "budget");
    v1::GetRunRequest get;
    get.set_run_id(run_id);
    ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse stands, runner().Get(get));
    EXPECT_EQ(stands.run().wait_reason(), "budget");
    EXPECT_THAT(stands.run().pending_question_ids(),
                testing::ElementsAre("budget"));
    EXPECT_THAT(stands.run().paused_producers(), testing::ElementsAre(paused));
    EXPECT_EQ(ProposalsOf(runner()).size(), 1u);

    // The others can go on then, and the pause is all that is left.
    SetAt(carrier_->runner(), "USD 1", movie);
    Ledger(run_id, &StandsPaused, movie);
    EXPECT_TRUE(ProposalsOf(runner()).empty());
    v1::ResumeRunRequest resume;
    resume.set_run_id(run_id);
    resume.set_producer(paused);
    ASSERT_OK(carrier_->runner().Resume(resume));
    Ledger(run_id, nullptr, movie);
    ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse ended, runner().Get(get));
    EXPECT_EQ(ended.run().record().status(), v1::RUN_STATUS_COMPLETED);
    carrier_.reset();
  }
}

// It does not wait for the next look at the ledger.
TEST_F(RunnerCapTest, ARunThatWaitsSeesAtOnceWhatAnotherRunnerWasAsked) {
  HeldProducers producers;
  UntimedExecutor executor;
  StorePlanner planner(store());
  ProducerConfigs configs;
  configs["sim"] = {{"sim"}, 4, 3, absl::Minutes(5)};
  Runner carrier(
      {store(), planner, producers, executor, clock_, SystemRandom()}, configs,
      RunnerOptions());
  MakeMovie(Paid("sim", 1, kCent));
  Start(carrier, "USD 0.01");
  const std::string run_id = RunOf(runner());
  Ledger(run_id, WaitsForBudget);
  SetAt(runner(), "USD 1");
  producers.WaitForAttempt("Part[part=0]");
  producers.Succeed("Part[part=0]");
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

}  // namespace
}  // namespace kinora
