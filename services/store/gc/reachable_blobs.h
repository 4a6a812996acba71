// The one rule of what keeps the blobs of a movie alive. Collection, the answer
// to "why is this blob here" and verification all walk it.
//
// A blob is reachable if it is named by
//   - an event of inputs.log;
//   - a succeeded event of artefacts.log, unless it was pruned as a take;
//   - such an event of a removed log, as a checkpoint has kept it;
//   - a published manifest that was not pruned;
//   - a plan that is kept;
//   - an edit of a run that waits for its turn.
// What was used lately is kept too, but by its age: that is the collector's to
// see (services/store/gc/collector.h).
//
// The walk may run beside appends, commits and pruning. A reference that exists
// when it begins and is still there when it ends is visited. One that comes
// meanwhile may be missed: whoever adds it has noted its blob in BlobUses.

#ifndef KINORA_SERVICES_STORE_GC_REACHABLE_BLOBS_H_
#define KINORA_SERVICES_STORE_GC_REACHABLE_BLOBS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/event/event_log.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/object/object_storage.h"
#include "services/store/retention/kept_takes.h"

namespace kinora {

// One place that names a blob. Everything in it lives during the visit only.
struct BlobReference {
  enum class Source {
    kManifest,
    kInputEvent,
    kArtefactEvent,
    kPlan,
    kQueuedRun,
  };

  Source source = Source::kManifest;
  const v1::BlobRef& blob;
  // `rev-0003`, the run's id, or the path of the plan or the checkpoint below
  // the movie; empty for events of a log.
  absl::string_view document;
  // Of an event; else 0.
  int64_t sequence = 0;
  // `Artifact:Film`, `Input:Topic`.
  absl::string_view element;

  // One line for people: `manifest rev-0003 Artifact:Film`,
  // `inputs.log 12 Input:Topic`, `artefacts.log 40 Artifact:Film`,
  // `events/inputs.checkpoint.rev-0003.json 12 Input:Topic`,
  // `plan runs/plans/7f3c....json Input:Topic`, `queued run-01KD... Topic`.
  std::string Reason() const;
};

// Takes a reference; an error ends the walk with that error.
using BlobReferenceVisitor =
    absl::FunctionRef<absl::Status(const BlobReference& reference)>;

// Visits the blobs that a document names by itself, whatever keeps it.
absl::Status VisitBlobsOf(const v1::Event& event, BlobReferenceVisitor visit);
absl::Status VisitBlobsOf(const v1::Manifest& manifest,
                          BlobReferenceVisitor visit);
// `path` is the plan's, below the movie.
absl::Status VisitBlobsOf(absl::string_view path, const v1::Plan& plan,
                          BlobReferenceVisitor visit);

// A ReachableBlobs is one walk, a bounded step at a time. Not thread-safe.
class ReachableBlobs {
 public:
  // All MUST outlive the walk. The movie exists.
  ReachableBlobs(ObjectStorage& storage, EventLog& log,
                 ManifestStore& manifests, std::string movie_id)
      : storage_(storage),
        manifests_(manifests),
        movie_id_(std::move(movie_id)),
        inputs_(log, storage, movie_id_, v1::LOG_KIND_INPUTS),
        artefacts_(log, storage, movie_id_, v1::LOG_KIND_ARTEFACTS) {}

  // Visits the references of about 1,000 events, one manifest, one plan or the
  // queued runs.
  // False once the walk is over. DATA_LOSS naming file and line if a log or a
  // manifest is damaged: then what is reachable cannot be told.
  absl::StatusOr<bool> Step(BlobReferenceVisitor visit);

 private:
  enum class Stage { kInputs, kArtefacts, kManifests, kPlans, kQueue, kDone };

  absl::StatusOr<bool> StepLog(v1::LogKind kind, BlobReferenceVisitor visit);
  absl::StatusOr<bool> StepManifest(BlobReferenceVisitor visit);
  absl::StatusOr<bool> StepPlan(BlobReferenceVisitor visit);
  absl::Status ListPlans();
  absl::Status VisitQueue(BlobReferenceVisitor visit);

  ObjectStorage& storage_;
  ManifestStore& manifests_;
  const std::string movie_id_;
  LogHistory inputs_;
  LogHistory artefacts_;

  Stage stage_ = Stage::kInputs;
  KeptTakes takes_;                     // read before artefacts.log
  int64_t after_ = 0;                   // last event of the log at hand
  std::string revision_;                // last manifest visited
  std::vector<std::string> revisions_;  // next ones, the nearest last
  bool plans_listed_ = false;
  std::vector<std::string> plans_;  // keys still to visit
  absl::flat_hash_set<std::string> seen_plans_;
};

// The whole walk.
absl::Status VisitReachableBlobs(ObjectStorage& storage, EventLog& log,
                                 ManifestStore& manifests,
                                 absl::string_view movie_id,
                                 BlobReferenceVisitor visit);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_GC_REACHABLE_BLOBS_H_
