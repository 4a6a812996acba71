#include "services/planner/store_planner.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/error_reason.h"
#include "common/inputs_hash.h"
#include "common/proto_json.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/local_store.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kRun[] = "run-01ARZ3NDEKTSV4RRFFQ69G5FAV";
constexpr char kFilm[] = R"(blueprint: film
inputs:
  Story: {type: text}
  Mood: {type: text, default: calm}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: text/plain}
  Film:
    producer: film
    inputs: {text: "Text", mood: "Input:Mood"}
    outputs: {Film: video/mp4}
outputs: [Film]
)";

// Says that some blobs are gone, as after damage to a disk.
class ForgetfulBlobStore final : public BlobStore {
 public:
  explicit ForgetfulBlobStore(BlobStore& base) : base_(base) {}

  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) override {
    return base_.StartUpload(header);
  }
  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override {
    return base_.Read(request, sink);
  }
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) override {
    return base_.BatchWrite(request);
  }
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) override {
    return base_.BatchRead(request);
  }
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override {
    ++searches;
    v1::FindMissingBlobsResponse response;
    for (const v1::Digest& digest : request.digests()) {
      if (forgotten.contains(digest.hash())) *response.add_missing() = digest;
    }
    return response;
  }
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override {
    return base_.Stat(request);
  }

  absl::flat_hash_set<std::string> forgotten;
  int searches = 0;

 private:
  BlobStore& base_;
};

class StorePlannerTest : public ::testing::Test {
 protected:
  StorePlannerTest()
      : local_(LocalStore::Open({}, disk_, clock_, random_, executor_).value()),
        blobs_(local_->store().blobs),
        store_{local_->store().movies, blobs_,
               local_->store().events, local_->store().manifests,
               local_->store().plans,  local_->store().leases,
               local_->store().runs,   local_->store().maintenance},
        planner_(store_) {}

