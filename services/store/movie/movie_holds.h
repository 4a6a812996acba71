// MovieHolds keep apart what must not happen to a movie at the same time:
//   - copying it, which any number may do at once;
//   - removing parts that a copy may still read: pruning, trimming of logs;
//   - restoring it, while there is no such movie: nobody else may take its id.
// Deleting a movie waits for removals alone: what they would write or remove
// behind it would be the next movie's of that id. Copies are told, and fail;
// and so are uploads and edits, which keep nothing apart: what was begun in one
// movie MUST NOT end in the next one.
//
// What these do not cover, fenced appends and commits and collections, needs no
// hold: the first two only add, and a collection leaves alone what a log, a
// manifest or a plan names for as long as none of them is removed.

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_HOLDS_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_HOLDS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe. MUST outlive its holds.
class MovieHolds {
 private:
  enum class Kind { kUpload, kCopy, kRemoval, kRestoration };

 public:
  // Ends with its destruction. Thread-safe.
  class Hold {
   public:
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    // True if the movie was deleted since the hold began.
    bool deleted() const;

   private:
    friend class MovieHolds;
    Hold(MovieHolds& holds, absl::string_view movie_id, Kind kind,
         int64_t deletions)
        : holds_(holds),
          movie_id_(movie_id),
          kind_(kind),
          deletions_(deletions) {}

    MovieHolds& holds_;
    const std::string movie_id_;
    const Kind kind_;
    const int64_t deletions_;  // before it
  };

  // For an upload or an edit. Waits for nothing. Take it before looking whether
  // the movie exists.
  std::unique_ptr<Hold> ForUpload(absl::string_view movie_id);

  // Waits until nothing is being removed, which is soon.
  std::unique_ptr<Hold> ForCopy(absl::string_view movie_id);

  // FAILED_PRECONDITION while the movie is being copied. Take it before looking
  // whether the movie exists.
  absl::StatusOr<std::unique_ptr<Hold>> ForRemoval(absl::string_view movie_id);

  // Waits until nothing is being removed. Call it once whoever looks finds the
  // movie deleted.
  void AwaitRemovals(absl::string_view movie_id);

  // ALREADY_EXISTS (MOVIE_EXISTS) while the movie is being restored.
  absl::StatusOr<std::unique_ptr<Hold>> ForRestoration(
      absl::string_view movie_id);
  bool IsRestored(absl::string_view movie_id);

  // Tells the copies and uploads under way.
  void NoteDeletion(absl::string_view movie_id);

 private:
  // Of a movie that has holds.
  struct Movie {
    int uploads = 0;
    int copies = 0;
    int removals = 0;
    bool restoration = false;
    int64_t deletions = 0;
  };

  void End(const Hold& hold);
  void AwaitRemovalsLocked(absl::string_view movie_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  CondVar removal_ended_;
  absl::flat_hash_map<std::string, Movie> movies_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_HOLDS_H_
