// kinora run

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/hand_edits.h"
#include "clients/cli/input_assignments.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/producer_versions.h"
#include "clients/cli/run_watch.h"
#include "clients/cli/scope_flags.h"
#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr int64_t kMaxConcurrency = 1'000'000;

void PrintStart(const v1::StartRunResponse& started) {
  if (started.run().status() == v1::RUN_STATUS_QUEUED) {
    return Print(absl::StrFormat("%s of %s: queued\n", started.run().run_id(),
                                 started.run().movie_id()));
  }
  const v1::PlanSummary& summary = started.plan().summary();
  Print(absl::StrFormat(
      "%s of %s: %s, %s in %s (%d reused, %d clean%s)%s\n",
      started.run().run_id(), started.run().movie_id(),
      started.run().target_revision(),
      Counted(summary.must_run_jobs() + summary.may_run_jobs(), "job"),
      Counted(summary.layers(), "layer"), summary.reused_jobs(),
      summary.clean_jobs(),
      summary.left_jobs() == 0
          ? ""
          : absl::StrFormat(", %d left as they are", summary.left_jobs()),
      summary.deferred_nodes() > 0 ? ", and more as artefacts decide" : ""));
}

// What a dry run that has ended came to.
std::string DryRunText(const v1::RunRecord& run) {
  std::vector<std::string> costs;
  if (run.cost().micros() > 0) costs.push_back(FormatCost(run.cost()));
  for (const v1::Cost& cost : run.other_costs()) {
    costs.push_back(FormatCost(cost));
  }
  return absl::StrCat("dry run: ", Counted(run.jobs().succeeded(), "job"),
                      " would be called, ", run.jobs().reused(), " reused",
                      costs.empty() ? "" : "; at most ",
                      absl::StrJoin(costs, " and "), "; nothing was written\n");
}

// Sets how the run's jobs are dispatched.
absl::Status TakeDispatch(const Args& args, v1::StartRunRequest* request) {
  if (const auto word = args.Get("dispatch"); word.has_value()) {
    if (*word == "eager") {
      request->set_dispatch(v1::DISPATCH_MODE_EAGER);
    } else if (*word == "layered") {
      request->set_dispatch(v1::DISPATCH_MODE_LAYERED);
    } else {
      return InvalidField("--dispatch", *word, "must be eager or layered");
    }
  }
  if (const auto text = args.Get("concurrency"); text.has_value()) {
    KINORA_ASSIGN_OR_RETURN(const int64_t jobs,
                            ParseCount("--concurrency", *text));
    if (jobs == 0 || jobs > kMaxConcurrency) {
      return InvalidField("--concurrency", *text,
                          absl::StrCat("must be 1 to ", kMaxConcurrency));
    }
    request->set_max_concurrency(static_cast<uint32_t>(jobs));
  }
  return absl::OkStatus();
}

// Plans what the run is to do, so that jobs that are known to fail are named
// before anybody is paid for them again. The run then carries that plan out,
// unless it is planned later or where others see nothing of it. What is wrong
// with the plan itself StartRun says. Returns the warnings of a plan that the
// run carries out: StartRun has them of those alone that it makes.
std::vector<std::string> PlanFirst(const Invocation& call,
                                   v1::StartRunRequest* run) {
  constexpr size_t kMaxNamed = 20;
  v1::CreatePlanRequest request;
  request.set_movie_id(run->movie_id());
  *request.mutable_pending_edits() = run->edits();
  if (run->has_scope()) *request.mutable_scope() = run->scope();
  const absl::StatusOr<bool> all_answered =
      AddProducerVersions(call.connection, &request);
  std::vector<std::string> warnings;
  if (!all_answered.ok()) return warnings;
  const bool is_what_if = !*all_answered || run->dry_run() ||
                          !run->edits().empty() ||
                          run->if_active() != v1::IF_ACTIVE_UNSPECIFIED;
  request.set_dry_run(is_what_if);
  Planner& planner = call.connection.planner();
  absl::StatusOr<CreatedPlan> plan = planner.CreatePlan(request);
  if (!plan.ok()) return warnings;
  if (!is_what_if) {
    warnings.assign(plan->header.warnings().begin(),
                    plan->header.warnings().end());
    run->set_plan_hash(plan->header.plan_hash());
    run->clear_scope();  // the plan has it
  }
  if (plan->header.summary().known_failures() == 0) return warnings;
  request.set_dry_run(true);
  request.set_with_layers(true);
  plan = planner.CreatePlan(request);
  if (!plan.ok()) return warnings;
  std::fprintf(stderr, "kinora: %s",
               KnownFailuresText(plan->layers, kMaxNamed).c_str());
  return warnings;
}

absl::StatusOr<v1::StartRunResponse> PlanAndStart(
    const Invocation& call, const v1::StartRunRequest& request) {
  v1::StartRunRequest planned = request;
  const std::vector<std::string> warnings = PlanFirst(call, &planned);
  RunnerClient& runner = call.connection.runner();
  absl::StatusOr<v1::StartRunResponse> started = runner.StartRun(planned);
  const bool is_late = ReasonOf(started.status()) == "BASE_CHANGED";
  if (is_late && !planned.plan_hash().empty()) {
    // Another run has published since. StartRun plans where none can.
    return runner.StartRun(request);
  }
  if (!started.ok()) return started;
  for (const std::string& warning : warnings) {
    started->mutable_plan()->add_warnings(warning);
  }
  return started;
}

