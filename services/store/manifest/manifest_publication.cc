// Manifests that a caller builds and publishes by himself, in two steps.

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/manifest/revision_source.h"

namespace kinora {
namespace {

// Compares the inputs in effect, event by event, with those of a manifest.
class InputsInEffect {
 public:
  explicit InputsInEffect(const v1::Manifest& manifest) {
    for (const auto& entry : manifest.inputs()) {
      wanted_[entry.first] = CanonicalBytes(entry.second.content());
    }
    different_ = wanted_.size();
  }

  void Apply(const v1::InputEvent& event) {
    different_ -= Differs(event.input_id());
    if (event.cleared()) {
      seen_.erase(event.input_id());
    } else {
      seen_[event.input_id()] = CanonicalBytes(event.content());
    }
    different_ += Differs(event.input_id());
  }
  bool same() const { return different_ == 0; }

 private:
  size_t Differs(const std::string& id) const {
    const auto wanted = wanted_.find(id);
    const auto seen = seen_.find(id);
    if (wanted == wanted_.end()) return seen == seen_.end() ? 0 : 1;
    return seen != seen_.end() && seen->second == wanted->second ? 0 : 1;
  }

  std::map<std::string, std::string> wanted_;
  std::map<std::string, std::string> seen_;
  size_t different_ = 0;
};

absl::StatusOr<v1::Manifest> ParseManifest(absl::string_view json) {
  v1::Manifest manifest;
  absl::Status parsed = ParseDocument(json, &manifest);
  if (!parsed.ok()) return InvalidField("data", json, parsed.message());
  if (ManifestBytes(manifest) != json) {
    return InvalidField("data", json, "must be canonical JSON (RFC 8785)");
  }
  KINORA_RETURN_IF_ERROR(
      ValidateRevisionField("data.revision", manifest.revision()));
  return manifest;
}

}  // namespace

absl::StatusOr<StoredManifest> LogManifestStore::Build(
    const v1::BuildManifestRequest& request) {
  const std::string& movie_id = request.movie_id();
  const v1::RevisionSource& source = request.source();
  KINORA_RETURN_IF_ERROR(CheckSource(source));
  KINORA_RETURN_IF_ERROR(Recover(movie_id).status());
  KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  // What came after the base is not there.
  for (size_t at = 0; at < commits.size(); ++at) {
    if (source.base_manifest_hash().empty()) {
      commits.clear();
    } else if (commits[at]->revision_committed().manifest_hash() ==
               source.base_manifest_hash()) {
      commits.resize(at + 1);
    }
  }
  KINORA_RETURN_IF_ERROR(CheckBase(commits, source));
  v1::Manifest base;
  int64_t after = 0;
  if (!commits.empty()) {
    KINORA_ASSIGN_OR_RETURN(const std::string json,
                            Load(movie_id, commits, commits.size() - 1));
    KINORA_RETURN_IF_ERROR(ParseDocument(json, &base));
    after = commits.back()->sequence();
  }
  v1::RevisionCommitted commit = RecordOf(source, base.revision());
  KINORA_ASSIGN_OR_RETURN(const RevisionEvents events,
                          Collect(movie_id, commit, &after));
  KINORA_RETURN_IF_ERROR(CheckBlobs(movie_id, events));
  StoredManifest built;
  built.json =
      ManifestBytes(BuildManifest(base, source.target_revision(), events));
  commit.set_manifest_hash(Sha256Of(built.json).Hex());
  built.pointer = PointerOf(commit);
  return built;
}

absl::StatusOr<v1::PublishManifestResponse> LogManifestStore::Publish(
    const v1::PublishManifestHeader& header, absl::string_view json) {
  const std::string& movie_id = header.movie_id();
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(movie_id));
  if (!header.previous_hash().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateHash("previous_hash", header.previous_hash()));
  }
  KINORA_ASSIGN_OR_RETURN(const v1::Manifest manifest, ParseManifest(json));
  // The run is the one that holds the lease.
  v1::GetLeaseRequest get;
  get.set_lease_id(header.lease().lease_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetLeaseResponse held, leases_.Get(get));
  const std::string& run_id = held.lease().purpose();
  KINORA_ASSIGN_OR_RETURN(LeaseTable::Fence fence,
                          leases_.Enter(header.lease(), movie_id, run_id));
  KINORA_RETURN_IF_ERROR(ValidateRunIdField("lease", run_id));

  const std::shared_ptr<void> blobs = blobs_.HoldBlobs(movie_id);
  absl::StatusOr<v1::PublishManifestResponse> response;
  {
    std::shared_ptr<MovieState> state = StateOf(movie_id);
    MutexLock lock(state->mu);
    response = PublishLocked(header, manifest, json, run_id, *state);
  }
  if (response.ok()) HoldToQuota(movie_id);
  return response;
}

