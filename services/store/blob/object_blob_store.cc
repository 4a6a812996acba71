#include "services/store/blob/object_blob_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/blob/object_blob_reader.h"
#include "services/store/blob/object_blob_upload.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

const std::string& EmptyHash() {
  static const std::string& hash = *new std::string(kEmptyDigest.Hex());
  return hash;
}

// A blob may come between two looks at it; and go again.
constexpr int kOpenTries = 3;

// How exactly a blob's age is kept: a use within so long of the last costs
// nothing.
absl::Duration UsePrecision(absl::Duration grace) {
  return std::min(absl::Minutes(1), grace / 16);
}

}  // namespace

BlobMetrics::BlobMetrics(MetricsRegistry& registry)
    : written(registry.GetCounter("kinora_store_blobs_written_total",
                                  "Blobs that were stored anew.")),
      written_bytes(registry.GetCounter("kinora_store_blob_written_bytes_total",
                                        "Bytes of those blobs.")),
      read_bytes(registry.GetCounter("kinora_store_blob_read_bytes_total",
                                     "Bytes of blobs handed out.")) {}

absl::Status ValidateDigest(absl::string_view field, const v1::Digest& digest,
                            bool size_required) {
  KINORA_RETURN_IF_ERROR(
      ValidateHash(absl::StrCat(field, ".hash"), digest.hash()));
  const bool unknown = digest.size_bytes() == 0 && digest.hash() != EmptyHash();
  if (digest.size_bytes() < 0 || (unknown && size_required)) {
    return InvalidField(absl::StrCat(field, ".size_bytes"),
                        absl::StrCat(digest.size_bytes()),
                        "must be the blob's size");
  }
  return absl::OkStatus();
}

absl::Status ValidateDigestAt(absl::string_view field, int index,
                              const v1::Digest& digest, bool size_required) {
  if (ValidateDigest(field, digest, size_required).ok()) {
    return absl::OkStatus();
  }
  // Said again with the place, which costs too much to spell for each.
  return ValidateDigest(absl::StrCat(field, "[", index, "]"), digest,
                        size_required);
}

absl::StatusOr<std::unique_ptr<BlobUpload>> ObjectBlobStore::StartUpload(
    const v1::WriteBlobHeader& header) {
  std::unique_ptr<MovieHolds::Hold> movie =
      movies_.holds().ForUpload(header.movie_id());
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(header.movie_id()));
  if (header.max_size_bytes() < 0) {
    return InvalidField("max_size_bytes", absl::StrCat(header.max_size_bytes()),
                        "must not be negative");
  }
  std::shared_ptr<BlobUses::Hold> hold = uses_.HoldOf(header.movie_id());
  bool exists = false;
  if (header.has_expected_digest()) {
    const v1::Digest& digest = header.expected_digest();
    KINORA_RETURN_IF_ERROR(ValidateDigest("expected_digest", digest, false));
    absl::StatusOr<ObjectInfo> info = Use(*hold, header.movie_id(), digest);
    exists = info.ok();
    if (!exists && !absl::IsNotFound(info.status())) return info.status();
  }
  KINORA_ASSIGN_OR_RETURN(const MovieLimits limits,
                          movies_.Limits(header.movie_id()));
  if (!exists && limits.max_blob_bytes > 0) {
    // Not after gigabytes have come; the commit looks again.
    KINORA_RETURN_IF_ERROR(usage_
                               .Begin(header.movie_id(), limits.max_blob_bytes,
                                      header.expected_digest().size_bytes())
                               .status());
  }
  std::unique_ptr<ObjectWriter> writer;
  // Whether what is there has the blob's size is known only at the end
  // otherwise.
  if (!exists || header.expected_digest().size_bytes() == 0) {
    KINORA_ASSIGN_OR_RETURN(writer,
                            storage_.StartWrite(BlobPrefix(header.movie_id())));
    hold = nullptr;  // taken again when there is something to hold
  }
  BlobLimit limit;
  limit.Lower(options_.max_blob_bytes, kStoreBlobLimit);
  limit.Lower(header.max_size_bytes(), kRequestBlobLimit);
  // What is larger than the whole quota cannot become one of its blobs.
  if (!exists) limit.Lower(limits.max_blob_bytes, kQuotaBlobLimit);
  return std::make_unique<ObjectBlobUpload>(*this, header, limit,
                                            std::move(movie), std::move(writer),
                                            std::move(hold));
}

