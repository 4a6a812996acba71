#include "services/store/movie/object_movie_store.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/cost_check.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"
#include "services/store/movie/movie_format.h"
#include "services/store/movie/pinned_blueprint.h"

namespace kinora {
namespace {

constexpr int64_t kLeftoversPerRead = 100;
constexpr int64_t kMaxLeftoverBytes = 1 << 20;

absl::Status CheckBlueprint(absl::string_view blueprint) {
  if (!blueprint.empty() && blueprint.size() <= kMaxBlueprintBytes) {
    return absl::OkStatus();
  }
  return InvalidField(
      "blueprint", absl::StrCat(blueprint.size(), " bytes"),
      absl::StrCat("must have 1 to ", kMaxBlueprintBytes, " bytes"));
}

absl::Status MovieExists(absl::string_view movie_id) {
  return WithReason(absl::AlreadyExistsError(absl::StrCat("movie \"", movie_id,
                                                          "\" exists already")),
                    "MOVIE_EXISTS", {{"movie", movie_id}});
}

absl::Status CheckLimit(absl::string_view field, int64_t limit) {
  if (limit >= 0 && limit <= kMaxJsonInteger) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(limit),
                      absl::StrCat("must be from 0 to ", kMaxJsonInteger));
}

}  // namespace

absl::StatusOr<v1::CreateMovieResponse> ObjectMovieStore::Create(
    const v1::CreateMovieRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  KINORA_RETURN_IF_ERROR(CheckBlueprint(request.blueprint()));
  if (request.request_id().size() > kMaxRequestIdBytes) {
    return InvalidField(
        "request_id", request.request_id(),
        absl::StrCat("must have at most ", kMaxRequestIdBytes, " bytes"));
  }
  const std::string hash = Sha256Of(request.blueprint()).Hex();
  v1::CreateMovieResponse response;
  AwaitEndOf(movie_id);
  MutexLock lock(mu_);
  const absl::StatusOr<MovieFile> file = LoadLiving(movie_id);
  if (!file.ok() && !absl::IsNotFound(file.status())) return file.status();
  if (file.ok()) {
    const bool repeated = !request.request_id().empty() &&
                          request.request_id() == file->request_id &&
                          hash == file->blueprint_hash;
    if (!repeated) return MovieExists(movie_id);
  } else {
    if (movies_.holds().IsRestored(movie_id)) return MovieExists(movie_id);
    KINORA_RETURN_IF_ERROR(deletion_.EndRestoration(movie_id));
    KINORA_RETURN_IF_ERROR(CheckUnusedLocked(movie_id));
    KINORA_RETURN_IF_ERROR(
        Pin(movie_id, request.blueprint(), hash, Revision{1}.ToString(), 0));
    const MovieFile created = {.movie_id = movie_id,
                               .create_time = clock_.Now(),
                               .blueprint_hash = hash,
                               .request_id = request.request_id()};
    KINORA_ASSIGN_OR_RETURN(bool is_new, movies_.Create(created));
    if (!is_new) return MovieExists(movie_id);
  }
  KINORA_ASSIGN_OR_RETURN(*response.mutable_movie(), Load(movie_id));
  return response;
}

void ObjectMovieStore::AwaitEndOf(absl::string_view movie_id) {
  const absl::StatusOr<MovieFile> file = movies_.LoadAny(movie_id);
  if (file.ok() && file->deleted) movies_.holds().AwaitRemovals(movie_id);
}

absl::StatusOr<MovieFile> ObjectMovieStore::LoadLiving(
    absl::string_view movie_id) {
  absl::StatusOr<MovieFile> file = movies_.LoadAny(movie_id);
  if (!file.ok() || !file->deleted) return file;
  KINORA_RETURN_IF_ERROR(deletion_.Finish(movie_id));
  return movies_.LoadAny(movie_id);
}

absl::StatusOr<std::unique_ptr<MovieHolds::Hold>>
ObjectMovieStore::BeginRestoration(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  std::unique_ptr<MovieHolds::Hold> hold;
  AwaitEndOf(movie_id);
  {
    MutexLock lock(mu_);
    const absl::Status taken = LoadLiving(movie_id).status();
    // Also a movie that cannot be read is one.
    if (taken.ok() || absl::IsDataLoss(taken) ||
        absl::IsFailedPrecondition(taken)) {
      return MovieExists(movie_id);
    }
    if (!absl::IsNotFound(taken)) return taken;
    KINORA_ASSIGN_OR_RETURN(hold, movies_.holds().ForRestoration(movie_id));
  }
  KINORA_RETURN_IF_ERROR(deletion_.BeginRestoration(movie_id));
  return hold;
}

