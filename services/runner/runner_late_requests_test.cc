// Requests to a run that it reads late, as its ledger cannot be read for a
// while: what they mean by then. Producers are held by the test.

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/run_end.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/runner/testing/held_runner_fixture.h"
#include "services/store/testing/forwarding_event_store.h"
#include "services/store/testing/forwarding_manifest_store.h"

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

// A store that is away whenever a job is to be called once more.
class LostStarts final : public ForwardingEventStore {
 public:
  using ForwardingEventStore::ForwardingEventStore;

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    for (const v1::Event& event : request.events()) {
      if (event.ledger().step_started().attempt() > 1) {
        return absl::UnavailableError("away");
      }
    }
    return ForwardingEventStore::Append(request);
  }
};

// A store where something happens before a revision is committed.
class LateCommit final : public ForwardingManifestStore {
 public:
  LateCommit(ManifestStore& base, std::function<void()> meanwhile)
      : ForwardingManifestStore(base), meanwhile_(std::move(meanwhile)) {}

  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override {
    meanwhile_();
    return ForwardingManifestStore::Commit(request);
  }

 private:
  const std::function<void()> meanwhile_;
};

// The carrier cannot read what runner() can.
class RunnerLateRequestsTest : public HeldRunnerFixture {
 protected:
  RunnerLateRequestsTest() { CarryOn(ledgers_.Within(store()), executor_); }
  ~RunnerLateRequestsTest() override { carrier_.reset(); }

  // Until the ledger says so often that a job is called again.
  void AwaitRetrying(const std::string& run_id, int times) {
    int seen = 0;
    Ledger(run_id, [&seen, times](const v1::LedgerEvent& event) {
      seen += event.job().type() == "retrying" ? 1 : 0;
      return seen == times;
    });
  }

  HiddenLedgers ledgers_{store().events};
  ThreadPool executor_{"runner", 4};
};

// It was meant for the wait before: that attempt has been made, and nobody has
// asked for another, which may cost something.
TEST_F(RunnerLateRequestsTest, ARetryThatIsReadLateCutsNoNewerWaitShort) {
  const std::string run_id = StartRun(kTwo);
  for (const char* job : {"A", "B"}) {
    producers_.WaitForAttempt(job);
    producers_.Fail(job);
  }
  AwaitRetrying(run_id, 2);
  ledgers_.Hide(true);
  EXPECT_OK(RetryAt(runner(), run_id, "A"));
  EXPECT_OK(RetryAt(*carrier_, run_id, "A"));
  producers_.WaitForAttempt("A");
  producers_.Fail("A");
  AwaitRetrying(run_id, 3);
  ledgers_.Hide(false);
  // Another one, behind it in the ledger.
  EXPECT_OK(RetryAt(runner(), run_id, "B"));
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

// Whoever asked for it was told that the job is called again.
TEST_F(RunnerLateRequestsTest, ARetryOutlivesTheRunner) {
  LostStarts lost(store().events);
  CarryOn(lost.Within(store()), executor_);
  const std::string run_id = StartRun(kOne);
  producers_.WaitForAttempt("A");
  producers_.AnswerLookUps(v1::LOOK_UP_STATE_UNKNOWN);
  producers_.Lose("A");
  AwaitRetrying(run_id, 1);
  EXPECT_OK(RetryAt(*carrier_, run_id, "A"));
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.job().type() == "in_doubt";
  });
  // Nobody calls it again without that.
  EXPECT_OK(RetryAt(*carrier_, run_id, "A"));
  CarryOn(store(), executor_);
  ASSERT_OK(carrier_->AdoptOpenRuns());
  producers_.WaitForAttempt("A");
  producers_.Succeed("A");
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  carrier_.reset();
}

// Whoever cancels a run is told that this holds, and the run ends only then.
TEST_F(RunnerLateRequestsTest, ARunDoesNotEndBeforeItKnowsWhatItWasAsked) {
  const std::string run_id = StartRun(kOne);
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

// The run has read its ledger to the end, and commits what it has made.
TEST_F(RunnerLateRequestsTest, WhoCancelsARunThatEndsMeanwhileIsToldSo) {
  std::string run_id;
  absl::Status cancelled;
  std::thread other;
  LateCommit late(store().manifests, [&] {
    other = std::thread([&] {
      v1::CancelRunRequest cancel;
      cancel.set_run_id(run_id);
      cancelled = runner().Cancel(cancel).status();
    });
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.run_waiting().reason() == kCancelling;
    });
  });
  CarryOn(late.Within(store()), executor_);
  run_id = StartRun(kOne);
  producers_.WaitForAttempt("A");
  producers_.Succeed("A");
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  carrier_.reset();
  other.join();
  EXPECT_EQ(ReasonOf(cancelled), "RUN_TERMINAL") << cancelled;
}

}  // namespace
}  // namespace kinora
