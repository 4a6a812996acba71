#include "tests/crash/store_call.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

// How the methods are called in Describe(), in the order of StoreMethod.
constexpr absl::string_view kMethodNames[] = {
    "CreateMovie",  "SetBlueprint",   "AppendEvents",   "BatchWriteBlobs",
    "WriteBlob",    "CommitRevision", "SavePlan",       "AcquireLease",
    "ReleaseLease", "PutRunRecord",   "CollectGarbage", "CheckpointMovie",
    "PruneMovie",
};

constexpr size_t kUploadPieceBytes = 7;

void PutText(absl::string_view text, std::string* frame) {
  const uint32_t size = static_cast<uint32_t>(text.size());
  frame->append(reinterpret_cast<const char*>(&size), sizeof size);
  frame->append(text.data(), text.size());
}

bool TakeText(absl::string_view* frame, std::string* text) {
  uint32_t size = 0;
  if (frame->size() < sizeof size) return false;
  std::memcpy(&size, frame->data(), sizeof size);
  frame->remove_prefix(sizeof size);
  if (frame->size() < size) return false;
  *text = std::string(frame->substr(0, size));
  frame->remove_prefix(size);
  return true;
}

template <typename Message>
std::string TextOf(const std::string& serialized) {
  Message message;
  message.ParseFromString(serialized);
  return message.ShortDebugString();
}

std::string RequestText(const StoreCall& call) {
  switch (call.method) {
    case StoreMethod::kCreateMovie:
      return TextOf<v1::CreateMovieRequest>(call.request);
    case StoreMethod::kSetBlueprint:
      return TextOf<v1::SetBlueprintRequest>(call.request);
    case StoreMethod::kAppendEvents:
      return TextOf<v1::AppendEventsRequest>(call.request);
    case StoreMethod::kBatchWriteBlobs:
      return TextOf<v1::BatchWriteBlobsRequest>(call.request);
    case StoreMethod::kWriteBlob:
      return TextOf<v1::WriteBlobHeader>(call.request);
    case StoreMethod::kCommitRevision:
      return TextOf<v1::CommitRevisionRequest>(call.request);
    case StoreMethod::kSavePlan:
      return TextOf<v1::SavePlanHeader>(call.request);
    case StoreMethod::kAcquireLease:
      return TextOf<v1::AcquireLeaseRequest>(call.request);
    case StoreMethod::kReleaseLease:
      return TextOf<v1::ReleaseLeaseRequest>(call.request);
    case StoreMethod::kPutRunRecord:
      return TextOf<v1::PutRunRecordRequest>(call.request);
    case StoreMethod::kCollectGarbage:
      return TextOf<v1::CollectGarbageRequest>(call.request);
    case StoreMethod::kCheckpointMovie:
      return TextOf<v1::CheckpointMovieRequest>(call.request);
    case StoreMethod::kPruneMovie:
      return TextOf<v1::PruneMovieRequest>(call.request);
  }
  return "";
}

}  // namespace

std::string Describe(const StoreCall& call) {
  return absl::StrCat(kMethodNames[static_cast<size_t>(call.method)], " ",
                      RequestText(call), " -> ",
                      call.answered ? call.status.ToString() : "no answer");
}

std::string EncodeCall(const StoreCall& call) {
  std::string body(1, static_cast<char>(call.method));
  body.push_back(call.answered ? 1 : 0);
  body.push_back(static_cast<char>(call.status.code()));
  PutText(call.status.message(), &body);
  PutText(call.request, &body);
  PutText(call.data, &body);
  PutText(call.response, &body);
  std::string frame;
  PutText(body, &frame);
  return frame;
}

std::optional<StoreCall> TakeCall(absl::string_view* frames) {
  absl::string_view rest = *frames;
  std::string body;
  if (!TakeText(&rest, &body) || body.size() < 3) return std::nullopt;
  absl::string_view fields = body;
  StoreCall call;
  call.method = static_cast<StoreMethod>(fields[0]);
  call.answered = fields[1] != 0;
  const auto code = static_cast<absl::StatusCode>(fields[2]);
  fields.remove_prefix(3);
  std::string message;
  if (!TakeText(&fields, &message) || !TakeText(&fields, &call.request) ||
      !TakeText(&fields, &call.data) || !TakeText(&fields, &call.response)) {
    return std::nullopt;
  }
  call.status = absl::Status(code, message);
  *frames = rest;
  return call;
}

template <typename Request, typename Invoke>
absl::Status StoreCaller::Record(StoreMethod method, const Request& request,
                                 absl::string_view data, Invoke invoke) {
  StoreCall call;
  call.method = method;
  call.request = request.SerializeAsString();
  call.data = std::string(data);
  observe_(call);
  const auto response = invoke();
  call.answered = true;
  call.status = response.status();
  if (response.ok()) call.response = response->SerializeAsString();
  observe_(call);
  return call.status;
}

absl::Status StoreCaller::Create(const v1::CreateMovieRequest& request) {
  return Record(StoreMethod::kCreateMovie, request, "",
                [&] { return store_.movies.Create(request); });
}

absl::Status StoreCaller::SetBlueprint(const v1::SetBlueprintRequest& request) {
  return Record(StoreMethod::kSetBlueprint, request, "",
                [&] { return store_.movies.SetBlueprint(request); });
}

absl::Status StoreCaller::Append(const v1::AppendEventsRequest& request) {
  return Record(StoreMethod::kAppendEvents, request, "",
                [&] { return store_.events.Append(request); });
}