  void MakeMovie(const std::string& yaml = kFilm) {
    v1::CreateMovieRequest request;
    request.set_movie_id("film");
    request.set_blueprint(yaml);
    ASSERT_OK(store_.movies.Create(request));
    v1::AcquireLeaseRequest acquire;
    acquire.set_lease_id("movie/film");
    acquire.set_holder("test");
    acquire.mutable_ttl()->set_seconds(60);
    ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse lease,
                         store_.leases.Acquire(acquire));
    lease_ = lease.lease().token();
  }

  void Set(const std::string& id, const std::string& text,
           v1::EditedBy edited_by = v1::EDITED_BY_USER) {
    v1::AppendEventsRequest append;
    append.mutable_log()->set_movie_id("film");
    append.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    v1::Event& event = *append.add_events();
    event.set_revision("rev-0001");
    event.mutable_input()->set_input_id(id);
    event.mutable_input()->set_edited_by(edited_by);
    *event.mutable_input()->mutable_content() =
        InlineContent("text/plain", text);
    ASSERT_OK(store_.events.Append(append));
  }

  absl::StatusOr<CreatedPlan> Plan() { return planner_.CreatePlan(request_); }

  std::vector<std::string> PlannedJobs() {
    std::vector<std::string> ids;
    absl::StatusOr<CreatedPlan> plan = Plan();
    EXPECT_OK(plan);
    if (!plan.ok()) return ids;
    for (const v1::PlanLayer& layer : plan->layers) {
      for (const v1::PlannedJob& job : layer.jobs()) {
        ids.push_back(job.job_id());
      }
    }
    return ids;
  }

  // Appends the result of a job, as a run would, under the key of a film whose
  // story is `story`. Returns the blob's hash.
  std::string Make(const std::string& artefact, JobKey key,
                   std::string bytes = "") {
    v1::BatchWriteBlobsRequest write;
    write.set_movie_id("film");
    if (bytes.empty()) bytes = artefact + " by " + InputsHash(key).Hex();
    write.add_blobs()->set_data(bytes);
    EXPECT_OK(store_.blobs.BatchWrite(write));
    v1::AppendEventsRequest append;
    append.mutable_log()->set_movie_id("film");
    append.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    *append.mutable_lease() = lease_;
    v1::Event& event = *append.add_events();
    event.set_revision("rev-0001");
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_artefact_id(artefact);
    attempt.set_inputs_hash(InputsHash(key).Hex());
    attempt.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    v1::BlobRef& blob = *attempt.mutable_output()->mutable_blob();
    blob.mutable_digest()->set_hash(Sha256Of(bytes).Hex());
    blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(bytes.size()));
    blob.set_mime_type("text/plain");
    v1::ProducedBy& by = *attempt.mutable_produced_by();
    by.set_run_id(kRun);
    by.set_job_id(key.job_id);
    by.set_node(key.job_id.substr(0, key.job_id.find('[')));
    by.mutable_producer()->set_name(key.node.producer);
    by.set_settings_hash(key.node.settings.Hex());
    by.set_attempt(1);
    EXPECT_OK(store_.events.Append(append));
    return blob.digest().hash();
  }
  static KeyBinding Bound(const std::string& name, const Digest& content) {
    KeyBinding binding;
    binding.name = name;
    binding.contents = {content};
    return binding;
  }
  static JobKey ScriptKey(const std::string& story) {
    JobKey key;
    key.node.producer = "script";
    key.node.settings = Sha256Of("{}");
    key.node.outputs = {{"Text", "text/plain"}};
    key.job_id = "Script";
    key.artefact_ids = {"Artifact:Text"};
    key.bindings = {Bound("story", Sha256Of(story))};
    return key;
  }
  std::string MakeScript(const std::string& story) {
    return Make("Artifact:Text", ScriptKey(story));
  }
  // Appends that the script of such a story was refused.
  void RefuseScript(const std::string& story, const std::string& revision) {
    v1::AppendEventsRequest append;
    append.mutable_log()->set_movie_id("film");
    append.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    *append.mutable_lease() = lease_;
    v1::Event& event = *append.add_events();
    event.set_revision(revision);
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_artefact_id("Artifact:Text");
    attempt.set_inputs_hash(InputsHash(ScriptKey(story)).Hex());
    attempt.set_status(v1::ARTEFACT_STATUS_FAILED);
    attempt.mutable_failure()->set_reason(v1::FAILURE_REASON_REJECTED);
    attempt.mutable_failure()->set_message("refused");
    v1::ProducedBy& by = *attempt.mutable_produced_by();
    by.set_run_id(kRun);
    by.set_job_id("Script");
    by.set_node("Script");
    by.mutable_producer()->set_name("script");
    by.set_settings_hash(Sha256Of("{}").Hex());
    by.set_attempt(1);
    ASSERT_OK(store_.events.Append(append));
  }
  std::string MakeFilm(const std::string& text_hash) {
    JobKey key;
    key.node.producer = "film";
    key.node.settings = Sha256Of("{}");
    key.node.outputs = {{"Film", "video/mp4"}};
    key.job_id = "Film";
    key.artefact_ids = {"Artifact:Film"};
    key.bindings = {Bound("text", *Digest::ParseHex(text_hash)),
                    Bound("mood", Sha256Of("calm"))};
    return Make("Artifact:Film", key);
  }
  void Commit() {
    v1::CommitRevisionRequest commit;
    commit.set_movie_id("film");
    commit.mutable_source()->set_target_revision("rev-0001");
    commit.mutable_source()->set_run_id(kRun);
    commit.mutable_source()->set_inputs_through_sequence(2);
    *commit.mutable_lease() = lease_;
    ASSERT_OK(store_.manifests.Commit(commit));
  }

  FakeClock clock_;
  SeededRandom random_{1};
  ManualExecutor executor_{clock_};
  FaultyFileSystem disk_;
  std::unique_ptr<LocalStore> local_;
  ForgetfulBlobStore blobs_;
  Store store_;
  StorePlanner planner_;
  v1::LeaseToken lease_;
  v1::CreatePlanRequest request_ = [] {
    v1::CreatePlanRequest request;
    request.set_movie_id("film");
    request.set_with_layers(true);
    return request;
  }();
};

// F: S1-27, S1-32
TEST_F(StorePlannerTest, SavesThePlanUnderItsHash) {
  MakeMovie();
  Set("Input:Story", "a cat");
  ASSERT_OK_AND_ASSIGN(CreatedPlan created, Plan());
  EXPECT_TRUE(created.header.saved());
  EXPECT_EQ(created.header.target_revision(), "rev-0001");
  EXPECT_EQ(created.layers.size(), 2u);
  v1::LoadPlanRequest load;
  load.set_movie_id("film");
  load.set_plan_hash(created.header.plan_hash());
  ASSERT_OK_AND_ASSIGN(std::string json, store_.plans.Load(load));
  EXPECT_EQ(Sha256Of(json).Hex(), created.header.plan_hash());
  v1::Plan plan;
  ASSERT_OK(ParseDocument(json, &plan));
  EXPECT_EQ(CanonicalBytes(plan), json);
  EXPECT_EQ(plan.inputs_through_sequence(), 2);
}

