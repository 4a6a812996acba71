#include "services/store/manifest/manifest_replay.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

constexpr int64_t kRecordsPerRead = 1000;
constexpr int64_t kBytesPerRead = int64_t{1} << 20;

bool IsOf(const v1::Event& event, const v1::RevisionCommitted& commit) {
  return event.artefact().status() == v1::ARTEFACT_STATUS_SUCCEEDED &&
         event.artefact().produced_by().run_id() == commit.run_id();
}

absl::Status CheckHash(absl::string_view movie_id,
                       const v1::RevisionCommitted& commit,
                       absl::string_view bytes) {
  if (Sha256Of(bytes).Hex() == commit.manifest_hash()) return absl::OkStatus();
  return DataCorrupt(
      ManifestKey(movie_id, commit.revision()),
      absl::StrCat("rebuilt from the logs it does not have the hash ",
                   commit.manifest_hash(), " that was committed"));
}

// Hands the checkpoint's events of one log to `take`, in order.
absl::Status ForEachEvent(RevisionCheckpoint& checkpoint, v1::LogKind kind,
                          absl::FunctionRef<absl::Status(EventPtr)> take) {
  for (int64_t after = 0;;) {
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<LogRecord> records,
        checkpoint.Read(kind, after, checkpoint.info().Through(kind),
                        kRecordsPerRead, kBytesPerRead));
    if (records.empty()) return absl::OkStatus();
    for (const LogRecord& record : records) {
      KINORA_ASSIGN_OR_RETURN(
          v1::Event event,
          EventFromRecord(checkpoint.PathOf(kind), kind, record));
      KINORA_RETURN_IF_ERROR(
          take(std::make_shared<const v1::Event>(std::move(event))));
    }
    after = records.back().sequence;
  }
}

}  // namespace

absl::StatusOr<RevisionEvents> CollectRevisionEvents(
    LogEventStore& events, LogHistory& artefacts, const std::string& movie_id,
    const v1::RevisionCommitted& source, int64_t* at, int64_t through) {
  RevisionEvents collected;
  KINORA_ASSIGN_OR_RETURN(
      collected.inputs,
      events.InputsThrough(movie_id, source.inputs_through_sequence()));
  KINORA_RETURN_IF_ERROR(artefacts.ForEach(through, at, [&](v1::Event event) {
    if (IsOf(event, source)) {
      collected.artefacts.push_back(
          std::make_shared<const v1::Event>(std::move(event)));
    }
    return absl::OkStatus();
  }));
  collected.removed_artefact_ids.assign(source.removed_artefact_ids().begin(),
                                        source.removed_artefact_ids().end());
  return collected;
}

absl::StatusOr<v1::Manifest> ManifestOf(RevisionCheckpoint& checkpoint) {
  const CheckpointInfo& info = checkpoint.info();
  v1::Manifest manifest;
  v1::RevisionCommitted last;
  std::vector<EventPtr> pending;
  // The manifests on the way lack what was replaced later. The last one does
  // not, but for the inputs, none of which ever goes.
  KINORA_RETURN_IF_ERROR(
      ForEachEvent(checkpoint, v1::LOG_KIND_ARTEFACTS, [&](EventPtr event) {
        if (!event->has_revision_committed()) {
          pending.push_back(std::move(event));
          return absl::OkStatus();
        }
        last = event->revision_committed();
        RevisionEvents events;
        for (EventPtr& made : pending) {
          if (IsOf(*made, last)) events.artefacts.push_back(std::move(made));
        }
        pending.clear();
        events.removed_artefact_ids.assign(last.removed_artefact_ids().begin(),
                                           last.removed_artefact_ids().end());
        manifest = BuildManifest(manifest, last.revision(), events);
        return absl::OkStatus();
      }));
  KINORA_RETURN_IF_ERROR(ForEachEvent(checkpoint, v1::LOG_KIND_INPUTS,
                                      [&manifest](EventPtr event) {
                                        ApplyInput(event->input(), &manifest);
                                        return absl::OkStatus();
                                      }));
  if (last.revision() != info.revision) {
    return DataCorrupt(
        checkpoint.PathOf(v1::LOG_KIND_ARTEFACTS),
        absl::StrCat("ends with the commit of \"", last.revision(), "\""));
  }
  if (Sha256Of(ManifestBytes(manifest)).Hex() != last.manifest_hash()) {
    return DataCorrupt(
        checkpoint.PathOf(v1::LOG_KIND_ARTEFACTS),
        absl::StrCat("the manifest of ", last.revision(),
                     " made of it does not have the hash ",
                     last.manifest_hash(), " that was committed"));
  }
  return manifest;
}

