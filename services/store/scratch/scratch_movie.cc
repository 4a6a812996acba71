#include "services/store/scratch/scratch_movie.h"

#include <deque>
#include <utility>

#include "common/status.h"
#include "services/store/backup/movie_restoration.h"

namespace kinora {
namespace {

// The original may take larger values inline than others do.
constexpr int64_t kInlineLimitBytes = int64_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<ScratchMovie>> ScratchMovie::CopyOf(
    const Store& original, const std::string& movie_id, Clock& clock,
    Executor& executor) {
  std::unique_ptr<ScratchMovie> copy(
      new ScratchMovie(original.blobs, clock, executor));
  KINORA_RETURN_IF_ERROR(
      copy->Fill(original.maintenance, movie_id, std::nullopt));
  return copy;
}

absl::StatusOr<std::unique_ptr<ScratchMovie>> ScratchMovie::CopyAt(
    const Store& original, const std::string& movie_id, const HistoryEnd& end,
    Clock& clock, Executor& executor) {
  std::unique_ptr<ScratchMovie> copy(
      new ScratchMovie(original.blobs, clock, executor));
  KINORA_RETURN_IF_ERROR(copy->Fill(original.maintenance, movie_id, end));
  return copy;
}

ScratchMovie::ScratchMovie(BlobStore& original, Clock& clock,
                           Executor& executor)
    : log_(&executor),
      storage_(clock),
      core_(storage_, log_, clock,
            {.events = {.inline_limit_bytes = kInlineLimitBytes},
             .helper = &executor,
             .blobs_behind = &original}) {}

absl::Status ScratchMovie::Fill(MaintenanceStore& original,
                                const std::string& movie_id,
                                const std::optional<HistoryEnd>& end) {
  v1::BackUpMovieRequest request;
  request.set_movie_id(movie_id);
  request.set_without_blobs(true);
  if (end.has_value()) {
    request.mutable_until()->set_artefacts_through(end->artefacts_through);
    request.mutable_until()->set_inputs_through(end->inputs_through);
  }
  std::deque<std::string> pieces;
  KINORA_RETURN_IF_ERROR(
      original.BackUpMovie(request, [&pieces](absl::string_view bytes) {
        // An empty one would be the end of the copy.
        if (!bytes.empty()) pieces.emplace_back(bytes);
        return absl::OkStatus();
      }));
  return Annotate(RestoreMovie(movie_id,
                               {.storage = storage_,
                                .log = log_,
                                .catalog = core_.catalog,
                                .events = core_.events,
                                .movies = core_.movies,
                                .takes_without_blobs = true,
                                .end = end},
                               [&pieces]() -> absl::StatusOr<std::string> {
                                 if (pieces.empty()) return std::string();
                                 std::string piece = std::move(pieces.front());
                                 pieces.pop_front();
                                 return piece;
                               })
                      .status(),
                  "copy the movie");
}

}  // namespace kinora
