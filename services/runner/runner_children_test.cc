// Runs that jobs of other runs have started.

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_runner_fixture.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/run/run_record_store.h"
#include "services/store/store.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Its first attempt ends only with its process.
constexpr char kSlowOnce[] = "{delay_ms: 600000, slow_attempts: 1}";

// "film" has the parent, whose job B goes on; "teaser" has the children.
class RunnerChildrenTest : public RunnerFixture {
 protected:
  static v1::StartRunRequest Of(const std::string& movie_id,
                                const std::string& parent = "",
                                const std::string& job = "B") {
    v1::StartRunRequest request;
    request.set_movie_id(movie_id);
    if (parent.empty()) return request;
    request.set_parent_run_id(parent);
    request.set_parent_job_id(job);
    return request;
  }
  v1::RunRecord Start(const v1::StartRunRequest& request) {
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run() : v1::RunRecord();
  }
  void AwaitB(const v1::RunRecord& run) {
    Ledger(
        run.run_id(),
        [](const v1::LedgerEvent& event) {
          return event.step_started().step().step_id() == "B";
        },
        run.movie_id());
  }
  // A run of "film" whose job B goes on.
  v1::RunRecord StartParent() {
    MakeMovie(Chain("{}", kSlowOnce));
    const v1::RunRecord parent = Start(Of("film"));
    AwaitB(parent);
    return parent;
  }
  absl::Status Cancel(const std::string& run_id) {
    v1::CancelRunRequest request;
    request.set_run_id(run_id);
    return runner().Cancel(request).status();
  }
  v1::RunRecord AwaitStatus(const std::string& run_id, v1::RunStatus status) {
    return AwaitRecord(run_id, [status](const v1::RunRecord& record) {
      return record.status() == status;
    });
  }
  std::vector<std::string> ChildrenOf(const std::string& run_id) {
    v1::ListRunsRequest request;
    request.set_parent_run_id(run_id);
    const absl::StatusOr<v1::ListRunsResponse> runs = runner().List(request);
    EXPECT_OK(runs);
    std::vector<std::string> ids;
    if (!runs.ok()) return ids;
    for (const v1::RunRecord& run : runs->runs()) ids.push_back(run.run_id());
    return ids;
  }
};

// F: S3-2, S3-4
TEST_F(RunnerChildrenTest, AChildNamesItsParentItsJobAndItsRoot) {
  const v1::RunRecord parent = StartParent();
  EXPECT_EQ(parent.root_run_id(), parent.run_id());
  EXPECT_EQ(parent.parent_run_id(), "");

  MakeMovie(Chain("{}", kSlowOnce), "teaser");
  const v1::RunRecord child = Start(Of("teaser", parent.run_id()));
  AwaitB(child);
  MakeMovie(Chain("{}"), "short");
  const v1::RunRecord grandchild = Start(Of("short", child.run_id()));
  const v1::RunRecord ended =
      AwaitStatus(grandchild.run_id(), v1::RUN_STATUS_COMPLETED);

  EXPECT_EQ(child.parent_run_id(), parent.run_id());
  EXPECT_EQ(child.parent_job_id(), "B");
  EXPECT_EQ(child.root_run_id(), parent.run_id());
  EXPECT_EQ(ended.parent_run_id(), child.run_id());
  EXPECT_EQ(ended.root_run_id(), parent.run_id());
  EXPECT_THAT(ChildrenOf(parent.run_id()), ElementsAre(child.run_id()));
  EXPECT_THAT(ChildrenOf(child.run_id()), ElementsAre(grandchild.run_id()));
  EXPECT_THAT(ChildrenOf(grandchild.run_id()), IsEmpty());
}

