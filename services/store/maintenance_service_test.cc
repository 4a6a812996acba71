#include "services/store/maintenance_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "clients/cpp/remote_store.h"
#include "common/error_reason.h"
#include "common/rpc/unary.h"
#include "common/status.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Scans that go on until they are let go.
class HeldScans {
 public:
  void Run() {
    MutexLock lock(mu_);
    ++begun_;
    most_at_once_ = std::max(most_at_once_, ++going_);
    changed_.SignalAll();
    while (!let_go_) changed_.Wait(mu_);
    --going_;
  }
  void WaitForFirst() {
    MutexLock lock(mu_);
    while (begun_ == 0) changed_.Wait(mu_);
  }
  void LetGo() {
    MutexLock lock(mu_);
    let_go_ = true;
    changed_.SignalAll();
  }
  int begun() {
    MutexLock lock(mu_);
    return begun_;
  }
  int most_at_once() {
    MutexLock lock(mu_);
    return most_at_once_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int begun_ ABSL_GUARDED_BY(mu_) = 0;
  int going_ ABSL_GUARDED_BY(mu_) = 0;
  int most_at_once_ ABSL_GUARDED_BY(mu_) = 0;
  bool let_go_ ABSL_GUARDED_BY(mu_) = false;
};

// Does what its requests say: the movie "film" has work to report, "endless"
// never comes to an end by itself, "slow" is scanned until it is let go, any
// other is not found.
class ScratchMaintenanceStore final : public MaintenanceStore {
 public:
  static constexpr int kReports = 1000;

  absl::Status CollectGarbage(
      const v1::CollectGarbageRequest& request,
      absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)> report)
      override {
    KINORA_RETURN_IF_ERROR(Require(request.movie_id()));
    absl::Status reported;
    for (int i = 1; reported.ok() && i <= kReports; ++i) {
      if (request.movie_id() == "endless") i = 1;
      v1::CollectGarbageResponse response;
      response.set_scanned_blobs(i);
      response.set_freed_bytes(request.dry_run() ? 0 : i);
      reported = report(response);
      MutexLock lock(mu_);
      ++reports_;
    }
    MutexLock lock(mu_);
    ended_ = reported;
    has_ended_ = true;
    ended_cv_.SignalAll();
    return reported;
  }
  absl::StatusOr<v1::ExplainBlobResponse> ExplainBlob(
      const v1::ExplainBlobRequest& request) override {
    v1::ExplainBlobResponse response;
    response.add_reached_by(request.digest().hash());
    return response;
  }
  absl::Status VerifyMovie(
      const v1::VerifyMovieRequest& request,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report)
      override {
    KINORA_RETURN_IF_ERROR(Require(request.movie_id()));
    v1::VerifyMovieResponse response;
    response.add_problems()->set_path("current.json");
    KINORA_RETURN_IF_ERROR(report(response));
    return absl::DataLossError("verification was cut short");
  }
  absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
      const v1::CheckpointMovieRequest& request) override {
    v1::CheckpointMovieResponse response;
    response.set_covered_events(request.remove_covered_logs() ? 2 : 1);
    return response;
  }
  absl::StatusOr<v1::ScanReadableFilesResponse> ScanReadableFiles(
      const v1::ScanReadableFilesRequest& request) override {
    if (request.movie_id() == "slow") held_scans_.Run();
    v1::ScanReadableFilesResponse response;
    response.add_artefact_ids(request.dry_run() ? "seen" : "recorded");
    return response;
  }
  absl::StatusOr<v1::PruneMovieResponse> PruneMovie(
      const v1::PruneMovieRequest& request) override {
    v1::PruneMovieResponse response;
    response.set_takes(request.keep_takes());
    return response;
  }
  absl::StatusOr<v1::GetStatisticsResponse> GetStatistics(
      const v1::GetStatisticsRequest& request) override {
    KINORA_RETURN_IF_ERROR(Require(request.movie_id()));
    v1::GetStatisticsResponse response;
    response.set_events(7);
    return response;
  }
  absl::Status BackUpMovie(
      const v1::BackUpMovieRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> write) override {
    KINORA_RETURN_IF_ERROR(Require(request.movie_id()));
    KINORA_RETURN_IF_ERROR(write("head|"));
    return write(copy_);
  }
  absl::StatusOr<v1::RestoreMovieResponse> RestoreMovie(
      absl::string_view movie_id,
      absl::FunctionRef<absl::StatusOr<std::string>()> read) override {
    std::string bytes;
    while (true) {
      absl::StatusOr<std::string> piece = read();
      if (!piece.ok()) {
        MutexLock lock(mu_);
        ended_ = piece.status();
        has_ended_ = true;
        ended_cv_.SignalAll();
        return piece.status();
      }
      if (piece->empty()) break;
      bytes += *piece;
      MutexLock lock(mu_);
      has_piece_ = true;
      piece_cv_.SignalAll();
    }
    restored_ = bytes;
    v1::RestoreMovieResponse response;
    response.set_current_revision(std::string(movie_id));
    return response;
  }

  HeldScans& held_scans() { return held_scans_; }
  const std::string& copy() const { return copy_; }
  const std::string& restored() const { return restored_; }
  int reports() {
    MutexLock lock(mu_);
    return reports_;
  }
  void WaitForPiece() {
    MutexLock lock(mu_);
    while (!has_piece_) piece_cv_.Wait(mu_);
  }
  // How the call that ended last did.
  absl::Status WaitForEnd() {
    MutexLock lock(mu_);
    while (!has_ended_) ended_cv_.Wait(mu_);
    return ended_;
  }

 private:
  static absl::Status Require(absl::string_view movie_id) {
    if (movie_id == "film" || movie_id == "endless") return absl::OkStatus();
    return WithReason(absl::NotFoundError("there is no such movie"),
                      "MOVIE_NOT_FOUND");
  }

  HeldScans held_scans_;
  const std::string copy_ = std::string(3'000'000, 'c');
  std::string restored_;
  Mutex mu_;
  CondVar ended_cv_;
  CondVar piece_cv_;
  bool has_piece_ ABSL_GUARDED_BY(mu_) = false;
  int reports_ ABSL_GUARDED_BY(mu_) = 0;
  bool has_ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status ended_ ABSL_GUARDED_BY(mu_);
};

