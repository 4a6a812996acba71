#include "services/store/backup/movie_restoration.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/backup/copy_head.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/history_restoration.h"
#include "services/store/backup/member_sums.h"
#include "services/store/backup/needed_blobs.h"
#include "services/store/backup/runs_restoration.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/checks.h"
#include "services/store/event/event_ptr.h"
#include "services/store/layout.h"
#include "services/store/manifest/manifest_replay.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/run/run_index.h"

namespace kinora {
namespace {

// What is held in memory at once: a manifest, a plan, a part of a log.
constexpr int64_t kMaxDocumentBytes = int64_t{256} << 20;

class MovieRestoration {
 public:
  MovieRestoration(const MovieRestorationCores& cores,
                   absl::string_view movie_id, TarReader::Source read)
      : cores_(cores),
        movie_id_(movie_id),
        read_(read),
        history_(cores.storage, cores.log, head_, movie_id, needed_,
                 cores.end.has_value()),
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
    if (!head_.run_id.empty()) KINORA_RETURN_IF_ERROR(CheckManifests());
    KINORA_RETURN_IF_ERROR(Publish());
    v1::RestoreMovieResponse response;
    response.set_current_revision(history_.last_revision());
    response.set_run_id(head_.run_id);
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
      history_.StartArtefacts();
    }
    if (passes(MemberKind::kInputsCheckpoint)) {
      KINORA_RETURN_IF_ERROR(history_.TakeUpCheckpoint());
    }
    if (passes(MemberKind::kArtefacts)) {
      KINORA_RETURN_IF_ERROR(history_.FinishArtefacts());
    }
    if (passes(MemberKind::kInputs)) {
      KINORA_RETURN_IF_ERROR(history_.FinishInputs());
    }
    if (passes(MemberKind::kManifest)) {
      KINORA_RETURN_IF_ERROR(history_.FinishManifests());
    }
    if (passes(MemberKind::kCurrent)) {
      KINORA_RETURN_IF_ERROR(history_.FinishCurrent());
    }
    if (passes(MemberKind::kRunRecord)) {
      KINORA_RETURN_IF_ERROR(runs_.FinishRecords());
    }
    if (passes(MemberKind::kLedger)) {
      KINORA_RETURN_IF_ERROR(runs_.FinishLedgers());
      blobs_ = needed_.Take();
    }
    if (passes(MemberKind::kBlob) && next_blob_ < blobs_.size() &&
        !head_.without_blobs) {
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
        if (cores_.end.has_value()) {
          KINORA_RETURN_IF_ERROR(
              CutExtent(cores_.end->artefacts_through, &head_.artefacts));
          KINORA_RETURN_IF_ERROR(
              CutExtent(cores_.end->inputs_through, &head_.inputs));
        }
        if (!head_.without_blobs || cores_.takes_without_blobs) {
          return absl::OkStatus();
        }
        return CopyDamaged(path, "is of a copy without blobs, for a dry run");
      }
      case MemberKind::kMovie:
        return TakeMovie(bytes);
      case MemberKind::kRetention:
      case MemberKind::kArtefacts:
      case MemberKind::kInputs:
      case MemberKind::kManifest:
      case MemberKind::kCurrent:
        return history_.Take(name, path, bytes);
      case MemberKind::kPlan:
      case MemberKind::kRevisionPlan:
      case MemberKind::kProgress:
      case MemberKind::kRunRecord:
      case MemberKind::kLedger:
        return runs_.Take(name, path, bytes);
      case MemberKind::kReadable:
        return cores_.storage.Write(absl::StrCat(MoviePrefix(movie_id_), path),
                                    bytes);
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

  // That the events say what the manifests do: whoever takes the export of
  // somebody else's run knows nothing of the movie otherwise.
  absl::Status CheckManifests() {
    // Nobody has made anything of these logs yet but this restoration.
    cores_.catalog.ForgetEverywhere(movie_id_);
    absl::StatusOr<std::vector<EventPtr>> commits =
        cores_.events.Commits(movie_id_);
    if (!commits.ok()) return OfCopy("events/", commits.status());
    ManifestReplay replay(cores_.events, cores_.storage, cores_.log, movie_id_,
                          *std::move(commits));
    while (!replay.done()) {
      const std::string revision = replay.next().revision();
      const absl::Status made = replay.Next().status();
      // Where logs were removed the manifest stands for itself.
      if (made.ok() || absl::IsOutOfRange(made)) continue;
      return OfCopy(ManifestPath(revision), made);
    }
    return absl::OkStatus();
  }

  absl::Status Publish() {
    bool shares_runs = false;
    absl::flat_hash_set<std::string> claimed_runs;
    for (const auto& run : head_.ledgers) {
      KINORA_ASSIGN_OR_RETURN(const bool claimed,
                              ClaimRunId(cores_.storage, movie_id_, run.first));
      if (claimed) claimed_runs.insert(run.first);
      shares_runs = shares_runs || !claimed;
    }
    // A runner finds those that have not ended by this alone.
    for (const std::string& run_id : runs_.open_runs()) {
      if (!claimed_runs.contains(run_id)) continue;
      KINORA_RETURN_IF_ERROR(
          CreateObject(cores_.storage, OpenRunKey(run_id), movie_id_).status());
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
  NeededBlobs needed_;
  HistoryRestoration history_;
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
