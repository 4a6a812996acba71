#include "services/runner/record/run_document_source.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"

#include "common/content.h"
#include "common/proto_json.h"
#include "common/rfc3339.h"
#include "common/trace_context.h"
#include "common/utf8.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

constexpr char kCompleted[] = "completed";
constexpr char kFailed[] = "failed";

// The end of the year 9999.
constexpr int64_t kLastMs = 253'402'300'799'999;

// The label by which a run says which event it answers once more.
constexpr char kReplayLabel[] = "replay_of_event_id";

std::string TimeText(const google::protobuf::Timestamp& time) {
  std::string text;
  AppendRfc3339(time.seconds(), time.nanos(), &text);
  return text;
}

std::string TimeText(int64_t ms) {
  std::string text;
  AppendRfc3339(ms / 1000, static_cast<int32_t>(ms % 1000) * 1'000'000, &text);
  return text;
}

void AddTime(JsonObject& object, absl::string_view key, int64_t ms) {
  // Whoever reports from outside may say anything.
  if (ms > 0 && ms <= kLastMs) object.Add(key, TimeText(ms));
}

void AddText(JsonObject& object, absl::string_view key,
             absl::string_view text) {
  if (!text.empty() && IsValidUtf8(text)) object.Add(key, text);
}

std::string StatusWord(v1::RunStatus status) {
  if (status == v1::RUN_STATUS_UNSPECIFIED) return "";
  const auto* value = v1::RunStatus_descriptor()->FindValueByNumber(status);
  return value == nullptr ? "" : EnumWord(*value);
}

// The object in a text; an empty one if it is none.
JsonObject ObjectIn(const std::string& text) {
  absl::StatusOr<JsonValue> json = ParseJson(text.empty() ? "{}" : text);
  if (!json.ok() || !json->is_object()) return {};
  return std::move(json->object());
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

// The part of a job's id that names its node: all before its coordinates.
std::string NodeIn(const std::string& job_id) {
  return job_id.substr(0, job_id.find('['));
}

JsonValue ArtifactOf(const v1::Event& event) {
  const v1::ArtefactEvent& made = event.artefact();
  JsonObject metadata;
  AddText(metadata, "hash", ContentHash(made.output()));
  metadata.Add("size_bytes", ContentSize(made.output()));
  JsonObject artifact;
  artifact.Add("id", made.artefact_id());
  artifact.Add("kind", ContentMimeType(made.output()));
  if (event.has_time()) artifact.Add("created_at", TimeText(event.time()));
  artifact.Add("metadata", std::move(metadata));
  return JsonValue(std::move(artifact));
}

}  // namespace

RunDocumentSource::RunDocumentSource(v1::RunRecord record)
    : record_(std::move(record)) {}

void RunDocumentSource::TakePlan(const v1::Plan& plan) {
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      place_of_.try_emplace(job.job_id(), place_of_.size());
    }
  }
}

RunDocumentSource::Stage& RunDocumentSource::StageOf(
    const std::string& job_id) {
  const auto found = stage_of_.find(job_id);
  if (found != stage_of_.end()) return stages_[found->second];
  stage_of_[job_id] = stages_.size();
  Stage stage;
  stage.job_id = job_id;
  stage.node = NodeIn(job_id);
  stages_.push_back(std::move(stage));
  return stages_.back();
}

void RunDocumentSource::TakeLedger(const v1::LedgerEvent& event) {
  const int64_t now_ms = event.occurred_at_ms();
  switch (event.kind_case()) {
    case v1::LedgerEvent::kStepStarted: {
      const v1::StepStartedEvent& started = event.step_started();
      Stage& stage = StageOf(started.step().step_id());
      stage.status = "running";
      stage.outcome.clear();
      stage.error.clear();
      stage.reused = false;
      stage.attempts = std::max(stage.attempts, started.attempt());
      if (stage.started_ms == 0) stage.started_ms = now_ms;
      stage.finished_ms = 0;
      return;
    }
    case v1::LedgerEvent::kStepCompleted: {
      Stage& stage = StageOf(event.step_completed().step().step_id());
      stage.status = kCompleted;
      stage.outcome = "success";
      stage.error.clear();
      stage.finished_ms = now_ms;
      return;
    }
    case v1::LedgerEvent::kStepFailed: {
      Stage& stage = StageOf(event.step_failed().step().step_id());
      stage.status = kFailed;
      stage.outcome = "failure";
      stage.error = event.step_failed().error();
      stage.finished_ms = now_ms;
      return;
    }
    case v1::LedgerEvent::kStepSkipped: {
      const v1::StepSkippedEvent& skipped = event.step_skipped();
      Stage& stage = StageOf(skipped.step().step_id());
      // One way to its result is as good as the other.
      stage.reused = skipped.reason() == "reused";
      stage.status = stage.reused ? kCompleted : "skipped";
      stage.outcome = stage.reused ? "success" : skipped.reason();
      stage.finished_ms = now_ms;
      return;
    }
    case v1::LedgerEvent::kRunCompleted:
      end_ = v1::RUN_STATUS_COMPLETED;
      end_ms_ = now_ms;
      result_ = ObjectIn(event.run_completed().result_json());
      return;
    case v1::LedgerEvent::kRunFailed:
      end_ = v1::RUN_STATUS_FAILED;
      end_ms_ = now_ms;
      error_ = event.run_failed().error();
      return;
    case v1::LedgerEvent::kRunCancelled:
      end_ = v1::RUN_STATUS_CANCELLED;
      end_ms_ = now_ms;
      error_ = event.run_cancelled().error();
      return;
    case v1::LedgerEvent::kJob:
      return TakeJob(event);
    default:
      return;
  }
}

