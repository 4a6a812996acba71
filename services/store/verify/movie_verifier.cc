#include "services/store/verify/movie_verifier.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/ids.h"
#include "common/status.h"
#include "services/store/blob/use_horizon.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/event/put_aside.h"
#include "services/store/gc/reachable_blobs.h"
#include "services/store/layout.h"
#include "services/store/lease/lease_table.h"
#include "services/store/manifest/manifest_replay.h"
#include "services/store/movie/pinned_blueprint.h"
#include "services/store/retention/retention_record.h"
#include "services/store/verify/blob_check.h"
#include "services/store/verify/links_check.h"
#include "services/store/verify/log_check.h"
#include "services/store/verify/manifests_check.h"
#include "services/store/verify/readable_check.h"
#include "services/store/verify/runs_check.h"
#include "services/store/verify/verify_report.h"

namespace kinora {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 20;

class MovieVerifier {
 public:
  MovieVerifier(
      const std::string& movie_id, const MovieVerifierCores& cores,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report)
      : movie_id_(movie_id),
        cores_(cores),
        report_(movie_id, cores.catalog, report) {}

  absl::Status Run() {
    KINORA_RETURN_IF_ERROR(CheckMovieFile());
    KINORA_RETURN_IF_ERROR(
        report_.GoOn(MoviePrefix(movie_id_),
                     CheckLinks(cores_.storage, cores_.events.readable(),
                                movie_id_, [this](absl::string_view key) {
                                  return report_.Foreign(key, kForeignProblem);
                                })));
    // Finishes a commit that a crash cut short; what it finds damaged is found
    // again below.
    v1::GetCurrentManifestRequest current;
    current.set_movie_id(movie_id_);
    cores_.manifests.GetCurrent(current).status().IgnoreError();

    const std::string inputs = InputsLogKey(movie_id_);
    const std::string artefacts = ArtefactsLogKey(movie_id_);
    KINORA_RETURN_IF_ERROR(
        report_.GoOn(inputs, CheckOneLog(inputs, v1::LOG_KIND_INPUTS)));
    KINORA_RETURN_IF_ERROR(report_.GoOn(
        artefacts, CheckOneLog(artefacts, v1::LOG_KIND_ARTEFACTS)));
    KINORA_RETURN_IF_ERROR(
        report_.GoOn(EventsPrefix(movie_id_), CheckCheckpoint()));
    const bool logs_intact = !report_.has_problems();
    KINORA_RETURN_IF_ERROR(TellOfPutAside(EventsPrefix(movie_id_)));
    KINORA_RETURN_IF_ERROR(CheckRetention());
    KINORA_RETURN_IF_ERROR(
        report_.GoOn(BlobUsesKey(movie_id_),
                     UseHorizon(cores_.storage).Inherited(movie_id_).status()));
    KINORA_RETURN_IF_ERROR(CheckLease(absl::StrCat("movie/", movie_id_)));
    if (logs_intact) {
      ManifestsCheck manifests(cores_.storage, cores_.events, cores_.manifests,
                               movie_id_, report_);
      KINORA_RETURN_IF_ERROR(report_.GoOn(
          inputs, PinnedBlueprint(cores_.events, movie_id_).status()));
      KINORA_RETURN_IF_ERROR(report_.GoOn(
          artefacts, manifests.CheckAll(retention_, retention_known_)));
      KINORA_RETURN_IF_ERROR(
          report_.GoOn(CurrentKey(movie_id_), manifests.CheckCurrent()));
    }
    KINORA_RETURN_IF_ERROR(report_.GoOn(
        RunsPrefix(movie_id_), CheckPlans(cores_.storage, movie_id_, report_)));
    KINORA_RETURN_IF_ERROR(report_.GoOn(RunsPrefix(movie_id_), CheckRuns()));
    KINORA_RETURN_IF_ERROR(report_.GoOn(
        BlobPrefix(movie_id_),
        CheckBlobs(
            cores_.storage, movie_id_,
            [this](int64_t bytes) { return report_.Checked(bytes); },
            [this](absl::string_view key, absl::string_view message) {
              return report_.Problem(report_.Below(key), 0, message);
            })));
    if (logs_intact) {
      KINORA_RETURN_IF_ERROR(
          report_.GoOn(MoviePrefix(movie_id_), CheckReferences()));
      KINORA_RETURN_IF_ERROR(report_.GoOn(
          MoviePrefix(movie_id_),
          CheckReadableFiles(
              cores_.storage, cores_.events, cores_.manifests, movie_id_,
              [this](absl::string_view path, absl::string_view message) {
                return report_.Problem(path, 0, message);
              })));
    }
    return report_.Finish();
  }

