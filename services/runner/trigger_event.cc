#include "services/runner/trigger_event.h"

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/json/json.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 10;
// What an error says of a text.
constexpr size_t kMaxQuoted = 100;

}  // namespace

absl::Status ValidateTriggerEvent(absl::string_view field,
                                  absl::string_view json) {
  if (json.empty()) return absl::OkStatus();
  const absl::string_view quoted = json.substr(0, kMaxQuoted);
  if (json.size() > kMaxBytes) {
    return InvalidField(
        field, quoted,
        absl::StrCat("at most ", kMaxBytes, " bytes; it has ", json.size()));
  }
  const absl::StatusOr<JsonValue> event = ParseJson(json);
  if (!event.ok()) return InvalidField(field, quoted, event.status().message());
  if (!event->is_object()) {
    return InvalidField(field, quoted,
                        absl::StrCat("must be a JSON object, not ",
                                     JsonTypeName(event->type())));
  }
  const JsonValue* trace_id = event->Find("trace_id");
  if (trace_id == nullptr || trace_id->is_string()) return absl::OkStatus();
  return InvalidField(absl::StrCat(field, ".trace_id"),
                      JsonTypeName(trace_id->type()), "must be a string");
}

}  // namespace kinora
