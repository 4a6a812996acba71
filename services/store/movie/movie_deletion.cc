#include "services/store/movie/movie_deletion.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/run/run_index.h"

namespace kinora {
namespace {

// For one deletion; a crash frees it with the movie.
constexpr int kLeaseSeconds = 60;

absl::Status RunActive(absl::string_view movie_id, const absl::Status& held) {
  auto metadata = MetadataOf(held);
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "movie \"", movie_id, "\" is in use: \"",
                        metadata["holder"], "\" holds its lease for \"",
                        metadata["purpose"], "\": cancel the run first")),
                    "RUN_ACTIVE",
                    {{"movie", movie_id},
                     {"run", metadata["purpose"]},
                     {"holder", metadata["holder"]},
                     {"expires_in", metadata["expires_in"]}});
}

}  // namespace

absl::StatusOr<v1::LeaseToken> MovieDeletion::TakeLease(
    absl::string_view movie_id) {
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id(absl::StrCat("movie/", movie_id));
  acquire.set_holder("the store");
  acquire.set_purpose("deletion");
  acquire.mutable_ttl()->set_seconds(kLeaseSeconds);
  KINORA_ASSIGN_OR_RETURN(const v1::AcquireLeaseResponse lease,
                          leases_.AcquireAny(acquire));
  return lease.lease().token();
}

absl::Status MovieDeletion::ReleaseLease(const v1::LeaseToken& lease) {
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease;
  return leases_.Release(release).status();
}

absl::Status MovieDeletion::Begin(absl::string_view movie_id) {
  MutexLock lock(mu_);
  KINORA_RETURN_IF_ERROR(movies_.Require(movie_id));
  const absl::StatusOr<v1::LeaseToken> lease = TakeLease(movie_id);
  if (ReasonOf(lease.status()) == "LEASE_HELD") {
    return RunActive(movie_id, lease.status());
  }
  KINORA_RETURN_IF_ERROR(lease.status());
  absl::Status begun = storage_.Write(DeletionKey(movie_id), "");
  if (begun.ok()) begun = movies_.Bury(movie_id);
  if (!begun.ok()) {
    // The movie lives on. Should the tombstone be there in spite of the error,
    // nobody is granted its lease all the same.
    ReleaseLease(*lease).IgnoreError();
    return begun;
  }
  LogInfo("deleting a movie", {{"movie_id", movie_id}});
  return absl::OkStatus();
}

absl::Status MovieDeletion::Finish(absl::string_view movie_id) {
  movies_.holds().AwaitRemovals(movie_id);
  MutexLock lock(mu_);
  const absl::StatusOr<MovieFile> file = movies_.LoadAny(movie_id);
  if (file.ok() && file->deleted) return Purge(movie_id);
  if (!file.ok() && !absl::IsNotFound(file.status())) return file.status();
  // Never decided, or done but for this.
  return storage_.Delete(DeletionKey(movie_id));
}

absl::StatusOr<std::vector<std::string>> MovieDeletion::Begun(
    absl::string_view prefix) {
  std::vector<std::string> movie_ids;
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage_, prefix, [&](const ObjectPage& page) -> absl::Status {
        for (const ObjectInfo& object : page.objects) {
          movie_ids.emplace_back(LastPart(object.key));
        }
        return absl::OkStatus();
      }));
  return movie_ids;
}

absl::Status MovieDeletion::FinishAll() {
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> deleted,
                          Begun(kDeletionPrefix));
  for (const std::string& movie_id : deleted) {
    KINORA_RETURN_IF_ERROR(Finish(movie_id));
  }
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> restored,
                          Begun(kRestorationPrefix));
  for (const std::string& movie_id : restored) {
    KINORA_RETURN_IF_ERROR(EndRestoration(movie_id));
  }
  return absl::OkStatus();
}

absl::Status MovieDeletion::BeginRestoration(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(storage_.Write(RestorationKey(movie_id), ""));
  MutexLock lock(mu_);
  return PurgeContent(movie_id);
}

absl::Status MovieDeletion::EndRestoration(absl::string_view movie_id) {
  const std::string key = RestorationKey(movie_id);
  const absl::Status begun = storage_.Stat(key).status();
  if (absl::IsNotFound(begun)) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(begun);
  const absl::Status exists = storage_.Stat(MovieKey(movie_id)).status();
  if (absl::IsNotFound(exists)) {
    MutexLock lock(mu_);
    KINORA_RETURN_IF_ERROR(PurgeContent(movie_id));
    // There never was a movie for anybody to write to.
    log_.ForgetPlaces(MoviePrefix(movie_id));
    storage_.DropEmpty(MoviePrefix(movie_id));
    LogInfo("dropped a restoration that was cut short",
            {{"movie_id", movie_id}});
  } else {
    KINORA_RETURN_IF_ERROR(exists);
  }
  return storage_.Delete(key);
}

absl::Status MovieDeletion::PurgeContent(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(log_.Remove(InputsLogKey(movie_id)));
  KINORA_RETURN_IF_ERROR(log_.Remove(ArtefactsLogKey(movie_id)));
  KINORA_RETURN_IF_ERROR(PurgeRuns(movie_id));
  // Before the objects, as a call under way may write some, such as an index
  // of the logs as they were. Who comes now finds them empty.
  movies_.ForgetEverywhere(movie_id);
  KINORA_RETURN_IF_ERROR(
      PurgeObjects(MoviePrefix(movie_id), MovieKey(movie_id)));
  movies_.ForgetEverywhere(movie_id);
  return absl::OkStatus();
}

absl::Status MovieDeletion::Purge(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(PurgeContent(movie_id));
  // The next movie of that id need not wait for the lease to expire.
  const absl::StatusOr<v1::LeaseToken> lease = TakeLease(movie_id);
  if (lease.ok()) KINORA_RETURN_IF_ERROR(ReleaseLease(*lease));
  KINORA_RETURN_IF_ERROR(movies_.Remove(movie_id));
  return storage_.Delete(DeletionKey(movie_id));
}

absl::Status MovieDeletion::PurgeRuns(absl::string_view movie_id) {
  return ForEachEntry(
      storage_, RunsPrefix(movie_id),
      [&](const ObjectPage& page) -> absl::Status {
        for (const std::string& prefix : page.prefixes) {
          const absl::string_view run_id = LastPart(prefix);
          if (!ValidateRunId(run_id).ok()) continue;
          KINORA_RETURN_IF_ERROR(log_.Remove(LedgerLogKey(movie_id, run_id)));
          KINORA_ASSIGN_OR_RETURN(const bool released,
                                  ReleaseRunId(storage_, movie_id, run_id));
          if (!released) continue;  // the lease is the other movie's, too
          KINORA_RETURN_IF_ERROR(DeleteRunLeases(storage_, run_id));
        }
        return absl::OkStatus();
      });
}

absl::Status MovieDeletion::PurgeObjects(absl::string_view prefix,
                                         absl::string_view keep) {
  return ForEachEntry(storage_, prefix,
                      [&](const ObjectPage& page) -> absl::Status {
                        std::vector<std::string> keys;
                        for (const ObjectInfo& object : page.objects) {
                          if (object.key != keep) keys.push_back(object.key);
                        }
                        KINORA_RETURN_IF_ERROR(storage_.DeleteAll(keys));
                        for (const std::string& below : page.prefixes) {
                          KINORA_RETURN_IF_ERROR(PurgeObjects(below, keep));
                        }
                        return absl::OkStatus();
                      });
}

}  // namespace kinora
