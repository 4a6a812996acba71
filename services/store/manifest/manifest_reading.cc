// The part of LogManifestStore that reads revisions that were committed.

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/threads/run_beside.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/retention/movie_pruning.h"
#include "services/store/retention/retention_record.h"

namespace kinora {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
// Below, another thread costs more than it saves.
constexpr size_t kMinBytesForHelp = 128 << 10;

absl::Status NoRevision(absl::string_view movie_id,
                        absl::string_view revision) {
  return WithReason(
      absl::NotFoundError(
          absl::StrCat("movie \"", movie_id, "\" has no ",
                       revision.empty() ? "revision yet"
                                        : absl::StrCat("revision ", revision))),
      "REVISION_NOT_FOUND", {{"movie", movie_id}, {"revision", revision}});
}

// Says the same of a revision that was never there and of one that was pruned,
// but for the words.
absl::Status RevisionPruned(absl::string_view movie_id,
                            absl::string_view revision) {
  return WithReason(
      absl::NotFoundError(absl::StrCat("revision ", revision, " of movie \"",
                                       movie_id, "\" was pruned")),
      "REVISION_NOT_FOUND", {{"movie", movie_id}, {"revision", revision}});
}

}  // namespace

absl::StatusOr<LogManifestStore::Committed> LogManifestStore::Find(
    const v1::GetManifestRequest& request) {
  const std::string& movie_id = request.movie_id();
  if (!request.revision().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateRevisionField("revision", request.revision()));
  }
  KINORA_RETURN_IF_ERROR(Recover(movie_id).status());
  Committed found;
  KINORA_ASSIGN_OR_RETURN(found.commits, events_.Commits(movie_id));
  for (found.at = found.commits.size(); found.at-- > 0;) {
    const v1::RevisionCommitted& commit =
        found.commits[found.at]->revision_committed();
    if (!request.revision().empty() && commit.revision() != request.revision())
      continue;
    // The current revision is never pruned.
    if (found.at + 1 < found.commits.size()) {
      KINORA_ASSIGN_OR_RETURN(const RetentionRecord retention,
                              LoadRetention(storage_, movie_id));
      if (retention.pruned_revisions.contains(commit.revision())) {
        return RevisionPruned(movie_id, commit.revision());
      }
    }
    return found;
  }
  return NoRevision(movie_id, request.revision());
}

absl::StatusOr<StoredManifest> LogManifestStore::Get(
    const v1::GetManifestRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const Committed found, Find(request));
  StoredManifest manifest;
  manifest.pointer = PointerOf(found.commits[found.at]->revision_committed());
  KINORA_ASSIGN_OR_RETURN(manifest.json,
                          Load(request.movie_id(), found.commits, found.at));
  return manifest;
}

absl::StatusOr<v1::ManifestPointer> LogManifestStore::Read(
    const v1::GetManifestRequest& request,
    absl::FunctionRef<absl::Status(absl::string_view)> sink) {
  KINORA_ASSIGN_OR_RETURN(const Committed found, Find(request));
  KINORA_RETURN_IF_ERROR(
      LoadInto(request.movie_id(), found.commits, found.at, sink));
  return PointerOf(found.commits[found.at]->revision_committed());
}

absl::StatusOr<v1::ListManifestsResponse> LogManifestStore::List(
    const v1::ListManifestsRequest& request) {
  KINORA_ASSIGN_OR_RETURN(int page_size, PageSize(request.page_size()));
  Revision after;
  if (!request.page_token().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateRevisionField("page_token", request.page_token()));
    KINORA_ASSIGN_OR_RETURN(after, Revision::Parse(request.page_token()));
  }
  KINORA_RETURN_IF_ERROR(Recover(request.movie_id()).status());
  KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> commits,
                          events_.Commits(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(const RetentionRecord retention,
                          LoadRetention(storage_, request.movie_id()));
  v1::ListManifestsResponse response;
  for (const EventPtr& event : commits) {
    const v1::RevisionCommitted& commit = event->revision_committed();
    KINORA_ASSIGN_OR_RETURN(Revision revision,
                            Revision::Parse(commit.revision()));
    if (revision <= after) continue;
    if (retention.pruned_revisions.contains(commit.revision())) continue;
    if (response.manifests_size() == page_size) {
      response.set_next_page_token(
          response.manifests(page_size - 1).revision());
      break;
    }
    *response.add_manifests() = PointerOf(commit);
  }
  return response;
}

