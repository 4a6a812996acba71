// StoreServices is every RPC service of the store, for a server to serve:
//
//   StoreServices services(local_store->store(), executor, options);
//   RpcServer::Start(rpc_options, services.services());

#ifndef KINORA_SERVICES_STORE_STORE_SERVICE_H_
#define KINORA_SERVICES_STORE_STORE_SERVICE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/rpc/server.h"
#include "common/threads/executor.h"
#include "common/threads/thread_pool.h"
#include "services/store/blob_service.h"
#include "services/store/event_service.h"
#include "services/store/lease_service.h"
#include "services/store/maintenance_service.h"
#include "services/store/manifest_service.h"
#include "services/store/movie_service.h"
#include "services/store/plan_service.h"
#include "services/store/run_record_service.h"
#include "services/store/store.h"

namespace kinora {

// What GetCapabilities and GetServerInfo say.
struct StoreServiceOptions {
  int64_t max_message_bytes = 16 << 20;
  int64_t max_blob_bytes = 0;  // 0 for no limit
  int64_t inline_limit_bytes = 4096;
  std::string storage_driver = "local";  // or "memory"
  // Why writes are refused; empty while they are not. Asked at every call.
  std::function<std::string()> read_only_reason;
};

class StoreServices {
 public:
  // The store and the executor MUST outlive the server. In a process that also
  // calls this store through a channel, `executor` MUST NOT be the one whose
  // threads wait for those calls.
  StoreServices(Store store, Executor& executor,
                const StoreServiceOptions& options);

  // Valid while this is.
  std::vector<RpcService> services();

 private:
  MovieRpcService movies_;
  BlobRpcService blobs_;
  EventRpcService events_;
  ManifestRpcService manifests_;
  PlanRpcService plans_;
  LeaseRpcService leases_;
  RunRecordRpcService runs_;
  // Maintenance takes long and waits for its clients: it has its own threads.
  ThreadPool maintenance_threads_;
  MaintenanceRpcService maintenance_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_STORE_SERVICE_H_
