// The parts of one store process, over storage and log that may outlive it.

#ifndef KINORA_SERVICES_STORE_TESTING_STORE_CORE_H_
#define KINORA_SERVICES_STORE_TESTING_STORE_CORE_H_

#include "common/clock.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/event/log_event_store.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/lease/lease_table.h"
#include "services/store/maintenance/store_maintenance.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/movie/object_movie_store.h"
#include "services/store/object/memory_object_storage.h"
#include "services/store/plan/object_plan_store.h"
#include "services/store/run/object_run_record_store.h"
#include "services/store/store.h"

namespace kinora {

// Several on the same storage and log, one after another, are restarts. All
// MUST outlive this.
struct StoreCore {
  StoreCore(ObjectStorage& storage, EventLog& log, Clock& clock);

  Store store() {
    return {movies, blobs, events, manifests, plans, leases, runs, maintenance};
  }

  MovieCatalog catalog;
  LeaseTable leases;
  ObjectBlobStore blobs;
  LogEventStore events;
  LogManifestStore manifests;
  ObjectMovieStore movies;
  ObjectPlanStore plans;
  ObjectRunRecordStore runs;
  StoreMaintenance maintenance;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_STORE_CORE_H_
