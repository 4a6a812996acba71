#include "services/planner/plan/plan_world.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/inputs_hash.h"
#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/expand_plan.h"
#include "services/planner/plan/manifest_scanner.h"

namespace kinora {

std::vector<std::string> JobIds(
    const google::protobuf::RepeatedPtrField<v1::PlanLayer>& layers) {
  std::vector<std::string> ids;
  for (const v1::PlanLayer& layer : layers) {
    for (const v1::PlannedJob& job : layer.jobs()) ids.push_back(job.job_id());
  }
  return ids;
}

void PlanWorld::SetBlueprint(const std::string& yaml) {
  absl::StatusOr<Blueprint> parsed = ParseBlueprint("film.yaml", yaml);
  ASSERT_OK(parsed) << yaml;
  blueprint_ = *std::move(parsed);
  blueprint_hash_ = Sha256Of(yaml).Hex();
}

void PlanWorld::Set(const std::string& id, const std::string& json) {
  google::protobuf::RepeatedPtrField<v1::PendingEdit> staged;
  v1::PendingEdit& edit = *staged.Add();
  edit.set_input_id(id);
  *edit.mutable_content() = InlineContent("application/json", json);
  ASSERT_OK_AND_ASSIGN(std::vector<v1::PendingEdit> edits,
                       CanonicalEdits(blueprint_, inputs_, "edits", staged));
  inputs_[edits[0].input_id()] = edits[0].content();
  ++input_sequence_;
}

PlanInputs PlanWorld::Inputs() const {
  PlanInputs in;
  in.movie_id = "film";
  in.blueprint = &blueprint_;
  in.blueprint_hash = blueprint_hash_;
  if (has_manifest) {
    in.base = &manifest;
    in.base_hash = Sha256Of(manifest.revision()).Hex();
    in.base_blueprint = &base_blueprint_;
  }
  in.inputs = inputs_;
  in.inputs_through_sequence = input_sequence_;
  for (const auto& [name, version] : versions) {
    v1::ProducerIdentity& producer = in.producers.emplace_back();
    producer.set_name(name);
    producer.set_version(version);
  }
  in.results = &results_;
  in.lost_blobs = lost_blobs;
  in.scope = scope;
  return in;
}

HydratedGraph* PlanWorld::Keep(const PlanInputs& in,
                               const MadePlan& made) const {
  DecidingReader reader(nullptr);
  absl::StatusOr<DecidingValues> values =
      reader.ReadAll(blueprint_, made.decided);
  EXPECT_OK(values);
  absl::StatusOr<GraphShape> shape = ShapeOf(blueprint_, inputs_, *values);
  EXPECT_OK(shape);
  if (kept_ == nullptr || kept_->graph->base_hash() != in.base_hash ||
      kept_->graph->blueprint_hash() != blueprint_hash_ ||
      kept_->shape != *shape) {
    kept_ = std::make_shared<Kept>();
    kept_->blueprint = blueprint_;
    kept_->base_blueprint = base_blueprint_;
    kept_->shape = *shape;
    absl::StatusOr<Graph> graph = Graph::Expand(kept_->blueprint, *shape);
    EXPECT_OK(graph);
    absl::StatusOr<HydratedBase> base = HydratedBase();
    if (has_manifest) base = HydrateManifest(CanonicalBytes(manifest), *graph);
    EXPECT_OK(base);
    kept_->graph = std::make_unique<HydratedGraph>(
        blueprint_hash_, *std::move(graph), in.base_hash, *std::move(base),
        has_manifest ? &kept_->base_blueprint : nullptr);
  }
  for (const auto& [id, content] : inputs_) {
    EXPECT_OK(kept_->graph->SetInput(id, content));
  }
  kept_->graph->SetLostBlobs(lost_blobs);
  return kept_->graph.get();
}

v1::Plan PlanWorld::Plan() const {
  PlanInputs in = Inputs();
  absl::StatusOr<MadePlan> made = MakePlan(in);
  EXPECT_OK(made);
  if (!made.ok()) return v1::Plan();
  // However the plan is made, it is the same.
  HydratedGraph* kept = Keep(in, *made);
  absl::StatusOr<MadePlan> again = MakePlanOn(in, kept);
  EXPECT_OK(again);
  if (again.ok()) {
    EXPECT_EQ(CanonicalBytes(again->plan), CanonicalBytes(made->plan));
  }
  in.summary_only = true;
  again = MakePlanOn(in, kept);
  EXPECT_OK(again);
  if (again.ok()) {
    EXPECT_EQ(CanonicalBytes(again->plan.summary()),
              CanonicalBytes(made->plan.summary()));
  }
  return std::move(made->plan);
}

Digest PlanWorld::KeyOf(const v1::Plan& plan, const v1::PlannedJob& job,
                        const std::map<std::string, Result>& results) const {
  std::map<std::string, std::string> hashes;
  for (const v1::PlannedInput& input : plan.inputs()) {
    hashes[input.input_id()] = ContentHash(input.content());
  }
  for (const v1::PlannedSource& source : plan.sources()) {
    hashes[source.artefact_id()] = ContentHash(source.content());
  }
  for (const auto& [id, result] : results) {
    hashes[id] = ContentHash(result.content);
  }
  JobKey key;
  for (const v1::PlannedNode& node : plan.nodes()) {
    if (node.node() != job.node()) continue;
    key.node.producer = node.producer().name();
    key.node.producer_version = node.producer().version();
    key.node.settings = Sha256Of(node.settings_json());
    key.node.salt = node.salt();
    for (const v1::PlannedOutput& output : node.outputs()) {
      key.node.outputs.push_back({output.name(), output.mime_type()});
    }
  }
  key.job_id = job.job_id();
  key.draw = job.draw();
  for (const v1::PlannedArtefact& artefact : job.artefacts()) {
    key.artefact_ids.push_back(artefact.artefact_id());
  }
  for (const v1::PlannedBinding& binding : job.bindings()) {
    KeyBinding& bound = key.bindings.emplace_back();
    bound.name = binding.name();
    bound.is_list = binding.is_list();
    bound.is_grouped = binding.is_grouped();
    bound.group_sizes.assign(binding.group_sizes().begin(),
                             binding.group_sizes().end());
    for (const std::string& id : binding.source_ids()) {
      auto hash = hashes.find(id);
      EXPECT_NE(hash, hashes.end()) << job.job_id() << " reads " << id
                                    << ", which the plan gives no value for";
      if (hash == hashes.end()) continue;
      bound.contents.push_back(*Digest::ParseHex(hash->second));
    }
  }
  return InputsHash(key);
}

void PlanWorld::Append(const std::string& artefact_id,
                       const std::string& inputs_hash,
                       const v1::Content* output, int64_t reused_sequence,
                       v1::EditedBy edited_by) {
  v1::Event event;
  event.set_sequence(++artefact_sequence_);
  v1::ArtefactEvent& attempt = *event.mutable_artefact();
  attempt.set_artefact_id(artefact_id);
  attempt.set_inputs_hash(inputs_hash);
  attempt.set_reused_sequence(reused_sequence);
  attempt.mutable_produced_by()->set_edited_by(edited_by);
  if (edited_by == v1::EDITED_BY_UNSPECIFIED) {
    attempt.mutable_produced_by()->set_run_id(absl::StrCat("run-", runs_));
  }
  if (output != nullptr) {
    attempt.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *attempt.mutable_output() = *output;
  } else {
    attempt.set_status(v1::ARTEFACT_STATUS_FAILED);
    *attempt.mutable_failure() = failure;
  }
  EXPECT_OK(results_.Add(event));
}

void PlanWorld::EditByHand(const std::string& artefact_id,
                           const std::string& text) {
  const v1::Content content = InlineContent("text/plain", text);
  Append(artefact_id, manifest.artefacts().at(artefact_id).inputs_hash(),
         &content, 0, v1::EDITED_BY_USER);
}

std::vector<std::string> PlanWorld::Run(const v1::Plan& plan) {
  Running run;
  run.plan = plan;
  expansions = 0;
  refusal = absl::OkStatus();
  ++runs_;
  for (const v1::ReusedJob& job : plan.reused()) Reuse(job, &run);
  RunLayers(plan.layers(), &run);
  while (!run.failed && run.plan.deferred_size() > 0) {
    // Each one settles at least one artefact.
    if (++expansions > 20) {
      ADD_FAILURE() << "still deferred: "
                    << run.plan.deferred(0).ShortDebugString();
      return run.called;
    }
    const size_t jobs = run.jobs.size();
    const int groups = run.plan.deferred_size();
    Expand(plan, &run);
    // A scope may leave out what would decide.
    if (plan.has_scope() && run.jobs.size() == jobs &&
        run.plan.deferred_size() == groups) {
      break;
    }
  }
  // A test that expects one looks at it.
  EXPECT_TRUE(refusal.ok() || plan.has_scope()) << refusal;
  if (!run.failed) Commit(run.plan, run.results);
  return run.called;
}

void PlanWorld::Expand(const v1::Plan& saved, Running* run) {
  PlanInputs in = Inputs();
  in.scope = saved.scope();
  in.run_id = absl::StrCat("run-", runs_);
  absl::StatusOr<MadePlan> now = MakePlan(in);
  if (!now.ok()) {
    refusal = now.status();
    run->failed = true;
    return;
  }
  const v1::ExpandDeferredGroupResponse more =
      ExpansionOf(saved, std::move(now->plan));
  std::set<std::string> known;
  for (const v1::PlannedNode& node : run->plan.nodes()) {
    known.insert(node.node());
  }
  for (const v1::PlannedNode& node : more.nodes()) {
    if (known.insert(node.node()).second) *run->plan.add_nodes() = node;
  }
  for (const v1::PlannedInput& input : more.inputs()) {
    *run->plan.add_inputs() = input;
  }
  for (const v1::PlannedSource& source : more.sources()) {
    *run->plan.add_sources() = source;
  }
  *run->plan.mutable_deferred() = more.deferred();
  *run->plan.mutable_removed_artefact_ids() = more.removed_artefact_ids();
  for (const v1::ReusedJob& job : more.reused()) {
    if (!run->jobs.contains(job.job_id())) Reuse(job, run);
  }
  RunLayers(more.layers(), run);
}

void PlanWorld::Reuse(const v1::ReusedJob& job, Running* run) {
  run->jobs.insert(job.job_id());
  for (const v1::ReusedArtefact& artefact : job.artefacts()) {
    Append(artefact.artefact_id(), job.inputs_hash(), &artefact.content(),
           artefact.sequence());
    run->results[artefact.artefact_id()] = {artefact.content(),
                                            job.inputs_hash(), job.node()};
  }
}

void PlanWorld::RunLayers(
    const google::protobuf::RepeatedPtrField<v1::PlanLayer>& layers,
    Running* run) {
  for (const v1::PlanLayer& layer : layers) {
    if (run->failed) return;
    for (const v1::PlannedJob& job : layer.jobs()) {
      if (run->jobs.insert(job.job_id()).second) RunJob(job, run);
    }
  }
}

bool PlanWorld::IsLost(const v1::Content& content) const {
  return content.has_blob() &&
         lost_blobs.contains(*Digest::ParseHex(ContentHash(content)));
}

void PlanWorld::RunJob(const v1::PlannedJob& job, Running* run) {
  const Digest key = KeyOf(run->plan, job, run->results);
  if (!job.inputs_hash().empty()) {
    EXPECT_EQ(job.inputs_hash(), key.Hex()) << job.job_id();
  }
  bool call = false;
  bool was_lost = false;
  for (const v1::PlannedArtefact& artefact : job.artefacts()) {
    const std::string& id = artefact.artefact_id();
    const LoggedResult* logged = results_.FindOne(id, key);
    if (logged != nullptr && IsLost(logged->content)) was_lost = true;
    if (logged != nullptr && !job.forced() && !IsLost(logged->content)) {
      run->results[id] = {logged->content, key.Hex(), job.node()};
      continue;
    }
    call = true;
    if (failing.contains(job.job_id())) {
      run->failed = true;
      Append(id, key.Hex(), nullptr, 0);
      continue;
    }
    const v1::Content content = Make(run->plan, job, artefact, key);
    if (content.has_blob()) {
      lost_blobs.erase(*Digest::ParseHex(ContentHash(content)));
    }
    Append(id, key.Hex(), &content, 0);
    run->results[id] = {content, key.Hex(), job.node()};
  }
  if (job.need() == v1::JOB_NEED_MUST_RUN) {
    EXPECT_TRUE(call) << job.job_id();
  }
  if (!call) return;
  run->called.push_back(job.job_id());
  if (failing.contains(job.job_id())) return;
  if (!called_keys.insert(key.Hex()).second && !was_lost) called_twice = true;
}

void PlanWorld::Commit(const v1::Plan& plan,
                       const std::map<std::string, Result>& done) {
  manifest.set_base_revision(manifest.revision());
  manifest.set_revision(plan.target_revision());
  for (const std::string& id : plan.removed_artefact_ids()) {
    EXPECT_EQ(manifest.mutable_artefacts()->erase(id), 1u);
  }
  manifest.clear_inputs();
  for (const auto& [id, content] : inputs_) {
    *(*manifest.mutable_inputs())[id].mutable_content() = content;
  }
  (*manifest.mutable_inputs())[std::string(kBlueprintInputId)]
      .mutable_content()
      ->mutable_blob()
      ->mutable_digest()
      ->set_hash(blueprint_hash_);
  for (const auto& [id, result] : done) {
    v1::ManifestArtefact& artefact = (*manifest.mutable_artefacts())[id];
    *artefact.mutable_content() = result.content;
    artefact.set_inputs_hash(result.inputs_hash);
    artefact.set_node(result.node);
  }
  for (const v1::PlannedNode& node : plan.nodes()) {
    v1::ManifestNode& entry = (*manifest.mutable_nodes())[node.node()];
    *entry.mutable_producer() = node.producer();
    entry.set_settings_hash(node.settings_hash());
  }
  has_manifest = true;
  base_blueprint_ = blueprint_;
}

}  // namespace kinora
