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
#include "clients/cli/hand_edits.h"
#include "clients/cli/input_assignments.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/producer_versions.h"
#include "clients/cli/scope_flags.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

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
  return absl::StrJoin(costs, " + ");
}

// Where nothing is known of any job, that is said in place of a range.
void PrintRanges(const v1::EstimatePlanResponse& estimate) {
  if (estimate.producers().empty() &&
      estimate.summary().deferred_nodes() == 0) {
    return Print("cost: none, nothing is to be called\n");
  }
  Print(estimate.costs().empty()
            ? "cost: not known\n"
            : absl::StrFormat("cost: %s to %s\n", CostsOf(estimate, false),
                              CostsOf(estimate, true)));
  Print(estimate.untimed_producers_size() == estimate.producers_size()
            ? "time: not known\n"
            : absl::StrFormat("time: %s to %s\n",
                              FormatSeconds(estimate.low_duration()),
                              FormatSeconds(estimate.high_duration())));
}

// One range for each currency that the producer was billed in. A planner that
// is older than that tells one.
std::string PricesOf(const v1::ProducerEstimate& producer) {
  std::vector<std::string> prices;
  const auto add = [&prices](const v1::CostRange& range) {
    prices.push_back(absl::StrCat(FormatCost(range.low()), " to ",
                                  FormatCost(range.high())));
  };
  for (const v1::CostRange& range : producer.prices()) add(range);
  if (prices.empty() && producer.has_price()) add(producer.price());
  return prices.empty() ? "no price for" : absl::StrJoin(prices, " or ");
}

void PrintEstimate(const v1::EstimatePlanResponse& estimate) {
  PrintRanges(estimate);
  for (const v1::ProducerEstimate& producer : estimate.producers()) {
    Print(absl::StrFormat(
        "  %-20s %d must run, %d may run, %s a job, %d recorded\n",
        producer.producer(), producer.must_run_jobs(), producer.may_run_jobs(),
        PricesOf(producer), producer.recorded_calls()));
  }
  if (estimate.summary().known_failures() > 0) {
    Print(absl::StrCat(
        Counted(estimate.summary().known_failures(), "known failure"),
        " among these: another call fails in the same way\n"));
  }
  if (estimate.summary().deferred_nodes() > 0) {
    Print(absl::StrCat("not counted: jobs of ",
                       Counted(estimate.summary().deferred_nodes(), "node"),
                       " that are planned during the run\n"));
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
  KINORA_ASSIGN_OR_RETURN(std::optional<v1::PlanScope> scope,
                          ScopeOf(call.args));
  if (scope.has_value()) *request.mutable_scope() = *std::move(scope);
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::PendingEdit> edits,
      PrepareEdits(call.connection, call.operand(0), call.args.GetAll("set"),
                   FileUpload::kSkip));
  request.mutable_pending_edits()->Assign(edits.begin(), edits.end());
  const bool only_tell =
      request.dry_run() || call.args.Has("set") || call.args.Has("estimate");
  KINORA_RETURN_IF_ERROR(
      TakeHandEdits(call, request.movie_id(),
                    only_tell ? HandEdits::kTell : HandEdits::kRecord));
  const absl::Status producers =
      AddProducerVersions(call.connection, &request).status();
  if (!producers.ok()) {
    std::fprintf(stderr,
                 "kinora: the runner does not answer, so producers count as "
                 "unchanged: %s\n",
                 std::string(producers.message()).c_str());
  }
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
    Print(PlanText(call.operand(0), plan.header, plan.layers));
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
