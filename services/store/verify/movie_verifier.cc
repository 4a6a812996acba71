#include "services/store/verify/movie_verifier.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/digest.h"
#include "common/ids.h"
#include "common/proto_json.h"
#include "common/status.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/gc/reachable_blobs.h"
#include "services/store/layout.h"
#include "services/store/lease/lease_table.h"
#include "services/store/manifest/manifest_replay.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/movie/pinned_blueprint.h"
#include "services/store/retention/retention_record.h"
#include "services/store/verify/blob_check.h"
#include "services/store/verify/log_check.h"
#include "services/store/verify/readable_check.h"

namespace kinora {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 20;
// Objects between two messages without a problem.
constexpr int64_t kObjectsPerReport = 1000;
constexpr int kAttempts = 3;

class MovieVerifier {
 public:
  MovieVerifier(
      const std::string& movie_id, const MovieVerifierCores& cores,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report)
      : movie_id_(movie_id), cores_(cores), report_(report) {}

  absl::Status Run() {
    KINORA_RETURN_IF_ERROR(CheckMovieFile());
    // Finishes a commit that a crash cut short; what it finds damaged is found
    // again below.
    v1::GetCurrentManifestRequest current;
    current.set_movie_id(movie_id_);
    cores_.manifests.GetCurrent(current).status().IgnoreError();

    const std::string inputs = InputsLogKey(movie_id_);
    const std::string artefacts = ArtefactsLogKey(movie_id_);
    KINORA_RETURN_IF_ERROR(
        GoOn(inputs, CheckOneLog(inputs, v1::LOG_KIND_INPUTS)));
    KINORA_RETURN_IF_ERROR(
        GoOn(artefacts, CheckOneLog(artefacts, v1::LOG_KIND_ARTEFACTS)));
    KINORA_RETURN_IF_ERROR(GoOn(EventsPrefix(movie_id_), CheckCheckpoint()));
    const bool logs_intact = problems_ == 0;
    KINORA_RETURN_IF_ERROR(CheckRetention());
    KINORA_RETURN_IF_ERROR(CheckLease(absl::StrCat("movie/", movie_id_)));
    if (logs_intact) {
      KINORA_RETURN_IF_ERROR(
          GoOn(inputs, PinnedBlueprint(cores_.events, movie_id_).status()));
      KINORA_RETURN_IF_ERROR(GoOn(artefacts, CheckManifests()));
      KINORA_RETURN_IF_ERROR(GoOn(CurrentKey(movie_id_), CheckCurrent()));
    }
    KINORA_RETURN_IF_ERROR(GoOn(RunsPrefix(movie_id_), CheckPlans()));
    KINORA_RETURN_IF_ERROR(GoOn(RunsPrefix(movie_id_), CheckRuns()));
    KINORA_RETURN_IF_ERROR(
        GoOn(BlobPrefix(movie_id_),
             CheckBlobs(
                 cores_.storage, movie_id_,
                 [this](int64_t bytes) { return Checked(bytes); },
                 [this](absl::string_view key, absl::string_view message) {
                   return Problem(Below(key), 0, message);
                 })));
    if (logs_intact) {
      KINORA_RETURN_IF_ERROR(GoOn(MoviePrefix(movie_id_), CheckReferences()));
      KINORA_RETURN_IF_ERROR(
          GoOn(MoviePrefix(movie_id_),
               CheckReadableFiles(
                   cores_.storage, cores_.events, cores_.manifests, movie_id_,
                   [this](absl::string_view path, absl::string_view message) {
                     return Problem(path, 0, message);
                   })));
    }
    pending_.set_oldest_rebuildable_revision(oldest_rebuildable_);
    return Flush();
  }

 private:
  absl::Status Flush() {
    pending_.set_checked_objects(objects_);
    pending_.set_checked_bytes(bytes_);
    reported_ = report_(pending_);
    pending_.Clear();
    return reported_;
  }

