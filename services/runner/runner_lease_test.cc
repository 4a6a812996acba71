// Runs whose runner learns late that another has them.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/late_answer.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

class RunnerLeaseTest : public RunnerFixture {
 protected:
  // Starts a run whose first jobs are written down just before `meanwhile`.
  std::string StartLate(std::function<void()> meanwhile) {
    late_ = std::make_unique<LateAnswer>(store(), &TellsOfAStart,
                                         std::move(meanwhile));
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
