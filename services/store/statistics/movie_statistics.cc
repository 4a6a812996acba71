#include "services/store/statistics/movie_statistics.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/retention/retention_record.h"
#include "services/store/statistics/producer_totals.h"

namespace kinora {
namespace {

// Fewer new events are not worth a write.
constexpr int64_t kEventsPerSave = 1000;

absl::Status CountBlobs(ObjectStorage& storage, const std::string& movie_id,
                        v1::GetStatisticsResponse* response) {
  std::vector<std::string> directories;
  KINORA_RETURN_IF_ERROR(
      ForEachEntry(storage, BlobPrefix(movie_id), [&](const ObjectPage& page) {
        directories.insert(directories.end(), page.prefixes.begin(),
                           page.prefixes.end());
        return absl::OkStatus();
      }));
  int64_t blobs = 0;
  int64_t bytes = 0;
  for (const std::string& directory : directories) {
    KINORA_RETURN_IF_ERROR(
        ForEachEntry(storage, directory, [&](const ObjectPage& page) {
          for (const ObjectInfo& object : page.objects) {
            ++blobs;
            bytes += object.size_bytes;
          }
          return absl::OkStatus();
        }));
  }
  response->set_blobs(blobs);
  response->set_blob_bytes(bytes);
  return absl::OkStatus();
}

absl::Status CountRuns(ObjectStorage& storage, const std::string& movie_id,
                       v1::GetStatisticsResponse* response) {
  int64_t runs = 0;
  KINORA_RETURN_IF_ERROR(
      ForEachEntry(storage, RunsPrefix(movie_id), [&](const ObjectPage& page) {
        for (const std::string& prefix : page.prefixes) {
          const absl::string_view run_id = LastPart(prefix);
          if (!ValidateRunId(run_id).ok()) continue;
          const absl::Status record =
              storage.Stat(RunRecordKey(movie_id, run_id)).status();
          if (absl::IsNotFound(record)) continue;
          KINORA_RETURN_IF_ERROR(record);
          ++runs;
        }
        return absl::OkStatus();
      }));
  response->set_runs(runs);
  return absl::OkStatus();
}

absl::Status CountProducers(const MovieStatisticsCores& cores,
                            const std::string& movie_id,
                            v1::GetStatisticsResponse* response) {
  const std::string log = ArtefactsLogKey(movie_id);
  const std::string key = AggregatesKey(movie_id);
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, cores.log.Extent(log));
  absl::StatusOr<std::string> json = ReadObject(cores.storage, key);
  if (!json.ok() && !absl::IsNotFound(json.status())) return json.status();
  // A damaged one is made anew.
  if (json.ok()) json = WithoutChecksum(*json);
  ProducerTotals totals = ProducerTotals::FromJson(json.ok() ? *json : "");
  // It may be of a log that a crash has cut.
  if (totals.through() > extent.last_sequence) totals = ProducerTotals();
  if (totals.through() < extent.oldest_sequence - 1) {
    // They were counted before the log was removed.
    KINORA_ASSIGN_OR_RETURN(
        const std::unique_ptr<RevisionCheckpoint> checkpoint,
        RevisionCheckpoint::OpenNewest(cores.storage, movie_id));
    if (checkpoint != nullptr) {
      totals = ProducerTotals::FromJson(checkpoint->info().producer_totals);
    }
  }
  const int64_t saved = totals.through();
  int64_t at = std::max(saved, extent.oldest_sequence - 1);
  if (at < extent.last_sequence) {
    LogHistory artefacts(cores.log, cores.storage, movie_id,
                         v1::LOG_KIND_ARTEFACTS);
    KINORA_RETURN_IF_ERROR(artefacts.ForEach(extent.last_sequence, &at,
                                             [&totals](const v1::Event& event) {
                                               totals.Add(event);
                                               return absl::OkStatus();
                                             }));
  }
  totals.AddTo(response);
  if (totals.through() - saved < kEventsPerSave) return absl::OkStatus();
  const absl::Status written =
      cores.storage.Write(key, WithChecksum(totals.ToJson()));
  if (!written.ok()) {
    LogWarning("aggregates are not saved",
               {{"movie_id", movie_id}, {"error", written}});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::GetStatisticsResponse> GetStatistics(
    const v1::GetStatisticsRequest& request,
    const MovieStatisticsCores& cores) {
  const std::string& movie_id = request.movie_id();
  v1::GetStatisticsResponse response;
  KINORA_RETURN_IF_ERROR(CountBlobs(cores.storage, movie_id, &response));
  KINORA_RETURN_IF_ERROR(CountRuns(cores.storage, movie_id, &response));
  KINORA_ASSIGN_OR_RETURN(const LogExtent inputs,
                          cores.log.Extent(InputsLogKey(movie_id)));
  KINORA_ASSIGN_OR_RETURN(const LogExtent artefacts,
                          cores.log.Extent(ArtefactsLogKey(movie_id)));
  response.set_events(inputs.last_sequence + artefacts.last_sequence);
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          cores.events.Commits(movie_id));
  KINORA_ASSIGN_OR_RETURN(const RetentionRecord retention,
                          LoadRetention(cores.storage, movie_id));
  response.set_revisions(
      static_cast<int64_t>(commits.size()) -
      static_cast<int64_t>(retention.pruned_revisions.size()));
  KINORA_RETURN_IF_ERROR(CountProducers(cores, movie_id, &response));
  return response;
}

}  // namespace kinora
