#include "services/store/checkpoint/covered_logs.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/match.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checkpoint/kept_events.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/manifest/manifest_replay.h"
#include "services/store/retention/kept_takes.h"
#include "services/store/retention/retention_record.h"
#include "services/store/statistics/producer_totals.h"

namespace kinora {
namespace {

constexpr int64_t kEventsPerRead = 1000;
constexpr int64_t kBytesPerRead = int64_t{1} << 20;

class Removal {
 public:
  Removal(const CoveredLogsParts& parts, const std::string& movie_id)
      : parts_(parts),
        movie_id_(movie_id),
        inputs_(parts.log, parts.storage, movie_id, v1::LOG_KIND_INPUTS),
        artefacts_(parts.log, parts.storage, movie_id, v1::LOG_KIND_ARTEFACTS) {
  }

  absl::StatusOr<std::vector<std::string>> Run() {
    KINORA_RETURN_IF_ERROR(FinishCommit());
    KINORA_ASSIGN_OR_RETURN(commits_, parts_.events.Commits(movie_id_));
    if (commits_.empty()) return std::vector<std::string>();
    KINORA_ASSIGN_OR_RETURN(retention_,
                            LoadRetention(parts_.storage, movie_id_));
    KINORA_RETURN_IF_ERROR(CheckManifests());
    KINORA_RETURN_IF_ERROR(WriteIfMissing());
    KINORA_RETURN_IF_ERROR(CheckWritten());
    // From here on what a crash left behind would look like edits by hand.
    KINORA_RETURN_IF_ERROR(
        parts_.events.readable().BringUp(movie_id_).status());
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> before, Archives());
    KINORA_RETURN_IF_ERROR(parts_.log.Trim(InputsLogKey(movie_id_),
                                           last().inputs_through_sequence()));
    KINORA_RETURN_IF_ERROR(parts_.log.Trim(ArtefactsLogKey(movie_id_),
                                           commits_.back()->sequence()));
    KINORA_RETURN_IF_ERROR(
        RemoveOtherCheckpoints(parts_.storage, movie_id_, last().revision()));
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> after, Archives());
    std::vector<std::string> removed;
    std::set_difference(before.begin(), before.end(), after.begin(),
                        after.end(), std::back_inserter(removed));
    return removed;
  }

 private:
  const v1::RevisionCommitted& last() const {
    return commits_.back()->revision_committed();
  }

  absl::Status FinishCommit() {
    v1::GetCurrentManifestRequest request;
    request.set_movie_id(movie_id_);
    return parts_.manifests.GetCurrent(request).status();
  }

  absl::Status CheckManifests() {
    for (const EventPtr& commit : commits_) {
      const std::string& revision = commit->revision_committed().revision();
      if (retention_.pruned_revisions.contains(revision)) continue;
      v1::GetManifestRequest request;
      request.set_movie_id(movie_id_);
      request.set_revision(revision);
      const absl::Status status = parts_.manifests.Get(request).status();
      // Pruned meanwhile.
      if (!absl::IsNotFound(status)) KINORA_RETURN_IF_ERROR(status);
    }
    return absl::OkStatus();
  }

