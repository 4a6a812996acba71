#include "services/store/gc/collector.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// Blobs looked at in one step. Also the most whose users wait for a deletion.
constexpr int kBlobsPerStep = 1000;

constexpr int kMaxReasons = 100;

absl::StatusOr<absl::Duration> GraceOf(const v1::CollectGarbageRequest& request,
                                       absl::Duration default_grace) {
  if (!request.has_grace()) return default_grace;
  const absl::Duration grace = FromProto(request.grace());
  // The parts of a well-formed duration have one sign.
  if (request.grace().seconds() < 0 || request.grace().nanos() < 0) {
    return InvalidField("grace", absl::FormatDuration(grace),
                        "must not be negative");
  }
  return grace;
}

// What is reachable cannot be told from damaged logs. What the disk failed to
// read is no damage.
absl::Status Quarantined(absl::string_view movie_id,
                         const absl::Status& status) {
  if (!absl::IsDataLoss(status) || IsDiskFailure(status)) return status;
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "movie \"", movie_id, "\" is damaged, so nothing is collected: ",
          status.message(), ": verify it")),
      "MOVIE_QUARANTINED", {{"movie", movie_id}});
}

}  // namespace

Collection::Collection(const CollectorParts& parts,
                       const v1::CollectGarbageRequest& request,
                       absl::Duration grace,
                       std::unique_ptr<BlobUses::Collection> uses)
    : parts_(parts),
      movie_id_(request.movie_id()),
      dry_run_(request.dry_run()),
      grace_(grace),
      kept_(parts.blobs.KeptAfterUse(grace)),
      uses_(std::move(uses)),
      walk_(parts.storage, parts.log, parts.manifests, request.movie_id()) {}

absl::StatusOr<std::unique_ptr<Collection>> Collection::Begin(
    const CollectorParts& parts, const v1::CollectGarbageRequest& request) {
  KINORA_RETURN_IF_ERROR(parts.catalog.Require(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(const absl::Duration grace,
                          GraceOf(request, parts.blobs.default_grace()));
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<BlobUses::Collection> uses,
                          parts.blobs.uses().Collect(request.movie_id()));
  return std::unique_ptr<Collection>(
      new Collection(parts, request, grace, std::move(uses)));
}

absl::StatusOr<bool> Collection::Step(v1::CollectGarbageResponse* response) {
  switch (stage_) {
    case Stage::kMark:
      KINORA_RETURN_IF_ERROR(Quarantined(movie_id_, Mark()));
      break;
    case Stage::kBlobs:
      KINORA_RETURN_IF_ERROR(Sweep(response));
      break;
    case Stage::kFiles:
      KINORA_RETURN_IF_ERROR(Quarantined(movie_id_, SweepFiles(response)));
      break;
    case Stage::kDone:
      break;
  }
  response->set_scanned_blobs(scanned_);
  response->set_freed_bytes(freed_);
  return stage_ != Stage::kDone;
}

absl::Status Collection::Mark() {
  const auto add = [this](const BlobReference& reference) -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(const Digest digest,
                            Digest::ParseHex(reference.blob.digest().hash()));
    reachable_.Add(digest);
    return absl::OkStatus();
  };
  KINORA_ASSIGN_OR_RETURN(const bool more, walk_.Step(add));
  if (!more) stage_ = Stage::kBlobs;
  return absl::OkStatus();
}

absl::Status Collection::Sweep(v1::CollectGarbageResponse* response) {
  const std::string shard = absl::StrFormat("%02x/", shard_);
  KINORA_ASSIGN_OR_RETURN(
      const ObjectPage page,
      parts_.storage.List(absl::StrCat(BlobPrefix(movie_id_), shard),
                          kBlobsPerStep, token_));
  std::vector<ObjectInfo> candidates;
  for (const ObjectInfo& object : page.objects) {
    const absl::StatusOr<Digest> digest =
        Digest::ParseHex(LastPart(object.key));
    if (!digest.ok()) continue;  // not ours
    ++scanned_;
    if (reachable_.Contains(*digest)) continue;
    KINORA_ASSIGN_OR_RETURN(const absl::Time last_use,
                            parts_.blobs.LastUse(movie_id_, object));
    if (parts_.clock.Now() - last_use < kept_) continue;
    candidates.push_back(object);
  }
  if (!candidates.empty()) {
    KINORA_RETURN_IF_ERROR(Remove(candidates, response));
  }
  token_ = page.next_token;
  if (token_.empty()) reachable_.Drop(shard_++);
  if (shard_ == DigestSet::kShards) stage_ = Stage::kFiles;
  return absl::OkStatus();
}

