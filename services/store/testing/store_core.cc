#include "services/store/testing/store_core.h"

namespace kinora {

StoreCore::StoreCore(ObjectStorage& storage, EventLog& log, Clock& clock)
    : catalog(storage),
      leases(storage, catalog, clock),
      blobs(storage, catalog, clock, {}),
      events(log, storage, catalog, blobs, leases, clock, {}),
      manifests(storage, log, catalog, blobs, events, leases, nullptr),
      movies(storage, log, catalog, events, manifests, leases, clock),
      plans(storage, catalog, leases),
      runs(storage, catalog, leases),
      maintenance(StoreCores{.storage = storage,
                             .log = log,
                             .catalog = catalog,
                             .leases = leases,
                             .blobs = blobs,
                             .events = events,
                             .manifests = manifests,
                             .movies = movies,
                             .clock = clock}) {}

}  // namespace kinora
