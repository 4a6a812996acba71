// The part of RunDocumentSource that makes the document of what it has taken.

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/string_view.h"

#include "common/json/proto_json.h"
#include "common/telemetry/trace_context.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/run_document_source.h"
#include "services/runner/record/told_members.h"

namespace kinora {
namespace {

// The label by which a run says which event it answers once more.
constexpr char kReplayLabel[] = "replay_of_event_id";

std::string StatusWord(v1::RunStatus status) {
  if (status == v1::RUN_STATUS_UNSPECIFIED) return "";
  const auto* value = v1::RunStatus_descriptor()->FindValueByNumber(status);
  return value == nullptr ? "" : EnumWord(*value);
}

// Moves a member of the notes to the job itself, where it is `of_type`.
std::optional<JsonValue> TakeMember(JsonObject& notes, absl::string_view key,
                                    std::optional<JsonValue::Type> of_type) {
  JsonValue* found = notes.Find(key);
  if (found == nullptr || found->is_null()) return std::nullopt;
  if (of_type.has_value() && found->type() != *of_type) return std::nullopt;
  JsonValue value = std::move(*found);
  notes.Remove(key);
  return value;
}

void LiftText(JsonObject& notes, JsonObject& stage, absl::string_view key,
              absl::string_view otherwise) {
  std::optional<JsonValue> text =
      TakeMember(notes, key, JsonValue::Type::kString);
  if (text.has_value()) {
    stage.Add(key, *std::move(text));
  } else {
    AddText(stage, key, otherwise);
  }
}

// Notes are a producer's own: what is no handoff of them stays a note.
void LiftHandoffs(JsonObject& notes, JsonArray& handoffs) {
  const JsonValue* told = notes.Find("handoffs");
  if (told == nullptr || !told->is_array()) return;
  JsonArray others;
  for (const JsonValue& handoff : told->array()) {
    (CheckHandoff(handoff).ok() ? handoffs : others).push_back(handoff);
  }
  if (others.empty()) {
    notes.Remove("handoffs");
  } else {
    notes.Set("handoffs", std::move(others));
  }
}

}  // namespace

std::vector<const RunDocumentSource::Stage*> RunDocumentSource::OrderedStages()
    const {
  std::vector<std::pair<size_t, const Stage*>> placed;
  for (const Stage& stage : stages_) {
    // What only the log of artefacts tells of was not begun.
    if (stage.status.empty()) continue;
    const auto place = place_of_.find(stage.job_id);
    placed.emplace_back(
        place == place_of_.end() ? place_of_.size() : place->second, &stage);
  }
  std::stable_sort(
      placed.begin(), placed.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Stage*> ordered;
  for (const auto& entry : placed) ordered.push_back(entry.second);
  return ordered;
}

JsonArray RunDocumentSource::Questions() const {
  JsonArray questions;
  for (const Question& question : questions_) {
    questions.emplace_back(question.json);
  }
  std::stable_sort(questions.begin(), questions.end(),
                   [](const JsonValue& a, const JsonValue& b) {
                     return std::make_tuple(TextOrEmpty(a, "asked_at"),
                                            TextOrEmpty(a, "request_id")) <
                            std::make_tuple(TextOrEmpty(b, "asked_at"),
                                            TextOrEmpty(b, "request_id"));
                   });
  return questions;
}

JsonArray RunDocumentSource::ChildRuns() const {
  // Of a child that the notes of a job tell of, too, that is the worker.
  absl::flat_hash_map<std::string, std::string> worker_of;
  for (const Stage& stage : stages_) {
    const JsonValue* worker = stage.notes.Find("worker");
    if (worker == nullptr) continue;
    const absl::string_view id = TextOrEmpty(*worker, "id");
    const absl::string_view run = TextOrEmpty(*worker, "child_run_id");
    if (!id.empty() && !run.empty()) worker_of.emplace(run, id);
  }
  JsonArray children;
  for (const v1::RunRecord& record : children_) {
    const auto worker = worker_of.find(record.run_id());
    JsonObject child;
    child.Add("worker_id",
              worker == worker_of.end() ? record.run_id() : worker->second);
    child.Add("worker_name", record.movie_id());
    AddText(child, "parent_stage_id", record.parent_job_id());
    child.Add("task", "");
    child.Add("status", StatusWord(record.status()));
    child.Add("started_at", TimeText(record.create_time()));
    if (record.has_finish_time()) {
      child.Add("finished_at", TimeText(record.finish_time()));
    }
    child.Add("run_id", record.run_id());
    children.emplace_back(std::move(child));
  }
  return children;
}

JsonObject RunDocumentSource::Metadata() const {
  JsonObject metadata;
  const JsonObject trigger = ObjectIn(record_.trigger_event_json());
  if (!trigger.empty()) metadata.Add("trigger_event", trigger);
  const std::optional<TraceContext> trace =
      TraceContext::Parse(record_.traceparent());
  if (trace.has_value()) metadata.Add("trace_id", trace->trace_id);
  const std::map<std::string, std::string> labels(record_.labels().begin(),
                                                  record_.labels().end());
  if (const auto replay = labels.find(kReplayLabel); replay != labels.end()) {
    AddText(metadata, kReplayLabel, replay->second);
  }
  JsonObject told;
  for (const auto& label : labels) told.Add(label.first, label.second);
  if (!told.empty()) metadata.Add("labels", std::move(told));
  // As the ledger has it: the store's record of the run is written behind it,
  // and this one is to be the same whenever it is made.
  const JsonValue result(result_);
  AddText(metadata, "error", end_.has_value() ? error_ : record_.error());
  AddText(metadata, "plan_hash", record_.plan_hash());
  AddText(metadata, "revision", TextOrEmpty(result, "revision"));
  AddText(metadata, "manifest_hash", TextOrEmpty(result, "manifestHash"));
  return metadata;
}

JsonValue RunDocumentSource::Document() const {
  JsonArray stages;
  JsonArray handoffs;
  for (const Stage* from : OrderedStages()) {
    JsonObject notes = from->notes;
    JsonObject stage;
    stage.Add("id", from->job_id);
    stage.Add("node_id", from->node);
    stage.Add("status", from->status);
    LiftText(notes, stage, "outcome", from->outcome);
    LiftText(notes, stage, "branch", "");
    LiftText(notes, stage, "visible_text", from->visible_text);
    AddTime(stage, "started_at", from->started_ms);
    AddTime(stage, "finished_at", from->finished_ms);
    if (from->attempts > 0) stage.Add("attempts", from->attempts);
    if (from->reused) stage.Add("reused", true);
    AddText(stage, "error", from->error);
    stage.Add("artifacts",
              JsonArray(from->artifacts.begin(), from->artifacts.end()));
    std::optional<JsonValue> transcript =
        TakeMember(notes, "transcript", std::nullopt);
    if (transcript.has_value()) stage.Add("transcript", *std::move(transcript));
    LiftHandoffs(notes, handoffs);
    if (!notes.empty()) stage.Add("metadata", std::move(notes));
    stages.emplace_back(std::move(stage));
  }

  JsonObject document;
  document.Add("type", "run_record");
  document.Add("id", record_.run_id());
  document.Add("workflow_id", record_.movie_id());
  AddText(document, "parent_run_id", record_.parent_run_id());
  document.Add("root_run_id", record_.root_run_id().empty()
                                  ? record_.run_id()
                                  : record_.root_run_id());
  AddText(document, "status", StatusWord(end_.value_or(record_.status())));
  document.Add("started_at", TimeText(record_.create_time()));
  if (end_.has_value()) {
    AddTime(document, "finished_at", end_ms_);
  } else if (record_.has_finish_time()) {
    document.Add("finished_at", TimeText(record_.finish_time()));
  }
  document.Add("stages", std::move(stages));
  // Also if empty, so that what steps add to them has its place in the file.
  document.Add("child_runs", ChildRuns());
  document.Add("hitl_questions", Questions());
  if (!handoffs.empty()) document.Add("handoffs", std::move(handoffs));
  JsonObject metadata = Metadata();
  if (!metadata.empty()) document.Add("metadata", std::move(metadata));
  return JsonValue(std::move(document));
}

}  // namespace kinora
