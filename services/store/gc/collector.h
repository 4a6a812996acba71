// Garbage collection of one movie, in bounded steps beside everything else that
// goes on: its blobs, mark, then sweep, and after them its readable files.
//
// A collection deletes a blob only if
//   - the walk of services/store/gc/reachable_blobs.h has not met it;
//   - nobody noted it in BlobUses since the collection began, or before that
//     under a hold that had not ended: so whoever found it present and goes on
//     to name it, in whatever order with the walk, keeps it;
//   - its last use is longer ago than the grace period.
// Readers in the middle of a blob keep what they have opened. Bytes that are
// being uploaded are no blob yet. What is deleted is gone for good once a
// report says so.
//
// It deletes a readable file only if it is not needed, as
// services/store/readable/readable_files.h says, was not edited by a person,
// and was last written longer ago than the grace period. What was deleted is
// not written again before an event declares it anew. Files that no event
// declares are nobody's business. A crash leaves some of the garbage, for the
// next collection.
//
// Memory: the digests that are reachable, 32 bytes each, and a page of a
// listing. The sweep goes shard by shard (blobs/00 to ff) and frees them as it
// goes.

#ifndef KINORA_SERVICES_STORE_GC_COLLECTOR_H_
#define KINORA_SERVICES_STORE_GC_COLLECTOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/event/event_log.h"
#include "services/store/gc/digest_set.h"
#include "services/store/gc/reachable_blobs.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"
#include "services/store/readable/readable_files.h"

namespace kinora {

// What collections work on. Borrowed.
struct CollectorParts {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  ManifestStore& manifests;
  ObjectBlobStore& blobs;
  ReadableFiles& readable;
  Clock& clock;
};

// A Collection is one collection under way; destroying it ends it, at any step.
// Not thread-safe.
class Collection {
 public:
  // INVALID_ARGUMENT for a negative grace; FAILED_PRECONDITION if the movie has
  // a collection under way. The parts MUST outlive it.
  static absl::StatusOr<std::unique_ptr<Collection>> Begin(
      const CollectorParts& parts, const v1::CollectGarbageRequest& request);

  // Goes on for some milliseconds. False once it is over. Adds what it removed
  // to `response`, and sets its totals. FAILED_PRECONDITION (MOVIE_QUARANTINED)
  // if a log or a manifest is damaged: nothing is removed then.
  absl::StatusOr<bool> Step(v1::CollectGarbageResponse* response);

 private:
  Collection(const CollectorParts& parts,
             const v1::CollectGarbageRequest& request, absl::Duration grace,
             std::unique_ptr<BlobUses::Collection> uses);

  enum class Stage { kMark, kBlobs, kFiles, kDone };

  absl::Status Mark();
  absl::Status Sweep(v1::CollectGarbageResponse* response);
  // Removes those of `candidates`, blobs that nothing reaches, that are not in
  // use.
  absl::Status Remove(const std::vector<ObjectInfo>& candidates,
                      v1::CollectGarbageResponse* response);
  absl::Status SweepFiles(v1::CollectGarbageResponse* response);

  const CollectorParts parts_;
  const std::string movie_id_;
  const bool dry_run_;
  const absl::Duration grace_;
  const absl::Duration kept_;  // blobs, after their last use
  const std::unique_ptr<BlobUses::Collection> uses_;
  ReachableBlobs walk_;
  DigestSet reachable_;
  Stage stage_ = Stage::kMark;
  int shard_ = 0;
  std::string token_;
  std::string last_file_;  // looked at so far
  int64_t scanned_ = 0;
  int64_t freed_ = 0;
};

// A whole collection; `report` is told of each step that did something, and of
// the last.
absl::Status CollectGarbage(
    const CollectorParts& parts, const v1::CollectGarbageRequest& request,
    absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)> report);

// What keeps the blob alive; the first hundred reasons. The last one may be
// `used lately, kept until 2026-01-02T03:04:05Z`.
absl::StatusOr<v1::ExplainBlobResponse> ExplainBlob(
    const CollectorParts& parts, const v1::ExplainBlobRequest& request);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_GC_COLLECTOR_H_