void RunDocumentSource::TakeJob(const v1::LedgerEvent& event) {
  const std::string& type = event.job().type();
  if (type != "question" && type != "answered" && type != "unanswered") return;
  TakeQuestion(event, JsonValue(ObjectIn(event.job().detail_json())));
}

void RunDocumentSource::TakeQuestion(const v1::LedgerEvent& event,
                                     const JsonValue& detail) {
  const v1::JobEvent& job = event.job();
  const std::string id(TextOrEmpty(detail, "questionId"));
  if (id.empty()) return;
  const auto known = std::find_if(
      questions_.begin(), questions_.end(), [&](const Question& question) {
        return question.job_id == job.job_id() && question.question_id == id;
      });
  if (job.type() != "question") {
    // One that was answered in an earlier run was not asked in this one.
    if (known == questions_.end()) return;
    if (job.type() == "unanswered") {
      known->json.Set("unanswered", TextOrEmpty(detail, "why"));
      return;
    }
    SetIfAny(known->json, "answer", detail.Find("value"));
    SetIfAny(known->json, "answered_by", detail.Find("answeredBy"));
    known->json.Remove("answered_at");
    AddTime(known->json, "answered_at", event.occurred_at_ms());
    return;
  }
  Question asked{job.job_id(), id, {}};
  // Jobs may have questions of one id, which are one in a record.
  bool is_taken = false;
  for (const Question& question : questions_) {
    is_taken = is_taken ||
               (question.job_id != job.job_id() && question.question_id == id);
  }
  asked.json.Add("request_id",
                 is_taken ? absl::StrCat(job.job_id(), "/", id) : id);
  asked.json.Add("stage_id", job.job_id());
  asked.json.Add("prompt", TextOrEmpty(detail, "prompt"));
  asked.json.Add("agent", NodeIn(job.job_id()));
  AddTime(asked.json, "asked_at", event.occurred_at_ms());
  if (known == questions_.end()) {
    questions_.push_back(std::move(asked));
    return;
  }
  // Asked anew: what was answered before holds no more.
  asked.json.Set("request_id", *known->json.Find("request_id"));
  *known = std::move(asked);
}

void RunDocumentSource::TakeArtefact(const v1::Event& event) {
  const v1::ArtefactEvent& made = event.artefact();
  if (made.produced_by().run_id() != record_.run_id() ||
      made.status() != v1::ARTEFACT_STATUS_SUCCEEDED) {
    return;
  }
  Stage& stage = StageOf(made.produced_by().job_id());
  if (stage.status.empty() && made.reused_sequence() != 0) {
    // Reused by the plan already: the ledger has no step of it.
    stage.reused = true;
    stage.status = kCompleted;
    stage.outcome = "success";
  }
  if (!made.produced_by().node().empty()) {
    stage.node = made.produced_by().node();
  }
  if (!made.diagnostics_json().empty()) {
    stage.notes = ObjectIn(made.diagnostics_json());
  }
  JsonValue artifact = ArtifactOf(event);
  const auto known =
      std::find_if(stage.artifacts.begin(), stage.artifacts.end(),
                   [&made](const JsonValue& other) {
                     return TextOrEmpty(other, "id") == made.artefact_id();
                   });
  if (known == stage.artifacts.end()) {
    stage.artifacts.push_back(std::move(artifact));
  } else {
    *known = std::move(artifact);
  }
  const v1::InlineValue& value = made.output().inline_();
  if (stage.visible_text.empty() && made.output().has_inline_() &&
      absl::StartsWith(value.mime_type(), "text/") &&
      IsValidUtf8(value.data())) {
    stage.visible_text = value.data();
  }
}

void RunDocumentSource::TakeChild(const v1::RunRecord& child) {
  children_.push_back(child);
}

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