constexpr char kScenes[] = R"(blueprint: scenes
inputs: {Story: {type: text, default: a whale}}
dimensions: {segment: {size: Scenes}}
nodes:
  Script:
    producer: script
    inputs: {story: Input:Story}
    outputs: {Scenes: application/json}
  Clip:
    producer: clip
    over: [segment]
    inputs: {scenes: Scenes, story: Input:Story}
    outputs: {Clip: video/mp4}
)";

// F: B-2
TEST_F(StorePlannerTest, ExpandsAPlanWithWhatItWasMadeWith) {
  MakeMovie(kScenes);
  ASSERT_OK_AND_ASSIGN(CreatedPlan created, Plan());
  EXPECT_EQ(created.header.summary().deferred_nodes(), 1);
  v1::ExpandDeferredGroupRequest request;
  request.set_movie_id("film");
  request.set_plan_hash(created.header.plan_hash());
  request.set_artefact_id("Artifact:Scenes");
  EXPECT_THAT(planner_.ExpandDeferredGroup(request),
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
  ASSERT_OK_AND_ASSIGN(v1::ExpandDeferredGroupResponse more,
                       planner_.ExpandDeferredGroup(request));
  ASSERT_EQ(more.layers_size(), 1);
  ASSERT_EQ(more.layers(0).jobs_size(), 2);
  EXPECT_EQ(more.layers(0).jobs(1).job_id(), "Clip[segment=1]");
  EXPECT_FALSE(more.layers(0).jobs(1).inputs_hash().empty());
  EXPECT_EQ(more.nodes_size(), 1);
  EXPECT_EQ(more.deferred_size(), 0);
  EXPECT_EQ(more.reused_size(), 0);  // the plan has the script itself
  EXPECT_EQ(more.summary().total_jobs(), 3);
  ASSERT_OK_AND_ASSIGN(v1::ExpandDeferredGroupResponse again,
                       planner_.ExpandDeferredGroup(request));
  EXPECT_EQ(CanonicalBytes(again), CanonicalBytes(more));

  request.mutable_content()->mutable_blob()->mutable_digest()->set_hash(
      Sha256Of("[]").Hex());
  EXPECT_THAT(planner_.ExpandDeferredGroup(request),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(hash)));
  request.clear_content();
  request.set_artefact_id("Artifact:Clip[segment=0]");
  EXPECT_THAT(
      planner_.ExpandDeferredGroup(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("artefact_id")));
  request.set_plan_hash(Sha256Of("none").Hex());
  EXPECT_THAT(planner_.ExpandDeferredGroup(request),
              StatusIs(absl::StatusCode::kNotFound));
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
    return planner_.ExpandDeferredGroup(request);
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

// A graph whose size is not known yet is drawn as far as it is.
TEST_F(StorePlannerTest, DrawsAndEstimatesWhatIsKnown) {
  MakeMovie(kScenes);
  v1::RenderGraphRequest draw;
  draw.set_movie_id("film");
  draw.set_format(v1::GRAPH_FORMAT_DOT);
  ASSERT_OK_AND_ASSIGN(v1::RenderGraphResponse drawn,
                       planner_.RenderGraph(draw));
  EXPECT_THAT(drawn.text(), HasSubstr("Script"));
  EXPECT_THAT(drawn.text(), HasSubstr(": waits for "));
  v1::EstimatePlanRequest estimate;
  estimate.set_movie_id("film");
  estimate.mutable_plan()->set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::EstimatePlanResponse estimated,
                       planner_.EstimatePlan(estimate));
  EXPECT_EQ(estimated.summary().deferred_nodes(), 1);
}

