// Steps of a run while others of it go on: what is done is answered at once,
// what waits is called again by whoever is asked. Producers are held by the
// test.

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/steps/step_call.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_steps_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTwo[] = R"(
blueprint: two
nodes:
  Quick:
    producer: sim
    outputs: {A: text/plain}
  Slow:
    producer: sim
    outputs: {B: text/plain}
outputs: [A, B]
)";

// The answer to one call.
class Answered {
 public:
  void Set(StepCall::Answer answer) {
    MutexLock lock(mu_);
    answer_ = std::move(answer);
    changed_.SignalAll();
  }

  bool is_set() {
    MutexLock lock(mu_);
    return answer_.has_value();
  }

  // "Job status[ detail]", or the error; not waited for longer than a test
  // should take.
  std::vector<std::string> Wait() {
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    MutexLock lock(mu_);
    while (!answer_.has_value()) {
      if (!changed_.WaitUntil(mu_, deadline)) return {"no answer"};
    }
    if (!answer_->ok()) return {std::string(answer_->status().message())};
    std::vector<std::string> jobs;
    for (const v1::JobState& job : **answer_) {
      jobs.push_back(absl::StrCat(job.job_id(), " ", job.status(),
                                  job.detail().empty() ? "" : " ",
                                  job.detail()));
    }
    return jobs;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::optional<StepCall::Answer> answer_ ABSL_GUARDED_BY(mu_);
};

// Two runners that have nothing in common but the store and the producers.
class RunnerStepDoneTest : public RunnerStepsFixture {
 protected:
  RunnerStepDoneTest() {
    one_ = NewRunner();
    other_ = NewRunner();
    MakeMovie(kTwo);
    planned_ = MakePlan();
    lease_ = TakeFilmLease(store(), "workflow", kRun1);
  }

  ~RunnerStepDoneTest() override {
    one_.reset();
    other_.reset();
  }

  std::unique_ptr<Runner> NewRunner() {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, 3, absl::Minutes(5)};
    RunnerOptions options;
    // Nothing is tried again by itself.
    options.retry.initial = absl::Hours(100'000);
    options.retry.longest = absl::Hours(100'000);
    return std::make_unique<Runner>(
        RunnerDeps{store(), planner_, producers_, threads_, clock_,
                   SystemRandom()},
        configs, options);
  }

  std::shared_ptr<Answered> Call(Runner& runner, const StepRequest& request) {
    auto answered = std::make_shared<Answered>();
    runner.Execute(std::make_shared<StepCall>(
        request, TraceContext(), [answered](StepCall::Answer answer) {
          answered->Set(std::move(answer));
        }));
    return answered;
  }
  std::shared_ptr<Answered> CallLayer(Runner& runner) {
    return Call(runner, StepRequestOf(Layer(planned_, 0, lease_)));
  }
  std::shared_ptr<Answered> CallJob(Runner& runner, const std::string& job) {
    return Call(runner, *StepRequestOf(Job(planned_, job, lease_)));
  }

  static absl::StatusOr<std::vector<std::string>> RetryAt(
      Runner& runner, const std::string& job_id = "") {
    v1::RetryRunRequest request;
    request.set_run_id(std::string(kRun1));
    request.set_job_id(job_id);
    const absl::StatusOr<v1::RetryRunResponse> retried = runner.Retry(request);
    if (!retried.ok()) return retried.status();
    return std::vector<std::string>(retried->job_ids().begin(),
                                    retried->job_ids().end());
  }

  void WaitUntilItRetries(const std::string& job_id) {
    Ledger(std::string(kRun1), [&job_id](const v1::LedgerEvent& event) {
      return event.job().type() == "retrying" && event.job().job_id() == job_id;
    });
  }

  HeldProducers producers_;
  ThreadPool threads_{"runners", 4};
  Planned planned_;
  v1::LeaseToken lease_;
  std::unique_ptr<Runner> one_;
  std::unique_ptr<Runner> other_;
};

TEST_F(RunnerStepDoneTest, AFinishedJobIsAnsweredWhileItsLayerGoesOn) {
  const auto layer = CallLayer(*one_);
  producers_.WaitForAttempt("Quick");
  producers_.WaitForAttempt("Slow");
  // Both wait for the first call's.
  const auto here = CallJob(*one_, "Quick");
  const auto elsewhere = CallJob(*other_, "Quick");
  producers_.Succeed("Quick");
  EXPECT_THAT(here->Wait(), ElementsAre("Quick completed"));
  EXPECT_THAT(elsewhere->Wait(), ElementsAre("Quick completed"));
  // These need not wait at all.
  EXPECT_THAT(CallJob(*one_, "Quick")->Wait(), ElementsAre("Quick completed"));
  EXPECT_THAT(CallJob(*other_, "Quick")->Wait(),
              ElementsAre("Quick completed"));
  EXPECT_FALSE(layer->is_set());
  // What is not done is still waited for.
  const auto slow = CallJob(*other_, "Slow");
  producers_.Succeed("Slow");
  EXPECT_THAT(slow->Wait(), ElementsAre("Slow completed"));
  EXPECT_THAT(layer->Wait(), ElementsAre("Quick completed", "Slow completed"));
  EXPECT_EQ(producers_.calls(), 2);
}

TEST_F(RunnerStepDoneTest, AnyRunnerHasAJobOfAStepCalledAgain) {
  const auto layer = CallLayer(*one_);
  producers_.WaitForAttempt("Quick");
  producers_.WaitForAttempt("Slow");
  producers_.Fail("Slow");
  WaitUntilItRetries("Slow");
  EXPECT_THAT(
      RetryAt(*other_, "Quick"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("\"Quick\"")));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> retried,
                       RetryAt(*other_));
  EXPECT_THAT(retried, ElementsAre("Slow"));
  producers_.WaitForAttempt("Slow");
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> none, RetryAt(*other_));
  EXPECT_THAT(none, IsEmpty());
  producers_.Succeed("Slow");
  producers_.Succeed("Quick");
  EXPECT_THAT(layer->Wait(), ElementsAre("Quick completed", "Slow completed"));
  EXPECT_EQ(producers_.calls(), 3);
}

