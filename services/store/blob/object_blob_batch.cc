// The batches of ObjectBlobStore.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/status.h"
#include "common/threads/parallel_for.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/blob/object_blob_upload.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

absl::Status OverBatchLimit(absl::string_view field, int64_t bytes) {
  return InvalidField(field, absl::StrCat(bytes, " bytes"),
                      absl::StrCat("a batch holds at most ", kMaxBatchBytes,
                                   " bytes: split it"));
}

void SetStatus(const absl::Status& status, v1::BatchBlobResult* result) {
  result->set_code(static_cast<int>(status.code()));
  result->set_message(std::string(status.message()));
}

}  // namespace

absl::StatusOr<v1::BatchWriteBlobsResponse> ObjectBlobStore::BatchWrite(
    const v1::BatchWriteBlobsRequest& request) {
  const std::string& movie_id = request.movie_id();
  const std::unique_ptr<MovieHolds::Hold> movie =
      movies_.holds().ForUpload(movie_id);
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(movie_id));
  KINORA_ASSIGN_OR_RETURN(const MovieLimits limits, movies_.Limits(movie_id));
  int64_t bytes = 0;
  for (const v1::BatchBlob& blob : request.blobs()) {
    bytes += static_cast<int64_t>(blob.data().size());
  }
  if (bytes > kMaxBatchBytes) return OverBatchLimit("blobs", bytes);
  std::vector<Digest> digests(static_cast<size_t>(request.blobs_size()));
  Spread(digests.size(), bytes, [&](size_t i) {
    digests[i] = Sha256Of(request.blobs(static_cast<int>(i)).data());
  });

  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUsage::Change> change,
                          usage_.Begin(movie_id, limits.max_blob_bytes));
  std::vector<v1::BatchBlobResult*> writes;
  std::vector<NewObject> objects;  // one for each write
  absl::flat_hash_set<Digest> seen;
  const std::shared_ptr<BlobUses::Hold> hold = uses_.HoldOf(movie_id);
  v1::BatchWriteBlobsResponse response;
  for (int i = 0; i < request.blobs_size(); ++i) {
    const v1::BatchBlob& blob = request.blobs(i);
    v1::BatchBlobResult* result = response.add_results();
    const int64_t size = static_cast<int64_t>(blob.data().size());
    const Digest& digest = digests[static_cast<size_t>(i)];
    *result->mutable_digest() = blob.expected_digest();
    const absl::Status checked =
        CheckBatchBlob(movie_id, i, blob.expected_digest(), digest, size);
    SetStatus(checked, result);
    if (!checked.ok()) continue;
    result->mutable_digest()->set_hash(digest.Hex());
    result->mutable_digest()->set_size_bytes(size);
    if (digest == kEmptyDigest) continue;
    hold->Note(digest);
    const std::string key = BlobKey(movie_id, result->digest().hash());
    const absl::Status replaced = RemoveDamaged(movie_id, key, size);
    SetStatus(replaced, result);
    if (!replaced.ok()) continue;
    // What exists, or comes earlier in the batch, costs nothing.
    const bool counted = limits.max_blob_bytes > 0 &&
                         (seen.contains(digest) || storage_.Stat(key).ok());
    const absl::Status reserved =
        counted ? absl::OkStatus()
                : change->Reserve(movie_id, limits.max_blob_bytes, size);
    SetStatus(reserved, result);
    if (!reserved.ok()) continue;
    seen.insert(digest);
    writes.push_back(result);
    objects.push_back({.key = key, .bytes = blob.data()});
  }
  storage_.CreateAll(absl::MakeSpan(objects));
  for (size_t i = 0; i < writes.size(); ++i) {
    absl::Status status = objects[i].created.status();
    if (status.ok() && *objects[i].created) {
      change->Stored(writes[i]->digest().size_bytes());
      CountWritten(writes[i]->digest().size_bytes());
    } else if (status.ok()) {
      absl::StatusOr<ObjectInfo> info = storage_.Stat(objects[i].key);
      status = info.ok() ? Renew(movie_id, *info) : info.status();
    }
    SetStatus(status, writes[i]);
  }
  if (movie->deleted()) return MovieNotFound(movie_id);
  return response;
}

absl::Status ObjectBlobStore::CheckBatchBlob(absl::string_view movie_id,
                                             int index,
                                             const v1::Digest& expected,
                                             const Digest& digest,
                                             int64_t size) {
  if (!expected.hash().empty() || expected.size_bytes() != 0) {
    KINORA_RETURN_IF_ERROR(ValidateDigest(
        absl::StrCat("blobs[", index, "].expected_digest"), expected, false));
    KINORA_RETURN_IF_ERROR(
        CheckExpectedDigest(movie_id, expected, digest, size));
  }
  return BlobLimit{options_.max_blob_bytes, kStoreBlobLimit}.Check(movie_id,
                                                                   size);
}

absl::StatusOr<v1::BatchReadBlobsResponse> ObjectBlobStore::BatchRead(
    const v1::BatchReadBlobsRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  int64_t bytes = 0;
  for (int i = 0; i < request.digests_size(); ++i) {
    const v1::Digest& digest = request.digests(i);
    KINORA_RETURN_IF_ERROR(ValidateDigestAt("digests", i, digest, true));
    if (digest.size_bytes() > kMaxBatchBytes - bytes) {
      return OverBatchLimit("digests", bytes + digest.size_bytes());
    }
    bytes += digest.size_bytes();
  }
  v1::BatchReadBlobsResponse response;
  for (const v1::Digest& digest : request.digests()) {
    *response.add_results()->mutable_digest() = digest;
  }
  Spread(static_cast<size_t>(response.results_size()), bytes, [&](size_t i) {
    v1::BatchBlobResult* result = response.mutable_results(static_cast<int>(i));
    absl::StatusOr<std::string> data =
        ReadOne(request.movie_id(), result->digest());
    SetStatus(data.status(), result);
    if (data.ok()) result->set_data(*std::move(data));
  });
  return response;
}

// Hashing is most of what a batch costs the processor.
void ObjectBlobStore::Spread(size_t blobs, int64_t bytes,
                             absl::FunctionRef<void(size_t)> each) {
  if (options_.executor != nullptr && bytes >= kMinBytesForHelp) {
    return ParallelFor(*options_.executor, /*helpers=*/1, blobs, each);
  }
  for (size_t i = 0; i < blobs; ++i) each(i);
}

absl::StatusOr<std::string> ObjectBlobStore::ReadOne(absl::string_view movie_id,
                                                     const v1::Digest& digest) {
  v1::ReadBlobRequest request;
  request.set_movie_id(std::string(movie_id));
  *request.mutable_digest() = digest;
  request.set_verify(true);
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectBlobReader> reader,
                          OpenReader(request));
  std::string data(static_cast<size_t>(reader->left()), '\0');
  KINORA_RETURN_IF_ERROR(reader->Read(absl::MakeSpan(data)).status());
  return data;
}

}  // namespace kinora
