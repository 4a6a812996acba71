// The part of Runner that gets together what a start works with: a plan that
// the movie is still at, and producers that are those of the plan.

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/runner/calls/output_schemas.h"
#include "services/runner/runner.h"

namespace kinora {
namespace {

v1::PlanHeader HeaderOf(const v1::Plan& plan, const std::string& plan_hash) {
  v1::PlanHeader header;
  header.set_plan_hash(plan_hash);
  header.set_saved(true);
  header.set_target_revision(plan.target_revision());
  header.set_base_revision(plan.base_revision());
  header.set_manifest_base_hash(plan.manifest_base_hash());
  *header.mutable_summary() = plan.summary();
  return header;
}

// The nodes that have jobs to run, or may have.
std::set<std::string> NodesToRun(const v1::Plan& plan) {
  std::set<std::string> nodes;
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) nodes.insert(job.node());
  }
  for (const v1::DeferredGroup& group : plan.deferred()) {
    nodes.insert(group.node());
  }
  return nodes;
}

}  // namespace

absl::StatusOr<Runner::Prepared> Runner::Prepare(
    const v1::StartRunRequest& request, const v1::Movie& movie) {
  Prepared prepared;
  std::map<std::string, absl::Status> silent;  // producers without an answer
  std::string plan_hash = request.plan_hash();
  if (plan_hash.empty()) {
    v1::CreatePlanRequest create;
    create.set_movie_id(movie.movie_id());
    if (request.has_scope()) *create.mutable_scope() = request.scope();
    KINORA_ASSIGN_OR_RETURN(std::vector<std::string> names, ProducersOf(movie));
    const std::vector<absl::StatusOr<v1::DescribeResponse>> descriptions =
        deps_.producers.DescribeAll(names);
    for (size_t i = 0; i < names.size(); ++i) {
      // One that does not answer matters only if the plan has jobs for it.
      if (!descriptions[i].ok()) {
        silent.emplace(names[i], descriptions[i].status());
        continue;
      }
      v1::ProducerIdentity* identity = create.add_producers();
      identity->set_name(names[i]);
      identity->set_version(descriptions[i]->identity().version());
    }
    KINORA_ASSIGN_OR_RETURN(CreatedPlan created,
                            deps_.planner.CreatePlan(create));
    prepared.header = std::move(created.header);
    plan_hash = prepared.header.plan_hash();
  }
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<const v1::Plan> plan,
                          LoadPlan(movie.movie_id(), plan_hash));
  if (!request.plan_hash().empty()) {
    prepared.header = HeaderOf(*plan, plan_hash);
  }
  prepared.header.clear_reused();
  KINORA_RETURN_IF_ERROR(CheckBase(*plan));
  KINORA_RETURN_IF_ERROR(CheckProducers(*plan, silent, &prepared.prices));
  prepared.record.set_movie_id(movie.movie_id());
  prepared.record.set_plan_hash(plan_hash);
  prepared.record.set_target_revision(plan->target_revision());
  prepared.record.set_manifest_base_hash(plan->manifest_base_hash());
  prepared.plan = std::move(plan);
  return prepared;
}

absl::StatusOr<std::vector<std::string>> Runner::ProducersOf(
    const v1::Movie& movie) {
  v1::ReadBlobRequest read;
  read.set_movie_id(movie.movie_id());
  *read.mutable_digest() = movie.blueprint().digest();
  v1::ValidateBlueprintRequest validate;
  KINORA_RETURN_IF_ERROR(
      Annotate(deps_.store.blobs.Read(read,
                                      [&validate](absl::string_view bytes) {
                                        validate.mutable_blueprint()->append(
                                            bytes.data(), bytes.size());
                                        return absl::OkStatus();
                                      }),
               "read the blueprint"));
  KINORA_ASSIGN_OR_RETURN(v1::ValidateBlueprintResponse valid,
                          deps_.planner.ValidateBlueprint(validate));
  return std::vector<std::string>(valid.producers().begin(),
                                  valid.producers().end());
}

absl::Status Runner::CheckBase(const v1::Plan& plan) {
  v1::GetCurrentManifestRequest request;
  request.set_movie_id(plan.movie_id());
  KINORA_ASSIGN_OR_RETURN(v1::GetCurrentManifestResponse response,
                          deps_.store.manifests.GetCurrent(request));
  const std::string& current = response.current().hash();
  if (current == plan.manifest_base_hash()) return absl::OkStatus();
  return WithReason(
      absl::AbortedError(absl::StrCat(
          "the plan builds on ",
          plan.base_revision().empty() ? "no revision" : plan.base_revision(),
          ", current is ", response.current().revision(), ": plan again")),
      "BASE_CHANGED", {{"movie", plan.movie_id()}, {"current", current}});
}

absl::Status Runner::CheckProducers(
    const v1::Plan& plan, const std::map<std::string, absl::Status>& silent,
    DeclaredPrices* prices) {
  const std::set<std::string> nodes = NodesToRun(plan);
  for (const v1::PlannedNode& node : plan.nodes()) {
    const bool has_jobs = nodes.count(node.node()) > 0;
    const auto it = silent.find(node.producer().name());
    // It may get jobs only as artefacts decide.
    if (!has_jobs && (plan.deferred().empty() || it != silent.end())) continue;
    // Planned without its version: an answer now would not be the plan's.
    if (it != silent.end()) return Annotate(it->second, "node " + node.node());
    absl::StatusOr<v1::DescribeResponse> description = deps_.producers.Describe(
        node.producer().name(), node.producer().version());
    if (!has_jobs) {
      if (!description.ok()) continue;
      (*prices)[node.producer().name()] = description->price().high();
      continue;
    }
    if (!description.ok()) {
      return Annotate(description.status(), "node " + node.node());
    }
    if (description->identity().version() != node.producer().version()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "node ", node.node(), ": the plan was made for version \"",
          node.producer().version(), "\" of producer \"",
          node.producer().name(), "\", which now has version \"",
          description->identity().version(), "\": plan again"));
    }
    KINORA_RETURN_IF_ERROR(Annotate(
        CompileOutputSchemas(node.producer().name(), *description).status(),
        "node " + node.node()));
    (*prices)[node.producer().name()] = description->price().high();
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::StartRunResponse> Runner::Remembered(
    const std::string& run_id) {
  v1::GetRunRecordRequest request;
  request.set_run_id(run_id);
  KINORA_ASSIGN_OR_RETURN(v1::GetRunRecordResponse record,
                          deps_.store.runs.Get(request));
  v1::StartRunResponse response;
  *response.mutable_run() = record.record();
  // It has none before its turn.
  if (record.record().plan_hash().empty()) return response;
  KINORA_ASSIGN_OR_RETURN(
      const std::shared_ptr<const v1::Plan> plan,
      LoadPlan(record.record().movie_id(), record.record().plan_hash()));
  *response.mutable_plan() = HeaderOf(*plan, record.record().plan_hash());
  return response;
}

}  // namespace kinora
