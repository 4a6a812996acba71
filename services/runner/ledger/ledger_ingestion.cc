#include "services/runner/ledger/ledger_ingestion.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/reported_event.h"
#include "common/status.h"
#include "services/runner/ledger/ledger_event_view.h"
#include "services/runner/ledger/reduce.h"
#include "services/runner/ledger/status_words.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

using Type = LedgerEventView::Type;

// Those without a source are nobody's in particular.
bool IsKinoras(const v1::LedgerEvent& event) {
  return !IsReported(event) && event.source() != v1::LEDGER_SOURCE_UNSPECIFIED;
}

// Whether the sender of the lines counts them on their channel.
bool HasPlace(const v1::LogAppendedEvent& lines) {
  return lines.has_channel_offset() && lines.channel_offset() >= 0;
}

bool IsOfStep(Type type) {
  return type == Type::kStepStarted || type == Type::kStepProgress ||
         type == Type::kStepCompleted || type == Type::kStepFailed ||
         type == Type::kStepSkipped;
}

absl::Status CheckRunStatus(const LedgerEventView::Text& status) {
  if (!status.has_value() || NormalizedRunStatus(*status) != "unknown") {
    return absl::OkStatus();
  }
  return InvalidField("status", *status, "must be the status of a run");
}

absl::Status CheckJson(absl::string_view field,
                       const std::optional<std::string>& json) {
  if (!json.has_value()) return absl::OkStatus();
  return Annotate(ParseJson(*json).status(), field);
}

absl::Status CheckStep(const LedgerEventView& event) {
  if (IsBlankText(event.step_id)) {
    return InvalidField("step_id", event.step_id, "must not be blank");
  }
  if (event.type != Type::kStepProgress) return absl::OkStatus();
  if (event.status.has_value() && !StepStatusOf(*event.status).has_value()) {
    return InvalidField("status", *event.status,
                        "must be running, completed, failed or skipped");
  }
  const LedgerEventView::Progress& progress = event.progress;
  for (const std::optional<double>& number :
       {progress.completed, progress.total, progress.failed,
        progress.started_at, progress.completed_at, progress.updated_at}) {
    if (number.has_value() && !std::isfinite(*number)) {
      return InvalidField("progress", absl::StrCat(*number),
                          "must have finite numbers only");
    }
  }
  return absl::OkStatus();
}

}  // namespace

LedgerIngestion::LedgerIngestion(const LedgerInit& init)
    : snapshot_(EmptySnapshot(init)) {}

void LedgerIngestion::Recall(const v1::LedgerEvent& event) {
  if (event.run_id() != snapshot_.run_id) return;
  created_ = created_ || event.has_run_created();
  if (event.has_log_appended()) {
    v1::LogAppendedEvent lines = event.log_appended();
    if (IsKinoras(event)) lines.clear_channel_offset();
    log_.Recall(lines);
  }
  if (IsReported(event)) repeated_.Note(event);
  Fold(event);
}

void LedgerIngestion::Fold(const v1::LedgerEvent& event) {
  const double lines = snapshot_.total_log_count;
  Reduce(ViewOf(event), &snapshot_);
  if (!event.has_log_appended() && snapshot_.total_log_count > lines) {
    log_.NoteReducersLine();
  }
}

absl::StatusOr<std::vector<v1::LedgerEvent>> LedgerIngestion::Take(
    absl::Span<const v1::LedgerEvent> events, int64_t now_ms) {
  KINORA_ASSIGN_OR_RETURN(Events checked, Checked(events));
  return AdmitAll(std::move(checked), now_ms, /*of_patch=*/false);
}

absl::StatusOr<std::vector<v1::LedgerEvent>> LedgerIngestion::TakePatch(
    const RunPatch& patch, int64_t now_ms) {
  KINORA_ASSIGN_OR_RETURN(Events checked, Checked(patch, now_ms));
  return AdmitAll(std::move(checked), now_ms, /*of_patch=*/true);
}

absl::StatusOr<std::vector<v1::LedgerEvent>> LedgerIngestion::Preview(
    absl::Span<const v1::LedgerEvent> events, int64_t now_ms) const {
  KINORA_ASSIGN_OR_RETURN(Events checked, Checked(events));
  LedgerIngestion aside = Aside(checked);
  return aside.AdmitAll(std::move(checked), now_ms, /*of_patch=*/false);
}

