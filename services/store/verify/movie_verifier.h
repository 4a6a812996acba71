// Verifies a movie: every file against its hash, every line of every log,
// what stands for removed lines, every manifest against the logs, every
// reference; and that nothing of it is a link. Repairs nothing.
//
// One piece of damage is one problem: what cannot be told because of it (the
// manifests, if a log is damaged) is not reported as well. A check that damage
// ends is a problem too, and the others go on. Derived files, such
// as indexes and checkpoints, are not looked at: a store that finds them wrong
// makes them anew.

#ifndef KINORA_SERVICES_STORE_VERIFY_MOVIE_VERIFIER_H_
#define KINORA_SERVICES_STORE_VERIFY_MOVIE_VERIFIER_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct MovieVerifierCores {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  LogEventStore& events;
  LogManifestStore& manifests;
};

// MaintenanceService.VerifyMovie. May run beside everything else. Memory is
// bounded by one manifest, one plan and one line; blobs are streamed. A damaged
// log is quarantined for writing.
absl::Status VerifyMovie(
    const v1::VerifyMovieRequest& request, const MovieVerifierCores& cores,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_MOVIE_VERIFIER_H_
