#include "services/store/checkpoint/checkpoint_movie.h"

#include <vector>

#include "common/error_reason.h"
#include "common/status.h"
#include "services/store/layout.h"

namespace kinora {

absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
    const CheckpointParts& parts, const v1::CheckpointMovieRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(parts.catalog.Require(movie_id));
  if (request.remove_covered_logs()) {
    return WithReason(absl::UnimplementedError(
                          "removing covered logs is not part of this build"),
                      "RPC_NOT_IMPLEMENTED");
  }
  KINORA_ASSIGN_OR_RETURN(const MovieIndex::Saved saved,
                          parts.events.SaveIndexes(movie_id));
  KINORA_RETURN_IF_ERROR(parts.log.Checkpoint(InputsLogKey(movie_id)));
  KINORA_RETURN_IF_ERROR(parts.log.Checkpoint(ArtefactsLogKey(movie_id)));
  v1::CheckpointMovieResponse response;
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
