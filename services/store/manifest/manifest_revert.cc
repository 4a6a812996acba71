// Going back to an earlier revision.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checks.h"
#include "services/store/lease/movie_lease.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/manifest/revert_events.h"

namespace kinora {
namespace {

// Long enough for what is read before the first append, which renews it. Nobody
// waits for it after a crash: see kStoreRevert.
constexpr absl::Duration kLeaseTime = absl::Seconds(30);
constexpr int kDigestsPerCheck = 10'000;

// The run a revision is committed under that goes back: 26 digits of base 32,
// those of the time zero, as of an import.
std::string RunIdFor(absl::string_view movie_id, absl::string_view target_hash,
                     absl::string_view current_hash) {
  constexpr absl::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const Digest digest = Sha256Of(absl::StrCat(
      "kinora-revert-v1/", movie_id, "/", target_hash, "/", current_hash));
  std::string id = "run-0000000000";
  for (int i = 0; i < 16; ++i) id.push_back(kDigits[digest.bytes[i] % 32]);
  return id;
}

}  // namespace

absl::StatusOr<v1::RevertRevisionResponse> LogManifestStore::Revert(
    const v1::RevertRevisionRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(movie_id));
  KINORA_RETURN_IF_ERROR(ValidateRevisionField("revision", request.revision()));
  // A caller that died may have left a call behind that is still under way: it
  // has the same holder and purpose, so the lease alone would let both in. The
  // second waits, and goes on from what the first has done.
  const std::shared_ptr<MovieState> state = StateOf(movie_id);
  MutexLock one_at_a_time(state->revert_mu);
  KINORA_ASSIGN_OR_RETURN(
      const MovieLease lease,
      MovieLease::Take(leases_, movie_id, kStoreRevert,
                       absl::StrCat("revert to ", request.revision()),
                       kLeaseTime));
  return RevertUnder(lease.token(), request);
}

absl::StatusOr<v1::RevertRevisionResponse> LogManifestStore::RevertUnder(
    const v1::LeaseToken& lease, const v1::RevertRevisionRequest& request) {
  const std::string& movie_id = request.movie_id();
  v1::GetManifestRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const StoredManifest now, Get(get));
  get.set_revision(request.revision());
  KINORA_ASSIGN_OR_RETURN(const StoredManifest then, Get(get));
  v1::Manifest current;
  v1::Manifest target;
  KINORA_RETURN_IF_ERROR(ParseDocument(now.json, &current));
  KINORA_RETURN_IF_ERROR(ParseDocument(then.json, &target));
  // Until the commit names them.
  const std::shared_ptr<void> blobs = blobs_.HoldBlobs(movie_id);
  KINORA_RETURN_IF_ERROR(CheckBlobsOf(movie_id, target));
  v1::ListInputsRequest list;
  list.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::ListInputsResponse set,
                          events_.ListInputs(list));

  RevertEvents revert(target, current);
  LogHistory artefacts(log_, storage_, movie_id, v1::LOG_KIND_ARTEFACTS);
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  int64_t at = commits.back()->sequence();
  KINORA_RETURN_IF_ERROR(
      artefacts.ForEach(0, &at, [&revert](const v1::Event& event) {
        revert.OfferPending(event);
        return absl::OkStatus();
      }));
  at = 0;
  KINORA_RETURN_IF_ERROR(
      artefacts.ForEach(0, &at, [&revert](const v1::Event& event) {
        revert.Offer(event);
        return absl::OkStatus();
      }));
  KINORA_ASSIGN_OR_RETURN(const Revision base,
                          Revision::Parse(now.pointer.revision()));
  const std::string next = base.Next().ToString();
  const std::string run_id =
      RunIdFor(movie_id, then.pointer.hash(), now.pointer.hash());
  const std::vector<v1::Event> edits = revert.Inputs(
      std::vector<v1::Event>(set.inputs().begin(), set.inputs().end()), next);
  const std::vector<v1::Event> reuses = revert.Artefacts(run_id, next);

  v1::RevertRevisionResponse response;
  v1::CommitRevisionRequest commit;
  commit.set_movie_id(movie_id);
  *commit.mutable_lease() = lease;
  v1::RevisionSource& source = *commit.mutable_source();
  source.set_target_revision(next);
  source.set_base_manifest_hash(now.pointer.hash());
  source.set_run_id(run_id);
  for (std::string& id : revert.RemovedIds()) {
    source.add_removed_artefact_ids(std::move(id));
  }
  // What the commit will build is looked at before anything is written.
  RevisionEvents planned;
  for (const v1::Event& event : edits) {
    planned.inputs.push_back(std::make_shared<const v1::Event>(event));
  }
  for (const v1::Event& event : reuses) {
    planned.artefacts.push_back(std::make_shared<const v1::Event>(event));
  }
  planned.removed_artefact_ids.assign(source.removed_artefact_ids().begin(),
                                      source.removed_artefact_ids().end());
  v1::Manifest start = current;
  start.clear_inputs();
  for (const v1::Event& event : set.inputs()) ApplyInput(event.input(), &start);
  if (!SameContent(BuildManifest(start, next, planned), target)) {
    return absl::InternalError(
        absl::StrCat("movie \"", movie_id, "\": the events that would bring ",
                     request.revision(), " back make another manifest"));
  }

  v1::AppendEventsRequest append;
  append.mutable_log()->set_movie_id(movie_id);
  append.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  append.set_expected_sequence(set.through_sequence());
  KINORA_ASSIGN_OR_RETURN(
      const int64_t inputs_through,
      AppendInBatches(append, edits, set.through_sequence()));
  source.set_inputs_through_sequence(inputs_through);
  append.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  append.clear_expected_sequence();
  *append.mutable_lease() = lease;
  KINORA_RETURN_IF_ERROR(AppendInBatches(append, reuses, 0).status());
  KINORA_ASSIGN_OR_RETURN(v1::CommitRevisionResponse committed, Commit(commit));
  *response.mutable_current() = std::move(*committed.mutable_current());
  response.set_published(committed.published());
  for (const v1::Event& event : edits) {
    response.add_input_ids(event.input().input_id());
  }
  response.set_restored_artefacts(static_cast<int64_t>(reuses.size()));
  response.set_removed_artefacts(source.removed_artefact_ids_size());
  return response;
}

