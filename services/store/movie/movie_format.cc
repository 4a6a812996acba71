#include "services/store/movie/movie_format.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json/canonical_json.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

constexpr char kVersionMember[] = "formatVersion";

// What version 2 adds is absent from a movie of version 1; version 3 takes
// documents without a checksum.
absl::Status AddNothing(ObjectStorage&, absl::string_view, JsonObject*) {
  return absl::OkStatus();
}

constexpr MovieFormatStep kSteps[] = {{.from = 1, .run = AddNothing},
                                      {.from = 2, .run = AddNothing}};

static_assert(sizeof(kSteps) / sizeof(kSteps[0]) == kMovieFormatVersion - 1);

}  // namespace

absl::Span<const MovieFormatStep> MovieFormatSteps() { return kSteps; }

absl::StatusOr<int64_t> MovieFormatOf(absl::string_view movie_id,
                                      const JsonValue& movie) {
  const std::string key = MovieKey(movie_id);
  const JsonValue* version = movie.Find(kVersionMember);
  if (version == nullptr || !version->is_number()) {
    return DataCorrupt(key, "has no formatVersion");
  }
  const std::optional<int64_t> number = version->integer_value();
  if (number.has_value() && *number >= 1 && *number <= kMovieFormatVersion) {
    return *number;
  }
  const std::string found = CanonicalJson(*version);
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "movie \"", movie_id, "\": ", key, " has format version ", found,
          ", this build knows 1 to ", kMovieFormatVersion, ": upgrade Kinora")),
      "FORMAT_UNKNOWN",
      {{"movie", movie_id},
       {"file", key},
       {"found", found},
       {"known", absl::StrCat(kMovieFormatVersion)}});
}

absl::StatusOr<std::string> UpgradeMovie(
    ObjectStorage& storage, absl::string_view movie_id, std::string text,
    absl::Span<const MovieFormatStep> steps) {
  const std::string key = MovieKey(movie_id);
  KINORA_ASSIGN_OR_RETURN(const std::string unchecked, WithoutChecksum(text));
  KINORA_ASSIGN_OR_RETURN(JsonValue json, ParseJson(unchecked));
  KINORA_ASSIGN_OR_RETURN(int64_t version, MovieFormatOf(movie_id, json));
  for (const MovieFormatStep& step : steps) {
    if (step.from != version) continue;
    KINORA_RETURN_IF_ERROR(
        Annotate(step.run(storage, movie_id, &json.object()),
                 absl::StrCat("bringing movie \"", movie_id, "\" to format ",
                              version + 1)));
    json.object().Set(kVersionMember, JsonValue(++version));
    std::string next = WithChecksum(CanonicalJson(json));
    KINORA_RETURN_IF_ERROR(storage.CompareAndSwap(key, text, next));
    text = std::move(next);
    LogInfo("brought a movie to a newer format",
            {{"movie_id", movie_id}, {"format_version", version}});
  }
  return text;
}

}  // namespace kinora
