#include "services/runner/runner_service.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cpp/runner_client.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr absl::string_view kBlueprint = R"(
blueprint: small
dimensions:
  part: {size: 3}
nodes:
  Part:
    producer: sim
    over: [part]
    outputs: {Text: text/plain}
outputs: [Text]
)";

class RunnerServiceTest : public CoreFixture,
                          public ::testing::WithParamInterface<Transport> {
 protected:
  RunnerServiceTest()
      : process_(store(), clock_, {}),
        executor_("service", 2),
        service_(process_.runner(), store().events, executor_,
                 &process_.dry_runs()),
        server_({{v1::RunnerService::service_full_name(), &service_}}),
        client_(server_.Channel(GetParam())) {}

  void SetUp() override {
    v1::CreateMovieRequest create;
    create.set_movie_id("film");
    create.set_blueprint(std::string(kBlueprint));
    ASSERT_OK(store().movies.Create(create));
  }

  absl::StatusOr<std::string> Start() {
    v1::StartRunRequest request;
    request.set_movie_id("film");
    absl::StatusOr<v1::StartRunResponse> started = client_.StartRun(request);
    if (!started.ok()) return started.status();
    return started->run().run_id();
  }

  // Sequences of the events of a watch.
  absl::StatusOr<std::vector<int64_t>> Watch(const std::string& run_id,
                                             int64_t after) {
    std::vector<int64_t> sequences;
    const absl::Status status =
        client_.WatchRun(run_id, after, [&](const v1::Event& event) {
          sequences.push_back(event.sequence());
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return sequences;
  }

  RunnerProcess process_;
  ThreadPool executor_;
  RunnerRpcService service_;
  InProcessServer server_;
  RunnerClient client_;
};

INSTANTIATE_TEST_SUITE_P(Transports, RunnerServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(RunnerServiceTest, WatchDeliversEachEventOnceAndEndsWithTheRun) {
  // F: S3-12, S3-13
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> all, Watch(run_id, 0));
  // created, started, three times started and completed, completed
  ASSERT_EQ(all.size(), 9u);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i], static_cast<int64_t>(i + 1));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> tail, Watch(run_id, 7));
  EXPECT_EQ(tail, (std::vector<int64_t>{8, 9}));
  // The one that ends a watch may be all that it delivers.
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> last, Watch(run_id, 8));
  EXPECT_EQ(last, (std::vector<int64_t>{9}));
  // Nothing is left to wait for.
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> none, Watch(run_id, 9));
  EXPECT_TRUE(none.empty());
}

// Nothing will ever come there, of a run that has ended; of one that goes on
// events would be left out.
TEST_P(RunnerServiceTest, AWatchThatBeginsPastTheEndIsToldWhereThatIs) {
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK(Watch(run_id, 0));
  for (const int after : {10, 99}) {
    const absl::Status refused = Watch(run_id, after).status();
    EXPECT_THAT(refused,
                StatusIs(absl::StatusCode::kOutOfRange,
                         HasSubstr(absl::StrCat("after_sequence: ", after,
                                                " is past the end, 9, of "))));
    EXPECT_EQ(ReasonOf(refused), "SEQUENCE_MISMATCH");
  }
}

// F: F3
TEST_P(RunnerServiceTest, AWatchOfTrimmedHistoryIsToldTheOldestEventThereIs) {
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK(Watch(run_id, 0));
  const std::string ledger = LedgerLogKey("film", run_id);
  ASSERT_OK(log_.Archive(
      ledger, 4, absl::StrCat(ParentPath(ledger), "/old.ledger.jsonl")));
  // What is archived can still be read.
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> all, Watch(run_id, 0));
  EXPECT_EQ(all.size(), 9u);
  ASSERT_OK(log_.Trim(ledger, 4));
  for (const int after : {0, 3}) {
    const absl::Status refused = Watch(run_id, after).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kOutOfRange));
    EXPECT_EQ(ReasonOf(refused), "LOG_TRIMMED");
    EXPECT_EQ(MetadataOf(refused)["oldest"], "5");
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> rest, Watch(run_id, 4));
  EXPECT_EQ(rest, (std::vector<int64_t>{5, 6, 7, 8, 9}));
  ASSERT_OK(log_.Archive(
      ledger, 8, absl::StrCat(ParentPath(ledger), "/more.ledger.jsonl")));
  ASSERT_OK(log_.Trim(ledger, 8));
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> last, Watch(run_id, 8));
  EXPECT_EQ(last, (std::vector<int64_t>{9}));
}