absl::Status StoreCaller::BatchWrite(
    const v1::BatchWriteBlobsRequest& request) {
  return Record(StoreMethod::kBatchWriteBlobs, request, "",
                [&]() -> absl::StatusOr<v1::BatchWriteBlobsResponse> {
                  KINORA_ASSIGN_OR_RETURN(v1::BatchWriteBlobsResponse response,
                                          store_.blobs.BatchWrite(request));
                  for (const v1::BatchBlobResult& result : response.results()) {
                    if (result.code() == 0) continue;
                    return absl::Status(
                        static_cast<absl::StatusCode>(result.code()),
                        result.message());
                  }
                  return response;
                });
}

absl::Status StoreCaller::Upload(const v1::WriteBlobHeader& header,
                                 absl::string_view bytes) {
  return Record(StoreMethod::kWriteBlob, header, bytes,
                [&]() -> absl::StatusOr<v1::WriteBlobResponse> {
                  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<BlobUpload> upload,
                                          store_.blobs.StartUpload(header));
                  for (size_t at = 0; at < bytes.size();
                       at += kUploadPieceBytes) {
                    KINORA_RETURN_IF_ERROR(
                        upload->Append(bytes.substr(at, kUploadPieceBytes)));
                  }
                  return upload->Finish();
                });
}

absl::Status StoreCaller::Commit(const v1::CommitRevisionRequest& request) {
  return Record(StoreMethod::kCommitRevision, request, "",
                [&] { return store_.manifests.Commit(request); });
}

absl::Status StoreCaller::SavePlan(const v1::SavePlanHeader& header,
                                   absl::string_view json) {
  return Record(StoreMethod::kSavePlan, header, json,
                [&] { return store_.plans.Save(header, json); });
}

absl::Status StoreCaller::Acquire(const v1::AcquireLeaseRequest& request) {
  return Record(StoreMethod::kAcquireLease, request, "",
                [&] { return store_.leases.Acquire(request); });
}

absl::Status StoreCaller::Release(const v1::ReleaseLeaseRequest& request) {
  return Record(StoreMethod::kReleaseLease, request, "",
                [&] { return store_.leases.Release(request); });
}

absl::Status StoreCaller::PutRun(const v1::PutRunRecordRequest& request) {
  return Record(StoreMethod::kPutRunRecord, request, "",
                [&] { return store_.runs.Put(request); });
}

absl::Status StoreCaller::CollectGarbage(
    const v1::CollectGarbageRequest& request) {
  return Record(StoreMethod::kCollectGarbage, request, "",
                [&]() -> absl::StatusOr<v1::CollectGarbageResponse> {
                  v1::CollectGarbageResponse all;
                  KINORA_RETURN_IF_ERROR(store_.maintenance.CollectGarbage(
                      request, [&](const v1::CollectGarbageResponse& step) {
                        all.MergeFrom(step);
                        return absl::OkStatus();
                      }));
                  return all;
                });
}

absl::Status StoreCaller::Checkpoint(
    const v1::CheckpointMovieRequest& request) {
  return Record(StoreMethod::kCheckpointMovie, request, "",
                [&] { return store_.maintenance.CheckpointMovie(request); });
}

absl::Status StoreCaller::Prune(const v1::PruneMovieRequest& request) {
  return Record(StoreMethod::kPruneMovie, request, "",
                [&] { return store_.maintenance.PruneMovie(request); });
}

absl::Status StoreCaller::Repeat(const StoreCall& call) {
  const auto again = [&](auto request, auto method) {
    request.ParseFromString(call.request);
    return (this->*method)(request);
  };
  switch (call.method) {
    case StoreMethod::kCreateMovie:
      return again(v1::CreateMovieRequest(), &StoreCaller::Create);
    case StoreMethod::kSetBlueprint:
      return again(v1::SetBlueprintRequest(), &StoreCaller::SetBlueprint);
    case StoreMethod::kAppendEvents:
      return again(v1::AppendEventsRequest(), &StoreCaller::Append);
    case StoreMethod::kBatchWriteBlobs:
      return again(v1::BatchWriteBlobsRequest(), &StoreCaller::BatchWrite);
    case StoreMethod::kWriteBlob: {
      v1::WriteBlobHeader header;
      header.ParseFromString(call.request);
      return Upload(header, call.data);
    }
    case StoreMethod::kCommitRevision:
      return again(v1::CommitRevisionRequest(), &StoreCaller::Commit);
    case StoreMethod::kSavePlan: {
      v1::SavePlanHeader header;
      header.ParseFromString(call.request);
      return SavePlan(header, call.data);
    }
    case StoreMethod::kAcquireLease:
      return again(v1::AcquireLeaseRequest(), &StoreCaller::Acquire);
    case StoreMethod::kReleaseLease:
      return again(v1::ReleaseLeaseRequest(), &StoreCaller::Release);
    case StoreMethod::kPutRunRecord:
      return again(v1::PutRunRecordRequest(), &StoreCaller::PutRun);
    case StoreMethod::kCollectGarbage:
      return again(v1::CollectGarbageRequest(), &StoreCaller::CollectGarbage);
    case StoreMethod::kCheckpointMovie:
      return again(v1::CheckpointMovieRequest(), &StoreCaller::Checkpoint);
    case StoreMethod::kPruneMovie:
      return again(v1::PruneMovieRequest(), &StoreCaller::Prune);
  }
  return absl::InternalError("no such method");
}

}  // namespace kinora
