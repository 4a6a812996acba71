#include "services/store/movie/movie_catalog.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/movie/movie_format.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

// In a copy of a movie.
constexpr absl::string_view kMovieFile = "movie.json";

constexpr absl::string_view kMembers[] = {
    "blueprintHash", "createTime", "deleted",   "formatVersion",
    "movieId",       "quota",      "requestId", "sharesRuns"};

std::string TextOf(const JsonValue& json, absl::string_view member) {
  const JsonValue* value = json.Find(member);
  return value != nullptr && value->is_string() ? value->string_value() : "";
}

int64_t NumberOf(const JsonValue& json, absl::string_view member) {
  const JsonValue* value = json.Find(member);
  if (value == nullptr || !value->is_number()) return 0;
  return value->integer_value().value_or(0);
}

bool IsTrue(const JsonValue& json, absl::string_view member) {
  const JsonValue* value = json.Find(member);
  return value != nullptr && value->is_bool() && value->bool_value();
}

// Of any format, also one that this build does not know.
absl::StatusOr<JsonValue> ParseMovie(absl::string_view key,
                                     absl::string_view text) {
  const absl::StatusOr<std::string> unchecked = WithoutChecksum(text);
  if (!unchecked.ok()) return DataCorrupt(key, unchecked.status().message());
  absl::StatusOr<JsonValue> json = ParseJson(*unchecked);
  if (!json.ok()) return DataCorrupt(key, json.status().message());
  if (!json->is_object()) return DataCorrupt(key, "is not a JSON object");
  return json;
}

absl::StatusOr<MovieFile> ParseMovieFile(absl::string_view movie_id,
                                         absl::string_view text) {
  const std::string key = MovieKey(movie_id);
  absl::StatusOr<JsonValue> json = ParseCheckedJson(text, kMembers);
  if (!json.ok()) return DataCorrupt(key, json.status().message());
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
  if (const JsonValue* quota = json->Find("quota"); quota != nullptr) {
    file.limits.max_blob_bytes = NumberOf(*quota, "maxBlobBytes");
    file.limits.max_revisions = NumberOf(*quota, "maxRevisions");
    if (const JsonValue* cost = quota->Find("maxCost"); cost != nullptr) {
      file.limits.max_cost_micros = NumberOf(*cost, "micros");
      file.limits.cost_currency = TextOf(*cost, "currencyCode");
    }
  }
  file.deleted = IsTrue(*json, "deleted");
  file.shares_runs = IsTrue(*json, "sharesRuns");
  file.is_older = NumberOf(*json, "formatVersion") < kMovieFormatVersion;
  return file;
}

std::string TextOf(const MovieFile& file) {
  JsonObject json;
  json.Add("blueprintHash", file.blueprint_hash);
  json.Add("createTime",
           absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", file.create_time,
                            absl::UTCTimeZone()));
  if (file.deleted) json.Add("deleted", true);
  json.Add("formatVersion", kMovieFormatVersion);
  json.Add("movieId", file.movie_id);
  if (file.limits.max_blob_bytes != 0 || file.limits.max_revisions != 0 ||
      file.limits.max_cost_micros != 0) {
    JsonObject quota;
    quota.Add("maxBlobBytes", file.limits.max_blob_bytes);
    quota.Add("maxRevisions", file.limits.max_revisions);
    if (file.limits.max_cost_micros != 0) {
      JsonObject cost;
      cost.Add("currencyCode", file.limits.cost_currency);
      cost.Add("micros", file.limits.max_cost_micros);
      quota.Add("maxCost", std::move(cost));
    }
    json.Add("quota", std::move(quota));
  }
  if (!file.request_id.empty()) json.Add("requestId", file.request_id);
  if (file.shares_runs) json.Add("sharesRuns", true);
  return WithChecksum(CanonicalJson(JsonValue(std::move(json))));
}

}  // namespace

absl::Status MovieNotFound(absl::string_view movie_id) {
  return WithReason(
      absl::NotFoundError(absl::StrCat("there is no movie \"", movie_id, "\"")),
      "MOVIE_NOT_FOUND", {{"movie", movie_id}});
}

