#include "services/store/backup/copy_head.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/version.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/tar_reader.h"

namespace kinora {
namespace {

JsonObject ToJson(const LogExtent& extent) {
  JsonObject json;
  json.Add("first", extent.oldest_sequence);
  json.Add("last", extent.last_sequence);
  return json;
}

int64_t NumberIn(const JsonValue* json, absl::string_view member) {
  const JsonValue* value = json == nullptr ? nullptr : json->Find(member);
  return value == nullptr ? -1 : value->integer_value().value_or(-1);
}

absl::StatusOr<LogExtent> ExtentIn(const JsonValue* json,
                                   absl::string_view log) {
  const LogExtent extent = {.oldest_sequence = NumberIn(json, "first"),
                            .last_sequence = NumberIn(json, "last")};
  const bool empty = extent.oldest_sequence == 0 && extent.last_sequence == 0;
  if (empty || (extent.oldest_sequence > 0 &&
                extent.last_sequence >= extent.oldest_sequence)) {
    return extent;
  }
  return CopyDamaged(kHeadMember,
                     absl::StrCat("does not say how far ", log, " goes"));
}

absl::Status CheckVersion(const JsonValue& json) {
  const int64_t version = NumberIn(&json, "formatVersion");
  if (version == kCopyFormatVersion) return absl::OkStatus();
  if (version < 1) return CopyDamaged(kHeadMember, "has no formatVersion");
  return WithReason(
      absl::InvalidArgumentError(absl::StrCat(
          "the copy has format version ", version, ", this build knows ",
          kCopyFormatVersion, ": upgrade Kinora")),
      "FORMAT_UNKNOWN",
      {{"file", kHeadMember},
       {"found", absl::StrCat(version)},
       {"known", absl::StrCat(kCopyFormatVersion)}});
}

}  // namespace

std::string CopyHeadText(const CopyHead& head) {
  JsonObject json;
  json.Add("artefacts", ToJson(head.artefacts));
  json.Add("createTime",
           absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", head.create_time,
                            absl::UTCTimeZone()));
  json.Add("formatVersion", kCopyFormatVersion);
  json.Add("inputs", ToJson(head.inputs));
  JsonObject ledgers;
  for (const auto& ledger : head.ledgers) {
    ledgers.Add(ledger.first, ToJson(ledger.second));
  }
  json.Add("ledgers", std::move(ledgers));
  json.Add("movieId", head.movie_id);
  if (!head.run_id.empty()) json.Add("run", head.run_id);
  json.Add("storeVersion", kKinoraVersion);
  if (head.without_blobs) json.Add("withoutBlobs", true);
  return CanonicalJson(std::move(json));
}

absl::StatusOr<CopyHead> ParseCopyHead(absl::string_view text) {
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok()) return CopyDamaged(kHeadMember, json.status().message());
  KINORA_RETURN_IF_ERROR(CheckVersion(*json));
  CopyHead head;
  const JsonValue* movie_id = json->Find("movieId");
  if (movie_id == nullptr || !movie_id->is_string() ||
      !ValidateMovieId(movie_id->string_value()).ok()) {
    return CopyDamaged(kHeadMember, "names no movie");
  }
  head.movie_id = movie_id->string_value();
  const JsonValue* time = json->Find("createTime");
  std::string error;
  if (time == nullptr || !time->is_string() ||
      !absl::ParseTime(absl::RFC3339_full, time->string_value(),
                       &head.create_time, &error)) {
    return CopyDamaged(kHeadMember, "does not say when it was made");
  }
  KINORA_ASSIGN_OR_RETURN(head.artefacts,
                          ExtentIn(json->Find("artefacts"), "artefacts.log"));
  KINORA_ASSIGN_OR_RETURN(head.inputs,
                          ExtentIn(json->Find("inputs"), "inputs.log"));
  head.without_blobs = json->Find("withoutBlobs") != nullptr;
  const JsonValue* ledgers = json->Find("ledgers");
  if (ledgers == nullptr || !ledgers->is_object()) {
    return CopyDamaged(kHeadMember, "does not say which runs there are");
  }
  for (const JsonMember& ledger : ledgers->object()) {
    if (!ValidateRunId(ledger.key).ok()) {
      return CopyDamaged(kHeadMember, "names a run that has no run's id");
    }
    KINORA_ASSIGN_OR_RETURN(head.ledgers[ledger.key],
                            ExtentIn(&ledger.value, ledger.key));
  }
  const JsonValue* run = json->Find("run");
  if (run == nullptr) return head;
  if (!run->is_string() || !head.ledgers.contains(run->string_value()) ||
      head.ledgers.size() != 1) {
    return CopyDamaged(kHeadMember, "is of one run, and holds other ones");
  }
  head.run_id = run->string_value();
  return head;
}

}  // namespace kinora
