// A film in a store, and the planner that plans it: what the tests of
// StorePlanner have in common.

#ifndef KINORA_SERVICES_PLANNER_PLANNED_FILM_H_
#define KINORA_SERVICES_PLANNER_PLANNED_FILM_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/content.h"
#include "common/inputs_hash.h"
#include "common/json/proto_json.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "common/threads/call_stop.h"
#include "services/planner/store_planner.h"
#include "services/store/local_store.h"
#include "services/store/testing/forwarding_blob_store.h"

namespace kinora {

inline constexpr char kRun[] = "run-01ARZ3NDEKTSV4RRFFQ69G5FAV";
inline constexpr char kFilm[] = R"(blueprint: film
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

inline constexpr char kScenes[] = R"(blueprint: scenes
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

// Says that some blobs are gone, as after damage to a disk.
class ForgetfulBlobStore final : public ForwardingBlobStore {
 public:
  using ForwardingBlobStore::ForwardingBlobStore;

  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override {
    ++searches;
    v1::FindMissingBlobsResponse response;
    for (const v1::Digest& digest : request.digests()) {
      if (forgotten.contains(digest.hash())) *response.add_missing() = digest;
    }
    return response;
  }

  absl::flat_hash_set<std::string> forgotten;
  int searches = 0;
};

class PlannedFilmTest : public ::testing::Test {
 protected:
  PlannedFilmTest()
      : local_(LocalStore::Open({}, disk_, clock_, random_, executor_).value()),
        blobs_(local_->store().blobs),
        store_{local_->store().movies, blobs_,
               local_->store().events, local_->store().manifests,
               local_->store().plans,  local_->store().leases,
               local_->store().runs,   local_->store().maintenance},
        planner_(store_) {}

  absl::StatusOr<v1::ExpandDeferredGroupResponse> Expand(
      const v1::ExpandDeferredGroupRequest& request) {
    CallStop never;
    return planner_.ExpandDeferredGroup(request, never);
  }

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

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLANNED_FILM_H_
