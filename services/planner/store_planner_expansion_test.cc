// StorePlanner: plans that go on during a run.

#include <string>
#include <utility>
#include <vector>

#include "services/planner/planned_film.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

using StorePlannerTest = PlannedFilmTest;

// F: B-2
TEST_F(StorePlannerTest, ExpandsAPlanWithWhatItWasMadeWith) {
  MakeMovie(kScenes);
  ASSERT_OK_AND_ASSIGN(CreatedPlan created, Plan());
  EXPECT_EQ(created.header.summary().deferred_nodes(), 1);
  v1::ExpandDeferredGroupRequest request;
  request.set_movie_id("film");
  request.set_plan_hash(created.header.plan_hash());
  request.set_artefact_id("Artifact:Scenes");
  EXPECT_THAT(Expand(request),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("Artifact:Scenes has not landed")));

  JobKey key;
  key.node.producer = "script";
  key.node.settings = Sha256Of("{}");
  key.node.outputs = {{"Scenes", "application/json"}};
  key.job_id = "Script";
  key.artefact_ids = {"Artifact:Scenes"};
  key.bindings = {Bound("story", Sha256Of("a whale"))};
  const std::string hash = Make("Artifact:Scenes", key, R"(["a", "b"])");
  // Belongs to the next revision.
  Set("Input:Story", "a shark");
  ASSERT_OK_AND_ASSIGN(v1::ExpandDeferredGroupResponse more, Expand(request));
  ASSERT_EQ(more.layers_size(), 1);
  ASSERT_EQ(more.layers(0).jobs_size(), 2);
  EXPECT_EQ(more.layers(0).jobs(1).job_id(), "Clip[segment=1]");
  EXPECT_FALSE(more.layers(0).jobs(1).inputs_hash().empty());
  EXPECT_EQ(more.nodes_size(), 1);
  EXPECT_EQ(more.deferred_size(), 0);
  EXPECT_EQ(more.reused_size(), 0);  // the plan has the script itself
  EXPECT_EQ(more.summary().total_jobs(), 3);
  ASSERT_OK_AND_ASSIGN(v1::ExpandDeferredGroupResponse again, Expand(request));
  EXPECT_EQ(CanonicalBytes(again), CanonicalBytes(more));

  request.mutable_content()->mutable_blob()->mutable_digest()->set_hash(
      Sha256Of("[]").Hex());
  EXPECT_THAT(Expand(request),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(hash)));
  request.clear_content();
  request.set_artefact_id("Artifact:Clip[segment=0]");
  EXPECT_THAT(Expand(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("artefact_id")));
  request.set_plan_hash(Sha256Of("none").Hex());
  EXPECT_THAT(Expand(request), StatusIs(absl::StatusCode::kNotFound));
}

constexpr char kShots[] = R"(blueprint: shots
dimensions:
  segment: {size: Scenes}
  shot: {within: segment, size: "Shots[segment]"}
nodes:
  Script: {producer: script, outputs: {Scenes: application/json}}
  Board:
    producer: board
    over: [segment]
    inputs: {scenes: Scenes}
    outputs: {Shots: application/json}
  Clip: {producer: clip, over: [segment, shot], outputs: {Clip: video/mp4}}
)";

// Each graph that is tried asks for the blobs of what decides.
TEST_F(StorePlannerTest, AnExpansionGoesOnFromTheOneBefore) {
  MakeMovie(kShots);
  ASSERT_OK_AND_ASSIGN(CreatedPlan created, Plan());
  const auto expand = [&](const std::string& id, const std::string& hash,
                          size_t bytes) {
    v1::ExpandDeferredGroupRequest request;
    request.set_movie_id("film");
    request.set_run_id(kRun);
    request.set_plan_hash(created.header.plan_hash());
    request.set_artefact_id(id);
    v1::BlobRef& blob = *request.mutable_content()->mutable_blob();
    blob.mutable_digest()->set_hash(hash);
    blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(bytes));
    blob.set_mime_type("application/json");
    return Expand(request);
  };
  JobKey script;
  script.node.producer = "script";
  script.node.settings = Sha256Of("{}");
  script.node.outputs = {{"Scenes", "application/json"}};
  script.job_id = "Script";
  script.artefact_ids = {"Artifact:Scenes"};
  const std::string scenes = "[1,2,3]";
  const std::string hash = Make("Artifact:Scenes", script, scenes);
  ASSERT_OK(expand("Artifact:Scenes", hash, scenes.size()).status());
  int64_t clips = 0;
  for (int i = 0; i < 3; ++i) {
    const std::string index = "[segment=" + std::to_string(i) + "]";
    JobKey board;
    board.node.producer = "board";
    board.node.settings = Sha256Of("{}");
    board.node.outputs = {{"Shots", "application/json"}};
    board.job_id = "Board" + index;
    board.artefact_ids = {"Artifact:Shots" + index};
    board.bindings = {Bound("scenes", *Digest::ParseHex(hash))};
    const std::string shots = i == 0 ? "[]" : i == 1 ? "[1]" : "[1,2]";
    const std::string landed = Make(board.artefact_ids[0], board, shots);
    blobs_.searches = 0;
    ASSERT_OK_AND_ASSIGN(const v1::ExpandDeferredGroupResponse more,
                         expand(board.artefact_ids[0], landed, shots.size()));
    EXPECT_EQ(blobs_.searches, 1) << index;
    clips += i;
    EXPECT_EQ(more.summary().total_jobs(), 1 + 3 + clips);
  }
}

}  // namespace
}  // namespace kinora
