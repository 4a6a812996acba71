#include "services/store/event/event_json.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/event_reader.h"
#include "services/store/event/event_writer.h"

namespace kinora {
namespace {

// One allocation for most events, and little memory for nothing.
constexpr size_t kUsualBodyBytes = 512;

constexpr absl::string_view kRequestId = "requestId";
constexpr absl::string_view kRequestEvents = "requestEvents";
constexpr absl::string_view kPayloads[] = {"input", "artefact",
                                           "revisionCommitted", "ledger"};

// An event of a newer build: its envelope alone, if it allows that.
bool KeepEnvelope(JsonValue* json) {
  const JsonValue* ignore = json->Find("readerMayIgnore");
  if (ignore == nullptr || !ignore->is_bool() || !ignore->bool_value()) {
    return false;
  }
  JsonObject envelope;
  for (absl::string_view member : {"time", "revision", "readerMayIgnore"}) {
    const JsonValue* value = json->Find(member);
    if (value != nullptr) envelope.Add(member, *value);
  }
  for (absl::string_view payload : kPayloads) {
    if (json->Find(payload) != nullptr) return false;  // known, but damaged
  }
  *json = JsonValue(std::move(envelope));
  return true;
}

// A ledger's line has the time in the event.
void SetTime(v1::Event* event) {
  *event->mutable_time() =
      ToTimestamp(absl::FromUnixMillis(event->ledger().occurred_at_ms()));
}

absl::StatusOr<v1::Event> ParseBody(v1::LogKind kind, JsonValue json) {
  v1::Event event;
  if (kind == v1::LOG_KIND_LEDGER) {
    KINORA_ASSIGN_OR_RETURN(*event.mutable_ledger(), LedgerEventFromJson(json));
    SetTime(&event);
    return event;
  }
  absl::Status parsed = JsonToProto(json, &event);
  if (!parsed.ok() && KeepEnvelope(&json)) parsed = JsonToProto(json, &event);
  KINORA_RETURN_IF_ERROR(parsed);
  return event;
}

// Appends `,"key":`.
void AppendMember(absl::string_view key, std::string* out) {
  absl::StrAppend(out, ",\"", key, "\":");
}

}  // namespace

std::string EventToBody(const v1::Event& event, const RequestMark* mark) {
  std::string body;
  body.reserve(kUsualBodyBytes);
  body.push_back('{');
  if (event.has_ledger() ? AppendLedgerMembers(event.ledger(), &body)
                         : AppendEventMembers(event, &body)) {
    if (mark != nullptr) {
      AppendMember(kRequestId, &body);
      AppendJsonString(mark->request_id, &body);
      if (mark->events > 1) {
        AppendMember(kRequestEvents, &body);
        absl::StrAppend(&body, mark->events);
      }
    }
    body.push_back('}');
    return body;
  }
  JsonValue json = event.has_ledger() ? LedgerEventToJson(event.ledger())
                                      : ProtoToJson(event);
  if (mark != nullptr) {
    json.object().Set(kRequestId, mark->request_id);
    if (mark->events > 1) json.object().Set(kRequestEvents, mark->events);
  }
  return ToJson(json);
}

absl::StatusOr<v1::Event> EventFromRecord(absl::string_view log,
                                          v1::LogKind kind,
                                          const LogRecord& record) {
  v1::Event usual;
  if (kind != v1::LOG_KIND_LEDGER) {
    if (ReadEventLine(record.line, &usual)) {
      usual.set_sequence(record.sequence);
      return usual;
    }
  } else if (ReadLedgerLine(record.line, usual.mutable_ledger())) {
    SetTime(&usual);
    usual.set_sequence(record.sequence);
    return usual;
  }
  absl::StatusOr<JsonValue> json = ParseJson(record.line);
  absl::Status status = json.status();
  if (status.ok() && !json->is_object()) {
    status = absl::DataLossError("is not a JSON object");
  }
  if (status.ok()) {
    for (absl::string_view framing :
         {absl::string_view("seq"), absl::string_view("crc32c"), kRequestId,
          kRequestEvents}) {
      json->object().Remove(framing);
    }
    absl::StatusOr<v1::Event> event = ParseBody(kind, *std::move(json));
    if (event.ok()) {
      event->set_sequence(record.sequence);
      return event;
    }
    status = event.status();
  }
  return DataCorrupt(absl::StrCat(log, " event ", record.sequence),
                     status.message());
}

std::optional<RequestMark> RequestMarkOf(absl::string_view line) {
  // Most lines have none: look before parsing.
  if (!absl::StrContains(line, kRequestId)) return std::nullopt;
  absl::StatusOr<JsonValue> json = ParseJson(line);
  if (!json.ok()) return std::nullopt;
  const JsonValue* id = json->Find(kRequestId);
  if (id == nullptr || !id->is_string()) return std::nullopt;
  RequestMark mark;
  mark.request_id = id->string_value();
  const JsonValue* events = json->Find(kRequestEvents);
  if (events != nullptr) mark.events = events->integer_value().value_or(1);
  return mark;
}

}  // namespace kinora
