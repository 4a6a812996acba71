// kinora diff | explain

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "clients/cli/amounts.h"
#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/difference_text.h"
#include "common/status.h"

namespace kinora {
namespace {

void PrintSummary(const v1::RevisionDiff& summary) {
  for (const v1::NodeDifference& node : summary.nodes()) {
    Print(DescribeNode(node));
  }
  Print(absl::StrFormat(
      "%s -> %s: %s, %s changed, %d added, %d removed, %d unchanged\n",
      summary.old_revision(), summary.new_revision(),
      Counted(summary.changed_inputs(), "input"),
      Counted(summary.changed_artefacts(), "artefact"),
      summary.added_artefacts(), summary.removed_artefacts(),
      summary.unchanged_artefacts()));
  std::vector<std::string> costs;
  for (const v1::Cost& cost : summary.costs()) {
    costs.push_back(FormatCost(cost));
  }
  Print(absl::StrFormat(
      "%s for %s, %d reused%s%s\n", FormatSeconds(summary.duration()),
      Counted(summary.calls(), "call"), summary.reused(),
      costs.empty() ? "" : absl::StrCat(", cost ", absl::StrJoin(costs, " + ")),
      summary.complete_history() ? "" : " (as far as the logs still say)"));
}

absl::StatusOr<int> DiffRevisions(const Invocation& call) {
  v1::DiffRevisionsRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_old_revision(std::string(call.operand(1)));
  if (call.args.operands().size() > 2) {
    request.set_new_revision(std::string(call.operand(2)));
  }
  v1::DiffRevisionsResponse all;
  do {
    KINORA_ASSIGN_OR_RETURN(v1::DiffRevisionsResponse page,
                            call.connection.planner().DiffRevisions(request));
    request.set_page_token(page.next_page_token());
    *all.mutable_summary() = std::move(*page.mutable_summary());
    // Text goes out page by page; JSON is one document.
    for (v1::Difference& difference : *page.mutable_differences()) {
      if (call.json) {
        *all.add_differences() = std::move(difference);
      } else {
        Print(DescribeDifference(difference));
      }
    }
  } while (!request.page_token().empty());
  if (call.json) {
    PrintJson(all);
  } else {
    PrintSummary(all.summary());
  }
  return kExitOk;
}

std::string DescribeOrigin(const v1::Cause& cause) {
  const std::string since = cause.since_revision().empty()
                                ? ""
                                : absl::StrCat(" for ", cause.since_revision());
  switch (cause.origin()) {
    case v1::VALUE_ORIGIN_MADE:
      return absl::StrCat("made", since, " by ", cause.run_id());
    case v1::VALUE_ORIGIN_REUSED:
      return absl::StrCat(
          "reused", since,
          cause.edited_by() == v1::EDITED_BY_USER ? ", put in by hand" : "",
          ": the work is event ", cause.reused_sequence(),
          " of the artefact log");
    case v1::VALUE_ORIGIN_EDITED:
      return absl::StrCat("replaced by hand by a user", since);
    case v1::VALUE_ORIGIN_SET:
    case v1::VALUE_ORIGIN_DEFAULT:
    case v1::VALUE_ORIGIN_REMOVED:
      if (!cause.has_old_content() && !cause.has_new_content()) return "";
      return absl::StrCat(
          ValueChange(cause.old_content(), cause.new_content(),
                      cause.has_old_content(), cause.has_new_content()),
          since,
          cause.edited_by() == v1::EDITED_BY_USER     ? " by a user"
          : cause.edited_by() == v1::EDITED_BY_SYSTEM ? " by Kinora"
                                                      : "");
    default:
      return "";
  }
}

// The values of an artefact by which others came or went.
std::string DescribeDecision(const v1::Cause& cause) {
  if (cause.origin() != v1::VALUE_ORIGIN_MADE &&
      cause.origin() != v1::VALUE_ORIGIN_REUSED &&
      cause.origin() != v1::VALUE_ORIGIN_EDITED) {
    return "";
  }
  if (!cause.has_old_content() && !cause.has_new_content()) return "";
  return ValueChange(cause.old_content(), cause.new_content(),
                     cause.has_old_content(), cause.has_new_content());
}

// The causes of each thing, by its id, in order.
using CauseTree = std::map<std::string, std::vector<const v1::Cause*>>;

// A chain has at most so many steps; a longer one goes in a circle.
constexpr size_t kMaxSteps = 64;

void PrintCauses(const CauseTree& tree, const std::string& of,
                 const std::string& indent) {
  const auto causes = tree.find(of);
  if (causes == tree.end() || indent.size() > 2 * kMaxSteps) return;
  for (const v1::Cause* cause : causes->second) {
    Print(absl::StrFormat("%s%s: %s\n", indent, cause->id(),
                          cause->reason().text()));
    const std::string origin = DescribeOrigin(*cause);
    const std::string value = DescribeDecision(*cause);
    if (!origin.empty()) Print(absl::StrCat(indent, "    ", origin, "\n"));
    if (!value.empty()) Print(absl::StrCat(indent, "    ", value, "\n"));
    for (const v1::KeyChange& change : cause->changes()) {
      const std::string text = DescribeChange(change);
      if (!text.empty()) Print(absl::StrCat(indent, "    ", text, "\n"));
    }
    PrintCauses(tree, cause->id(), absl::StrCat(indent, "  "));
  }
}

absl::StatusOr<int> ExplainArtefact(const Invocation& call) {
  v1::ExplainArtefactRequest request;
  request.set_movie_id(std::string(call.operand(0)));
  request.set_artefact_id(std::string(call.operand(1)));
  request.set_revision(call.args.Get("revision").value_or(""));
  request.set_against_revision(call.args.Get("against").value_or(""));
  KINORA_ASSIGN_OR_RETURN(const v1::ExplainArtefactResponse explained,
                          call.connection.planner().ExplainArtefact(request));
  if (call.json) {
    PrintJson(explained);
    return kExitOk;
  }
  // What is not made yet is in no revision.
  if (!explained.revision().empty()) {
    Print(absl::StrFormat("%s, seen from %s\n", explained.revision(),
                          explained.against_revision().empty()
                              ? "before the first revision"
                              : explained.against_revision()));
  }
  CauseTree tree;
  for (const v1::Cause& cause : explained.causes()) {
    tree[cause.cause_of()].push_back(&cause);
  }
  PrintCauses(tree, "", "");
  for (const std::string& note : explained.notes()) {
    Print(absl::StrCat("note: ", note, "\n"));
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> HistoryCommands() {
  return {
      {.words = "diff",
       .usage = "MOVIE REV [REV]",
       .help = "compares two revisions, or one with the current",
       .flags = {},
       .min_operands = 2,
       .max_operands = 3,
       .run = DiffRevisions},
      {.words = "explain",
       .usage = "MOVIE ARTEFACT [--revision REV] [--against REV]",
       .help = "says why an artefact is as it is, back to the inputs",
       .flags = {{"revision", "REV", "explain this one; else the current"},
                 {"against", "REV",
                  "compare with this one; else what was before it got its "
                  "value"}},
       .min_operands = 2,
       .max_operands = 2,
       .run = ExplainArtefact},
  };
}

}  // namespace kinora
