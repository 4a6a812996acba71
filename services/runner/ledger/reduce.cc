#include "services/runner/ledger/reduce.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "services/runner/ledger/status_words.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

using View = LedgerEventView;
using Type = LedgerEventView::Type;

// "A or kept": the event's value if it has one, blank text too.
void TakeOrKeep(const View::Text& from, std::optional<std::string>* to) {
  if (!from.has_value()) return;
  if (!to->has_value()) to->emplace();
  (*to)->assign(from->data(), from->size());
}
template <typename T>
void TakeOrKeep(const std::optional<T>& from, std::optional<T>* to) {
  if (from.has_value()) *to = from;
}

// "kept, or A".
void KeepOrTake(std::optional<double>* kept, const std::optional<double>& a) {
  if (!kept->has_value()) *kept = a;
}

void SetActive(const LedgerStep* step, LedgerSnapshot* s) {
  if (step == nullptr) {
    s->active_step_id.reset();
    s->active_artefact_namespace.reset();
    return;
  }
  s->active_step_id = step->step_id;
  s->active_artefact_namespace = step->artefact_namespace;
}

void Run(LedgerSnapshot* s) {
  if (!IsTerminalStatus(s->status)) s->status = "running";
}

void Create(const View& event, double at, LedgerSnapshot* s) {
  TakeOrKeep(event.movie_id, &s->movie_id);
  if (event.status.has_value()) s->status = std::string(*event.status);
  KeepOrTake(&s->created_at, at);
}

void Start(const View& event, double at, LedgerSnapshot* s) {
  TakeOrKeep(event.movie_id, &s->movie_id);
  Run(s);
  KeepOrTake(&s->started_at, at);
}

struct RunEnd {
  absl::string_view type;
  absl::string_view status;
};

RunEnd EndOf(Type type) {
  switch (type) {
    case Type::kRunCompleted:
      return {"run.completed", "completed"};
    case Type::kRunFailed:
      return {"run.failed", "failed"};
    default:
      return {"run.cancelled", "cancelled"};
  }
}

void End(const View& event, double at, LedgerSnapshot* s) {
  const RunEnd end = EndOf(event.type);
  // What is accounted for after a run's completion may still fail it.
  const bool demotes =
      event.type == Type::kRunFailed && s->status == "completed";
  if (IsTerminalStatus(s->status) && s->status != end.status && !demotes) {
    AppendToTail(absl::StrCat("[ledger] conflicting terminal event ", end.type,
                              " ignored; status already ", s->status),
                 s);
    ++s->total_log_count;
    return;
  }
  s->status = std::string(end.status);
  KeepOrTake(&s->started_at, at);
  KeepOrTake(&s->finished_at, at);
  SetActive(nullptr, s);
  TakeOrKeep(event.result, &s->result);
  if (event.type == Type::kRunCompleted) {
    s->error.reset();
    TakeOrKeep(event.result_summary, &s->result_summary);
  } else {
    TakeOrKeep(event.error, &s->error);
  }
}

void AppendLines(const View& event, LedgerSnapshot* s) {
  double lines = 0;
  for (const absl::string_view line : event.lines) {
    const absl::string_view trimmed = TrimmedText(line);
    if (trimmed.empty()) continue;
    AppendToTail(trimmed, s);
    ++lines;
  }
  s->total_log_count =
      event.first_seq > 0
          ? std::max(s->total_log_count, event.first_seq + lines - 1)
          : s->total_log_count + lines;
  s->logs_truncated = s->logs_truncated || event.logs_truncated;
}

void Identify(const View& event, LedgerStep* step) {
  TakeOrKeep(event.label, &step->label);
  TakeOrKeep(event.kind, &step->kind);
  TakeOrKeep(event.artefact_namespace, &step->artefact_namespace);
}

void StartStep(const View& event, double at, LedgerSnapshot* s) {
  const LedgerStep& step = s->steps.Update(event.step_id, [&](LedgerStep* it) {
    Identify(event, it);
    if (it->status != StepStatus::kFailed &&
        it->status != StepStatus::kCompleted) {
      it->status = StepStatus::kRunning;
    }
    KeepOrTake(&it->started_at, at);
    it->updated_at = at;
  });
  Run(s);
  KeepOrTake(&s->started_at, at);
  if (step.status == StepStatus::kRunning) SetActive(&step, s);
}

// Lays the event's fields over those that were there.
void Overlay(const View::Progress& from, double at, LedgerProgress* to) {
  TakeOrKeep(from.completed, &to->completed);
  TakeOrKeep(from.total, &to->total);
  TakeOrKeep(from.failed, &to->failed);
  TakeOrKeep(from.message, &to->message);
  TakeOrKeep(from.artefact_namespace, &to->artefact_namespace);
  TakeOrKeep(from.started_at, &to->started_at);
  TakeOrKeep(from.completed_at, &to->completed_at);
  to->updated_at = from.updated_at.value_or(at);
}

