#include "services/store/blob/blob_usage.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {

struct BlobUsage::Movie {
  Mutex mu;
  CondVar changed;
  int changes ABSL_GUARDED_BY(mu) = 0;
  bool counting ABSL_GUARDED_BY(mu) = false;
  bool known ABSL_GUARDED_BY(mu) = false;
  int64_t stored ABSL_GUARDED_BY(mu) = 0;    // if known
  int64_t reserved ABSL_GUARDED_BY(mu) = 0;  // by changes under way
};

BlobUsage::Change::~Change() {
  MutexLock lock(movie_->mu);
  --movie_->changes;
  movie_->reserved -= wanted_;
  movie_->changed.SignalAll();
}

void BlobUsage::Change::Stored(int64_t bytes) {
  MutexLock lock(movie_->mu);
  movie_->stored += bytes;
}

void BlobUsage::Change::Lost() {
  MutexLock lock(movie_->mu);
  movie_->known = false;
}

absl::Status BlobUsage::Change::Reserve(absl::string_view movie_id,
                                        int64_t limit, int64_t wanted) {
  MutexLock lock(movie_->mu);
  // If the count was lost meanwhile it is what it was: a listing would have to
  // wait for this change.
  const int64_t used = movie_->stored + movie_->reserved;
  if (limit > 0 && wanted > limit - used) {
    return WithReason(
        absl::ResourceExhaustedError(absl::StrCat(
            "movie \"", movie_id, "\" may hold ", limit, " bytes of blobs, ",
            used, " are used, and ", wanted, " more are wanted")),
        "LIMIT_EXCEEDED", {{"movie", movie_id}});
  }
  wanted_ += wanted;
  movie_->reserved += wanted;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<BlobUsage::Change>> BlobUsage::Begin(
    absl::string_view movie_id, int64_t limit, int64_t wanted) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<Change> change,
                          Begin(movie_id, limit));
  KINORA_RETURN_IF_ERROR(change->Reserve(movie_id, limit, wanted));
  return change;
}

absl::StatusOr<std::unique_ptr<BlobUsage::Change>> BlobUsage::Begin(
    absl::string_view movie_id, int64_t limit) {
  std::shared_ptr<Movie> movie = MovieOf(movie_id);
  MutexLock lock(movie->mu);
  while (movie->counting) movie->changed.Wait(movie->mu);
  while (limit > 0 && !movie->known) {
    if (movie->counting || movie->changes > 0) {
      movie->changed.Wait(movie->mu);
      continue;
    }
    movie->counting = true;
    movie->mu.Unlock();
    const absl::StatusOr<int64_t> stored = Count(movie_id);
    movie->mu.Lock();
    movie->counting = false;
    movie->changed.SignalAll();
    KINORA_RETURN_IF_ERROR(stored.status());
    movie->stored = *stored;
    movie->known = true;
  }
  ++movie->changes;
  return std::make_unique<Change>(movie);
}

absl::StatusOr<int64_t> BlobUsage::Count(absl::string_view movie_id) {
  int64_t bytes = 0;
  const auto count = [&bytes](const ObjectPage& page) {
    for (const ObjectInfo& object : page.objects) bytes += object.size_bytes;
    return absl::OkStatus();
  };
  std::vector<std::string> shards;
  KINORA_RETURN_IF_ERROR(
      ForEachEntry(storage_, BlobPrefix(movie_id), [&](const ObjectPage& page) {
        shards.insert(shards.end(), page.prefixes.begin(), page.prefixes.end());
        return absl::OkStatus();
      }));
  for (const std::string& shard : shards) {
    KINORA_RETURN_IF_ERROR(ForEachEntry(storage_, shard, count));
  }
  return bytes;
}

void BlobUsage::Forget(absl::string_view movie_id) {
  MutexLock lock(mu_);
  movies_.erase(movie_id);
}

std::shared_ptr<BlobUsage::Movie> BlobUsage::MovieOf(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  std::shared_ptr<Movie>& movie = movies_[movie_id];
  if (movie == nullptr) movie = std::make_shared<Movie>();
  return movie;
}

}  // namespace kinora
