#include "services/planner/store_planner.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/planner/graph/render.h"
#include "services/store/plan/saved_plan.h"

namespace kinora {
absl::StatusOr<v1::ValidateBlueprintResponse> StorePlanner::ValidateBlueprint(
    const v1::ValidateBlueprintRequest& request) {
  KINORA_ASSIGN_OR_RETURN(
      Blueprint blueprint,
      ParseBlueprint(request.file_name(), request.blueprint()));
  v1::ValidateBlueprintResponse response;
  response.set_name(blueprint.name);
  std::set<std::string> inputs;
  for (const InputDeclaration& input : blueprint.inputs) {
    inputs.insert(input.name);
  }
  std::set<std::string> nodes;
  std::set<std::string> producers;
  for (const NodeDeclaration& node : blueprint.nodes) {
    nodes.insert(node.name);
    producers.insert(node.producer);
  }
  response.mutable_inputs()->Assign(inputs.begin(), inputs.end());
  response.mutable_nodes()->Assign(nodes.begin(), nodes.end());
  response.mutable_producers()->Assign(producers.begin(), producers.end());
  for (int output : blueprint.results) {
    response.add_outputs(blueprint.outputs[output].name);
  }
  return response;
}

absl::StatusOr<v1::ValidateInputsResponse> StorePlanner::ValidateInputs(
    const v1::ValidateInputsRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(MovieSnapshot movie,
                          reader_.Read(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(
      std::vector<v1::PendingEdit> edits,
      reader_.CheckedEdits(request.movie_id(), *movie.blueprint, movie.inputs,
                           "edits", request.edits()));
  v1::ValidateInputsResponse response;
  response.mutable_edits()->Assign(edits.begin(), edits.end());
  return response;
}

absl::StatusOr<CreatedPlan> StorePlanner::CreatePlan(
    const v1::CreatePlanRequest& request) {
  if (!metrics_.has_value()) return MakePlan(request);
  const int64_t begin_nanos = RealClock().MonotonicNanos();
  absl::StatusOr<CreatedPlan> created = MakePlan(request);
  if (created.ok()) {
    metrics_->plans.Add();
    metrics_->plan_seconds.Observe(
        absl::Nanoseconds(RealClock().MonotonicNanos() - begin_nanos));
  } else {
    metrics_->failed_plans.Add();
  }
  return created;
}

absl::StatusOr<CreatedPlan> StorePlanner::MakePlan(
    const v1::CreatePlanRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  const std::shared_ptr<PlannedMovie> movie = MovieOf(request.movie_id());
  KINORA_ASSIGN_OR_RETURN(MadePlan made, movie->Plan(request));
  HoldToBudget(*movie);
  CreatedPlan created;
  KINORA_ASSIGN_OR_RETURN(created.header, SavePlan(request, made));
  if (request.with_layers()) {
    created.layers.assign(
        std::make_move_iterator(made.plan.mutable_layers()->begin()),
        std::make_move_iterator(made.plan.mutable_layers()->end()));
    created.header.mutable_reused()->Swap(made.plan.mutable_reused());
    created.header.mutable_removed_artefact_ids()->Swap(
        made.plan.mutable_removed_artefact_ids());
  }
  return created;
}

absl::StatusOr<v1::ExpandDeferredGroupResponse>
StorePlanner::ExpandDeferredGroup(const v1::ExpandDeferredGroupRequest& request,
                                  CallStop& /*stop*/) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(
      const v1::Plan plan,
      ReadSavedPlan(store_.plans, request.movie_id(), request.plan_hash()));
  return MovieOf(request.movie_id())->Expand(plan, request);
}

std::shared_ptr<PlannedMovie> StorePlanner::MovieOf(
    const std::string& movie_id) {
  MutexLock lock(mu_);
  for (auto movie = movies_.begin(); movie != movies_.end(); ++movie) {
    if ((*movie)->movie_id() != movie_id) continue;
    movies_.splice(movies_.begin(), movies_, movie);
    return movies_.front();
  }
  movies_.push_front(std::make_shared<PlannedMovie>(
      store_, reader_, files_.has_value() ? &*files_ : nullptr, executor_,
      metrics_.has_value() ? &*metrics_ : nullptr, RealClock(), movie_id));
  return movies_.front();
}

void StorePlanner::HoldToBudget(const PlannedMovie& latest) {
  MutexLock lock(mu_);
  size_t elements = 0;
  size_t movies = 0;
  for (auto movie = movies_.begin(); movie != movies_.end();) {
    elements += (*movie)->elements();
    const bool keep = movie->get() == &latest ||
                      (elements <= kMaxKeptElements && movies < kMaxKeptMovies);
    ++movies;
    movie = keep ? std::next(movie) : movies_.erase(movie);
  }
}

absl::StatusOr<v1::PlanHeader> StorePlanner::SavePlan(
    const v1::CreatePlanRequest& request, const MadePlan& made) {
  const v1::Plan& plan = made.plan;
  v1::PlanHeader header;
  header.set_target_revision(plan.target_revision());
  header.set_base_revision(plan.base_revision());
  header.set_manifest_base_hash(plan.manifest_base_hash());
  *header.mutable_summary() = plan.summary();
  for (const std::string& warning : made.warnings) {
    header.add_warnings(warning);
  }
  if (made.summary_only) return header;
  const std::string json = CanonicalBytes(plan);
  header.set_plan_hash(Sha256Of(json).Hex());
  if (request.dry_run() || request.pending_edits_size() != 0) return header;
  v1::SavePlanHeader save;
  save.set_movie_id(request.movie_id());
  save.set_expected_hash(header.plan_hash());
  KINORA_RETURN_IF_ERROR(store_.plans.Save(save, json).status());
  header.set_saved(true);
  return header;
}

absl::StatusOr<v1::RenderGraphResponse> StorePlanner::RenderGraph(
    const v1::RenderGraphRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  KINORA_RETURN_IF_ERROR(CheckGraphFormat(request.format()));
  KINORA_ASSIGN_OR_RETURN(MovieSnapshot movie,
                          reader_.Read(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(
      const DecidingValues values,
      MovieOf(request.movie_id())->CurrentDecidingValues(*movie.blueprint));
  KINORA_ASSIGN_OR_RETURN(GraphShape shape,
                          ShapeOf(*movie.blueprint, movie.inputs, values));
  KINORA_ASSIGN_OR_RETURN(Graph graph,
                          Graph::Expand(*movie.blueprint, std::move(shape)));
  v1::RenderGraphResponse response;
  KINORA_ASSIGN_OR_RETURN(const Drawing drawing,
                          Draw(graph, request.fold_above()));
  response.set_text(Render(drawing, request.format()));
  response.set_folded(drawing.folded);
  return response;
}

}  // namespace kinora
