#include "services/store/scratch/blobs_behind.h"

#include "common/status.h"

namespace kinora {

void BlobsBehind::Expect(const v1::Digest& digest) {
  MutexLock lock(mu_);
  present_.insert(digest.hash());
}

absl::Status BlobsBehind::Read(const v1::ReadBlobRequest& request, Sink sink) {
  v1::StatBlobRequest stat;
  stat.set_movie_id(request.movie_id());
  *stat.mutable_digest() = request.digest();
  const absl::Status in_front = front_.Stat(stat).status();
  if (absl::IsNotFound(in_front)) return behind_.Read(request, sink);
  KINORA_RETURN_IF_ERROR(in_front);
  return front_.Read(request, sink);
}

absl::StatusOr<v1::BatchReadBlobsResponse> BlobsBehind::BatchRead(
    const v1::BatchReadBlobsRequest& request) {
  v1::FindMissingBlobsRequest find;
  find.set_movie_id(request.movie_id());
  *find.mutable_digests() = request.digests();
  KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse missing,
                          front_.FindMissing(find));
  absl::flat_hash_set<std::string> not_in_front;
  for (const v1::Digest& digest : missing.missing()) {
    not_in_front.insert(digest.hash());
  }
  v1::BatchReadBlobsRequest parts[2];  // in front, behind
  for (const v1::Digest& digest : request.digests()) {
    *parts[not_in_front.contains(digest.hash()) ? 1 : 0].add_digests() = digest;
  }
  v1::BatchReadBlobsResponse answers[2];
  for (int i = 0; i < 2; ++i) {
    if (parts[i].digests().empty()) continue;
    parts[i].set_movie_id(request.movie_id());
    KINORA_ASSIGN_OR_RETURN(answers[i],
                            (i == 0 ? front_ : behind_).BatchRead(parts[i]));
  }
  v1::BatchReadBlobsResponse response;
  int next[2] = {0, 0};
  for (const v1::Digest& digest : request.digests()) {
    const int part = not_in_front.contains(digest.hash()) ? 1 : 0;
    response.add_results()->Swap(answers[part].mutable_results(next[part]++));
  }
  return response;
}

absl::StatusOr<v1::FindMissingBlobsResponse> BlobsBehind::FindMissing(
    const v1::FindMissingBlobsRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse in_front,
                          front_.FindMissing(request));
  v1::FindMissingBlobsResponse response;
  v1::StatBlobRequest stat;
  stat.set_movie_id(request.movie_id());
  for (const v1::Digest& digest : in_front.missing()) {
    {
      MutexLock lock(mu_);
      if (present_.contains(digest.hash())) continue;
    }
    *stat.mutable_digest() = digest;
    const absl::Status found = behind_.Stat(stat).status();
    if (absl::IsNotFound(found)) {
      *response.add_missing() = digest;
      continue;
    }
    KINORA_RETURN_IF_ERROR(found);
    Expect(digest);
  }
  return response;
}

absl::StatusOr<v1::StatBlobResponse> BlobsBehind::Stat(
    const v1::StatBlobRequest& request) {
  absl::StatusOr<v1::StatBlobResponse> found = front_.Stat(request);
  return absl::IsNotFound(found.status()) ? behind_.Stat(request) : found;
}

}  // namespace kinora
