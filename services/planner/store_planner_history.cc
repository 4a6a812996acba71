// The part of a StorePlanner that looks back: diff, explain, estimate.

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/ids.h"
#include "common/status.h"
#include "services/planner/history/estimate.h"
#include "services/planner/store_planner.h"
#include "services/store/plan/saved_plan.h"

namespace kinora {
namespace {

// Which producer each node's jobs go to, and what it asks.
std::map<std::string, NodeTerms> TermsOf(const Blueprint& blueprint) {
  std::map<std::string, NodeTerms> nodes;
  for (const NodeDeclaration& node : blueprint.nodes) {
    NodeTerms& terms = nodes[node.name];
    terms.producer = node.producer;
    if (!node.price.has_value()) continue;
    v1::CostRange& price = terms.price.emplace();
    price.mutable_low()->set_currency_code(node.price->currency);
    price.mutable_low()->set_micros(node.price->min_micros);
    price.mutable_high()->set_currency_code(node.price->currency);
    price.mutable_high()->set_micros(node.price->max_micros);
  }
  return nodes;
}

}  // namespace

absl::StatusOr<v1::ExplainArtefactResponse> StorePlanner::ExplainArtefact(
    const v1::ExplainArtefactRequest& request) {
  return history_.ExplainArtefact(request);
}

absl::StatusOr<v1::DiffRevisionsResponse> StorePlanner::DiffRevisions(
    const v1::DiffRevisionsRequest& request) {
  return history_.DiffRevisions(request);
}

absl::StatusOr<v1::DiffRunsResponse> StorePlanner::DiffRuns(
    const v1::DiffRunsRequest& request) {
  return history_.DiffRuns(request);
}

absl::StatusOr<v1::ListTakesResponse> StorePlanner::ListTakes(
    const v1::ListTakesRequest& request) {
  return history_.ListTakes(request);
}

absl::StatusOr<v1::ListLeavesResponse> StorePlanner::ListLeaves(
    const v1::ListLeavesRequest& request) {
  return history_.ListLeaves(request);
}

absl::StatusOr<v1::GetJobDurationsResponse> StorePlanner::GetJobDurations(
    const v1::GetJobDurationsRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(const CallHistory history,
                          history_.RecentCalls(request.movie_id()));
  return DurationsOf(history);
}

absl::StatusOr<v1::EstimatePlanResponse> StorePlanner::EstimatePlan(
    const v1::EstimatePlanRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  if (request.plan_hash().empty() != request.has_plan()) {
    return InvalidField("plan_hash", request.plan_hash(),
                        "set either it or plan");
  }
  KINORA_ASSIGN_OR_RETURN(const MovieSnapshot movie, reader_.Read(movie_id));
  EstimateInputs inputs;
  inputs.nodes = TermsOf(*movie.blueprint);
  CreatedPlan made;
  if (request.has_plan()) {
    v1::CreatePlanRequest create = request.plan();
    create.set_movie_id(movie_id);
    create.set_dry_run(true);
    create.set_with_layers(true);
    KINORA_ASSIGN_OR_RETURN(made, CreatePlan(create));
  } else {
    KINORA_ASSIGN_OR_RETURN(v1::Plan plan, ReadSavedPlan(store_.plans, movie_id,
                                                         request.plan_hash()));
    made.layers.assign(std::make_move_iterator(plan.mutable_layers()->begin()),
                       std::make_move_iterator(plan.mutable_layers()->end()));
    *made.header.mutable_summary() = plan.summary();
    // The blueprint may have moved on since.
    for (const v1::PlannedNode& node : plan.nodes()) {
      inputs.nodes[node.node()].producer = node.producer().name();
    }
  }
  inputs.layers = made.layers;
  for (const v1::ProducerTerms& producer : request.producers()) {
    inputs.producers[producer.producer()] = producer;
  }
  inputs.max_concurrency = request.max_concurrency();
  KINORA_ASSIGN_OR_RETURN(const CallHistory history, history_.Calls(movie_id));
  inputs.history = &history;
  KINORA_ASSIGN_OR_RETURN(v1::EstimatePlanResponse response, Estimate(inputs));
  *response.mutable_summary() = std::move(*made.header.mutable_summary());
  return response;
}

}  // namespace kinora
