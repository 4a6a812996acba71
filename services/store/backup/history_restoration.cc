#include "services/store/backup/history_restoration.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "kinora/v1/manifest.pb.h"
#include "services/store/backup/history_end.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/layout.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/retention/kept_takes.h"

namespace kinora {
namespace {

constexpr int64_t kRecordsPerRead = 1000;
constexpr int64_t kReadBytes = int64_t{1} << 20;

}  // namespace

absl::Status HistoryRestoration::Take(const MemberName& name,
                                      const std::string& path,
                                      const std::string& bytes) {
  switch (name.kind) {
    case MemberKind::kRetention:
      return TakeRetention(path, bytes);
    case MemberKind::kArtefacts:
      return artefacts_->Take(path, bytes);
    case MemberKind::kInputs:
      return inputs_->Take(path, bytes);
    case MemberKind::kManifest:
      return TakeManifest(path, bytes);
    case MemberKind::kCurrent:
      return TakeCurrent(path, bytes);
    default:
      return absl::InternalError(absl::StrCat(path, " is no history"));
  }
}

absl::Status HistoryRestoration::TakeRetention(const std::string& path,
                                               const std::string& bytes) {
  KINORA_RETURN_IF_ERROR(storage_.Write(RetentionKey(movie_id_), bytes));
  absl::StatusOr<RetentionRecord> retention =
      LoadRetention(storage_, movie_id_);
  if (!retention.ok()) return OfCopy(path, retention.status());
  retention_ = *std::move(retention);
  return absl::OkStatus();
}

absl::Status HistoryRestoration::TakeUpCheckpoint() {
  const int64_t artefacts = head_.artefacts.oldest_sequence - 1;
  const int64_t inputs = head_.inputs.oldest_sequence - 1;
  absl::StatusOr<std::unique_ptr<RevisionCheckpoint>> opened =
      RevisionCheckpoint::OpenNewest(storage_, movie_id_);
  if (!opened.ok()) return OfCopy("events/", opened.status());
  const std::unique_ptr<RevisionCheckpoint>& checkpoint = *opened;
  if (artefacts <= 0 && inputs <= 0) return absl::OkStatus();
  if (checkpoint == nullptr ||
      checkpoint->info().artefacts_through < artefacts ||
      checkpoint->info().inputs_through < inputs) {
    return CopyDamaged("events/",
                       "the logs lack their beginning, and there is no "
                       "checkpoint that stands for it");
  }
  KINORA_RETURN_IF_ERROR(OfCopy("events/", checkpoint->Check()));
  if (is_cut_ &&
      (checkpoint->info().artefacts_through > head_.artefacts.last_sequence ||
       checkpoint->info().inputs_through > head_.inputs.last_sequence)) {
    return HistoryTrimmed(head_.artefacts.oldest_sequence);
  }
  for (int64_t at = 0; at < artefacts;) {
    absl::StatusOr<std::vector<LogRecord>> records = checkpoint->Read(
        v1::LOG_KIND_ARTEFACTS, at, artefacts, kRecordsPerRead, kReadBytes);
    if (!records.ok()) return OfCopy("events/", records.status());
    if (records->empty()) break;
    for (const LogRecord& record : *records) {
      at = record.sequence;
      const absl::StatusOr<v1::Event> event =
          EventFromRecord("events/", v1::LOG_KIND_ARTEFACTS, record);
      if (!event.ok()) return OfCopy("events/", event.status());
      if (event->has_revision_committed()) {
        commits_.push_back(event->revision_committed());
      }
    }
  }
  return absl::OkStatus();
}

void HistoryRestoration::StartArtefacts() {
  artefacts_.emplace(
      log_, ArtefactsLogKey(movie_id_), v1::LOG_KIND_ARTEFACTS, head_.artefacts,
      is_cut_, [this](const v1::Event& event) -> absl::StatusOr<std::string> {
        if (!event.has_revision_committed()) return std::string();
        const v1::RevisionCommitted& commit = event.revision_committed();
        const bool follows = commits_.empty()
                                 ? head_.artefacts.oldest_sequence > 1 ||
                                       commit.base_manifest_hash().empty()
                                 : commit.base_manifest_hash() ==
                                       commits_.back().manifest_hash();
        if (!follows || !ValidateRevisionField("", commit.revision()).ok()) {
          return CopyDamaged(
              ManifestPath(commit.revision()),
              "does not build on the revision before it in the log");
        }
        commits_.push_back(commit);
        return ArtefactsArchiveKey(movie_id_, commit.revision());
      });
}

void HistoryRestoration::StartInputs() {
  absl::flat_hash_map<int64_t, std::string> archives;
  for (const v1::RevisionCommitted& commit : commits_) {
    // Of revisions with the same inputs the first has the archive.
    archives.try_emplace(commit.inputs_through_sequence(),
                         InputsArchiveKey(movie_id_, commit.revision()));
    if (retention_.pruned_revisions.contains(commit.revision())) continue;
    due_manifests_.push_back(commit);
  }
  std::reverse(due_manifests_.begin(), due_manifests_.end());
  inputs_.emplace(log_, InputsLogKey(movie_id_), v1::LOG_KIND_INPUTS,
                  head_.inputs, is_cut_,
                  [archives = std::move(archives)](
                      const v1::Event& event) -> absl::StatusOr<std::string> {
                    const auto found = archives.find(event.sequence());
                    return found == archives.end() ? "" : found->second;
                  });
}

absl::Status HistoryRestoration::NeedBlobsOfEvents() {
  LogHistory artefacts(log_, storage_, movie_id_, v1::LOG_KIND_ARTEFACTS);
  LogHistory inputs(log_, storage_, movie_id_, v1::LOG_KIND_INPUTS);
  KINORA_ASSIGN_OR_RETURN(const KeptTakes takes,
                          KeptTakes::Make(artefacts, retention_.takes));
  int64_t at = 0;
  KINORA_RETURN_IF_ERROR(artefacts.ForEach(0, &at, [&](const v1::Event& event) {
    return takes.Keeps(event) ? blobs_.AddThoseOf(event) : absl::OkStatus();
  }));
  at = 0;
  return inputs.ForEach(0, &at, [this](const v1::Event& event) {
    return blobs_.AddThoseOf(event);
  });
}

absl::Status HistoryRestoration::TakeManifest(const std::string& path,
                                              const std::string& bytes) {
  if (due_manifests_.empty() && is_cut_) return absl::OkStatus();
  if (due_manifests_.empty() ||
      path != ManifestPath(due_manifests_.back().revision())) {
    return CopyDamaged(path, "is not the manifest that is due");
  }
  if (Sha256Of(bytes).Hex() != due_manifests_.back().manifest_hash()) {
    return CopyDamaged(path, "does not have the hash that was committed");
  }
  v1::Manifest manifest;
  const absl::Status parsed = ParseDocument(bytes, &manifest);
  if (!parsed.ok()) return CopyDamaged(path, parsed.message());
  KINORA_RETURN_IF_ERROR(OfCopy(path, blobs_.AddThoseOf(manifest)));
  const std::string key =
      ManifestKey(movie_id_, due_manifests_.back().revision());
  due_manifests_.pop_back();
  return storage_.Write(key, bytes);
}

absl::Status HistoryRestoration::TakeCurrent(const std::string& path,
                                             const std::string& bytes) {
  has_current_ = true;
  if (is_cut_) {
    if (commits_.empty()) return absl::OkStatus();
    return storage_.Write(CurrentKey(movie_id_),
                          CanonicalBytes(PointerOf(commits_.back())));
  }
  if (commits_.empty() || bytes != CanonicalBytes(PointerOf(commits_.back()))) {
    return CopyDamaged(path, "does not name the last revision");
  }
  return storage_.Write(CurrentKey(movie_id_), bytes);
}

absl::Status HistoryRestoration::FinishArtefacts() {
  KINORA_RETURN_IF_ERROR(artefacts_->Finish());
  StartInputs();
  return absl::OkStatus();
}

absl::Status HistoryRestoration::FinishInputs() {
  KINORA_RETURN_IF_ERROR(inputs_->Finish());
  return NeedBlobsOfEvents();
}

absl::Status HistoryRestoration::FinishManifests() const {
  if (due_manifests_.empty()) return absl::OkStatus();
  return CopyDamaged(ManifestPath(due_manifests_.back().revision()),
                     "is missing");
}

absl::Status HistoryRestoration::FinishCurrent() const {
  if (commits_.empty() || has_current_) return absl::OkStatus();
  return CopyDamaged(kCurrentMember, "is missing");
}

}  // namespace kinora
