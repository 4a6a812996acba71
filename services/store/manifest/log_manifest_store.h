// A LogManifestStore keeps manifests as a projection of the logs. What decides
// is in artefacts.log: one RevisionCommitted record per revision. Beside it
//   builds/<movie>/manifests/rev-0001.json   canonical JSON, never rewritten
//   builds/<movie>/current.json              {"hash","manifest","revision"}
// can be lost and come back with the same bytes.
//
// A commit writes in this order:
//   1. the RevisionCommitted record, after all blobs are seen to exist: from
//      here on the revision is decided
//   2. the manifest, if absent
//   3. current.json, by compare-and-swap on its old bytes
//   4. the archives events/rev-0001.{inputs,artefacts}.jsonl: the input events
//      of the revision and the artefact events up to the record leave the live
//      logs
// The first use of a movie after the store opened, and the first after a commit
// that failed half-way, does whichever of 2 to 4 the last record still lacks.
// So a crash at any point ends in exactly the old or the new revision. While
// the store takes no writes that is put off, and reads answer from the log.
//
// A pruned revision (services/store/retention/) is NOT_FOUND
// (REVISION_NOT_FOUND), is not listed, and has no manifest any more; its events
// stay, since the revisions after it are made from them. Where a checkpoint has
// taken the place of removed logs (services/store/checkpoint/), its manifest is
// made of that, and older ones stand for themselves.

#ifndef KINORA_SERVICES_STORE_MANIFEST_LOG_MANIFEST_STORE_H_
#define KINORA_SERVICES_STORE_MANIFEST_LOG_MANIFEST_STORE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/lease/lease_table.h"
#include "services/store/manifest/manifest_builder.h"
#include "services/store/manifest/manifest_replay.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe. Commits of one movie happen one after another.
class LogManifestStore final : public ManifestStore {
 public:
  // All MUST outlive the store; threads of `helper` may hash, null for none.
  LogManifestStore(ObjectStorage& storage, EventLog& log, MovieCatalog& movies,
                   BlobStore& blobs, LogEventStore& events, LeaseTable& leases,
                   Executor* helper)
      : storage_(storage),
        log_(log),
        movies_(movies),
        blobs_(blobs),
        events_(events),
        leases_(leases),
        helper_(helper) {
    movies.OnDeleted([this](absl::string_view movie_id) {
      MutexLock lock(mu_);
      states_.erase(movie_id);
    });
  }

  absl::StatusOr<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override;

