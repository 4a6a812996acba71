#include "services/store/verify/manifests_check.h"

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/manifest/revision_source.h"

namespace kinora {
namespace {

constexpr int kAttempts = 3;

}  // namespace

absl::Status ManifestsCheck::CheckAll(const RetentionRecord& retention,
                                      bool retention_known) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          events_.Commits(movie_id_));
  ManifestReplay replay = manifests_.Replay(movie_id_, commits);
  while (!replay.done()) {
    const v1::RevisionCommitted commit = replay.next();
    const absl::StatusOr<std::string> rebuilt = replay.Next();
    if (retention.pruned_revisions.contains(commit.revision())) continue;
    KINORA_RETURN_IF_ERROR(CheckOne(commit, rebuilt, retention_known, replay));
  }
  return CheckNoOthers();
}

absl::Status ManifestsCheck::CheckNoOthers() {
  std::vector<std::string> keys;
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage_, ManifestPrefix(movie_id_), [&](const ObjectPage& page) {
        for (const ObjectInfo& object : page.objects) {
          keys.push_back(object.key);
        }
        return absl::OkStatus();
      }));
  // Read after them: commits go on meanwhile.
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          events_.Commits(movie_id_));
  absl::flat_hash_set<std::string> known;
  for (const EventPtr& commit : commits) {
    known.insert(
        ManifestKey(movie_id_, commit->revision_committed().revision()));
  }
  for (const std::string& key : keys) {
    if (known.contains(key)) continue;
    KINORA_RETURN_IF_ERROR(report_.Problem(
        report_.Below(key), 0,
        "is of a revision that events/artefacts.log does not hold: "
        "the log has lost its end, unless somebody put it there"));
  }
  return absl::OkStatus();
}

absl::Status ManifestsCheck::CheckOne(
    const v1::RevisionCommitted& commit,
    const absl::StatusOr<std::string>& rebuilt, bool retention_known,
    ManifestReplay& replay) {
  const std::string key = ManifestKey(movie_id_, commit.revision());
  absl::StatusOr<std::string> stored = ReadObject(storage_, key);
  if (absl::IsNotFound(stored.status())) {
    if (!retention_known) return absl::OkStatus();
    // It may have been pruned since the record was read.
    KINORA_ASSIGN_OR_RETURN(const RetentionRecord now,
                            LoadRetention(storage_, movie_id_));
    if (now.pruned_revisions.contains(commit.revision())) {
      return absl::OkStatus();
    }
    KINORA_RETURN_IF_ERROR(
        report_.Problem(report_.Below(key), 0, "is missing"));
  } else if (!stored.ok()) {
    KINORA_RETURN_IF_ERROR(report_.Damage(key, stored.status()));
  } else if (Sha256Of(*stored).Hex() != commit.manifest_hash()) {
    KINORA_RETURN_IF_ERROR(report_.Problem(
        report_.Below(key), 0,
        absl::StrCat("does not have its hash ", commit.manifest_hash())));
  }
  if (rebuilt.ok()) {
    report_.Rebuildable(commit.revision());
  } else if (!absl::IsOutOfRange(rebuilt.status())) {
    // Where retention has removed the logs the manifest stands for itself.
    KINORA_RETURN_IF_ERROR(report_.Problem(
        report_.Below(key), 0,
        absl::StrCat("cannot be rebuilt: ", rebuilt.status().message())));
    // What comes after it may be sound all the same.
    if (stored.ok() && Sha256Of(*stored).Hex() == commit.manifest_hash()) {
      KINORA_RETURN_IF_ERROR(replay.GoOnFrom(*stored));
    }
  }
  return report_.Checked(stored.ok() ? static_cast<int64_t>(stored->size())
                                     : 0);
}

absl::Status ManifestsCheck::CheckCurrent() {
  const std::string key = CurrentKey(movie_id_);
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<std::string> bytes = ReadObject(storage_, key);
    if (!bytes.ok() && !absl::IsNotFound(bytes.status())) {
      return bytes.status();
    }
    KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                            events_.Commits(movie_id_));
    if (commits.empty() && !bytes.ok()) return absl::OkStatus();
    const std::string wanted =
        commits.empty()
            ? ""
            : CanonicalBytes(PointerOf(commits.back()->revision_committed()));
    if (bytes.ok() && *bytes == wanted) return report_.Checked(wanted.size());
    if (attempt < kAttempts) continue;
    return report_.Problem(
        "current.json", 0,
        absl::StrCat(bytes.ok() ? "does not name" : "is missing, and names",
                     " the last revision of the log: expected ", wanted));
  }
}

}  // namespace kinora
