#include "services/runner/replay/replay_seed.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/store/event/ledger_log.h"
#include "services/store/lease/movie_lease.h"

namespace kinora {
namespace {

constexpr size_t kEventsPerAppend = 1'000;
constexpr size_t kDigestsPerLook = 10'000;
// Nobody else wants the lease of a movie in this runner's memory.
constexpr absl::Duration kSeedTime = absl::Hours(1);

// Blobs of a run by their hashes, with what names them.
class NamedBlobs {
 public:
  void Add(const std::string& what, const v1::Content& content) {
    if (!content.has_blob()) return;
    Add(what, content.blob().digest());
  }
  void Add(const std::string& what, const v1::Digest& digest) {
    if (names_.try_emplace(digest.hash(), what).second) {
      digests_.push_back(digest);
    }
  }

  absl::Status CheckAllAreThere(BlobStore& blobs,
                                const std::string& movie_id) const {
    for (size_t at = 0; at < digests_.size(); at += kDigestsPerLook) {
      v1::FindMissingBlobsRequest find;
      find.set_movie_id(movie_id);
      const size_t end = std::min(digests_.size(), at + kDigestsPerLook);
      for (size_t i = at; i < end; ++i) *find.add_digests() = digests_[i];
      KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse found,
                              blobs.FindMissing(find));
      if (found.missing().empty()) continue;
      const std::string& hash = found.missing(0).hash();
      return WithReason(absl::FailedPreconditionError(absl::StrCat(
                            "the run cannot be replayed: blob ", hash, " of ",
                            names_.at(hash), " is gone")),
                        "BLOB_NOT_FOUND",
                        {{"movie", movie_id}, {"value", hash}});
    }
    return absl::OkStatus();
  }

 private:
  absl::flat_hash_map<std::string, std::string> names_;
  std::vector<v1::Digest> digests_;
};

// Money is no obstacle: what is replayed costs nothing.
absl::Status LiftCap(const Store& copy, const std::string& movie_id) {
  v1::GetMovieRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse movie,
                          copy.movies.Get(get));
  if (!movie.movie().quota().has_max_cost()) return absl::OkStatus();
  v1::SetMovieQuotaRequest set;
  set.set_movie_id(movie_id);
  *set.mutable_quota() = movie.movie().quota();
  set.mutable_quota()->clear_max_cost();
  return copy.movies.SetQuota(set).status();
}

absl::Status AppendAgain(const Store& copy, const v1::LogName& log,
                         const v1::LeaseToken& lease,
                         const std::vector<const v1::Event*>& events) {
  for (size_t at = 0; at < events.size(); at += kEventsPerAppend) {
    v1::AppendEventsRequest append;
    *append.mutable_log() = log;
    *append.mutable_lease() = lease;
    const size_t end = std::min(events.size(), at + kEventsPerAppend);
    for (size_t i = at; i < end; ++i) {
      v1::Event* event = append.add_events();
      *event = *events[i];
      event->clear_sequence();
      event->clear_time();
    }
    KINORA_RETURN_IF_ERROR(copy.events.Append(append).status());
  }
  return absl::OkStatus();
}

// The results of jobs that are done, into the log of artefacts.
absl::Status AppendResults(const RecordedRun& run,
                           const std::map<std::string, JobEnd>& done,
                           const v1::LeaseToken& lease, const Store& copy) {
  std::vector<const v1::Event*> results;
  for (const v1::Event& event : run.results) {
    if (event.artefact().status() == v1::ARTEFACT_STATUS_SUCCEEDED &&
        done.contains(event.artefact().produced_by().job_id())) {
      results.push_back(&event);
    }
  }
  v1::LogName log;
  log.set_movie_id(run.record.movie_id());
  log.set_kind(v1::LOG_KIND_ARTEFACTS);
  return AppendAgain(copy, log, lease, results);
}

