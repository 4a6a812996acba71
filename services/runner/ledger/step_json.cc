#include "services/runner/ledger/step_json.h"

#include "services/runner/ledger/json_members.h"
#include "services/runner/ledger/status_words.h"

namespace kinora {

LedgerProgress ReadProgress(const JsonValue& json, TextReader text) {
  LedgerProgress progress;
  progress.completed = NumberOf(json, "completed");
  progress.total = NumberOf(json, "total");
  progress.failed = NumberOf(json, "failed");
  progress.message = text(json, "message");
  progress.artefact_namespace = text(json, "artefactNamespace");
  progress.started_at = NumberOf(json, "startedAt");
  progress.completed_at = NumberOf(json, "completedAt");
  progress.updated_at = NumberOf(json, "updatedAt");
  return progress;
}

LedgerStep ReadStep(const std::string& id, const JsonValue& json,
                    TextReader text) {
  LedgerStep step;
  step.step_id = id;
  step.label = text(json, "label");
  step.kind = text(json, "kind");
  step.status = StepStatusOf(TextOf(json, "status").value_or(""));
  step.artefact_namespace = text(json, "artefactNamespace");
  step.started_at = NumberOf(json, "startedAt");
  step.completed_at = NumberOf(json, "completedAt");
  step.updated_at = NumberOf(json, "updatedAt");
  const JsonValue* progress = MemberOf(json, "progress");
  if (progress != nullptr && progress->is_object()) {
    step.progress = ReadProgress(*progress, text);
  }
  return step;
}

}  // namespace kinora
