#include "services/planner/store_planner.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/proto_json.h"
#include "common/status.h"
#include "services/planner/graph/render.h"

namespace kinora {
namespace {

constexpr size_t kMaxDigestsPerCall = 10000;

template <typename Edits>
std::vector<const v1::PendingEdit*> Pointers(const Edits& edits) {
  std::vector<const v1::PendingEdit*> pointers;
  for (const v1::PendingEdit& edit : edits) pointers.push_back(&edit);
  return pointers;
}

// Adds to `lost` those of `digests` that the movie does not have.
absl::Status FindLost(BlobStore& blobs, const std::string& movie_id,
                      const std::vector<v1::Digest>& digests,
                      absl::flat_hash_set<Digest>* lost) {
  for (size_t from = 0; from < digests.size(); from += kMaxDigestsPerCall) {
    v1::FindMissingBlobsRequest request;
    request.set_movie_id(movie_id);
    size_t to = std::min(digests.size(), from + kMaxDigestsPerCall);
    for (size_t i = from; i < to; ++i) *request.add_digests() = digests[i];
    KINORA_ASSIGN_OR_RETURN(v1::FindMissingBlobsResponse response,
                            blobs.FindMissing(request));
    for (const v1::Digest& missing : response.missing()) {
      KINORA_ASSIGN_OR_RETURN(Digest digest, Digest::ParseHex(missing.hash()));
      lost->insert(digest);
    }
  }
  return absl::OkStatus();
}

}  // namespace

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
  KINORA_ASSIGN_OR_RETURN(std::vector<v1::PendingEdit> edits,
                          CanonicalEdits(*movie.blueprint, movie.inputs,
                                         Pointers(request.edits())));
  v1::ValidateInputsResponse response;
  response.mutable_edits()->Assign(edits.begin(), edits.end());
  return response;
}

absl::StatusOr<CreatedPlan> StorePlanner::CreatePlan(
    const v1::CreatePlanRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  if (request.scope().ByteSizeLong() != 0) {
    return WithReason(
        absl::UnimplementedError(
            "PlannerService.CreatePlan: scope is not part of this build"),
        "RPC_NOT_IMPLEMENTED", {{"field", "scope"}});
  }
  std::shared_ptr<MovieLog> log = reader_.Log(request.movie_id());
  MutexLock lock(log->mu);
  KINORA_RETURN_IF_ERROR(reader_.CatchUp(request.movie_id(), *log));
  KINORA_ASSIGN_OR_RETURN(MovieSnapshot movie,
                          reader_.Read(request.movie_id()));
  PlanInputs inputs;
  inputs.movie_id = request.movie_id();
  inputs.blueprint = movie.blueprint.get();
  inputs.blueprint_hash = movie.blueprint_hash;
  inputs.base = movie.base.get();
  inputs.base_hash = movie.base_hash;
  inputs.base_blueprint = movie.base_blueprint.get();
  KINORA_ASSIGN_OR_RETURN(inputs.edits,
                          CanonicalEdits(*movie.blueprint, movie.inputs,
                                         Pointers(request.pending_edits())));
  inputs.inputs = std::move(movie.inputs);
  inputs.inputs_through_sequence = movie.inputs_through_sequence;
  inputs.producers.assign(request.producers().begin(),
                          request.producers().end());
  inputs.results = &log->results;
  KINORA_ASSIGN_OR_RETURN(MadePlan made, MakeSoundPlan(&inputs));
  CreatedPlan created;
  KINORA_ASSIGN_OR_RETURN(created.header, SavePlan(request, made));
  if (request.with_layers()) {
    created.layers.assign(
        std::make_move_iterator(made.plan.mutable_layers()->begin()),
        std::make_move_iterator(made.plan.mutable_layers()->end()));
    created.header.mutable_reused()->Swap(made.plan.mutable_reused());
  }
  return created;
}

absl::StatusOr<MadePlan> StorePlanner::MakeSoundPlan(PlanInputs* inputs) {
  while (true) {
    KINORA_ASSIGN_OR_RETURN(MadePlan made, MakePlan(*inputs));
    size_t known = inputs->lost_blobs.size();
    KINORA_RETURN_IF_ERROR(FindLost(store_.blobs, inputs->movie_id,
                                    made.relied_on, &inputs->lost_blobs));
    // A plan does not rely on what it knows to be lost, so this ends.
    if (inputs->lost_blobs.size() == known) return made;
  }
}

absl::StatusOr<v1::PlanHeader> StorePlanner::SavePlan(
    const v1::CreatePlanRequest& request, const MadePlan& made) {
  const v1::Plan& plan = made.plan;
  std::string json = CanonicalBytes(plan);
  v1::PlanHeader header;
  header.set_plan_hash(Sha256Of(json).Hex());
  header.set_target_revision(plan.target_revision());
  header.set_base_revision(plan.base_revision());
  header.set_manifest_base_hash(plan.manifest_base_hash());
  *header.mutable_summary() = plan.summary();
  for (const std::string& warning : made.warnings) {
    header.add_warnings(warning);
  }
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
  KINORA_ASSIGN_OR_RETURN(GraphShape shape,
                          ShapeOf(*movie.blueprint, movie.inputs));
  KINORA_ASSIGN_OR_RETURN(Graph graph,
                          Graph::Expand(*movie.blueprint, std::move(shape)));
  v1::RenderGraphResponse response;
  KINORA_ASSIGN_OR_RETURN(*response.mutable_text(),
                          DrawGraph(graph, request.format()));
  return response;
}

}  // namespace kinora