// F: S1-24, S1-32
TEST_F(StorePlannerTest, DryRunsAndStagedEditsAreNotSaved) {
  MakeMovie();
  Set("Input:Story", "a cat");
  request_.set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(CreatedPlan dry, Plan());
  EXPECT_FALSE(dry.header.saved());
  request_.set_dry_run(false);
  v1::PendingEdit& edit = *request_.add_pending_edits();
  edit.set_input_id("Mood");
  *edit.mutable_content() = InlineContent("application/json", "\"wild\"");
  ASSERT_OK_AND_ASSIGN(CreatedPlan staged, Plan());
  EXPECT_FALSE(staged.header.saved());
  v1::LoadPlanRequest load;
  load.set_movie_id("film");
  load.set_plan_hash(dry.header.plan_hash());
  EXPECT_THAT(store_.plans.Load(load), StatusIs(absl::StatusCode::kNotFound));
}

// F: S1-26
TEST_F(StorePlannerTest, ResultsOfARunThatNeverCommittedAreReused) {
  MakeMovie();
  Set("Input:Story", "a cat");
  EXPECT_THAT(PlannedJobs(), ElementsAre("Script", "Film"));
  // Between two plans, so that the index is brought up to date.
  std::string text = MakeScript("a cat");
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
  MakeFilm(text);
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.header.summary().reused_jobs(), 2);
  EXPECT_EQ(plan.header.reused(1).artefacts(0).sequence(), 2);
}

// F: S1-21, S1-22
TEST_F(StorePlannerTest, CommittedRevisionIsTheBase) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.header.base_revision(), "rev-0001");
  EXPECT_EQ(plan.header.target_revision(), "rev-0002");
  EXPECT_EQ(plan.header.summary().clean_jobs(), 2);
  EXPECT_EQ(plan.header.summary().changed_inputs_size(), 0);
  Set("Input:Mood", "wild");
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
}

// F: S1-23
TEST_F(StorePlannerTest, EditsByTheSystemCountLikeThoseByUsers) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  for (const v1::EditedBy editor : {v1::EDITED_BY_SYSTEM, v1::EDITED_BY_USER}) {
    Set("Input:Mood", "wild", editor);
    ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
    ASSERT_EQ(plan.layers.size(), 1u);
    EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Film");
    EXPECT_EQ(plan.layers[0].jobs(0).reason().kind(),
              v1::REASON_KIND_INPUT_CHANGED);
    Set("Input:Mood", "calm", editor);
    EXPECT_THAT(PlannedJobs(), IsEmpty());
  }
}

// F: B-14
TEST_F(StorePlannerTest, LostBlobsAreMadeAgain) {
  MakeMovie();
  Set("Input:Story", "a cat");
  std::string text = MakeScript("a cat");
  MakeFilm(text);
  Commit();
  blobs_.forgotten = {text};
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Script");
  EXPECT_EQ(plan.layers[0].jobs(0).reason().kind(), v1::REASON_KIND_BLOB_LOST);
  EXPECT_EQ(plan.layers[1].jobs(0).need(), v1::JOB_NEED_MAY_RUN);
}

// F: S1-21
TEST_F(StorePlannerTest, SavedGraphGivesTheSamePlans) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  ASSERT_OK_AND_ASSIGN(const CreatedPlan clean, Plan());
  FaultyFileSystem cache;
  ASSERT_OK(StorePlanner(store_, cache, "/cache").CreatePlan(request_));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> files,
                       cache.List("/cache"));
  ASSERT_EQ(files.size(), 1u);
  const auto hash = [&] {
    StorePlanner planner(store_, cache, "/cache");
    absl::StatusOr<CreatedPlan> plan = planner.CreatePlan(request_);
    EXPECT_OK(plan);
    return plan.ok() ? plan->header.plan_hash() : "";
  };
  EXPECT_EQ(hash(), clean.header.plan_hash());
  Set("Input:Mood", "wild");
  ASSERT_OK_AND_ASSIGN(const CreatedPlan edited, Plan());
  EXPECT_EQ(edited.header.summary().must_run_jobs(), 1);
  EXPECT_EQ(hash(), edited.header.plan_hash());
  ASSERT_OK(
      WriteFileAtomically(cache, JoinPath("/cache", files[0]), "damaged"));
  EXPECT_EQ(hash(), edited.header.plan_hash());
}

