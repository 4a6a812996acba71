// Runs whose runner learns late that another has them.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/mutex.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

// A store whose answer to the first append that tells of a started step is a
// long time on its way.
class LateAnswer final : public EventStore {
 public:
  // `meanwhile` is what happens before the answer arrives.
  LateAnswer(const Store& base, std::function<void()> meanwhile)
      : base_(base), meanwhile_(std::move(meanwhile)) {}

  Store store() {
    return {base_.movies, base_.blobs,  *this,      base_.manifests,
            base_.plans,  base_.leases, base_.runs, base_.maintenance};
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    auto answer = base_.events.Append(request);
    for (const v1::Event& event : request.events()) {
      if (!event.ledger().has_step_started()) continue;
      MutexLock lock(mu_);
      if (meanwhile_) std::exchange(meanwhile_, nullptr)();
    }
    return answer;
  }
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    return base_.events.ReadPage(request);
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.events.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.events.CancelNotify(id); }
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    return base_.events.ResolveArtefacts(request);
  }
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override {
    return base_.events.ListInputs(request);
  }
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override {
    return base_.events.GetLogStatus(request);
  }

 private:
  const Store base_;
  Mutex mu_;
  std::function<void()> meanwhile_ ABSL_GUARDED_BY(mu_);
};

class RunnerLeaseTest : public RunnerFixture {
 protected:
  // Starts a run whose first jobs are written down just before `meanwhile`.
  std::string StartLate(std::function<void()> meanwhile) {
    late_ = std::make_unique<LateAnswer>(store(), std::move(meanwhile));
    process_ = std::make_unique<RunnerProcess>(late_->store(), clock_,
                                               SimProducerOptions());
    MakeMovie(Chain("{}"));
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(StartRequest());
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  ~RunnerLeaseTest() override { process_.reset(); }

 private:
  std::unique_ptr<LateAnswer> late_;
};

// The append was made in time, so it is not refused; but who has the run now
// calls the producers of these jobs.
// F: Invariant 11 (what has no fence is not begun without the lease)
TEST_F(RunnerLeaseTest, AnAnswerThatComesTooLateStartsNothing) {
  const std::string run_id = StartLate([this] {
    clock_.Advance(absl::Hours(1));
    TakeFilmLease(store(), "another-runner");
  });
  Ledger(run_id,
         [](const v1::LedgerEvent& event) { return event.has_step_started(); });
  runner().Drain(kPatience);
  EXPECT_EQ(calls(), 0);
}

// A machine that was asleep for an hour goes on where nobody else has.
TEST_F(RunnerLeaseTest, ALateAnswerIsNoHarmWhereNobodyTookTheRun) {
  const std::string run_id =
      StartLate([this] { clock_.Advance(absl::Hours(1)); });
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 4);
}

}  // namespace
}  // namespace kinora
