// When a planner asks the store whether the blobs of the base are there.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/testing/status_matchers.h"
#include "services/planner/movie_reader.h"
#include "services/planner/planned_film.h"
#include "services/planner/planned_movie.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using StorePlannerTest = PlannedFilmTest;

// Whoever takes a damaged blob away has it made again by the next run, whether
// or not the planner planned that revision before.
// F: B-14
TEST_F(StorePlannerTest, BlobThatIsLostBetweenPlansIsFoundByTheNext) {
  MakeMovie();
  Set("Input:Story", "a cat");
  const std::string text = MakeScript("a cat");
  const std::string film = MakeFilm(text);
  Commit();
  ASSERT_THAT(PlannedJobs(), IsEmpty());
  blobs_.forgotten = {film};
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
  blobs_.forgotten = {text};
  EXPECT_THAT(PlannedJobs(), ElementsAre("Script", "Film"));
  blobs_.forgotten.clear();
  EXPECT_THAT(PlannedJobs(), IsEmpty());
}

constexpr int kLines = 1100;

// One job that makes more artefacts than are asked for with every plan.
// F: B-14
TEST_F(StorePlannerTest, ManyBlobsAreAskedForNowAndThen) {
  MakeMovie(absl::StrCat("blueprint: poem\ndimensions: {line: {size: ", kLines,
                         "}}\ninputs: {Story: {type: text}}\nnodes:\n"
                         "  Poem:\n    producer: poem\n"
                         "    inputs: {story: Input:Story}\n    outputs: "
                         "{Line: {type: text/plain, "
                         "over: [line]}}\n"));
  Set("Input:Story", "a cat");
  JobKey key = ScriptKey("a cat");
  key.node.producer = "poem";
  key.node.outputs = {{"Line", "text/plain"}};
  key.job_id = "Poem";
  key.artefact_ids.clear();
  for (int line = 0; line < kLines; ++line) {
    key.artefact_ids.push_back(absl::StrCat("Artifact:Line[line=", line, "]"));
  }
  std::string last;
  for (const std::string& id : key.artefact_ids) last = Make(id, key);
  Commit();
  MovieReader reader(store_);
  PlannedMovie movie(store_, reader, nullptr, nullptr, nullptr, clock_, "film");
  const auto jobs = [&]() -> int64_t {
    const absl::StatusOr<MadePlan> made = movie.Plan(request_);
    EXPECT_OK(made);
    return made.ok() ? made->plan.summary().must_run_jobs() : -1;
  };
  ASSERT_EQ(jobs(), 0);
  blobs_.forgotten = {last};
  clock_.Advance(absl::Milliseconds(kLines - 1));
  EXPECT_EQ(jobs(), 0);
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(jobs(), 1);
}

}  // namespace
}  // namespace kinora
