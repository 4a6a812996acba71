// A StoreCore is the parts of one store process above its drivers, put
// together: the one place where they are wired.

#ifndef KINORA_SERVICES_STORE_STORE_CORE_H_
#define KINORA_SERVICES_STORE_STORE_CORE_H_

#include <memory>

#include "common/clock.h"
#include "common/threads/executor.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/lease/lease_table.h"
#include "services/store/maintenance/store_maintenance.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/movie/object_movie_store.h"
#include "services/store/object/object_storage.h"
#include "services/store/plan/object_plan_store.h"
#include "services/store/run/object_run_record_store.h"
#include "services/store/scratch/blobs_behind.h"
#include "services/store/store.h"

namespace kinora {

struct StoreCoreOptions {
  ObjectBlobStoreOptions blobs;
  LogEventStoreOptions events;
  // Helps to hash manifests; null if nobody does. MUST outlive the core.
  Executor* helper = nullptr;
  // Where blobs are read that the core's own store lacks (BlobsBehind); null
  // for nowhere. MUST outlive the core.
  BlobStore* blobs_behind = nullptr;
};

// Thread-safe, as its parts are. Several on the same storage and log, one after
// another, are restarts. Both and the clock MUST outlive this.
struct StoreCore {
  StoreCore(ObjectStorage& storage, EventLog& log, Clock& clock,
            const StoreCoreOptions& options = {});

  Store store() {
    return {movies, all_blobs(), events, manifests,
            plans,  leases,      runs,   maintenance};
  }

  BlobStore& all_blobs() {
    if (behind != nullptr) return *behind;
    return blobs;
  }

  // In the order in which they need each other.
  MovieCatalog catalog;
  LeaseTable leases;
  ObjectBlobStore blobs;
  const std::unique_ptr<BlobsBehind> behind;  // null without blobs behind
  LogEventStore events;
  LogManifestStore manifests;
  ObjectMovieStore movies;
  ObjectPlanStore plans;
  ObjectRunRecordStore runs;
  StoreMaintenance maintenance;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_STORE_CORE_H_