absl::StatusOr<ObjectInfo> ObjectBlobStore::Find(absl::string_view movie_id,
                                                 const v1::Digest& digest) {
  ObjectInfo info;
  if (digest.hash() == EmptyHash()) return info;
  absl::StatusOr<ObjectInfo> found =
      storage_.Stat(BlobKey(movie_id, digest.hash()));
  if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
  std::string why;
  if (!found.ok()) {
    why = absl::StrCat("movie \"", movie_id, "\" has no blob ", digest.hash());
  } else if (digest.size_bytes() != 0 &&
             digest.size_bytes() != found->size_bytes) {
    why = absl::StrCat("blob ", digest.hash(), " of movie \"", movie_id,
                       "\" has ", found->size_bytes, " bytes, not ",
                       digest.size_bytes());
  } else {
    return *std::move(found);
  }
  return WithReason(absl::NotFoundError(why), "BLOB_NOT_FOUND",
                    {{"movie", movie_id}, {"value", digest.hash()}});
}

absl::StatusOr<ObjectInfo> ObjectBlobStore::Use(const BlobUses::Hold& hold,
                                                absl::string_view movie_id,
                                                const v1::Digest& digest) {
  KINORA_ASSIGN_OR_RETURN(const Digest key, Digest::ParseHex(digest.hash()));
  if (key == kEmptyDigest) return Find(movie_id, digest);
  hold.Note(key);
  KINORA_ASSIGN_OR_RETURN(ObjectInfo info, Find(movie_id, digest));
  KINORA_RETURN_IF_ERROR(Renew(movie_id, info));
  return info;
}

absl::Status ObjectBlobStore::Renew(absl::string_view movie_id,
                                    const ObjectInfo& info) {
  const absl::Time now = clock_.Now();
  if (now - info.create_time < UsePrecision(options_.grace)) {
    return absl::OkStatus();
  }
  KINORA_RETURN_IF_ERROR(horizon_.Cover(movie_id, now, options_.grace / 4));
  return storage_.Renew(info.key);
}

absl::StatusOr<absl::Time> ObjectBlobStore::LastUse(absl::string_view movie_id,
                                                    const ObjectInfo& info) {
  KINORA_ASSIGN_OR_RETURN(const absl::Time inherited,
                          horizon_.Inherited(movie_id));
  return std::max(info.create_time, std::min(inherited, clock_.Now()));
}

absl::Duration ObjectBlobStore::KeptAfterUse(absl::Duration grace) const {
  if (grace < options_.grace) return grace;
  return grace + UsePrecision(options_.grace);
}

absl::Status ObjectBlobStore::RemoveDamaged(absl::string_view movie_id,
                                            absl::string_view key,
                                            int64_t size) {
  const auto is_damaged = [size](const absl::StatusOr<ObjectInfo>& info) {
    return info.ok() && !info->is_foreign && info->size_bytes != size;
  };
  if (!is_damaged(storage_.Stat(key))) return absl::OkStatus();
  MutexLock lock(damaged_mu_);
  // Another writer of the same bytes may have been here.
  const absl::StatusOr<ObjectInfo> info = storage_.Stat(key);
  if (!is_damaged(info)) return absl::OkStatus();
  LogWarning("a damaged blob is replaced by what was written now",
             {{"movie_id", movie_id},
              {"key", key},
              {"bytes", info->size_bytes},
              {"expected_bytes", size}});
  return Delete(movie_id, {*info});
}

