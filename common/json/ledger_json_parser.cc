// LedgerEventFromJson(); the other direction is in ledger_json.cc.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"

#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/status.h"

namespace kinora {
namespace {

using v1::LedgerEvent;

// Reads members of an object and keeps the first error.
class Reader {
 public:
  explicit Reader(const JsonObject& object) : object_(object) {}

  // The member's value; null if it is missing or null.
  const JsonValue* Find(absl::string_view key) const {
    const JsonValue* value = object_.Find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  // Each calls `set` with the member's value if there is one.
  template <typename Set>
  void Text(absl::string_view key, Set set) {
    const JsonValue* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(key, *value, "must be text");
    set(value->string_value());
  }
  template <typename Set>
  void Number(absl::string_view key, Set set) {
    const JsonValue* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_number()) return Fail(key, *value, "must be a number");
    set(value->number_value());
  }
  template <typename Set>
  void Integer(absl::string_view key, Set set) {
    const JsonValue* value = Find(key);
    if (value == nullptr) return;
    std::optional<int64_t> integer = value->integer_value();
    if (!integer.has_value()) {
      return Fail(key, *value, "must be a whole number up to 2^53");
    }
    set(*integer);
  }
  template <typename Set>
  void Count(absl::string_view key, Set set) {
    Integer(key, [&](int64_t value) {
      if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
        return Fail(key, JsonValue(value), "must be in 0 to 2^32-1");
      }
      set(static_cast<uint32_t>(value));
    });
  }
  template <typename Set>
  void Flag(absl::string_view key, Set set) {
    const JsonValue* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_bool()) return Fail(key, *value, "must be true or false");
    set(value->bool_value());
  }
  template <typename Set>
  void Json(absl::string_view key, Set set) {
    const JsonValue* value = Find(key);
    if (value != nullptr) set(ToJson(*value));
  }

  void Fail(absl::string_view key, const JsonValue& value,
            absl::string_view why) {
    if (status_.ok()) status_ = InvalidField(key, ToJson(value), why);
  }
  void Missing(absl::string_view key) {
    if (status_.ok()) status_ = InvalidField(key, "", "is required");
  }

  const absl::Status& status() const { return status_; }

 private:
  const JsonObject& object_;
  absl::Status status_;
};

