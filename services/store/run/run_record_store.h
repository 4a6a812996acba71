// A RunRecordStore keeps one record per run, found by run id alone.
// ObjectRunRecordStore keeps them in an ObjectStorage; RemoteRunRecordStore
// (clients/cpp) reaches one over RPC. Errors are those of RunRecordService in
// proto/kinora/v1/run_record.proto.

#ifndef KINORA_SERVICES_STORE_RUN_RUN_RECORD_STORE_H_
#define KINORA_SERVICES_STORE_RUN_RUN_RECORD_STORE_H_

#include "absl/status/statusor.h"

#include "kinora/v1/run_record.pb.h"

namespace kinora {

// Thread-safe. Calls may block.
class RunRecordStore {
 public:
  virtual ~RunRecordStore() = default;

  virtual absl::StatusOr<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RUN_RUN_RECORD_STORE_H_
