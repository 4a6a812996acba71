// What SnapshotToJson() writes and SnapshotFromJson() reads; normalisation is
// in normalized_snapshot.cc.

#include "services/runner/ledger/snapshot_json.h"

#include <utility>

#include "common/json/json_writer.h"
#include "services/runner/ledger/json_members.h"
#include "services/runner/ledger/status_words.h"
#include "services/runner/ledger/step_json.h"

namespace kinora {
namespace {

void Put(absl::string_view key, const std::optional<std::string>& text,
         JsonWriter* json) {
  if (text.has_value()) json->Key(key).String(*text);
}
void Put(absl::string_view key, const std::optional<double>& number,
         JsonWriter* json) {
  if (number.has_value()) json->Key(key).Double(*number);
}
void PutJson(absl::string_view key, const std::optional<std::string>& text,
             JsonWriter* json) {
  if (text.has_value()) json->Key(key).Raw(*text);
}

void PutProgress(const LedgerProgress& progress, JsonWriter* json) {
  json->Key("progress").BeginObject();
  Put("completed", progress.completed, json);
  Put("total", progress.total, json);
  Put("failed", progress.failed, json);
  Put("message", progress.message, json);
  Put("artefactNamespace", progress.artefact_namespace, json);
  Put("startedAt", progress.started_at, json);
  Put("completedAt", progress.completed_at, json);
  Put("updatedAt", progress.updated_at, json);
  json->EndObject();
}

void PutStep(const LedgerStep& step, JsonWriter* json) {
  json->Key(step.step_id).BeginObject();
  json->Key("stepId").String(step.step_id);
  Put("label", step.label, json);
  Put("kind", step.kind, json);
  if (step.status.has_value()) {
    json->Key("status").String(StepStatusWord(*step.status));
  }
  Put("artefactNamespace", step.artefact_namespace, json);
  Put("startedAt", step.started_at, json);
  Put("completedAt", step.completed_at, json);
  Put("updatedAt", step.updated_at, json);
  if (step.progress.has_value()) PutProgress(*step.progress, json);
  json->EndObject();
}

void ReadSteps(const JsonValue& json, LedgerSteps* steps) {
  const JsonValue* by_id = MemberOf(json, "stepsById");
  if (by_id != nullptr && by_id->is_object()) {
    for (const JsonMember& step : by_id->object()) {
      if (!step.value.is_object()) continue;
      steps->Add(ReadStep(step.key, step.value, StringOf));
    }
  }
  const JsonValue* order = MemberOf(json, "orderedStepIds");
  if (order == nullptr || !order->is_array()) return;
  for (const JsonValue& id : order->array()) {
    if (id.is_string()) steps->AppendToOrder(id.string_value());
  }
}

}  // namespace

std::string SnapshotToJson(const LedgerSnapshot& snapshot) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject();
  json.Key("runId").String(snapshot.run_id);
  Put("movieId", snapshot.movie_id, &json);
  json.Key("status").String(snapshot.status);
  Put("error", snapshot.error, &json);
  Put("createdAt", snapshot.created_at, &json);
  Put("startedAt", snapshot.started_at, &json);
  Put("updatedAt", snapshot.updated_at, &json);
  Put("finishedAt", snapshot.finished_at, &json);
  Put("durationMs", snapshot.duration_ms, &json);
  json.Key("orderedStepIds").BeginArray();
  for (const std::string& id : snapshot.steps.order()) json.String(id);
  json.EndArray();
  json.Key("stepsById").BeginObject();
  for (const LedgerStep& step : snapshot.steps.all()) PutStep(step, &json);
  json.EndObject();
  json.Key("logTail").BeginArray();
  for (const std::string& text : snapshot.log_tail) json.String(text);
  json.EndArray();
  json.Key("totalLogCount").Double(snapshot.total_log_count);
  json.Key("logsTruncated").Bool(snapshot.logs_truncated);
  Put("activeStepId", snapshot.active_step_id, &json);
  Put("activeArtefactNamespace", snapshot.active_artefact_namespace, &json);
  Put("resultNamespace", snapshot.result_namespace, &json);
  PutJson("resultSummary", snapshot.result_summary, &json);
  PutJson("result", snapshot.result, &json);
  json.EndObject();
  return line;
}

LedgerSnapshot SnapshotFromJson(const JsonValue& json) {
  LedgerSnapshot snapshot;
  snapshot.run_id = StringOf(json, "runId").value_or("");
  snapshot.movie_id = StringOf(json, "movieId");
  snapshot.status = StringOf(json, "status").value_or("unknown");
  snapshot.error = StringOf(json, "error");
  snapshot.created_at = NumberOf(json, "createdAt");
  snapshot.started_at = NumberOf(json, "startedAt");
  snapshot.updated_at = NumberOf(json, "updatedAt");
  snapshot.finished_at = NumberOf(json, "finishedAt");
  snapshot.duration_ms = NumberOf(json, "durationMs");
  ReadSteps(json, &snapshot.steps);
  const JsonValue* tail = MemberOf(json, "logTail");
  if (tail != nullptr && tail->is_array()) {
    for (const JsonValue& text : tail->array()) {
      if (text.is_string()) AppendToTail(text.string_value(), &snapshot);
    }
  }
  snapshot.total_log_count = NumberOf(json, "totalLogCount").value_or(0);
  snapshot.logs_truncated = FlagOf(json, "logsTruncated");
  snapshot.active_step_id = StringOf(json, "activeStepId");
  snapshot.active_artefact_namespace =
      StringOf(json, "activeArtefactNamespace");
  snapshot.result_namespace = StringOf(json, "resultNamespace");
  snapshot.result_summary = JsonOf(json, "resultSummary");
  snapshot.result = JsonOf(json, "result");
  return snapshot;
}

LedgerInit LedgerInitFromJson(const JsonValue& json) {
  LedgerInit init;
  init.run_id = StringOf(json, "runId").value_or("");
  init.movie_id = StringOf(json, "movieId");
  if (const JsonValue* status = MemberOf(json, "status")) {
    // What is no text is no status either.
    init.status = status->is_string() ? status->string_value() : "";
  }
  init.error = StringOf(json, "error");
  init.created_at = NumberOf(json, "createdAt");
  init.started_at = NumberOf(json, "startedAt");
  init.updated_at = NumberOf(json, "updatedAt");
  init.finished_at = NumberOf(json, "finishedAt");
  return init;
}

}  // namespace kinora
