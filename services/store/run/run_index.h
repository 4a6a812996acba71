// A RunIndex holds the ids of runs in order, so that a page of a listing costs
// the page and not all runs.
//
// It is made from the directory of a movie's runs, or that of all runs, at the
// first listing, and kept up to date by whoever records runs. A few listings
// are kept at a time.

#ifndef KINORA_SERVICES_STORE_RUN_RUN_INDEX_H_
#define KINORA_SERVICES_STORE_RUN_RUN_INDEX_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe.
class RunIndex {
 public:
  // `storage` MUST outlive the index.
  explicit RunIndex(ObjectStorage& storage) : storage_(storage) {}

  // Up to `limit` ids of runs older than `before` (empty: from the newest), the
  // newest first; of all movies if `movie_id` is empty. An id whose run is gone
  // or never got its record may be among them.
  absl::StatusOr<std::vector<std::string>> Page(absl::string_view movie_id,
                                                absl::string_view before,
                                                size_t limit);

  // The same of runs that are marked as open, of all movies. One may have ended
  // since, or its movie is gone.
  absl::StatusOr<std::vector<std::string>> OpenPage(absl::string_view before,
                                                    size_t limit);

  // To be called once the run can be found in its directory.
  void Add(absl::string_view movie_id, absl::string_view run_id);

  // Marks a run as open, durably; to be called before its record says so. The
  // mark is an object of its own, so that what runs is found without a look at
  // what has run.
  absl::Status MarkOpen(absl::string_view movie_id, absl::string_view run_id);
  // To be called once the record says that the run has ended.
  absl::Status MarkEnded(absl::string_view run_id);

  // Makes the next listing look again.
  void Forget(absl::string_view movie_id);

 private:
  using Ids = std::set<std::string, std::greater<>>;

  static std::vector<std::string> PageOf(const Ids& ids,
                                         absl::string_view before,
                                         size_t limit);
  // The ids that a directory names.
  absl::StatusOr<Ids> ReadIds(absl::string_view prefix);

  ObjectStorage& storage_;
  Mutex mu_;  // held while a directory is listed, so that no run is missed
  std::map<std::string, Ids, std::less<>> ids_by_movie_ ABSL_GUARDED_BY(mu_);
  std::optional<Ids> open_ ABSL_GUARDED_BY(mu_);  // of all movies
};

// Makes the run found by its id in the movie. False, and nothing changed, if it
// is a run of another movie.
absl::StatusOr<bool> ClaimRunId(ObjectStorage& storage,
                                absl::string_view movie_id,
                                absl::string_view run_id);

// Undoes that. False, and nothing changed, if it is a run of another movie.
absl::StatusOr<bool> ReleaseRunId(ObjectStorage& storage,
                                  absl::string_view movie_id,
                                  absl::string_view run_id);

// Deletes the leases on the run and on its steps.
absl::Status DeleteRunLeases(ObjectStorage& storage, absl::string_view run_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RUN_RUN_INDEX_H_
