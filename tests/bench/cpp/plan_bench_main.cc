// plan_bench: how long a plan takes, from a cold process to its summary.
//
//   --mode=fill   makes a store in --data with one movie of --sizes=A,B,C
//                 (A x B x C segments) that has one revision with everything
//                 made; --fan-in is flat or tree
//   --mode=peers  writes build.ninja, Makefile and .ninja_log of the same graph
//                 below --data, and all its files
//   --mode=plan   opens the store and plans, with --edit=none|leaf|root staged;
//                 --cache is a directory of saved graphs or empty
//   --mode=warm   plans, then re-plans --rounds times with another leaf edited
//                 each time: an input event, as a user's edit is
//
// Fails unless the plan has as many jobs as the graph and those to run that the
// edit reaches.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/store/local_store.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/plan_movie.h"
#include "tests/bench/cpp/plan_peers.h"

ABSL_FLAG(std::string, mode, "plan", "fill, peers, plan or warm");
ABSL_FLAG(std::string, data, "", "folder");
ABSL_FLAG(std::string, sizes, "4,7,60", "segments: A,B,C");
ABSL_FLAG(std::string, fan_in, "tree", "flat or tree");
ABSL_FLAG(std::string, edit, "none", "none, leaf or root");
ABSL_FLAG(std::string, cache, "", "folder of saved graphs; empty for none");
ABSL_FLAG(int, rounds, 50, "of mode warm");

namespace kinora {
namespace {

// Jobs that an edit of one prompt reaches: five stages, Text, and the film
// with what of a tree lies on the way.
int64_t JobsOfLeaf(bool tree) { return tree ? 6 + 3 : 6 + 1; }

v1::CreatePlanRequest WhatIf() {
  v1::CreatePlanRequest request;
  request.set_movie_id(kPlanMovie);
  request.set_dry_run(true);
  return request;
}

void Stage(const std::string& id, v1::CreatePlanRequest* request) {
  v1::PendingEdit& edit = *request->add_pending_edits();
  edit.set_input_id(id);
  v1::InlineValue& value = *edit.mutable_content()->mutable_inline_();
  value.set_mime_type("application/json");
  value.set_data("\"another one\"");
}

std::string Prompt(int a, int b, int c) {
  return absl::StrCat("Input:Prompt[a=", a, "][b=", b, "][c=", c, "]");
}

// Fails unless the plan is the one the edit must give.
void Check(const v1::PlanSummary& summary, int64_t jobs, int64_t to_run) {
  const int64_t got = summary.must_run_jobs() + summary.may_run_jobs();
  if (summary.total_jobs() == jobs && got == to_run &&
      summary.clean_jobs() == jobs - to_run) {
    return;
  }
  FailBench(absl::DataLossError(
      absl::StrCat("of ", summary.total_jobs(), " jobs ", got, " to run and ",
                   summary.clean_jobs(), " clean; of ", jobs, " jobs ", to_run,
                   " to run are right")));
}

struct Shape {
  std::vector<uint32_t> sizes;
  bool tree = true;

  int64_t jobs() const {
    const int64_t a = sizes[0];
    const int64_t b = sizes[1];
    return 6 * a * b * sizes[2] + (tree ? a * b + a : 0) + 2;
  }
  int64_t JobsToRun(const std::string& edit) const {
    if (edit == "none") return 0;
    return edit == "leaf" ? JobsOfLeaf(tree) : jobs();
  }
};

Figures PlanOnce(Store store, const Shape& shape, Executor* executor) {
  const std::string edit = absl::GetFlag(FLAGS_edit);
  v1::CreatePlanRequest request = WhatIf();
  if (edit == "leaf") Stage(Prompt(0, 0, 1), &request);
  if (edit == "root") Stage("Input:Story", &request);
  StorePlanner planner(store, PosixFileSystem(), absl::GetFlag(FLAGS_cache),
                       executor);
  const Stopwatch watch;
  const CreatedPlan plan = Must(planner.CreatePlan(request));
  const double seconds = watch.Seconds();
  const v1::PlanSummary& summary = plan.header.summary();
  Check(summary, shape.jobs(), shape.JobsToRun(edit));
  return {{"jobs", static_cast<double>(summary.total_jobs())},
          {"must_run", static_cast<double>(summary.must_run_jobs())},
          {"may_run", static_cast<double>(summary.may_run_jobs())},
          {"plan_seconds", seconds}};
}

Figures PlanAgain(Store store, const Shape& shape, Executor* executor) {
  StorePlanner planner(store, PosixFileSystem(), absl::GetFlag(FLAGS_cache),
                       executor);
  const Stopwatch cold;
  Must(planner.CreatePlan(WhatIf()).status());
  const double cold_seconds = cold.Seconds();
  std::vector<double> warm;
  const int rounds = absl::GetFlag(FLAGS_rounds);
  for (int i = 0; i < rounds; ++i) {
    const uint32_t c = static_cast<uint32_t>(i) % shape.sizes[2];
    const uint32_t b =
        static_cast<uint32_t>(i) / shape.sizes[2] % shape.sizes[1];
    v1::CreatePlanRequest request = WhatIf();
    Stage(Prompt(0, static_cast<int>(b), static_cast<int>(c)), &request);
    const Stopwatch watch;
    const CreatedPlan plan = Must(planner.CreatePlan(request));
    warm.push_back(watch.Seconds());
    Check(plan.header.summary(), shape.jobs(), JobsOfLeaf(shape.tree));
  }
  std::sort(warm.begin(), warm.end());
  return {{"cold_seconds", cold_seconds},
          {"warm_seconds", warm[warm.size() / 2]},
          {"warm_seconds_max", warm.back()}};
}

Shape ShapeOf() {
  Shape shape;
  for (absl::string_view size :
       absl::StrSplit(absl::GetFlag(FLAGS_sizes), ',')) {
    if (!absl::SimpleAtoi(size, &shape.sizes.emplace_back())) {
      FailBench(absl::InvalidArgumentError("--sizes=A,B,C are numbers"));
    }
  }
  if (shape.sizes.size() != 3) {
    FailBench(absl::InvalidArgumentError("--sizes has three numbers"));
  }
  shape.tree = absl::GetFlag(FLAGS_fan_in) == "tree";
  return shape;
}

Figures Run() {
  const Shape shape = ShapeOf();
  const std::string mode = absl::GetFlag(FLAGS_mode);
  const std::string data = absl::GetFlag(FLAGS_data);
  if (mode == "peers") {
    WritePlanPeers(data, shape.sizes, shape.tree);
    return {{"jobs", static_cast<double>(shape.jobs())}};
  }
  ThreadPool pool("bench", 4);
  LocalStoreOptions options;
  options.data_dir = data;
  const Stopwatch watch;
  const std::unique_ptr<LocalStore> local = Must(LocalStore::Open(
      options, PosixFileSystem(), RealClock(), SystemRandom(), pool));
  const double open_seconds = watch.Seconds();
  if (mode == "fill") {
    FillPlanMovie(local->store(), shape.sizes, shape.tree);
    return {{"jobs", static_cast<double>(shape.jobs())}};
  }
  Figures figures = mode == "warm" ? PlanAgain(local->store(), shape, &pool)
                                   : PlanOnce(local->store(), shape, &pool);
  figures["open_seconds"] = open_seconds;
  return figures;
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
