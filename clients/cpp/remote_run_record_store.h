// A RemoteRunRecordStore is a RunRecordStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_RUN_RECORD_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_RUN_RECORD_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "common/rpc/unary.h"
#include "kinora/v1/run_record.grpc.pb.h"
#include "services/store/run/run_record_store.h"

namespace kinora {

class RemoteRunRecordStore final : public RunRecordStore {
 public:
  RemoteRunRecordStore(const std::shared_ptr<grpc::Channel>& channel,
                       absl::Duration timeout)
      : stub_(v1::RunRecordService::NewStub(channel)), timeout_(timeout) {}

  absl::StatusOr<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) override {
    return CallUnary(*stub_, &Stub::PutRunRecord, request, timeout_);
  }
  absl::StatusOr<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) override {
    return CallUnary(*stub_, &Stub::GetRunRecord, request, timeout_);
  }
  absl::StatusOr<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) override {
    return CallUnary(*stub_, &Stub::ListRunRecords, request, timeout_);
  }

 private:
  using Stub = v1::RunRecordService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_RUN_RECORD_STORE_H_
