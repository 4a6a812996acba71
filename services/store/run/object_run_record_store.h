// An ObjectRunRecordStore keeps the record of a run as the object
// `builds/<movie>/runs/<run_id>/record.json`, canonical JSON and its checksum
// (services/store/object/checked_document.h), and beside it the object
// `index/runs/<run_id>`, whose bytes are the movie's id, so that a run is found
// by its id alone. The index is written first: a record is never without it,
// and an index without a record is no run. While the record says that the run
// has not ended there is `index/open-runs/<run_id>`, too, written before it.
//
// The first record of a run that names its plan also leaves a copy of the plan
// as `runs/rev-0003-plan.json`, under the revision that the run leads to.

#ifndef KINORA_SERVICES_STORE_RUN_OBJECT_RUN_RECORD_STORE_H_
#define KINORA_SERVICES_STORE_RUN_OBJECT_RUN_RECORD_STORE_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/mutex.h"
#include "services/store/lease/lease_table.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"
#include "services/store/run/run_index.h"
#include "services/store/run/run_record_store.h"

namespace kinora {

// Thread-safe. Puts of one run are ordered by its lease.
class ObjectRunRecordStore final : public RunRecordStore {
 public:
  // All MUST outlive the store.
  ObjectRunRecordStore(ObjectStorage& storage, MovieCatalog& movies,
                       LeaseTable& leases)
      : storage_(storage), movies_(movies), leases_(leases), index_(storage) {
    movies.OnDeleted(
        [this](absl::string_view movie_id) { index_.Forget(movie_id); });
  }

  // A record that cannot be read, as it is damaged or the disk fails, is not
  // for lists of other runs to end at: in a list of all runs, or of all runs of
  // its movie, such a run has its ids and, as its error, what is wrong. Its
  // status and its parent are not known: a list by these of all movies' runs is
  // without it, which is logged; one of its movie's runs, by which it is told
  // whether another may begin, has that error: DATA_LOSS, with the reason
  // DATA_CORRUPT if it is damage. A run is back as soon as its record can be
  // read.
  //
  // Of a run whose record is damaged Get() names the movie in the error's
  // metadata (`movie`).
  //
  // Put() is INVALID_ARGUMENT also if the run belongs to another movie.
  absl::StatusOr<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) override;
  absl::StatusOr<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) override;
  absl::StatusOr<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) override;

 private:
  // When the runs of a list may have been begun, by their ids.
  struct Span {
    absl::Time from = absl::InfinitePast();
    absl::Time to = absl::InfiniteFuture();
  };
  absl::StatusOr<Span> SpanOf(const v1::ListRunRecordsRequest& request);
  // Names the run in the index.
  absl::Status Claim(const v1::RunRecord& record);
  // Names the plan, if the record has one, by its revision.
  absl::Status NamePlan(const v1::RunRecord& record);
  absl::StatusOr<v1::RunRecord> Load(absl::string_view movie_id,
                                     absl::string_view run_id);
  // What stands in lists for a run whose record cannot be read.
  v1::RunRecord UnreadRecord(const std::string& run_id,
                             const absl::Status& why);
  void TellUnread(const std::string& run_id, const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Up to `limit` ids that may be those of the runs that are asked for.
  absl::StatusOr<std::vector<std::string>> Candidates(
      const v1::ListRunRecordsRequest& request, absl::string_view before,
      size_t limit);
  // Movie of the run; RUN_NOT_FOUND.
  absl::StatusOr<std::string> MovieOf(absl::string_view run_id);
  // NOT_FOUND if the run never got its record, or is gone.
  absl::StatusOr<v1::RunRecord> LoadListed(absl::string_view movie_id,
                                           absl::string_view run_id);

  ObjectStorage& storage_;
  MovieCatalog& movies_;
  LeaseTable& leases_;
  RunIndex index_;

  Mutex mu_;
  // Of runs whose records could not be read, what was told last.
  absl::flat_hash_map<std::string, std::string> told_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RUN_OBJECT_RUN_RECORD_STORE_H_
