#include "services/store/retention/movie_pruning.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/retention/kept_takes.h"
#include "services/store/retention/retention_record.h"
#include "services/store/run/run_index.h"

namespace kinora {
namespace {

absl::Status CheckNumber(absl::string_view field, int64_t number) {
  if (number >= 0) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(number), "must not be negative");
}

class Pruning {
 public:
  Pruning(const std::string& movie_id, const MoviePruningCores& cores)
      : movie_id_(movie_id), cores_(cores) {}

  absl::StatusOr<v1::PruneMovieResponse> Run(
      const v1::PruneMovieRequest& request) {
    KINORA_ASSIGN_OR_RETURN(record_, LoadRetention(cores_.storage, movie_id_));
    if (!request.dry_run()) {
      KINORA_RETURN_IF_ERROR(FinishRemoval());
    }
    KINORA_ASSIGN_OR_RETURN(commits_, cores_.events.Commits(movie_id_));
    v1::PruneMovieResponse response;
    ChooseRevisions(request.keep_revisions(), &response);
    KINORA_RETURN_IF_ERROR(ChooseRuns(request.keep_runs(), &response));
    KINORA_RETURN_IF_ERROR(ChooseTakes(request.keep_takes(), &response));
    if (request.dry_run() || !changed_) return response;
    KINORA_RETURN_IF_ERROR(SaveRetention(cores_.storage, movie_id_, &record_));
    KINORA_RETURN_IF_ERROR(FinishRemoval());
    return response;
  }

 private:
  void ChooseRevisions(int64_t keep, v1::PruneMovieResponse* response) {
    if (keep == 0) return;
    const int64_t count = static_cast<int64_t>(commits_.size());
    for (int64_t i = 0; i + keep < count; ++i) {
      const std::string& revision =
          commits_[i]->revision_committed().revision();
      if (!record_.pruned_revisions.insert(revision).second) continue;
      response->add_revisions(revision);
      changed_ = true;
    }
  }

  absl::Status ChooseRuns(int64_t keep, v1::PruneMovieResponse* response) {
    if (keep == 0) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(std::vector<v1::RunRecord> runs, Runs());
    v1::GetLeaseRequest lease;
    lease.set_lease_id(absl::StrCat("movie/", movie_id_));
    KINORA_ASSIGN_OR_RETURN(const v1::GetLeaseResponse holder,
                            cores_.leases.Get(lease));
    for (size_t i = 0; i + keep < runs.size(); ++i) {
      if (!IsTerminal(runs[i].status()) ||
          holder.lease().purpose() == runs[i].run_id()) {
        continue;
      }
      response->add_run_ids(runs[i].run_id());
      record_.removing_runs.insert(runs[i].run_id());
      changed_ = true;
    }
    return absl::OkStatus();
  }

  absl::Status ChooseTakes(int64_t keep, v1::PruneMovieResponse* response) {
    if (keep == 0 || commits_.empty()) return absl::OkStatus();
    const int64_t through = commits_.back()->sequence();
    LogHistory artefacts(cores_.log, cores_.storage, movie_id_,
                         v1::LOG_KIND_ARTEFACTS);
    KINORA_ASSIGN_OR_RETURN(const KeptTakes before,
                            KeptTakes::Make(artefacts, record_.takes));
    KINORA_ASSIGN_OR_RETURN(
        const KeptTakes after,
        KeptTakes::Make(artefacts, {{.keep = keep, .through = through}}));
    int64_t at = 0;
    int64_t takes = 0;
    KINORA_RETURN_IF_ERROR(
        artefacts.ForEach(through, &at, [&](const v1::Event& event) {
          if (event.artefact().output().has_blob() && before.Keeps(event) &&
              !after.Keeps(event)) {
            ++takes;
          }
          return absl::OkStatus();
        }));
    response->set_takes(takes);
    if (takes == 0) return absl::OkStatus();
    record_.AddTakesRule({.keep = keep, .through = through});
    changed_ = true;
    return absl::OkStatus();
  }

