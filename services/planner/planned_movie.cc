#include "services/planner/planned_movie.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/content.h"
#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/expand_plan.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {
namespace {

// The deciding artefact that a request says has landed.
absl::StatusOr<DecidedArtefact> LandedArtefact(
    const Blueprint& blueprint, const v1::ExpandDeferredGroupRequest& request) {
  const absl::StatusOr<ElementId> id =
      ElementId::Parse(request.artefact_id(), ElementId::Kind::kArtefact);
  if (!id.ok()) {
    return InvalidField("artefact_id", request.artefact_id(),
                        id.status().message());
  }
  DecidedArtefact landed;
  landed.output = id->kind == ElementId::Kind::kArtefact
                      ? blueprint.FindOutput(id->name)
                      : -1;
  landed.artefact_id = id->ToString();
  landed.content = request.content();
  if (std::binary_search(blueprint.deciding_outputs.begin(),
                         blueprint.deciding_outputs.end(), landed.output)) {
    return landed;
  }
  return InvalidField("artefact_id", request.artefact_id(),
                      "it neither sizes a dimension of the plan's blueprint "
                      "nor does a condition look at it");
}

// A plan that does not see the value would wait for it for ever.
absl::Status CheckLanded(const DecidedArtefact& landed,
                         const v1::ExpandDeferredGroupRequest& request,
                         const std::vector<DecidedArtefact>& decided) {
  const auto found =
      std::find_if(decided.begin(), decided.end(),
                   [&landed](const DecidedArtefact& artefact) {
                     return artefact.artefact_id == landed.artefact_id;
                   });
  if (found == decided.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat(landed.artefact_id,
                     " has not landed: the log has no result of its job"));
  }
  if (!request.has_content() ||
      ContentHash(found->content) == ContentHash(request.content())) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      landed.artefact_id, " has the hash ", ContentHash(found->content),
      " in the log, not ", ContentHash(request.content())));
}

}  // namespace

absl::StatusOr<std::string> StoreBlobBytes::Read(const v1::BlobRef& blob) {
  v1::ReadBlobRequest request;
  request.set_movie_id(movie_id_);
  *request.mutable_digest() = blob.digest();
  std::string bytes;
  KINORA_RETURN_IF_ERROR(
      blobs_.Read(request, [&bytes](absl::string_view more) -> absl::Status {
        absl::StrAppend(&bytes, more);
        return absl::OkStatus();
      }));
  return bytes;
}

PlannedMovie::PlannedMovie(const Store& store, MovieReader& reader,
                           HydratedGraphFile* files, Executor* executor,
                           const PlannerMetrics* metrics, Clock& clock,
                           std::string movie_id)
    : store_(store),
      reader_(reader),
      files_(files),
      executor_(executor),
      metrics_(metrics),
      clock_(clock),
      movie_id_(std::move(movie_id)),
      results_(store.events, movie_id_),
      blob_bytes_(store.blobs, movie_id_),
      reader_of_decided_(&blob_bytes_) {}

absl::StatusOr<MadePlan> PlannedMovie::Plan(
    const v1::CreatePlanRequest& request) {
  MutexLock lock(mu_);
  absl::StatusOr<MadePlan> made = PlanLocked(request);
  elements_ = kept_.graph == nullptr ? 0 : kept_.graph->graph().num_elements();
  return made;
}