class MaintenanceServiceTest : public ::testing::TestWithParam<Transport> {
 protected:
  MaintenanceServiceTest()
      : server_({{v1::MaintenanceService::service_full_name(), &service_}}),
        channel_(server_.Channel(GetParam())),
        stub_(v1::MaintenanceService::NewStub(channel_)),
        remote_(channel_) {}

  MaintenanceStore& remote() { return remote_.store().maintenance; }

  ScratchMaintenanceStore store_;
  ThreadPool executor_{"test", 2};
  MaintenanceRpcService service_{store_, executor_, v1::GetServerInfoResponse(),
                                 nullptr};
  InProcessServer server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::MaintenanceService::Stub> stub_;
  RemoteStore remote_;
};

INSTANTIATE_TEST_SUITE_P(All, MaintenanceServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(MaintenanceServiceTest, EveryReportArrivesInOrder) {
  v1::CollectGarbageRequest request;
  request.set_movie_id("film");
  int64_t last = 0;
  ASSERT_OK(remote().CollectGarbage(
      request, [&](const v1::CollectGarbageResponse& response) {
        EXPECT_EQ(response.scanned_blobs(), last + 1);
        EXPECT_EQ(response.freed_bytes(), last + 1);
        last = response.scanned_blobs();
        return absl::OkStatus();
      }));
  EXPECT_EQ(last, ScratchMaintenanceStore::kReports);
}

TEST_P(MaintenanceServiceTest, WhatWasReportedBeforeAnErrorArrives) {
  v1::VerifyMovieRequest request;
  request.set_movie_id("film");
  std::vector<std::string> paths;
  EXPECT_THAT(
      remote().VerifyMovie(request,
                           [&](const v1::VerifyMovieResponse& found) {
                             for (const auto& problem : found.problems()) {
                               paths.push_back(problem.path());
                             }
                             return absl::OkStatus();
                           }),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut short")));
  EXPECT_THAT(paths, ElementsAre("current.json"));
  request.set_movie_id("other");
  EXPECT_EQ(ReasonOf(remote().VerifyMovie(request,
                                          [](const v1::VerifyMovieResponse&) {
                                            return absl::InternalError(
                                                "no report is due");
                                          })),
            "MOVIE_NOT_FOUND");
}

TEST_P(MaintenanceServiceTest, ACallerThatGoesStopsTheWork) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::CollectGarbageRequest request;
  request.set_movie_id("endless");
  auto reader = stub_->CollectGarbage(&context, request);
  v1::CollectGarbageResponse response;
  ASSERT_TRUE(reader->Read(&response));
  context.TryCancel();
  EXPECT_THAT(store_.WaitForEnd(), StatusIs(absl::StatusCode::kCancelled));
  while (reader->Read(&response)) {
  }
  EXPECT_THAT(FromGrpcStatus(reader->Finish()),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_P(MaintenanceServiceTest, ADrainStopsTheWork) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::CollectGarbageRequest request;
  request.set_movie_id("endless");
  auto reader = stub_->CollectGarbage(&context, request);
  v1::CollectGarbageResponse response;
  ASSERT_TRUE(reader->Read(&response));
  std::thread drain([this] { server_.server().Drain(absl::Hours(1)); });
  while (reader->Read(&response)) {
  }
  EXPECT_THAT(FromGrpcStatus(reader->Finish()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("draining")));
  drain.join();
}

// An in-process channel buffers nothing, so what was reported is what the
// reader took, one report on its way and one that waits.
TEST_P(MaintenanceServiceTest, AReaderThatStopsHoldsTheWorkUp) {
  if (GetParam() == Transport::kTcp) GTEST_SKIP() << "TCP buffers many reports";
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::CollectGarbageRequest request;
  request.set_movie_id("endless");
  auto reader = stub_->CollectGarbage(&context, request);
  v1::CollectGarbageResponse response;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(reader->Read(&response));
  // Other calls are served meanwhile.
  ASSERT_OK(remote().ExplainBlob(v1::ExplainBlobRequest()));
  EXPECT_LE(store_.reports(), 12);
  context.TryCancel();
  EXPECT_THAT(store_.WaitForEnd(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_P(MaintenanceServiceTest, ACopyGoesThereAndBack) {
  v1::BackUpMovieRequest request;
  request.set_movie_id("film");
  std::string copy;
  ASSERT_OK(remote().BackUpMovie(request, [&](absl::string_view bytes) {
    copy.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }));
  EXPECT_TRUE(copy == "head|" + store_.copy()) << copy.size();

  size_t at = 0;
  ASSERT_OK_AND_ASSIGN(
      const v1::RestoreMovieResponse restored,
      remote().RestoreMovie("again", [&]() -> absl::StatusOr<std::string> {
        const std::string piece = copy.substr(at, 700'000);
        at += piece.size();
        return piece;
      }));
  EXPECT_EQ(restored.current_revision(), "again");
  EXPECT_TRUE(store_.restored() == copy);
}

TEST_P(MaintenanceServiceTest, ARestorationThatItsCallerGivesUpFails) {
  bool first = true;
  const absl::Status status =
      remote()
          .RestoreMovie("again",
                        [&]() -> absl::StatusOr<std::string> {
                          if (!first) {
                            store_.WaitForPiece();
                            return absl::DataLossError("bad disk");
                          }
                          first = false;
                          return "half";
                        })
          .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, "bad disk"));
  EXPECT_THAT(store_.WaitForEnd(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_P(MaintenanceServiceTest, ARestorationBeginsWithTheMovie) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::RestoreMovieResponse response;
  auto writer = stub_->RestoreMovie(&context, &response);
  v1::RestoreMovieRequest request;
  request.set_data("bytes");
  writer->Write(request);
  EXPECT_THAT(
      FromGrpcStatus(writer->Finish()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("movie_id")));
}

// More scans of one movie than there are threads, and all but one wait: nobody
// else waits for them.
TEST_P(MaintenanceServiceTest, ScansThatWaitHoldNothingElseUp) {
  constexpr int kScans = 5;
  std::vector<std::thread> scans;
  for (int i = 0; i < kScans; ++i) {
    scans.emplace_back([this, i] {
      v1::ScanReadableFilesRequest request;
      request.set_movie_id("slow");
      request.set_dry_run(i % 2 == 1);
      EXPECT_OK(remote().ScanReadableFiles(request));
    });
  }
  store_.held_scans().WaitForFirst();
  // The others come in while these are answered.
  v1::ScanReadableFilesRequest other;
  other.set_movie_id("film");
  for (int i = 0; i < 50 && !HasFailure(); ++i) {
    grpc::ClientContext context;
    SetTimeout(context, absl::Seconds(20));
    v1::ScanReadableFilesResponse response;
    EXPECT_OK(
        FromGrpcStatus(stub_->ScanReadableFiles(&context, other, &response)));
  }
  store_.held_scans().LetGo();
  for (std::thread& scan : scans) scan.join();
  EXPECT_EQ(store_.held_scans().begun(), kScans);
  EXPECT_EQ(store_.held_scans().most_at_once(), 1);
}

TEST_P(MaintenanceServiceTest, SingleCallsPassRequestAndAnswerOn) {
  v1::ExplainBlobRequest explain;
  explain.mutable_digest()->set_hash("abc");
  ASSERT_OK_AND_ASSIGN(const auto explained, remote().ExplainBlob(explain));
  EXPECT_THAT(explained.reached_by(), ElementsAre("abc"));
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_remove_covered_logs(true);
  ASSERT_OK_AND_ASSIGN(const auto covered,
                       remote().CheckpointMovie(checkpoint));
  EXPECT_EQ(covered.covered_events(), 2);
  v1::ScanReadableFilesRequest scan;
  scan.set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(const auto scanned, remote().ScanReadableFiles(scan));
  EXPECT_THAT(scanned.artefact_ids(), ElementsAre("seen"));
  v1::PruneMovieRequest prune;
  prune.set_keep_takes(3);
  ASSERT_OK_AND_ASSIGN(const auto pruned, remote().PruneMovie(prune));
  EXPECT_EQ(pruned.takes(), 3);
  v1::GetStatisticsRequest statistics;
  statistics.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const auto counted, remote().GetStatistics(statistics));
  EXPECT_EQ(counted.events(), 7);
}

}  // namespace
}  // namespace kinora
