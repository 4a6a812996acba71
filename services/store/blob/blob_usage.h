// BlobUsage counts the bytes of a movie's blobs against its quota. The count is
// made from a listing when a movie with a quota is first written to, and then
// kept by every change; a movie that never had a quota is never listed.

#ifndef KINORA_SERVICES_STORE_BLOB_BLOB_USAGE_H_
#define KINORA_SERVICES_STORE_BLOB_BLOB_USAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe.
class BlobUsage {
 private:
  struct Movie;

 public:
  // A change of the blobs under way: what is wanted is reserved while it lives.
  // No listing is made meanwhile, so that none sees half of a change; whoever
  // has one MUST NOT begin another with a limit, which could wait for the first
  // for ever.
  class Change {
   public:
    explicit Change(std::shared_ptr<Movie> movie) : movie_(std::move(movie)) {}
    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

    // Reserves `wanted` bytes more. RESOURCE_EXHAUSTED (LIMIT_EXCEEDED) if they
    // would be over `limit`, with which it was begun; 0 is no limit.
    absl::Status Reserve(absl::string_view movie_id, int64_t limit,
                         int64_t wanted);

    // So many bytes more (or less) are stored now.
    void Stored(int64_t bytes);
    // Nobody knows how many: the next one who needs it counts again.
    void Lost();

   private:
    const std::shared_ptr<Movie> movie_;
    int64_t wanted_ = 0;  // guarded by the movie's lock
  };

  // `storage` MUST outlive this and its changes.
  explicit BlobUsage(ObjectStorage& storage) : storage_(storage) {}

  // Begins a change that reserves nothing yet. May list all blobs of the movie
  // if there is a limit.
  absl::StatusOr<std::unique_ptr<Change>> Begin(absl::string_view movie_id,
                                                int64_t limit);
  // The same with Change::Reserve() of `wanted` bytes.
  absl::StatusOr<std::unique_ptr<Change>> Begin(absl::string_view movie_id,
                                                int64_t limit, int64_t wanted);

  // For a movie that is gone.
  void Forget(absl::string_view movie_id);

 private:
  std::shared_ptr<Movie> MovieOf(absl::string_view movie_id);
  absl::StatusOr<int64_t> Count(absl::string_view movie_id);

  ObjectStorage& storage_;
  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<Movie>> movies_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_BLOB_USAGE_H_