// Sets a text field of a message, whose setter takes a std::string.
#define KINORA_SET(message, field) \
  [&](const auto& value) { (message)->set_##field(value); }

void GetStep(Reader* in, v1::StepIdentity* step) {
  if (in->Find("stepId") == nullptr) in->Missing("stepId");
  in->Text("stepId", KINORA_SET(step, step_id));
  in->Text("label", KINORA_SET(step, label));
  in->Text("kind", KINORA_SET(step, kind));
  in->Text("artefactNamespace", KINORA_SET(step, artefact_namespace));
}

// Calls `mutable_cost` for the cost to fill in, if there is one.
template <typename Mutable>
void GetMoney(Reader* in, absl::string_view key, Mutable mutable_cost) {
  const JsonValue* value = in->Find(key);
  if (value == nullptr) return;
  if (!value->is_object()) return in->Fail(key, *value, "must be an object");
  Reader members(value->object());
  v1::Cost* cost = mutable_cost();
  members.Text("currencyCode", KINORA_SET(cost, currency_code));
  members.Integer("micros", KINORA_SET(cost, micros));
  if (!members.status().ok()) {
    in->Fail(key, *value, members.status().message());
  }
}

void GetProgress(Reader* in, v1::StepProgress* progress) {
  in->Number("completed", KINORA_SET(progress, completed));
  in->Number("total", KINORA_SET(progress, total));
  in->Number("failed", KINORA_SET(progress, failed));
  in->Text("message", KINORA_SET(progress, message));
  in->Text("artefactNamespace", KINORA_SET(progress, artefact_namespace));
  in->Number("startedAt", KINORA_SET(progress, started_at));
  in->Number("completedAt", KINORA_SET(progress, completed_at));
  in->Number("updatedAt", KINORA_SET(progress, updated_at));
}

void GetHeartbeatDetails(Reader* in, v1::StepProgressEvent* e) {
  const absl::string_view key = "heartbeatDetails";
  in->Text(key, [&](const std::string& text) {
    if (!absl::Base64Unescape(text, e->mutable_heartbeat_details())) {
      in->Fail(key, JsonValue(text), "must be bytes in Base64");
    }
  });
}

void GetStepProgress(Reader* in, v1::StepProgressEvent* e) {
  GetHeartbeatDetails(in, e);
  GetStep(in, e->mutable_step());
  in->Text("status", KINORA_SET(e, status));
  const JsonValue* progress = in->Find("progress");
  if (progress == nullptr) return;
  if (!progress->is_object()) {
    return in->Fail("progress", *progress, "must be an object");
  }
  Reader members(progress->object());
  GetProgress(&members, e->mutable_progress());
  if (!members.status().ok()) {
    in->Fail("progress", *progress, members.status().message());
  }
}

template <typename Terminal>
void GetTerminal(Reader* in, Terminal* e) {
  in->Text("error", KINORA_SET(e, error));
  in->Json("result", KINORA_SET(e, result_json));
}

void GetLog(Reader* in, v1::LogAppendedEvent* e) {
  if (const JsonValue* lines = in->Find("lines"); lines != nullptr) {
    if (!lines->is_array()) return in->Fail("lines", *lines, "must be a list");
    for (const JsonValue& line : lines->array()) {
      if (!line.is_string()) return in->Fail("lines", line, "must hold texts");
      e->add_lines(line.string_value());
    }
  }
  in->Integer("firstSeq", KINORA_SET(e, first_seq));
  in->Integer("channelOffset", KINORA_SET(e, channel_offset));
  in->Flag("logsTruncated", KINORA_SET(e, logs_truncated));
  in->Text("channel", KINORA_SET(e, channel));
}

// Text here, but some sources count.
void GetCursor(Reader* in, v1::ArtefactsSummaryUpdatedEvent* e) {
  const JsonValue* cursor = in->Find("deltaCursor");
  if (cursor != nullptr && cursor->is_number()) {
    e->set_delta_cursor(ToJson(*cursor));
  } else {
    in->Text("deltaCursor", KINORA_SET(e, delta_cursor));
  }
}

void GetUnknown(const JsonObject& object, absl::string_view type,
                v1::UnknownLedgerEvent* e) {
  JsonObject raw = object;
  raw.Remove("seq");
  raw.Remove("crc32c");
  e->set_type(std::string(type));
  e->set_raw_json(ToJson(JsonValue(std::move(raw))));
}

void GetRunKind(absl::string_view type, Reader* in, LedgerEvent* event) {
  if (type == "run.created") {
    v1::RunCreatedEvent* e = event->mutable_run_created();
    in->Text("movieId", KINORA_SET(e, movie_id));
    in->Text("status", KINORA_SET(e, status));
    in->Text("runtimeBackend", KINORA_SET(e, runtime_backend));
  } else if (type == "run.started") {
    v1::RunStartedEvent* e = event->mutable_run_started();
    in->Text("movieId", KINORA_SET(e, movie_id));
    in->Text("runtimeBackend", KINORA_SET(e, runtime_backend));
  } else if (type == "run.completed") {
    v1::RunCompletedEvent* e = event->mutable_run_completed();
    in->Json("result", KINORA_SET(e, result_json));
    in->Json("resultSummary", KINORA_SET(e, result_summary_json));
  } else if (type == "run.failed") {
    GetTerminal(in, event->mutable_run_failed());
  } else if (type == "run.cancelled") {
    GetTerminal(in, event->mutable_run_cancelled());
  } else if (type == "run.waiting") {
    v1::RunWaitingEvent* e = event->mutable_run_waiting();
    in->Text("reason", KINORA_SET(e, reason));
    in->Text("message", KINORA_SET(e, message));
    in->Text("producer", KINORA_SET(e, producer));
    in->Integer("untilMs", KINORA_SET(e, until_ms));
    in->Flag("requested", KINORA_SET(e, requested));
  } else if (type == "run.resumed") {
    v1::RunResumedEvent* e = event->mutable_run_resumed();
    in->Text("reason", KINORA_SET(e, reason));
    in->Text("producer", KINORA_SET(e, producer));
    in->Flag("requested", KINORA_SET(e, requested));
  } else if (type == "run.budget") {
    v1::RunBudgetEvent* e = event->mutable_run_budget();
    GetMoney(in, "cap", [e] { return e->mutable_cap(); });
  }
}

void GetStepKind(absl::string_view type, Reader* in, LedgerEvent* event) {
  if (type == "step.started") {
    v1::StepStartedEvent* e = event->mutable_step_started();
    GetStep(in, e->mutable_step());
    in->Count("attempt", KINORA_SET(e, attempt));
    in->Text("inputsHash", KINORA_SET(e, inputs_hash));
    GetMoney(in, "reserved", [e] { return e->mutable_reserved(); });
  } else if (type == "step.progress") {
    GetStepProgress(in, event->mutable_step_progress());
  } else if (type == "step.completed") {
    v1::StepCompletedEvent* e = event->mutable_step_completed();
    GetStep(in, e->mutable_step());
    in->Count("attempt", KINORA_SET(e, attempt));
    GetMoney(in, "cost", [e] { return e->mutable_cost(); });
  } else if (type == "step.failed") {
    v1::StepFailedEvent* e = event->mutable_step_failed();
    GetStep(in, e->mutable_step());
    in->Text("error", KINORA_SET(e, error));
    in->Count("attempt", KINORA_SET(e, attempt));
    GetMoney(in, "cost", [e] { return e->mutable_cost(); });
  } else if (type == "step.skipped") {
    v1::StepSkippedEvent* e = event->mutable_step_skipped();
    GetStep(in, e->mutable_step());
    in->Text("reason", KINORA_SET(e, reason));
    in->Text("blockedBy", KINORA_SET(e, blocked_by));
  }
}

void GetOtherKind(absl::string_view type, Reader* in, LedgerEvent* event) {
  if (type == "log.appended") {
    GetLog(in, event->mutable_log_appended());
  } else if (type == "artefacts.summary.updated") {
    v1::ArtefactsSummaryUpdatedEvent* e =
        event->mutable_artefacts_summary_updated();
    in->Text("namespace", KINORA_SET(e, namespace_));
    GetCursor(in, e);
    in->Json("summary", KINORA_SET(e, summary_json));
  } else if (absl::ConsumePrefix(&type, "job.")) {
    v1::JobEvent* e = event->mutable_job();
    e->set_type(std::string(type));
    in->Text("jobId", KINORA_SET(e, job_id));
    in->Text("message", KINORA_SET(e, message));
    in->Json("detail", KINORA_SET(e, detail_json));
  }
}

#undef KINORA_SET

}  // namespace

