#include "services/store/blob/use_horizon.h"

#include <utility>

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

absl::StatusOr<absl::Time> ParseHorizon(absl::string_view key,
                                        absl::string_view text) {
  absl::StatusOr<JsonValue> json = ParseCheckedJson(text, {"usedThrough"});
  if (!json.ok()) return DataCorrupt(key, json.status().message());
  const JsonValue* through = json->Find("usedThrough");
  absl::Time time;
  std::string error;
  if (through == nullptr || !through->is_string() ||
      !absl::ParseTime(absl::RFC3339_full, through->string_value(), &time,
                       &error)) {
    return DataCorrupt(key, "has no usedThrough");
  }
  return time;
}

}  // namespace

absl::StatusOr<UseHorizon::Horizon*> UseHorizon::Load(
    absl::string_view movie_id) {
  const auto known = horizons_.find(movie_id);
  if (known != horizons_.end()) return &known->second;
  const std::string key = BlobUsesKey(movie_id);
  Horizon horizon = {absl::InfinitePast(), absl::InfinitePast()};
  absl::StatusOr<std::string> text = ReadObject(storage_, key);
  if (text.ok()) {
    KINORA_ASSIGN_OR_RETURN(horizon.inherited, ParseHorizon(key, *text));
    horizon.covered = horizon.inherited;
  } else if (!absl::IsNotFound(text.status())) {
    return text.status();
  }
  return &(horizons_[movie_id] = horizon);
}

absl::Status UseHorizon::Cover(absl::string_view movie_id, absl::Time now,
                               absl::Duration ahead) {
  MutexLock lock(mu_);
  KINORA_ASSIGN_OR_RETURN(Horizon* const horizon, Load(movie_id));
  if (horizon->covered >= now) return absl::OkStatus();
  JsonObject json;
  json.Add("usedThrough", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", now + ahead,
                                           absl::UTCTimeZone()));
  KINORA_RETURN_IF_ERROR(
      storage_.Write(BlobUsesKey(movie_id),
                     WithChecksum(CanonicalJson(JsonValue(std::move(json))))));
  horizon->covered = now + ahead;
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> UseHorizon::Inherited(absl::string_view movie_id) {
  MutexLock lock(mu_);
  KINORA_ASSIGN_OR_RETURN(Horizon* const horizon, Load(movie_id));
  return horizon->inherited;
}

}  // namespace kinora
