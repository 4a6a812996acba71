#include "services/store/store_service.h"

#include <algorithm>

#include "common/version.h"
#include "services/store/blob/object_blob_store.h"

namespace kinora {
namespace {

constexpr char kApiVersion[] = "v1";

// Calls of maintenance at once; more of them wait.
constexpr int kMaintenanceThreads = 4;

v1::GetCapabilitiesResponse CapabilitiesOf(const StoreServiceOptions& options) {
  v1::GetCapabilitiesResponse capabilities;
  capabilities.set_max_message_bytes(options.max_message_bytes);
  capabilities.set_max_batch_bytes(
      std::min(kMaxBatchBytes, options.max_message_bytes / 4 * 3));
  capabilities.set_max_blob_bytes(options.max_blob_bytes);
  capabilities.set_inline_limit_bytes(options.inline_limit_bytes);
  capabilities.add_api_versions(kApiVersion);
  return capabilities;
}

v1::GetServerInfoResponse InfoOf(const StoreServiceOptions& options) {
  v1::GetServerInfoResponse info;
  info.set_version(std::string(kKinoraVersion));
  info.add_api_versions(kApiVersion);
  info.set_storage_driver(options.storage_driver);
  return info;
}

}  // namespace

StoreServices::StoreServices(Store store, Executor& executor,
                             const StoreServiceOptions& options)
    : movies_(store.movies, executor),
      blobs_(store.blobs, executor, CapabilitiesOf(options)),
      events_(store.events, executor),
      manifests_(store.manifests, executor),
      plans_(store.plans, executor),
      leases_(store.leases, executor),
      runs_(store.runs, executor),
      maintenance_threads_("maintenance", kMaintenanceThreads),
      maintenance_(store.maintenance, maintenance_threads_, InfoOf(options),
                   options.read_only_reason) {}

std::vector<RpcService> StoreServices::services() {
  return {
      {v1::MovieService::service_full_name(), &movies_},
      {v1::BlobService::service_full_name(), &blobs_},
      {v1::EventService::service_full_name(), &events_},
      {v1::ManifestService::service_full_name(), &manifests_},
      {v1::PlanService::service_full_name(), &plans_},
      {v1::LeaseService::service_full_name(), &leases_},
      {v1::RunRecordService::service_full_name(), &runs_},
      {v1::MaintenanceService::service_full_name(), &maintenance_},
  };
}

}  // namespace kinora