absl::StatusOr<v1::PublishManifestResponse> LogManifestStore::PublishLocked(
    const v1::PublishManifestHeader& header, const v1::Manifest& manifest,
    absl::string_view json, const std::string& run_id, MovieState& state) {
  const std::string& movie_id = header.movie_id();
  KINORA_RETURN_IF_ERROR(RecoverLocked(movie_id, state));
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          events_.Commits(movie_id));
  v1::PublishManifestResponse response;
  v1::RevisionCommitted base_commit;
  v1::Manifest base;
  if (!commits.empty()) {
    base_commit = commits.back()->revision_committed();
    *response.mutable_current() = PointerOf(base_commit);
    if (base_commit.manifest_hash() == Sha256Of(json).Hex()) return response;
    KINORA_ASSIGN_OR_RETURN(const std::string base_json,
                            Load(movie_id, commits, commits.size() - 1));
    KINORA_RETURN_IF_ERROR(ParseDocument(base_json, &base));
  }
  for (const EventPtr& commit : commits) {
    if (commit->revision_committed().run_id() != run_id) continue;
    return InvalidField(
        "lease", run_id,
        absl::StrCat("this run has published ",
                     commit->revision_committed().revision(), " already"));
  }
  v1::CommitRevisionRequest request;
  request.set_movie_id(movie_id);
  *request.mutable_lease() = header.lease();
  request.mutable_source()->set_target_revision(manifest.revision());
  request.mutable_source()->set_base_manifest_hash(header.previous_hash());
  request.mutable_source()->set_inputs_through_sequence(
      base_commit.inputs_through_sequence());
  KINORA_RETURN_IF_ERROR(CheckBase(commits, request.source()));
  KINORA_ASSIGN_OR_RETURN(
      *request.mutable_source(),
      SourceOf(movie_id, manifest, base_commit, base, run_id));
  KINORA_ASSIGN_OR_RETURN(const v1::CommitRevisionResponse committed,
                          CommitLocked(request, json, state));
  *response.mutable_current() = committed.current();
  return response;
}

absl::StatusOr<v1::RevisionSource> LogManifestStore::SourceOf(
    const std::string& movie_id, const v1::Manifest& manifest,
    const v1::RevisionCommitted& base_commit, const v1::Manifest& base,
    absl::string_view run_id) {
  v1::RevisionSource source;
  source.set_target_revision(manifest.revision());
  source.set_base_manifest_hash(base_commit.manifest_hash());
  source.set_run_id(std::string(run_id));
  std::map<std::string, bool> removed;  // in order
  for (const auto& entry : base.artefacts()) {
    if (!manifest.artefacts().contains(entry.first)) removed[entry.first];
  }
  for (const auto& entry : removed) {
    source.add_removed_artefact_ids(entry.first);
  }
  // Of several moments at which the inputs were so, the last: what was edited
  // to and fro before it belongs to this revision.
  InputsInEffect inputs(manifest);
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id(movie_id);
  read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  const int64_t begin = base_commit.inputs_through_sequence();
  if (begin > 0) {
    KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> before,
                            events_.InputsThrough(movie_id, begin));
    for (const EventPtr& event : before) inputs.Apply(event->input());
    if (inputs.same()) source.set_inputs_through_sequence(begin);
  }
  read.set_after_sequence(begin);
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const v1::ReadEventsResponse page,
                            events_.ReadPage(read));
    if (page.bookmark().sequence() == read.after_sequence()) break;
    for (const v1::Event& event : page.events()) {
      if (event.has_input()) inputs.Apply(event.input());
      if (inputs.same()) source.set_inputs_through_sequence(event.sequence());
    }
    read.set_after_sequence(page.bookmark().sequence());
  }
  if (source.inputs_through_sequence() == 0) {
    return InvalidField(
        "data.inputs", absl::StrCat(manifest.inputs_size(), " inputs"),
        absl::StrCat("the inputs of movie \"", movie_id,
                     "\" were at no time since its base as this says"));
  }
  return source;
}

}  // namespace kinora