TEST_F(RunnerChildrenTest, AParentThatCannotBeOneIsRefusedByName) {
  const v1::RunRecord parent = StartParent();
  MakeMovie(Chain("{}"), "teaser");
  const auto refused = [this](const v1::StartRunRequest& request) {
    return runner().Start(request).status();
  };
  EXPECT_THAT(
      refused(Of("teaser", "run-1")),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("parent_run_id")));
  const absl::Status unknown =
      refused(Of("teaser", "run-01KDV3N3C00000000000000001"));
  EXPECT_EQ(ReasonOf(unknown), "RUN_NOT_FOUND");
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("parent_run_id"));
  // A job that is no part of the plan, and one whose turn has not come.
  for (const char* job : {"Z", "C"}) {
    EXPECT_THAT(refused(Of("teaser", parent.run_id(), job)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("parent_job_id"), HasSubstr(job))));
  }
  EXPECT_THAT(
      refused(Of("teaser", parent.run_id(), "")),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("parent_job_id")));
  v1::StartRunRequest orphan = Of("teaser");
  orphan.set_parent_job_id("B");
  EXPECT_THAT(refused(orphan), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("parent_run_id")));
  // It would cancel its own parent.
  v1::StartRunRequest replacing = Of("film", parent.run_id());
  replacing.set_if_active(v1::IF_ACTIVE_REPLACE);
  EXPECT_THAT(refused(replacing), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("if_active")));

  ASSERT_OK(Cancel(parent.run_id()));
  AwaitStatus(parent.run_id(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(ReasonOf(refused(Of("teaser", parent.run_id()))), "RUN_TERMINAL");
  EXPECT_THAT(ChildrenOf(parent.run_id()), IsEmpty());
}

// One that runs, its own child, and one that waits for its turn.
TEST_F(RunnerChildrenTest, ACancelledParentCancelsItsOpenChildren) {
  const v1::RunRecord parent = StartParent();
  MakeMovie(Chain("{}", kSlowOnce), "teaser");
  const v1::RunRecord running = Start(Of("teaser", parent.run_id()));
  AwaitB(running);
  v1::StartRunRequest queue = Of("teaser", parent.run_id());
  queue.set_if_active(v1::IF_ACTIVE_QUEUE);
  const v1::RunRecord queued = Start(queue);
  EXPECT_EQ(queued.status(), v1::RUN_STATUS_QUEUED);
  EXPECT_EQ(queued.parent_run_id(), parent.run_id());
  EXPECT_EQ(queued.root_run_id(), parent.run_id());
  MakeMovie(Chain("{}", kSlowOnce), "short");
  const v1::RunRecord below = Start(Of("short", running.run_id()));

  ASSERT_OK(Cancel(parent.run_id()));
  for (const v1::RunRecord& run : {running, queued}) {
    const v1::RunRecord ended =
        AwaitStatus(run.run_id(), v1::RUN_STATUS_CANCELLED);
    EXPECT_THAT(ended.error(), HasSubstr(parent.run_id()));
  }
  EXPECT_THAT(AwaitStatus(below.run_id(), v1::RUN_STATUS_CANCELLED).error(),
              HasSubstr(running.run_id()));
}

// Tells whose children were looked for.
class ParentsAsked final : public RunRecordStore {
 public:
  explicit ParentsAsked(RunRecordStore& base) : base_(base) {}

  absl::StatusOr<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) override {
    return base_.Put(request);
  }
  absl::StatusOr<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) override {
    return base_.Get(request);
  }
  absl::StatusOr<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) override {
    if (!request.parent_run_id().empty()) {
      MutexLock lock(mu_);
      parents_.push_back(request.parent_run_id());
    }
    return base_.List(request);
  }

  std::vector<std::string> parents() {
    MutexLock lock(mu_);
    return parents_;
  }

 private:
  RunRecordStore& base_;
  Mutex mu_;
  std::vector<std::string> parents_ ABSL_GUARDED_BY(mu_);
};

// To look for children is to read the records of all runs that go on.
TEST_F(RunnerChildrenTest, OnlyARunThatWasCancelledHasItsChildrenLookedFor) {
  ParentsAsked runs(store().runs);
  const Store base = store();
  RunnerProcess process({base.movies, base.blobs, base.events, base.manifests,
                         base.plans, base.leases, runs, base.maintenance},
                        clock_, {});
  MakeMovie(Chain("{}"), "short");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse completed,
                       process.runner().Start(Of("short")));
  AwaitStatus(completed.run().run_id(), v1::RUN_STATUS_COMPLETED);
  MakeMovie(Chain("{}", kSlowOnce));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse slow,
                       process.runner().Start(Of("film")));
  AwaitB(slow.run());
  v1::CancelRunRequest cancel;
  cancel.set_run_id(slow.run().run_id());
  ASSERT_OK(process.runner().Cancel(cancel).status());
  const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
  while (runs.parents().empty() && RealClock().MonotonicNanos() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_THAT(runs.parents(), ElementsAre(slow.run().run_id()));
}

// Attempts end when the test says so.
class HeldChildrenTest : public HeldRunnerFixture {
 protected:
  ~HeldChildrenTest() override { carrier_.reset(); }

  ThreadPool executor_{"runner", 4};
};

