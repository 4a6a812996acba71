// Normalisation, which snapshot_json.h describes.

#include <algorithm>
#include <string>
#include <utility>

#include "services/runner/ledger/json_members.h"
#include "services/runner/ledger/snapshot_json.h"
#include "services/runner/ledger/status_words.h"
#include "services/runner/ledger/step_json.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

std::optional<double> Either(const std::optional<double>& a,
                             const std::optional<double>& b) {
  return a.has_value() ? a : b;
}

std::string NormalizedStatus(const JsonValue& value,
                             const LedgerInit& fallback) {
  const JsonValue* status = MemberOf(value, "status");
  if (status == nullptr) {
    return std::string(NormalizedRunStatus(fallback.status.value_or("")));
  }
  return std::string(NormalizedRunStatus(
      status->is_string() ? absl::string_view(status->string_value()) : ""));
}

// Nothing if it is no step.
std::optional<LedgerStep> NormalizedStep(const JsonMember& member) {
  const JsonValue& value = member.value;
  if (IsBlankText(member.key) || !value.is_object()) return std::nullopt;
  LedgerStep step = ReadStep(member.key, value, TrimmedOf);
  if (!step.status.has_value()) return std::nullopt;
  if (step.status == StepStatus::kRunning && step.completed_at.has_value()) {
    step.status = StepStatus::kCompleted;
  }
  if (step.progress.has_value()) {
    step.progress->started_at.reset();
    step.progress->completed_at.reset();
  }
  return step;
}

void NormalizeSteps(const JsonValue& value, LedgerSteps* steps) {
  const JsonValue* by_id = MemberOf(value, "stepsById");
  if (by_id != nullptr && by_id->is_object()) {
    for (const JsonMember& member : by_id->object()) {
      std::optional<LedgerStep> step = NormalizedStep(member);
      if (step.has_value()) steps->Add(*std::move(step));
    }
  }
  const JsonValue* order = MemberOf(value, "orderedStepIds");
  if (order == nullptr || !order->is_array()) return;
  for (const JsonValue& id : order->array()) {
    if (id.is_string() && steps->Find(id.string_value()) != nullptr) {
      steps->AppendToOrder(id.string_value());
    }
  }
}

void NormalizeLog(const JsonValue& value, LedgerSnapshot* s) {
  const JsonValue* tail = MemberOf(value, "logTail");
  // Its older name.
  if (tail == nullptr || !tail->is_array()) tail = MemberOf(value, "logs");
  double lines = 0;
  if (tail != nullptr && tail->is_array()) {
    for (const JsonValue& line : tail->array()) {
      if (!line.is_string()) continue;
      AppendToTail(line.string_value(), s);
      ++lines;
    }
  }
  s->total_log_count =
      std::max(NumberOf(value, "totalLogCount").value_or(lines), lines);
  s->logs_truncated = FlagOf(value, "logsTruncated");
}

void NormalizeTimes(const JsonValue& value, const LedgerInit& fallback,
                    LedgerSnapshot* s) {
  s->created_at = Either(NumberOf(value, "createdAt"), fallback.created_at);
  s->started_at = Either(NumberOf(value, "startedAt"), fallback.started_at);
  s->finished_at = Either(NumberOf(value, "finishedAt"), fallback.finished_at);
  s->updated_at = NumberOf(value, "updatedAt");
  for (const std::optional<double>& time :
       {fallback.updated_at, s->finished_at, s->started_at, s->created_at}) {
    s->updated_at = Either(s->updated_at, time);
  }
  s->duration_ms = Either(DurationOf(*s), NumberOf(value, "durationMs"));
}

}  // namespace

LedgerSnapshot NormalizedSnapshot(const JsonValue& value,
                                  const LedgerInit& fallback) {
  if (!value.is_object()) return EmptySnapshot(fallback);
  LedgerSnapshot s;
  s.run_id = TrimmedOf(value, "runId").value_or(fallback.run_id);
  s.movie_id = TrimmedOf(value, "movieId");
  if (!s.movie_id.has_value()) s.movie_id = fallback.movie_id;
  s.status = NormalizedStatus(value, fallback);
  // One that is blank, or no text, says that there is none.
  s.error = MemberOf(value, "error") != nullptr ? TrimmedOf(value, "error")
                                                : fallback.error;
  NormalizeTimes(value, fallback, &s);
  NormalizeSteps(value, &s.steps);
  NormalizeLog(value, &s);
  s.active_step_id = TrimmedOf(value, "activeStepId");
  s.active_artefact_namespace = TrimmedOf(value, "activeArtefactNamespace");
  s.result_namespace = TrimmedOf(value, "resultNamespace");
  s.result_summary = JsonOf(value, "resultSummary");
  s.result = JsonOf(value, "result");
  return s;
}

}  // namespace kinora
