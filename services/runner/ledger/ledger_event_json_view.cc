// ViewOf() of the JSON form; that of messages is in ledger_event_view.cc.

#include <utility>

#include "common/run_end.h"
#include "services/runner/ledger/json_members.h"
#include "services/runner/ledger/ledger_event_view.h"

namespace kinora {
namespace {

using Type = LedgerEventView::Type;

constexpr std::pair<absl::string_view, Type> kTypes[] = {
    {"run.created", Type::kRunCreated},
    {"run.started", Type::kRunStarted},
    {"run.waiting", Type::kRunWaiting},
    {"run.resumed", Type::kRunResumed},
    {"run.completed", Type::kRunCompleted},
    {"run.failed", Type::kRunFailed},
    {"run.cancelled", Type::kRunCancelled},
    {"step.started", Type::kStepStarted},
    {"step.progress", Type::kStepProgress},
    {"step.completed", Type::kStepCompleted},
    {"step.failed", Type::kStepFailed},
    {"step.skipped", Type::kStepSkipped},
    {"log.appended", Type::kLogAppended},
    {"artefacts.summary.updated", Type::kArtefactsSummaryUpdated},
};

Type TypeOf(const JsonValue& event) {
  const absl::string_view word = TextOf(event, "type").value_or("");
  for (const auto& type : kTypes) {
    if (type.first == word) return type.second;
  }
  return Type::kOther;
}

void ViewProgress(const JsonValue& from, LedgerEventView::Progress* to) {
  to->completed = NumberOf(from, "completed");
  to->total = NumberOf(from, "total");
  to->failed = NumberOf(from, "failed");
  to->message = TextOf(from, "message");
  to->artefact_namespace = TextOf(from, "artefactNamespace");
  to->started_at = NumberOf(from, "startedAt");
  to->completed_at = NumberOf(from, "completedAt");
  to->updated_at = NumberOf(from, "updatedAt");
}

// As of messages: see IsOfTheRun() there.
bool IsOfOneProducer(const JsonValue& event) {
  return !TextOf(event, "producer").value_or("").empty();
}

}  // namespace

LedgerEventView ViewOf(const JsonValue& event) {
  LedgerEventView view;
  view.type = TypeOf(event);
  view.run_id = TextOf(event, "runId").value_or("");
  view.occurred_at = NumberOf(event, "occurredAt").value_or(0);
  view.movie_id = TextOf(event, "movieId");
  view.status = TextOf(event, "status");
  view.error = TextOf(event, "error");
  view.result = JsonOf(event, "result");
  view.result_summary = JsonOf(event, "resultSummary");
  view.step_id = TextOf(event, "stepId").value_or("");
  view.label = TextOf(event, "label");
  view.kind = TextOf(event, "kind");
  view.artefact_namespace = TextOf(
      event, view.type == Type::kArtefactsSummaryUpdated ? "namespace"
                                                         : "artefactNamespace");
  if (const JsonValue* progress = MemberOf(event, "progress")) {
    ViewProgress(*progress, &view.progress);
  }
  if (const JsonValue* lines = MemberOf(event, "lines");
      lines != nullptr && lines->is_array()) {
    for (const JsonValue& line : lines->array()) {
      if (line.is_string()) view.lines.push_back(line.string_value());
    }
  }
  view.first_seq = NumberOf(event, "firstSeq").value_or(0);
  view.logs_truncated = FlagOf(event, "logsTruncated");
  if ((view.type == Type::kRunWaiting &&
       (IsOfOneProducer(event) || TextOf(event, "reason") == kCancelling)) ||
      (view.type == Type::kRunResumed && IsOfOneProducer(event))) {
    view.type = Type::kOther;
  }
  return view;
}

}  // namespace kinora