absl::StatusOr<bool> ObjectBlobStore::Commit(absl::string_view movie_id,
                                             const Digest& digest, int64_t size,
                                             ObjectWriter& writer) {
  const std::shared_ptr<BlobUses::Hold> hold = uses_.HoldOf(movie_id);
  hold->Note(digest);
  const std::string key = BlobKey(movie_id, digest.Hex());
  KINORA_RETURN_IF_ERROR(RemoveDamaged(movie_id, key, size));
  KINORA_ASSIGN_OR_RETURN(MovieLimits limits, movies_.Limits(movie_id));
  if (limits.max_blob_bytes > 0 && storage_.Stat(key).ok()) {
    limits.max_blob_bytes = 0;  // it is counted already
  }
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUsage::Change> change,
                          usage_.Begin(movie_id, limits.max_blob_bytes, size));
  KINORA_ASSIGN_OR_RETURN(const bool created, writer.CommitIfAbsent(key));
  if (created) {
    change->Stored(size);
    CountWritten(size);
    return true;
  }
  KINORA_ASSIGN_OR_RETURN(const ObjectInfo info, storage_.Stat(key));
  KINORA_RETURN_IF_ERROR(Renew(movie_id, info));
  return false;
}

absl::Status ObjectBlobStore::Keep(absl::string_view movie_id,
                                   const Digest& digest,
                                   absl::string_view bytes,
                                   int64_t max_blob_bytes) {
  const std::string key = BlobKey(movie_id, digest.Hex());
  if (max_blob_bytes > 0 && storage_.Stat(key).ok()) {
    max_blob_bytes = 0;  // it is counted already
  }
  const int64_t size = static_cast<int64_t>(bytes.size());
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUsage::Change> change,
                          usage_.Begin(movie_id, max_blob_bytes, size));
  KINORA_ASSIGN_OR_RETURN(const bool created,
                          CreateObject(storage_, key, bytes));
  if (created) change->Stored(size);
  return absl::OkStatus();
}

absl::Status ObjectBlobStore::Delete(absl::string_view movie_id,
                                     absl::Span<const ObjectInfo> blobs) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUsage::Change> change,
                          usage_.Begin(movie_id, 0, 0));
  std::vector<std::string> keys;
  int64_t bytes = 0;
  for (const ObjectInfo& blob : blobs) {
    keys.push_back(blob.key);
    bytes += blob.size_bytes;
  }
  const absl::Status deleted = storage_.DeleteAll(keys);
  if (deleted.ok()) {
    change->Stored(-bytes);
  } else {
    change->Lost();
  }
  return deleted;
}

absl::StatusOr<std::unique_ptr<ObjectReader>> ObjectBlobStore::Open(
    absl::string_view movie_id, const v1::Digest& digest) {
  if (digest.hash() == EmptyHash()) return nullptr;
  const std::string key = BlobKey(movie_id, digest.hash());
  for (int i = 0; i < kOpenTries; ++i) {
    absl::StatusOr<std::unique_ptr<ObjectReader>> reader =
        storage_.OpenRead(key);
    const bool found =
        reader.ok() && (digest.size_bytes() == 0 ||
                        digest.size_bytes() == (*reader)->size_bytes());
    if (found || (!reader.ok() && !absl::IsNotFound(reader.status()))) {
      return reader;
    }
    // Says what is wrong, unless the blob has come meanwhile.
    KINORA_RETURN_IF_ERROR(Find(movie_id, digest).status());
  }
  return DataCorrupt(key, "is there, but cannot be opened as a file");
}

