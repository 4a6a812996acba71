#include "common/json/ledger_json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "common/utf8.h"

namespace kinora {
namespace {

using v1::LedgerEvent;

// Writes members into an object. Every method leaves out what has no value.
class Members {
 public:
  void Text(absl::string_view key, const std::string& value) {
    if (!value.empty()) Always(key, value);
  }
  void Always(absl::string_view key, const std::string& value) {
    out_.Add(key, JsonValue(Clean(value)));
  }
  void Integer(absl::string_view key, int64_t value) {
    // The client that sends 2^60 gets the nearest number that JSON can hold.
    out_.Add(key,
             JsonValue(std::clamp(value, -kMaxJsonInteger, kMaxJsonInteger)));
  }
  void Count(absl::string_view key, uint32_t value) {
    if (value != 0) Integer(key, value);
  }
  void Double(absl::string_view key, double value) {
    if (std::isfinite(value)) out_.Add(key, JsonValue(value));
  }
  void Flag(absl::string_view key, bool value) {
    if (value) out_.Add(key, JsonValue(true));
  }
  void Json(absl::string_view key, const std::string& text) {
    if (text.empty()) return;
    absl::StatusOr<JsonValue> value = ParseJson(text);
    if (value.ok()) out_.Add(key, *std::move(value));
  }
  void Money(absl::string_view key, const v1::Cost& cost) {
    out_.Add(key, CostToJson(cost));
  }
  void Value(absl::string_view key, JsonValue value) {
    out_.Add(key, std::move(value));
  }
  JsonObject Take() { return std::move(out_); }

  static std::string Clean(const std::string& text) {
    if (IsValidUtf8(text)) return text;
    std::string clean;
    absl::string_view rest = text;
    while (!rest.empty()) {
      size_t valid = ValidUtf8Prefix(rest);
      clean.append(rest.data(), valid);
      rest.remove_prefix(valid);
      if (rest.empty()) break;
      AppendUtf8(0xFFFD, &clean);
      rest.remove_prefix(1);
    }
    return clean;
  }

