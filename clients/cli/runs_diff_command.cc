// kinora runs diff

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/difference_text.h"
#include "clients/cli/terminal_text.h"
#include "common/cost_text.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/status.h"

namespace kinora {
namespace {

template <typename Costs>
std::string CostsText(const Costs& costs) {
  std::vector<std::string> texts;
  for (const v1::Cost& cost : costs) texts.push_back(FormatCost(cost));
  return texts.empty() ? "nothing" : absl::StrJoin(texts, " + ");
}

// `a`, or `a -> b`.
std::string Change(const std::string& before, const std::string& after) {
  return before == after ? before : absl::StrCat(before, " -> ", after);
}

std::string DescribeRecord(const v1::RunRecord& run) {
  std::string text = absl::StrFormat(
      "%s  %-10s  %s %s", run.run_id(),
      EnumWord(*v1::RunStatus_descriptor()->FindValueByNumber(run.status())),
      run.movie_id(), run.target_revision());
  if (run.dispatch() != v1::DISPATCH_MODE_UNSPECIFIED) {
    absl::StrAppend(&text, ", ",
                    EnumWord(*v1::DispatchMode_descriptor()->FindValueByNumber(
                        run.dispatch())));
  }
  if (run.has_finish_time()) {
    absl::StrAppend(&text, ", ",
                    FormatSeconds(ToProto(FromProto(run.finish_time()) -
                                          FromProto(run.create_time()))));
  }
  if (run.has_cost()) absl::StrAppend(&text, ", cost ", FormatCost(run.cost()));
  if (run.has_budget()) {
    absl::StrAppend(&text, ", budget ", FormatCost(run.budget()));
  }
  if (!run.manifest_hash().empty()) {
    absl::StrAppend(&text, ", manifest ", ShortHash(run.manifest_hash()));
  }
  if (!run.error().empty()) {
    absl::StrAppend(&text, "  ", PrintableText(run.error()));
  }
  return text;
}

std::string DescribeKeyPart(const v1::KeyChange& change) {
  switch (change.part()) {
    case v1::KEY_PART_PRODUCER:
      return absl::StrCat("producer ", change.old_text(), " -> ",
                          change.new_text());
    case v1::KEY_PART_DRAW:
      return absl::StrCat("draw ", change.old_text(), " -> ",
                          change.new_text());
    default: {
      const std::string text = DescribeChange(change);
      return text.empty() ? "salt" : text;
    }
  }
}

void PrintJob(const v1::JobDifference& job) {
  if (!job.has_old() || !job.has_new_()) {
    const v1::JobInRun& only = job.has_old() ? job.old() : job.new_();
    Print(absl::StrFormat("%c job %s  %s\n", job.has_old() ? '-' : '+',
                          job.job_id(), only.outcome()));
    return;
  }
  const v1::JobInRun& before = job.old();
  const v1::JobInRun& after = job.new_();
  std::string line = absl::StrCat("~ job ", job.job_id(), "  ",
                                  Change(before.outcome(), after.outcome()));
  if (before.attempts() != after.attempts()) {
    absl::StrAppend(&line, ", attempts ", before.attempts(), " -> ",
                    after.attempts());
  }
  if (before.costs_size() + after.costs_size() > 0) {
    absl::StrAppend(
        &line, ", cost ",
        Change(CostsText(before.costs()), CostsText(after.costs())));
  }
  if (before.has_duration() || after.has_duration()) {
    absl::StrAppend(&line, ", ",
                    Change(FormatSeconds(before.duration()),
                           FormatSeconds(after.duration())));
  }
  Print(absl::StrCat(line, "\n"));
  if (before.inputs_hash() != after.inputs_hash()) {
    Print(absl::StrCat("    key  ", ShortHash(before.inputs_hash()), " -> ",
                       ShortHash(after.inputs_hash()), "\n"));
  }
  for (const v1::KeyChange& change : job.changes()) {
    Print(absl::StrCat("    ", DescribeKeyPart(change), "\n"));
  }
  if (job.more_changes() > 0) {
    Print(absl::StrCat("    and ", job.more_changes(), " more\n"));
  }
  for (const v1::OutputDifference& output : job.outputs()) {
    Print(absl::StrCat("    made ", output.artefact_id(), "  ",
                       ShortHash(output.old_hash()), " -> ",
                       ShortHash(output.new_hash()), "\n"));
  }
  if (before.error() != after.error()) {
    Print(absl::StrCat(
        "    error  ",
        before.error().empty() ? "none" : PrintableText(before.error()), " -> ",
        after.error().empty() ? "none" : PrintableText(after.error()), "\n"));
  }
}

void PrintRunDifference(const v1::RunDifference& difference) {
  switch (difference.element_case()) {
    case v1::RunDifference::kInput:
      Print(DescribeDifference(difference.input()));
      break;
    case v1::RunDifference::kJob:
      PrintJob(difference.job());
      break;
    case v1::RunDifference::kArtefact:
      Print(DescribeDifference(difference.artefact()));
      break;
    case v1::RunDifference::ELEMENT_NOT_SET:
      break;
  }
}

void PrintRunDiff(const v1::RunDiff& summary) {
  for (const v1::NodeDifference& node : summary.nodes()) {
    Print(DescribeNode(node));
  }
  Print(absl::StrFormat(
      "%s, %d jobs changed, %d only in the older run, %d "
      "only in the newer, %d the same%s\n",
      Counted(summary.changed_inputs(), "input"), summary.changed_jobs(),
      summary.jobs_only_in_old(), summary.jobs_only_in_new(),
      summary.same_jobs(),
      summary.complete_history() ? "" : " (as far as the logs still say)"));
  if (summary.has_manifests()) {
    const v1::RevisionDiff& manifests = summary.manifests();
    Print(absl::StrFormat(
        "manifests: %s changed, %d added, %d removed, %d unchanged\n",
        Counted(manifests.changed_artefacts(), "artefact"),
        manifests.added_artefacts(), manifests.removed_artefacts(),
        manifests.unchanged_artefacts()));
  }
  if (summary.identical()) Print("identical\n");
}

absl::StatusOr<int> DiffRuns(const Invocation& call) {
  v1::DiffRunsRequest request;
  request.set_old_run_id(std::string(call.operand(0)));
  request.set_new_run_id(std::string(call.operand(1)));
  v1::DiffRunsResponse all;
  bool first = true;
  do {
    KINORA_ASSIGN_OR_RETURN(v1::DiffRunsResponse page,
                            call.connection.planner().DiffRuns(request));
    request.set_page_token(page.next_page_token());
    *all.mutable_summary() = std::move(*page.mutable_summary());
    if (first && !call.json) {
      Print(absl::StrCat("older  ", DescribeRecord(all.summary().old_record()),
                         "\nnewer  ",
                         DescribeRecord(all.summary().new_record()), "\n"));
    }
    first = false;
    // Text goes out page by page; JSON is one document.
    for (v1::RunDifference& difference : *page.mutable_differences()) {
      if (call.json) {
        *all.add_differences() = std::move(difference);
      } else {
        PrintRunDifference(difference);
      }
    }
  } while (!request.page_token().empty());
  if (call.json) {
    PrintJson(all);
  } else {
    PrintRunDiff(all.summary());
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> RunsDiffCommands() {
  return {
      {.words = "runs diff",
       .usage = "RUN RUN",
       .help = "compares two runs, of one movie or of two",
       .flags = {},
       .min_operands = 2,
       .max_operands = 2,
       .run = DiffRuns},
  };
}

}  // namespace kinora
