// kinora runs list | show | watch | cancel | pause | resume | retry | budget;
// replay has its own file

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/recovery_text.h"
#include "clients/cli/run_watch.h"
#include "clients/cli/terminal_text.h"
#include "clients/cli/wait_text.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

std::string StatusWord(v1::RunStatus status) {
  // Its record or its ledger cannot be read; the error says why.
  if (status == v1::RUN_STATUS_UNSPECIFIED) return "unknown";
  return EnumWord(*v1::RunStatus_descriptor()->FindValueByNumber(status));
}

// "running" or "failed,cancelled".
absl::Status AddStatuses(absl::string_view words,
                         v1::ListRunsRequest* request) {
  const auto& enumeration = *v1::RunStatus_descriptor();
  for (absl::string_view word : absl::StrSplit(words, ',')) {
    std::vector<std::string> known;
    bool found = false;
    for (int i = 1; i < enumeration.value_count(); ++i) {
      known.push_back(EnumWord(*enumeration.value(i)));
      if (known.back() != word) continue;
      request->add_statuses(
          static_cast<v1::RunStatus>(enumeration.value(i)->number()));
      found = true;
    }
    if (!found) {
      return InvalidField(
          "--status", word,
          absl::StrCat("expected one of ", absl::StrJoin(known, ", ")));
    }
  }
  return absl::OkStatus();
}

std::string Describe(const v1::RunRecord& run) {
  std::string text = absl::StrFormat("%s  %-10s  %-24s %s", run.run_id(),
                                     StatusWord(run.status()), run.movie_id(),
                                     run.target_revision());
  if (!run.error().empty()) {
    absl::StrAppend(&text, "  ", PrintableText(run.error()));
  }
  return text;
}

// "spent 1.20 USD, reserved 0.50 USD, budget 12.50 USD"
std::string DescribeMoney(const v1::RunSnapshot& run) {
  const v1::RunRecord& record = run.record();
  v1::Cost spent = record.cost();
  if (!record.has_cost() && record.has_budget()) {
    spent.set_currency_code(record.budget().currency_code());
  }
  std::string text = absl::StrCat("spent ", FormatCost(spent));
  for (const v1::Cost& cost : record.other_costs()) {
    absl::StrAppend(&text, " and ", FormatCost(cost));
  }
  for (int i = 0; i < run.reserved_size(); ++i) {
    absl::StrAppend(&text, i == 0 ? ", reserved " : " and ",
                    FormatCost(run.reserved(i)));
  }
  return absl::StrCat(text, ", ",
                      record.has_budget()
                          ? absl::StrCat("budget ", FormatCost(record.budget()))
                          : "no budget",
                      "\n");
}

