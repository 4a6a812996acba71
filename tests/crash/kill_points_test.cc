// A process that serves a store on real files is killed (SIGKILL) at every
// point where it changes the disk: before each write, with half of it written,
// before each sync, rename, link, unlink and truncation, of every kind of file
// (common/testing/failpoint_file_system.h). What it had acknowledged by then
// came over a pipe. The store is opened again, sometimes killed in that too,
// and must keep every promise (store_checker.h).
//
// Each child runs a script with every step of the workload in it. The points
// are found by running it once without killing. Usually each is passed once,
// twice and for the last time; --all kills at every passing (make kill-all).
//   bazel run //tests/crash:kill_points_test -- --list

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/testing/failpoint_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/temp_dir.h"
#include "services/store/local_store.h"
#include "tests/crash/store_call.h"
#include "tests/crash/store_checker.h"
#include "tests/crash/store_facts.h"
#include "tests/crash/store_workload.h"

namespace kinora {
namespace {

constexpr int kBlocks = 8;      // tests, so that shards share the points out
constexpr int kScriptRuns = 4;  // of every step of the workload
constexpr uint64_t kScriptSeed = 20;

bool kill_at_every_passing = false;
bool list_points = false;

// A store of this process on the files in `dir`.
class Process {
 public:
  explicit Process(FileSystem& fs, std::string dir)
      : fs_(fs), dir_(std::move(dir)) {}

  absl::Status Open() {
    LocalStoreOptions options;
    options.data_dir = dir_;
    options.log_limits = {.journal_segment_bytes = 4096,
                          .max_unsynced_logs = 3};
    KINORA_ASSIGN_OR_RETURN(
        local_, LocalStore::Open(options, fs_, clock_, random_, executor_));
    return absl::OkStatus();
  }
  LocalStore& local() { return *local_; }

  // Every step of the workload several times. The same each time.
  absl::Status RunScript(StoreCaller::Observe observe, StoreFacts* facts) {
    StoreCaller caller(local_->store(), std::move(observe));
    StepContext context = {.caller = caller,
                           .facts = *facts,
                           .random = random_,
                           .movie_id = "film",
                           .next_id = &next_id_};
    KINORA_RETURN_IF_ERROR(CreateMovieStep(context));
    for (int run = 0; run < kScriptRuns; ++run) {
      for (const WorkloadStep& step : WorkloadSteps()) {
        KINORA_RETURN_IF_ERROR(Annotate(step.run(context), step.name));
        executor_.RunUntilIdle();
      }
    }
    return absl::OkStatus();
  }

  // After a restart: what got no answer is asked again, and life goes on.
  absl::Status GoOn(StoreFacts* facts) {
    absl::Status broken;
    StoreCaller caller(local_->store(), [&](const StoreCall& call) {
      if (call.answered) broken.Update(facts->Apply(call));
    });
    next_id_ = 1'000'000;
    StepContext context = {.caller = caller,
                           .facts = *facts,
                           .random = random_,
                           .movie_id = "film",
                           .next_id = &next_id_};
    KINORA_RETURN_IF_ERROR(Annotate(RepeatUnanswered(context), "repeat"));
    for (int i = 0; i < 5; ++i) {
      KINORA_RETURN_IF_ERROR(RunRandomStep(context));
      executor_.RunUntilIdle();
    }
    return broken;
  }

 private:
  FileSystem& fs_;
  const std::string dir_;
  SeededRandom random_{kScriptSeed};
  // Ahead of the files' own times, so that no blob is too young to collect.
  FakeClock clock_{RealClock().Now() + absl::Hours(1)};
  ManualExecutor executor_{clock_};
  int64_t next_id_ = 1;
  std::unique_ptr<LocalStore> local_;
};

struct KillPoint {
  std::string name;
  int passing = 0;
};

// All points of the script, with how often each is passed.
std::map<std::string, int> FindPoints() {
  TempDir dir;
  std::map<std::string, int> points;
  FailpointFileSystem fs(dir.path(),
                         [&](const std::string& point) { ++points[point]; });
  Process process(fs, dir.path());
  StoreFacts facts;
  absl::Status status = process.Open();
  const auto observe = [&](const StoreCall& call) {
    if (call.answered) status.Update(facts.Apply(call));
  };
  if (status.ok()) status = process.RunScript(observe, &facts);
  EXPECT_TRUE(status.ok()) << status;
  return points;
}

std::vector<KillPoint> ChooseKills() {
  std::vector<KillPoint> kills;
  for (const auto& point : FindPoints()) {
    for (int passing = 1; passing <= point.second; ++passing) {
      if (kill_at_every_passing || passing <= 2 || passing == point.second) {
        kills.push_back({point.first, passing});
      }
    }
  }
  return kills;
}

// Runs `body` in a process of its own. True if it was killed, false if it came
// to its end.
bool RunChild(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  const bool killed = WIFSIGNALED(status);
  EXPECT_TRUE(!killed || WTERMSIG(status) == SIGKILL) << "status " << status;
  return killed;
}

[[noreturn]] void Die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

void WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written <= 0) _exit(3);
    bytes.remove_prefix(written);
  }
}

std::string ReadAll(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    all.append(buffer, got);
  }
  return all;
}