  // What a check was ended by is a problem of `key`, or of the file it names;
  // the others go on. An error if nobody listens any more or the movie is gone.
  absl::Status GoOn(absl::string_view key, const absl::Status& ended_by) {
    if (ended_by.ok()) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(reported_);
    const absl::Status movie = cores_.catalog.Load(movie_id_).status();
    if (absl::IsNotFound(movie)) return movie;
    // Several checks may stumble over the same.
    if (!ended_by_.insert(std::string(ended_by.message())).second) {
      return absl::OkStatus();
    }
    return Damage(key, ended_by);
  }

  // Problem() of a status. `builds/film/events/...: what is wrong` names its
  // file.
  absl::Status Damage(absl::string_view key, const absl::Status& status) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(status.message(), absl::MaxSplits(": ", 1));
    if (!parts.second.empty() &&
        absl::StartsWith(parts.first, MoviePrefix(movie_id_))) {
      return Problem(Below(parts.first), 0, parts.second);
    }
    return Problem(Below(key), 0, status.message());
  }

  absl::Status Problem(absl::string_view path, int64_t line,
                       absl::string_view message) {
    ++problems_;
    v1::VerifyProblem* problem = pending_.add_problems();
    problem->set_path(std::string(path));
    problem->set_line(line);
    problem->set_message(std::string(message));
    return Flush();
  }

  absl::Status Checked(int64_t bytes) {
    bytes_ += bytes;
    return ++objects_ % kObjectsPerReport == 0 ? Flush() : absl::OkStatus();
  }

  std::string Below(absl::string_view key) const {
    return std::string(absl::StripPrefix(key, MoviePrefix(movie_id_)));
  }

  absl::Status CheckMovieFile() {
    const absl::StatusOr<MovieFile> loaded = cores_.catalog.Load(movie_id_);
    // There is none, or a newer build made it: nothing to check.
    if (absl::IsNotFound(loaded.status()) ||
        absl::IsFailedPrecondition(loaded.status())) {
      return loaded.status();
    }
    if (!loaded.ok()) {
      KINORA_RETURN_IF_ERROR(
          Problem("movie.json", 0, loaded.status().message()));
      return Checked(0);
    }
    shares_runs_ = loaded->shares_runs;
    return Checked(0);
  }

  absl::Status CheckLease(const std::string& lease_id) {
    const std::string key = LeaseKey(lease_id);
    const absl::Status lease = LoadLease(cores_.storage, lease_id).status();
    if (absl::IsNotFound(lease)) return absl::OkStatus();
    if (lease.ok()) return Checked(0);
    return Problem(key, 0,
                   absl::StripPrefix(lease.message(), absl::StrCat(key, ": ")));
  }

  absl::Status CheckOneLog(const std::string& key, v1::LogKind kind) {
    KINORA_ASSIGN_OR_RETURN(
        const LogCheck check,
        CheckLog(cores_.storage, cores_.log, movie_id_, key, kind));
    bytes_ += check.bytes;
    objects_ += check.files;
    for (const v1::VerifyProblem& problem : check.problems) {
      KINORA_RETURN_IF_ERROR(
          Problem(problem.path(), problem.line(), problem.message()));
    }
    if (!check.problems.empty()) Quarantine(key);
    return absl::OkStatus();
  }

  // What stands for removed records.
  absl::Status CheckCheckpoint() {
    absl::StatusOr<std::unique_ptr<RevisionCheckpoint>> checkpoint =
        RevisionCheckpoint::OpenNewest(cores_.storage, movie_id_);
    absl::Status status = checkpoint.status();
    if (status.ok() && *checkpoint != nullptr) {
      status = (*checkpoint)->Check();
      if (status.ok()) status = ManifestOf(**checkpoint).status();
      KINORA_RETURN_IF_ERROR(Checked(0));
      KINORA_RETURN_IF_ERROR(Checked((*checkpoint)->info().artefacts_bytes));
    }
    if (status.ok()) return status;
    return Damage(EventsPrefix(movie_id_), status);
  }