 private:
  absl::Status CheckMovieFile() {
    const absl::StatusOr<MovieFile> loaded = cores_.catalog.Load(movie_id_);
    // There is none, or a newer build made it: nothing to check.
    if (absl::IsNotFound(loaded.status()) ||
        absl::IsFailedPrecondition(loaded.status())) {
      return loaded.status();
    }
    if (!loaded.ok()) {
      KINORA_RETURN_IF_ERROR(
          report_.Problem("movie.json", 0, loaded.status().message()));
      return report_.Checked(0);
    }
    shares_runs_ = loaded->shares_runs;
    return report_.Checked(0);
  }

  absl::Status CheckLease(const std::string& lease_id) {
    const std::string key = LeaseKey(lease_id);
    const absl::Status lease = LoadLease(cores_.storage, lease_id).status();
    if (absl::IsNotFound(lease)) return absl::OkStatus();
    if (lease.ok()) return report_.Checked(0);
    return report_.Problem(
        key, 0, absl::StripPrefix(lease.message(), absl::StrCat(key, ": ")));
  }

  absl::Status CheckOneLog(const std::string& key, v1::LogKind kind) {
    KINORA_ASSIGN_OR_RETURN(
        const LogCheck check,
        CheckLog(cores_.storage, cores_.log, movie_id_, key, kind));
    report_.Count(check.files, check.bytes);
    for (const v1::VerifyProblem& problem : check.problems) {
      KINORA_RETURN_IF_ERROR(
          report_.Problem(problem.path(), problem.line(), problem.message()));
    }
    if (!check.problems.empty()) Quarantine(key);
    return absl::OkStatus();
  }

  // Of logs that are intact, maybe.
  absl::Status TellOfPutAside(const std::string& directory) {
    return ForEachEntry(
        cores_.storage, directory, [&](const ObjectPage& page) -> absl::Status {
          for (const ObjectInfo& object : page.objects) {
            if (!absl::StrContains(object.key, kAsideSuffix)) continue;
            KINORA_RETURN_IF_ERROR(report_.Problem(
                report_.Below(object.key), 0,
                "was put aside by a start that found other lines in the "
                "journal: move it away once the log is as it should be"));
          }
          return absl::OkStatus();
        });
  }

  // What stands for removed records.
  absl::Status CheckCheckpoint() {
    absl::StatusOr<std::unique_ptr<RevisionCheckpoint>> checkpoint =
        RevisionCheckpoint::OpenNewest(cores_.storage, movie_id_);
    absl::Status status = checkpoint.status();
    if (status.ok() && *checkpoint != nullptr) {
      status = (*checkpoint)->Check();
      if (status.ok()) status = ManifestOf(**checkpoint).status();
      KINORA_RETURN_IF_ERROR(report_.Checked(0));
      KINORA_RETURN_IF_ERROR(
          report_.Checked((*checkpoint)->info().artefacts_bytes));
    }
    if (status.ok()) return status;
    return report_.Damage(EventsPrefix(movie_id_), status);
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
      report_.Told(retention.status().message());
      return report_.Problem("retention.json", 0, retention.status().message());
    }
    retention_ = *std::move(retention);
    return absl::OkStatus();
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
          report_.GoOn(RunRecordKey(movie_id_, run_id),
                       CheckRunRecord(cores_.storage, movie_id_, run_id,
                                      shares_runs_, report_)));
      KINORA_RETURN_IF_ERROR(CheckLease(absl::StrCat("run/", run_id)));
      const std::string ledger = LedgerLogKey(movie_id_, run_id);
      KINORA_RETURN_IF_ERROR(
          report_.GoOn(ledger, CheckOneLog(ledger, v1::LOG_KIND_LEDGER)));
      KINORA_RETURN_IF_ERROR(
          TellOfPutAside(ledger.substr(0, ledger.rfind('/') + 1)));
    }
    return absl::OkStatus();
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
    return report_.Problem(
        report_.Below(BlobKey(movie_id_, digest.hash())), 0,
        absl::StrCat(blob.ok()
                         ? absl::StrCat("has ", blob->size_bytes,
                                        " bytes, not ", digest.size_bytes())
                         : std::string("is missing"),
                     ", named by ", reference.Reason()));
  }

  const std::string& movie_id_;
  const MovieVerifierCores& cores_;
  VerifyReport report_;

  RetentionRecord retention_;
  bool retention_known_ = true;
  bool shares_runs_ = false;
  absl::flat_hash_set<std::string> seen_references_;
};

}  // namespace

absl::Status VerifyMovie(
    const v1::VerifyMovieRequest& request, const MovieVerifierCores& cores,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report) {
  return MovieVerifier(request.movie_id(), cores, report).Run();
}

}  // namespace kinora
