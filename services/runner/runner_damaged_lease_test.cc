// Runs of a movie whose lease cannot be read: they wait until it is mended, and
// are not damaged themselves.

#include <atomic>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/telemetry/metrics.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/checks.h"
#include "services/store/lease/lease_store.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr char kFile[] = "leases/movie/film.json";

// A store in which the movie's lease is damaged, for a while.
class DamagedLease final : public LeaseStore {
 public:
  explicit DamagedLease(LeaseStore& base) : base_(base) {}

  Store Within(const Store& store) {
    return {store.movies, store.blobs, store.events, store.manifests,
            store.plans,  *this,       store.runs,   store.maintenance};
  }
  void Mend() { is_mended_ = true; }

  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) override {
    if (Hides(request.lease_id())) return Damage();
    return base_.Acquire(request);
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) override {
    return base_.Renew(request);
  }
  absl::StatusOr<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) override {
    return base_.Release(request);
  }
  absl::StatusOr<v1::GetLeaseResponse> Get(
      const v1::GetLeaseRequest& request) override {
    if (Hides(request.lease_id())) return Damage();
    return base_.Get(request);
  }

 private:
  bool Hides(const std::string& lease_id) const {
    return !is_mended_ && lease_id == "movie/film";
  }
  static absl::Status Damage() {
    return DataCorrupt(kFile, "the checksum does not fit");
  }

  LeaseStore& base_;
  std::atomic<bool> is_mended_{false};
};

using RunnerDamagedLeaseTest = RunnerFixture;

// F: S3-10
TEST_F(RunnerDamagedLeaseTest, ARunBehindItIsSoundAndGoesOnOnceItIsMended) {
  MakeMovie(Slow("sim", 1, 600'000));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(StartRequest()));
  const std::string& run_id = started.run().run_id();
  Ledger(run_id, [](const v1::LedgerEvent& e) { return e.has_step_started(); });
  process_.reset();
  DamagedLease lease(store().leases);
  MetricsRegistry metrics;
  process_ = std::make_unique<RunnerProcess>(lease.Within(store()), clock_,
                                             SimProducerOptions(), &metrics);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_THAT(metrics.RenderPrometheus(),
              HasSubstr("\nkinora_runner_runs_damaged 0\n"));
  v1::ListRunsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse listed, runner().List(list));
  ASSERT_EQ(listed.runs_size(), 1);
  EXPECT_EQ(listed.runs(0).status(), v1::RUN_STATUS_RUNNING);
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse left, runner().Get(get));
  EXPECT_THAT(left.run().recovery().message(), HasSubstr(kFile));

  lease.Mend();
  ASSERT_OK(runner().AdoptOpenRuns());
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner().Cancel(cancel));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_CANCELLED);
  process_.reset();
}

}  // namespace
}  // namespace kinora
