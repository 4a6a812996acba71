// The store as one bundle of interfaces: what planner and runner are given,
// whether it lives in this process or behind a channel.

#ifndef KINORA_SERVICES_STORE_STORE_H_
#define KINORA_SERVICES_STORE_STORE_H_

#include "services/store/blob/blob_store.h"
#include "services/store/event/event_store.h"
#include "services/store/lease/lease_store.h"
#include "services/store/maintenance/maintenance_store.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/movie/movie_store.h"
#include "services/store/plan/plan_store.h"
#include "services/store/run/run_record_store.h"

namespace kinora {

// Borrowed references; whoever made the parts keeps them alive. LocalStore
// (services/store/local_store.h) and RemoteStore (clients/cpp/remote_store.h)
// own the parts and hand this out.
struct Store {
  MovieStore& movies;
  BlobStore& blobs;
  EventStore& events;
  ManifestStore& manifests;
  PlanStore& plans;
  LeaseStore& leases;
  RunRecordStore& runs;
  MaintenanceStore& maintenance;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_STORE_H_