absl::Status ObjectMovieStore::CheckUnused(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  MutexLock lock(mu_);
  const absl::Status exists = movies_.LoadAny(movie_id).status();
  if (!absl::IsNotFound(exists) || movies_.holds().IsRestored(movie_id)) {
    return absl::OkStatus();
  }
  return CheckUnusedLocked(std::string(movie_id));
}

// A creation that was cut short has left blueprints at most.
absl::Status ObjectMovieStore::CheckUnusedLocked(const std::string& movie_id) {
  const std::string inputs = InputsLogKey(movie_id);
  KINORA_ASSIGN_OR_RETURN(const LogExtent made,
                          log_.Extent(ArtefactsLogKey(movie_id)));
  KINORA_ASSIGN_OR_RETURN(const LogExtent edited, log_.Extent(inputs));
  bool unused = made.last_sequence == 0 && edited.oldest_sequence <= 1;
  for (int64_t at = 0; unused && at < edited.last_sequence;) {
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<LogRecord> records,
        log_.Read(inputs, at, kLeftoversPerRead, kMaxLeftoverBytes));
    if (records.empty()) break;
    for (const LogRecord& record : records) {
      at = record.sequence;
      KINORA_ASSIGN_OR_RETURN(
          const v1::Event event,
          EventFromRecord(inputs, v1::LOG_KIND_INPUTS, record));
      unused = unused && event.input().input_id() == kBlueprintInputId;
    }
  }
  if (unused) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      MoviePrefix(movie_id), " holds the events of a movie without its ",
      MovieKey(movie_id), ": put that back, or move the directory aside"));
}

absl::Status ObjectMovieStore::Pin(const std::string& movie_id,
                                   absl::string_view blueprint,
                                   absl::string_view hash,
                                   absl::string_view revision,
                                   int64_t max_blob_bytes) {
  // Held until the log names it: a collection under way may have read the log,
  // and would take what it finds beside it.
  const std::shared_ptr<BlobUses::Hold> hold = blobs_.uses().HoldOf(movie_id);
  KINORA_ASSIGN_OR_RETURN(const Digest digest, Digest::ParseHex(hash));
  hold->Note(digest);
  KINORA_RETURN_IF_ERROR(
      blobs_.Keep(movie_id, digest, blueprint, max_blob_bytes));
  KINORA_ASSIGN_OR_RETURN(EventPtr pinned,
                          events_.FindInput(movie_id, kBlueprintInputId));
  if (pinned != nullptr &&
      pinned->input().content().blob().digest().hash() == hash) {
    return absl::OkStatus();  // by an attempt that was cut short
  }
  v1::Event event;
  event.set_revision(std::string(revision));
  v1::InputEvent& input = *event.mutable_input();
  input.set_input_id(std::string(kBlueprintInputId));
  input.set_edited_by(v1::EDITED_BY_SYSTEM);
  v1::BlobRef& blob = *input.mutable_content()->mutable_blob();
  blob.mutable_digest()->set_hash(std::string(hash));
  blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(blueprint.size()));
  blob.set_mime_type(std::string(kBlueprintMimeType));
  return events_
      .AppendOwn(InputsLogKey(movie_id), std::move(event), std::nullopt)
      .status();
}

absl::Status ObjectMovieStore::Describe(const std::string& movie_id,
                                        v1::Movie* movie) {
  movie->set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const MovieFile file, movies_.Load(movie_id));
  *movie->mutable_create_time() = ToTimestamp(file.create_time);
  movie->set_format_version(kMovieFormatVersion);
  movie->mutable_quota()->set_max_blob_bytes(file.limits.max_blob_bytes);
  movie->mutable_quota()->set_max_revisions(file.limits.max_revisions);
  if (file.limits.max_cost_micros != 0) {
    v1::Cost& cost = *movie->mutable_quota()->mutable_max_cost();
    cost.set_currency_code(file.limits.cost_currency);
    cost.set_micros(file.limits.max_cost_micros);
  }
  v1::GetCurrentManifestRequest request;
  request.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse current,
                          manifests_.GetCurrent(request));
  movie->set_current_revision(current.current().revision());
  movie->set_current_manifest_hash(current.current().hash());
  // Last: a movie without one cannot be read.
  KINORA_ASSIGN_OR_RETURN(*movie->mutable_blueprint(),
                          PinnedBlueprint(events_, movie_id));
  return absl::OkStatus();
}

absl::StatusOr<v1::Movie> ObjectMovieStore::Load(const std::string& movie_id) {
  v1::Movie movie;
  KINORA_RETURN_IF_ERROR(Describe(movie_id, &movie));
  return movie;
}

absl::StatusOr<v1::GetMovieResponse> ObjectMovieStore::Get(
    const v1::GetMovieRequest& request) {
  v1::GetMovieResponse response;
  KINORA_ASSIGN_OR_RETURN(*response.mutable_movie(), Load(request.movie_id()));
  return response;
}

