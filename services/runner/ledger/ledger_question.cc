#include "services/runner/ledger/ledger_question.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/status.h"
#include "services/runner/ledger/json_members.h"
#include "services/runner/ledger/log_lines.h"
#include "services/runner/ledger/reduce.h"
#include "services/runner/ledger/run_patch.h"
#include "services/runner/ledger/snapshot_json.h"

namespace kinora {
namespace {

using Type = JsonValue::Type;

absl::Status WrongType(absl::string_view name, const JsonValue& value,
                       Type type) {
  return InvalidField(name, ToJson(value),
                      absl::StrCat("must be of type ", JsonTypeName(type)));
}

// `of` is what errors call the object that the member is of.
absl::StatusOr<const JsonValue*> Required(const JsonValue& object,
                                          absl::string_view name, Type type,
                                          absl::string_view of = "") {
  const JsonValue* value = MemberOf(object, name);
  const std::string path = absl::StrCat(of, name);
  if (value == nullptr) return InvalidField(path, "", "is required");
  if (value->type() != type) return WrongType(path, *value, type);
  return value;
}

absl::StatusOr<LedgerSnapshot> BeginningOf(const JsonValue& question) {
  if (MemberOf(question, "snapshot") != nullptr) {
    KINORA_ASSIGN_OR_RETURN(const JsonValue* snapshot,
                            Required(question, "snapshot", Type::kObject));
    return SnapshotFromJson(*snapshot);
  }
  KINORA_ASSIGN_OR_RETURN(const JsonValue* initial,
                          Required(question, "initial", Type::kObject));
  return EmptySnapshot(LedgerInitFromJson(*initial));
}

absl::StatusOr<std::string> AnswerReduce(const JsonValue& question) {
  KINORA_ASSIGN_OR_RETURN(LedgerSnapshot snapshot, BeginningOf(question));
  KINORA_ASSIGN_OR_RETURN(const JsonValue* events,
                          Required(question, "events", Type::kArray));
  size_t i = 0;
  for (const JsonValue& event : events->array()) {
    if (!event.is_object()) {
      return WrongType(absl::StrCat("events[", i, "]"), event, Type::kObject);
    }
    Reduce(ViewOf(event), &snapshot);
    ++i;
  }
  return SnapshotToJson(snapshot);
}

absl::StatusOr<std::string> AnswerNormalize(const JsonValue& question) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue* fallback,
                          Required(question, "fallback", Type::kObject));
  const JsonValue* value = question.Find("value");
  return SnapshotToJson(NormalizedSnapshot(
      value == nullptr ? JsonValue() : *value, LedgerInitFromJson(*fallback)));
}

absl::StatusOr<std::string> AnswerPatch(const JsonValue& question) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue* previous,
                          Required(question, "previous", Type::kObject));
  KINORA_ASSIGN_OR_RETURN(const JsonValue* patch,
                          Required(question, "patch", Type::kObject));
  KINORA_ASSIGN_OR_RETURN(const JsonValue* now,
                          Required(question, "now", Type::kNumber));
  JsonArray events;
  for (const PatchEvent& told :
       EventsOfPatch(SnapshotFromJson(*previous), RunPatchFromJson(*patch),
                     now->number_value())) {
    JsonValue event = LedgerEventToJson(told.event);
    event.object().Set("occurredAt", told.occurred_at);
    if (told.channel_offset.has_value()) {
      event.object().Set("channelOffset", *told.channel_offset);
    }
    events.push_back(std::move(event));
  }
  return ToJson(JsonValue(std::move(events)));
}

absl::StatusOr<std::string> AnswerSlice(const JsonValue& question) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue* input,
                          Required(question, "input", Type::kObject));
  // Without lines nothing is unsent.
  if (MemberOf(*input, "bufferLines") == nullptr) return std::string("null");
  KINORA_ASSIGN_OR_RETURN(
      const JsonValue* lines,
      Required(*input, "bufferLines", Type::kArray, "input."));
  LogBuffer buffer;
  for (const JsonValue& line : lines->array()) {
    if (!line.is_string()) {
      return WrongType("input.bufferLines", line, Type::kString);
    }
    buffer.lines.push_back(line.string_value());
  }
  buffer.total_count = NumberOf(*input, "bufferTotalCount").value_or(0);
  buffer.sent_count = NumberOf(*input, "sentCount").value_or(0);
  const std::optional<LogSlice> slice = UnsentLines(buffer);
  if (!slice.has_value()) return std::string("null");
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject().Key("lines").BeginArray();
  for (const std::string& line : slice->lines) json.String(line);
  json.EndArray();
  json.Key("channelOffset").Double(slice->channel_offset).EndObject();
  return answer;
}

}  // namespace

absl::StatusOr<std::string> AnswerLedgerQuestion(absl::string_view kind,
                                                 const JsonValue& question) {
  if (!question.is_object()) {
    return WrongType("question", question, Type::kObject);
  }
  if (const JsonValue* told = MemberOf(question, "kind");
      told != nullptr && TextOf(question, "kind") != kind) {
    return InvalidField("kind", ToJson(*told), absl::StrCat("must be ", kind));
  }
  if (kind == "reduce") return AnswerReduce(question);
  if (kind == "normalize") return AnswerNormalize(question);
  if (kind == "patch") return AnswerPatch(question);
  if (kind == "slice") return AnswerSlice(question);
  return absl::InvalidArgumentError(
      absl::StrCat("no question to the ledger is called ", kind));
}

}  // namespace kinora