// Each wait in a call of its own, one here and one there.
TEST_F(RunnerStepDoneTest, JobsAreCalledAgainWhereverTheirCallsAre) {
  const auto quick = CallJob(*one_, "Quick");
  producers_.WaitForAttempt("Quick");
  const auto slow = CallJob(*other_, "Slow");
  producers_.WaitForAttempt("Slow");
  producers_.Fail("Quick");
  producers_.Fail("Slow");
  WaitUntilItRetries("Quick");
  WaitUntilItRetries("Slow");
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> retried, RetryAt(*one_));
  EXPECT_THAT(retried, ElementsAre("Quick", "Slow"));
  producers_.WaitForAttempt("Quick");
  producers_.WaitForAttempt("Slow");
  producers_.Succeed("Quick");
  producers_.Succeed("Slow");
  EXPECT_THAT(quick->Wait(), ElementsAre("Quick completed"));
  EXPECT_THAT(slow->Wait(), ElementsAre("Slow completed"));
}

// Its caller may ask again and again while another call goes on for hours.
TEST_F(RunnerStepDoneTest, ACallThatHasWaitedInVainIsNotKept) {
  const auto layer = CallLayer(*one_);
  producers_.WaitForAttempt("Slow");
  v1::ExecuteJobRequest request = Job(planned_, "Slow", lease_);
  request.mutable_timeout()->set_seconds(1);
  auto answered = std::make_shared<Answered>();
  std::promise<void> gone;
  {
    const std::shared_ptr<StepCall> impatient(
        new StepCall(*StepRequestOf(request), TraceContext(),
                     [answered](StepCall::Answer answer) {
                       answered->Set(std::move(answer));
                     }),
        [&gone](StepCall* call) {
          delete call;
          gone.set_value();
        });
    one_->Execute(impatient);
  }
  EXPECT_THAT(answered->Wait(), ElementsAre(HasSubstr("Slow failed")));
  const std::future_status seen =
      gone.get_future().wait_for(absl::ToChronoSeconds(kPatience));
  EXPECT_EQ(seen, std::future_status::ready);
  EXPECT_FALSE(layer->is_set());
  one_.reset();  // before what it would tell
}

}  // namespace
}  // namespace kinora
