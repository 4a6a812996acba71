#include "services/store/backup/movie_restoration.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/log.h"
#include "common/proto_json.h"
#include "common/status.h"
#include "services/store/backup/copy_head.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/log_restoration.h"
#include "services/store/backup/member_sums.h"
#include "services/store/backup/needed_blobs.h"
#include "services/store/backup/runs_restoration.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/layout.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/retention/kept_takes.h"
#include "services/store/retention/retention_record.h"
#include "services/store/run/run_index.h"

namespace kinora {
namespace {

// What is held in memory at once: a manifest, a plan, a part of a log.
constexpr int64_t kMaxDocumentBytes = int64_t{256} << 20;

constexpr int64_t kRecordsPerRead = 1000;
constexpr int64_t kReadBytes = int64_t{1} << 20;

// What the stored bytes of the copy say, for those who sent it.
absl::Status OfCopy(absl::string_view member, const absl::Status& status) {
  if (ReasonOf(status) == "FORMAT_UNKNOWN") {
    return WithReason(absl::InvalidArgumentError(status.message()),
                      "FORMAT_UNKNOWN");
  }
  if (!absl::IsDataLoss(status) && !absl::IsInvalidArgument(status)) {
    return status;
  }
  return CopyDamaged(member, status.message());
}

class MovieRestoration {
 public:
  MovieRestoration(const MovieRestorationCores& cores,
                   absl::string_view movie_id, TarReader::Source read)
      : cores_(cores),
        movie_id_(movie_id),
        read_(read),
        runs_(cores.storage, cores.log, head_, movie_id, needed_) {}

  absl::StatusOr<v1::RestoreMovieResponse> Run() {
    KINORA_ASSIGN_OR_RETURN(tar_, TarReader::Start(read_));
    for (;;) {
      KINORA_ASSIGN_OR_RETURN(std::optional<TarReader::Member> member,
                              tar_->Next());
      if (!member.has_value()) {
        return CopyDamaged("", absl::StrCat("it ends before ", kSumsMember));
      }
      const std::optional<MemberName> name = ParseMember(member->path);
      if (!name.has_value()) {
        return CopyDamaged(member->path, "is no member of a copy");
      }
      KINORA_RETURN_IF_ERROR(CheckOrder(member->path, name->kind));
      KINORA_RETURN_IF_ERROR(Enter(name->kind));
      if (name->kind == MemberKind::kSums) break;
      KINORA_RETURN_IF_ERROR(Take(*member, *name));
    }
    KINORA_RETURN_IF_ERROR(CheckSums());
    KINORA_ASSIGN_OR_RETURN(const std::optional<TarReader::Member> more,
                            tar_->Next());
    if (more.has_value()) {
      return CopyDamaged(more->path, absl::StrCat("is behind ", kSumsMember));
    }
    KINORA_RETURN_IF_ERROR(tar_->Finish());
    KINORA_RETURN_IF_ERROR(Publish());
    v1::RestoreMovieResponse response;
    if (!commits_.empty())
      response.set_current_revision(commits_.back().revision());
    return response;
  }

 private:
  // Members come by kind, and within a kind ascending: so none comes twice.
  // Parts of logs and manifests are held to what is due.
  absl::Status CheckOrder(const std::string& path, MemberKind kind) {
    const bool first = kind_ == std::nullopt;
    if (first && kind != MemberKind::kHead) {
      return CopyDamaged(path, absl::StrCat("comes before ", kHeadMember));
    }
    const bool ascends = kind == MemberKind::kManifest ||
                         kind == MemberKind::kLedger || path > path_;
    if (!first && (kind < *kind_ || (kind == *kind_ && !ascends))) {
      return CopyDamaged(path, absl::StrCat("comes behind ", path_));
    }
    path_ = path;
    return absl::OkStatus();
  }