absl::Status MovieCatalog::Require(absl::string_view movie_id) {
  return Limits(movie_id).status();
}

absl::Status MovieCatalog::RequireWritable(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(Require(movie_id));
  EventLog* const log = log_.load();
  if (log == nullptr) return absl::OkStatus();
  const absl::Status damage = log->FoundDamage(MoviePrefix(movie_id));
  if (damage.ok()) return absl::OkStatus();
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "movie \"", movie_id,
                        "\" is damaged and takes no writes until it is ",
                        "repaired: ", damage.message())),
                    "MOVIE_QUARANTINED", {{"movie", movie_id}});
}

absl::StatusOr<MovieLimits> MovieCatalog::Limits(absl::string_view movie_id) {
  {
    MutexLock lock(mu_);
    const auto found = known_.find(movie_id);
    if (found != known_.end()) return found->second;
  }
  KINORA_ASSIGN_OR_RETURN(const MovieFile file, Load(movie_id));
  return file.limits;
}

absl::StatusOr<MovieFile> MovieCatalog::Load(absl::string_view movie_id) {
  uint64_t changes = 0;
  {
    MutexLock lock(mu_);
    changes = changes_;
  }
  KINORA_ASSIGN_OR_RETURN(MovieFile file, LoadAny(movie_id));
  if (file.deleted) return MovieNotFound(movie_id);
  MutexLock lock(mu_);
  // One that was not brought up is to be looked at again.
  if (changes == changes_ && !file.is_older) {
    known_.insert_or_assign(file.movie_id, file.limits);
  }
  return file;
}

absl::StatusOr<MovieFile> MovieCatalog::LoadAny(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  KINORA_ASSIGN_OR_RETURN(const std::string text, ReadText(movie_id));
  return ParseMovieFile(movie_id, text);
}

absl::StatusOr<std::string> MovieCatalog::ReadText(absl::string_view movie_id) {
  const std::string key = MovieKey(movie_id);
  for (;;) {
    absl::StatusOr<std::string> text = ReadObject(storage_, key);
    if (absl::IsNotFound(text.status())) return MovieNotFound(movie_id);
    KINORA_RETURN_IF_ERROR(text.status());
    KINORA_ASSIGN_OR_RETURN(const JsonValue json, ParseMovie(key, *text));
    KINORA_ASSIGN_OR_RETURN(const int64_t version,
                            MovieFormatOf(movie_id, json));
    if (version == kMovieFormatVersion) return text;
    MutexLock lock(change_mu_);
    absl::StatusOr<std::string> upgraded =
        UpgradeMovie(storage_, movie_id, *text, MovieFormatSteps());
    // Reads go on in a store that takes no writes, and a collection may be what
    // makes room in it. What newer formats add is absent from this one.
    if (ReasonOf(upgraded.status()) == "STORE_READ_ONLY") return text;
    // Somebody else has brought it up meanwhile.
    if (!absl::IsAborted(upgraded.status())) return upgraded;
  }
}

absl::StatusOr<bool> MovieCatalog::Create(const MovieFile& file) {
  return CreateFrom(file.movie_id, TextOf(file));
}

absl::StatusOr<bool> MovieCatalog::CreateFrom(absl::string_view movie_id,
                                              absl::string_view text) {
  KINORA_ASSIGN_OR_RETURN(const bool created,
                          CreateObject(storage_, MovieKey(movie_id), text));
  MutexLock lock(list_mu_);
  if (created && ids_.has_value()) ids_->insert(std::string(movie_id));
  return created;
}

absl::Status MovieCatalog::Change(absl::string_view movie_id,
                                  absl::AnyInvocable<void(MovieFile*)> change) {
  KINORA_RETURN_IF_ERROR(Load(movie_id).status());  // in the newest format
  MutexLock lock(change_mu_);
  const std::string key = MovieKey(movie_id);
  KINORA_ASSIGN_OR_RETURN(const std::string text, ReadObject(storage_, key));
  KINORA_ASSIGN_OR_RETURN(MovieFile file, ParseMovieFile(movie_id, text));
  if (file.deleted) return MovieNotFound(movie_id);
  change(&file);
  const absl::Status changed = storage_.CompareAndSwap(key, text, TextOf(file));
  // Also after an error: the change may have happened.
  DropLimits(movie_id);
  return changed;
}