// Any other word says nothing: the source has no effect on the reduction.
v1::LedgerSource LedgerSourceOf(absl::string_view word) {
  if (word == "worker") return v1::LEDGER_SOURCE_WORKER;
  if (word == "coordinator") return v1::LEDGER_SOURCE_COORDINATOR;
  if (word == "system") return v1::LEDGER_SOURCE_SYSTEM;
  if (word == "external") return v1::LEDGER_SOURCE_EXTERNAL;
  return v1::LEDGER_SOURCE_UNSPECIFIED;
}

absl::StatusOr<v1::LedgerEvent> LedgerEventFromJson(const JsonValue& json) {
  if (!json.is_object()) {
    return InvalidField("event", ToJson(json), "must be an object");
  }
  Reader in(json.object());
  LedgerEvent event;
  std::string type;
  for (absl::string_view key : {"runId", "occurredAt", "type"}) {
    if (in.Find(key) == nullptr) in.Missing(key);
  }
  in.Text("runId", [&](const std::string& id) { event.set_run_id(id); });
  in.Text("type", [&](const std::string& text) { type = text; });
  in.Number("occurredAt", [&](double ms) {
    const double limit = static_cast<double>(kMaxJsonInteger);
    event.set_occurred_at_ms(
        static_cast<int64_t>(std::clamp(ms, -limit, limit)));
  });
  in.Text("source", [&](const std::string& text) {
    event.set_source(LedgerSourceOf(text));
  });
  if (!in.status().ok()) return in.status();

  GetRunKind(type, &in, &event);
  GetStepKind(type, &in, &event);
  GetOtherKind(type, &in, &event);
  if (!in.status().ok()) return Annotate(in.status(), type);
  if (event.kind_case() == LedgerEvent::KIND_NOT_SET) {
    GetUnknown(json.object(), type, event.mutable_unknown());
  }
  return event;
}

}  // namespace kinora