absl::StatusOr<std::vector<v1::LedgerEvent>> LedgerIngestion::PreviewPatch(
    const RunPatch& patch, int64_t now_ms) const {
  KINORA_ASSIGN_OR_RETURN(Events checked, Checked(patch, now_ms));
  LedgerIngestion aside = Aside(checked);
  return aside.AdmitAll(std::move(checked), now_ms, /*of_patch=*/true);
}

absl::StatusOr<std::vector<v1::LedgerEvent>> LedgerIngestion::Checked(
    absl::Span<const v1::LedgerEvent> events) const {
  bool created = created_;
  RepeatedEvents before;  // of these events
  absl::flat_hash_set<std::string> channels;
  Events checked;
  checked.reserve(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const v1::LedgerEvent& event = events[i];
    const bool reported =
        IsReported(event) && event.run_id() == snapshot_.run_id;
    if (reported && (repeated_.Knows(event) || before.Knows(event))) continue;
    absl::Status status = Check(event, created);
    if (status.ok()) status = CheckChannel(event, &channels);
    if (!status.ok()) return Annotate(status, absl::StrCat("events[", i, "]"));
    created = created || event.has_run_created();
    if (reported) before.Note(event);
    checked.push_back(event);
  }
  return checked;
}

absl::StatusOr<std::vector<v1::LedgerEvent>> LedgerIngestion::Checked(
    const RunPatch& patch, int64_t now_ms) const {
  KINORA_RETURN_IF_ERROR(CheckRun(patch.run_id));
  KINORA_RETURN_IF_ERROR(CheckRunStatus(patch.status));
  Events events;
  absl::flat_hash_set<std::string> channels;
  for (PatchEvent& told :
       EventsOfPatch(snapshot_, patch, static_cast<double>(now_ms))) {
    KINORA_RETURN_IF_ERROR(CheckChannel(told.event, &channels));
    events.push_back(std::move(told.event));
  }
  return events;
}

std::vector<v1::LedgerEvent> LedgerIngestion::AdmitAll(Events events,
                                                       int64_t now_ms,
                                                       bool of_patch) {
  Events admitted;
  for (v1::LedgerEvent& event : events) {
    if (event.occurred_at_ms() == 0) event.set_occurred_at_ms(now_ms);
    std::optional<v1::LedgerEvent> one = Admit(std::move(event), of_patch);
    if (one.has_value()) admitted.push_back(*std::move(one));
  }
  // What follows in a full log is counted only, and nobody else knows of it.
  for (v1::LogAppendedEvent& counted : log_.TellCounted()) {
    v1::LedgerEvent event;
    event.set_run_id(snapshot_.run_id);
    event.set_source(v1::LEDGER_SOURCE_EXTERNAL);
    event.set_occurred_at_ms(now_ms);
    *event.mutable_log_appended() = std::move(counted);
    Fold(event);
    admitted.push_back(std::move(event));
  }
  return admitted;
}

LedgerIngestion LedgerIngestion::Aside(const Events& events) const {
  LedgerInit init;
  init.run_id = snapshot_.run_id;
  LedgerIngestion aside(init);
  aside.snapshot_.status = snapshot_.status;
  aside.snapshot_.started_at = snapshot_.started_at;
  aside.snapshot_.total_log_count = snapshot_.total_log_count;
  aside.snapshot_.logs_truncated = snapshot_.logs_truncated;
  aside.log_ = log_;
  aside.created_ = created_;
  for (const v1::LedgerEvent& event : events) {
    const LedgerEventView view = ViewOf(event);
    if (!IsOfStep(view.type)) continue;
    const LedgerStep* step = snapshot_.steps.Find(view.step_id);
    if (step == nullptr || aside.snapshot_.steps.Find(view.step_id)) continue;
    aside.snapshot_.steps.Add(*step);
  }
  return aside;
}

absl::Status LedgerIngestion::CheckRun(const std::string& run_id) const {
  if (run_id == snapshot_.run_id) return absl::OkStatus();
  return InvalidField("run_id", run_id,
                      absl::StrCat("must be the ledger's, ", snapshot_.run_id));
}

