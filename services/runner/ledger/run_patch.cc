#include "services/runner/ledger/run_patch.h"

#include <algorithm>
#include <cstdint>
#include <functional>

#include "services/runner/ledger/json_members.h"
#include "services/runner/ledger/log_lines.h"
#include "services/runner/ledger/status_words.h"
#include "services/runner/ledger/step_json.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

int64_t Whole(double number) {
  const double limit = static_cast<double>(kMaxJsonInteger);
  return static_cast<int64_t>(std::clamp(number, -limit, limit));
}

// Makes the events of one patch.
class Events {
 public:
  Events(const LedgerSnapshot& previous, const RunPatch& patch, double now)
      : previous_(previous),
        patch_(patch),
        status_(NormalizedRunStatus(patch.status.value_or(""))),
        checkpoint_(patch.last_checkpoint_at.value_or(now)) {}

  std::vector<PatchEvent> Make() && {
    AddStart();
    AddLines();
    for (const auto& entry : patch_.live_node_progress) {
      AddStep(entry.first, entry.second);
    }
    AddEnd();
    return std::move(events_);
  }

 private:
  v1::LedgerEvent* Add(double at);
  void AddStart();
  void AddLines();
  void AddStep(const std::string& id, const LedgerProgress& progress);
  void AddProgress(const std::string& id, const LedgerProgress& progress,
                   const LedgerStep& step);
  void AddEnd();

  // The first, by `is_before`, of a time of all entries and previous steps.
  template <typename IsBefore>
  double FirstTime(std::optional<double> LedgerProgress::*of_entry,
                   std::optional<double> LedgerStep::*of_step,
                   IsBefore is_before) const;

  const LedgerSnapshot& previous_;
  const RunPatch& patch_;
  const absl::string_view status_;
  const double checkpoint_;
  std::vector<PatchEvent> events_;
};

v1::LedgerEvent* Events::Add(double at) {
  PatchEvent& added = events_.emplace_back();
  added.occurred_at = at;
  v1::LedgerEvent& event = added.event;
  event.set_run_id(patch_.run_id);
  event.set_source(v1::LEDGER_SOURCE_WORKER);
  event.set_occurred_at_ms(Whole(at));
  return &event;
}

template <typename IsBefore>
double Events::FirstTime(std::optional<double> LedgerProgress::*of_entry,
                         std::optional<double> LedgerStep::*of_step,
                         IsBefore is_before) const {
  std::optional<double> first;
  const auto take = [&](const std::optional<double>& time) {
    if (!time.has_value()) return;
    if (!first.has_value() || is_before(*time, *first)) first = time;
  };
  for (const auto& entry : patch_.live_node_progress) {
    take(entry.second.*of_entry);
  }
  for (const LedgerStep& step : previous_.steps.all()) take(step.*of_step);
  return first.value_or(checkpoint_);
}

void Events::AddStart() {
  if (previous_.started_at.has_value()) return;
  if (patch_.live_node_progress.empty() && status_ != "running" &&
      !IsTerminalStatus(status_)) {
    return;
  }
  v1::RunStartedEvent* started =
      Add(FirstTime(&LedgerProgress::started_at, &LedgerStep::started_at,
                    std::less<double>()))
          ->mutable_run_started();
  const std::optional<std::string>& movie =
      patch_.movie_id.has_value() ? patch_.movie_id : previous_.movie_id;
  if (movie.has_value()) started->set_movie_id(*movie);
  if (patch_.runtime_backend.has_value()) {
    started->set_runtime_backend(*patch_.runtime_backend);
  }
}

void Events::AddLines() {
  const std::optional<double>& offset = patch_.live_logs_channel_offset;
  const bool positional = offset.has_value() && *offset >= 0;
  std::vector<std::string> lines;
  for (const std::string& line : patch_.live_logs) {
    const absl::string_view trimmed = TrimmedText(line);
    if (!trimmed.empty()) {
      lines.emplace_back(trimmed);
    } else if (positional) {
      lines.emplace_back(kBlankLogLine);
    }
  }
  if (lines.empty()) return;
  v1::LogAppendedEvent* log = Add(checkpoint_)->mutable_log_appended();
  for (std::string& line : lines) log->add_lines(std::move(line));
  if (!positional) return;
  log->set_channel_offset(Whole(*offset));
  events_.back().channel_offset = offset;
}

