#include "services/runner/ledger/reported_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/reported_event.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/ledger/run_patch.h"
#include "services/runner/ledger/status_words.h"

namespace kinora {
namespace {

// What a ledger's file writes beside the members of an event.
constexpr absl::string_view kFraming[] = {"requestId", "requestEvents"};

LedgerInit InitOf(std::string run_id, std::string movie_id) {
  LedgerInit init;
  init.run_id = std::move(run_id);
  if (!movie_id.empty()) init.movie_id = std::move(movie_id);
  return init;
}

bool IsOfRun(const v1::LedgerEvent& event) {
  return event.has_run_created() || event.has_run_started() ||
         IsTerminal(event);
}

absl::string_view StatusOfEnd(const v1::LedgerEvent& event) {
  if (event.has_run_completed()) return "completed";
  return event.has_run_failed() ? "failed" : "cancelled";
}

absl::Status CheckSize(absl::string_view field, const v1::LedgerEvent& event) {
  const size_t size = event.ByteSizeLong();
  if (size <= kMaxReportedEventBytes) return absl::OkStatus();
  return InvalidField(
      field, absl::StrCat(size, " bytes"),
      absl::StrCat("an event has at most ", kMaxReportedEventBytes,
                   " bytes: send long logs in parts"));
}

// No log has so many lines. Who says so would leave no numbers for the lines of
// others: a ledger has none above 2^53.
absl::Status CheckLines(const v1::LogAppendedEvent& event) {
  const auto check = [](absl::string_view field, int64_t value) {
    if (value <= kMaxReportedPosition) return absl::OkStatus();
    return InvalidField(field, absl::StrCat(value),
                        absl::StrCat("must be at most ", kMaxReportedPosition));
  };
  KINORA_RETURN_IF_ERROR(
      check("log_appended.channel_offset", event.channel_offset()));
  return check("log_appended.first_seq", event.first_seq());
}

// Money and what a producer leaves for its next attempt are read back by
// whoever carries the run out.
absl::Status CheckStep(const v1::LedgerEvent& event) {
  const auto refuse = [](absl::string_view field, const v1::Cost& cost) {
    return InvalidField(field, absl::StrCat(cost.micros()),
                        "must not be set: only Kinora keeps a run's money");
  };
  if (event.step_started().has_reserved()) {
    return refuse("step_started.reserved", event.step_started().reserved());
  }
  if (event.step_completed().has_cost()) {
    return refuse("step_completed.cost", event.step_completed().cost());
  }
  if (event.step_failed().has_cost()) {
    return refuse("step_failed.cost", event.step_failed().cost());
  }
  const std::string& left = event.step_progress().heartbeat_details();
  if (!left.empty()) {
    return InvalidField("step_progress.heartbeat_details", left,
                        "must not be set: a producer leaves them");
  }
  return absl::OkStatus();
}

// The event is one object in the ledger, so the object must be read as the
// event again.
absl::Status CheckUnknown(const v1::LedgerEvent& event) {
  constexpr absl::string_view kField = "unknown.raw_json";
  const v1::UnknownLedgerEvent& unknown = event.unknown();
  const absl::StatusOr<JsonValue> raw = ParseJson(unknown.raw_json());
  if (!raw.ok()) return Annotate(raw.status(), kField);
  if (!raw->is_object()) {
    return InvalidField(kField, unknown.raw_json(), "must be an object");
  }
  const JsonValue* run_id = raw->Find("runId");
  if (run_id != nullptr && *run_id != JsonValue(event.run_id())) {
    return InvalidField(absl::StrCat(kField, ".runId"), ToJson(*run_id),
                        absl::StrCat("must be the event's, ", event.run_id()));
  }
  const JsonValue* type = raw->Find("type");
  if (type == nullptr || *type != JsonValue(unknown.type())) {
    return InvalidField(
        absl::StrCat(kField, ".type"), type == nullptr ? "" : ToJson(*type),
        absl::StrCat("must be unknown.type, \"", unknown.type(), "\""));
  }
  for (absl::string_view name : kFraming) {
    const JsonValue* value = raw->Find(name);
    if (value == nullptr) continue;
    return InvalidField(absl::StrCat(kField, ".", name), ToJson(*value),
                        "is a member that ledgers write themselves");
  }
  JsonObject object = raw->object();
  object.Set("runId", event.run_id());
  object.Set("occurredAt", 0);
  const absl::StatusOr<v1::LedgerEvent> read =
      LedgerEventFromJson(JsonValue(std::move(object)));
  if (!read.ok()) return Annotate(read.status(), kField);
  if (read->has_unknown()) return absl::OkStatus();
  return InvalidField("unknown.type", unknown.type(),
                      "is a known type: send it as such");
}

// REQUIRES: CheckUnknown() has taken it.
void WriteUnknown(v1::LedgerEvent* event) {
  JsonObject object = ParseJson(event->unknown().raw_json())->object();
  object.Set("runId", event->run_id());
  object.Set("source", LedgerSourceWord(event->source()));
  object.Set("occurredAt", event->occurred_at_ms());
  object.Remove("seq");
  object.Remove("crc32c");
  event->mutable_unknown()->set_raw_json(ToJson(JsonValue(std::move(object))));
}

}  // namespace

ReportedRun::ReportedRun(std::string run_id, std::string movie_id,
                         bool is_callers)
    : run_id_(run_id),
      is_callers_(is_callers),
      ingestion_(InitOf(std::move(run_id), std::move(movie_id))) {}

void ReportedRun::Recall(const v1::LedgerEvent& event) {
  if (!IsReported(event) && IsTerminal(event) && event.run_id() == run_id_) {
    ended_by_kinora_ = true;
  }
  ingestion_.Recall(event);
}

absl::StatusOr<std::vector<v1::LedgerEvent>> ReportedRun::Take(
    const v1::IngestLedgerEventsRequest& request, int64_t now_ms) const {
  if (!request.status_patch_json().empty() && request.events_size() > 0) {
    return InvalidField("status_patch_json", request.status_patch_json(),
                        "must not be set beside events");
  }
  if (request.events_size() > kMaxReportedEvents) {
    return InvalidField("events", absl::StrCat(request.events_size()),
                        absl::StrCat("must be at most ", kMaxReportedEvents));
  }
  KINORA_ASSIGN_OR_RETURN(Events taken,
                          request.status_patch_json().empty()
                              ? TakeEvents(request, now_ms)
                              : TakePatch(request.status_patch_json(), now_ms));
  for (v1::LedgerEvent& event : taken) {
    if (event.has_unknown()) WriteUnknown(&event);
  }
  return taken;
}

absl::StatusOr<std::vector<v1::LedgerEvent>> ReportedRun::TakeEvents(
    const v1::IngestLedgerEventsRequest& request, int64_t now_ms) const {
  Events events(request.events().begin(), request.events().end());
  for (size_t i = 0; i < events.size(); ++i) {
    v1::LedgerEvent& event = events[i];
    if (event.run_id().empty()) event.set_run_id(run_id_);
    if (!IsReported(event)) event.set_source(v1::LEDGER_SOURCE_EXTERNAL);
    const absl::Status status = MayBeSaid(event);
    if (!status.ok()) return Annotate(status, absl::StrCat("events[", i, "]"));
  }
  KINORA_ASSIGN_OR_RETURN(Events taken, ingestion_.Preview(events, now_ms));
  // Of those only; a request that is repeated is not refused for what it has
  // done before.
  for (const v1::LedgerEvent& event : taken) {
    KINORA_RETURN_IF_ERROR(CheckEnd(event));
  }
  taken.erase(std::remove_if(taken.begin(), taken.end(),
                             [this](const v1::LedgerEvent& event) {
                               return SaysNothingNew(event);
                             }),
              taken.end());
  return taken;
}

absl::StatusOr<std::vector<v1::LedgerEvent>> ReportedRun::TakePatch(
    const std::string& patch_json, int64_t now_ms) const {
  constexpr absl::string_view kField = "status_patch_json";
  const absl::StatusOr<JsonValue> json = ParseJson(patch_json);
  if (!json.ok()) return Annotate(json.status(), kField);
  if (!json->is_object()) {
    return InvalidField(kField, patch_json, "must be an object");
  }
  RunPatch patch = RunPatchFromJson(*json);
  const JsonValue* run_id = json->Find("runId");
  if (run_id == nullptr || run_id->is_null()) patch.run_id = run_id_;
  if (patch.live_logs_channel_offset.value_or(0) >
      static_cast<double>(kMaxReportedPosition)) {
    return InvalidField(absl::StrCat(kField, ".liveLogsChannelOffset"),
                        absl::StrCat(*patch.live_logs_channel_offset),
                        absl::StrCat("must be at most ", kMaxReportedPosition));
  }
  absl::StatusOr<Events> taken = ingestion_.PreviewPatch(patch, now_ms);
  if (!taken.ok()) return Annotate(taken.status(), kField);
  if (taken->size() > static_cast<size_t>(kMaxReportedEvents)) {
    return InvalidField(kField, absl::StrCat(taken->size(), " events"),
                        absl::StrCat("must say no more than ",
                                     kMaxReportedEvents, " events do"));
  }
  for (const v1::LedgerEvent& event : *taken) {
    KINORA_RETURN_IF_ERROR(CheckSize(kField, event));
  }
  if (is_callers_) return taken;
  const auto end = std::find_if(
      taken->begin(), taken->end(),
      [](const v1::LedgerEvent& event) { return IsTerminal(event); });
  if (end != taken->end()) {
    return InvalidField(absl::StrCat(kField, ".status"),
                        patch.status.value_or(""),
                        "the end of a run is said by the runner that carries "
                        "it out");
  }
  // That it has started, too; a document cannot leave that out.
  taken->erase(std::remove_if(taken->begin(), taken->end(),
                              [](const v1::LedgerEvent& event) {
                                return event.has_run_started();
                              }),
               taken->end());
  return taken;
}

absl::Status ReportedRun::MayBeSaid(const v1::LedgerEvent& event) const {
  if (event.has_job() || event.has_run_waiting() || event.has_run_resumed() ||
      event.has_run_budget()) {
    return InvalidField("kind", LedgerEventType(event),
                        "is said by Kinora alone");
  }
  if (!is_callers_ && IsOfRun(event)) {
    return InvalidField("kind", LedgerEventType(event),
                        "is said by the runner that carries the run out");
  }
  if (event.occurred_at_ms() > kMaxJsonInteger) {
    return InvalidField("occurred_at_ms", absl::StrCat(event.occurred_at_ms()),
                        "must be milliseconds since 1970");
  }
  KINORA_RETURN_IF_ERROR(CheckSize("event", event));
  if (event.has_unknown()) return CheckUnknown(event);
  KINORA_RETURN_IF_ERROR(CheckLines(event.log_appended()));
  return CheckStep(event);
}

absl::Status ReportedRun::CheckEnd(const v1::LedgerEvent& event) const {
  const std::string& status = ingestion_.snapshot().status;
  if (!ended_by_kinora_ || !IsTerminal(event) || StatusOfEnd(event) == status) {
    return absl::OkStatus();
  }
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          LedgerEventType(event), ": run ", run_id_, " has ended as ", status)),
      "RUN_TERMINAL", {{"run", run_id_}});
}

bool ReportedRun::SaysNothingNew(const v1::LedgerEvent& event) const {
  const LedgerSnapshot& now = ingestion_.snapshot();
  if (IsTerminal(event)) return StatusOfEnd(event) == now.status;
  return event.has_run_started() && now.started_at.has_value() &&
         (now.status == "running" || IsTerminalStatus(now.status));
}

}  // namespace kinora