// The beginning of the ledger, and what it tells of jobs that are done.
absl::Status AppendSteps(const RecordedRun& run,
                         const std::map<std::string, JobEnd>& done,
                         int64_t through, const v1::LeaseToken& lease,
                         const Store& copy) {
  std::vector<const v1::Event*> steps;
  for (const v1::Event& event : run.steps) {
    const v1::LedgerEvent& ledger = event.ledger();
    const bool is_step = ledger.has_step_started() ||
                         ledger.has_step_completed() ||
                         ledger.has_step_failed() || ledger.has_step_skipped();
    std::string job_id;
    if (ledger.has_step_started()) {
      job_id = ledger.step_started().step().step_id();
    } else if (ledger.has_step_completed()) {
      job_id = ledger.step_completed().step().step_id();
    } else if (ledger.has_step_failed()) {
      job_id = ledger.step_failed().step().step_id();
    } else if (ledger.has_step_skipped()) {
      job_id = ledger.step_skipped().step().step_id();
    }
    if (is_step && !done.contains(job_id)) continue;
    if (event.sequence() > through && !ledger.has_run_created()) continue;
    steps.push_back(&event);
  }
  return AppendAgain(copy,
                     LedgerLog(run.record.movie_id(), run.record.run_id()),
                     lease, steps);
}

// The run as its runner would have left it, had it died at the checkpoint.
v1::RunRecord OpenRecord(const v1::RunRecord& ended) {
  v1::RunRecord record = ended;
  record.set_status(v1::RUN_STATUS_RUNNING);
  record.clear_error();
  record.clear_finish_time();
  record.clear_published_revision();
  record.clear_manifest_hash();
  record.clear_cost();
  record.clear_other_costs();
  record.clear_budget();
  record.clear_wait();
  // The runner does what its caller did.
  record.clear_stepwise();
  return record;
}

}  // namespace

absl::Status CheckRecordedBlobs(const RecordedRun& run, const Store& copy) {
  const std::string& movie_id = run.record.movie_id();
  v1::GetMovieRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse movie,
                          copy.movies.Get(get));
  NamedBlobs blobs;
  blobs.Add("the blueprint", movie.movie().blueprint().digest());
  for (const v1::PlannedInput& input : run.plan.inputs()) {
    blobs.Add(input.input_id(), input.content());
  }
  for (const v1::PlannedSource& source : run.plan.sources()) {
    blobs.Add(source.artefact_id(), source.content());
  }
  for (const v1::ReusedJob& job : run.plan.reused()) {
    for (const v1::ReusedArtefact& artefact : job.artefacts()) {
      blobs.Add(artefact.artefact_id(), artefact.content());
    }
  }
  for (const v1::Event& event : run.results) {
    blobs.Add(event.artefact().artefact_id(), event.artefact().output());
  }
  return blobs.CheckAllAreThere(copy.blobs, movie_id);
}

absl::Status SeedReplay(const RecordedRun& run,
                        const std::map<std::string, JobEnd>& done,
                        int64_t through, bool forks, const Store& copy) {
  const std::string& movie_id = run.record.movie_id();
  KINORA_ASSIGN_OR_RETURN(const MovieLease lease,
                          MovieLease::Take(copy.leases, movie_id, "replay",
                                           run.record.run_id(), kSeedTime));
  KINORA_RETURN_IF_ERROR(LiftCap(copy, movie_id));
  KINORA_RETURN_IF_ERROR(AppendResults(run, done, lease.token(), copy));
  if (forks) return absl::OkStatus();
  v1::SavePlanHeader save;
  save.set_movie_id(movie_id);
  save.set_expected_hash(run.record.plan_hash());
  KINORA_RETURN_IF_ERROR(copy.plans.Save(save, run.plan_json).status());
  v1::PutRunRecordRequest put;
  *put.mutable_record() = OpenRecord(run.record);
  *put.mutable_lease() = lease.token();
  KINORA_RETURN_IF_ERROR(copy.runs.Put(put).status());
  return AppendSteps(run, done, through, lease.token(), copy);
}

}  // namespace kinora