// The script until the point is passed that often. Returns the calls that were
// made until then, the last one perhaps without an answer.
std::vector<StoreCall> RunScriptUntil(const KillPoint& point,
                                      const std::string& dir, bool* killed) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    int passed = 0;
    FailpointFileSystem fs(dir, [&](const std::string& reached) {
      if (reached == point.name && ++passed == point.passing) Die();
    });
    Process process(fs, dir);
    StoreFacts facts;
    const auto observe = [&](const StoreCall& call) {
      WriteAll(ends[1], EncodeCall(call));
      if (call.answered) facts.Apply(call).IgnoreError();
    };
    absl::Status status = process.Open();
    if (status.ok()) status = process.RunScript(observe, &facts);
    _exit(status.ok() ? 0 : 4);
  }
  close(ends[1]);
  const std::string bytes = ReadAll(ends[0]);
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  *killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(*killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
      << "status " << status;
  std::vector<StoreCall> calls;
  absl::string_view frames = bytes;
  while (std::optional<StoreCall> call = TakeCall(&frames)) {
    // The second time a call comes it has its answer.
    if (call->answered && !calls.empty()) calls.pop_back();
    calls.push_back(*std::move(call));
  }
  return calls;
}

absl::Status KillAndCheck(const KillPoint& point, int number) {
  TempDir dir;
  bool killed = false;
  StoreFacts facts;
  for (const StoreCall& call : RunScriptUntil(point, dir.path(), &killed)) {
    KINORA_RETURN_IF_ERROR(facts.Apply(call));
  }
  if (!killed) return absl::InternalError("the point was not reached");
  // Killed again in the recovery, at one of its first changes.
  RunChild([&] {
    int left = number % 8;
    FailpointFileSystem fs(dir.path(), [&](const std::string&) {
      if (left-- == 0) Die();
    });
    Process process(fs, dir.path());
    process.Open().IgnoreError();
    StoreFacts copy = facts;
    CheckStore(process.local(), fs, dir.path(), &copy).IgnoreError();
  });
  FailpointFileSystem fs(dir.path(), [](const std::string&) {});
  for (int opened = 0; opened < 2; ++opened) {
    Process process(fs, dir.path());
    KINORA_RETURN_IF_ERROR(Annotate(process.Open(), "open"));
    KINORA_RETURN_IF_ERROR(
        Annotate(CheckStore(process.local(), fs, dir.path(), &facts), "check"));
    KINORA_RETURN_IF_ERROR(VerifyStore(process.local(), facts));
    if (opened == 0) {
      KINORA_RETURN_IF_ERROR(Annotate(process.GoOn(&facts), "go on"));
    }
  }
  return absl::OkStatus();
}

class KillPointsTest : public ::testing::TestWithParam<int> {};

TEST_P(KillPointsTest, AStoreKilledAnywhereKeepsItsPromises) {
  const std::vector<KillPoint> kills = ChooseKills();
  ASSERT_GT(kills.size(), 100u);
  for (size_t i = GetParam(); i < kills.size(); i += kBlocks) {
    const absl::Status status = KillAndCheck(kills[i], static_cast<int>(i));
    EXPECT_TRUE(status.ok())
        << "killed at \"" << kills[i].name << "\", passing " << kills[i].passing
        << ": " << status;
  }
}

INSTANTIATE_TEST_SUITE_P(Points, KillPointsTest, ::testing::Range(0, kBlocks));

// A change of the disk that no script reaches is not tested: every operation on
// every kind of file that matters is among the points.
TEST(KillPointsCoverageTest, EveryKindOfFileIsAmongThePoints) {
  const std::map<std::string, int> points = FindPoints();
  if (list_points) {
    for (const auto& point : points) {
      std::cout << point.second << "\t" << point.first << "\n";
    }
    std::cout << points.size() << " points, " << ChooseKills().size()
              << " kills\n";
  }
  for (const char* point :
       {"write journal/N.wal",
        "sync journal/N.wal",
        "unlink journal/N.wal",
        "write builds/MOVIE/events/inputs.log",
        "write-half builds/MOVIE/events/artefacts.log",
        "link builds/MOVIE/events/REV.inputs.jsonl~ > "
        "builds/MOVIE/events/REV.inputs.jsonl",
        "rename builds/MOVIE/events/artefacts.log~ > "
        "builds/MOVIE/events/artefacts.log",
        "link staging~/N > builds/MOVIE/blobs/HH/HASH",
        "sync-volume ",
        "link staging~/N > builds/MOVIE/manifests/REV.json",
        "unlink builds/MOVIE/blobs/HH/HASH",
        "rename staging~/N > builds/MOVIE/current.json",
        "write builds/MOVIE/events/inputs.checkpoint~",
        "write-half builds/MOVIE/events/inputs.checkpoint~",
        "rename builds/MOVIE/events/inputs.checkpoint~ > "
        "builds/MOVIE/events/inputs.checkpoint",
        "link staging~/N > "
        "builds/MOVIE/events/artefacts.checkpoint.rev-N.jsonl",
        "rename staging~/N > builds/MOVIE/events/inputs.checkpoint.rev-N.json",
        "unlink builds/MOVIE/events/inputs.checkpoint.rev-N.json",
        "rename staging~/N > leases/movie/MOVIE.json",
        "rename staging~/N > builds/MOVIE/runs/RUN/record.json"}) {
    EXPECT_EQ(points.count(point), 1u) << point;
  }
}

}  // namespace
}  // namespace kinora

// See power_loss_test.cc.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2";
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kinora::SetLogLevel(kinora::LogLevel::kOff);
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--all") {
      kinora::kill_at_every_passing = true;
    } else if (argument == "--list") {
      kinora::list_points = true;
    } else {
      std::cerr << "usage: [--all] [--list]\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