  // Between the kinds: what was due of those before `kind` must be there.
  absl::Status Enter(MemberKind kind) {
    const MemberKind before = kind_.value_or(MemberKind::kHead);
    kind_ = kind;
    const auto passes = [&](MemberKind last) {
      return before <= last && last < kind;
    };
    if (passes(MemberKind::kMovie)) {
      if (movie_.empty()) return CopyDamaged(kMovieMember, "is missing");
      StartArtefacts();
    }
    if (passes(MemberKind::kInputsCheckpoint)) {
      KINORA_RETURN_IF_ERROR(TakeUpCheckpoint());
    }
    if (passes(MemberKind::kArtefacts)) {
      KINORA_RETURN_IF_ERROR(artefacts_->Finish());
      StartInputs();
    }
    if (passes(MemberKind::kInputs)) {
      KINORA_RETURN_IF_ERROR(inputs_->Finish());
      KINORA_RETURN_IF_ERROR(NeedBlobsOfEvents());
    }
    if (passes(MemberKind::kManifest) && !due_manifests_.empty()) {
      return CopyDamaged(ManifestPath(due_manifests_.back().revision()),
                         "is missing");
    }
    if (passes(MemberKind::kCurrent) && !commits_.empty() && !has_current_) {
      return CopyDamaged(kCurrentMember, "is missing");
    }
    if (passes(MemberKind::kRunRecord)) {
      KINORA_RETURN_IF_ERROR(runs_.FinishRecords());
    }
    if (passes(MemberKind::kLedger)) {
      KINORA_RETURN_IF_ERROR(runs_.FinishLedgers());
      blobs_ = needed_.Take();
    }
    if (passes(MemberKind::kBlob) && next_blob_ < blobs_.size()) {
      return CopyDamaged(BlobMember(blobs_[next_blob_]), "is missing");
    }
    return absl::OkStatus();
  }

  absl::Status Take(const TarReader::Member& member, const MemberName& name) {
    if (name.kind == MemberKind::kBlob) return TakeBlob(member);
    if (name.kind == MemberKind::kArtefactsCheckpoint ||
        name.kind == MemberKind::kInputsCheckpoint) {
      return TakeCheckpoint(member);
    }
    KINORA_ASSIGN_OR_RETURN(const std::string bytes, ReadDocument(member));
    const std::string& path = member.path;
    switch (name.kind) {
      case MemberKind::kHead: {
        KINORA_ASSIGN_OR_RETURN(head_, ParseCopyHead(bytes));
        return absl::OkStatus();
      }
      case MemberKind::kMovie:
        return TakeMovie(bytes);
      case MemberKind::kRetention: {
        KINORA_RETURN_IF_ERROR(Write(RetentionKey(movie_id_), bytes));
        absl::StatusOr<RetentionRecord> retention =
            LoadRetention(cores_.storage, movie_id_);
        if (!retention.ok()) return OfCopy(path, retention.status());
        retention_ = *std::move(retention);
        return absl::OkStatus();
      }
      case MemberKind::kArtefacts:
        return artefacts_->Take(path, bytes);
      case MemberKind::kInputs:
        return inputs_->Take(path, bytes);
      case MemberKind::kManifest:
        return TakeManifest(path, bytes);
      case MemberKind::kCurrent: {
        has_current_ = true;
        if (commits_.empty() ||
            bytes != CanonicalBytes(PointerOf(commits_.back()))) {
          return CopyDamaged(path, "does not name the last revision");
        }
        return Write(CurrentKey(movie_id_), bytes);
      }
      case MemberKind::kPlan:
      case MemberKind::kRevisionPlan:
      case MemberKind::kProgress:
      case MemberKind::kRunRecord:
      case MemberKind::kLedger:
        return runs_.Take(name, path, bytes);
      case MemberKind::kReadable:
        return Write(absl::StrCat(MoviePrefix(movie_id_), path), bytes);
      case MemberKind::kArtefactsCheckpoint:
      case MemberKind::kInputsCheckpoint:
      case MemberKind::kBlob:
      case MemberKind::kSums:
        break;
    }
    return absl::InternalError("no such member");
  }

  absl::StatusOr<std::string> ReadDocument(const TarReader::Member& member) {
    if (member.size_bytes > kMaxDocumentBytes) {
      return CopyDamaged(member.path,
                         absl::StrCat("has ", member.size_bytes, " bytes"));
    }
    std::string bytes;
    for (;;) {
      KINORA_ASSIGN_OR_RETURN(const absl::string_view piece, tar_->Read());
      if (piece.empty()) break;
      absl::StrAppend(&bytes, piece);
    }
    sums_.Add(member.path, Sha256Of(bytes));
    return bytes;
  }

  absl::Status Write(const std::string& key, absl::string_view bytes) {
    return cores_.storage.Write(key, bytes);
  }