absl::StatusOr<MadePlan> PlannedMovie::PlanLocked(
    const v1::CreatePlanRequest& request) {
  KINORA_RETURN_IF_ERROR(CheckBirth());
  // The manifest before the inputs: if a commit comes between, the plan has
  // the older base and is refused when it is to run, which is safe.
  v1::GetCurrentManifestRequest get;
  get.set_movie_id(movie_id_);
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse answer,
                          store_.manifests.GetCurrent(get));
  const v1::ManifestPointer& current = answer.current();
  KINORA_RETURN_IF_ERROR(CatchUpInputs());
  KINORA_ASSIGN_OR_RETURN(
      std::shared_ptr<const Blueprint> blueprint,
      reader_.PinnedBlueprint(movie_id_, inputs_.blueprint));
  PlanOptions options;
  options.movie_id = movie_id_;
  options.inputs_through_sequence = inputs_.through_sequence;
  options.producers.assign(request.producers().begin(),
                           request.producers().end());
  options.results = &results_;
  options.blob_bytes = &blob_bytes_;
  options.executor = executor_;
  options.scope = request.scope();
  const bool is_what_if = request.dry_run() || request.pending_edits_size() > 0;
  options.summary_only = is_what_if && !request.with_layers();
  InputMap staged = inputs_.values;
  if (request.pending_edits_size() > 0) {
    KINORA_ASSIGN_OR_RETURN(
        options.edits,
        reader_.CheckedEdits(movie_id_, *blueprint, inputs_.values,
                             "pending_edits", request.pending_edits()));
    for (const v1::PendingEdit& edit : options.edits) {
      staged[edit.input_id()] = edit.content();
    }
  }
  KINORA_RETURN_IF_ERROR(results_.CatchUp(current.revision()));
  KINORA_ASSIGN_OR_RETURN(DecidingValues guess,
                          ValuesOfBase(current, *blueprint));
  // What is kept is the graph of what was set and of the base's artefacts. What
  // has another shape, by staged edits or by artefacts that will be others,
  // gets a graph of its own.
  absl::StatusOr<GraphShape> kept_shape;
  if (!options.edits.empty()) {
    kept_shape = ShapeOf(*blueprint, inputs_.values, guess);
  }
  bool first = true;
  const auto plan_with =
      [&](const GraphShape& shape) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        const bool is_kept = options.edits.empty()
                                 ? std::exchange(first, false)
                                 : kept_shape.ok() && shape == *kept_shape;
        return is_kept
                   ? PlanOnKept(current, blueprint, shape, &options)
                   : PlanAside(current, inputs_, blueprint, shape, &options);
      };
  KINORA_ASSIGN_OR_RETURN(MadePlan made,
                          PlanUntilItFits(*blueprint, staged, std::move(guess),
                                          &reader_of_decided_, plan_with));
  return made;
}

absl::StatusOr<MadePlan> PlannedMovie::PlanOnKept(
    const v1::ManifestPointer& current,
    const std::shared_ptr<const Blueprint>& blueprint, const GraphShape& shape,
    PlanOptions* options) {
  if (kept_.graph == nullptr || kept_.blueprint != blueprint ||
      kept_.graph->base_hash() != current.hash() || kept_.shape != shape) {
    kept_ = Hydrated();  // before the new one is made, for the memory
    KINORA_ASSIGN_OR_RETURN(kept_, Hydrate(current, inputs_, blueprint, shape));
    edited_.clear();
  } else if (metrics_ != nullptr) {
    metrics_->graphs_kept.Add();
  }
  KINORA_RETURN_IF_ERROR(TakeEdits());
  KINORA_ASSIGN_OR_RETURN(MadePlan made, MakeSoundPlan(options, &kept_));
  SaveIfDue();
  return made;
}

absl::StatusOr<MadePlan> PlannedMovie::PlanAside(
    const v1::ManifestPointer& base, const MovieInputs& inputs,
    const std::shared_ptr<const Blueprint>& blueprint, const GraphShape& shape,
    PlanOptions* options) {
  KINORA_ASSIGN_OR_RETURN(Hydrated hydrated,
                          Hydrate(base, inputs, blueprint, shape));
  return MakeSoundPlan(options, &hydrated);
}

absl::StatusOr<v1::ExpandDeferredGroupResponse> PlannedMovie::Expand(
    const v1::Plan& saved, const v1::ExpandDeferredGroupRequest& request) {
  MutexLock lock(mu_);
  KINORA_RETURN_IF_ERROR(CheckBirth());
  // As it was when the plan was made; but for the results, which have grown.
  KINORA_ASSIGN_OR_RETURN(
      const MovieInputs inputs,
      reader_.ReadInputs(movie_id_, saved.inputs_through_sequence()));
  if (ContentHash(inputs.blueprint) != saved.blueprint_hash()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the plan was made for blueprint ", saved.blueprint_hash(),
        ", but up to sequence ", saved.inputs_through_sequence(), " movie ",
        movie_id_, " has ", ContentHash(inputs.blueprint)));
  }
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const Blueprint> blueprint,
                          reader_.PinnedBlueprint(movie_id_, inputs.blueprint));
  DecidedArtefact landed;
  KINORA_ASSIGN_OR_RETURN(landed, LandedArtefact(*blueprint, request));
  v1::ManifestPointer base;
  base.set_revision(saved.base_revision());
  base.set_hash(saved.manifest_base_hash());
  PlanOptions options;
  options.movie_id = movie_id_;
  options.inputs_through_sequence = saved.inputs_through_sequence();
  for (const v1::PlannedNode& node : saved.nodes()) {
    options.node_versions[node.node()] = node.producer().version();
  }
  options.results = &results_;
  options.blob_bytes = &blob_bytes_;
  options.scope = saved.scope();
  options.run_id = request.run_id();
  KINORA_RETURN_IF_ERROR(results_.CatchUp(base.revision()));
  // What was known at the run's last expansion still is, so with what has
  // landed since the first graph mostly fits. The values of the base are often
  // others.
  const std::string of =
      absl::StrCat(request.plan_hash(), " ", request.run_id());
  DecidingValues guess;
  if (of == expanded_of_) {
    guess = reader_of_decided_.Guess(*blueprint, expanded_with_);
  } else {
    KINORA_ASSIGN_OR_RETURN(guess, ValuesOfBase(base, *blueprint));
  }
  if (request.has_content()) {
    for (auto& [id, value] : reader_of_decided_.Guess(*blueprint, {landed})) {
      guess[id] = std::move(value);
    }
  }
  const auto plan_with =
      [&](const GraphShape& shape) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return PlanAside(base, inputs, blueprint, shape, &options);
      };
  KINORA_ASSIGN_OR_RETURN(
      MadePlan made,
      PlanUntilItFits(*blueprint, inputs.values, std::move(guess),
                      &reader_of_decided_, plan_with));
  KINORA_RETURN_IF_ERROR(CheckLanded(landed, request, made.decided));
  expanded_of_ = of;
  expanded_with_ = std::move(made.decided);
  return ExpansionOf(saved, std::move(made.plan));
}

