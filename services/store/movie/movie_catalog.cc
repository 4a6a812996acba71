#include "services/store/movie/movie_catalog.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/canonical_json.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

std::string TextOf(const JsonValue& json, absl::string_view member) {
  const JsonValue* value = json.Find(member);
  return value != nullptr && value->is_string() ? value->string_value() : "";
}

absl::StatusOr<MovieFile> ParseMovieFile(absl::string_view key,
                                         absl::string_view movie_id,
                                         absl::string_view text) {
  absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok()) return DataCorrupt(key, json.status().message());
  const JsonValue* version = json->Find("formatVersion");
  if (version == nullptr || !version->is_number()) {
    return DataCorrupt(key, "has no formatVersion");
  }
  if (version->number_value() != kMovieFormatVersion) {
    return WithReason(
        absl::FailedPreconditionError(
            absl::StrCat("movie \"", movie_id, "\" has format version ",
                         CanonicalJson(*version), ", this build reads version ",
                         kMovieFormatVersion, " only: upgrade Kinora")),
        "FORMAT_UNKNOWN", {{"movie", movie_id}});
  }
  MovieFile file;
  file.movie_id = TextOf(*json, "movieId");
  file.blueprint_hash = TextOf(*json, "blueprintHash");
  file.request_id = TextOf(*json, "requestId");
  if (file.movie_id != movie_id) {
    return DataCorrupt(key, absl::StrCat("names another movie, \"",
                                         ClipValue(file.movie_id), "\""));
  }
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, TextOf(*json, "createTime"),
                       &file.create_time, &error)) {
    return DataCorrupt(key, absl::StrCat("createTime: ", error));
  }
  return file;
}

}  // namespace

absl::Status MovieCatalog::Require(absl::string_view movie_id) {
  {
    MutexLock lock(mu_);
    if (known_.contains(movie_id)) return absl::OkStatus();
  }
  return Load(movie_id).status();
}

absl::StatusOr<MovieFile> MovieCatalog::Load(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  const std::string key = MovieKey(movie_id);
  absl::StatusOr<std::string> text = ReadObject(storage_, key);
  if (absl::IsNotFound(text.status())) {
    return WithReason(absl::NotFoundError(
                          absl::StrCat("there is no movie \"", movie_id, "\"")),
                      "MOVIE_NOT_FOUND", {{"movie", movie_id}});
  }
  KINORA_RETURN_IF_ERROR(text.status());
  KINORA_ASSIGN_OR_RETURN(MovieFile file, ParseMovieFile(key, movie_id, *text));
  MutexLock lock(mu_);
  known_.insert(file.movie_id);
  return file;
}

absl::StatusOr<bool> MovieCatalog::Create(const MovieFile& file) {
  JsonObject json;
  json.Add("blueprintHash", file.blueprint_hash);
  json.Add("createTime",
           absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", file.create_time,
                            absl::UTCTimeZone()));
  json.Add("formatVersion", kMovieFormatVersion);
  json.Add("movieId", file.movie_id);
  if (!file.request_id.empty()) json.Add("requestId", file.request_id);
  return CreateObject(storage_, MovieKey(file.movie_id),
                      CanonicalJson(JsonValue(std::move(json))));
}

absl::StatusOr<std::vector<std::string>> MovieCatalog::List() {
  std::vector<std::string> ids;
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage_, kBuildsPrefix, [&](const ObjectPage& page) -> absl::Status {
        for (const std::string& prefix : page.prefixes) {
          // A creation that was cut short leaves a directory and no movie.
          absl::string_view id = LastPart(prefix);
          if (!ValidateMovieId(id).ok()) continue;
          absl::StatusOr<ObjectInfo> info = storage_.Stat(MovieKey(id));
          if (absl::IsNotFound(info.status())) continue;
          KINORA_RETURN_IF_ERROR(info.status());
          ids.emplace_back(id);
        }
        return absl::OkStatus();
      }));
  return ids;
}

}  // namespace kinora
