// Cancellations of runs that nobody here carries out: who answers them, and
// when. Producers are held by the test.

#include <optional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/runner_client.h"
#include "common/run_end.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/runner/runner_service.h"
#include "services/runner/testing/held_runner_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// One job behind the other.
constexpr char kPair[] = R"(
blueprint: pair
nodes:
  A:
    producer: sim
    outputs: {AText: text/plain}
  B:
    producer: sim
    inputs: {a: AText}
    outputs: {BText: text/plain}
outputs: [BText]
)";

class RunnerCancelsTest : public HeldRunnerFixture {
 protected:
  ~RunnerCancelsTest() override { carrier_.reset(); }

  // A run that is paused between its two jobs, and whose runner is gone while
  // its lease lasts.
  std::string PauseAndLose() {
    CarryOn(store(), executor_);
    std::string run_id = StartRun(kPair);
    producers_.WaitForAttempt("A");
    v1::PauseRunRequest pause;
    pause.set_run_id(run_id);
    EXPECT_OK(carrier_->Pause(pause));
    producers_.Succeed("A");
    // What follows a job is in the ledger together with its end.
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.step_completed().step().step_id() == "A";
    });
    carrier_.reset();
    lease_ = TakeFilmLease(store(), "dead-runner", run_id);
    return run_id;
  }

  // The lease expires, and another runner takes the run up.
  void Adopt() {
    Release(lease_);
    CarryOn(store(), executor_);
    ASSERT_OK(carrier_->AdoptOpenRuns());
  }

  // Somebody has asked the run to end.
  void AwaitAsked(const std::string& run_id) {
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.run_waiting().reason() == kCancelling;
    });
  }

  static v1::CancelRunRequest CancelOf(const std::string& run_id) {
    v1::CancelRunRequest cancel;
    cancel.set_run_id(run_id);
    cancel.set_reason("enough");
    return cancel;
  }

  ThreadPool executor_{"runner", 4};
  v1::LeaseToken lease_;
};

// The run may be about to end by itself, for all that others know: the answer
// comes with its end, and takes nobody's thread until then.
TEST_F(RunnerCancelsTest, ACancellationThatWaitsHoldsUpNoOtherCall) {
  const std::string run_id = PauseAndLose();
  ThreadPool only("service", 1);
  RunnerRpcService service(runner(), store().events, only);
  InProcessServer server({{v1::RunnerService::service_full_name(), &service}});
  RunnerClient client(server.Channel(Transport::kInProcess));
  absl::Status cancelled;
  std::thread waiting(
      [&] { cancelled = client.CancelRun(CancelOf(run_id)).status(); });
  AwaitAsked(run_id);
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  const absl::StatusOr<v1::GetRunResponse> run = client.GetRun(get);
  EXPECT_OK(run);
  Adopt();
  waiting.join();
  // It would be UNAVAILABLE had the other call had to wait for it.
  EXPECT_OK(cancelled);
  const v1::RunSnapshot ended = Finish(run_id);
  EXPECT_EQ(ended.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(ended.record().error(), "enough");
  EXPECT_EQ(producers_.calls(), 1);
}

TEST_F(RunnerCancelsTest, ACancellationThatWaitsIsAnsweredByARunnerThatStops) {
  const std::string run_id = PauseAndLose();
  std::optional<absl::Status> answer;
  runner().Cancel(CancelOf(run_id),
                  [&answer](absl::StatusOr<v1::CancelRunResponse> cancelled) {
                    answer = cancelled.status();
                  });
  process_.reset();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer,
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(run_id)));
  // The request holds all the same.
  process_ = NewProcess();
  Adopt();
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_CANCELLED);
}

// Its turn comes when the other one has ended, in whatever way.
TEST_F(RunnerCancelsTest, AStartThatReplacesALostRunIsQueuedAtOnce) {
  const std::string run_id = PauseAndLose();
  v1::StartRunRequest request = StartRequest();
  request.set_if_active(v1::IF_ACTIVE_REPLACE);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(request));
  EXPECT_EQ(started.run().status(), v1::RUN_STATUS_QUEUED);
  // Before anybody has taken up the one that is replaced.
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, runner().Get(get));
  EXPECT_FALSE(IsTerminal(run.run().record().status()));
  Adopt();
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_CANCELLED);
}

}  // namespace
}  // namespace kinora
