// Runs whose runner is gone, and a store that does not answer whoever would go
// on with them.

#include <atomic>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/manifest/manifest_store.h"

namespace kinora {
namespace {

// A store whose answer to the first question for the current revision is lost.
class LossyManifests final : public ManifestStore {
 public:
  explicit LossyManifests(ManifestStore& base) : base_(base) {}

  absl::StatusOr<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override {
    if (!lost_.exchange(true)) return absl::UnavailableError("no answer");
    return base_.GetCurrent(request);
  }
  absl::StatusOr<StoredManifest> Get(
      const v1::GetManifestRequest& request) override {
    return base_.Get(request);
  }
  absl::StatusOr<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override {
    return base_.Read(request, sink);
  }
  absl::StatusOr<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) override {
    return base_.List(request);
  }
  absl::StatusOr<StoredManifest> Build(
      const v1::BuildManifestRequest& request) override {
    return base_.Build(request);
  }
  absl::StatusOr<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header,
      absl::string_view json) override {
    return base_.Publish(header, json);
  }
  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override {
    return base_.Commit(request);
  }
  absl::StatusOr<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) override {
    return base_.Revert(request);
  }

 private:
  ManifestStore& base_;
  std::atomic<bool> lost_{false};
};

using RunnerAdoptionOutageTest = RunnerFixture;

// What was made is not given up for a call that got lost.
TEST_F(RunnerAdoptionOutageTest, ARunIsLeftOpenIfItsBaseCannotBeLookedAt) {
  MakeMovie(Chain("{}", "{delay_ms: 600000, slow_attempts: 1}"));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(StartRequest()));
  const std::string run_id = started.run().run_id();
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_started().step().step_id() == "B";
  });
  process_.reset();
  LossyManifests manifests(store().manifests);
  const Store cut = {store().movies, store().blobs,      store().events,
                     manifests,      store().plans,      store().leases,
                     store().runs,   store().maintenance};
  process_ = std::make_unique<RunnerProcess>(cut, clock_, SimProducerOptions());
  ASSERT_OK(runner().AdoptOpenRuns());
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse left,
                       store().runs.Get(get));
  EXPECT_EQ(left.record().status(), v1::RUN_STATUS_RUNNING)
      << left.record().error();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  process_.reset();
}

}  // namespace
}  // namespace kinora