absl::StatusOr<v1::RunSnapshot> GetRun(const Invocation& call) {
  v1::GetRunRequest request;
  request.set_run_id(std::string(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(v1::GetRunResponse response,
                          call.connection.runner().GetRun(request));
  return std::move(*response.mutable_run());
}

absl::StatusOr<v1::ListRunsResponse> AllPages(const Invocation& call,
                                              v1::ListRunsRequest request) {
  v1::ListRunsResponse all;
  do {
    KINORA_ASSIGN_OR_RETURN(const v1::ListRunsResponse page,
                            call.connection.runner().ListRuns(request));
    all.mutable_runs()->MergeFrom(page.runs());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<int> ListRuns(const Invocation& call) {
  v1::ListRunsRequest request;
  request.set_movie_id(call.args.Get("movie").value_or(""));
  request.set_parent_run_id(call.args.Get("parent").value_or(""));
  if (const auto words = call.args.Get("status"); words.has_value()) {
    KINORA_RETURN_IF_ERROR(AddStatuses(*words, &request));
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ListRunsResponse all,
                          AllPages(call, request));
  if (call.json) {
    PrintJson(all);
    return kExitOk;
  }
  for (const v1::RunRecord& run : all.runs()) {
    std::string line = Describe(run);
    if (run.has_wait()) {
      absl::StrAppend(&line, "  ", PrintableText(WaitText(run.wait())));
    }
    Print(absl::StrCat(line, "\n"));
  }
  return kExitOk;
}

// The runs that jobs of this one have started.
absl::StatusOr<v1::ListRunsResponse> ChildrenOf(const Invocation& call,
                                                const v1::RunRecord& run) {
  if (run.dry_run()) return v1::ListRunsResponse();
  v1::ListRunsRequest request;
  request.set_parent_run_id(run.run_id());
  return AllPages(call, request);
}

// Where the run stands among its parent and its children.
void PrintFamily(const v1::RunRecord& run,
                 const v1::ListRunsResponse& children) {
  if (!run.parent_run_id().empty()) {
    Print(absl::StrFormat("child of %s, job %s; root %s\n", run.parent_run_id(),
                          PrintableText(run.parent_job_id()),
                          run.root_run_id()));
  }
  if (!run.trigger_event_json().empty()) {
    Print(absl::StrFormat("trigger: %s\n",
                          PrintableText(run.trigger_event_json())));
  }
  for (const v1::RunRecord& child : children.runs()) {
    Print(absl::StrFormat("child %s, job %s\n", Describe(child),
                          PrintableText(child.parent_job_id())));
  }
}

absl::StatusOr<int> ShowRun(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run, GetRun(call));
  KINORA_ASSIGN_OR_RETURN(const v1::ListRunsResponse children,
                          ChildrenOf(call, run.record()));
  const std::optional<absl::Duration> left = TimeLeft(call, run);
  if (call.json) {
    JsonValue shown = ProtoToJson(run);
    if (left.has_value()) {
      shown.object().Add("etaSeconds", absl::ToInt64Seconds(*left));
    }
    if (children.runs_size() > 0) {
      JsonArray list;
      for (const v1::RunRecord& child : children.runs()) {
        list.push_back(ProtoToJson(child));
      }
      shown.object().Add("children", std::move(list));
    }
    PrintJson(shown);
    return kExitOk;
  }
  Print(absl::StrCat(Describe(run.record()), "\n"));
  if (left.has_value()) {
    Print(absl::StrCat(
        "left: about ",
        absl::FormatDuration(absl::Trunc(*left, absl::Seconds(1))), "\n"));
  }
  PrintFamily(run.record(), children);
  if (run.record().dry_run()) Print("dry run: nothing of it was written\n");
  if (run.record().has_wait()) {
    Print(absl::StrFormat("waits: %s\n",
                          PrintableText(WaitText(run.record().wait()))));
  }
  if (run.pending_question_ids_size() > 0) {
    Print(absl::StrFormat("asks: %s\n",
                          absl::StrJoin(run.pending_question_ids(), ", ")));
  }
  if (run.paused()) Print("paused: the whole run\n");
  if (run.paused_producers_size() > 0) {
    Print(absl::StrFormat("paused: producer %s\n",
                          absl::StrJoin(run.paused_producers(), ", ")));
  }
  for (const std::string& line : RecoveryLines(run)) {
    Print(absl::StrCat(PrintableText(line), "\n"));
  }
  const v1::JobCounts& jobs = run.record().jobs();
  Print(absl::StrFormat(
      "jobs: %d called, %d reused, %d failed, %d blocked, %d clean\n",
      jobs.succeeded(), jobs.reused(), jobs.failed(), jobs.blocked(),
      jobs.clean()));
  if (run.record().has_cost() || run.record().has_budget() ||
      run.reserved_size() > 0) {
    Print(DescribeMoney(run));
  }
  if (!run.record().published_revision().empty()) {
    Print(absl::StrFormat("published %s, manifest %s\n",
                          run.record().published_revision(),
                          run.record().manifest_hash()));
  }
  for (const v1::JobState& job : run.jobs()) {
    std::string detail = job.detail();
    if (!job.blocked_by().empty()) {
      absl::StrAppend(&detail, " by ", job.blocked_by());
    }
    Print(absl::StrFormat("  %-9s %-36s %s\n", job.status(), job.job_id(),
                          PrintableText(detail)));
  }
  for (const std::string& line : run.log_tail()) {
    Print(absl::StrFormat("  | %s\n", PrintableText(line)));
  }
  return kExitOk;
}

absl::StatusOr<int> WatchRun(const Invocation& call) {
  int64_t after = 0;
  if (const auto flag = call.args.Get("after"); flag.has_value()) {
    if (!absl::SimpleAtoi(*flag, &after) || after < 0) {
      return InvalidField("--after", *flag, "expected a sequence number");
    }
  }
  KINORA_RETURN_IF_ERROR(ValidateRunId(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run, GetRun(call));
  // Of one that cannot be read the watch says what is wrong.
  const bool is_known =
      run.recovery().state() != v1::RUN_RECOVERY_STATE_QUARANTINED;
  if (is_known && after > run.last_sequence()) {
    return WithReason(absl::OutOfRangeError(absl::StrCat(
                          "--after: the last event of run ", call.operand(0),
                          " is ", run.last_sequence(), ", got ", after)),
                      "SEQUENCE_MISMATCH",
                      {{"current", absl::StrCat(run.last_sequence())}});
  }
  return WatchAndShow(
      call, call.operand(0), after,
      LoadPlanForShow(call, run.record().movie_id(), run.record().plan_hash()),
      call.args.Has("snapshot"));
}

absl::StatusOr<int> CancelRun(const Invocation& call) {
  v1::CancelRunRequest request;
  request.set_run_id(std::string(call.operand(0)));
  request.set_reason(call.args.Get("reason").value_or("cancelled by the user"));
  KINORA_ASSIGN_OR_RETURN(const v1::CancelRunResponse response,
                          call.connection.runner().CancelRun(request));
  if (call.json) PrintJson(response);
  return kExitOk;
}

absl::StatusOr<int> PauseRun(const Invocation& call) {
  v1::PauseRunRequest request;
  request.set_run_id(std::string(call.operand(0)));
  request.set_producer(call.args.Get("producer").value_or(""));
  KINORA_ASSIGN_OR_RETURN(const v1::PauseRunResponse response,
                          call.connection.runner().PauseRun(request));
  if (call.json) PrintJson(response);
  return kExitOk;
}

absl::StatusOr<int> ResumeRun(const Invocation& call) {
  v1::ResumeRunRequest request;
  request.set_run_id(std::string(call.operand(0)));
  request.set_producer(call.args.Get("producer").value_or(""));
  KINORA_ASSIGN_OR_RETURN(const v1::ResumeRunResponse response,
                          call.connection.runner().ResumeRun(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  if (response.run().run_id() != request.run_id()) {
    Print(absl::StrFormat("%s resumes it\n", response.run().run_id()));
  }
  return kExitOk;
}

absl::StatusOr<int> RetryRun(const Invocation& call) {
  v1::RetryRunRequest request;
  request.set_run_id(std::string(call.operand(0)));
  if (call.args.operands().size() > 1) {
    request.set_job_id(std::string(call.operand(1)));
  }
  KINORA_ASSIGN_OR_RETURN(const v1::RetryRunResponse response,
                          call.connection.runner().RetryRun(request));
  if (call.json) {
    PrintJson(response);
    return kExitOk;
  }
  for (const std::string& id : response.job_ids()) {
    Print(absl::StrCat("called again: ", id, "\n"));
  }
  if (response.job_ids().empty()) Print("no job waits for an attempt\n");
  return kExitOk;
}

// Without an amount it only tells.
absl::StatusOr<int> RunBudget(const Invocation& call) {
  if (call.args.operands().size() > 1) {
    v1::SetRunBudgetRequest request;
    request.set_run_id(std::string(call.operand(0)));
    if (call.operand(1) != "none") {
      absl::StatusOr<v1::Cost> cap = ParseCost("AMOUNT", call.operand(1));
      if (!cap.ok()) return BadUsage(cap.status());
      *request.mutable_cap() = *std::move(cap);
    }
    KINORA_RETURN_IF_ERROR(
        call.connection.runner().SetRunBudget(request).status());
  }
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run, GetRun(call));
  if (!call.json) {
    Print(DescribeMoney(run));
    return kExitOk;
  }
  const v1::RunRecord& record = run.record();
  const auto list = [](const auto& costs) {
    JsonArray items;
    for (const v1::Cost& cost : costs) items.push_back(ProtoToJson(cost));
    return items;
  };
  JsonObject json;
  if (record.has_budget()) json.Add("budget", ProtoToJson(record.budget()));
  json.Add("cost", ProtoToJson(record.cost()));
  json.Add("otherCosts", list(record.other_costs()));
  json.Add("reserved", list(run.reserved()));
  json.Add("runId", record.run_id());
  PrintJson(JsonValue(std::move(json)));
  return kExitOk;
}

}  // namespace

std::vector<Command> RunsCommands() {
  return {
      {.words = "runs list",
       .usage = "[--movie MOVIE] [--status WORDS] [--parent RUN]",
       .help = "lists runs, the newest first",
       .flags = {{"movie", "MOVIE", "only runs of this movie"},
                 {"parent", "RUN", "only those that jobs of this run started"},
                 {"status", "WORDS", "only these, such as running,waiting"}},
       .run = ListRuns},
      {.words = "runs show",
       .usage = "RUN",
       .help = "shows a run and its jobs",
       .flags = {},
       .min_operands = 1,
       .max_operands = 1,
       .run = ShowRun},
      {.words = "runs watch",
       .usage = "RUN [--after SEQ] [--snapshot] [--plain]",
       .help = "follows a run; with --json its ledger, one event a line",
       .flags = {{"after", "SEQ", "begin behind this event"},
                 {"snapshot", "", "first how the run stands"},
                 kPlainFlag},
       .min_operands = 1,
       .max_operands = 1,
       .run = WatchRun},
      {.words = "runs cancel",
       .usage = "RUN [--reason TEXT]",
       .help = "cancels a run",
       .flags = {{"reason", "TEXT", "why, for the ledger"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = CancelRun},
      {.words = "runs pause",
       .usage = "RUN [--producer PRODUCER]",
       .help = "calls no further job of a run until it is resumed",
       .flags = {{"producer", "PRODUCER", "only jobs of this producer"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = PauseRun},
      {.words = "runs resume",
       .usage = "RUN [--producer PRODUCER]",
       .help = "goes on with a paused run, or anew with one that has ended",
       .flags = {{"producer", "PRODUCER", "only jobs of this producer"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = ResumeRun},
      {.words = "runs retry",
       .usage = "RUN [JOB]",
       .help = "calls jobs now that wait for their next attempt, or in doubt",
       .flags = {},
       .min_operands = 1,
       .max_operands = 2,
       .run = RetryRun},
      {.words = "runs budget",
       .usage = "RUN [AMOUNT|none]",
       .help = "shows what a run has cost, or sets what it may cost",
       .flags = {},
       .min_operands = 1,
       .max_operands = 2,
       .run = RunBudget},
      ReplayCommand(),
  };
}

}  // namespace kinora