void MovieCatalog::DropLimits(absl::string_view movie_id) {
  MutexLock lock(mu_);
  known_.erase(movie_id);
  ++changes_;
}

absl::Status MovieCatalog::SetLimits(absl::string_view movie_id,
                                     const MovieLimits& limits) {
  return Change(movie_id, [&](MovieFile* file) { file->limits = limits; });
}

absl::StatusOr<std::vector<std::string>> MovieCatalog::ListAfter(
    absl::string_view after, size_t limit) {
  MutexLock lock(list_mu_);
  if (!ids_.has_value()) {
    std::set<std::string, std::less<>> all;
    const auto add = [&](absl::string_view id) {
      // A creation that was cut short leaves a directory and no movie. One that
      // cannot be looked at is listed; reading it says why.
      if (ValidateMovieId(id).ok() &&
          !absl::IsNotFound(storage_.Stat(MovieKey(id)).status())) {
        all.emplace(id);
      }
    };
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        storage_, kBuildsPrefix, [&](const ObjectPage& page) -> absl::Status {
          for (const std::string& prefix : page.prefixes) add(LastPart(prefix));
          // The directory of a movie may be a link.
          for (const ObjectInfo& object : page.objects) {
            if (object.is_foreign) add(LastPart(object.key));
          }
          return absl::OkStatus();
        }));
    ids_ = std::move(all);
  }
  std::vector<std::string> page;
  for (auto id = ids_->upper_bound(after);
       id != ids_->end() && page.size() < limit; ++id) {
    page.push_back(*id);
  }
  return page;
}

void MovieCatalog::OnDeleted(Forget forget) {
  MutexLock lock(mu_);
  forget_.push_back(std::move(forget));
}

absl::Status MovieCatalog::Bury(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(
      Change(movie_id, [](MovieFile* file) { file->deleted = true; }));
  holds_.NoteDeletion(movie_id);
  return absl::OkStatus();
}

void MovieCatalog::ForgetEverywhere(absl::string_view movie_id) {
  std::vector<Forget*> all;
  {
    MutexLock lock(mu_);
    for (Forget& forget : forget_) all.push_back(&forget);
  }
  for (Forget* forget : all) (*forget)(movie_id);
}

absl::Status MovieCatalog::Remove(absl::string_view movie_id) {
  DropLimits(movie_id);
  KINORA_RETURN_IF_ERROR(storage_.Delete(MovieKey(movie_id)));
  MutexLock lock(list_mu_);
  if (ids_.has_value()) ids_->erase(std::string(movie_id));
  return absl::OkStatus();
}

absl::StatusOr<std::string> CopiedMovieFile(absl::string_view text,
                                            absl::string_view movie_id,
                                            bool shares_runs) {
  KINORA_ASSIGN_OR_RETURN(const std::string original, MovieIdIn(text));
  KINORA_ASSIGN_OR_RETURN(JsonValue json, ParseMovie(kMovieFile, text));
  JsonObject& file = json.object();
  file.Remove("deleted");
  file.Remove("sharesRuns");
  if (shares_runs) file.Set("sharesRuns", true);
  if (original != movie_id) {
    file.Set("movieId", movie_id);
    file.Remove("requestId");  // asked for the other one
  }
  std::string copied = WithChecksum(CanonicalJson(json));
  KINORA_RETURN_IF_ERROR(ParseMovieFile(movie_id, copied).status());
  return copied;
}

absl::StatusOr<std::string> MovieIdIn(absl::string_view text) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue json, ParseMovie(kMovieFile, text));
  std::string movie_id = TextOf(json, "movieId");
  KINORA_RETURN_IF_ERROR(MovieFormatOf(movie_id, json).status());
  return movie_id;
}

}  // namespace kinora
