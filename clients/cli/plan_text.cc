#include "clients/cli/plan_text.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "clients/cli/amounts.h"
#include "common/failure_text.h"

namespace kinora {
namespace {

bool IsKnownToFail(const v1::PlannedJob& job) {
  return job.has_last_failure() && !job.last_failure().retryable();
}

void AppendLayers(absl::Span<const v1::PlanLayer> layers, std::string* text) {
  int number = 0;
  for (const v1::PlanLayer& layer : layers) {
    absl::StrAppend(text, "layer ", ++number, "\n");
    for (const v1::PlannedJob& job : layer.jobs()) {
      absl::StrAppendFormat(
          text, "  %-36s %-8s  %s\n", job.job_id(),
          job.need() == v1::JOB_NEED_MUST_RUN ? "must run" : "may run",
          job.reason().text());
    }
  }
}

void AppendSummary(const v1::PlanSummary& summary, std::string* text) {
  absl::StrAppendFormat(
      text, "%s in %s: %d must run, %d may run; %d reused, %d clean%s\n",
      Counted(summary.must_run_jobs() + summary.may_run_jobs(), "job"),
      Counted(summary.layers(), "layer"), summary.must_run_jobs(),
      summary.may_run_jobs(), summary.reused_jobs(), summary.clean_jobs(),
      summary.left_jobs() == 0
          ? ""
          : absl::StrFormat(", %d left as they are", summary.left_jobs()));
  if (summary.may_run_jobs() > 0) {
    // As in JOB_NEED_MAY_RUN and docs/planning.md.
    absl::StrAppend(text,
                    "may run: it reads what a job of this plan makes, and an "
                    "earlier result may turn out to be it\n");
  }
  if (summary.deferred_nodes() > 0) {
    absl::StrAppend(text, Counted(summary.deferred_nodes(), "node"),
                    summary.deferred_nodes() == 1 ? " has" : " have",
                    " jobs that are planned during the run\n");
  }
}

}  // namespace

std::string KnownFailuresText(absl::Span<const v1::PlanLayer> layers,
                              size_t max_jobs) {
  std::string lines;
  size_t jobs = 0;
  for (const v1::PlanLayer& layer : layers) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      if (!IsKnownToFail(job) || ++jobs > max_jobs) continue;
      absl::StrAppendFormat(&lines, "  %-36s %s\n", job.job_id(),
                            FailureText(job.last_failure()));
    }
  }
  if (jobs == 0) return "";
  if (jobs > max_jobs) {
    absl::StrAppend(&lines, "  and ", jobs - max_jobs, " more\n");
  }
  return absl::StrCat(
      Counted(static_cast<int64_t>(jobs), "known failure"),
      ": another call fails in the same way, and will be paid for again\n",
      lines);
}

std::string PlanText(absl::string_view movie_id, const v1::PlanHeader& header,
                     absl::Span<const v1::PlanLayer> layers) {
  const v1::PlanSummary& summary = header.summary();
  std::string text = absl::StrFormat(
      "%s: %s on %s, plan %s%s\n", movie_id, header.target_revision(),
      header.base_revision().empty() ? "nothing" : header.base_revision(),
      header.plan_hash().substr(0, 12), header.saved() ? "" : " (not saved)");
  if (summary.changed_inputs_size() > 0) {
    absl::StrAppend(&text, "changed inputs: ",
                    absl::StrJoin(summary.changed_inputs(), ", "), "\n");
  }
  absl::StrAppend(
      &text, KnownFailuresText(layers, std::numeric_limits<size_t>::max()));
  AppendLayers(layers, &text);
  if (header.reused_size() > 0) text += "reused from the log\n";
  for (const v1::ReusedJob& job : header.reused()) {
    absl::StrAppend(&text, "  ", job.job_id(), "\n");
  }
  if (summary.removed_artefacts() > 0) {
    absl::StrAppend(&text, Counted(summary.removed_artefacts(), "artefact"),
                    summary.removed_artefacts() == 1 ? " leaves" : " leave",
                    ": the next revision does not have ",
                    summary.removed_artefacts() == 1 ? "it" : "them", "\n");
  }
  for (const std::string& id : header.removed_artefact_ids()) {
    absl::StrAppend(&text, "  ", id, "\n");
  }
  for (const std::string& warning : header.warnings()) {
    absl::StrAppend(&text, "warning: ", warning, "\n");
  }
  AppendSummary(summary, &text);
  return text;
}

}  // namespace kinora