absl::StatusOr<std::string> LogManifestStore::Load(
    absl::string_view movie_id, const std::vector<EventPtr>& commits,
    size_t at) {
  std::string bytes;
  const absl::StatusOr<ObjectInfo> info = storage_.Stat(
      ManifestKey(movie_id, commits[at]->revision_committed().revision()));
  if (info.ok()) bytes.reserve(static_cast<size_t>(info->size_bytes));
  KINORA_RETURN_IF_ERROR(
      LoadInto(movie_id, commits, at, [&bytes](absl::string_view piece) {
        bytes.append(piece.data(), piece.size());
        return absl::OkStatus();
      }));
  return bytes;
}

absl::Status LogManifestStore::LoadInto(
    absl::string_view movie_id, const std::vector<EventPtr>& commits, size_t at,
    absl::FunctionRef<absl::Status(absl::string_view)> sink) {
  const v1::RevisionCommitted& commit = commits[at]->revision_committed();
  const std::string key = ManifestKey(movie_id, commit.revision());
  const absl::StatusOr<std::unique_ptr<ObjectReader>> reader =
      storage_.OpenRead(key);
  if (absl::IsNotFound(reader.status())) {
    LogWarning("manifest is gone, rebuilding it from the logs",
               {{"movie_id", movie_id}, {"revision", commit.revision()}});
    absl::StatusOr<std::string> rebuilt = RebuildAt(movie_id, commits, at);
    if (absl::IsOutOfRange(rebuilt.status())) {
      return DataCorrupt(key,
                         absl::StrCat("is missing, and cannot be rebuilt: ",
                                      rebuilt.status().message()));
    }
    KINORA_RETURN_IF_ERROR(rebuilt.status());
    const absl::Status stored = CreateObject(storage_, key, *rebuilt).status();
    if (!stored.ok()) {
      LogWarning("a rebuilt manifest is not stored",
                 {{"movie_id", movie_id},
                  {"revision", commit.revision()},
                  {"error", stored}});
    }
    return sink(*rebuilt);
  }
  KINORA_RETURN_IF_ERROR(reader.status());
  Sha256 hash;
  std::string piece(kPieceBytes, '\0');
  for (int64_t offset = 0;;) {
    KINORA_ASSIGN_OR_RETURN(
        const size_t size,
        (*reader)->ReadAt(offset, absl::MakeSpan(&piece[0], piece.size())));
    if (size == 0) break;
    const absl::string_view bytes = absl::string_view(piece).substr(0, size);
    absl::Status taken;
    if (helper_ == nullptr || size < kMinBytesForHelp) {
      hash.Update(bytes);
      taken = sink(bytes);
    } else {
      RunBeside(
          *helper_, [&] { hash.Update(bytes); }, [&] { taken = sink(bytes); });
    }
    KINORA_RETURN_IF_ERROR(taken);
    offset += static_cast<int64_t>(size);
  }
  if (hash.Finish().Hex() == commit.manifest_hash()) return absl::OkStatus();
  return DataCorrupt(
      key, absl::StrCat("does not have its hash ", commit.manifest_hash()));
}

absl::StatusOr<std::string> LogManifestStore::Rebuild(
    absl::string_view movie_id, absl::string_view revision) {
  KINORA_RETURN_IF_ERROR(movies_.Require(movie_id));
  KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  KINORA_ASSIGN_OR_RETURN(const RetentionRecord retention,
                          LoadRetention(storage_, movie_id));
  if (retention.pruned_revisions.contains(revision)) {
    return RevisionPruned(movie_id, revision);
  }
  for (size_t at = 0; at < commits.size(); ++at) {
    if (commits[at]->revision_committed().revision() == revision) {
      return RebuildAt(movie_id, commits, at);
    }
  }
  return NoRevision(movie_id, revision);
}

absl::StatusOr<std::string> LogManifestStore::RebuildAt(
    absl::string_view movie_id, const std::vector<EventPtr>& commits,
    size_t at) {
  ManifestReplay replay(events_, storage_, log_, movie_id, commits);
  for (size_t i = 0;; ++i) {
    absl::StatusOr<std::string> bytes = replay.Next();
    if (i == at || (!bytes.ok() && !absl::IsOutOfRange(bytes.status()))) {
      return bytes;
    }
  }
}

}  // namespace kinora
