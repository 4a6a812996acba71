#include "services/store/checkpoint/checkpoint_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/status.h"
#include "services/store/event/log_line.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

constexpr int64_t kFormatVersion = 1;
constexpr absl::string_view kEventsMember = ",\"events\":[\n";
constexpr absl::string_view kEnd = "\n]";

absl::StatusOr<int64_t> NumberIn(const JsonValue& json,
                                 absl::string_view member) {
  const JsonValue* value = json.Find(member);
  if (value == nullptr || value->integer_value().value_or(-1) < 0) {
    return absl::DataLossError(absl::StrCat(member, " must be a number"));
  }
  return *value->integer_value();
}

absl::StatusOr<std::string> TextIn(const JsonValue& json,
                                   absl::string_view member) {
  const JsonValue* value = json.Find(member);
  if (value == nullptr || !value->is_string()) {
    return absl::DataLossError(absl::StrCat(member, " must be a string"));
  }
  return value->string_value();
}

absl::StatusOr<CheckpointInfo> ParseInfo(absl::string_view head) {
  absl::StatusOr<JsonValue> json = ParseJson(head);
  if (!json.ok()) return absl::DataLossError(json.status().message());
  KINORA_ASSIGN_OR_RETURN(const int64_t version,
                          NumberIn(*json, "formatVersion"));
  if (version != kFormatVersion) {
    return absl::DataLossError(absl::StrCat(
        "has format version ", version, ", this build reads ", kFormatVersion));
  }
  CheckpointInfo info;
  KINORA_ASSIGN_OR_RETURN(info.revision, TextIn(*json, "revision"));
  KINORA_ASSIGN_OR_RETURN(info.inputs_through,
                          NumberIn(*json, "inputsThrough"));
  KINORA_ASSIGN_OR_RETURN(info.artefacts_through,
                          NumberIn(*json, "artefactsThrough"));
  const JsonValue* artefacts = json->Find("artefactEvents");
  if (artefacts == nullptr) {
    return absl::DataLossError("artefactEvents is missing");
  }
  KINORA_ASSIGN_OR_RETURN(info.artefact_events, NumberIn(*artefacts, "count"));
  KINORA_ASSIGN_OR_RETURN(info.artefacts_sha256, TextIn(*artefacts, "sha256"));
  KINORA_ASSIGN_OR_RETURN(info.artefacts_bytes,
                          NumberIn(*artefacts, "sizeBytes"));
  const JsonValue* totals = json->Find("producerTotals");
  if (totals == nullptr) {
    return absl::DataLossError("producerTotals is missing");
  }
  info.producer_totals = ToJson(*totals);
  return info;
}

std::string HeadOf(const CheckpointInfo& info) {
  std::string head;
  JsonWriter json(&head);
  json.BeginObject();
  json.Key("formatVersion").Int(kFormatVersion);
  json.Key("revision").String(info.revision);
  json.Key("inputsThrough").Int(info.inputs_through);
  json.Key("artefactsThrough").Int(info.artefacts_through);
  json.Key("artefactEvents").BeginObject();
  json.Key("count").Int(info.artefact_events);
  json.Key("sha256").String(info.artefacts_sha256);
  json.Key("sizeBytes").Int(info.artefacts_bytes);
  json.EndObject();
  json.Key("producerTotals").Raw(info.producer_totals);
  json.EndObject();
  head.pop_back();
  return head;
}

}  // namespace

std::string CheckpointText(const CheckpointInfo& info,
                           const std::vector<LogRecord>& inputs) {
  std::string text = HeadOf(info);
  absl::StrAppend(&text, kEventsMember);
  for (const LogRecord& record : inputs) {
    absl::StrAppend(&text, &record == &inputs.front() ? "" : ",\n",
                    record.line);
  }
  absl::StrAppend(&text, kEnd, "}");
  return absl::StrCat(WithChecksum(text), "\n");
}

absl::StatusOr<std::vector<LogRecord>> ParseCheckpoint(absl::string_view text,
                                                       CheckpointInfo* info) {
  if (!absl::ConsumeSuffix(&text, "\n") || !absl::EndsWith(text, "}")) {
    return absl::DataLossError("the file ends within its object");
  }
  if (!HasChecksum(text)) {
    return absl::DataLossError("it has no checksum at its end");
  }
  KINORA_ASSIGN_OR_RETURN(const std::string unchecked, WithoutChecksum(text));
  const absl::string_view covered =
      absl::string_view(unchecked).substr(0, unchecked.size() - 1);
  const size_t events = covered.find(kEventsMember);
  if (events == absl::string_view::npos || !absl::EndsWith(covered, kEnd)) {
    return absl::DataLossError("it has no events");
  }
  KINORA_ASSIGN_OR_RETURN(
      *info, ParseInfo(absl::StrCat(covered.substr(0, events), "}")));
  absl::string_view rest = covered.substr(events + kEventsMember.size() - 1);
  rest.remove_suffix(kEnd.size() - 1);
  std::vector<LogRecord> records;
  while (absl::ConsumePrefix(&rest, "\n") && !rest.empty() && rest != "\n") {
    absl::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size());
    absl::ConsumeSuffix(&line, ",");
    KINORA_ASSIGN_OR_RETURN(const int64_t sequence, CheckLogLine(line));
    records.push_back({.sequence = sequence, .line = std::string(line)});
  }
  return records;
}

}  // namespace kinora