// What is wrong with the movie StartRun says; and where the store cannot be
// reached from here, the runner may reach it.
void LookForHandEdits(const Invocation& call, const v1::StartRunRequest& run) {
  HandEdits how = HandEdits::kRecordIfAny;
  if (run.if_active() != v1::IF_ACTIVE_UNSPECIFIED) {
    how = HandEdits::kRecordInTurn;
  }
  if (run.dry_run()) how = HandEdits::kTell;
  const absl::Status looked = TakeHandEdits(call, run.movie_id(), how);
  if (looked.ok() || absl::IsNotFound(looked)) return;
  std::fprintf(stderr, "kinora: edits by hand were not looked for: %s\n",
               std::string(looked.message()).c_str());
}

// What to do if another run is active.
absl::StatusOr<v1::IfActive> IfActiveOf(const Args& args) {
  const bool queue = args.Has("queue");
  const bool replace = args.Has("replace");
  if (queue && replace) {
    return InvalidField("--queue", "--replace",
                        "a run either waits for its turn or replaces the one "
                        "that is active");
  }
  if (queue) return v1::IF_ACTIVE_QUEUE;
  return replace ? v1::IF_ACTIVE_REPLACE : v1::IF_ACTIVE_UNSPECIFIED;
}

// Who starts the run, and why.
absl::Status TakeOrigin(const Args& args, v1::StartRunRequest* request) {
  for (const std::string& label : args.GetAll("label")) {
    const std::vector<std::string> parts =
        absl::StrSplit(label, absl::MaxSplits('=', 1));
    if (parts.size() < 2 || parts[0].empty()) {
      return InvalidField("--label", label, "expected NAME=VALUE");
    }
    (*request->mutable_labels())[parts[0]] = parts[1];
  }
  request->set_trigger_event_json(args.Get("trigger").value_or(""));
  request->set_parent_run_id(args.Get("parent").value_or(""));
  request->set_parent_job_id(args.Get("parent-job").value_or(""));
  return absl::OkStatus();
}

absl::StatusOr<int> StartRun(const Invocation& call) {
  v1::StartRunRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const v1::IfActive if_active, IfActiveOf(call.args));
  request.set_if_active(if_active);
  const bool dry_run = call.args.Has("dry-run");
  if (dry_run && if_active != v1::IF_ACTIVE_UNSPECIFIED) {
    return InvalidField("--dry-run", "--queue or --replace",
                        "a dry run neither waits for other runs nor stops "
                        "them");
  }
  request.set_dry_run(dry_run);
  KINORA_ASSIGN_OR_RETURN(std::optional<v1::PlanScope> scope,
                          ScopeOf(call.args));
  if (scope.has_value()) *request.mutable_scope() = *std::move(scope);
  KINORA_RETURN_IF_ERROR(TakeDispatch(call.args, &request));
  KINORA_RETURN_IF_ERROR(TakeOrigin(call.args, &request));
  if (const auto budget = call.args.Get("budget"); budget.has_value()) {
    KINORA_ASSIGN_OR_RETURN(*request.mutable_budget(),
                            ParseCost("--budget", *budget));
  }
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<v1::PendingEdit> edits,
      PrepareEdits(call.connection, call.operand(0), call.args.GetAll("set"),
                   dry_run ? FileUpload::kSkip : FileUpload::kSend));
  request.mutable_edits()->Assign(edits.begin(), edits.end());
  LookForHandEdits(call, request);
  KINORA_ASSIGN_OR_RETURN(const v1::StartRunResponse started,
                          PlanAndStart(call, request));
  const bool detach = call.args.Has("detach");
  if (call.json) {
    PrintJson(started);
  } else {
    PrintStart(started);
  }
  if (detach && !dry_run) return kExitOk;
  KINORA_ASSIGN_OR_RETURN(
      const int exit_code,
      WatchAndShow(
          call, started.run().run_id(), 0,
          LoadPlanForShow(call, call.operand(0), started.run().plan_hash())));
  if (dry_run && !call.json) Print(DryRunText(started.run()));
  return exit_code;
}

}  // namespace

std::vector<Command> RunCommands() {
  return {{.words = "run",
           .usage = "MOVIE [--set NAME=JSON ...] [SCOPE] [--budget AMOUNT] "
                    "[--queue | --replace] [--dispatch eager|layered] "
                    "[--concurrency N] [--label NAME=VALUE ...] "
                    "[--trigger JSON] [--parent RUN --parent-job JOB] "
                    "[--detach] [--dry-run] [--plain]",
           .help = "plans and runs; exit code 0 only if the run completed",
           .flags = WithScopeFlags(
               {{"set", "NAME=JSON", "set this input first"},
                {"budget", "AMOUNT", "wait before more is spent: 'USD 12.50'"},
                {"queue", "", "wait for the run that is active to end"},
                {"replace", "", "cancel the run that is active"},
                {"dispatch", "MODE",
                 "eager: a job starts once what it reads is done; layered: "
                 "once the layer before is"},
                {"concurrency", "N", "at most so many jobs at once"},
                {"label", "NAME=VALUE", "kept in the run's record"},
                {"trigger", "JSON", "the event that sets the run off"},
                {"parent", "RUN", "the run of whose job this is a part"},
                {"parent-job", "JOB", "the job of that run"},
                {"detach", "", "start the run and do not wait for it"},
                {"dry-run", "",
                 "simulate all producers; nothing is written or charged"},
                kPlainFlag}),
           .min_operands = 1,
           .max_operands = 1,
           .run = StartRun}};
}

}  // namespace kinora