  // The records of the movie's runs, the oldest first.
  absl::StatusOr<std::vector<v1::RunRecord>> Runs() {
    std::vector<v1::RunRecord> runs;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        cores_.storage, RunsPrefix(movie_id_), [&](const ObjectPage& page) {
          for (const std::string& prefix : page.prefixes) {
            const absl::string_view run_id = LastPart(prefix);
            if (!ValidateRunId(run_id).ok()) continue;
            const std::string key = RunRecordKey(movie_id_, run_id);
            absl::StatusOr<std::string> json = ReadObject(cores_.storage, key);
            if (absl::IsNotFound(json.status())) continue;
            KINORA_RETURN_IF_ERROR(json.status());
            const absl::Status parsed =
                ParseCheckedDocument(*json, &runs.emplace_back());
            if (!parsed.ok()) return DataCorrupt(key, parsed.message());
          }
          return absl::OkStatus();
        }));
    std::sort(runs.begin(), runs.end(),
              [](const v1::RunRecord& a, const v1::RunRecord& b) {
                return a.run_id() < b.run_id();
              });
    return runs;
  }

  // Deletes what the record names; nothing if that was done before.
  absl::Status FinishRemoval() {
    for (const std::string& revision : record_.pruned_revisions) {
      KINORA_RETURN_IF_ERROR(
          cores_.storage.Delete(ManifestKey(movie_id_, revision)));
    }
    if (record_.removing_runs.empty()) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(RemovePlans());
    for (const std::string& run_id : record_.removing_runs) {
      // The record goes first: without it there is no such run.
      KINORA_RETURN_IF_ERROR(
          cores_.storage.Delete(RunRecordKey(movie_id_, run_id)));
      KINORA_RETURN_IF_ERROR(
          cores_.log.Remove(LedgerLogKey(movie_id_, run_id)));
      KINORA_RETURN_IF_ERROR(DeleteRunLeases(cores_.storage, run_id));
      KINORA_RETURN_IF_ERROR(
          ReleaseRunId(cores_.storage, movie_id_, run_id).status());
    }
    record_.removing_runs.clear();
    return SaveRetention(cores_.storage, movie_id_, &record_);
  }

  // Plans that lead to a revision which is there already, or was skipped: they
  // cannot be started any more.
  absl::Status RemovePlans() {
    KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                            cores_.events.Commits(movie_id_));
    Revision current;
    if (!commits.empty()) {
      KINORA_ASSIGN_OR_RETURN(
          current,
          Revision::Parse(commits.back()->revision_committed().revision()));
    }
    KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> runs, Runs());
    absl::flat_hash_set<std::string> kept;
    for (const v1::RunRecord& run : runs) {
      if (record_.removing_runs.contains(run.run_id())) continue;
      kept.insert(run.plan_hash());
      kept.insert(run.target_revision());
    }
    for (const v1::RunRecord& run : runs) {
      if (!record_.removing_runs.contains(run.run_id())) continue;
      const absl::StatusOr<Revision> target =
          Revision::Parse(run.target_revision());
      if (!target.ok() || *target > current) continue;
      if (!kept.contains(run.target_revision())) {
        KINORA_RETURN_IF_ERROR(cores_.storage.Delete(
            RevisionPlanKey(movie_id_, run.target_revision())));
      }
      if (!run.plan_hash().empty() && !kept.contains(run.plan_hash())) {
        KINORA_RETURN_IF_ERROR(
            cores_.storage.Delete(PlanKey(movie_id_, run.plan_hash())));
      }
    }
    return absl::OkStatus();
  }

  const std::string& movie_id_;
  const MoviePruningCores& cores_;
  RetentionRecord record_;
  std::vector<EventPtr> commits_;
  bool changed_ = false;
};

}  // namespace

absl::StatusOr<v1::PruneMovieResponse> PruneMovie(
    const v1::PruneMovieRequest& request, const MoviePruningCores& cores) {
  KINORA_RETURN_IF_ERROR(
      CheckNumber("keep_revisions", request.keep_revisions()));
  KINORA_RETURN_IF_ERROR(CheckNumber("keep_runs", request.keep_runs()));
  KINORA_RETURN_IF_ERROR(CheckNumber("keep_takes", request.keep_takes()));
  std::unique_ptr<MovieHolds::Hold> hold;
  if (!request.dry_run()) {
    KINORA_ASSIGN_OR_RETURN(
        hold, cores.catalog.holds().ForRemoval(request.movie_id()));
  }
  KINORA_RETURN_IF_ERROR(cores.catalog.RequireWritable(request.movie_id()));
  return Pruning(request.movie_id(), cores).Run(request);
}

}  // namespace kinora
