// kinora runs replay

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/input_assignments.h"
#include "clients/cli/terminal_text.h"
#include "common/cost_text.h"
#include "common/exit_codes.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

std::string StatusWord(v1::RunStatus status) {
  const auto* value = v1::RunStatus_descriptor()->FindValueByNumber(status);
  return value == nullptr ? absl::StrCat(status) : EnumWord(*value);
}

// "rev-0003 sha256:7f3c...", "a run that failed".
std::string RecordedText(const v1::ReplayRunResponse& replay) {
  if (replay.recorded_manifest_hash().empty()) {
    return absl::StrCat("a run that ended as ",
                        StatusWord(replay.recorded_status()));
  }
  return absl::StrCat(replay.recorded_revision().empty()
                          ? "nothing published,"
                          : replay.recorded_revision(),
                      " sha256:", replay.recorded_manifest_hash());
}

// "12 jobs answered from the record, 3 reused, 0 calls".
std::string CountsText(const v1::ReplayRunResponse& replay, int64_t from) {
  std::string text = absl::StrCat(Counted(replay.answered_jobs(), "job"),
                                  " answered from the record");
  if (replay.reused_jobs() > 0) {
    absl::StrAppend(&text, ", ", replay.reused_jobs(), " reused");
  }
  if (from > 0) {
    absl::StrAppend(&text, ", ", replay.checkpoint_jobs(), " done by event ",
                    from);
  }
  return absl::StrCat(text, ", ", replay.producer_calls(), " calls");
}

std::string DifferenceText(const v1::ReplayDifference& difference) {
  const std::string job = PrintableText(difference.job_id());
  const std::string artefact = PrintableText(difference.artefact_id());
  const auto or_nothing = [](const std::string& what) {
    return what.empty() ? std::string("nothing") : PrintableText(what);
  };
  const std::string both =
      absl::StrCat("recorded ", or_nothing(difference.recorded()),
                   ", replayed ", or_nothing(difference.replayed()));
  switch (difference.kind()) {
    case v1::REPLAY_DIFFERENCE_KIND_INPUTS_HASH:
      return absl::StrCat(job, ": inputs hash of ", artefact, ": ", both);
    case v1::REPLAY_DIFFERENCE_KIND_OUTPUT:
      return absl::StrCat(job, ": output ", artefact, ": ", both);
    case v1::REPLAY_DIFFERENCE_KIND_STATUS:
      return absl::StrCat(job, ": ", both);
    case v1::REPLAY_DIFFERENCE_KIND_NOT_RECORDED:
      return absl::StrCat(job, ": not in the record under inputs hash ",
                          difference.replayed());
    default:
      return absl::StrCat(job, " ", artefact, ": ", both);
  }
}

void PrintReplay(const v1::ReplayRunResponse& replay, int64_t from) {
  if (replay.identical()) {
    Print(absl::StrCat("identical: ", RecordedText(replay), "; ",
                       CountsText(replay, from), "\n"));
    return;
  }
  Print(absl::StrCat(
      "differs: recorded ", RecordedText(replay), ", replayed ",
      replay.manifest_hash().empty()
          ? absl::StrCat("a run that ended as ", StatusWord(replay.status()))
          : absl::StrCat("sha256:", replay.manifest_hash()),
      "; ", CountsText(replay, from), "\n"));
  if (!replay.error().empty()) {
    Print(absl::StrCat("  ", PrintableText(replay.error()), "\n"));
  }
  for (const v1::ReplayDifference& difference : replay.differences()) {
    Print(absl::StrCat("  ", DifferenceText(difference), "\n"));
  }
  if (replay.differences_truncated()) Print("  and more\n");
}

void PrintFork(const v1::ReplayRunResponse& fork, int64_t from) {
  std::vector<std::string> costs;
  for (const v1::Cost& cost : fork.calls_cost()) {
    costs.push_back(FormatCost(cost));
  }
  Print(absl::StrCat("fork: ", StatusWord(fork.status()), "; ",
                     Counted(fork.unrecorded_jobs(), "job"), " would be called",
                     costs.empty() ? "" : ", at most ",
                     absl::StrJoin(costs, " and "), "; ",
                     CountsText(fork, from), "\n"));
  if (!fork.error().empty()) {
    Print(absl::StrCat("  ", PrintableText(fork.error()), "\n"));
  }
  for (const v1::ReplayCall& call : fork.calls()) {
    Print(absl::StrCat("  call  ", PrintableText(call.job_id()),
                       call.has_cost() ? "  " : "",
                       call.has_cost() ? FormatCost(call.cost()) : "", "\n"));
  }
  if (fork.calls_truncated()) Print("  and more\n");
}

absl::StatusOr<int> ReplayRun(const Invocation& call) {
  v1::ReplayRunRequest request;
  request.set_run_id(std::string(call.operand(0)));
  if (const auto from = call.args.Get("from"); from.has_value()) {
    KINORA_ASSIGN_OR_RETURN(const int64_t sequence,
                            ParseCount("--from", *from));
    request.set_from_sequence(sequence);
  }
  const std::vector<std::string> words = call.args.GetAll("set");
  if (!words.empty()) {
    v1::GetRunRequest get;
    get.set_run_id(request.run_id());
    KINORA_ASSIGN_OR_RETURN(const v1::GetRunResponse run,
                            call.connection.runner().GetRun(get));
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<v1::PendingEdit> edits,
        PrepareEdits(call.connection, run.run().record().movie_id(), words,
                     FileUpload::kSkip));
    request.mutable_edits()->Assign(edits.begin(), edits.end());
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ReplayRunResponse replay,
                          call.connection.runner().ReplayRun(request));
  const bool forked = !words.empty();
  if (call.json) {
    PrintJson(replay);
  } else if (forked) {
    PrintFork(replay, request.from_sequence());
  } else {
    PrintReplay(replay, request.from_sequence());
  }
  const bool as_hoped =
      forked ? replay.status() == v1::RUN_STATUS_COMPLETED : replay.identical();
  return as_hoped ? kExitOk : kExitFailure;
}

}  // namespace

Command ReplayCommand() {
  return {.words = "runs replay",
          .usage = "RUN [--from SEQ] [--set NAME=JSON ...]",
          .help =
              "carries a recorded run out again without a call; exit "
              "code 0 if it comes to the same",
          .flags = {{"from", "SEQ", "jobs that had ended by then are done"},
                    {"set", "NAME=JSON", "as if this input had been set"}},
          .min_operands = 1,
          .max_operands = 1,
          .run = ReplayRun};
}

}  // namespace kinora
