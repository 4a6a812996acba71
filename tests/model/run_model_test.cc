// Whole runs in virtual time, killed at what they change: whatever was lost,
// the next runner brings the run to the same end. For each seed a film is drawn
// and made undisturbed; then once more, by other chances, while runners are
// killed, up to three of them, with providers that fail and break. In every
// third of them the store is killed, too, up to three times, at any change of
// its disk, and loses what it had not synced. Checked are the manifest's hash;
// that who knows its work charged for what was accepted and nothing else; that
// no job was called that had been completed, before its intent was durable, or
// while it was in doubt; that the store has kept what it had acknowledged; one
// dense ledger with one end, and the same for a follower; and that a plan
// afterwards is empty.
//
// One test is a block of seeds, so that shards share them out. A failing seed
// alone, with all that was changed:
//   bazel run //tests/model:run_model_test -- --seed=N
// More seeds than usual: --seeds=100000 (make kill-all).

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/telemetry/log.h"
#include "common/testing/seed_range.h"
#include "common/testing/status_matchers.h"
#include "tests/model/model_run.h"
#include "tests/model/random_film.h"

namespace kinora {
namespace {

constexpr int kBlocks = 50;
constexpr int kMaxKills = 3;
// So many changes of its disk does a store make for one of a runner's.
constexpr uint64_t kDiskChangesOfAChange = 4;

SeedRange seeds = {.count = 1'000};

void Tell(const ModelRun& run) {
  int life = 0;
  for (const std::vector<std::string>& changes : run.changes()) {
    std::cerr << "runner " << ++life << "\n";
    for (const std::string& change : changes)
      std::cerr << "  " << change << "\n";
  }
  for (const std::string& death : run.store().deaths()) {
    std::cerr << death << "\n";
  }
}

std::string Describe(const std::vector<KillPoint>& kills,
                     const ModelStoreOptions& store) {
  std::string text;
  for (int change : store.kills) {
    absl::StrAppend(&text, " store killed at change ", change, " of its disk");
  }
  for (const KillPoint& kill : kills) {
    absl::StrAppend(&text, " killed ", kill.is_made ? "after" : "before",
                    " change ", kill.change);
  }
  return text;
}

// The later ones soon after the store has started again, or in that.
std::vector<int> StoreKills(Random& random, uint64_t changes_of_runner) {
  std::vector<int> kills(1 + UniformBelow(random, kMaxKills));
  uint64_t changes = changes_of_runner * kDiskChangesOfAChange;
  for (int& kill : kills) {
    kill = static_cast<int>(UniformBelow(random, changes));
    changes = changes / 4 + 1;
  }
  return kills;
}

class RunModelTest : public ::testing::TestWithParam<int> {
 protected:
  static void RunSeed(uint64_t seed) {
    SeededRandom random(seed);
    ModelRunOptions options;
    options.blueprint = RandomFilm(random);
    options.seed = random.Next();
    options.layered = UniformBelow(random, 4) == 0;
    ModelRun calm(options);
    const absl::StatusOr<ModelRun::End> undisturbed = calm.Play({});
    ASSERT_OK(undisturbed) << options.blueprint;
    options.seed = random.Next();
    options.faults = static_cast<int>(UniformBelow(random, 40));
    options.has_rival = UniformBelow(random, 4) == 0;
    std::vector<KillPoint> kills(1 + UniformBelow(random, kMaxKills));
    uint64_t changes = calm.changes()[0].size();
    for (KillPoint& kill : kills) {
      kill.change = static_cast<int>(UniformBelow(random, changes));
      kill.is_made = UniformBelow(random, 2) == 0;
      changes = changes / 2 + 1;
    }
    options.store.has_disk = UniformBelow(random, 3) == 0;
    if (options.store.has_disk) {
      options.store.kills = StoreKills(random, calm.changes()[0].size());
    }
    ModelRun run(options);
    const std::string wrong = DifferenceOf(*undisturbed, run.Play(kills));
    if (!wrong.empty() || seeds.verbose) {
      std::cerr << options.blueprint;
      Tell(run);
    }
    ASSERT_EQ(wrong, "") << Describe(kills, options.store)
                         << "\nbazel run //tests/model:run_model_test -- "
                            "--seed="
                         << seed;
  }
};

TEST_P(RunModelTest, AKilledRunEndsAsAnUndisturbedOne) {
  for (uint64_t i = GetParam(); i < seeds.count; i += kBlocks) {
    RunSeed(seeds.first + i);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RunModelTest, ::testing::Range(0, kBlocks));

// The k-th change of the undisturbed run is that of the one that is killed
// there, as both go the same way until then.
class EveryChangeTest : public ::testing::TestWithParam<int> {
 protected:
  static constexpr int kParts = 20;

  static ModelRunOptions Options(int faults) {
    ModelRunOptions options;
    options.blueprint = FixedFilm();
    options.faults = faults;
    return options;
  }
};

TEST_P(EveryChangeTest, ARunKilledThereEndsAsAnUndisturbedOne) {
  for (int faults : {0, 20}) {
    ModelRun calm(Options(faults));
    ASSERT_OK_AND_ASSIGN(const ModelRun::End undisturbed, calm.Play({}));
    ASSERT_EQ(undisturbed.jobs, 14u);
    const int changes = static_cast<int>(calm.changes()[0].size());
    ASSERT_GT(changes, 50);
    for (int change = GetParam(); change < changes; change += kParts) {
      for (bool is_made : {false, true}) {
        const std::vector<KillPoint> kills = {{change, is_made}};
        ModelRun run(Options(faults));
        const std::string wrong = DifferenceOf(undisturbed, run.Play(kills));
        if (!wrong.empty()) Tell(run);
        ASSERT_EQ(wrong, "") << Describe(kills, {}) << ", with " << faults
                             << " faults of a hundred calls";
        ASSERT_EQ(run.changes()[0].back(),
                  calm.changes()[0][static_cast<size_t>(change)]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, EveryChangeTest, ::testing::Range(0, 20));

// The disk's n-th change, too, is the same until the store is killed there. In
// CI every kStride-th of them is tried, by a few other chances each time.
class EveryDiskChangeTest : public ::testing::TestWithParam<int> {
 protected:
  static constexpr int kParts = 20;
  static constexpr int kStride = 6;

  static int Stride() { return seeds.count > 1'000 ? 1 : kStride; }
};

TEST_P(EveryDiskChangeTest, ARunWhoseStoreIsKilledThereEndsAsUndisturbed) {
  ModelRunOptions options;
  options.blueprint = FixedFilm();
  options.faults = 10;
  options.store.has_disk = true;
  ModelRun calm(options);
  ASSERT_OK_AND_ASSIGN(const ModelRun::End undisturbed, calm.Play({}));
  const int changes = calm.store().changes();
  ASSERT_GT(changes, 200);
  for (int change = GetParam() * Stride(); change < changes;
       change += kParts * Stride()) {
    options.store.kills = {change};
    ModelRun run(options);
    const std::string wrong = DifferenceOf(undisturbed, run.Play({}));
    if (!wrong.empty()) Tell(run);
    ASSERT_EQ(wrong, "") << Describe({}, options.store);
    ASSERT_EQ(run.store().deaths().size(), 1u) << change;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, EveryDiskChangeTest, ::testing::Range(0, 20));

// Else a seed would not tell how to see a failure again.
TEST(ModelRunTest, TheSameSeedTakesTheSameWay) {
  for (uint64_t seed : {1, 2, 3}) {
    SeededRandom random(seed);
    ModelRunOptions options;
    options.blueprint = RandomFilm(random);
    options.seed = seed;
    options.faults = 20;
    options.has_rival = true;
    options.store = {.has_disk = true, .kills = {60, 20}};
    ModelRun once(options), again(options);
    ASSERT_OK(once.Play({{8, true}}));
    ASSERT_OK(again.Play({{8, true}}));
    EXPECT_EQ(once.changes(), again.changes());
    EXPECT_EQ(once.store().deaths(), again.store().deaths());
  }
}

}  // namespace
}  // namespace kinora

// See tests/crash/power_loss_test.cc.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2";
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!kinora::ParseSeedFlags(argc, argv, &kinora::seeds)) return 2;
  if (!kinora::seeds.verbose) kinora::SetLogLevel(kinora::LogLevel::kOff);
  return RUN_ALL_TESTS();
}
