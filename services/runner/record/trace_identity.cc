#include "services/runner/record/trace_identity.h"

#include "absl/strings/match.h"

#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

std::optional<std::string> MetadataText(const JsonValue& document,
                                        absl::string_view key) {
  const JsonValue* metadata = MemberOf(document, "metadata");
  if (metadata == nullptr) return std::nullopt;
  return StringOf(*metadata, key);
}

// False if the member is there and no text.
bool ReadText(const JsonValue& event, absl::string_view key,
              std::string* text) {
  const JsonValue* value = MemberOf(event, key);
  if (value == nullptr) return true;
  if (!value->is_string()) return false;
  *text = value->string_value();
  return true;
}

}  // namespace

std::optional<absl::string_view> SignatureLabel(const JsonValue& status) {
  absl::string_view word;
  if (status.is_string()) {
    word = status.string_value();
  } else if (const auto state = TextOf(status, "state"); state.has_value()) {
    word = *state;
  } else if (status.is_object() && status.object().size() == 1) {
    word = status.object().begin()->key;
  }
  for (const absl::string_view label : {"verified", "unsigned", "failed"}) {
    if (absl::EqualsIgnoreCase(word, label)) return label;
  }
  return std::nullopt;
}

std::optional<TriggerEvent> TriggerEventOf(const JsonValue& document) {
  const JsonValue* metadata = MemberOf(document, "metadata");
  const JsonValue* event =
      metadata == nullptr ? nullptr : MemberOf(*metadata, "trigger_event");
  if (event == nullptr || !TextOf(*event, "trace_id").has_value()) {
    return std::nullopt;
  }
  TriggerEvent trigger;
  if (!ReadText(*event, "id", &trigger.id) ||
      !ReadText(*event, "provider", &trigger.provider) ||
      !ReadText(*event, "kind", &trigger.kind) ||
      !ReadText(*event, "trace_id", &trigger.trace_id)) {
    return std::nullopt;
  }
  const JsonValue* status = MemberOf(*event, "signature_status");
  if (status != nullptr) {
    const std::optional<absl::string_view> label = SignatureLabel(*status);
    if (!label.has_value()) return std::nullopt;
    trigger.signature = std::string(*label);
  }
  return trigger;
}

std::optional<std::string> TraceIdOf(const JsonValue& document) {
  const std::optional<TriggerEvent> trigger = TriggerEventOf(document);
  if (trigger.has_value()) return trigger->trace_id;
  return MetadataText(document, "trace_id");
}

std::optional<std::string> ReplayOfEventId(const JsonValue& document) {
  return MetadataText(document, "replay_of_event_id");
}

}  // namespace kinora
