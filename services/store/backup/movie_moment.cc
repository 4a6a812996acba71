#include "services/store/backup/movie_moment.h"

#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/digest.h"
#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

// A pass over the logs takes microseconds, an append a sync of the disk. Where
// nothing is synced the appends of several threads may come as fast.
constexpr int kLogAttempts = 10'000;
constexpr int kObjectAttempts = 100;

constexpr absl::string_view kPlanSuffix = "-plan.json";
constexpr absl::string_view kProgressSuffix = "-progress.json";

bool Same(const LogExtent& a, const LogExtent& b) {
  return a.oldest_sequence == b.oldest_sequence &&
         a.last_sequence == b.last_sequence;
}

class Observation {
 public:
  Observation(ObjectStorage& storage, EventLog& log, MovieCatalog& catalog,
              absl::string_view movie_id, bool with_runs)
      : storage_(storage),
        log_(log),
        catalog_(catalog),
        movie_id_(movie_id),
        with_runs_(with_runs),
        runs_prefix_(RunsPrefix(movie_id)) {}

  absl::StatusOr<MovieMoment> Run() {
    for (int attempt = 0; attempt < kObjectAttempts; ++attempt) {
      KINORA_ASSIGN_OR_RETURN(MovieMoment moment, ReadObjects());
      KINORA_RETURN_IF_ERROR(ReadLogs(&moment));
      KINORA_ASSIGN_OR_RETURN(const MovieMoment again, ReadObjects());
      if (!SameObjects(moment, again)) continue;
      KINORA_RETURN_IF_ERROR(ReadEndedLedgers(&moment));
      return moment;
    }
    return Unsteady();
  }

 private:
  static bool SameObjects(const MovieMoment& a, const MovieMoment& b) {
    return std::tie(a.movie, a.retention.bytes, a.runs, a.plans,
                    a.planned_revisions, a.progress) ==
           std::tie(b.movie, b.retention.bytes, b.runs, b.plans,
                    b.planned_revisions, b.progress);
  }

  absl::Status Unsteady() const {
    return absl::UnavailableError(absl::StrCat(
        "movie \"", movie_id_, "\" changes too fast to be copied: try again"));
  }

  absl::StatusOr<MovieMoment> ReadObjects() {
    MovieMoment moment;
    KINORA_RETURN_IF_ERROR(catalog_.Load(movie_id_).status());
    KINORA_ASSIGN_OR_RETURN(moment.movie,
                            ReadObject(storage_, MovieKey(movie_id_)));
    KINORA_ASSIGN_OR_RETURN(moment.retention,
                            LoadRetention(storage_, movie_id_));
    if (with_runs_) KINORA_RETURN_IF_ERROR(ReadRuns(&moment));
    return moment;
  }

  absl::Status ReadRuns(MovieMoment* moment) {
    std::vector<std::string> run_ids;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        storage_, runs_prefix_, [&](const ObjectPage& page) -> absl::Status {
          for (const ObjectInfo& object : page.objects) {
            KINORA_RETURN_IF_ERROR(TakeRevisionObject(object.key, moment));
          }
          for (const std::string& prefix : page.prefixes) {
            const absl::string_view run_id = LastPart(prefix);
            if (ValidateRunId(run_id).ok()) run_ids.emplace_back(run_id);
          }
          return absl::OkStatus();
        }));
    KINORA_RETURN_IF_ERROR(
        ForEachEntry(storage_, absl::StrCat(runs_prefix_, "plans/"),
                     [&](const ObjectPage& page) {
                       for (const ObjectInfo& object : page.objects) {
                         const absl::string_view hash =
                             absl::StripSuffix(LastPart(object.key), ".json");
                         if (Digest::ParseHex(hash).ok())
                           moment->plans.emplace(hash);
                       }
                       return absl::OkStatus();
                     }));
    for (const std::string& run_id : run_ids) {
      if (moment->retention.removing_runs.contains(run_id)) continue;
      absl::StatusOr<std::string> record =
          ReadObject(storage_, RunRecordKey(movie_id_, run_id));
      if (absl::IsNotFound(record.status())) continue;  // no run yet, or pruned
      KINORA_RETURN_IF_ERROR(record.status());
      moment->runs.emplace(run_id, *std::move(record));
    }
    return absl::OkStatus();
  }

  absl::Status TakeRevisionObject(const std::string& key, MovieMoment* moment) {
    const absl::string_view name = LastPart(key);
    if (absl::EndsWith(name, kPlanSuffix)) {
      moment->planned_revisions.emplace(absl::StripSuffix(name, kPlanSuffix));
    } else if (absl::EndsWith(name, kProgressSuffix)) {
      KINORA_ASSIGN_OR_RETURN(std::string progress, ReadObject(storage_, key));
      const absl::Status sum = WithoutChecksum(progress).status();
      if (!sum.ok()) return DataCorrupt(key, sum.message());
      moment->progress.emplace(absl::StripSuffix(name, kProgressSuffix),
                               std::move(progress));
    }
    return absl::OkStatus();
  }

  // The logs that may grow: those of the movie and of runs that have not ended.
  absl::Status ReadLogs(MovieMoment* moment) {
    std::vector<std::pair<std::string, LogExtent*>> logs = {
        {ArtefactsLogKey(movie_id_), &moment->artefacts},
        {InputsLogKey(movie_id_), &moment->inputs}};
    for (const auto& run : moment->runs) {
      v1::RunRecord record;
      const absl::Status parsed = ParseCheckedDocument(run.second, &record);
      if (!parsed.ok()) {
        return DataCorrupt(RunRecordKey(movie_id_, run.first),
                           parsed.message());
      }
      if (IsTerminal(record.status())) continue;
      logs.emplace_back(LedgerLogKey(movie_id_, run.first),
                        &moment->ledgers[run.first]);
    }
    for (int attempt = 0; attempt < kLogAttempts; ++attempt) {
      bool same = attempt > 0;
      for (const auto& log : logs) {
        KINORA_ASSIGN_OR_RETURN(const LogExtent extent, log_.Extent(log.first));
        same = same && Same(extent, *log.second);
        *log.second = extent;
      }
      if (same) return absl::OkStatus();
    }
    return Unsteady();
  }

  absl::Status ReadEndedLedgers(MovieMoment* moment) {
    for (const auto& run : moment->runs) {
      if (moment->ledgers.contains(run.first)) continue;
      KINORA_ASSIGN_OR_RETURN(moment->ledgers[run.first],
                              log_.Extent(LedgerLogKey(movie_id_, run.first)));
    }
    return absl::OkStatus();
  }

  ObjectStorage& storage_;
  EventLog& log_;
  MovieCatalog& catalog_;
  const std::string movie_id_;
  const bool with_runs_;
  const std::string runs_prefix_;
};

}  // namespace

absl::StatusOr<MovieMoment> ObserveMoment(ObjectStorage& storage, EventLog& log,
                                          MovieCatalog& catalog,
                                          absl::string_view movie_id,
                                          bool with_runs) {
  return Observation(storage, log, catalog, movie_id, with_runs).Run();
}

}  // namespace kinora