absl::StatusOr<v1::ListMoviesResponse> ObjectMovieStore::List(
    const v1::ListMoviesRequest& request) {
  KINORA_ASSIGN_OR_RETURN(int page_size, PageSize(request.page_size()));
  if (!request.page_token().empty() &&
      !ValidateMovieId(request.page_token()).ok()) {
    return InvalidField("page_token", request.page_token(),
                        "is not a token of this server");
  }
  v1::ListMoviesResponse response;
  std::string after = request.page_token();
  for (;;) {
    const size_t wanted =
        static_cast<size_t>(page_size - response.movies_size()) + 1;
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                            movies_.ListAfter(after, wanted));
    for (const std::string& id : ids) {
      if (response.movies_size() == page_size) {
        response.set_next_page_token(after);
        return response;
      }
      after = id;
      v1::Movie movie;
      const absl::Status described = Describe(id, &movie);
      if (!described.ok()) {
        if (absl::IsNotFound(movies_.Load(id).status())) continue;  // deleted
        // Whatever is wrong with one movie, the others are listed.
        LogWarning("a movie is listed without what cannot be read of it",
                   {{"movie_id", id}, {"error", described}});
        movie.set_problem(std::string(described.message()));
      }
      *response.add_movies() = std::move(movie);
    }
    if (ids.size() < wanted) return response;
  }
}

absl::StatusOr<v1::SetBlueprintResponse> ObjectMovieStore::SetBlueprint(
    const v1::SetBlueprintRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(movie_id));
  KINORA_RETURN_IF_ERROR(CheckBlueprint(request.blueprint()));
  const std::string hash = Sha256Of(request.blueprint()).Hex();
  v1::SetBlueprintResponse response;
  MutexLock lock(mu_);
  KINORA_ASSIGN_OR_RETURN(v1::Movie before, Load(movie_id));
  const std::string& pinned = before.blueprint().digest().hash();
  if (!request.expected_blueprint_hash().empty() &&
      request.expected_blueprint_hash() != pinned) {
    return WithReason(absl::AbortedError(absl::StrCat(
                          "movie \"", movie_id, "\" has blueprint ", pinned,
                          ", expected ", request.expected_blueprint_hash())),
                      "SEQUENCE_MISMATCH",
                      {{"movie", movie_id}, {"current", pinned}});
  }
  response.set_changed(hash != pinned);
  if (response.changed()) {
    Revision current;
    if (!before.current_revision().empty()) {
      KINORA_ASSIGN_OR_RETURN(current,
                              Revision::Parse(before.current_revision()));
    }
    KINORA_ASSIGN_OR_RETURN(const MovieLimits limits, movies_.Limits(movie_id));
    KINORA_RETURN_IF_ERROR(Pin(movie_id, request.blueprint(), hash,
                               current.Next().ToString(),
                               limits.max_blob_bytes));
  }
  KINORA_ASSIGN_OR_RETURN(*response.mutable_movie(), Load(movie_id));
  return response;
}

absl::StatusOr<v1::DeleteMovieResponse> ObjectMovieStore::Delete(
    const v1::DeleteMovieRequest& request) {
  {
    MutexLock lock(mu_);
    KINORA_RETURN_IF_ERROR(deletion_.Begin(request.movie_id()));
  }
  // From here on it is deleted, whatever happens: what fails now is done later.
  const absl::Status finished = deletion_.Finish(request.movie_id());
  if (!finished.ok()) {
    LogWarning("a deletion is to be finished later",
               {{"movie_id", request.movie_id()}, {"error", finished}});
  }
  return v1::DeleteMovieResponse();
}

absl::StatusOr<v1::SetMovieQuotaResponse> ObjectMovieStore::SetQuota(
    const v1::SetMovieQuotaRequest& request) {
  KINORA_RETURN_IF_ERROR(
      CheckLimit("quota.max_blob_bytes", request.quota().max_blob_bytes()));
  KINORA_RETURN_IF_ERROR(
      CheckLimit("quota.max_revisions", request.quota().max_revisions()));
  const v1::Cost& cost = request.quota().max_cost();
  KINORA_RETURN_IF_ERROR(ValidateCost("quota.max_cost", cost));
  KINORA_RETURN_IF_ERROR(CheckLimit("quota.max_cost.micros", cost.micros()));
  KINORA_RETURN_IF_ERROR(movies_.SetLimits(
      request.movie_id(), {.max_blob_bytes = request.quota().max_blob_bytes(),
                           .max_revisions = request.quota().max_revisions(),
                           .max_cost_micros = cost.micros(),
                           .cost_currency = cost.currency_code()}));
  v1::SetMovieQuotaResponse response;
  KINORA_ASSIGN_OR_RETURN(*response.mutable_movie(), Load(request.movie_id()));
  return response;
}

}  // namespace kinora