  // A log that meets damage while it is read refuses to be written.
  void Quarantine(const std::string& key) {
    absl::StatusOr<LogExtent> extent = cores_.log.Extent(key);
    if (!extent.ok()) return;
    int64_t at = std::max<int64_t>(extent->oldest_sequence - 1, 0);
    for (;;) {
      absl::StatusOr<std::vector<LogRecord>> records =
          cores_.log.Read(key, at, 1000, kReadBytes);
      if (!records.ok() || records->empty()) return;
      at = records->back().sequence;
    }
  }

  absl::Status CheckRetention() {
    absl::StatusOr<RetentionRecord> retention =
        LoadRetention(cores_.storage, movie_id_);
    if (!retention.ok()) {
      retention_known_ = false;
      ended_by_.insert(std::string(retention.status().message()));
      return Problem("retention.json", 0, retention.status().message());
    }
    retention_ = *std::move(retention);
    return absl::OkStatus();
  }

  absl::Status CheckManifests() {
    KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                            cores_.events.Commits(movie_id_));
    ManifestReplay replay = cores_.manifests.Replay(movie_id_, commits);
    while (!replay.done()) {
      const v1::RevisionCommitted commit = replay.next();
      const absl::StatusOr<std::string> rebuilt = replay.Next();
      if (retention_.pruned_revisions.contains(commit.revision())) continue;
      KINORA_RETURN_IF_ERROR(CheckManifest(commit, rebuilt, replay));
    }
    return CheckNoOtherManifests();
  }

  // A manifest is written after its commit is durable in the log.
  absl::Status CheckNoOtherManifests() {
    std::vector<std::string> keys;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        cores_.storage, ManifestPrefix(movie_id_), [&](const ObjectPage& page) {
          for (const ObjectInfo& object : page.objects) {
            keys.push_back(object.key);
          }
          return absl::OkStatus();
        }));
    // Read after them: commits go on meanwhile.
    KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                            cores_.events.Commits(movie_id_));
    absl::flat_hash_set<std::string> known;
    for (const EventPtr& commit : commits) {
      known.insert(
          ManifestKey(movie_id_, commit->revision_committed().revision()));
    }
    for (const std::string& key : keys) {
      if (known.contains(key)) continue;
      KINORA_RETURN_IF_ERROR(
          Problem(Below(key), 0,
                  "is of a revision that events/artefacts.log does not hold: "
                  "the log has lost its end, unless somebody put it there"));
    }
    return absl::OkStatus();
  }

  absl::Status CheckManifest(const v1::RevisionCommitted& commit,
                             const absl::StatusOr<std::string>& rebuilt,
                             ManifestReplay& replay) {
    const std::string key = ManifestKey(movie_id_, commit.revision());
    absl::StatusOr<std::string> stored = ReadObject(cores_.storage, key);
    if (absl::IsNotFound(stored.status())) {
      if (!retention_known_) return absl::OkStatus();
      // It may have been pruned since the record was read.
      KINORA_ASSIGN_OR_RETURN(const RetentionRecord now,
                              LoadRetention(cores_.storage, movie_id_));
      if (now.pruned_revisions.contains(commit.revision())) {
        return absl::OkStatus();
      }
      KINORA_RETURN_IF_ERROR(Problem(Below(key), 0, "is missing"));
    } else if (!stored.ok()) {
      KINORA_RETURN_IF_ERROR(Damage(key, stored.status()));
    } else if (Sha256Of(*stored).Hex() != commit.manifest_hash()) {
      KINORA_RETURN_IF_ERROR(Problem(
          Below(key), 0,
          absl::StrCat("does not have its hash ", commit.manifest_hash())));
    }
    if (rebuilt.ok()) {
      if (oldest_rebuildable_.empty()) oldest_rebuildable_ = commit.revision();
    } else if (!absl::IsOutOfRange(rebuilt.status())) {
      // Where retention has removed the logs the manifest stands for itself.
      KINORA_RETURN_IF_ERROR(Problem(
          Below(key), 0,
          absl::StrCat("cannot be rebuilt: ", rebuilt.status().message())));
      // What comes after it may be sound all the same.
      if (stored.ok() && Sha256Of(*stored).Hex() == commit.manifest_hash()) {
        KINORA_RETURN_IF_ERROR(replay.GoOnFrom(*stored));
      }
    }
    return Checked(stored.ok() ? static_cast<int64_t>(stored->size()) : 0);
  }

  // `current` names the last revision, or, while a commit is under way, the one
  // before.
  absl::Status CheckCurrent() {
    const std::string key = CurrentKey(movie_id_);
    for (int attempt = 1;; ++attempt) {
      absl::StatusOr<std::string> bytes = ReadObject(cores_.storage, key);
      if (!bytes.ok() && !absl::IsNotFound(bytes.status())) {
        return bytes.status();
      }
      KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                              cores_.events.Commits(movie_id_));
      if (commits.empty() && !bytes.ok()) return absl::OkStatus();
      const std::string wanted =
          commits.empty()
              ? ""
              : CanonicalBytes(PointerOf(commits.back()->revision_committed()));
      if (bytes.ok() && *bytes == wanted) return Checked(wanted.size());
      if (attempt < kAttempts) continue;
      return Problem(
          "current.json", 0,
          absl::StrCat(bytes.ok() ? "does not name" : "is missing, and names",
                       " the last revision of the log: expected ", wanted));
    }
  }

  absl::Status CheckPlans() {
    const std::string plans = absl::StrCat(RunsPrefix(movie_id_), "plans/");
    KINORA_RETURN_IF_ERROR(
        ForEachEntry(cores_.storage, plans, [&](const ObjectPage& page) {
          for (const ObjectInfo& object : page.objects) {
            KINORA_RETURN_IF_ERROR(CheckPlan(object.key, true));
          }
          return absl::OkStatus();
        }));
    return ForEachEntry(
        cores_.storage, RunsPrefix(movie_id_), [&](const ObjectPage& page) {
          for (const ObjectInfo& object : page.objects) {
            if (!absl::EndsWith(object.key, "-plan.json")) continue;
            KINORA_RETURN_IF_ERROR(CheckPlan(object.key, false));
          }
          return absl::OkStatus();
        });
  }

  absl::Status CheckPlan(const std::string& key, bool named_by_hash) {
    absl::StatusOr<std::string> json = ReadObject(cores_.storage, key);
    if (absl::IsNotFound(json.status())) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(json.status());
    KINORA_RETURN_IF_ERROR(Checked(json->size()));
    const std::string hash = Sha256Of(*json).Hex();
    if (named_by_hash) {
      if (LastPart(key) == absl::StrCat(hash, ".json")) return absl::OkStatus();
      return Problem(Below(key), 0,
                     absl::StrCat("does not have its hash, but ", hash));
    }
    const absl::Status plan =
        cores_.storage.Stat(PlanKey(movie_id_, hash)).status();
    if (!absl::IsNotFound(plan)) return plan;
    return Problem(Below(key), 0, "is no copy of a plan");
  }

  absl::Status CheckRuns() {
    std::vector<std::string> run_ids;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        cores_.storage, RunsPrefix(movie_id_), [&](const ObjectPage& page) {
          for (const std::string& prefix : page.prefixes) {
            std::string run_id(LastPart(prefix));
            if (ValidateRunId(run_id).ok()) run_ids.push_back(run_id);
          }
          return absl::OkStatus();
        }));
    for (const std::string& run_id : run_ids) {
      if (retention_.removing_runs.contains(run_id)) continue;
      KINORA_RETURN_IF_ERROR(
          GoOn(RunRecordKey(movie_id_, run_id), CheckRecord(run_id)));
      KINORA_RETURN_IF_ERROR(CheckLease(absl::StrCat("run/", run_id)));
      const std::string ledger = LedgerLogKey(movie_id_, run_id);
      KINORA_RETURN_IF_ERROR(
          GoOn(ledger, CheckOneLog(ledger, v1::LOG_KIND_LEDGER)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckRecord(const std::string& run_id) {
    const std::string key = RunRecordKey(movie_id_, run_id);
    absl::StatusOr<std::string> json = ReadObject(cores_.storage, key);
    // A directory that a pruned run has left behind.
    if (absl::IsNotFound(json.status())) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(json.status());
    KINORA_RETURN_IF_ERROR(Checked(json->size()));
    v1::RunRecord record;
    const absl::Status parsed = ParseDocument(*json, &record);
    if (!parsed.ok()) return Problem(Below(key), 0, parsed.message());
    if (CanonicalBytes(record) != *json || record.run_id() != run_id ||
        record.movie_id() != movie_id_) {
      return Problem(Below(key), 0,
                     absl::StrCat("is not the canonical record of ", run_id));
    }
    if (!record.plan_hash().empty() &&
        absl::IsNotFound(
            cores_.storage.Stat(PlanKey(movie_id_, record.plan_hash()))
                .status())) {
      return Problem(Below(key), 0,
                     absl::StrCat("names the plan ", record.plan_hash(),
                                  ", which is missing"));
    }
    absl::StatusOr<std::string> movie =
        ReadObject(cores_.storage, RunIndexKey(run_id));
    if (movie.ok() && *movie == movie_id_) return absl::OkStatus();
    if (!movie.ok() && !absl::IsNotFound(movie.status())) {
      return movie.status();
    }
    if (shares_runs_) return absl::OkStatus();
    return Problem(RunIndexKey(run_id), 0,
                   absl::StrCat("does not name the movie of ", run_id));
  }

  absl::Status CheckReferences() {
    ReachableBlobs walk(cores_.storage, cores_.log, cores_.manifests,
                        movie_id_);
    absl::Status last_error;
    for (;;) {
      const absl::StatusOr<bool> more =
          walk.Step([this](const BlobReference& reference) {
            return CheckReference(reference);
          });
      if (more.ok() && !*more) return absl::OkStatus();
      if (more.ok()) continue;
      // What is damaged was reported by its own check; the walk goes on behind
      // it, unless it cannot.
      if (!absl::IsDataLoss(more.status())) return more.status();
      if (more.status().message() == last_error.message()) {
        return absl::OkStatus();
      }
      last_error = more.status();
    }
  }

  absl::Status CheckReference(const BlobReference& reference) {
    const v1::Digest& digest = reference.blob.digest();
    if (digest.size_bytes() == 0 ||
        !seen_references_.insert(digest.hash()).second) {
      return absl::OkStatus();
    }
    const absl::StatusOr<ObjectInfo> blob =
        cores_.storage.Stat(BlobKey(movie_id_, digest.hash()));
    if (!blob.ok() && !absl::IsNotFound(blob.status())) return blob.status();
    if (blob.ok() && blob->size_bytes == digest.size_bytes()) {
      return absl::OkStatus();
    }
    return Problem(
        Below(BlobKey(movie_id_, digest.hash())), 0,
        absl::StrCat(blob.ok()
                         ? absl::StrCat("has ", blob->size_bytes,
                                        " bytes, not ", digest.size_bytes())
                         : std::string("is missing"),
                     ", named by ", reference.Reason()));
  }

  const std::string& movie_id_;
  const MovieVerifierCores& cores_;
  const absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report_;

  RetentionRecord retention_;
  bool retention_known_ = true;
  bool shares_runs_ = false;
  absl::flat_hash_set<std::string> seen_references_;
  absl::flat_hash_set<std::string> ended_by_;  // messages
  v1::VerifyMovieResponse pending_;
  absl::Status reported_;  // what the last report answered
  std::string oldest_rebuildable_;
  int64_t problems_ = 0;
  int64_t objects_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

absl::Status VerifyMovie(
    const v1::VerifyMovieRequest& request, const MovieVerifierCores& cores,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report) {
  return MovieVerifier(request.movie_id(), cores, report).Run();
}

}  // namespace kinora
