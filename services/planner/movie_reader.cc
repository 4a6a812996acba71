#include "services/planner/movie_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<std::string> ReadText(BlobStore& blobs,
                                     const std::string& movie_id,
                                     const v1::Content& content) {
  if (content.has_inline_()) return content.inline_().data();
  v1::ReadBlobRequest request;
  request.set_movie_id(movie_id);
  *request.mutable_digest() = content.blob().digest();
  std::string text;
  KINORA_RETURN_IF_ERROR(
      blobs.Read(request, [&text](absl::string_view bytes) -> absl::Status {
        if (text.size() + bytes.size() > kMaxBlueprintTextBytes) {
          return absl::FailedPreconditionError(
              absl::StrCat("the blueprint has more than ",
                           kMaxBlueprintTextBytes, " bytes"));
        }
        absl::StrAppend(&text, bytes);
        return absl::OkStatus();
      }));
  return text;
}

}  // namespace

absl::StatusOr<MovieSnapshot> MovieReader::Read(const std::string& movie_id) {
  MovieSnapshot snapshot;
  // The manifest before the inputs: if a commit comes between, the plan has
  // the older base and is refused when it is to run, which is safe.
  KINORA_RETURN_IF_ERROR(ReadManifest(movie_id, &snapshot));
  v1::Content blueprint;
  KINORA_RETURN_IF_ERROR(ReadInputs(movie_id, &blueprint, &snapshot));
  if (ContentHash(blueprint).empty()) {
    return WithReason(absl::FailedPreconditionError(absl::StrCat(
                          "movie ", movie_id, " has no blueprint pinned")),
                      "BLUEPRINT_INVALID", {{"movie", movie_id}});
  }
  snapshot.blueprint_hash = ContentHash(blueprint);
  KINORA_ASSIGN_OR_RETURN(snapshot.blueprint,
                          ReadBlueprint(movie_id, blueprint));
  if (snapshot.base != nullptr) {
    auto before = snapshot.base->inputs().find(std::string(kBlueprintInputId));
    if (before != snapshot.base->inputs().end()) {
      absl::StatusOr<std::shared_ptr<const Blueprint>> base =
          ReadBlueprint(movie_id, before->second.content());
      // Only needed for its defaults; what it cannot tell, the plan assumes.
      if (base.ok()) snapshot.base_blueprint = *std::move(base);
    }
  }
  return snapshot;
}

absl::Status MovieReader::ReadManifest(const std::string& movie_id,
                                       MovieSnapshot* snapshot) {
  v1::GetCurrentManifestRequest request;
  request.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(v1::GetCurrentManifestResponse response,
                          store_.manifests.GetCurrent(request));
  const v1::ManifestPointer& current = response.current();
  if (current.revision().empty()) return absl::OkStatus();
  snapshot->base_hash = current.hash();
  {
    MutexLock lock(mu_);
    snapshot->base = manifests_.Get(current.hash());
  }
  if (snapshot->base != nullptr) return absl::OkStatus();
  v1::GetManifestRequest get;
  get.set_movie_id(movie_id);
  get.set_revision(current.revision());
  KINORA_ASSIGN_OR_RETURN(StoredManifest stored, store_.manifests.Get(get));
  auto manifest = std::make_shared<v1::Manifest>();
  KINORA_RETURN_IF_ERROR(Annotate(
      ParseDocument(stored.json, manifest.get()),
      absl::StrCat("manifest ", current.revision(), " of movie ", movie_id)));
  snapshot->base_hash = stored.pointer.hash();
  snapshot->base = manifest;
  MutexLock lock(mu_);
  manifests_.Put(snapshot->base_hash, snapshot->base, kMaxCachedMovies);
  return absl::OkStatus();
}

absl::Status MovieReader::ReadInputs(const std::string& movie_id,
                                     v1::Content* blueprint,
                                     MovieSnapshot* snapshot) {
  v1::ListInputsRequest request;
  request.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(v1::ListInputsResponse response,
                          store_.events.ListInputs(request));
  snapshot->inputs_through_sequence = response.through_sequence();
  for (v1::Event& event : *response.mutable_inputs()) {
    v1::InputEvent& input = *event.mutable_input();
    if (input.input_id() == kBlueprintInputId) {
      *blueprint = std::move(*input.mutable_content());
    } else {
      snapshot->inputs[input.input_id()] = std::move(*input.mutable_content());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Blueprint>> MovieReader::ReadBlueprint(
    const std::string& movie_id, const v1::Content& content) {
  const std::string& hash = ContentHash(content);
  {
    MutexLock lock(mu_);
    if (auto cached = blueprints_.Get(hash)) return cached;
  }
  KINORA_ASSIGN_OR_RETURN(std::string text,
                          ReadText(store_.blobs, movie_id, content));
  absl::StatusOr<Blueprint> parsed =
      ParseBlueprint(absl::StrCat("blueprint of ", movie_id), text);
  if (!parsed.ok()) {
    // The caller's request is right; what the movie has pinned is not.
    return WithReason(absl::FailedPreconditionError(parsed.status().message()),
                      "BLUEPRINT_INVALID", {{"movie", movie_id}});
  }
  auto blueprint = std::make_shared<const Blueprint>(*std::move(parsed));
  MutexLock lock(mu_);
  blueprints_.Put(hash, blueprint, kMaxCachedDocuments);
  return blueprint;
}

std::shared_ptr<MovieLog> MovieReader::Log(const std::string& movie_id) {
  MutexLock lock(mu_);
  std::shared_ptr<MovieLog> log = logs_.Get(movie_id);
  if (log == nullptr) {
    log = std::make_shared<MovieLog>();
    logs_.Put(movie_id, log, kMaxCachedMovies);
  }
  return log;
}

absl::Status MovieReader::CatchUp(const std::string& movie_id, MovieLog& log) {
  v1::GetMovieRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(v1::GetMovieResponse movie, store_.movies.Get(get));
  std::string birth = movie.movie().create_time().SerializeAsString();
  if (log.birth != birth) {
    log.results = ArtefactLogIndex();
    log.birth = birth;
  }
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id);
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  request.set_include_kept(true);
  while (true) {
    request.set_after_sequence(log.results.last_sequence());
    absl::StatusOr<v1::ReadEventsResponse> page =
        store_.events.ReadPage(request);
    if (absl::IsOutOfRange(page.status())) {
      // What retention has removed cannot be reused; start where it ends.
      v1::GetLogStatusRequest status;
      *status.mutable_log() = request.log();
      KINORA_ASSIGN_OR_RETURN(v1::GetLogStatusResponse extent,
                              store_.events.GetLogStatus(status));
      if (extent.oldest_sequence() <= request.after_sequence() + 1) {
        return page.status();
      }
      log.results.SkipTo(extent.oldest_sequence() - 1);
      continue;
    }
    KINORA_RETURN_IF_ERROR(page.status());
    for (const v1::Event& event : page->events()) {
      KINORA_RETURN_IF_ERROR(log.results.Add(event));
    }
    int64_t bookmark = page->bookmark().sequence();
    if (bookmark > log.results.last_sequence()) log.results.SkipTo(bookmark);
    if (log.results.last_sequence() <= request.after_sequence()) {
      return absl::OkStatus();
    }
  }
}

}  // namespace kinora
