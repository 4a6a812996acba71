// A whole store on a disk that loses power at a random change: what was not
// synced is gone, or is there by chance, and the last write is torn. Opened
// again, it must keep every promise (store_checker.h). Several times in a row.
//
// One test is a block of seeds, so that shards share them out. A failing seed
// alone, with what was asked of the store:
//   bazel run //tests/crash:power_loss_test -- --seed=N
// More seeds than usual: --seeds=1000000 (make kill-all).

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/seed_range.h"
#include "services/store/local_store.h"
#include "tests/crash/store_call.h"
#include "tests/crash/store_checker.h"
#include "tests/crash/store_facts.h"
#include "tests/crash/store_workload.h"

namespace kinora {
namespace {

constexpr absl::string_view kDataDir = "/data";
constexpr int kBlocks = 100;
constexpr int kMaxRounds = 3;
// A round has so many steps that surely get through; then its end comes, a loss
// of power within so many changes.
constexpr int kMaxSureSteps = 14;
constexpr int kMaxChanges = 30;

SeedRange seeds;

// How a round ends.
enum class Ending { kPowerLoss, kClose, kFailedOperation };

class PowerLossRun {
 public:
  explicit PowerLossRun(uint64_t seed) : random_(seed) {}

  absl::Status Run() {
    const int rounds = 1 + Below(kMaxRounds);
    for (int round = 0; round < rounds; ++round) {
      if (Below(3) == 0) LosePowerInRecovery();
      KINORA_RETURN_IF_ERROR(Annotate(Open(&facts_), "open"));
      KINORA_RETURN_IF_ERROR(RunRound());
      local_.reset();
      executor_.RunUntilIdle();
    }
    KINORA_RETURN_IF_ERROR(Annotate(Open(&facts_), "open"));
    // As long as all else of a seed: not for each.
    if (Below(4) > 0) return absl::OkStatus();
    return VerifyStore(*local_, facts_);
  }

  const std::vector<std::string>& story() const { return story_; }

 private:
  int Below(int bound) {
    return static_cast<int>(
        UniformBelow(random_, static_cast<uint64_t>(bound)));
  }

  // As a new process does; then the facts are held against the store.
  absl::Status Open(StoreFacts* facts) {
    LocalStoreOptions options;
    options.data_dir = std::string(kDataDir);
    options.log_limits = {.journal_segment_bytes = 4096,
                          .max_unsynced_logs = 3};
    KINORA_ASSIGN_OR_RETURN(
        local_, LocalStore::Open(options, fs_, clock_, random_, executor_));
    story_.push_back("opened");
    return Annotate(CheckStore(*local_, fs_, kDataDir, facts), "check");
  }

  // The facts are as before: nothing was asked of the store.
  void LosePowerInRecovery() {
    fs_.StopAfter(Below(20));
    StoreFacts facts = facts_;
    Open(&facts).IgnoreError();
    local_.reset();
    LosePower();
  }

  absl::Status RunRound() {
    const int drawn = Below(8);
    const Ending ending = drawn < 6    ? Ending::kPowerLoss
                          : drawn == 6 ? Ending::kClose
                                       : Ending::kFailedOperation;
    KINORA_RETURN_IF_ERROR(RunSteps(ending));
    if (ending == Ending::kPowerLoss ||
        (ending == Ending::kFailedOperation && Below(2) == 0)) {
      LosePower();
    }
    fs_.ClearFailures();
    return absl::OkStatus();
  }

  void LosePower() {
    story_.push_back(absl::StrCat("power lost at change ", fs_.changes()));
    fs_.Crash(random_.Next());
  }

  absl::Status RunSteps(Ending ending) {
    absl::Status broken;
    StoreCaller caller(local_->store(), [&](const StoreCall& call) {
      if (!call.answered) return;
      story_.push_back(Describe(call));
      broken.Update(facts_.Apply(call));
    });
    // Later on another may hold the lease.
    if (Below(3) == 0) facts_.unanswered().clear();
    const int sure = Below(kMaxSureSteps);
    for (int step = 0; step < sure + kMaxSureSteps; ++step) {
      if (step == sure) {
        if (ending == Ending::kClose) return absl::OkStatus();
        if (ending == Ending::kPowerLoss) fs_.StopAfter(Below(kMaxChanges));
        if (ending == Ending::kFailedOperation) FailSomething();
      }
      StepContext context = {.caller = caller,
                             .facts = facts_,
                             .random = random_,
                             .movie_id = Below(4) > 0 ? "film" : "short",
                             .next_id = &next_id_};
      const absl::Status done =
          step == 0 ? RepeatUnanswered(context) : RunRandomStep(context);
      KINORA_RETURN_IF_ERROR(broken);
      executor_.RunUntilIdle();
      if (fs_.stopped()) return absl::OkStatus();
      if (done.ok()) continue;
      // Nothing but a disk in trouble is a reason to refuse.
      if (ending == Ending::kFailedOperation && step >= sure) {
        return absl::OkStatus();
      }
      return done;
    }
    return absl::OkStatus();
  }

  void FailSomething() {
    constexpr FileOp kOps[] = {FileOp::kAppend,       FileOp::kSync,
                               FileOp::kRename,       FileOp::kRenameIfAbsent,
                               FileOp::kOpenForWrite, FileOp::kSyncDirectory};
    const FileOp op = kOps[Below(6)];
    story_.push_back(
        absl::StrCat("operation ", static_cast<int>(op), " fails from now on"));
    const absl::Status status =
        absl::ResourceExhaustedError("No space left on device");
    if (Below(2) == 0) {
      fs_.FailNext(op, status);
    } else {
      fs_.FailAlways(op, status);
    }
  }

  SeededRandom random_;
  FaultyFileSystem fs_;
  FakeClock clock_;
  ManualExecutor executor_{clock_};
  StoreFacts facts_;
  int64_t next_id_ = 1;
  std::vector<std::string> story_;
  std::unique_ptr<LocalStore> local_;
};

class PowerLossTest : public ::testing::TestWithParam<int> {};

TEST_P(PowerLossTest, TheStoreKeepsItsPromises) {
  for (uint64_t i = GetParam(); i < seeds.count; i += kBlocks) {
    const uint64_t seed = seeds.first + i;
    PowerLossRun run(seed);
    const absl::Status status = run.Run();
    if (status.ok() && !seeds.verbose) continue;
    for (const std::string& line : run.story()) std::cerr << line << "\n";
    ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerLossTest, ::testing::Range(0, kBlocks));

}  // namespace
}  // namespace kinora

// The tests allocate much and leak nothing that needs a long trace: two thirds
// of the time otherwise.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2";
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kinora::SetLogLevel(kinora::LogLevel::kOff);
  if (!kinora::ParseSeedFlags(argc, argv, &kinora::seeds)) return 2;
  return RUN_ALL_TESTS();
}
