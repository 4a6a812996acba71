// kinora plan

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/input_assignments.h"
#include "clients/cli/scope_flags.h"
#include "common/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

// Versions of the producers as they are now, so that a new version shows up
// in the plan. Without a runner the plan takes them as unchanged.
void AddProducers(const Invocation& call, v1::CreatePlanRequest* request) {
  const absl::StatusOr<v1::ListProducersResponse> listed =
      call.connection.runner().ListProducers(v1::ListProducersRequest());
  if (!listed.ok()) {
    std::fprintf(stderr,
                 "kinora: the runner does not answer, so producers count as "
                 "unchanged: %s\n",
                 std::string(listed.status().message()).c_str());
    return;
  }
  for (const v1::ListedProducer& producer : listed->producers()) {
    if (producer.reachable()) {
      *request->add_producers() = producer.description().identity();
    }
  }
}

// Edits by hand count in a plan: they are recorded first, or only told if the
// plan is to write nothing. A run at work or a store without files has none.
absl::Status TakeHandEdits(const Invocation& call, bool dry_run) {
  v1::ScanReadableFilesRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_dry_run(dry_run);
  const absl::StatusOr<v1::ScanReadableFilesResponse> scanned =
      call.connection.store().maintenance.ScanReadableFiles(request);
  if (absl::IsFailedPrecondition(scanned.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(scanned.status());
  for (const std::string& id : scanned->artefact_ids()) {
    std::fprintf(stderr, "kinora: %s of %s\n",
                 dry_run ? "does not count the edit by hand"
                         : "recorded the edit by hand",
                 id.c_str());
  }
  return absl::OkStatus();
}

void PrintJobs(const v1::PlanLayer& layer) {
  for (const v1::PlannedJob& job : layer.jobs()) {
    Print(absl::StrFormat(
        "  %-36s %-8s  %s\n", job.job_id(),
        job.need() == v1::JOB_NEED_MUST_RUN ? "must run" : "may run",
        job.reason().text()));
  }
}

void PrintPlan(absl::string_view movie_id, const CreatedPlan& plan) {
  const v1::PlanHeader& header = plan.header;
  const v1::PlanSummary& summary = header.summary();
  Print(absl::StrFormat(
      "%s: %s on %s, plan %s%s\n", movie_id, header.target_revision(),
      header.base_revision().empty() ? "nothing" : header.base_revision(),
      header.plan_hash().substr(0, 12), header.saved() ? "" : " (not saved)"));
  if (summary.changed_inputs_size() > 0) {
    Print(absl::StrFormat("changed inputs: %s\n",
                          absl::StrJoin(summary.changed_inputs(), ", ")));
  }
  int number = 0;
  for (const v1::PlanLayer& layer : plan.layers) {
    Print(absl::StrFormat("layer %d\n", ++number));
    PrintJobs(layer);
  }
  if (header.reused_size() > 0) Print("reused from the log\n");
  for (const v1::ReusedJob& job : header.reused()) {
    Print(absl::StrFormat("  %s\n", job.job_id()));
  }
  for (const std::string& warning : header.warnings()) {
    Print(absl::StrFormat("warning: %s\n", warning));
  }
  Print(absl::StrFormat(
      "%d jobs in %d layers: %d must run, %d may run; %d reused, %d clean%s\n",
      summary.must_run_jobs() + summary.may_run_jobs(), summary.layers(),
      summary.must_run_jobs(), summary.may_run_jobs(), summary.reused_jobs(),
      summary.clean_jobs(),
      summary.left_jobs() == 0
          ? ""
          : absl::StrFormat(", %d left as they are", summary.left_jobs())));
  if (summary.deferred_nodes() > 0) {
    Print(
        absl::StrFormat("%d nodes have jobs that are planned during the run\n",
                        summary.deferred_nodes()));
  }
}

// The header with its layers as one document.
void PrintPlanJson(const CreatedPlan& plan) {
  JsonValue json = ProtoToJson(plan.header);
  JsonArray layers;
  for (const v1::PlanLayer& layer : plan.layers) {
    layers.push_back(ProtoToJson(layer));
  }
  json.object().Set("layers", std::move(layers));
  PrintJson(json);
}

// What the producers ask and allow, as far as the runner knows.
void AddTerms(const Invocation& call, v1::EstimatePlanRequest* request) {
  const absl::StatusOr<v1::ListProducersResponse> listed =
      call.connection.runner().ListProducers(v1::ListProducersRequest());
  if (!listed.ok()) return;
  for (const v1::ListedProducer& producer : listed->producers()) {
    const v1::DescribeResponse& description = producer.description();
    v1::ProducerTerms& terms = *request->add_producers();
    terms.set_producer(producer.name());
    terms.set_max_concurrency(description.max_concurrency());
    if (!description.has_price()) continue;
    *terms.mutable_low_price() = description.price().low();
    *terms.mutable_high_price() = description.price().high();
  }
}

std::string CostsOf(const v1::EstimatePlanResponse& estimate, bool high) {
  std::vector<std::string> costs;
  for (const v1::CostRange& range : estimate.costs()) {
    costs.push_back(FormatCost(high ? range.high() : range.low()));
  }
  return costs.empty() ? "nothing known" : absl::StrJoin(costs, " + ");
}

void PrintEstimate(const v1::EstimatePlanResponse& estimate) {
  Print(absl::StrFormat("cost: %s to %s\n", CostsOf(estimate, false),
                        CostsOf(estimate, true)));
  Print(absl::StrFormat("time: %s to %s\n",
                        FormatSeconds(estimate.low_duration()),
                        FormatSeconds(estimate.high_duration())));
  for (const v1::ProducerEstimate& producer : estimate.producers()) {
    Print(absl::StrFormat(
        "  %-20s %d must run, %d may run, %s a job, %d recorded\n",
        producer.producer(), producer.must_run_jobs(), producer.may_run_jobs(),
        producer.has_price()
            ? absl::StrCat(FormatCost(producer.price().low()), " to ",
                           FormatCost(producer.price().high()))
            : "no price for",
        producer.recorded_calls()));
  }
  if (estimate.summary().deferred_nodes() > 0) {
    Print(absl::StrFormat(
        "not counted: jobs of %d nodes that are planned during the run\n",
        estimate.summary().deferred_nodes()));
  }
  if (estimate.unpriced_producers_size() > 0) {
    Print(absl::StrFormat("no price known: %s\n",
                          absl::StrJoin(estimate.unpriced_producers(), ", ")));
  }
  if (estimate.untimed_producers_size() > 0) {
    Print(absl::StrFormat("no times known: %s\n",
                          absl::StrJoin(estimate.untimed_producers(), ", ")));
  }
}

absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
    const Invocation& call, const v1::CreatePlanRequest& plan) {
  v1::EstimatePlanRequest request;
  request.set_movie_id(plan.movie_id());
  *request.mutable_plan() = plan;
  AddTerms(call, &request);
  return call.connection.planner().EstimatePlan(request);
}

absl::StatusOr<int> MakePlan(const Invocation& call) {
  v1::CreatePlanRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_dry_run(call.args.Has("dry-run"));
  request.set_with_layers(true);
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::PendingEdit> edits,
      PrepareEdits(call.connection, call.operand(0), call.args.GetAll("set"),
                   FileUpload::kSkip));
  request.mutable_pending_edits()->Assign(edits.begin(), edits.end());
  KINORA_ASSIGN_OR_RETURN(std::optional<v1::PlanScope> scope,
                          ScopeOf(call.args));
  if (scope.has_value()) *request.mutable_scope() = *std::move(scope);
  KINORA_RETURN_IF_ERROR(TakeHandEdits(call, request.dry_run() ||
                                                 call.args.Has("set") ||
                                                 call.args.Has("estimate")));
  AddProducers(call, &request);
  if (call.args.Has("estimate")) {
    KINORA_ASSIGN_OR_RETURN(const v1::EstimatePlanResponse estimate,
                            EstimatePlan(call, request));
    if (call.json) {
      PrintJson(estimate);
    } else {
      PrintEstimate(estimate);
    }
    return kExitOk;
  }
  KINORA_ASSIGN_OR_RETURN(const CreatedPlan plan,
                          call.connection.planner().CreatePlan(request));
  if (call.json) {
    PrintPlanJson(plan);
  } else {
    PrintPlan(call.operand(0), plan);
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> PlanCommands() {
  return {{.words = "plan",
           .usage = "MOVIE [--set NAME=JSON ...] [SCOPE] [--dry-run] "
                    "[--estimate]",
           .help = "shows what a run would do, and why",
           .flags = WithScopeFlags(
               {{"set", "NAME=JSON",
                 "plan as if this input were set; writes nothing"},
                {"dry-run", "", "do not save the plan"},
                {"estimate", "",
                 "say what a run would cost and how long it would take, "
                 "from the least to the most; writes nothing"}}),
           .min_operands = 1,
           .max_operands = 1,
           .run = MakePlan}};
}

}  // namespace kinora