 private:
  JsonObject out_;
};

void PutStep(const v1::StepIdentity& step, Members* out) {
  out->Always("stepId", step.step_id());
  if (step.has_label()) out->Always("label", step.label());
  if (step.has_kind()) out->Always("kind", step.kind());
  if (step.has_artefact_namespace()) {
    out->Always("artefactNamespace", step.artefact_namespace());
  }
}

JsonValue ProgressToJson(const v1::StepProgress& p) {
  Members out;
  if (p.has_completed()) out.Double("completed", p.completed());
  if (p.has_total()) out.Double("total", p.total());
  if (p.has_failed()) out.Double("failed", p.failed());
  if (p.has_message()) out.Always("message", p.message());
  if (p.has_artefact_namespace()) {
    out.Always("artefactNamespace", p.artefact_namespace());
  }
  if (p.has_started_at()) out.Double("startedAt", p.started_at());
  if (p.has_completed_at()) out.Double("completedAt", p.completed_at());
  if (p.has_updated_at()) out.Double("updatedAt", p.updated_at());
  return JsonValue(out.Take());
}

template <typename Terminal>
void PutTerminal(const Terminal& event, Members* out) {
  if (event.has_error()) out->Always("error", event.error());
  out->Json("result", event.result_json());
}

void PutLog(const v1::LogAppendedEvent& e, Members* out) {
  JsonArray lines;
  for (const std::string& line : e.lines()) {
    lines.push_back(JsonValue(Members::Clean(line)));
  }
  out->Value("lines", JsonValue(std::move(lines)));
  if (e.has_first_seq()) out->Integer("firstSeq", e.first_seq());
  if (e.has_channel_offset()) out->Integer("channelOffset", e.channel_offset());
  out->Flag("logsTruncated", e.logs_truncated());
  out->Text("channel", e.channel());
}

void PutKind(const LedgerEvent& event, Members* out) {
  switch (event.kind_case()) {
    case LedgerEvent::kRunCreated: {
      const v1::RunCreatedEvent& e = event.run_created();
      if (e.has_movie_id()) out->Always("movieId", e.movie_id());
      if (e.has_status()) out->Always("status", e.status());
      if (e.has_runtime_backend()) {
        out->Always("runtimeBackend", e.runtime_backend());
      }
      return;
    }
    case LedgerEvent::kRunStarted: {
      const v1::RunStartedEvent& e = event.run_started();
      if (e.has_movie_id()) out->Always("movieId", e.movie_id());
      if (e.has_runtime_backend()) {
        out->Always("runtimeBackend", e.runtime_backend());
      }
      return;
    }
    case LedgerEvent::kRunCompleted:
      out->Json("result", event.run_completed().result_json());
      out->Json("resultSummary", event.run_completed().result_summary_json());
      return;
    case LedgerEvent::kRunFailed:
      return PutTerminal(event.run_failed(), out);
    case LedgerEvent::kRunCancelled:
      return PutTerminal(event.run_cancelled(), out);
    case LedgerEvent::kRunWaiting:
      out->Text("reason", event.run_waiting().reason());
      out->Text("message", event.run_waiting().message());
      out->Text("producer", event.run_waiting().producer());
      if (event.run_waiting().until_ms() != 0) {
        out->Integer("untilMs", event.run_waiting().until_ms());
      }
      return out->Flag("requested", event.run_waiting().requested());
    case LedgerEvent::kRunResumed:
      out->Text("reason", event.run_resumed().reason());
      out->Text("producer", event.run_resumed().producer());
      return out->Flag("requested", event.run_resumed().requested());
    case LedgerEvent::kRunBudget:
      if (event.run_budget().has_cap()) {
        out->Money("cap", event.run_budget().cap());
      }
      return;
    case LedgerEvent::kStepStarted:
      PutStep(event.step_started().step(), out);
      out->Count("attempt", event.step_started().attempt());
      out->Text("inputsHash", event.step_started().inputs_hash());
      if (event.step_started().has_reserved()) {
        out->Money("reserved", event.step_started().reserved());
      }
      return;
    case LedgerEvent::kStepProgress: {
      const v1::StepProgressEvent& e = event.step_progress();
      PutStep(e.step(), out);
      if (e.has_status()) out->Always("status", e.status());
      if (e.has_progress()) {
        out->Value("progress", ProgressToJson(e.progress()));
      }
      out->Text("heartbeatDetails", absl::Base64Escape(e.heartbeat_details()));
      return;
    }
    case LedgerEvent::kStepCompleted:
      PutStep(event.step_completed().step(), out);
      out->Count("attempt", event.step_completed().attempt());
      if (event.step_completed().has_cost()) {
        out->Money("cost", event.step_completed().cost());
      }
      return;
    case LedgerEvent::kStepFailed: {
      const v1::StepFailedEvent& e = event.step_failed();
      PutStep(e.step(), out);
      if (e.has_error()) out->Always("error", e.error());
      out->Count("attempt", e.attempt());
      if (e.has_cost()) out->Money("cost", e.cost());
      return;
    }
    case LedgerEvent::kStepSkipped:
      PutStep(event.step_skipped().step(), out);
      out->Text("reason", event.step_skipped().reason());
      return out->Text("blockedBy", event.step_skipped().blocked_by());
    case LedgerEvent::kLogAppended:
      return PutLog(event.log_appended(), out);
    case LedgerEvent::kArtefactsSummaryUpdated: {
      const v1::ArtefactsSummaryUpdatedEvent& e =
          event.artefacts_summary_updated();
      out->Text("namespace", e.namespace_());
      out->Text("deltaCursor", e.delta_cursor());
      return out->Json("summary", e.summary_json());
    }
    case LedgerEvent::kJob:
      out->Text("jobId", event.job().job_id());
      out->Text("message", event.job().message());
      return out->Json("detail", event.job().detail_json());
    case LedgerEvent::kUnknown:
    case LedgerEvent::KIND_NOT_SET:
      return;
  }
}

}  // namespace

absl::string_view LedgerSourceWord(v1::LedgerSource source) {
  switch (source) {
    case v1::LEDGER_SOURCE_WORKER:
      return "worker";
    case v1::LEDGER_SOURCE_COORDINATOR:
      return "coordinator";
    case v1::LEDGER_SOURCE_SYSTEM:
      return "system";
    case v1::LEDGER_SOURCE_EXTERNAL:
      return "external";
    default:
      return "";
  }
}

JsonValue CostToJson(const v1::Cost& cost) {
  Members out;
  out.Text("currencyCode", cost.currency_code());
  out.Integer("micros", cost.micros());
  return JsonValue(out.Take());
}

v1::Cost CostInDetail(const JsonValue& detail, absl::string_view name) {
  v1::Cost cost;
  const JsonValue* value = detail.Find(name);
  if (value == nullptr || !value->is_object()) return cost;
  const JsonValue* currency = value->Find("currencyCode");
  const JsonValue* micros = value->Find("micros");
  if (currency != nullptr && currency->is_string()) {
    cost.set_currency_code(currency->string_value());
  }
  if (micros != nullptr) cost.set_micros(micros->integer_value().value_or(0));
  return cost;
}

std::string LedgerEventType(const v1::LedgerEvent& event) {
  switch (event.kind_case()) {
    case LedgerEvent::kRunCreated:
      return "run.created";
    case LedgerEvent::kRunStarted:
      return "run.started";
    case LedgerEvent::kRunCompleted:
      return "run.completed";
    case LedgerEvent::kRunFailed:
      return "run.failed";
    case LedgerEvent::kRunCancelled:
      return "run.cancelled";
    case LedgerEvent::kRunWaiting:
      return "run.waiting";
    case LedgerEvent::kRunResumed:
      return "run.resumed";
    case LedgerEvent::kRunBudget:
      return "run.budget";
    case LedgerEvent::kStepStarted:
      return "step.started";
    case LedgerEvent::kStepProgress:
      return "step.progress";
    case LedgerEvent::kStepCompleted:
      return "step.completed";
    case LedgerEvent::kStepFailed:
      return "step.failed";
    case LedgerEvent::kStepSkipped:
      return "step.skipped";
    case LedgerEvent::kLogAppended:
      return "log.appended";
    case LedgerEvent::kArtefactsSummaryUpdated:
      return "artefacts.summary.updated";
    case LedgerEvent::kJob:
      return absl::StrCat("job.", event.job().type());
    case LedgerEvent::kUnknown:
      return event.unknown().type();
    case LedgerEvent::KIND_NOT_SET:
      return "";
  }
  return "";
}

JsonValue LedgerEventToJson(const v1::LedgerEvent& event) {
  if (event.has_unknown()) {
    absl::StatusOr<JsonValue> raw = ParseJson(event.unknown().raw_json());
    if (raw.ok() && raw->is_object()) return *std::move(raw);
  }
  Members out;
  out.Always("runId", event.run_id());
  out.Text("source", std::string(LedgerSourceWord(event.source())));
  out.Integer("occurredAt", event.occurred_at_ms());
  out.Always("type", LedgerEventType(event));
  PutKind(event, &out);
  return JsonValue(out.Take());
}

}  // namespace kinora