absl::StatusOr<DecidingValues> PlannedMovie::CurrentDecidingValues(
    const Blueprint& blueprint) {
  if (blueprint.deciding_outputs.empty()) return DecidingValues();
  MutexLock lock(mu_);
  KINORA_RETURN_IF_ERROR(CheckBirth());
  v1::GetCurrentManifestRequest get;
  get.set_movie_id(movie_id_);
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse answer,
                          store_.manifests.GetCurrent(get));
  return ValuesOfBase(answer.current(), blueprint);
}

absl::StatusOr<DecidingValues> PlannedMovie::ValuesOfBase(
    const v1::ManifestPointer& base, const Blueprint& blueprint) {
  if (blueprint.deciding_outputs.empty() || base.revision().empty()) {
    return DecidingValues();
  }
  std::string of = base.hash();
  for (int output : blueprint.deciding_outputs) {
    absl::StrAppend(&of, " ", output, " ", blueprint.outputs[output].name);
  }
  if (of != decided_of_) {
    KINORA_ASSIGN_OR_RETURN(
        const ManifestDocument document,
        ReadManifest(store_.manifests, movie_id_, base.revision()));
    decided_ = DecidedByManifest(blueprint, document.manifest);
    decided_of_ = std::move(of);
  }
  return reader_of_decided_.Guess(blueprint, decided_);
}

absl::Status PlannedMovie::CheckBirth() {
  KINORA_ASSIGN_OR_RETURN(std::string birth, reader_.BirthOf(movie_id_));
  if (birth == birth_) return absl::OkStatus();
  birth_ = std::move(birth);
  has_inputs_ = false;
  results_.Forget();
  kept_ = Hydrated();
  decided_of_.clear();
  expanded_of_.clear();
  return absl::OkStatus();
}

absl::Status PlannedMovie::CatchUpInputs() {
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id_);
  request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  while (has_inputs_) {
    request.set_after_sequence(inputs_.through_sequence);
    const absl::StatusOr<v1::ReadEventsResponse> page =
        store_.events.ReadPage(request);
    if (absl::IsOutOfRange(page.status())) break;  // some were removed unread
    KINORA_RETURN_IF_ERROR(page.status());
    for (const v1::Event& event : page->events()) {
      inputs_.Apply(event.input());
      edited_.push_back(event.input().input_id());
    }
    if (page->bookmark().sequence() <= inputs_.through_sequence) {
      return absl::OkStatus();
    }
    inputs_.through_sequence = page->bookmark().sequence();
  }
  KINORA_ASSIGN_OR_RETURN(inputs_, reader_.ReadInputs(movie_id_));
  has_inputs_ = true;
  kept_ = Hydrated();
  return absl::OkStatus();
}

absl::Status PlannedMovie::TakeEdits() {
  std::vector<std::string> edited = std::move(edited_);
  edited_.clear();
  for (const std::string& id : edited) {
    if (id == kBlueprintInputId) continue;
    const auto value = inputs_.values.find(id);
    absl::Status taken;
    if (value == inputs_.values.end()) {
      kept_.graph->ClearInput(id);
    } else {
      taken = SetInput(id, value->second, kept_.graph.get());
    }
    if (taken.ok()) continue;
    // The graph lacks this edit and the ones after it.
    kept_ = Hydrated();
    return taken;
  }
  return absl::OkStatus();
}

}  // namespace kinora
