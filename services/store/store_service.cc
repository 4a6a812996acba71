#include "services/store/store_service.h"

#include <utility>

namespace kinora {

StoreServices::StoreServices(Store store, Executor& executor,
                             StoreServiceOptions options)
    : movies_(store.movies, executor),
      blobs_(store.blobs, executor, std::move(options.capabilities)),
      events_(store.events, executor),
      manifests_(store.manifests, executor),
      plans_(store.plans, executor),
      leases_(store.leases, executor),
      runs_(store.runs, executor),
      maintenance_(std::move(options.info)) {}

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
