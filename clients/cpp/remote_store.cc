#include "clients/cpp/remote_store.h"

#include "clients/cpp/remote_blob_store.h"
#include "clients/cpp/remote_event_store.h"
#include "clients/cpp/remote_lease_store.h"
#include "clients/cpp/remote_maintenance_store.h"
#include "clients/cpp/remote_manifest_store.h"
#include "clients/cpp/remote_movie_store.h"
#include "clients/cpp/remote_plan_store.h"
#include "clients/cpp/remote_run_record_store.h"

namespace kinora {

struct RemoteStore::Parts {
  Parts(const std::shared_ptr<grpc::Channel>& channel,
        const RemoteStoreOptions& options)
      : movies(channel, options.timeout, options.maintenance_timeout),
        blobs(channel, options.timeout, options.stream_timeout),
        events(channel, options.timeout),
        manifests(channel, options.timeout, options.stream_timeout),
        plans(channel, options.timeout, options.stream_timeout),
        leases(channel, options.timeout),
        runs(channel, options.timeout),
        maintenance(channel, options.maintenance_timeout),
        timeout(options.timeout) {}

  RemoteMovieStore movies;
  RemoteBlobStore blobs;
  RemoteEventStore events;
  RemoteManifestStore manifests;
  RemotePlanStore plans;
  RemoteLeaseStore leases;
  RemoteRunRecordStore runs;
  RemoteMaintenanceStore maintenance;
  const absl::Duration timeout;
};

RemoteStore::RemoteStore(const std::shared_ptr<grpc::Channel>& channel,
                         const RemoteStoreOptions& options)
    : parts_(std::make_unique<Parts>(channel, options)) {}

RemoteStore::~RemoteStore() = default;

Store RemoteStore::store() {
  return Store{.movies = parts_->movies,
               .blobs = parts_->blobs,
               .events = parts_->events,
               .manifests = parts_->manifests,
               .plans = parts_->plans,
               .leases = parts_->leases,
               .runs = parts_->runs,
               .maintenance = parts_->maintenance};
}

absl::StatusOr<v1::GetServerInfoResponse> RemoteStore::GetServerInfo() {
  return parts_->maintenance.GetServerInfo(parts_->timeout);
}

}  // namespace kinora