// F: B-6
TEST_F(StorePlannerTest, EditByHandCountsInTheNextPlan) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  EXPECT_THAT(PlannedJobs(), ElementsAre());
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse log,
                       store_.events.ReadPage(read));
  v1::AppendEventsRequest append;
  *append.mutable_log() = read.log();
  *append.mutable_lease() = lease_;
  v1::Event& event = *append.add_events();
  event.set_revision("rev-0002");
  v1::ArtefactEvent& edit = *event.mutable_artefact();
  edit.set_artefact_id("Artifact:Text");
  edit.set_inputs_hash(log.events(0).artefact().inputs_hash());
  edit.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  *edit.mutable_output() = InlineContent("text/plain", "by hand");
  *edit.mutable_produced_by() = log.events(0).artefact().produced_by();
  edit.mutable_produced_by()->clear_run_id();
  edit.mutable_produced_by()->clear_attempt();
  edit.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
  ASSERT_OK(store_.events.Append(append));
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
  ASSERT_OK_AND_ASSIGN(const CreatedPlan plan, Plan());
  ASSERT_EQ(plan.header.reused_size(), 1);
  EXPECT_EQ(plan.header.reused(0).artefacts(0).content().inline_().data(),
            "by hand");
}

// F: B-4 (failed)
TEST_F(StorePlannerTest, FailuresSinceTheBaseAreKnown) {
  MakeMovie();
  Set("Input:Story", "a cat");
  RefuseScript("a dog", "rev-0001");
  MakeFilm(MakeScript("a cat"));
  Commit();
  RefuseScript("a whale", "rev-0002");
  Set("Input:Story", "a whale");
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 1);
  EXPECT_EQ(plan.layers[0].jobs(0).last_failure().message(), "refused");
  request_.set_dry_run(true);
  request_.set_with_layers(false);
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 1);
  // Without reading all of the log, nothing is known of before the base.
  Set("Input:Story", "a dog");
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 0);
}

TEST_F(StorePlannerTest, WhatTheBlueprintNoLongerHasIsListedAsLeaving) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  v1::SetBlueprintRequest pin;
  pin.set_movie_id("film");
  pin.set_blueprint(R"(blueprint: film
inputs: {Story: {type: text}}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: text/plain}
)");
  ASSERT_OK(store_.movies.SetBlueprint(pin));
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_THAT(plan.header.removed_artefact_ids(), ElementsAre("Artifact:Film"));
  EXPECT_EQ(plan.header.summary().removed_artefacts(), 1);
  request_.set_with_layers(false);
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_THAT(plan.header.removed_artefact_ids(), IsEmpty());
  EXPECT_EQ(plan.header.summary().removed_artefacts(), 1);
}

TEST_F(StorePlannerTest, WhatIfWithoutLayersIsASummary) {
  MakeMovie();
  Set("Input:Story", "a cat");
  ASSERT_OK_AND_ASSIGN(const CreatedPlan whole, Plan());
  request_.set_dry_run(true);
  request_.set_with_layers(false);
  ASSERT_OK_AND_ASSIGN(const CreatedPlan summary, Plan());
  EXPECT_EQ(CanonicalBytes(summary.header.summary()),
            CanonicalBytes(whole.header.summary()));
  EXPECT_EQ(summary.header.target_revision(), "rev-0001");
  EXPECT_EQ(summary.header.plan_hash(), "");
}

