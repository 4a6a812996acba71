// Runs whose runner is gone, and a store that does not answer whoever would go
// on with them.

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/testing/forwarding_manifest_store.h"

namespace kinora {
namespace {

// A store whose answer to the first question for the current revision is lost.
class LossyManifests final : public ForwardingManifestStore {
 public:
  using ForwardingManifestStore::ForwardingManifestStore;

  absl::StatusOr<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override {
    if (!lost_.exchange(true)) return absl::UnavailableError("no answer");
    return ForwardingManifestStore::GetCurrent(request);
  }

 private:
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
  process_ = std::make_unique<RunnerProcess>(manifests.Within(store()), clock_,
                                             SimProducerOptions());
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
