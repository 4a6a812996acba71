// A StoreCall is one change asked of a store and, once it has come, the answer.
// A list of them is all that a crash test knows: what was asked, and what was
// promised before the crash. Calls go over a pipe as frames, so that the list
// outlives the process that made them.

#ifndef KINORA_TESTS_CRASH_STORE_CALL_H_
#define KINORA_TESTS_CRASH_STORE_CALL_H_

#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/local_store.h"
#include "services/store/store.h"

namespace kinora {

enum class StoreMethod : char {
  kCreateMovie,
  kSetBlueprint,
  kAppendEvents,
  kBatchWriteBlobs,
  kWriteBlob,
  kCommitRevision,
  kSavePlan,
  kAcquireLease,
  kReleaseLease,
  kPutRunRecord,
  kCollectGarbage,
  kCheckpointMovie,
  kPruneMovie,
};

struct StoreCall {
  StoreMethod method = StoreMethod::kCreateMovie;
  std::string request;  // the serialized message
  std::string data;     // what is streamed behind it, if anything

  bool answered = false;
  absl::Status status;   // if answered
  std::string response;  // the serialized message, if answered OK

  bool acknowledged() const { return answered && status.ok(); }
};

// "AppendEvents film/inputs ... -> OK", in one line, for failures.
std::string Describe(const StoreCall& call);

// A frame, and the next frame of `frames`, which is cut off it; nullopt if it
// does not hold a whole one.
std::string EncodeCall(const StoreCall& call);
std::optional<StoreCall> TakeCall(absl::string_view* frames);

// A StoreCaller calls a store and tells `observe` of every change twice: before
// the call, and with the answer.
class StoreCaller {
 public:
  using Observe = absl::AnyInvocable<void(const StoreCall&)>;

  StoreCaller(Store store, Observe observe)
      : store_(store), observe_(std::move(observe)) {}

  // Reads are not changes and need no telling.
  Store store() { return store_; }

  absl::Status Create(const v1::CreateMovieRequest& request);
  absl::Status SetBlueprint(const v1::SetBlueprintRequest& request);
  absl::Status Append(const v1::AppendEventsRequest& request);
  absl::Status BatchWrite(const v1::BatchWriteBlobsRequest& request);
  absl::Status Upload(const v1::WriteBlobHeader& header,
                      absl::string_view bytes);
  absl::Status Commit(const v1::CommitRevisionRequest& request);
  absl::Status SavePlan(const v1::SavePlanHeader& header,
                        absl::string_view json);
  absl::Status Acquire(const v1::AcquireLeaseRequest& request);
  absl::Status Release(const v1::ReleaseLeaseRequest& request);
  absl::Status PutRun(const v1::PutRunRecordRequest& request);
  absl::Status CollectGarbage(const v1::CollectGarbageRequest& request);
  absl::Status Checkpoint(const v1::CheckpointMovieRequest& request);
  absl::Status Prune(const v1::PruneMovieRequest& request);

  // Asks for the same once more, as a caller does who got no answer.
  absl::Status Repeat(const StoreCall& call);

 private:
  template <typename Request, typename Invoke>
  absl::Status Record(StoreMethod method, const Request& request,
                      absl::string_view data, Invoke invoke);

  Store store_;
  Observe observe_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_CRASH_STORE_CALL_H_