  // A manifest whose file is gone is rebuilt and stored again; one whose bytes
  // do not have its hash is DATA_LOSS (DATA_CORRUPT).
  absl::StatusOr<StoredManifest> Get(
      const v1::GetManifestRequest& request) override;
  absl::StatusOr<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override;
  absl::StatusOr<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) override;

  // Builds on any revision there is. INVALID_ARGUMENT as of Commit().
  absl::StatusOr<StoredManifest> Build(
      const v1::BuildManifestRequest& request) override;

  // A manifest is a projection of the logs, so this is a commit by another
  // door: the source is worked out from the manifest and the run of the lease,
  // and what the logs give for it must be exactly `json`.
  absl::StatusOr<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header, absl::string_view json) override;

  // Besides the errors of the service: INVALID_ARGUMENT if `target_revision`
  // is not the one after current, or `inputs_through_sequence` is not in the
  // log or before that of the base; ABORTED (SEQUENCE_MISMATCH) if an event is
  // appended to artefacts.log during the commit.
  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override;

  // Takes the movie's lease; of several calls for a movie one goes on at a
  // time, and a store that died in one leaves no lease behind. The run id under
  // which the revision is committed follows from the two manifests, so that a
  // repeat of a call that was cut short is the same commit.
  absl::StatusOr<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) override;

  // The bytes of a committed revision, made from the logs alone. Reads and
  // writes no manifest. DATA_LOSS if the result does not have the hash that
  // was committed; OUT_OF_RANGE (LOG_TRIMMED) if its logs were removed.
  absl::StatusOr<std::string> Rebuild(absl::string_view movie_id,
                                      absl::string_view revision);

  // The same for all revisions in turn, each made from the one before.
  // `commits` are those of the movie.
  ManifestReplay Replay(absl::string_view movie_id,
                        std::vector<EventPtr> commits);

 private:
  struct MovieState {
    Mutex revert_mu;  // held throughout a revert; taken before `mu`
    Mutex mu;         // held throughout a commit and a recovery
    bool recovered ABSL_GUARDED_BY(mu) = false;
  };

  // The current pointer with the bytes it was read from.
  struct Current {
    v1::ManifestPointer pointer;
    std::optional<std::string> bytes;
  };

  std::shared_ptr<MovieState> StateOf(absl::string_view movie_id);
  absl::StatusOr<Current> ReadCurrent(absl::string_view movie_id);

  // Finishes what the last record says, once per movie.
  // False if it has to be put off, as the store takes no writes.
  absl::StatusOr<bool> Recover(absl::string_view movie_id);
  absl::Status RecoverLocked(absl::string_view movie_id, MovieState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  // INVALID_ARGUMENT for "data" unless the manifest is `expected`, if given.
  absl::StatusOr<v1::CommitRevisionResponse> CommitLocked(
      const v1::CommitRevisionRequest& request,
      std::optional<absl::string_view> expected, MovieState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);

  // What Publish() does for one movie after another.
  absl::StatusOr<v1::PublishManifestResponse> PublishLocked(
      const v1::PublishManifestHeader& header, const v1::Manifest& manifest,
      absl::string_view json, const std::string& run_id, MovieState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);

  // What Revert() does under the lease.
  absl::StatusOr<v1::RevertRevisionResponse> RevertUnder(
      const v1::LeaseToken& lease, const v1::RevertRevisionRequest& request);
  absl::Status CheckBlobsOf(const std::string& movie_id,
                            const v1::Manifest& manifest);
  // Appends all `events`; returns the last sequence of the log, `last` if there
  // are none.
  absl::StatusOr<int64_t> AppendInBatches(const v1::AppendEventsRequest& head,
                                          absl::Span<const v1::Event> events,
                                          int64_t last);

  // Prunes revisions beyond the movie's quota. The commit stands whatever
  // becomes of that; the next one tries again.
  void HoldToQuota(absl::string_view movie_id);

  // What `manifest` was built from, if the logs give it: on top of `base`, by
  // the run that `run_id` names. INVALID_ARGUMENT for "data" if the inputs were
  // never as it says.
  absl::StatusOr<v1::RevisionSource> SourceOf(
      const std::string& movie_id, const v1::Manifest& manifest,
      const v1::RevisionCommitted& base_commit, const v1::Manifest& base,
      absl::string_view run_id);

  // Steps 2 and 3.
  absl::Status MoveCurrent(absl::string_view movie_id, const Current& old,
                           const v1::RevisionCommitted& commit,
                           absl::string_view bytes);

  // Step 4. False if it has to be tried again; a revision is live without it.
  bool Archive(absl::string_view movie_id, const v1::Event& commit);

  // A revision in the log of commits.
  struct Committed {
    std::vector<EventPtr> commits;
    size_t at = 0;
  };
  absl::StatusOr<Committed> Find(const v1::GetManifestRequest& request);

  // The stored manifest of commits[at], rebuilt if its file is gone.
  absl::Status LoadInto(
      absl::string_view movie_id, const std::vector<EventPtr>& commits,
      size_t at, absl::FunctionRef<absl::Status(absl::string_view)> sink);
  absl::StatusOr<std::string> Load(absl::string_view movie_id,
                                   const std::vector<EventPtr>& commits,
                                   size_t at);
  absl::StatusOr<std::string> RebuildAt(absl::string_view movie_id,
                                        const std::vector<EventPtr>& commits,
                                        size_t at);

  // The events that `source` names, among those of artefacts.log after `*at`.
  // Moves `*at` to the last one read.
  absl::StatusOr<RevisionEvents> Collect(const std::string& movie_id,
                                         const v1::RevisionCommitted& source,
                                         int64_t* at);
  absl::Status CheckBlobs(const std::string& movie_id,
                          const RevisionEvents& events);

  ObjectStorage& storage_;
  EventLog& log_;
  MovieCatalog& movies_;
  BlobStore& blobs_;
  LogEventStore& events_;
  LeaseTable& leases_;
  Executor* const helper_;

  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<MovieState>> states_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_LOG_MANIFEST_STORE_H_
