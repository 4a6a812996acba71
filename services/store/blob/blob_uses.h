// BlobUses decide between those who rely on a blob and a collection that would
// delete it. Whoever writes a blob, or is told that it exists, notes it here
// first; a collection deletes none that was noted since it began.
//
// Somebody who has noted a blob goes on to name it in a log or a manifest. A
// hold, taken before, covers that while: what is noted under a hold is known to
// every collection that begins before the hold ends, too. Later the log keeps
// the blob, or the grace period.
//
// Costs no thread and no wait: a collection begins at once. A note waits only
// if its very blob is being deleted at that moment, and then finds it gone.
//
// How it works: notes go into one of two sets. The other one is emptied, and
// becomes the one for notes, when the holds that were there at the last such
// turn have ended; and not while a collection is under way. So a note stays for
// as long as any hold that was there when it was made, and the sets hold what
// was noted during the two longest holds of late.

#ifndef KINORA_SERVICES_STORE_BLOB_BLOB_USES_H_
#define KINORA_SERVICES_STORE_BLOB_BLOB_USES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class BlobUses {
 private:
  class Movie;

 public:
  // Keeps what is noted, until it is destroyed.
  class Hold {
   public:
    explicit Hold(std::shared_ptr<Movie> movie);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    // Call it before looking whether the blob exists.
    void Note(const Digest& digest) const;

   private:
    const std::shared_ptr<Movie> movie_;
    const int turn_;
  };

  // A collection under way; destroying it ends it.
  class Collection {
   public:
    explicit Collection(std::shared_ptr<Movie> movie);
    ~Collection();
    Collection(const Collection&) = delete;
    Collection& operator=(const Collection&) = delete;

    // Whether a collection must leave the blob alone.
    bool IsUsed(const Digest& digest) const;

    // Takes those that are used out of `digests`. The others are the caller's
    // to delete until it calls Release(); who notes one of them waits.
    void Condemn(std::vector<Digest>* digests);
    void Release();

   private:
    const std::shared_ptr<Movie> movie_;
  };

  std::shared_ptr<Hold> HoldOf(absl::string_view movie_id);

  // FAILED_PRECONDITION if the movie has a collection under way.
  absl::StatusOr<std::unique_ptr<Collection>> Collect(
      absl::string_view movie_id);

 private:
  std::shared_ptr<Movie> MovieOf(absl::string_view movie_id);

  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<Movie>> movies_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_BLOB_USES_H_