  absl::Status TakeMovie(const std::string& bytes) {
    const absl::StatusOr<std::string> original = MovieIdIn(bytes);
    if (!original.ok()) return OfCopy(kMovieMember, original.status());
    if (*original != head_.movie_id) {
      return CopyDamaged(kMovieMember, absl::StrCat("is not of movie \"",
                                                    head_.movie_id, "\""));
    }
    movie_ = bytes;
    return CopiedMovie(false).status();
  }

  absl::StatusOr<std::string> CopiedMovie(bool shares_runs) const {
    absl::StatusOr<std::string> copied =
        CopiedMovieFile(movie_, movie_id_, shares_runs);
    if (!copied.ok()) return OfCopy(kMovieMember, copied.status());
    return copied;
  }

  absl::Status TakeCheckpoint(const TarReader::Member& member) {
    KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectWriter> writer,
                            cores_.storage.StartWrite(EventsPrefix(movie_id_)));
    for (;;) {
      KINORA_ASSIGN_OR_RETURN(const absl::string_view piece, tar_->Read());
      if (piece.empty()) break;
      hasher_.Update(piece);
      KINORA_RETURN_IF_ERROR(writer->Append(piece));
    }
    sums_.Add(member.path, hasher_.Finish());
    return writer
        ->CommitIfAbsent(absl::StrCat(MoviePrefix(movie_id_), member.path))
        .status();
  }

