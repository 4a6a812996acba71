// What started a run, and under which ids its traces are found.

#ifndef KINORA_SERVICES_RUNNER_RECORD_TRACE_IDENTITY_H_
#define KINORA_SERVICES_RUNNER_RECORD_TRACE_IDENTITY_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// The event that a run answers, as far as its record is concerned.
struct TriggerEvent {
  std::string id;
  std::string provider;
  std::string kind;
  std::string trace_id;
  std::string signature;  // as SignatureLabel(); empty if none is told
};

// `verified`, `unsigned` or `failed`, from the word itself, `{"state": word}`
// or `{word: details}`; why it failed is left out. Nothing for anything else.
// Valid for ever.
std::optional<absl::string_view> SignatureLabel(const JsonValue& status);

// The record's `metadata.trigger_event`: an object with the text `trace_id`,
// and id, provider, kind and signature_status of their types where it has them.
// Nothing if it is none.
std::optional<TriggerEvent> TriggerEventOf(const JsonValue& document);

// The trigger's trace id, else the text `metadata.trace_id`.
std::optional<std::string> TraceIdOf(const JsonValue& document);

// The text `metadata.replay_of_event_id`.
std::optional<std::string> ReplayOfEventId(const JsonValue& document);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_TRACE_IDENTITY_H_
