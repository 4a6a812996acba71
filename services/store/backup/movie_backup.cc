#include "services/store/backup/movie_backup.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/backup/copy_head.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/backup/copy_writer.h"
#include "services/store/backup/history_scope.h"
#include "services/store/backup/movie_moment.h"
#include "services/store/backup/needed_blobs.h"
#include "services/store/backup/run_scope.h"
#include "services/store/backup/tar_writer.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/retention/kept_takes.h"

namespace kinora {
namespace {

// A part of a log: what is held of it at a time.
constexpr int64_t kPartBytes = int64_t{4} << 20;
constexpr int64_t kPartRecords = 20'000;

class MovieBackup {
 public:
  MovieBackup(const MovieBackupCores& cores,
              const v1::BackUpMovieRequest& request, TarWriter::Sink write,
              const MovieHolds::Hold& hold)
      : cores_(cores),
        request_(request),
        movie_id_(request.movie_id()),
        run_id_(request.run_id()),
        prefix_(MoviePrefix(movie_id_)),
        write_(write),
        hold_(hold) {}

  absl::Status Run() {
    KINORA_ASSIGN_OR_RETURN(
        moment_,
        ObserveMoment(cores_.storage, cores_.log, cores_.catalog, movie_id_,
                      /*with_runs=*/!request_.without_blobs()));
    if (request_.has_until()) {
      KINORA_RETURN_IF_ERROR(
          NarrowToHistory(cores_, movie_id_, request_.until(), &moment_));
    }
    if (!run_id_.empty()) {
      KINORA_RETURN_IF_ERROR(NarrowToRun(cores_, movie_id_, run_id_, &moment_));
    }
    const absl::Time now = cores_.clock.Now();
    KINORA_ASSIGN_OR_RETURN(copy_,
                            CopyWriter::Start(cores_.storage, write_, now));
    KINORA_RETURN_IF_ERROR(
        copy_->Add(kHeadMember,
                   CopyHeadText({.movie_id = movie_id_,
                                 .create_time = now,
                                 .artefacts = moment_.artefacts,
                                 .inputs = moment_.inputs,
                                 .ledgers = moment_.ledgers,
                                 .run_id = run_id_,
                                 .without_blobs = request_.without_blobs()})));
    KINORA_RETURN_IF_ERROR(copy_->Add(kMovieMember, moment_.movie));
    if (moment_.retention.bytes.has_value()) {
      KINORA_RETURN_IF_ERROR(
          copy_->Add(kRetentionMember, *moment_.retention.bytes));
    }
    KINORA_RETURN_IF_ERROR(AddCheckpoint());
    KINORA_RETURN_IF_ERROR(AddEvents());
    KINORA_RETURN_IF_ERROR(AddManifests());
    if (!request_.without_blobs()) {
      KINORA_RETURN_IF_ERROR(AddPlans());
      KINORA_RETURN_IF_ERROR(AddRuns());
      // No run has read what somebody typed and nobody recorded.
      if (run_id_.empty()) KINORA_RETURN_IF_ERROR(AddEditedFiles());
      KINORA_RETURN_IF_ERROR(AddBlobs());
    }
    // Logs of a deleted movie are empty. It was not, so far: all is there.
    if (hold_.deleted()) return absl::AbortedError("deleted");
    return copy_->Finish();
  }

 private:
  // What stands for records that were removed. None are while this runs.
  absl::Status AddCheckpoint() {
    if (moment_.artefacts.oldest_sequence <= 1 &&
        moment_.inputs.oldest_sequence <= 1) {
      return absl::OkStatus();
    }
    KINORA_ASSIGN_OR_RETURN(
        const std::unique_ptr<RevisionCheckpoint> checkpoint,
        RevisionCheckpoint::OpenNewest(cores_.storage, movie_id_));
    if (checkpoint == nullptr) {
      return DataCorrupt(EventsPrefix(movie_id_),
                         "the logs lack their beginning: verify the movie");
    }
    for (const v1::LogKind kind :
         {v1::LOG_KIND_ARTEFACTS, v1::LOG_KIND_INPUTS}) {
      const std::string path = checkpoint->PathOf(kind);
      KINORA_RETURN_IF_ERROR(
          copy_->AddObject(absl::StrCat(prefix_, path), path));
    }
    return absl::OkStatus();
  }