TEST_F(HeldChildrenTest, AFailedParentLeavesItsChildrenAlone) {
  CarryOn(store(), executor_, /*max_attempts=*/1);
  const std::string parent = StartRun(kTwo);
  producers_.WaitForAttempt("A");
  producers_.WaitForAttempt("B");
  MakeMovie(R"(
blueprint: one
nodes:
  X:
    producer: sim
    outputs: {XText: text/plain}
outputs: [XText]
)",
            "teaser");
  v1::StartRunRequest request;
  request.set_movie_id("teaser");
  request.set_parent_run_id(parent);
  request.set_parent_job_id("A");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse child,
                       carrier_->Start(request));
  producers_.WaitForAttempt("X");
  producers_.Succeed("B");
  producers_.Fail("A");
  AwaitRecord(parent, [](const v1::RunRecord& record) {
    return record.status() == v1::RUN_STATUS_FAILED;
  });
  ASSERT_OK(carrier_->AdoptOpenRuns());
  producers_.Succeed("X");
  const std::vector<v1::LedgerEvent> ledger =
      Ledger(child.run().run_id(), nullptr, "teaser");
  ASSERT_FALSE(ledger.empty());
  EXPECT_TRUE(ledger.back().has_run_completed());
}

// The runner was lost between the end of the parent and the child's.
TEST_F(RunnerChildrenTest, WhoLooksForOpenRunsCancelsWhatWasLeft) {
  const v1::RunRecord parent = StartParent();
  MakeMovie(Chain("{}", kSlowOnce), "teaser");
  const v1::RunRecord child = Start(Of("teaser", parent.run_id()));
  AwaitB(child);
  process_.reset();

  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("run/" + parent.run_id());
  acquire.set_holder("the runner that was lost");
  *acquire.mutable_ttl() = ToProto(absl::Minutes(1));
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse lease,
                       store().leases.Acquire(acquire));
  v1::AppendEventsRequest append;
  append.mutable_log()->set_movie_id("film");
  append.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  append.mutable_log()->set_run_id(parent.run_id());
  *append.mutable_lease() = lease.lease().token();
  v1::LedgerEvent* end = append.add_events()->mutable_ledger();
  end->set_run_id(parent.run_id());
  end->set_occurred_at_ms(NowMillis(clock_));
  end->mutable_run_cancelled()->set_error("enough");
  ASSERT_OK(store().events.Append(append));
  v1::GetRunRecordRequest get;
  get.set_run_id(parent.run_id());
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse found,
                       store().runs.Get(get));
  v1::PutRunRecordRequest put;
  *put.mutable_record() = found.record();
  put.mutable_record()->set_status(v1::RUN_STATUS_CANCELLED);
  *put.mutable_lease() = lease.lease().token();
  ASSERT_OK(store().runs.Put(put));

  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_THAT(AwaitStatus(child.run_id(), v1::RUN_STATUS_CANCELLED).error(),
              HasSubstr(parent.run_id()));
}

// F: S4-20
TEST_F(RunnerChildrenTest, TheTriggerIsInTheRecordAsItIs) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string trigger = R"({"trace_id": "t-1", "id": "e-1"})";
  v1::StartRunRequest request = Of("film");
  request.set_trigger_event_json(trigger);
  (*request.mutable_labels())["replay_of_event_id"] = "e-0";
  const v1::RunRecord run = Start(request);
  AwaitB(run);
  EXPECT_EQ(run.trigger_event_json(), trigger);
  request.set_if_active(v1::IF_ACTIVE_QUEUE);
  const v1::RunRecord queued = Start(request);
  EXPECT_EQ(queued.trigger_event_json(), trigger);
  EXPECT_EQ(queued.labels().at("replay_of_event_id"), "e-0");

  request.set_trigger_event_json("[]");
  EXPECT_THAT(runner().Start(request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("trigger_event_json")));
  ASSERT_OK(Cancel(queued.run_id()));
  ASSERT_OK(Cancel(run.run_id()));
}

// What the job of the parent waited for has ended; nobody waits for this one.
TEST_F(RunnerChildrenTest, AChildThatIsTakenUpAnewIsNobodysChild) {
  const v1::RunRecord parent = StartParent();
  MakeMovie(Chain("{}", kSlowOnce), "teaser");
  v1::StartRunRequest request = Of("teaser", parent.run_id());
  request.set_trigger_event_json("{}");
  const v1::RunRecord child = Start(request);
  AwaitB(child);
  ASSERT_OK(Cancel(child.run_id()));
  AwaitStatus(child.run_id(), v1::RUN_STATUS_CANCELLED);
  v1::ResumeRunRequest resume;
  resume.set_run_id(child.run_id());
  ASSERT_OK_AND_ASSIGN(const v1::ResumeRunResponse resumed,
                       runner().Resume(resume));
  EXPECT_EQ(resumed.run().parent_run_id(), "");
  EXPECT_EQ(resumed.run().root_run_id(), resumed.run().run_id());
  EXPECT_EQ(resumed.run().trigger_event_json(), "{}");
  EXPECT_THAT(ChildrenOf(parent.run_id()), ElementsAre(child.run_id()));
}

}  // namespace
}  // namespace kinora
