#include "services/store/run_record_service.h"

#include "common/rpc/unary.h"

namespace kinora {

grpc::ServerUnaryReactor* RunRecordRpcService::PutRunRecord(
    grpc::CallbackServerContext* context,
    const v1::PutRunRecordRequest* request,
    v1::PutRunRecordResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::PutRunRecordRequest& r) { return runs_.Put(r); });
}

grpc::ServerUnaryReactor* RunRecordRpcService::GetRunRecord(
    grpc::CallbackServerContext* context,
    const v1::GetRunRecordRequest* request,
    v1::GetRunRecordResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::GetRunRecordRequest& r) { return runs_.Get(r); });
}

grpc::ServerUnaryReactor* RunRecordRpcService::ListRunRecords(
    grpc::CallbackServerContext* context,
    const v1::ListRunRecordsRequest* request,
    v1::ListRunRecordsResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ListRunRecordsRequest& r) { return runs_.List(r); });
}

}  // namespace kinora