TEST_P(RunnerServiceTest, RunIsListedAndTold) {
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK(Watch(run_id, 0));
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, client_.GetRun(get));
  EXPECT_EQ(run.run().record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(run.run().record().published_revision(), "rev-0001");
  EXPECT_EQ(run.run().jobs_size(), 3);
  v1::ListRunsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse runs, client_.ListRuns(list));
  ASSERT_EQ(runs.runs_size(), 1);
  EXPECT_EQ(runs.runs(0).run_id(), run_id);
}

TEST_P(RunnerServiceTest, RunsAreListedByStatusAndPage) {
  ASSERT_OK_AND_ASSIGN(const std::string first, Start());
  ASSERT_OK(Watch(first, 0));
  ASSERT_OK_AND_ASSIGN(const std::string second, Start());
  ASSERT_OK(Watch(second, 0));
  // Their records are closed behind their ledgers.
  process_.runner().Drain(absl::InfiniteDuration());
  v1::ListRunsRequest list;
  list.add_statuses(v1::RUN_STATUS_RUNNING);
  list.add_statuses(v1::RUN_STATUS_WAITING);
  ASSERT_OK_AND_ASSIGN(v1::ListRunsResponse page, client_.ListRuns(list));
  EXPECT_EQ(page.runs_size(), 0);
  list.clear_statuses();
  list.add_statuses(v1::RUN_STATUS_COMPLETED);
  list.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(page, client_.ListRuns(list));
  ASSERT_EQ(page.runs_size(), 1);
  EXPECT_EQ(page.runs(0).run_id(), second);
  list.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(page, client_.ListRuns(list));
  ASSERT_EQ(page.runs_size(), 1);
  EXPECT_EQ(page.runs(0).run_id(), first);
  list.set_page_token("second");
  EXPECT_THAT(client_.ListRuns(list).status().message(),
              HasSubstr("page_token"));
}

TEST_P(RunnerServiceTest, RunsArePausedAndResumed) {
  v1::PauseRunRequest pause;
  pause.set_run_id(std::string(kRun2));
  EXPECT_EQ(ReasonOf(client_.PauseRun(pause).status()), "RUN_NOT_FOUND");
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK(Watch(run_id, 0));
  pause.set_run_id(run_id);
  EXPECT_EQ(ReasonOf(client_.PauseRun(pause).status()), "RUN_TERMINAL");
  // One that has ended goes on as another run.
  v1::ResumeRunRequest resume;
  resume.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::ResumeRunResponse resumed,
                       client_.ResumeRun(resume));
  EXPECT_EQ(resumed.run().resumes_run_id(), run_id);
  ASSERT_OK(Watch(resumed.run().run_id(), 0));
}

