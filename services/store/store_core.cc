#include "services/store/store_core.h"

namespace kinora {

StoreCore::StoreCore(ObjectStorage& storage, EventLog& log, Clock& clock,
                     const StoreCoreOptions& options)
    : catalog(storage),
      leases(storage, catalog, clock),
      blobs(storage, catalog, clock, options.blobs),
      behind(options.blobs_behind == nullptr
                 ? nullptr
                 : std::make_unique<BlobsBehind>(blobs, *options.blobs_behind)),
      events(log, storage, catalog, all_blobs(), leases, clock, options.events),
      manifests(storage, log, catalog, all_blobs(), events, leases,
                options.helper),
      movies(storage, log, catalog, blobs, events, manifests, leases, clock),
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
