// RunRecordRpcService serves RunRecordService over RPC from a RunRecordStore.
// Calls run on the executor; what is not overridden is not part of this build.

#ifndef KINORA_SERVICES_STORE_RUN_RECORD_SERVICE_H_
#define KINORA_SERVICES_STORE_RUN_RECORD_SERVICE_H_

#include "common/threads/executor.h"
#include "kinora/v1/run_record.grpc.pb.h"
#include "services/store/run/run_record_store.h"

namespace kinora {

class RunRecordRpcService final : public v1::RunRecordService::CallbackService {
 public:
  // Both MUST outlive the server.
  RunRecordRpcService(RunRecordStore& runs, Executor& executor)
      : runs_(runs), executor_(executor) {}

  grpc::ServerUnaryReactor* PutRunRecord(
      grpc::CallbackServerContext* context,
      const v1::PutRunRecordRequest* request,
      v1::PutRunRecordResponse* response) override;
  grpc::ServerUnaryReactor* GetRunRecord(
      grpc::CallbackServerContext* context,
      const v1::GetRunRecordRequest* request,
      v1::GetRunRecordResponse* response) override;
  grpc::ServerUnaryReactor* ListRunRecords(
      grpc::CallbackServerContext* context,
      const v1::ListRunRecordsRequest* request,
      v1::ListRunRecordsResponse* response) override;

 private:
  RunRecordStore& runs_;
  Executor& executor_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RUN_RECORD_SERVICE_H_
