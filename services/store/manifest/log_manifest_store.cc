#include "services/store/manifest/log_manifest_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checks.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"
#include "services/store/manifest/revision_source.h"
#include "services/store/retention/movie_pruning.h"
#include "services/store/retention/retention_record.h"

namespace kinora {
namespace {

constexpr int kDigestsPerCheck = 10'000;

}  // namespace

std::shared_ptr<LogManifestStore::MovieState> LogManifestStore::StateOf(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  std::shared_ptr<MovieState>& state = states_[movie_id];
  if (state == nullptr) state = std::make_shared<MovieState>();
  return state;
}

absl::StatusOr<LogManifestStore::Current> LogManifestStore::ReadCurrent(
    absl::string_view movie_id) {
  const std::string key = CurrentKey(movie_id);
  Current current;
  absl::StatusOr<std::string> bytes = ReadObject(storage_, key);
  if (absl::IsNotFound(bytes.status())) return current;
  KINORA_RETURN_IF_ERROR(bytes.status());
  absl::Status parsed = ParseDocument(*bytes, &current.pointer);
  if (!parsed.ok()) return DataCorrupt(key, parsed.message());
  // The name stands in it twice; the hash is compared with the log.
  const std::string due = ManifestPath(current.pointer.revision());
  if (current.pointer.manifest() != due) {
    return DataCorrupt(
        key, absl::StrCat("names the manifest \"", current.pointer.manifest(),
                          "\" of ", current.pointer.revision()));
  }
  current.bytes = *std::move(bytes);
  return current;
}

absl::StatusOr<bool> LogManifestStore::Recover(absl::string_view movie_id) {
  KINORA_RETURN_IF_ERROR(movies_.Require(movie_id));
  std::shared_ptr<MovieState> state = StateOf(movie_id);
  MutexLock lock(state->mu);
  const absl::Status recovered = RecoverLocked(movie_id, *state);
  if (absl::IsResourceExhausted(recovered) ||
      ReasonOf(recovered) == "STORE_READ_ONLY") {
    LogWarning("a commit that was cut short is to be finished later",
               {{"movie_id", movie_id}, {"error", recovered}});
    return false;
  }
  KINORA_RETURN_IF_ERROR(recovered);
  return true;
}

absl::Status LogManifestStore::RecoverLocked(absl::string_view movie_id,
                                             MovieState& state) {
  if (state.recovered) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  KINORA_ASSIGN_OR_RETURN(Current current, ReadCurrent(movie_id));
  const v1::RevisionCommitted last = commits.empty()
                                         ? v1::RevisionCommitted()
                                         : commits.back()->revision_committed();
  events_.NoteLostInputs(movie_id, last);
  if (current.pointer.hash() != last.manifest_hash()) {
    // Behind the log is what a crash leaves; anything else is damage.
    const bool behind = std::any_of(
        commits.begin(), commits.end(), [&](const EventPtr& commit) {
          return commit->revision_committed().manifest_hash() ==
                 current.pointer.hash();
        });
    if (!behind && current.bytes.has_value()) {
      return DataCorrupt(CurrentKey(movie_id),
                         absl::StrCat("points at ", current.pointer.revision(),
                                      " \"", current.pointer.hash(),
                                      "\", which the log does not hold"));
    }
    KINORA_ASSIGN_OR_RETURN(std::string bytes,
                            RebuildAt(movie_id, commits, commits.size() - 1));
    KINORA_RETURN_IF_ERROR(MoveCurrent(movie_id, current, last, bytes));
    LogInfo("finished a commit that was cut short",
            {{"movie_id", movie_id}, {"revision", last.revision()}});
  }
  state.recovered = commits.empty() || Archive(movie_id, *commits.back());
  return absl::OkStatus();
}

absl::Status LogManifestStore::MoveCurrent(absl::string_view movie_id,
                                           const Current& old,
                                           const v1::RevisionCommitted& commit,
                                           absl::string_view bytes) {
  const std::string key = ManifestKey(movie_id, commit.revision());
  KINORA_ASSIGN_OR_RETURN(bool created, CreateObject(storage_, key, bytes));
  if (!created) {
    KINORA_ASSIGN_OR_RETURN(std::string stored, ReadObject(storage_, key));
    if (stored != bytes) {
      return DataCorrupt(key, "is not the manifest that was committed");
    }
  }
  return storage_.CompareAndSwap(CurrentKey(movie_id), old.bytes,
                                 CanonicalBytes(PointerOf(commit)));
}

bool LogManifestStore::Archive(absl::string_view movie_id,
                               const v1::Event& commit) {
  const v1::RevisionCommitted& record = commit.revision_committed();
  absl::Status archived =
      log_.Archive(InputsLogKey(movie_id), record.inputs_through_sequence(),
                   InputsArchiveKey(movie_id, record.revision()));
  if (archived.ok()) {
    archived = log_.Archive(ArtefactsLogKey(movie_id), commit.sequence(),
                            ArtefactsArchiveKey(movie_id, record.revision()));
  }
  if (archived.ok()) return true;
  LogWarning("events of a revision are not archived yet",
             {{"movie_id", movie_id},
              {"revision", record.revision()},
              {"error", archived}});
  return false;
}

absl::StatusOr<v1::GetCurrentManifestResponse> LogManifestStore::GetCurrent(
    const v1::GetCurrentManifestRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_ASSIGN_OR_RETURN(const bool recovered, Recover(movie_id));
  KINORA_ASSIGN_OR_RETURN(Current current, ReadCurrent(movie_id));
  v1::GetCurrentManifestResponse response;
  if (recovered && current.bytes.has_value()) {
    *response.mutable_current() = std::move(current.pointer);
    return response;
  }
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  if (commits.empty()) return response;
  const v1::RevisionCommitted& last = commits.back()->revision_committed();
  if (recovered) {
    return DataCorrupt(CurrentKey(movie_id),
                       absl::StrCat("is missing, though there is ",
                                    last.revision(), ": restart the store"));
  }
  *response.mutable_current() = PointerOf(last);
  return response;
}

absl::StatusOr<RevisionEvents> LogManifestStore::Collect(
    const std::string& movie_id, const v1::RevisionCommitted& source,
    int64_t* at) {
  LogHistory artefacts(log_, storage_, movie_id, v1::LOG_KIND_ARTEFACTS);
  return CollectRevisionEvents(events_, artefacts, movie_id, source, at, 0);
}

ManifestReplay LogManifestStore::Replay(absl::string_view movie_id,
                                        std::vector<EventPtr> commits) {
  return ManifestReplay(events_, storage_, log_, movie_id, std::move(commits));
}

absl::Status LogManifestStore::CheckBlobs(const std::string& movie_id,
                                          const RevisionEvents& events) {
  std::vector<EventPtr> all = events.inputs;
  all.insert(all.end(), events.artefacts.begin(), events.artefacts.end());
  for (size_t i = 0; i < all.size();) {
    v1::FindMissingBlobsRequest request;
    request.set_movie_id(movie_id);
    for (; i < all.size() && request.digests_size() < kDigestsPerCheck; ++i) {
      const v1::Content* content = ContentOf(*all[i]);
      if (content != nullptr && content->has_blob()) {
        *request.add_digests() = content->blob().digest();
      }
    }
    KINORA_ASSIGN_OR_RETURN(v1::FindMissingBlobsResponse response,
                            blobs_.FindMissing(request));
    if (response.missing().empty()) continue;
    const std::string& hash = response.missing(0).hash();
    for (const EventPtr& event : all) {
      const v1::Content* content = ContentOf(*event);
      if (content == nullptr || content->blob().digest().hash() != hash) {
        continue;
      }
      return WithReason(
          absl::FailedPreconditionError(
              absl::StrCat(event->has_input() ? event->input().input_id()
                                              : event->artefact().artefact_id(),
                           " of movie \"", movie_id, "\" names blob ", hash,
                           ", which is missing: make it again")),
          "BLOB_NOT_FOUND");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CommitRevisionResponse> LogManifestStore::Commit(
    const v1::CommitRevisionRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(request.movie_id()));
  KINORA_RETURN_IF_ERROR(CheckSource(request.source()));
  KINORA_ASSIGN_OR_RETURN(LeaseTable::Fence fence,
                          leases_.Enter(request.lease(), request.movie_id(),
                                        request.source().run_id()));
  const std::shared_ptr<void> blobs = blobs_.HoldBlobs(request.movie_id());
  absl::StatusOr<v1::CommitRevisionResponse> response;
  {
    std::shared_ptr<MovieState> state = StateOf(request.movie_id());
    MutexLock lock(state->mu);
    response = CommitLocked(request, std::nullopt, *state);
  }
  if (response.ok() && response->published()) HoldToQuota(request.movie_id());
  return response;
}

void LogManifestStore::HoldToQuota(absl::string_view movie_id) {
  const absl::StatusOr<MovieLimits> limits = movies_.Limits(movie_id);
  if (!limits.ok() || limits->max_revisions == 0) return;
  v1::PruneMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  request.set_keep_revisions(limits->max_revisions);
  const absl::Status pruned = PruneMovie(request, {.storage = storage_,
                                                   .log = log_,
                                                   .catalog = movies_,
                                                   .events = events_,
                                                   .leases = leases_})
                                  .status();
  if (!pruned.ok()) {
    LogWarning("a movie has more revisions than its quota",
               {{"movie_id", movie_id}, {"error", pruned}});
  }
}

absl::StatusOr<v1::CommitRevisionResponse> LogManifestStore::CommitLocked(
    const v1::CommitRevisionRequest& request,
    std::optional<absl::string_view> expected, MovieState& state) {
  const std::string& movie_id = request.movie_id();
  const v1::RevisionSource& source = request.source();
  KINORA_RETURN_IF_ERROR(RecoverLocked(movie_id, state));
  KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  v1::CommitRevisionResponse response;
  for (const EventPtr& commit : commits) {
    if (commit->revision_committed().run_id() != source.run_id()) continue;
    *response.mutable_current() = PointerOf(commit->revision_committed());
    response.set_published(true);
    return response;
  }
  KINORA_RETURN_IF_ERROR(CheckBase(commits, source));
  KINORA_ASSIGN_OR_RETURN(Current old, ReadCurrent(movie_id));
  v1::Manifest base;
  int64_t at = 0;
  if (!commits.empty()) {
    KINORA_ASSIGN_OR_RETURN(std::string json,
                            Load(movie_id, commits, commits.size() - 1));
    KINORA_RETURN_IF_ERROR(ParseDocument(json, &base));
    at = commits.back()->sequence();
  }
  v1::Event record;
  record.set_revision(source.target_revision());
  v1::RevisionCommitted& commit = *record.mutable_revision_committed();
  commit = RecordOf(source, base.revision());
  KINORA_ASSIGN_OR_RETURN(RevisionEvents events,
                          Collect(movie_id, commit, &at));
  KINORA_RETURN_IF_ERROR(CheckBlobs(movie_id, events));
  const v1::Manifest manifest =
      BuildManifest(base, source.target_revision(), events);
  const std::string bytes = ManifestBytes(manifest);
  if (expected.has_value() && *expected != bytes) {
    return InvalidField(
        "data", *expected,
        absl::StrCat("the logs give another manifest, ", Sha256Of(bytes).Hex(),
                     ", for the same source"));
  }
  if (SameContent(base, manifest)) {
    *response.mutable_current() = old.pointer;
    return response;
  }
  commit.set_manifest_hash(Sha256Of(bytes).Hex());
  // From here until all is done the next use of the movie looks again.
  state.recovered = false;
  KINORA_ASSIGN_OR_RETURN(
      AppendedRange range,
      events_.AppendOwn(ArtefactsLogKey(movie_id), record, at));
  record.set_sequence(range.last_sequence);
  KINORA_RETURN_IF_ERROR(MoveCurrent(movie_id, old, commit, bytes));
  state.recovered = Archive(movie_id, record);
  *response.mutable_current() = PointerOf(commit);
  response.set_published(true);
  return response;
}

}  // namespace kinora
