// Requests to a run that it reads late, as its ledger cannot be read for a
// while: what they mean by then. Producers are held by the test.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/mutex.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {
namespace {

constexpr char kOne[] = R"(
blueprint: one
nodes:
  A:
    producer: sim
    outputs: {AText: text/plain}
outputs: [AText]
)";

constexpr char kTwo[] = R"(
blueprint: two
nodes:
  A:
    producer: sim
    outputs: {AText: text/plain}
  B:
    producer: sim
    outputs: {BText: text/plain}
outputs: [AText, BText]
)";

// A store whose ledgers cannot be read while the test says so.
class HiddenLedgers final : public ForwardingEventStore {
 public:
  using ForwardingEventStore::ForwardingEventStore;

  void Hide(bool hidden) {
    MutexLock lock(mu_);
    hidden_ = hidden;
  }
  // Until somebody has tried to read one from now on.
  void WaitForReader() {
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    MutexLock lock(mu_);
    const int before = refused_;
    while (refused_ == before) ASSERT_TRUE(changed_.WaitUntil(mu_, deadline));
  }

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    if (request.log().kind() == v1::LOG_KIND_LEDGER) {
      MutexLock lock(mu_);
      if (hidden_) {
        ++refused_;
        changed_.SignalAll();
        return absl::UnavailableError("hidden");
      }
    }
    return ForwardingEventStore::ReadPage(request);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool hidden_ ABSL_GUARDED_BY(mu_) = false;
  int refused_ ABSL_GUARDED_BY(mu_) = 0;
};

// `carrier_` has the run; runner() is another one, which can read all.
class RunnerLateRequestsTest : public RunnerFixture {
 protected:
  ~RunnerLateRequestsTest() override { carrier_.reset(); }

  std::string Start(const std::string& blueprint) {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, 3, absl::Minutes(5)};
    RunnerOptions options;
    // A wait ends by what the test does.
    options.retry.initial = absl::Hours(1000);
    options.retry.longest = absl::Hours(1000);
    carrier_ = std::make_unique<Runner>(
        RunnerDeps{ledgers_.Within(store()), planner_, producers_, executor_,
                   clock_, random_},
        configs, options);
    MakeMovie(blueprint);
    const absl::StatusOr<v1::StartRunResponse> started =
        carrier_->Start(StartRequest());
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  static void RetryAt(Runner& runner, const std::string& run_id,
                      const std::string& job_id) {
    v1::RetryRunRequest request;
    request.set_run_id(run_id);
    request.set_job_id(job_id);
    EXPECT_OK(runner.Retry(request)) << job_id;
  }

  // Until the ledger says so often that a job is called again.
  void AwaitRetrying(const std::string& run_id, int times) {
    int seen = 0;
    Ledger(run_id, [&seen, times](const v1::LedgerEvent& event) {
      seen += event.job().type() == "retrying" ? 1 : 0;
      return seen == times;
    });
  }

  HiddenLedgers ledgers_{store().events};
  StorePlanner planner_{store()};
  HeldProducers producers_;
  SeededRandom random_{7};
  ThreadPool executor_{"runner", 4};
  std::unique_ptr<Runner> carrier_;
};

// It was meant for the wait before: that attempt has been made, and nobody has
// asked for another, which may cost something.
TEST_F(RunnerLateRequestsTest, ARetryThatIsReadLateCutsNoNewerWaitShort) {
  const std::string run_id = Start(kTwo);
  for (const char* job : {"A", "B"}) {
    producers_.WaitForAttempt(job);
    producers_.Fail(job);
  }
  AwaitRetrying(run_id, 2);
  ledgers_.Hide(true);
  RetryAt(runner(), run_id, "A");
  RetryAt(*carrier_, run_id, "A");
  producers_.WaitForAttempt("A");
  producers_.Fail("A");
  AwaitRetrying(run_id, 3);
  ledgers_.Hide(false);
  // Another one, behind it in the ledger.
  RetryAt(runner(), run_id, "B");
  producers_.WaitForAttempt("B");
  int starts_of_a = 0;
  Ledger(run_id, [&starts_of_a](const v1::LedgerEvent& event) {
    const v1::StepStartedEvent& started = event.step_started();
    starts_of_a += started.step().step_id() == "A" ? 1 : 0;
    return started.step().step_id() == "B" && started.attempt() == 2;
  });
  EXPECT_EQ(starts_of_a, 2);
  EXPECT_EQ(producers_.calls(), 4);
}

// Whoever cancels a run is told that this holds, and the run ends only then.
TEST_F(RunnerLateRequestsTest, ARunDoesNotEndBeforeItKnowsWhatItWasAsked) {
  const std::string run_id = Start(kOne);
  producers_.WaitForAttempt("A");
  ledgers_.Hide(true);
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  cancel.set_reason("enough");
  ASSERT_OK(runner().Cancel(cancel));
  producers_.Succeed("A");
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_completed().step().step_id() == "A";
  });
  ledgers_.WaitForReader();
  ledgers_.Hide(false);
  const std::vector<v1::LedgerEvent> events = Ledger(run_id);
  EXPECT_TRUE(events.back().has_run_cancelled());
  EXPECT_EQ(events.back().run_cancelled().error(), "enough");
}

}  // namespace
}  // namespace kinora
