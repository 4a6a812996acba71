// A UseHorizon says until when the blobs of a movie may have been used although
// their files do not show it: a use makes a file young without a sync, and a
// loss of power may undo that.
//
// It is the object `builds/<movie>/blob-uses.json`, canonical JSON
// `{"usedThrough": RFC 3339}` and its checksum
// (services/store/object/checked_document.h), written ahead: many uses cost one
// write. What an
// earlier process left counts as the age of every older blob.

#ifndef KINORA_SERVICES_STORE_BLOB_USE_HORIZON_H_
#define KINORA_SERVICES_STORE_BLOB_USE_HORIZON_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/mutex.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe.
class UseHorizon {
 public:
  // `storage` MUST outlive this.
  explicit UseHorizon(ObjectStorage& storage) : storage_(storage) {}

  // Returns once the horizon is durably at `now` or later. Moves it on by
  // `ahead`.
  absl::Status Cover(absl::string_view movie_id, absl::Time now,
                     absl::Duration ahead);

  // The horizon that earlier processes left; InfinitePast() if they left none.
  absl::StatusOr<absl::Time> Inherited(absl::string_view movie_id);

  // For a movie that is gone.
  void Forget(absl::string_view movie_id) {
    MutexLock lock(mu_);
    horizons_.erase(movie_id);
  }

 private:
  struct Horizon {
    absl::Time inherited;
    absl::Time covered;
  };

  absl::StatusOr<Horizon*> Load(absl::string_view movie_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  ObjectStorage& storage_;
  Mutex mu_;
  absl::flat_hash_map<std::string, Horizon> horizons_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_USE_HORIZON_H_