absl::Status ManifestReplay::Begin() {
  base_ = 0;
  oldest_ = 0;
  made_ = 0;
  after_ = 0;
  manifest_.Clear();
  KINORA_ASSIGN_OR_RETURN(const LogExtent inputs,
                          log_.Extent(InputsLogKey(movie_id_)));
  KINORA_ASSIGN_OR_RETURN(const LogExtent artefacts,
                          log_.Extent(ArtefactsLogKey(movie_id_)));
  if (inputs.oldest_sequence <= 1 && artefacts.oldest_sequence <= 1) {
    begun_ = true;
    return absl::OkStatus();
  }
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RevisionCheckpoint> checkpoint,
                          RevisionCheckpoint::OpenNewest(storage_, movie_id_));
  if (checkpoint == nullptr) {
    return DataCorrupt(EventsPrefix(movie_id_),
                       "the logs lack their beginning, and there is no "
                       "checkpoint that stands for it");
  }
  KINORA_ASSIGN_OR_RETURN(manifest_, ManifestOf(*checkpoint));
  bytes_ = ManifestBytes(manifest_);
  base_ = checkpoint->info().artefacts_through;
  after_ = base_;
  while (oldest_ < commits_.size() && commits_[oldest_]->sequence() < after_) {
    ++oldest_;
  }
  made_ = std::min(oldest_ + 1, commits_.size());
  begun_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::string> ManifestReplay::Make() {
  const size_t wanted = next_ - 1;
  if (wanted < oldest_) {
    const std::string oldest =
        oldest_ == commits_.size()
            ? ""
            : commits_[oldest_]->revision_committed().revision();
    return WithReason(
        absl::OutOfRangeError(absl::StrCat(
            "the logs of ", commits_[wanted]->revision_committed().revision(),
            " of movie \"", movie_id_,
            "\" were removed; the oldest revision "
            "that can be rebuilt is ",
            oldest)),
        "LOG_TRIMMED", {{"oldest", oldest}});
  }
  LogHistory artefacts(log_, storage_, movie_id_, v1::LOG_KIND_ARTEFACTS);
  while (made_ <= wanted) {
    const v1::Event& record = *commits_[made_];
    const v1::RevisionCommitted& commit = record.revision_committed();
    KINORA_ASSIGN_OR_RETURN(
        const RevisionEvents events,
        CollectRevisionEvents(events_, artefacts, movie_id_, commit, &after_,
                              record.sequence()));
    manifest_ = BuildManifest(manifest_, commit.revision(), events);
    bytes_ = ManifestBytes(manifest_);
    ++made_;
    KINORA_RETURN_IF_ERROR(CheckHash(movie_id_, commit, bytes_));
  }
  return bytes_;
}

absl::StatusOr<std::string> ManifestReplay::Next() {
  ++next_;
  if (!begun_) KINORA_RETURN_IF_ERROR(Begin());
  absl::StatusOr<std::string> made = Make();
  if (made.ok() || next_ - 1 < oldest_) return made;
  // What it began with may have been removed meanwhile.
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent,
                          log_.Extent(ArtefactsLogKey(movie_id_)));
  if (!absl::IsOutOfRange(made.status()) &&
      extent.oldest_sequence <= base_ + 1) {
    return made;
  }
  KINORA_RETURN_IF_ERROR(Begin());
  return Make();
}

absl::Status ManifestReplay::GoOnFrom(absl::string_view json) {
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(ParseDocument(json, &manifest));
  manifest_ = std::move(manifest);
  made_ = next_;
  after_ = commits_[next_ - 1]->sequence();
  return absl::OkStatus();
}

}  // namespace kinora
