// An ObjectPlanStore keeps each plan as the object
// `builds/<movie>/runs/plans/<hash>.json`: its canonical JSON, named by the
// SHA-256 of those bytes, written once. How far the plan of a revision is, is
// the object `builds/<movie>/runs/rev-0003-progress.json`: the canonical JSON
// of a v1::PlanProgress and its checksum
// (services/store/object/checked_document.h), replaced as the run goes on.

#ifndef KINORA_SERVICES_STORE_PLAN_OBJECT_PLAN_STORE_H_
#define KINORA_SERVICES_STORE_PLAN_OBJECT_PLAN_STORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/lease/lease_table.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"
#include "services/store/plan/plan_store.h"

namespace kinora {

// Thread-safe.
class ObjectPlanStore final : public PlanStore {
 public:
  // All MUST outlive the store.
  ObjectPlanStore(ObjectStorage& storage, MovieCatalog& movies,
                  LeaseTable& leases)
      : storage_(storage), movies_(movies), leases_(leases) {}

  // A stored plan that was damaged is written again. INVALID_ARGUMENT if `json`
  // is not a plan of the movie in canonical form, or does not have
  // `header.expected_hash()`.
  absl::StatusOr<v1::SavePlanResponse> Save(const v1::SavePlanHeader& header,
                                            absl::string_view json) override;

  // DATA_LOSS (DATA_CORRUPT) if the stored bytes do not have their hash.
  absl::StatusOr<std::string> Load(const v1::LoadPlanRequest& request) override;

  // The lease MUST be held for the run that the progress names.
  absl::StatusOr<v1::SaveProgressResponse> SaveProgress(
      const v1::SaveProgressRequest& request) override;
  absl::StatusOr<v1::LoadProgressResponse> LoadProgress(
      const v1::LoadProgressRequest& request) override;

 private:
  ObjectStorage& storage_;
  MovieCatalog& movies_;
  LeaseTable& leases_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_PLAN_OBJECT_PLAN_STORE_H_
