#include "services/store/checkpoint/checkpoint_movie.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/checkpoint/covered_logs.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

absl::Status RemoveLogs(const CheckpointParts& parts,
                        RemovalsUnderWay& removals, const std::string& movie_id,
                        v1::CheckpointMovieResponse* response) {
  if (!removals.Begin(movie_id)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "logs of movie \"", movie_id, "\" are being removed: wait for it"));
  }
  const absl::Cleanup end = [&] { removals.End(movie_id); };
  // Nothing goes while somebody copies it.
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<MovieHolds::Hold> hold,
                          parts.catalog.holds().ForRemoval(movie_id));
  KINORA_RETURN_IF_ERROR(parts.catalog.RequireWritable(movie_id));
  KINORA_ASSIGN_OR_RETURN(std::vector<std::string> removed,
                          RemoveCoveredLogs({.storage = parts.storage,
                                             .log = parts.log,
                                             .events = parts.events,
                                             .manifests = parts.manifests},
                                            movie_id));
  for (std::string& path : removed) {
    response->add_removed_logs(std::move(path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
    const CheckpointParts& parts, RemovalsUnderWay& removals,
    const v1::CheckpointMovieRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(parts.catalog.RequireWritable(movie_id));
  v1::CheckpointMovieResponse response;
  if (request.remove_covered_logs()) {
    KINORA_RETURN_IF_ERROR(RemoveLogs(parts, removals, movie_id, &response));
  }
  KINORA_ASSIGN_OR_RETURN(const MovieIndex::Saved saved,
                          parts.events.SaveIndexes(movie_id));
  KINORA_RETURN_IF_ERROR(parts.log.Checkpoint(InputsLogKey(movie_id)));
  KINORA_RETURN_IF_ERROR(parts.log.Checkpoint(ArtefactsLogKey(movie_id)));
  response.set_covered_events(saved.inputs_through + saved.artefacts_through);
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          parts.events.Commits(movie_id));
  for (const EventPtr& commit : commits) {
    if (commit->sequence() > saved.artefacts_through) break;
    response.set_revision(commit->revision_committed().revision());
  }
  return response;
}

}  // namespace kinora
