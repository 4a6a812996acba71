#include "services/runner/ledger/ledger_event_view.h"

#include "common/run_end.h"

namespace kinora {
namespace {

using v1::LedgerEvent;
using View = LedgerEventView;

#define KINORA_VIEW(from, field, to) \
  if ((from).has_##field()) (to) = (from).field()

void ViewJson(const std::string& json, std::optional<std::string>* to) {
  if (!json.empty()) *to = json;
}

void ViewStep(const v1::StepIdentity& step, View::Type type, View* view) {
  view->type = type;
  view->step_id = step.step_id();
  KINORA_VIEW(step, label, view->label);
  KINORA_VIEW(step, kind, view->kind);
  KINORA_VIEW(step, artefact_namespace, view->artefact_namespace);
}

void ViewProgress(const v1::StepProgressEvent& event, View* view) {
  ViewStep(event.step(), View::Type::kStepProgress, view);
  KINORA_VIEW(event, status, view->status);
  const v1::StepProgress& from = event.progress();
  View::Progress& to = view->progress;
  KINORA_VIEW(from, completed, to.completed);
  KINORA_VIEW(from, total, to.total);
  KINORA_VIEW(from, failed, to.failed);
  KINORA_VIEW(from, message, to.message);
  KINORA_VIEW(from, artefact_namespace, to.artefact_namespace);
  KINORA_VIEW(from, started_at, to.started_at);
  KINORA_VIEW(from, completed_at, to.completed_at);
  KINORA_VIEW(from, updated_at, to.updated_at);
}

template <typename Ended>
void ViewEnd(const Ended& event, View::Type type, View* view) {
  view->type = type;
  KINORA_VIEW(event, error, view->error);
  ViewJson(event.result_json(), &view->result);
}

// A wait of one producer, or of a run that is being called off, says nothing
// of the run's status.
bool IsOfTheRun(const v1::RunWaitingEvent& event) {
  return event.producer().empty() && event.reason() != kCancelling;
}

void ViewRun(const LedgerEvent& event, View* view) {
  switch (event.kind_case()) {
    case LedgerEvent::kRunCreated:
      view->type = View::Type::kRunCreated;
      KINORA_VIEW(event.run_created(), movie_id, view->movie_id);
      KINORA_VIEW(event.run_created(), status, view->status);
      return;
    case LedgerEvent::kRunStarted:
      view->type = View::Type::kRunStarted;
      KINORA_VIEW(event.run_started(), movie_id, view->movie_id);
      return;
    case LedgerEvent::kRunWaiting:
      if (IsOfTheRun(event.run_waiting())) view->type = View::Type::kRunWaiting;
      return;
    case LedgerEvent::kRunResumed:
      if (event.run_resumed().producer().empty()) {
        view->type = View::Type::kRunResumed;
      }
      return;
    case LedgerEvent::kRunCompleted:
      view->type = View::Type::kRunCompleted;
      ViewJson(event.run_completed().result_json(), &view->result);
      return ViewJson(event.run_completed().result_summary_json(),
                      &view->result_summary);
    case LedgerEvent::kRunFailed:
      return ViewEnd(event.run_failed(), View::Type::kRunFailed, view);
    case LedgerEvent::kRunCancelled:
      return ViewEnd(event.run_cancelled(), View::Type::kRunCancelled, view);
    default:
      return;
  }
}

void ViewLog(const v1::LogAppendedEvent& event, View* view) {
  view->type = View::Type::kLogAppended;
  view->lines.assign(event.lines().begin(), event.lines().end());
  view->first_seq = static_cast<double>(event.first_seq());
  view->logs_truncated = event.logs_truncated();
}

}  // namespace

LedgerEventView ViewOf(const v1::LedgerEvent& event) {
  View view;
  view.run_id = event.run_id();
  view.occurred_at = static_cast<double>(event.occurred_at_ms());
  switch (event.kind_case()) {
    case LedgerEvent::kStepStarted:
      ViewStep(event.step_started().step(), View::Type::kStepStarted, &view);
      break;
    case LedgerEvent::kStepProgress:
      ViewProgress(event.step_progress(), &view);
      break;
    case LedgerEvent::kStepCompleted:
      ViewStep(event.step_completed().step(), View::Type::kStepCompleted,
               &view);
      break;
    case LedgerEvent::kStepFailed:
      ViewStep(event.step_failed().step(), View::Type::kStepFailed, &view);
      KINORA_VIEW(event.step_failed(), error, view.error);
      break;
    case LedgerEvent::kStepSkipped:
      ViewStep(event.step_skipped().step(), View::Type::kStepSkipped, &view);
      break;
    case LedgerEvent::kLogAppended:
      ViewLog(event.log_appended(), &view);
      break;
    case LedgerEvent::kArtefactsSummaryUpdated: {
      view.type = View::Type::kArtefactsSummaryUpdated;
      const std::string& name = event.artefacts_summary_updated().namespace_();
      if (!name.empty()) view.artefact_namespace = name;
      break;
    }
    default:
      ViewRun(event, &view);
  }
  return view;
}

#undef KINORA_VIEW

}  // namespace kinora
