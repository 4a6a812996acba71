#include "services/store/movie/movie_holds.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"

namespace kinora {

MovieHolds::Hold::~Hold() { holds_.End(*this); }

bool MovieHolds::Hold::deleted() const {
  MutexLock lock(holds_.mu_);
  return holds_.movies_[movie_id_].deletions != deletions_;
}

void MovieHolds::End(const Hold& hold) {
  MutexLock lock(mu_);
  const auto found = movies_.find(hold.movie_id_);
  Movie& movie = found->second;
  switch (hold.kind_) {
    case Kind::kUpload:
      --movie.uploads;
      break;
    case Kind::kCopy:
      --movie.copies;
      break;
    case Kind::kRemoval:
      if (--movie.removals == 0) removal_ended_.SignalAll();
      break;
    case Kind::kRestoration:
      movie.restoration = false;
      break;
  }
  if (movie.uploads == 0 && movie.copies == 0 && movie.removals == 0 &&
      !movie.restoration) {
    movies_.erase(found);
  }
}

std::unique_ptr<MovieHolds::Hold> MovieHolds::ForUpload(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  Movie& movie = movies_[movie_id];
  ++movie.uploads;
  return absl::WrapUnique(
      new Hold(*this, movie_id, Kind::kUpload, movie.deletions));
}

std::unique_ptr<MovieHolds::Hold> MovieHolds::ForCopy(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  AwaitRemovalsLocked(movie_id);
  Movie& movie = movies_[movie_id];
  ++movie.copies;
  return absl::WrapUnique(
      new Hold(*this, movie_id, Kind::kCopy, movie.deletions));
}

absl::StatusOr<std::unique_ptr<MovieHolds::Hold>> MovieHolds::ForRemoval(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  Movie& movie = movies_[movie_id];
  if (movie.copies > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("movie \"", movie_id,
                     "\" is being backed up, so nothing of it is removed: "
                     "wait for the end of the backup"));
  }
  ++movie.removals;
  return absl::WrapUnique(
      new Hold(*this, movie_id, Kind::kRemoval, movie.deletions));
}

void MovieHolds::AwaitRemovals(absl::string_view movie_id) {
  MutexLock lock(mu_);
  AwaitRemovalsLocked(movie_id);
}

void MovieHolds::AwaitRemovalsLocked(absl::string_view movie_id) {
  for (;;) {
    // Looked up again after each wait: the entry goes with its last hold.
    const auto found = movies_.find(movie_id);
    if (found == movies_.end() || found->second.removals == 0) return;
    removal_ended_.Wait(mu_);
  }
}

absl::StatusOr<std::unique_ptr<MovieHolds::Hold>> MovieHolds::ForRestoration(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  Movie& movie = movies_[movie_id];
  if (movie.restoration) {
    return WithReason(
        absl::AlreadyExistsError(
            absl::StrCat("movie \"", movie_id, "\" is being restored already")),
        "MOVIE_EXISTS", {{"movie", movie_id}});
  }
  movie.restoration = true;
  return absl::WrapUnique(
      new Hold(*this, movie_id, Kind::kRestoration, movie.deletions));
}

bool MovieHolds::IsRestored(absl::string_view movie_id) {
  MutexLock lock(mu_);
  const auto found = movies_.find(movie_id);
  return found != movies_.end() && found->second.restoration;
}

void MovieHolds::NoteDeletion(absl::string_view movie_id) {
  MutexLock lock(mu_);
  const auto found = movies_.find(movie_id);
  if (found != movies_.end()) ++found->second.deletions;
}

}  // namespace kinora