absl::Status Collection::Remove(const std::vector<ObjectInfo>& candidates,
                                v1::CollectGarbageResponse* response) {
  absl::flat_hash_map<Digest, const ObjectInfo*> by_digest;
  std::vector<Digest> digests;
  for (const ObjectInfo& object : candidates) {
    KINORA_ASSIGN_OR_RETURN(const Digest digest,
                            Digest::ParseHex(LastPart(object.key)));
    by_digest[digest] = &object;
    digests.push_back(digest);
  }
  uses_->Condemn(&digests);
  std::vector<ObjectInfo> blobs;
  for (const Digest& digest : digests) blobs.push_back(*by_digest[digest]);
  const absl::Status deleted =
      dry_run_ ? absl::OkStatus() : parts_.blobs.Delete(movie_id_, blobs);
  uses_->Release();
  KINORA_RETURN_IF_ERROR(deleted);
  for (const Digest& digest : digests) {
    v1::Digest* removed = response->add_removed();
    removed->set_hash(digest.Hex());
    removed->set_size_bytes(by_digest[digest]->size_bytes);
    freed_ += by_digest[digest]->size_bytes;
  }
  return absl::OkStatus();
}

absl::Status Collection::SweepFiles(v1::CollectGarbageResponse* response) {
  KINORA_RETURN_IF_ERROR(parts_.catalog.Require(movie_id_));
  KINORA_ASSIGN_OR_RETURN(
      ReadableFiles::Collected files,
      parts_.readable.Collect(movie_id_, last_file_,
                              parts_.clock.Now() - grace_, dry_run_));
  for (std::string& path : files.removed) {
    response->add_removed_files(std::move(path));
  }
  last_file_ = std::move(files.last);
  if (!files.more) stage_ = Stage::kDone;
  return absl::OkStatus();
}

absl::Status CollectGarbage(
    const CollectorParts& parts, const v1::CollectGarbageRequest& request,
    absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)> report) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection,
                          Collection::Begin(parts, request));
  for (bool more = true; more;) {
    v1::CollectGarbageResponse response;
    KINORA_ASSIGN_OR_RETURN(more, collection->Step(&response));
    const bool removed =
        !response.removed().empty() || !response.removed_files().empty();
    if (more && !removed) continue;
    KINORA_RETURN_IF_ERROR(report(response));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ExplainBlobResponse> ExplainBlob(
    const CollectorParts& parts, const v1::ExplainBlobRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(parts.catalog.Require(movie_id));
  v1::StatBlobRequest stat;
  stat.set_movie_id(movie_id);
  *stat.mutable_digest() = request.digest();
  KINORA_RETURN_IF_ERROR(parts.blobs.Stat(stat).status());
  const std::string& hash = request.digest().hash();
  v1::ExplainBlobResponse response;
  KINORA_RETURN_IF_ERROR(
      VisitReachableBlobs(parts.storage, parts.log, parts.manifests, movie_id,
                          [&](const BlobReference& reference) {
                            if (reference.blob.digest().hash() == hash &&
                                response.reached_by_size() < kMaxReasons) {
                              response.add_reached_by(reference.Reason());
                            }
                            return absl::OkStatus();
                          }));
  if (hash == kEmptyDigest.Hex()) {
    response.add_reached_by("the empty blob always exists");
    return response;
  }
  KINORA_ASSIGN_OR_RETURN(const ObjectInfo info,
                          parts.storage.Stat(BlobKey(movie_id, hash)));
  KINORA_ASSIGN_OR_RETURN(const absl::Time last_use,
                          parts.blobs.LastUse(movie_id, info));
  const absl::Time end =
      last_use + parts.blobs.KeptAfterUse(parts.blobs.default_grace());
  if (parts.clock.Now() < end) {
    response.add_reached_by(absl::StrCat(
        "used lately, kept until ",
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", end, absl::UTCTimeZone())));
  }
  return response;
}

}  // namespace kinora