// As when the runner that took a report has died, whose lease lasts.
TEST_P(RunnerServiceTest, ReportsThatWaitLeaveThreadsForOtherCalls) {
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK(Watch(run_id, 0));
  ThreadPool threads("three", 3);
  RunnerRpcService service(process_.runner(), store().events, threads);
  InProcessServer server({{v1::RunnerService::service_full_name(), &service}});
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("run/" + run_id);
  acquire.set_holder("another");
  acquire.mutable_ttl()->set_seconds(3600);
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse held,
                       store().leases.Acquire(acquire));
  std::vector<std::thread> workers;
  for (int i = 0; i < 6; ++i) {
    workers.emplace_back([&] {
      RunnerClient worker(server.Channel(GetParam()));
      v1::IngestLedgerEventsRequest report;
      report.set_run_id(run_id);
      EXPECT_OK(worker.IngestLedgerEvents(report));
    });
  }
  // If these wait for the reports, no report gets the lease in time.
  RunnerClient other(server.Channel(GetParam()));
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  for (int i = 0; i < 200; ++i) EXPECT_OK(other.GetRun(get));
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = held.lease().token();
  EXPECT_OK(store().leases.Release(release));
  for (std::thread& worker : workers) worker.join();
}

TEST_P(RunnerServiceTest, UnknownRunIsNotFound) {
  EXPECT_THAT(Watch(std::string(kRun2), 0),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Watch("run-x", 0), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("run_id")));
}

TEST_P(RunnerServiceTest, ProducersSayWhatTheyAre) {
  ASSERT_OK_AND_ASSIGN(const v1::ListProducersResponse list,
                       client_.ListProducers({}));
  ASSERT_EQ(list.producers_size(), 6);
  EXPECT_EQ(list.producers(3).name(), "sim");
  EXPECT_TRUE(list.producers(3).reachable());
  EXPECT_EQ(list.producers(3).description().identity().version(), "1");
}

// F: B-8
TEST_P(RunnerServiceTest, ADryRunIsToldOfAndWatchedButNotListed) {
  v1::StartRunRequest request;
  request.set_movie_id("film");
  request.set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse ended,
                       client_.StartRun(request));
  EXPECT_TRUE(ended.run().dry_run());
  const std::string& run_id = ended.run().run_id();
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> all, Watch(run_id, 0));
  EXPECT_EQ(all.size(), 9u);
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> tail, Watch(run_id, 7));
  EXPECT_EQ(tail, (std::vector<int64_t>{8, 9}));
  ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> none, Watch(run_id, 9));
  EXPECT_TRUE(none.empty());
  EXPECT_THAT(Watch(run_id, 10),
              StatusIs(absl::StatusCode::kOutOfRange,
                       HasSubstr("10 is past the end, 9, of ")));
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, client_.GetRun(get));
  EXPECT_EQ(run.run().record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(run.run().jobs_size(), 3);
  ASSERT_EQ(run.run().recovery().refusals_size(), 1);
  EXPECT_EQ(run.run().recovery().state(), v1::RUN_RECOVERY_STATE_REFUSED);
  v1::ResumeRunRequest resume;
  resume.set_run_id(run_id);
  EXPECT_THAT(client_.ResumeRun(resume),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(run.run().recovery().refusals(0).message())));
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse runs, client_.ListRuns({}));
  EXPECT_TRUE(runs.runs().empty());
}

// F: S3-23
TEST_P(RunnerServiceTest, ARunIsReplayed) {
  ASSERT_OK_AND_ASSIGN(const std::string run_id, Start());
  ASSERT_OK(Watch(run_id, 0));
  v1::ReplayRunRequest request;
  request.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::ReplayRunResponse replay,
                       client_.ReplayRun(request));
  EXPECT_TRUE(replay.identical()) << replay.ShortDebugString();
  EXPECT_EQ(replay.answered_jobs(), 3);
  EXPECT_EQ(process_.calls(), 3);
  request.set_run_id(std::string(kRun1));
  EXPECT_THAT(client_.ReplayRun(request),
              StatusIs(absl::StatusCode::kNotFound));
}

// F: B-8
TEST_P(RunnerServiceTest, ARunnerWithoutDryRunsDoesNotStartARealOne) {
  v1::StartRunRequest request;
  request.set_movie_id("film");
  request.set_dry_run(true);
  EXPECT_THAT(process_.runner().Start(request),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("dry_run")));
  EXPECT_EQ(process_.calls(), 0);
}

}  // namespace
}  // namespace kinora
