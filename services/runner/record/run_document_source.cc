#include "services/runner/record/run_document_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/content.h"
#include "common/reported_event.h"
#include "common/run_end.h"
#include "common/utf8.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/told_members.h"

namespace kinora {
namespace {

constexpr char kCompleted[] = "completed";
constexpr char kFailed[] = "failed";

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
  // What outside workers tell proves nothing about jobs. Of a run that is its
  // caller's they may tell the end, though not what came of it.
  if (IsReported(event)) return TakeReported(event);
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

void RunDocumentSource::TakeReported(const v1::LedgerEvent& event) {
  if (!record_.stepwise() || !IsTerminal(event)) return;
  end_ms_ = event.occurred_at_ms();
  if (event.has_run_completed()) {
    end_ = v1::RUN_STATUS_COMPLETED;
  } else if (event.has_run_failed()) {
    end_ = v1::RUN_STATUS_FAILED;
    error_ = event.run_failed().error();
  } else {
    end_ = v1::RUN_STATUS_CANCELLED;
    error_ = event.run_cancelled().error();
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
  const auto place = question_place_.find({job.job_id(), id});
  Question* known =
      place == question_place_.end() ? nullptr : &questions_[place->second];
  if (job.type() != "question") {
    // One that was answered in an earlier run was not asked in this one.
    if (known == nullptr) return;
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
  const bool is_taken =
      first_asker_.try_emplace(id, job.job_id()).first->second != job.job_id();
  asked.json.Add("request_id",
                 is_taken ? absl::StrCat(job.job_id(), "/", id) : id);
  asked.json.Add("stage_id", job.job_id());
  asked.json.Add("prompt", TextOrEmpty(detail, "prompt"));
  asked.json.Add("agent", NodeIn(job.job_id()));
  AddTime(asked.json, "asked_at", event.occurred_at_ms());
  if (known == nullptr) {
    question_place_[{job.job_id(), id}] = questions_.size();
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

}  // namespace kinora