  absl::Status WriteIfMissing() {
    KINORA_ASSIGN_OR_RETURN(
        const std::unique_ptr<RevisionCheckpoint> newest,
        RevisionCheckpoint::OpenNewest(parts_.storage, movie_id_));
    if (newest != nullptr && newest->info().revision == last().revision()) {
      return absl::OkStatus();
    }
    CheckpointInfo info;
    info.revision = last().revision();
    info.inputs_through = last().inputs_through_sequence();
    info.artefacts_through = commits_.back()->sequence();
    ProducerTotals totals;
    if (newest != nullptr) {
      totals = ProducerTotals::FromJson(newest->info().producer_totals);
    }
    KINORA_RETURN_IF_ERROR(CountProducers(info.artefacts_through, &totals));
    info.producer_totals = totals.ToJson();

    KINORA_ASSIGN_OR_RETURN(const KeptTakes takes,
                            KeptTakes::Make(artefacts_, retention_.takes));
    KINORA_ASSIGN_OR_RETURN(const std::vector<int64_t> inputs,
                            ChooseInputs(inputs_, info.inputs_through));
    KINORA_ASSIGN_OR_RETURN(const std::vector<int64_t> artefacts,
                            ChooseArtefacts(artefacts_, commits_, takes));
    std::vector<LogRecord> kept_inputs;
    KINORA_RETURN_IF_ERROR(
        CopyKept(inputs_, inputs, [&](const LogRecord& record) {
          kept_inputs.push_back(record);
          return absl::OkStatus();
        }));
    return WriteRevisionCheckpoint(
        parts_.storage, movie_id_, std::move(info), kept_inputs,
        [&](absl::FunctionRef<absl::Status(const LogRecord&)> keep) {
          return CopyKept(artefacts_, artefacts, keep);
        });
  }

  absl::Status CountProducers(int64_t through, ProducerTotals* totals) {
    int64_t at = totals->through();
    return artefacts_.ForEach(through, &at, [totals](const v1::Event& event) {
      totals->Add(event);
      return absl::OkStatus();
    });
  }

  // Hands the records with these numbers, which ascend, to `keep`.
  static absl::Status CopyKept(
      LogHistory& history, const std::vector<int64_t>& sequences,
      absl::FunctionRef<absl::Status(const LogRecord&)> keep) {
    auto next = sequences.begin();
    for (int64_t after = 0; next != sequences.end();) {
      KINORA_ASSIGN_OR_RETURN(
          const LogHistory::Page page,
          history.Read(after, kEventsPerRead, kBytesPerRead));
      if (page.records.empty()) break;
      for (const LogRecord& record : page.records) {
        after = record.sequence;
        if (next == sequences.end() || *next != record.sequence) continue;
        KINORA_RETURN_IF_ERROR(keep(record));
        ++next;
      }
    }
    if (next == sequences.end()) return absl::OkStatus();
    return absl::InternalError("a record is gone that was there before");
  }

  // Reads what was written as a later process would.
  absl::Status CheckWritten() {
    KINORA_ASSIGN_OR_RETURN(
        const std::unique_ptr<RevisionCheckpoint> written,
        RevisionCheckpoint::OpenNewest(parts_.storage, movie_id_));
    if (written == nullptr || written->info().revision != last().revision()) {
      return absl::AbortedError(
          "the checkpoint was replaced while it was written");
    }
    KINORA_RETURN_IF_ERROR(written->Check());
    return ManifestOf(*written).status();
  }

  // The archives there are, as paths below the movie, sorted.
  absl::StatusOr<std::vector<std::string>> Archives() {
    const size_t prefix = MoviePrefix(movie_id_).size();
    const std::string inputs = ArchiveSuffix(InputsLogKey(movie_id_));
    const std::string artefacts = ArchiveSuffix(ArtefactsLogKey(movie_id_));
    std::vector<std::string> paths;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        parts_.storage, EventsPrefix(movie_id_), [&](const ObjectPage& page) {
          for (const ObjectInfo& object : page.objects) {
            if (absl::EndsWith(object.key, inputs) ||
                absl::EndsWith(object.key, artefacts)) {
              paths.push_back(object.key.substr(prefix));
            }
          }
          return absl::OkStatus();
        }));
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  const CoveredLogsParts& parts_;
  const std::string& movie_id_;
  LogHistory inputs_;
  LogHistory artefacts_;
  RetentionRecord retention_;
  std::vector<EventPtr> commits_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> RemoveCoveredLogs(
    const CoveredLogsParts& parts, const std::string& movie_id) {
  return Removal(parts, movie_id).Run();
}

}  // namespace kinora