  absl::Status AddEvents() {
    if (request_.without_blobs()) return AddBareEvents();
    LogHistory artefacts(cores_.log, cores_.storage, movie_id_,
                         v1::LOG_KIND_ARTEFACTS);
    LogHistory inputs(cores_.log, cores_.storage, movie_id_,
                      v1::LOG_KIND_INPUTS);
    KINORA_ASSIGN_OR_RETURN(
        const KeptTakes takes,
        KeptTakes::Make(artefacts, moment_.retention.takes));
    const auto take_artefact = [&](const v1::Event& event) {
      return takes.Keeps(event) ? needed_.AddThoseOf(event) : absl::OkStatus();
    };
    const auto take_input = [this](const v1::Event& event) {
      return needed_.AddThoseOf(event);
    };
    KINORA_RETURN_IF_ERROR(
        AddKept(artefacts, moment_.artefacts, take_artefact));
    KINORA_RETURN_IF_ERROR(AddLog(ArtefactsLogKey(movie_id_),
                                  v1::LOG_KIND_ARTEFACTS, moment_.artefacts,
                                  take_artefact));
    KINORA_RETURN_IF_ERROR(AddKept(inputs, moment_.inputs, take_input));
    return AddLog(InputsLogKey(movie_id_), v1::LOG_KIND_INPUTS, moment_.inputs,
                  take_input);
  }

  absl::Status AddBareEvents() {
    KINORA_RETURN_IF_ERROR(AddLog(ArtefactsLogKey(movie_id_),
                                  v1::LOG_KIND_ARTEFACTS, moment_.artefacts));
    return AddLog(InputsLogKey(movie_id_), v1::LOG_KIND_INPUTS, moment_.inputs);
  }

  // The events of a checkpoint, in the place of those before `extent`.
  static absl::Status AddKept(
      LogHistory& history, const LogExtent& extent,
      absl::FunctionRef<absl::Status(const v1::Event&)> take) {
    if (extent.oldest_sequence <= 1) return absl::OkStatus();
    int64_t at = 0;
    return history.ForEach(
        extent.oldest_sequence - 1, &at,
        [take](const v1::Event& event) { return take(event); });
  }

  static absl::Status Pass(const v1::Event&) { return absl::OkStatus(); }

  absl::Status AddLog(
      const std::string& key, v1::LogKind kind, const LogExtent& extent,
      absl::FunctionRef<absl::Status(const v1::Event&)> take = Pass) {
    int64_t at = std::max<int64_t>(extent.oldest_sequence - 1, 0);
    while (at < extent.last_sequence) {
      const int64_t limit = std::min(kPartRecords, extent.last_sequence - at);
      KINORA_ASSIGN_OR_RETURN(const std::vector<LogRecord> records,
                              cores_.log.Read(key, at, limit, kPartBytes));
      if (records.empty()) {
        return DataCorrupt(key, absl::StrCat("ends at record ", at, ", not ",
                                             extent.last_sequence));
      }
      std::string part;
      for (const LogRecord& record : records) {
        const absl::Status line = CheckLogLineIs(at + 1, record.line);
        if (!line.ok()) {
          return DataCorrupt(absl::StrCat(key, " event ", record.sequence),
                             line.message());
        }
        KINORA_ASSIGN_OR_RETURN(const v1::Event event,
                                EventFromRecord(key, kind, record));
        KINORA_RETURN_IF_ERROR(take(event));
        absl::StrAppend(&part, record.line, "\n");
        at = record.sequence;
      }
      KINORA_RETURN_IF_ERROR(copy_->Add(
          LogPartMember(Below(key), records.front().sequence), part));
    }
    return absl::OkStatus();
  }

  absl::Status AddManifests() {
    KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                            cores_.events.Commits(movie_id_));
    const v1::RevisionCommitted* current = nullptr;
    for (const EventPtr& event : commits) {
      if (event->sequence() > moment_.artefacts.last_sequence) break;
      current = &event->revision_committed();
      const std::string& revision = current->revision();
      if (moment_.retention.pruned_revisions.contains(revision)) continue;
      v1::GetManifestRequest request;
      request.set_movie_id(movie_id_);
      request.set_revision(revision);
      KINORA_ASSIGN_OR_RETURN(const StoredManifest stored,
                              cores_.manifests.Get(request));
      v1::Manifest manifest;
      const absl::Status parsed = ParseDocument(stored.json, &manifest);
      if (!parsed.ok()) {
        return DataCorrupt(ManifestKey(movie_id_, revision), parsed.message());
      }
      KINORA_RETURN_IF_ERROR(needed_.AddThoseOf(manifest));
      KINORA_RETURN_IF_ERROR(copy_->Add(ManifestPath(revision), stored.json));
    }
    if (current == nullptr) return absl::OkStatus();
    return copy_->Add(kCurrentMember, CanonicalBytes(PointerOf(*current)));
  }