StepStatus InferredStatus(const LedgerProgress& progress) {
  const double total = progress.total.value_or(0);
  const bool is_done = progress.completed_at.has_value() ||
                       (total > 0 && progress.completed.value_or(0) >= total);
  return is_done ? StepStatus::kCompleted : StepStatus::kRunning;
}

StepStatus StatusAfter(const View& event, const LedgerStep& step) {
  if (step.status.has_value() && step.status != StepStatus::kRunning) {
    return *step.status;
  }
  const StepStatus inferred = InferredStatus(*step.progress);
  const std::optional<StepStatus> told =
      event.status.has_value() ? StepStatusOf(*event.status) : std::nullopt;
  if (told == StepStatus::kRunning && inferred == StepStatus::kCompleted) {
    return inferred;
  }
  if (told.has_value()) return *told;
  return step.status.value_or(inferred);
}

void TakeProgress(const View& event, double at, LedgerSnapshot* s) {
  const View::Progress& told = event.progress;
  const LedgerStep& step = s->steps.Update(event.step_id, [&](LedgerStep* it) {
    TakeOrKeep(event.label, &it->label);
    it->updated_at = at;
    if (!it->progress.has_value()) it->progress.emplace();
    Overlay(told, at, &*it->progress);
    it->status = StatusAfter(event, *it);
    TakeOrKeep(it->progress->artefact_namespace, &it->artefact_namespace);
    KeepOrTake(&it->started_at, told.started_at);
    KeepOrTake(&it->completed_at, told.completed_at);
    if (it->status == StepStatus::kCompleted) {
      KeepOrTake(&it->completed_at, told.updated_at.value_or(at));
    }
  });
  if (step.status == StepStatus::kRunning) {
    SetActive(&step, s);
  } else if (s->active_step_id == event.step_id) {
    SetActive(nullptr, s);
  }
}

StepStatus StatusOfEnd(Type type) {
  switch (type) {
    case Type::kStepCompleted:
      return StepStatus::kCompleted;
    case Type::kStepFailed:
      return StepStatus::kFailed;
    default:
      return StepStatus::kSkipped;
  }
}

void EndStep(const View& event, double at, LedgerSnapshot* s) {
  s->steps.Update(event.step_id, [&](LedgerStep* it) {
    Identify(event, it);
    it->updated_at = at;
    const bool stays_failed =
        it->status == StepStatus::kFailed && event.type != Type::kStepFailed;
    if (!stays_failed) it->status = StatusOfEnd(event.type);
    if (!stays_failed && it->status != StepStatus::kSkipped) {
      it->completed_at = at;
    }
    if (event.type == Type::kStepFailed) TakeOrKeep(event.error, &it->error);
  });
  // The step itself is not running any more.
  SetActive(s->steps.LastRunning(), s);
}

}  // namespace

void Reduce(const LedgerEventView& event, LedgerSnapshot* snapshot) {
  LedgerSnapshot* s = snapshot;
  if (event.type == Type::kOther || event.run_id != s->run_id) return;
  const double at = std::max(0.0, event.occurred_at);
  s->updated_at = std::max(s->updated_at.value_or(0), at);
  switch (event.type) {
    case Type::kOther:
      break;
    case Type::kRunCreated:
      Create(event, at, s);
      break;
    case Type::kRunStarted:
      Start(event, at, s);
      break;
    case Type::kRunWaiting:
      if (!IsTerminalStatus(s->status)) s->status = "waiting";
      break;
    case Type::kRunResumed:
      Run(s);
      break;
    case Type::kRunCompleted:
    case Type::kRunFailed:
    case Type::kRunCancelled:
      End(event, at, s);
      break;
    case Type::kStepStarted:
      StartStep(event, at, s);
      break;
    case Type::kStepProgress:
      TakeProgress(event, at, s);
      break;
    case Type::kStepCompleted:
    case Type::kStepFailed:
    case Type::kStepSkipped:
      EndStep(event, at, s);
      break;
    case Type::kLogAppended:
      AppendLines(event, s);
      break;
    case Type::kArtefactsSummaryUpdated:
      if (!s->result_namespace.has_value()) {
        TakeOrKeep(event.artefact_namespace, &s->result_namespace);
      }
      break;
  }
  s->duration_ms = DurationOf(*s);
  if (s->result_namespace.has_value() || !IsTerminalStatus(s->status)) return;
  if (const LedgerStep* last = s->steps.LastWithNamespace()) {
    s->result_namespace = last->artefact_namespace;
  }
}

}  // namespace kinora
