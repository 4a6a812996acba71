#include "tests/crash/store_facts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/digest.h"
#include "common/element_id.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/event/event_validator.h"
#include "services/store/movie/object_movie_store.h"

namespace kinora {
namespace {

template <typename Message>
Message Parse(const std::string& bytes) {
  Message message;
  message.ParseFromString(bytes);
  return message;
}

void Learn(std::map<std::string, ObjectFact>* objects, absl::string_view bytes,
           bool sure) {
  ObjectFact& fact = (*objects)[Sha256Of(bytes).Hex()];
  fact.bytes = std::string(bytes);
  fact.sure = fact.sure || sure;
}

// The event by which the store pins a blueprint.
AppendedBatch BlueprintPinned(absl::string_view blueprint,
                              absl::string_view revision) {
  v1::Event event;
  event.set_revision(std::string(revision));
  v1::InputEvent& input = *event.mutable_input();
  input.set_input_id(std::string(kBlueprintInputId));
  input.set_edited_by(v1::EDITED_BY_SYSTEM);
  v1::BlobRef& blob = *input.mutable_content()->mutable_blob();
  blob.mutable_digest()->set_hash(Sha256Of(blueprint).Hex());
  blob.mutable_digest()->set_size_bytes(static_cast<int64_t>(blueprint.size()));
  blob.set_mime_type(std::string(kBlueprintMimeType));
  return AppendedBatch{.events = {EventText(event)}};
}

absl::Status Learn(LogFacts* log, AppendedBatch batch, bool acknowledged) {
  if (acknowledged) return log->Acknowledge(std::move(batch));
  log->Attempt(std::move(batch));
  return absl::OkStatus();
}

}  // namespace

std::string BlobNamedBy(const v1::Event& event) {
  if (event.has_input()) return event.input().content().blob().digest().hash();
  return event.artefact().output().blob().digest().hash();
}

absl::Status StoreFacts::Apply(const StoreCall& call) {
  if (!call.acknowledged()) {
    unanswered_.push_back(call);
  }
  switch (call.method) {
    case StoreMethod::kCreateMovie:
      return ApplyMovie(call);
    case StoreMethod::kSetBlueprint:
      return ApplyBlueprint(call);
    case StoreMethod::kAppendEvents:
      return ApplyAppend(call);
    case StoreMethod::kBatchWriteBlobs:
      ApplyBlobs(call);
      return absl::OkStatus();
    case StoreMethod::kWriteBlob:
      ApplyUpload(call);
      return absl::OkStatus();
    case StoreMethod::kCommitRevision:
      return ApplyCommit(call);
    case StoreMethod::kSavePlan:
      ApplyPlan(call);
      return absl::OkStatus();
    case StoreMethod::kAcquireLease:
      return ApplyLease(call);
    case StoreMethod::kReleaseLease:
      ApplyRelease(call);
      return absl::OkStatus();
    case StoreMethod::kPutRunRecord:
      ApplyRun(call);
      return absl::OkStatus();
    case StoreMethod::kCollectGarbage:
      ApplyCollection(call);
      return absl::OkStatus();
    case StoreMethod::kCheckpointMovie:
      ApplyCheckpoint(call);
      return absl::OkStatus();
    case StoreMethod::kPruneMovie:
      return ApplyPruning(call);
  }
  return absl::InternalError("no such method");
}

absl::Status StoreFacts::ApplyMovie(const StoreCall& call) {
  const auto request = Parse<v1::CreateMovieRequest>(call.request);
  MovieFacts& movie = movies_[request.movie_id()];
  if (movie.sure) return absl::OkStatus();  // repeated
  movie.sure = call.acknowledged();
  if (movie.sure) {
    movie.blueprint_hash = Sha256Of(request.blueprint()).Hex();
    movie.named_blobs.insert(movie.blueprint_hash);
  }
  Learn(&movie.blobs, request.blueprint(), call.acknowledged());
  return Learn(&movie.inputs, BlueprintPinned(request.blueprint(), "rev-0001"),
               call.acknowledged());
}

absl::Status StoreFacts::ApplyBlueprint(const StoreCall& call) {
  const auto request = Parse<v1::SetBlueprintRequest>(call.request);
  MovieFacts& movie = movies_[request.movie_id()];
  const auto response = Parse<v1::SetBlueprintResponse>(call.response);
  Learn(&movie.blobs, request.blueprint(), call.acknowledged());
  if (call.acknowledged()) {
    movie.blueprint_hash = Sha256Of(request.blueprint()).Hex();
    movie.named_blobs.insert(movie.blueprint_hash);
    if (!response.changed()) return absl::OkStatus();
  }
  return Learn(&movie.inputs,
               BlueprintPinned(
                   request.blueprint(),
                   Revision{static_cast<uint32_t>(movie.revisions.size() + 1)}
                       .ToString()),
               call.acknowledged());
}

absl::Status StoreFacts::ApplyAppend(const StoreCall& call) {
  const auto request = Parse<v1::AppendEventsRequest>(call.request);
  const auto response = Parse<v1::AppendEventsResponse>(call.response);
  MovieFacts& movie = movies_[request.log().movie_id()];
  LogFacts& log = request.log().kind() == v1::LOG_KIND_INPUTS ? movie.inputs
                  : request.log().kind() == v1::LOG_KIND_ARTEFACTS
                      ? movie.artefacts
                      : movie.ledgers[request.log().run_id()];
  AppendedBatch batch;
  batch.request_id = request.request_id();
  for (const v1::Event& event : request.events()) {
    batch.events.push_back(EventText(event));
  }
  if (!call.acknowledged()) {
    log.Attempt(std::move(batch));
    return absl::OkStatus();
  }
  if (!request.request_id().empty()) appends_.push_back(call);
  for (const v1::Event& event : request.events()) {
    movie.named_blobs.insert(BlobNamedBy(event));
  }
  batch.first_sequence = response.first_sequence();
  if (response.last_sequence() - response.first_sequence() + 1 !=
      request.events_size()) {
    return absl::InternalError(absl::StrCat(
        "an append of ", request.events_size(), " events was acknowledged as ",
        response.ShortDebugString()));
  }
  return log.Acknowledge(std::move(batch));
}

void StoreFacts::ApplyBlobs(const StoreCall& call) {
  const auto request = Parse<v1::BatchWriteBlobsRequest>(call.request);
  for (const v1::BatchBlob& blob : request.blobs()) {
    Learn(&movies_[request.movie_id()].blobs, blob.data(), call.acknowledged());
  }
}

void StoreFacts::ApplyUpload(const StoreCall& call) {
  const auto header = Parse<v1::WriteBlobHeader>(call.request);
  Learn(&movies_[header.movie_id()].blobs, call.data, call.acknowledged());
}

absl::Status StoreFacts::ApplyCommit(const StoreCall& call) {
  const auto request = Parse<v1::CommitRevisionRequest>(call.request);
  const auto response = Parse<v1::CommitRevisionResponse>(call.response);
  const v1::RevisionSource& source = request.source();
  MovieFacts& movie = movies_[request.movie_id()];
  for (const RevisionFact& known : movie.revisions) {
    if (known.revision != source.target_revision()) continue;
    if (!call.acknowledged() ||
        known.manifest_hash == response.current().hash()) {
      return absl::OkStatus();  // repeated
    }
    return absl::InternalError(
        absl::StrCat(known.revision, " was ", known.manifest_hash,
                     " and, committed again, is ", response.current().hash()));
  }
  if (call.acknowledged() && !response.published()) return absl::OkStatus();
  v1::Event event;
  event.set_revision(source.target_revision());
  v1::RevisionCommitted& commit = *event.mutable_revision_committed();
  commit.set_revision(source.target_revision());
  commit.set_base_manifest_hash(source.base_manifest_hash());
  commit.set_run_id(source.run_id());
  commit.set_plan_hash(source.plan_hash());
  commit.set_inputs_through_sequence(source.inputs_through_sequence());
  *commit.mutable_removed_artefact_ids() = source.removed_artefact_ids();
  if (call.acknowledged()) {
    movie.revisions.push_back(
        {.revision = source.target_revision(),
         .manifest_hash = response.current().hash(),
         .inputs_through = source.inputs_through_sequence()});
    movie.committed_runs.push_back(source.run_id());
  }
  return Learn(&movie.artefacts, AppendedBatch{.events = {EventText(event)}},
               call.acknowledged());
}

void StoreFacts::ApplyPlan(const StoreCall& call) {
  const auto header = Parse<v1::SavePlanHeader>(call.request);
  Learn(&movies_[header.movie_id()].plans, call.data, call.acknowledged());
}

absl::Status StoreFacts::ApplyLease(const StoreCall& call) {
  const auto request = Parse<v1::AcquireLeaseRequest>(call.request);
  MovieFacts& movie =
      movies_[std::string(absl::StripPrefix(request.lease_id(), "movie/"))];
  if (!call.acknowledged()) return absl::OkStatus();
  const auto response = Parse<v1::AcquireLeaseResponse>(call.response);
  const int64_t token = response.lease().token().fencing_token();
  const bool renewed = movie.lease.token().fencing_token() == token;
  if (!renewed && token <= movie.highest_token) {
    return absl::InternalError(
        absl::StrCat("fencing token ", token, " after ", movie.highest_token));
  }
  if (!renewed && movie.lease.has_token()) {
    movie.lost_tokens.push_back(movie.lease.token());
  }
  movie.highest_token = std::max(movie.highest_token, token);
  movie.lease = response.lease();
  return absl::OkStatus();
}

void StoreFacts::ApplyRelease(const StoreCall& call) {
  const auto request = Parse<v1::ReleaseLeaseRequest>(call.request);
  MovieFacts& movie = movies_[std::string(
      absl::StripPrefix(request.token().lease_id(), "movie/"))];
  if (!call.acknowledged()) return;
  movie.lost_tokens.push_back(request.token());
  movie.lease.Clear();
}

void StoreFacts::ApplyRun(const StoreCall& call) {
  const auto request = Parse<v1::PutRunRecordRequest>(call.request);
  ReplacedFact& run =
      movies_[request.record().movie_id()].runs[request.record().run_id()];
  const std::string bytes = CanonicalBytes(request.record());
  if (call.acknowledged()) {
    run = {.sure = bytes, .attempts = {}};
  } else {
    run.attempts.push_back(bytes);
  }
}

// What no event names may be gone now, or go with the call's end.
void StoreFacts::ApplyCollection(const StoreCall& call) {
  const auto request = Parse<v1::CollectGarbageRequest>(call.request);
  MovieFacts& movie = movies_[request.movie_id()];
  for (auto& blob : movie.blobs) {
    if (movie.named_blobs.count(blob.first) == 0) blob.second.sure = false;
  }
}

// What the removed events alone named may go with the next collection.
void StoreFacts::ApplyCheckpoint(const StoreCall& call) {
  const auto request = Parse<v1::CheckpointMovieRequest>(call.request);
  if (!request.remove_covered_logs()) return;
  MovieFacts& movie = movies_[request.movie_id()];
  movie.logs_may_be_cut = true;
  movie.inputs.MayBeCut();
  movie.artefacts.MayBeCut();
  movie.named_blobs.clear();
}

absl::Status StoreFacts::ApplyPruning(const StoreCall& call) {
  const auto request = Parse<v1::PruneMovieRequest>(call.request);
  const auto response = Parse<v1::PruneMovieResponse>(call.response);
  MovieFacts& movie = movies_[request.movie_id()];
  if (request.keep_takes() > 0) {
    movie.takes_may_be_pruned = true;
    movie.named_blobs.clear();
  }
  if (request.keep_revisions() > 0) {
    const size_t keep = static_cast<size_t>(request.keep_revisions());
    for (size_t i = 0; i + keep < movie.revisions.size(); ++i) {
      movie.revisions[i].may_be_pruned = true;
    }
  }
  for (const std::string& pruned : response.revisions()) {
    const auto revision = std::find_if(
        movie.revisions.begin(), movie.revisions.end(),
        [&](const RevisionFact& known) { return known.revision == pruned; });
    if (revision == movie.revisions.end() || !revision->may_be_pruned) {
      return absl::InternalError(absl::StrCat(pruned, " was pruned"));
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