absl::Status LedgerIngestion::Check(const v1::LedgerEvent& event,
                                    bool created) const {
  KINORA_RETURN_IF_ERROR(CheckRun(event.run_id()));
  if (event.kind_case() == v1::LedgerEvent::KIND_NOT_SET) {
    return InvalidField("kind", "", "is required");
  }
  if (event.occurred_at_ms() < 0) {
    return InvalidField("occurred_at_ms", absl::StrCat(event.occurred_at_ms()),
                        "must not be negative");
  }
  if (event.has_unknown()) {
    return CheckJson("unknown.raw_json", event.unknown().raw_json());
  }
  const LedgerEventView view = ViewOf(event);
  if (view.type == Type::kRunCreated) {
    if (created) {
      return absl::FailedPreconditionError(absl::StrCat(
          "run.created: the run ", snapshot_.run_id, " was created before"));
    }
    return CheckRunStatus(view.status);
  }
  if (IsOfStep(view.type)) return CheckStep(view);
  KINORA_RETURN_IF_ERROR(CheckJson("result_json", view.result));
  return CheckJson("result_summary_json", view.result_summary);
}

absl::Status LedgerIngestion::CheckChannel(
    const v1::LedgerEvent& event,
    absl::flat_hash_set<std::string>* before) const {
  const v1::LogAppendedEvent& lines = event.log_appended();
  if (!HasPlace(lines) || lines.lines().empty()) return absl::OkStatus();
  if (log_.HasChannel(lines.channel()) || before->contains(lines.channel())) {
    return absl::OkStatus();
  }
  if (log_.channels() + before->size() >= kMaxReportedChannels) {
    return WithReason(
        absl::ResourceExhaustedError(
            absl::StrCat("log_appended.channel: \"", ClipValue(lines.channel()),
                         "\" would be one more than the ", kMaxReportedChannels,
                         " that outside workers have in run ", snapshot_.run_id,
                         " at most")),
        "LIMIT_EXCEEDED", {{"run", snapshot_.run_id}});
  }
  before->insert(lines.channel());
  return absl::OkStatus();
}

std::optional<v1::LedgerEvent> LedgerIngestion::Admit(v1::LedgerEvent event,
                                                      bool of_patch) {
  if (event.has_run_created()) {
    v1::RunCreatedEvent* run = event.mutable_run_created();
    if (IsTerminalStatus(snapshot_.status) ||
        snapshot_.started_at.has_value()) {
      run->clear_status();
    } else if (run->has_status()) {
      run->set_status(std::string(NormalizedRunStatus(run->status())));
    }
    created_ = true;
  } else if (event.has_log_appended()) {
    std::optional<v1::LogAppendedEvent> lines = TakeLines(event.log_appended());
    if (!lines.has_value()) return std::nullopt;
    *event.mutable_log_appended() = *std::move(lines);
  } else if (event.has_step_progress() && event.step_progress().has_status()) {
    v1::StepProgressEvent* progress = event.mutable_step_progress();
    // Checked; a patch has words of ours.
    progress->set_status(std::string(StepStatusWord(
        StepStatusOf(progress->status()).value_or(StepStatus::kRunning))));
  }
  if (!AdmitsStep(event, of_patch)) return std::nullopt;
  Fold(event);
  return event;
}

// Reduces the event to a run that has this one step, and looks at what becomes
// of the step.
bool LedgerIngestion::AdmitsStep(const v1::LedgerEvent& event,
                                 bool of_patch) const {
  const LedgerEventView view = ViewOf(event);
  if (!IsOfStep(view.type)) return true;
  LedgerSnapshot alone;
  alone.run_id = snapshot_.run_id;
  const LedgerStep* before = snapshot_.steps.Find(view.step_id);
  if (before != nullptr) alone.steps.Add(*before);
  Reduce(view, &alone);
  const LedgerStep& after = *alone.steps.Find(view.step_id);
  if (IsTerminalStatus(snapshot_.status) &&
      after.status == StepStatus::kRunning) {
    return false;
  }
  const bool may_repeat =
      of_patch || (view.type == Type::kStepProgress &&
                   event.step_progress().heartbeat_details().empty());
  return !may_repeat || before == nullptr || !after.SaysTheSameAs(*before);
}

std::optional<v1::LogAppendedEvent> LedgerIngestion::TakeLines(
    const v1::LogAppendedEvent& event) {
  std::optional<v1::LogAppendedEvent> taken;
  if (HasPlace(event)) {
    taken = log_.TakeAt(event.channel(), event.channel_offset(), event.lines());
  } else if (event.first_seq() > 0) {
    taken = log_.TakeNumbered(event.first_seq(), event.lines());
  } else {
    taken = log_.TakeByText(event.channel(), event.lines());
  }
  // That a worker has lost lines is told once.
  if (event.logs_truncated() && !snapshot_.logs_truncated) {
    if (!taken.has_value()) taken.emplace();
    taken->set_logs_truncated(true);
  }
  return taken;
}

}  // namespace kinora