// F: B-3
TEST_F(StorePlannerTest, ListsLeavesAndChecksWhatIsToHoldThem) {
  MakeMovie(R"(blueprint: leaves
inputs: {Story: {type: text}}
nodes:
  Script:
    producer: script
    inputs: {story: Input:Story}
    outputs: {Plan: {type: application/json, leaves: {Title: /title}}}
)");
  Set("Input:Story", "a cat");
  v1::ListLeavesRequest request;
  request.set_movie_id("film");
  request.set_artefact_id("Plan");
  absl::StatusOr<v1::ListLeavesResponse> listed = planner_.ListLeaves(request);
  EXPECT_THAT(listed, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(listed.status()), "ARTEFACT_NOT_FOUND");
  JobKey key;
  key.job_id = "Script";
  Make("Artifact:Plan", key, R"({"title":"a cat"})");
  Make("Artifact:Title", key, "\"a cat\"");
  Commit();
  listed = planner_.ListLeaves(request);
  ASSERT_OK(listed);
  ASSERT_EQ(listed->leaves_size(), 1);
  EXPECT_EQ(listed->leaves(0).artefact_id(), "Artifact:Title");
  EXPECT_EQ(listed->leaves(0).json_pointer(), "/title");
  EXPECT_EQ(listed->leaves(0).mime_type(), "application/json");

  *request.mutable_content() = InlineContent("application/json", "[]");
  listed = planner_.ListLeaves(request);
  EXPECT_THAT(listed, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("Plan has nothing at /title")));
  EXPECT_EQ(ReasonOf(listed.status()), "INVALID_FIELD");
  // A blob is read.
  const std::string bytes = R"({"title":"a cat"})";
  v1::Digest& digest =
      *request.mutable_content()->mutable_blob()->mutable_digest();
  digest.set_hash(Sha256Of(bytes).Hex());
  digest.set_size_bytes(static_cast<int64_t>(bytes.size()));
  EXPECT_OK(planner_.ListLeaves(request));
  request.set_artefact_id("Title");
  EXPECT_EQ(planner_.ListLeaves(request)->leaves_size(), 0);
  request.set_artefact_id("Input:Story");
  EXPECT_THAT(
      planner_.ListLeaves(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Input:Story")));
}

TEST_F(StorePlannerTest, ErrorsNameWhatIsWrong) {
  request_.set_movie_id("../film");
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("../film")));
  request_.set_movie_id("film");
  absl::StatusOr<CreatedPlan> unknown = Plan();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(unknown.status()), "MOVIE_NOT_FOUND");
  MakeMovie();
  absl::StatusOr<CreatedPlan> missing = Plan();
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("Input:Story")));
  EXPECT_EQ(ReasonOf(missing.status()), "INPUT_MISSING");
  request_.mutable_scope()->add_only("Artifact:Txt");
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("scope.only")));
}

TEST_F(StorePlannerTest, BrokenBlueprintIsTheMoviesFault) {
  MakeMovie("blueprint: film\nnodes: {}\n");
  absl::StatusOr<CreatedPlan> plan = Plan();
  EXPECT_THAT(plan, StatusIs(absl::StatusCode::kFailedPrecondition,
                             AllOf(HasSubstr("blueprint of film:2"),
                                   HasSubstr("at least one node"))));
  EXPECT_EQ(ReasonOf(plan.status()), "BLUEPRINT_INVALID");
}

TEST_F(StorePlannerTest, ValidatesBlueprintsAndInputs) {
  v1::ValidateBlueprintRequest request;
  request.set_file_name("film.yaml");
  request.set_blueprint(kFilm);
  ASSERT_OK_AND_ASSIGN(v1::ValidateBlueprintResponse valid,
                       planner_.ValidateBlueprint(request));
  EXPECT_THAT(valid.inputs(), ElementsAre("Mood", "Story"));
  EXPECT_THAT(valid.producers(), ElementsAre("film", "script"));
  EXPECT_THAT(valid.outputs(), ElementsAre("Film"));
  MakeMovie();
  v1::ValidateInputsRequest inputs;
  inputs.set_movie_id("film");
  v1::PendingEdit& edit = *inputs.add_edits();
  edit.set_input_id("Story");
  *edit.mutable_content() = InlineContent("application/json", "\"a dog\"");
  ASSERT_OK_AND_ASSIGN(v1::ValidateInputsResponse canonical,
                       planner_.ValidateInputs(inputs));
  EXPECT_EQ(canonical.edits(0).input_id(), "Input:Story");
  EXPECT_EQ(canonical.edits(0).content().inline_().data(), "a dog");
  edit.set_input_id("Stroy");
  EXPECT_THAT(planner_.ValidateInputs(inputs),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("edits[0]: Input:Stroy: "),
                             HasSubstr("did you mean \"Story\"?"))));
  *request_.add_pending_edits() = edit;
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("pending_edits[0]: Input:Stroy: ")));
}

TEST_F(StorePlannerTest, DrawsTheGraph) {
  MakeMovie();
  v1::RenderGraphRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(planner_.RenderGraph(request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_format(v1::GRAPH_FORMAT_DOT);
  ASSERT_OK_AND_ASSIGN(v1::RenderGraphResponse drawn,
                       planner_.RenderGraph(request));
  EXPECT_THAT(drawn.text(), HasSubstr("j0 -> j1"));
}

}  // namespace
}  // namespace kinora