void Events::AddProgress(const std::string& id, const LedgerProgress& progress,
                         const LedgerStep& step) {
  const double at = progress.updated_at.value_or(checkpoint_);
  v1::StepProgressEvent* event = Add(at)->mutable_step_progress();
  event->mutable_step()->set_step_id(id);
  const StepStatus status =
      progress.completed_at.has_value()    ? StepStatus::kCompleted
      : step.status == StepStatus::kFailed ? StepStatus::kFailed
                                           : StepStatus::kRunning;
  event->set_status(std::string(StepStatusWord(status)));
  v1::StepProgress* told = event->mutable_progress();
  if (progress.completed) told->set_completed(*progress.completed);
  if (progress.total) told->set_total(*progress.total);
  if (progress.failed) told->set_failed(*progress.failed);
  if (progress.message) told->set_message(*progress.message);
  if (progress.artefact_namespace) {
    told->set_artefact_namespace(*progress.artefact_namespace);
  }
  if (progress.started_at) told->set_started_at(*progress.started_at);
  if (progress.completed_at) told->set_completed_at(*progress.completed_at);
  told->set_updated_at(at);
}

void Events::AddStep(const std::string& id, const LedgerProgress& progress) {
  static const LedgerStep* const kNew = new LedgerStep;
  const LedgerStep* found = previous_.steps.Find(id);
  const LedgerStep& step = found == nullptr ? *kNew : *found;
  const auto identify = [&](v1::StepIdentity* identity) {
    identity->set_step_id(id);
    if (progress.artefact_namespace) {
      identity->set_artefact_namespace(*progress.artefact_namespace);
    }
  };
  if (progress.started_at.has_value() && !step.started_at.has_value()) {
    identify(Add(*progress.started_at)->mutable_step_started()->mutable_step());
  }
  if (!progress.SaysTheSameAs(step.progress.value_or(LedgerProgress()))) {
    AddProgress(id, progress, step);
  }
  if (progress.completed_at.has_value() && !step.completed_at.has_value()) {
    identify(
        Add(*progress.completed_at)->mutable_step_completed()->mutable_step());
  }
}

void Events::AddEnd() {
  if (!IsTerminalStatus(status_) || IsTerminalStatus(previous_.status)) return;
  v1::LedgerEvent* event =
      Add(FirstTime(&LedgerProgress::completed_at, &LedgerStep::completed_at,
                    std::greater<double>()));
  const std::string result = patch_.result.value_or("");
  if (status_ == "completed") {
    event->mutable_run_completed()->set_result_json(result);
    return;
  }
  const auto fill = [&](auto* end) {
    end->set_result_json(result);
    if (patch_.error.has_value()) end->set_error(*patch_.error);
  };
  if (status_ == "cancelled") {
    fill(event->mutable_run_cancelled());
  } else {
    fill(event->mutable_run_failed());
  }
}

}  // namespace

RunPatch RunPatchFromJson(const JsonValue& json) {
  RunPatch patch;
  patch.run_id = StringOf(json, "runId").value_or("");
  patch.movie_id = StringOf(json, "movieId");
  if (const JsonValue* status = MemberOf(json, "status")) {
    // What is no text is no status.
    patch.status = status->is_string() ? status->string_value() : "";
  }
  patch.error = StringOf(json, "error");
  patch.result = JsonOf(json, "result");
  patch.runtime_backend = StringOf(json, "runtimeBackend");
  patch.last_checkpoint_at = NumberOf(json, "lastCheckpointAt");
  const JsonValue* logs = MemberOf(json, "liveLogs");
  if (logs != nullptr && logs->is_array()) {
    for (const JsonValue& line : logs->array()) {
      patch.live_logs.push_back(line.is_string() ? line.string_value() : "");
    }
  }
  patch.live_logs_channel_offset = NumberOf(json, "liveLogsChannelOffset");
  const JsonValue* steps = MemberOf(json, "liveNodeProgress");
  if (steps == nullptr || !steps->is_object()) return patch;
  for (const JsonMember& step : steps->object()) {
    if (IsBlankText(step.key) || !step.value.is_object()) continue;
    LedgerProgress progress = ReadProgress(step.value, TrimmedOf);
    patch.live_node_progress.emplace_back(step.key, std::move(progress));
  }
  return patch;
}

std::vector<PatchEvent> EventsOfPatch(const LedgerSnapshot& previous,
                                      const RunPatch& patch, double now) {
  return Events(previous, patch, now).Make();
}

}  // namespace kinora
