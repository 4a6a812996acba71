#include "services/planner/history/revision_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/planner/log_tail.h"
#include "services/planner/plan/input_values.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {

absl::StatusOr<v1::ManifestPointer> RevisionReader::Find(
    const std::string& movie_id, const std::string& revision) {
  if (revision.empty()) {
    v1::GetCurrentManifestRequest request;
    request.set_movie_id(movie_id);
    KINORA_ASSIGN_OR_RETURN(v1::GetCurrentManifestResponse response,
                            store_.manifests.GetCurrent(request));
    if (!response.current().revision().empty()) return response.current();
    return WithReason(absl::NotFoundError(absl::StrCat(
                          "movie \"", movie_id, "\" has no revision yet")),
                      "REVISION_NOT_FOUND", {{"movie", movie_id}});
  }
  KINORA_ASSIGN_OR_RETURN(const Revision number, Revision::Parse(revision));
  v1::ListManifestsRequest request;
  request.set_movie_id(movie_id);
  request.set_page_size(1);
  if (number.number > 1) {
    request.set_page_token(Revision{number.number - 1}.ToString());
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ListManifestsResponse response,
                          store_.manifests.List(request));
  if (response.manifests_size() == 1 &&
      response.manifests(0).revision() == revision) {
    return response.manifests(0);
  }
  // The store tells one that was pruned from one that was never there.
  v1::GetManifestRequest get;
  get.set_movie_id(movie_id);
  get.set_revision(revision);
  KINORA_ASSIGN_OR_RETURN(const StoredManifest found,
                          store_.manifests.Get(get));
  return found.pointer;
}

absl::StatusOr<RevisionState> RevisionReader::Read(
    const std::string& movie_id, const v1::ManifestPointer& pointer) {
  {
    MutexLock lock(mu_);
    if (const auto state = states_.Get(pointer.hash())) return *state;
  }
  KINORA_ASSIGN_OR_RETURN(
      ManifestDocument document,
      ReadManifest(store_.manifests, movie_id, pointer.revision()));
  auto manifest = std::make_shared<v1::Manifest>(std::move(document.manifest));
  RevisionState state;
  const auto pinned = manifest->inputs().find(std::string(kBlueprintInputId));
  if (pinned != manifest->inputs().end()) {
    // Without it the revision can still be compared, but for defaults.
    absl::StatusOr<std::shared_ptr<const Blueprint>> blueprint =
        movies_.PinnedBlueprint(movie_id, pinned->second.content());
    if (blueprint.ok()) state.blueprint = *std::move(blueprint);
  }
  state.manifest = std::move(manifest);
  MutexLock lock(mu_);
  states_.Put(pointer.hash(), std::make_shared<const RevisionState>(state));
  return state;
}

absl::StatusOr<RevisionState> RevisionReader::ReadCurrent(
    const std::string& movie_id) {
  const absl::StatusOr<v1::ManifestPointer> pointer = Find(movie_id, "");
  if (ReasonOf(pointer.status()) == "REVISION_NOT_FOUND") {
    return RevisionState();
  }
  KINORA_RETURN_IF_ERROR(pointer.status());
  return Read(movie_id, *pointer);
}

absl::Status RevisionReader::ForEachArtefactEvent(
    const std::string& movie_id, const std::string& since_revision,
    int64_t after_sequence,
    absl::FunctionRef<void(const v1::Event& event)> take, bool* complete) {
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id);
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  request.set_include_kept(true);
  request.set_since_revision(since_revision);
  KINORA_ASSIGN_OR_RETURN(const int64_t tail,
                          FindLogTail(store_.events, movie_id, since_revision));
  request.set_after_sequence(std::max(after_sequence, tail));
  v1::GetLogStatusRequest status;
  *status.mutable_log() = request.log();
  KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                          store_.events.GetLogStatus(status));
  *complete = true;
  while (true) {
    KINORA_ASSIGN_OR_RETURN(const v1::ReadEventsResponse page,
                            store_.events.ReadPage(request));
    for (const v1::Event& event : page.events()) {
      // Something of the revisions wanted is in the part that was removed.
      if (event.sequence() < extent.oldest_sequence()) *complete = false;
      take(event);
    }
    if (page.bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page.bookmark().sequence());
  }
  return absl::OkStatus();
}

absl::Status RevisionReader::ForEachAttempt(
    const std::string& movie_id, const std::string& artefact_id,
    absl::FunctionRef<void(const v1::Event& event)> take) {
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id);
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  request.set_include_kept(true);
  request.set_artefact_id(artefact_id);
  while (true) {
    KINORA_ASSIGN_OR_RETURN(const v1::ReadEventsResponse page,
                            store_.events.ReadPage(request));
    for (const v1::Event& event : page.events()) {
      // A server before 0.4 sends all.
      if (event.artefact().artefact_id() == artefact_id) take(event);
    }
    if (page.bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page.bookmark().sequence());
  }
  return absl::OkStatus();
}

}  // namespace kinora