absl::StatusOr<std::unique_ptr<ObjectBlobReader>> ObjectBlobStore::OpenReader(
    const v1::ReadBlobRequest& request) {
  const std::string& movie_id = request.movie_id();
  const std::string& hash = request.digest().hash();
  KINORA_RETURN_IF_ERROR(movies_.Require(movie_id));
  KINORA_RETURN_IF_ERROR(ValidateDigest("digest", request.digest(), false));
  if (request.offset() < 0 || request.limit() < 0) {
    const bool offset = request.offset() < 0;
    return InvalidField(
        offset ? "offset" : "limit",
        absl::StrCat(offset ? request.offset() : request.limit()),
        "must not be negative");
  }
  if (request.verify() && (request.offset() != 0 || request.limit() != 0)) {
    return InvalidField("verify", "true", "needs offset 0 and no limit");
  }
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> object,
                          Open(movie_id, request.digest()));
  const int64_t size = object == nullptr ? 0 : object->size_bytes();
  if (request.offset() > size) {
    return absl::OutOfRangeError(absl::StrCat("offset: ", request.offset(),
                                              " is past the end of blob ", hash,
                                              ", which has ", size, " bytes"));
  }
  int64_t left = size - request.offset();
  if (request.limit() > 0) left = std::min(left, request.limit());
  return std::make_unique<ObjectBlobReader>(
      BlobKey(movie_id, hash), std::move(object), request.offset(),
      request.offset() + left, request.verify() ? hash : "",
      metrics_.has_value() ? &metrics_->read_bytes : nullptr);
}

absl::StatusOr<std::unique_ptr<BlobReader>> ObjectBlobStore::StartRead(
    const v1::ReadBlobRequest& request) {
  return OpenReader(request);
}

absl::Status ObjectBlobStore::Read(const v1::ReadBlobRequest& request,
                                   Sink sink) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectBlobReader> reader,
                          OpenReader(request));
  // A small blob should not cost a large buffer.
  const auto size =
      static_cast<size_t>(std::min(kBlobReadBytes, reader->left()));
  const auto buffer = std::make_unique_for_overwrite<char[]>(size);
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const size_t got,
                            reader->Read(absl::MakeSpan(buffer.get(), size)));
    if (got == 0) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(sink(absl::string_view(buffer.get(), got)));
  }
}

absl::StatusOr<v1::FindMissingBlobsResponse> ObjectBlobStore::FindMissing(
    const v1::FindMissingBlobsRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  if (request.digests_size() > kMaxDigestsPerRequest) {
    return InvalidField(
        "digests", absl::StrCat(request.digests_size(), " digests"),
        absl::StrCat("at most ", kMaxDigestsPerRequest, " in one request"));
  }
  const std::shared_ptr<BlobUses::Hold> hold = uses_.HoldOf(request.movie_id());
  v1::FindMissingBlobsResponse response;
  for (int i = 0; i < request.digests_size(); ++i) {
    const v1::Digest& digest = request.digests(i);
    KINORA_RETURN_IF_ERROR(ValidateDigestAt("digests", i, digest, false));
    absl::StatusOr<ObjectInfo> info = Use(*hold, request.movie_id(), digest);
    if (info.ok()) continue;
    if (!absl::IsNotFound(info.status())) return info.status();
    *response.add_missing() = digest;
  }
  return response;
}

absl::StatusOr<v1::StatBlobResponse> ObjectBlobStore::Stat(
    const v1::StatBlobRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  KINORA_RETURN_IF_ERROR(ValidateDigest("digest", request.digest(), false));
  KINORA_ASSIGN_OR_RETURN(ObjectInfo info,
                          Find(request.movie_id(), request.digest()));
  v1::StatBlobResponse response;
  response.mutable_digest()->set_hash(request.digest().hash());
  response.mutable_digest()->set_size_bytes(info.size_bytes);
  *response.mutable_create_time() = ToTimestamp(info.create_time);
  // The empty blob is no object; what somebody has put in a blob's place may
  // lead anywhere.
  if (request.with_url() && !info.key.empty() && !info.is_foreign) {
    response.set_url(storage_.UrlOf(info.key));
  }
  return response;
}

}  // namespace kinora