  // What stands for the beginning of the logs must be there and be right. Its
  // commits come before those of the log.
  absl::Status TakeUpCheckpoint() {
    const int64_t artefacts = head_.artefacts.oldest_sequence - 1;
    const int64_t inputs = head_.inputs.oldest_sequence - 1;
    absl::StatusOr<std::unique_ptr<RevisionCheckpoint>> opened =
        RevisionCheckpoint::OpenNewest(cores_.storage, movie_id_);
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

  void StartArtefacts() {
    artefacts_.emplace(
        cores_.log, ArtefactsLogKey(movie_id_), v1::LOG_KIND_ARTEFACTS,
        head_.artefacts,
        [this](const v1::Event& event) -> absl::StatusOr<std::string> {
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

  void StartInputs() {
    absl::flat_hash_map<int64_t, std::string> archives;
    for (const v1::RevisionCommitted& commit : commits_) {
      // Of revisions with the same inputs the first has the archive.
      archives.try_emplace(commit.inputs_through_sequence(),
                           InputsArchiveKey(movie_id_, commit.revision()));
      if (retention_.pruned_revisions.contains(commit.revision())) continue;
      due_manifests_.push_back(commit);
    }
    std::reverse(due_manifests_.begin(), due_manifests_.end());
    inputs_.emplace(cores_.log, InputsLogKey(movie_id_), v1::LOG_KIND_INPUTS,
                    head_.inputs,
                    [archives = std::move(archives)](
                        const v1::Event& event) -> absl::StatusOr<std::string> {
                      const auto found = archives.find(event.sequence());
                      return found == archives.end() ? "" : found->second;
                    });
  }

  absl::Status NeedBlobsOfEvents() {
    LogHistory artefacts(cores_.log, cores_.storage, movie_id_,
                         v1::LOG_KIND_ARTEFACTS);
    LogHistory inputs(cores_.log, cores_.storage, movie_id_,
                      v1::LOG_KIND_INPUTS);
    KINORA_ASSIGN_OR_RETURN(const KeptTakes takes,
                            KeptTakes::Make(artefacts, retention_.takes));
    int64_t at = 0;
    KINORA_RETURN_IF_ERROR(
        artefacts.ForEach(0, &at, [&](const v1::Event& event) {
          return takes.Keeps(event) ? needed_.AddThoseOf(event)
                                    : absl::OkStatus();
        }));
    at = 0;
    return inputs.ForEach(0, &at, [this](const v1::Event& event) {
      return needed_.AddThoseOf(event);
    });
  }

  absl::Status TakeManifest(const std::string& path, const std::string& bytes) {
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
    KINORA_RETURN_IF_ERROR(OfCopy(path, needed_.AddThoseOf(manifest)));
    const std::string key =
        ManifestKey(movie_id_, due_manifests_.back().revision());
    due_manifests_.pop_back();
    return Write(key, bytes);
  }

  absl::Status TakeBlob(const TarReader::Member& member) {
    if (next_blob_ == blobs_.size() ||
        member.path != BlobMember(blobs_[next_blob_])) {
      return CopyDamaged(member.path, "is not the blob that is due");
    }
    const Digest& due = blobs_[next_blob_++];
    KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectWriter> writer,
                            cores_.storage.StartWrite(BlobPrefix(movie_id_)));
    for (;;) {
      KINORA_ASSIGN_OR_RETURN(const absl::string_view piece, tar_->Read());
      if (piece.empty()) break;
      hasher_.Update(piece);
      KINORA_RETURN_IF_ERROR(writer->Append(piece));
    }
    if (hasher_.Finish() != due) {
      return CopyDamaged(member.path, "does not have its hash");
    }
    sums_.AddBlob(due);
    return writer->CommitIfAbsent(BlobKey(movie_id_, due.Hex())).status();
  }

  absl::Status CheckSums() {
    std::string given;
    const auto same = [&](absl::string_view line) -> absl::Status {
      while (given.size() < line.size()) {
        KINORA_ASSIGN_OR_RETURN(const absl::string_view piece, tar_->Read());
        if (piece.empty()) break;
        absl::StrAppend(&given, piece);
      }
      if (absl::string_view(given).substr(0, line.size()) != line) {
        return CopyDamaged(kSumsMember, "is not of the members before it");
      }
      given.erase(0, line.size());
      return absl::OkStatus();
    };
    KINORA_RETURN_IF_ERROR(sums_.Write(same));
    KINORA_ASSIGN_OR_RETURN(const absl::string_view more, tar_->Read());
    if (given.empty() && more.empty()) return absl::OkStatus();
    return CopyDamaged(kSumsMember, "names more than there is");
  }

  absl::Status Publish() {
    bool shares_runs = false;
    for (const auto& run : head_.ledgers) {
      KINORA_ASSIGN_OR_RETURN(const bool claimed,
                              ClaimRunId(cores_.storage, movie_id_, run.first));
      shares_runs = shares_runs || !claimed;
    }
    // The files that show texts; those that were edited stay as they are.
    KINORA_RETURN_IF_ERROR(
        cores_.events.readable().FindEdits(movie_id_, true).status());
    cores_.catalog.ForgetEverywhere(movie_id_);
    KINORA_ASSIGN_OR_RETURN(const std::string movie, CopiedMovie(shares_runs));
    KINORA_ASSIGN_OR_RETURN(const bool created,
                            cores_.catalog.CreateFrom(movie_id_, movie));
    if (created) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat("movie \"", movie_id_, "\" was created meanwhile"));
  }

  const MovieRestorationCores& cores_;
  const std::string movie_id_;
  const TarReader::Source read_;
  std::unique_ptr<TarReader> tar_;
  MemberSums sums_;

  std::optional<MemberKind> kind_;  // of the member at hand
  std::string path_;                // its name
  CopyHead head_;
  std::string movie_;  // the text of movie.json
  RetentionRecord retention_;
  std::optional<LogRestoration> artefacts_;
  std::optional<LogRestoration> inputs_;
  std::vector<v1::RevisionCommitted> commits_;
  std::vector<v1::RevisionCommitted> due_manifests_;  // the next one last
  bool has_current_ = false;
  NeededBlobs needed_;
  RunsRestoration runs_;
  std::vector<Digest> blobs_;  // the needed ones, ascending
  size_t next_blob_ = 0;
  Sha256 hasher_;
};

}  // namespace

absl::StatusOr<v1::RestoreMovieResponse> RestoreMovie(
    absl::string_view movie_id, const MovieRestorationCores& cores,
    absl::FunctionRef<absl::StatusOr<std::string>()> read) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<MovieHolds::Hold> hold,
                          cores.movies.BeginRestoration(movie_id));
  absl::StatusOr<v1::RestoreMovieResponse> response =
      MovieRestoration(cores, movie_id, read).Run();
  // What cannot be removed now is at the next open, or by the next movie.
  const absl::Status ended = cores.movies.EndRestoration(movie_id);
  if (!ended.ok()) {
    LogWarning("what is left of a restoration is to be removed later",
               {{"movie_id", movie_id}, {"error", ended}});
  }
  return response;
}

}  // namespace kinora
