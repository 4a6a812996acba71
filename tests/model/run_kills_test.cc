// A run of 201 jobs in virtual time, with retries, a question, prices, a budget
// and a fan-in, of which runner, store and producers are killed, each alone and
// two at once, at every append to its ledger: as soon as that is durable, and
// before anybody has heard of it. (In between the events of one append nothing
// can fall: it is there as a whole or not at all.) Each time the run ends as
// the undisturbed one, by all that ModelRun checks.
//
// The run is carried out once for each test. At each append the process forks
// for each who may be killed there, and the child goes on to the end of the
// run: what led there is not made again.
//
// The budget is what the jobs cost, so whatever a kill left reserved, or had
// charged twice, would keep the run from its end. In another run it is what a
// few jobs cost, and somebody raises it by as much whenever the run asks: so
// jobs that fit and jobs that do not are there at the same time, and what the
// providers are paid may never be more than the cap.
//
// One test is a part of the appends, so that shards share them out. At each
// append one of the three pairs has its turn, or all of them if more seeds are
// wanted than one. A failing seed alone, or more of them (make kill-all):
//   bazel run //tests/model:run_kills_test -- --seed=N
//   bazel run //tests/model:run_kills_test -- --seeds=100

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/telemetry/log.h"
#include "common/testing/seed_range.h"
#include "common/testing/status_matchers.h"
#include "tests/model/model_producers.h"
#include "tests/model/model_run.h"
#include "tests/model/random_film.h"

namespace kinora {
namespace {

constexpr size_t kJobs = 201;
constexpr size_t kFreeJobs = 33;
constexpr int kParts = 12;

constexpr Victims kSingles[] = {
    {.runner = true}, {.store = true}, {.producers = true}};
constexpr Victims kPairs[] = {{.runner = true, .store = true},
                              {.runner = true, .producers = true},
                              {.store = true, .producers = true}};

SeedRange seeds = {.count = 1};

ModelRunOptions Options(uint64_t seed) {
  ModelRunOptions options;
  options.blueprint = LongFilm();
  options.seed = seed;
  options.faults = 4;
  // Those that were killed stay away for a while.
  options.max_attempts = 8;
  options.budget_micros =
      static_cast<int64_t>(kJobs - kFreeJobs) * kPriceMicros;
  options.is_patient = true;
  options.store.has_disk = true;
  return options;
}

// Mostly at the edge.
ModelRunOptions TightOptions(uint64_t seed) {
  ModelRunOptions options = Options(seed);
  options.budget_micros = 4 * kPriceMicros;
  options.raise_micros = 3 * kPriceMicros;
  return options;
}

using ChooseVictims = std::function<std::vector<Victims>(int append)>;

// It is the attempts that are lost with a runner which hold money.
std::vector<Victims> RunnersAt(int append) {
  const int turn = append / kParts;
  if (seeds.count == 1 && turn % 4 != 0) return {};
  if (turn % 8 == 0) return {{.runner = true}};
  return {{.runner = true, .producers = true}};
}

std::vector<Victims> VictimsAt(int append) {
  std::vector<Victims> victims(std::begin(kSingles), std::end(kSingles));
  if (seeds.count > 1) {
    victims.insert(victims.end(), std::begin(kPairs), std::end(kPairs));
  } else {
    victims.push_back(kPairs[append / kParts % 3]);
  }
  return victims;
}

std::string NameOf(const Victims& victims) {
  std::string name;
  if (victims.runner) absl::StrAppend(&name, " runner");
  if (victims.store) absl::StrAppend(&name, " store");
  if (victims.producers) absl::StrAppend(&name, " producers");
  return name;
}

// Goes on as one process for each who may be killed: the child returns whom,
// the parent nobody, once all have ended.
class Forks {
 public:
  explicit Forks(ChooseVictims choose) : choose_(std::move(choose)) {}

  Victims At(int append) {
    for (const Victims& victims : choose_(append)) {
      std::cerr.flush();
      const pid_t child = fork();
      if (child == 0) {
        is_child_ = true;
        where_ = absl::StrCat("killed", NameOf(victims), " at append ", append,
                              " to the ledger");
        return victims;
      }
      int status = 0;
      if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        ++failed_;
      }
      ++made_;
    }
    return Victims();
  }

  bool is_child() const { return is_child_; }
  const std::string& where() const { return where_; }
  int made() const { return made_; }
  int failed() const { return failed_; }

 private:
  const ChooseVictims choose_;
  bool is_child_ = false;
  std::string where_;
  int made_ = 0;
  int failed_ = 0;
};

// Of the child. No test ends in it, and what it has left is not looked for.
[[noreturn]] void EndChild(const std::string& where, const std::string& wrong,
                           const ModelRun& run) {
  if (!wrong.empty()) {
    std::cerr << where << ": " << wrong << "\n";
    for (const auto& changes : run.changes()) {
      std::cerr << "  a runner's last changes\n";
      const size_t from = changes.size() < 20 ? 0 : changes.size() - 20;
      for (size_t i = from; i < changes.size(); ++i) {
        std::cerr << "    " << changes[i] << "\n";
      }
    }
  }
  std::cerr.flush();
  _exit(wrong.empty() ? 0 : 1);
}

class RunKillsTest : public ::testing::TestWithParam<int> {
 protected:
  // Kills as `choose` says, at least `least` times.
  static void RunSeed(const ModelRunOptions& of_run, ChooseVictims choose,
                      int least) {
    ModelRun calm(of_run);
    ASSERT_OK_AND_ASSIGN(const ModelRun::End undisturbed, calm.Play({}));
    ASSERT_EQ(undisturbed.jobs, kJobs);
    ASSERT_GT(calm.ledger_appends(), 200);
    Forks forks(std::move(choose));
    ModelRunOptions options = of_run;
    options.strike = [&forks](int append) {
      const bool is_mine = append % kParts == GetParam();
      return is_mine && !forks.is_child() ? forks.At(append) : Victims();
    };
    ModelRun run(options);
    const std::string wrong = DifferenceOf(undisturbed, run.Play({}));
    if (forks.is_child()) EndChild(forks.where(), wrong, run);
    ASSERT_EQ(wrong, "");
    ASSERT_EQ(run.ledger_appends(), calm.ledger_appends());
    ASSERT_GE(forks.made(), least);
    ASSERT_EQ(forks.failed(), 0)
        << "of " << forks.made()
        << "\nbazel run //tests/model:run_kills_test -- --seed=" << of_run.seed;
  }
};

// F: F3, B-10, Invariant 13, Invariant 14
TEST_P(RunKillsTest, ARunKilledAtAnyAppendEndsAsAnUndisturbedOne) {
  for (uint64_t i = 0; i < seeds.count; ++i) {
    RunSeed(Options(seeds.first + i), &VictimsAt, /*least=*/4 * 200 / kParts);
    if (HasFatalFailure()) return;
  }
}

// F: B-10, Invariant 14
TEST_P(RunKillsTest, NoKillAtTheEdgeOfABudgetHasMorePaidThanIsAllowed) {
  for (uint64_t i = 0; i < seeds.count; ++i) {
    RunSeed(TightOptions(seeds.first + i), &RunnersAt,
            /*least=*/200 / kParts / 4);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, RunKillsTest, ::testing::Range(0, kParts));

}  // namespace
}  // namespace kinora

// See tests/crash/power_loss_test.cc. The less memory is in use, the less does
// a fork take.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2:quarantine_size_mb=8";
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!kinora::ParseSeedFlags(argc, argv, &kinora::seeds)) return 2;
  kinora::SetLogLevel(kinora::LogLevel::kOff);
  return RUN_ALL_TESTS();
}