  absl::Status AddPlans() {
    for (const std::string& hash : moment_.plans) {
      const std::string key = PlanKey(movie_id_, hash);
      KINORA_ASSIGN_OR_RETURN(const std::string json,
                              ReadObject(cores_.storage, key));
      v1::Plan plan;
      const absl::Status parsed = ParseDocument(json, &plan);
      if (!parsed.ok()) return DataCorrupt(key, parsed.message());
      if (Sha256Of(json).Hex() != hash) {
        return DataCorrupt(key, "does not have its hash");
      }
      KINORA_RETURN_IF_ERROR(needed_.AddThoseOf(Below(key), plan));
      KINORA_RETURN_IF_ERROR(copy_->Add(Below(key), json));
    }
    for (const std::string& revision : moment_.planned_revisions) {
      const std::string key = RevisionPlanKey(movie_id_, revision);
      KINORA_ASSIGN_OR_RETURN(const std::string json,
                              ReadObject(cores_.storage, key));
      // Replaced meanwhile by one of a later run; it is a copy anyway.
      if (!moment_.plans.contains(Sha256Of(json).Hex())) continue;
      KINORA_RETURN_IF_ERROR(copy_->Add(Below(key), json));
    }
    for (const auto& progress : moment_.progress) {
      KINORA_RETURN_IF_ERROR(
          copy_->Add(Below(RevisionProgressKey(movie_id_, progress.first)),
                     progress.second));
    }
    return absl::OkStatus();
  }

  absl::Status AddRuns() {
    for (const auto& run : moment_.runs) {
      KINORA_RETURN_IF_ERROR(
          copy_->Add(Below(RunRecordKey(movie_id_, run.first)), run.second));
    }
    for (const auto& ledger : moment_.ledgers) {
      KINORA_RETURN_IF_ERROR(AddLedger(ledger.first, ledger.second));
    }
    return absl::OkStatus();
  }

  absl::Status AddLedger(const std::string& run_id, LogExtent extent) {
    const std::string key = LedgerLogKey(movie_id_, run_id);
    const auto closing = moment_.closing_lines.find(run_id);
    const bool closes = closing != moment_.closing_lines.end();
    if (closes) --extent.last_sequence;
    KINORA_RETURN_IF_ERROR(AddLog(key, v1::LOG_KIND_LEDGER, extent));
    if (!closes) return absl::OkStatus();
    return copy_->Add(LogPartMember(Below(key), extent.last_sequence + 1),
                      closing->second);
  }

  // The others are written again from the log, also in the place of one that
  // cannot be taken.
  absl::Status AddEditedFiles() {
    KINORA_ASSIGN_OR_RETURN(
        const ReadableFindings found,
        cores_.events.readable().FindEdits(movie_id_, false));
    for (const SkippedReadable& file : found.skipped) {
      LogWarning("a backup is without a readable file",
                 {{"movie_id", movie_id_},
                  {"path", file.path},
                  {"artefact_id", file.artefact_id},
                  {"reason", file.reason}});
    }
    for (const ReadableEdit& edit : found.edits) {
      const absl::StatusOr<std::string> text =
          ReadObject(cores_.storage, absl::StrCat(prefix_, edit.path));
      if (absl::IsNotFound(text.status())) continue;  // its owner removed it
      KINORA_RETURN_IF_ERROR(text.status());
      KINORA_RETURN_IF_ERROR(copy_->Add(edit.path, *text));
    }
    return absl::OkStatus();
  }

  absl::Status AddBlobs() {
    for (const Digest& blob : needed_.Take()) {
      KINORA_RETURN_IF_ERROR(
          copy_->AddBlob(BlobKey(movie_id_, blob.Hex()), blob));
    }
    return absl::OkStatus();
  }

  std::string Below(const std::string& key) const {
    return key.substr(prefix_.size());
  }

  const MovieBackupCores& cores_;
  const v1::BackUpMovieRequest& request_;
  const std::string& movie_id_;
  const std::string& run_id_;  // of an export; empty for the whole movie
  const std::string prefix_;
  const TarWriter::Sink write_;
  const MovieHolds::Hold& hold_;

  MovieMoment moment_;
  std::unique_ptr<CopyWriter> copy_;
  NeededBlobs needed_;
};

}  // namespace

absl::Status BackUpMovie(
    const v1::BackUpMovieRequest& request, const MovieBackupCores& cores,
    absl::FunctionRef<absl::Status(absl::string_view)> write) {
  const std::string& movie_id = request.movie_id();
  if (!request.run_id().empty()) {
    KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
    if (request.without_blobs()) {
      return InvalidField("run_id", request.run_id(),
                          "cannot be exported without blobs");
    }
  }
  if (request.has_until() && !request.without_blobs()) {
    return InvalidField("until", "", "goes with without_blobs only");
  }
  KINORA_RETURN_IF_ERROR(cores.catalog.Require(movie_id));
  const std::unique_ptr<MovieHolds::Hold> hold =
      cores.catalog.holds().ForCopy(movie_id);
  KINORA_RETURN_IF_ERROR(cores.catalog.Require(movie_id));
  const absl::Status status = MovieBackup(cores, request, write, *hold).Run();
  if (status.ok() || !hold->deleted()) return status;
  return WithReason(
      absl::NotFoundError(absl::StrCat(
          "movie \"", movie_id, "\" was deleted while it was backed up")),
      "MOVIE_NOT_FOUND", {{"movie", movie_id}});
}

}  // namespace kinora
