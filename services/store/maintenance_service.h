// MaintenanceRpcService serves MaintenanceService over RPC from a
// MaintenanceStore.
//
// A long call holds a thread of the executor for its whole length, and as long
// as its client takes: give it one of its own. Scans of one movie come one
// after another anyway, also dry runs: those that wait hold no thread.

#ifndef KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_
#define KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_

#include <functional>
#include <string>
#include <utility>

#include "common/threads/executor.h"
#include "common/threads/keyed_strands.h"
#include "kinora/v1/maintenance.grpc.pb.h"
#include "services/store/maintenance/maintenance_store.h"

namespace kinora {

class MaintenanceRpcService final
    : public v1::MaintenanceService::CallbackService {
 public:
  // Both MUST outlive the server. `read_only_reason`, which may be empty, MUST
  // be thread-safe and short.
  MaintenanceRpcService(MaintenanceStore& maintenance, Executor& executor,
                        v1::GetServerInfoResponse info,
                        std::function<std::string()> read_only_reason)
      : maintenance_(maintenance),
        executor_(executor),
        scans_(executor),
        info_(std::move(info)),
        read_only_reason_(std::move(read_only_reason)) {}

  grpc::ServerWriteReactor<v1::CollectGarbageResponse>* CollectGarbage(
      grpc::CallbackServerContext* context,
      const v1::CollectGarbageRequest* request) override;
  grpc::ServerUnaryReactor* ExplainBlob(
      grpc::CallbackServerContext* context,
      const v1::ExplainBlobRequest* request,
      v1::ExplainBlobResponse* response) override;
  grpc::ServerWriteReactor<v1::VerifyMovieResponse>* VerifyMovie(
      grpc::CallbackServerContext* context,
      const v1::VerifyMovieRequest* request) override;
  grpc::ServerUnaryReactor* CheckpointMovie(
      grpc::CallbackServerContext* context,
      const v1::CheckpointMovieRequest* request,
      v1::CheckpointMovieResponse* response) override;
  grpc::ServerUnaryReactor* ScanReadableFiles(
      grpc::CallbackServerContext* context,
      const v1::ScanReadableFilesRequest* request,
      v1::ScanReadableFilesResponse* response) override;
  grpc::ServerUnaryReactor* PruneMovie(
      grpc::CallbackServerContext* context,
      const v1::PruneMovieRequest* request,
      v1::PruneMovieResponse* response) override;
  grpc::ServerWriteReactor<v1::BackUpMovieResponse>* BackUpMovie(
      grpc::CallbackServerContext* context,
      const v1::BackUpMovieRequest* request) override;
  grpc::ServerReadReactor<v1::RestoreMovieRequest>* RestoreMovie(
      grpc::CallbackServerContext* context,
      v1::RestoreMovieResponse* response) override;
  grpc::ServerUnaryReactor* GetStatistics(
      grpc::CallbackServerContext* context,
      const v1::GetStatisticsRequest* request,
      v1::GetStatisticsResponse* response) override;
  grpc::ServerUnaryReactor* GetServerInfo(
      grpc::CallbackServerContext* context,
      const v1::GetServerInfoRequest* request,
      v1::GetServerInfoResponse* response) override;

 private:
  MaintenanceStore& maintenance_;
  Executor& executor_;
  KeyedStrands scans_;  // by movie
  const v1::GetServerInfoResponse info_;
  const std::function<std::string()> read_only_reason_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_
