// Steps of one run at two runners at once, and steps whose caller loses its
// lease on the way.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/runner_client.h"
#include "clients/cpp/sim/sim_record.h"
#include "common/error_reason.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/runner/past/run_events.h"
#include "services/runner/runner_service.h"
#include "services/runner/steps/job_claims.h"
#include "services/runner/testing/late_answer.h"
#include "services/runner/testing/runner_steps_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// A runner process with a server of its own.
struct OtherRunner {
  OtherRunner(const Store& store, Clock& clock,
              const SimProducerOptions& sim = {})
      : process(store, clock, sim),
        executor("other", 2),
        service(process.runner(), store.events, executor),
        server({{v1::RunnerService::service_full_name(), &service}}),
        client(server.Channel(Transport::kInProcess)) {}

  RunnerProcess process;
  ThreadPool executor;
  RunnerRpcService service;
  InProcessServer server;
  RunnerClient client;
};

class RunnerStepClaimsTest : public RunnerStepsFixture {
 protected:
  // Until the job has been written down as called. REQUIRES: the run has begun.
  void WaitForStart(const std::string& job_id) {
    Ledger(std::string(kRun1), [&job_id](const v1::LedgerEvent& event) {
      return event.step_started().step().step_id() == job_id;
    });
  }

  static std::string StatusOf(
      const absl::StatusOr<v1::ExecuteJobResponse>& answer) {
    EXPECT_OK(answer);
    return answer.ok() ? answer->job().status() : "";
  }
};

// F: S1-44, B-15 (single flight per key, over all runners)
TEST_F(RunnerStepClaimsTest, AJobIsUnderWayAtOneRunnerAtATime) {
  OtherRunner other(store(), clock_);
  MakeMovie(Chain("{delay_ms: 500}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_OK(client_.ExecuteJob(Job(planned, "D", lease)));
  std::thread caller([this, &planned, &lease] {
    EXPECT_EQ(StatusOf(client_.ExecuteJob(Job(planned, "A", lease))),
              "completed");
  });
  WaitForStart("A");
  EXPECT_EQ(StatusOf(other.client.ExecuteJob(Job(planned, "A", lease))),
            "completed");
  EXPECT_EQ(other.process.calls(), 0);
  caller.join();
  EXPECT_EQ(calls(), 2);
}

// All at the same moment, also the calls that begin the run.
TEST_F(RunnerStepClaimsTest, ARaceOverRunnersCallsEachJobOnce) {
  OtherRunner other(store(), clock_);
  MakeMovie(Chain("{delay_ms: 20}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  std::vector<std::thread> callers;
  for (RunnerClient* client : {&client_, &other.client}) {
    for (const char* job : {"A", "D"}) {
      callers.emplace_back([client, &planned, &lease, job] {
        EXPECT_EQ(StatusOf(client->ExecuteJob(Job(planned, job, lease))),
                  "completed");
      });
    }
    callers.emplace_back([client, &planned, &lease] {
      const absl::StatusOr<v1::ExecuteLayerResponse> answer =
          client->ExecuteLayer(Layer(planned, 0, lease));
      EXPECT_OK(answer);
      if (!answer.ok()) return;
      for (const v1::JobState& job : answer->jobs()) {
        EXPECT_EQ(job.status(), "completed") << job.job_id();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(calls() + other.process.calls(), 2);
  int starts = 0;
  int ends = 0;
  Ledger(std::string(kRun1), [&starts, &ends](const v1::LedgerEvent& event) {
    starts += event.has_run_started() ? 1 : 0;
    return event.has_step_completed() && ++ends == 2;
  });
  EXPECT_EQ(starts, 1);
}

TEST_F(RunnerStepClaimsTest,
       WhatADeadRunnerHadIsWaitedForUntilItsLeaseExpires) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_OK(client_.ExecuteJob(Job(planned, "D", lease)));
  // One that has died right after it had claimed the job.
  const std::string call = "00000000deadbeef";
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id(StepLeaseId(kRun1, call));
  acquire.set_holder("dead");
  acquire.mutable_ttl()->set_seconds(6);
  ASSERT_OK(store().leases.Acquire(acquire));
  v1::Event event = LedgerEventAt({"film", std::string(kRun1), ""}, 1);
  *event.mutable_ledger()->mutable_job() = ClaimEvents(call, {"A"})[0];
  ASSERT_OK(store().events.Append(
      LedgerAppend({"film", std::string(kRun1), ""}, lease, event)));

  v1::ExecuteJobRequest impatient = Job(planned, "A", lease);
  impatient.mutable_timeout()->set_seconds(1);
  ASSERT_OK_AND_ASSIGN(const v1::ExecuteJobResponse answer,
                       client_.ExecuteJob(impatient));
  EXPECT_EQ(answer.job().status(), "failed");
  EXPECT_EQ(answer.job().failure().reason(),
            v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(calls(), 1);

  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(StatusOf(client_.ExecuteJob(Job(planned, "A", lease))),
            "completed");
  EXPECT_EQ(calls(), 2);
}

// A claim leaves nothing in the store when its call has ended.
TEST_F(RunnerStepClaimsTest, LeasesOfStepsAreGivenBack) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  ASSERT_OK_AND_ASSIGN(
      const ObjectPage page,
      storage_.List(absl::StrCat("leases/run/", kRun1, "/"), 10, ""));
  EXPECT_THAT(page.objects, testing::IsEmpty());
}

// The append was made in time, so it is not refused; but the movie is another
// caller's now. F: Invariant 11
TEST_F(RunnerStepClaimsTest, AnAnswerThatComesTooLateCallsNobody) {
  LateAnswer late(store(), &TellsOfAStart, [this] {
    clock_.Advance(absl::Hours(1));
    TakeFilmLease(store(), "another", kRun2);
  });
  OtherRunner runner(late.store(), clock_);
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  const absl::Status status =
      runner.client.ExecuteJob(Job(planned, "A", lease)).status();
  EXPECT_EQ(ReasonOf(status), "LEASE_LOST") << status;
  EXPECT_EQ(runner.process.calls(), 0);
}

// What came too late to be written down is asked for by its key.
// F: B-10 Invariant 11
TEST_F(RunnerStepClaimsTest, WorkOfALostLeaseIsLookedUpNotPaidForAgain) {
  SimRecord record;
  SimProducerOptions sim;
  sim.record = &record;
  OtherRunner runner(store(), clock_, sim);
  MakeMovie(Chain("{delay_ms: 1000}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lost = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_OK(runner.client.ExecuteJob(Job(planned, "D", lost)));
  absl::Status status;
  std::thread caller([&runner, &planned, &lost, &status] {
    status = runner.client.ExecuteJob(Job(planned, "A", lost)).status();
  });
  // What the ledger says comes before the call, which is not made once the
  // lease is lost.
  while (runner.process.calls() < 2) std::this_thread::yield();
  clock_.Advance(absl::Hours(1));
  const v1::LeaseToken lease = TakeFilmLease(store(), "again", kRun1);
  caller.join();
  EXPECT_EQ(ReasonOf(status), "LEASE_LOST") << status;

  EXPECT_EQ(StatusOf(runner.client.ExecuteJob(Job(planned, "A", lease))),
            "completed");
  std::string told;
  Ledger(std::string(kRun1), [&told](const v1::LedgerEvent& event) {
    if (event.job().type() == "recovering") told = event.job().message();
    return event.step_completed().step().step_id() == "A";
  });
  EXPECT_THAT(told, HasSubstr("has finished it"));
}

}  // namespace
}  // namespace kinora