absl::Status LogManifestStore::CheckBlobsOf(const std::string& movie_id,
                                            const v1::Manifest& manifest) {
  v1::FindMissingBlobsRequest request;
  request.set_movie_id(movie_id);
  const auto check = [&]() -> absl::Status {
    KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse response,
                            blobs_.FindMissing(request));
    request.clear_digests();
    if (response.missing().empty()) return absl::OkStatus();
    const std::string& hash = response.missing(0).hash();
    return WithReason(absl::FailedPreconditionError(absl::StrCat(
                          "blob ", hash, " of ", manifest.revision(),
                          " of movie \"", movie_id, "\" is gone")),
                      "BLOB_NOT_FOUND",
                      {{"movie", movie_id}, {"revision", manifest.revision()}});
  };
  const auto add = [&](const v1::Content& content) -> absl::Status {
    if (!content.has_blob()) return absl::OkStatus();
    *request.add_digests() = content.blob().digest();
    return request.digests_size() == kDigestsPerCheck ? check()
                                                      : absl::OkStatus();
  };
  for (const auto& entry : manifest.inputs()) {
    KINORA_RETURN_IF_ERROR(add(entry.second.content()));
  }
  for (const auto& entry : manifest.artefacts()) {
    KINORA_RETURN_IF_ERROR(add(entry.second.content()));
  }
  return check();
}

absl::StatusOr<int64_t> LogManifestStore::AppendInBatches(
    const v1::AppendEventsRequest& head, absl::Span<const v1::Event> events,
    int64_t last) {
  v1::AppendEventsRequest request = head;
  for (size_t from = 0; from < events.size(); from += kMaxEventsPerAppend) {
    const size_t to =
        std::min(events.size(), from + size_t{kMaxEventsPerAppend});
    request.clear_events();
    for (size_t i = from; i < to; ++i) *request.add_events() = events[i];
    if (head.has_expected_sequence()) request.set_expected_sequence(last);
    KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                            events_.Append(request));
    last = appended.last_sequence();
    if (!head.has_lease()) continue;
    v1::RenewLeaseRequest renew;
    *renew.mutable_token() = head.lease();
    KINORA_RETURN_IF_ERROR(leases_.Renew(renew).status());
  }
  return last;
}

}  // namespace kinora
