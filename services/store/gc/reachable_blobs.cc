#include "services/store/gc/reachable_blobs.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/retention/retention_record.h"

namespace kinora {
namespace {

constexpr int64_t kEventsPerStep = 1000;
constexpr int64_t kBytesPerStep = int64_t{1} << 20;

// Visits the blob of `content`, if it is one.
absl::Status VisitContent(BlobReferenceVisitor visit,
                          BlobReference::Source source,
                          absl::string_view document, int64_t sequence,
                          absl::string_view element,
                          const v1::Content& content) {
  if (!content.has_blob()) return absl::OkStatus();
  return visit(BlobReference{.source = source,
                             .blob = content.blob(),
                             .document = document,
                             .sequence = sequence,
                             .element = element});
}

absl::Status VisitEvent(BlobReferenceVisitor visit,
                        absl::string_view checkpoint, const v1::Event& event) {
  const v1::Content* content = ContentOf(event);
  if (content == nullptr) return absl::OkStatus();
  if (event.has_input()) {
    return VisitContent(visit, BlobReference::Source::kInputEvent, checkpoint,
                        event.sequence(), event.input().input_id(), *content);
  }
  return VisitContent(visit, BlobReference::Source::kArtefactEvent, checkpoint,
                      event.sequence(), event.artefact().artefact_id(),
                      *content);
}

}  // namespace

absl::Status VisitBlobsOf(const v1::Event& event, BlobReferenceVisitor visit) {
  return VisitEvent(visit, "", event);
}

absl::Status VisitBlobsOf(const v1::Manifest& manifest,
                          BlobReferenceVisitor visit) {
  constexpr auto kSource = BlobReference::Source::kManifest;
  for (const auto& entry : manifest.inputs()) {
    KINORA_RETURN_IF_ERROR(VisitContent(visit, kSource, manifest.revision(), 0,
                                        entry.first, entry.second.content()));
  }
  for (const auto& entry : manifest.artefacts()) {
    KINORA_RETURN_IF_ERROR(VisitContent(visit, kSource, manifest.revision(), 0,
                                        entry.first, entry.second.content()));
  }
  return absl::OkStatus();
}

absl::Status VisitBlobsOf(absl::string_view path, const v1::Plan& plan,
                          BlobReferenceVisitor visit) {
  constexpr auto kSource = BlobReference::Source::kPlan;
  for (const v1::PlannedInput& input : plan.inputs()) {
    KINORA_RETURN_IF_ERROR(VisitContent(visit, kSource, path, 0,
                                        input.input_id(), input.content()));
  }
  for (const v1::PlannedSource& source : plan.sources()) {
    KINORA_RETURN_IF_ERROR(VisitContent(
        visit, kSource, path, 0, source.artefact_id(), source.content()));
  }
  for (const v1::ReusedJob& job : plan.reused()) {
    for (const v1::ReusedArtefact& artefact : job.artefacts()) {
      KINORA_RETURN_IF_ERROR(VisitContent(
          visit, kSource, path, 0, artefact.artefact_id(), artefact.content()));
    }
  }
  return absl::OkStatus();
}

std::string BlobReference::Reason() const {
  switch (source) {
    case Source::kManifest:
      return absl::StrCat("manifest ", document, " ", element);
    case Source::kInputEvent:
      return absl::StrCat(document.empty() ? "inputs.log" : document, " ",
                          sequence, " ", element);
    case Source::kArtefactEvent:
      return absl::StrCat(document.empty() ? "artefacts.log" : document, " ",
                          sequence, " ", element);
    case Source::kPlan:
      return absl::StrCat("plan ", document, " ", element);
    case Source::kQueuedRun:
      return absl::StrCat("queued ", document, " ", element);
  }
  return "";
}

absl::StatusOr<bool> ReachableBlobs::Step(BlobReferenceVisitor visit) {
  bool more = false;
  switch (stage_) {
    case Stage::kInputs: {
      KINORA_ASSIGN_OR_RETURN(more, StepLog(v1::LOG_KIND_INPUTS, visit));
      if (more) return true;
      KINORA_ASSIGN_OR_RETURN(const RetentionRecord retention,
                              LoadRetention(storage_, movie_id_));
      KINORA_ASSIGN_OR_RETURN(takes_,
                              KeptTakes::Make(artefacts_, retention.takes));
      after_ = 0;
      stage_ = Stage::kArtefacts;
      return true;
    }
    case Stage::kArtefacts: {
      KINORA_ASSIGN_OR_RETURN(more, StepLog(v1::LOG_KIND_ARTEFACTS, visit));
      // Manifests come after the takes: what pruning leaves to a manifest alone
      // is then in one that is read from now on.
      if (!more) stage_ = Stage::kManifests;
      return true;
    }
    case Stage::kManifests: {
      KINORA_ASSIGN_OR_RETURN(more, StepManifest(visit));
      if (!more) stage_ = Stage::kPlans;
      return true;
    }
    case Stage::kPlans: {
      KINORA_ASSIGN_OR_RETURN(more, StepPlan(visit));
      if (!more) stage_ = Stage::kQueue;
      return true;
    }
    case Stage::kQueue:
      KINORA_RETURN_IF_ERROR(VisitQueue(visit));
      stage_ = Stage::kDone;
      return false;
    case Stage::kDone:
      break;
  }
  return false;
}

absl::StatusOr<bool> ReachableBlobs::StepLog(v1::LogKind kind,
                                             BlobReferenceVisitor visit) {
  const bool inputs = kind == v1::LOG_KIND_INPUTS;
  const std::string log =
      inputs ? InputsLogKey(movie_id_) : ArtefactsLogKey(movie_id_);
  KINORA_ASSIGN_OR_RETURN(const LogHistory::Page page,
                          (inputs ? inputs_ : artefacts_)
                              .Read(after_, kEventsPerStep, kBytesPerStep));
  for (const LogRecord& record : page.records) {
    KINORA_ASSIGN_OR_RETURN(const v1::Event event,
                            EventFromRecord(log, kind, record));
    if (event.has_input() || takes_.Keeps(event)) {
      KINORA_RETURN_IF_ERROR(VisitEvent(visit, page.checkpoint, event));
    }
    after_ = record.sequence;
  }
  return !page.records.empty();
}

absl::StatusOr<bool> ReachableBlobs::StepManifest(BlobReferenceVisitor visit) {
  if (revisions_.empty()) {
    v1::ListManifestsRequest request;
    request.set_movie_id(movie_id_);
    request.set_page_token(revision_);
    KINORA_ASSIGN_OR_RETURN(const v1::ListManifestsResponse page,
                            manifests_.List(request));
    for (const v1::ManifestPointer& pointer : page.manifests()) {
      revisions_.push_back(pointer.revision());
    }
    std::reverse(revisions_.begin(), revisions_.end());
    // The list is asked until it has nothing new, so that a revision is seen
    // whose commit came before its base was pruned.
    if (revisions_.empty()) return false;
  }
  revision_ = std::move(revisions_.back());
  revisions_.pop_back();
  v1::GetManifestRequest request;
  request.set_movie_id(movie_id_);
  request.set_revision(revision_);
  absl::StatusOr<StoredManifest> stored = manifests_.Get(request);
  if (absl::IsNotFound(stored.status())) return true;  // pruned meanwhile
  KINORA_RETURN_IF_ERROR(stored.status());
  v1::Manifest manifest;
  const absl::Status parsed = ParseDocument(stored->json, &manifest);
  if (!parsed.ok()) {
    return DataCorrupt(ManifestKey(movie_id_, revision_), parsed.message());
  }
  KINORA_RETURN_IF_ERROR(VisitBlobsOf(manifest, visit));
  return true;
}

absl::Status ReachableBlobs::ListPlans() {
  const std::string runs = RunsPrefix(movie_id_);
  const auto take = [this](const ObjectPage& page, absl::string_view suffix) {
    for (const ObjectInfo& object : page.objects) {
      if (absl::EndsWith(object.key, suffix)) plans_.push_back(object.key);
    }
    return absl::OkStatus();
  };
  // The copies by revision first: the walk takes the last ones first, and finds
  // by their hash that it has seen the copies.
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage_, runs,
      [&](const ObjectPage& page) { return take(page, "-plan.json"); }));
  return ForEachEntry(
      storage_, absl::StrCat(runs, "plans/"),
      [&](const ObjectPage& page) { return take(page, ".json"); });
}

absl::StatusOr<bool> ReachableBlobs::StepPlan(BlobReferenceVisitor visit) {
  if (!plans_listed_) {
    KINORA_RETURN_IF_ERROR(ListPlans());
    plans_listed_ = true;
  }
  if (plans_.empty()) return false;
  const std::string key = std::move(plans_.back());
  plans_.pop_back();
  absl::StatusOr<std::string> json = ReadObject(storage_, key);
  if (absl::IsNotFound(json.status())) return true;  // pruned meanwhile
  KINORA_RETURN_IF_ERROR(json.status());
  if (!seen_plans_.insert(Sha256Of(*json).Hex()).second) return true;
  v1::Plan plan;
  const absl::Status parsed = ParseDocument(*json, &plan);
  if (!parsed.ok()) return DataCorrupt(key, parsed.message());
  KINORA_RETURN_IF_ERROR(
      VisitBlobsOf(absl::string_view(key).substr(MoviePrefix(movie_id_).size()),
                   plan, visit));
  return true;
}

// Whoever queues a run has uploaded what it sets, and it is not in the log yet.
absl::Status ReachableBlobs::VisitQueue(BlobReferenceVisitor visit) {
  std::vector<std::string> open;
  KINORA_RETURN_IF_ERROR(
      ForEachEntry(storage_, kOpenRunPrefix, [&open](const ObjectPage& page) {
        for (const ObjectInfo& object : page.objects) {
          open.emplace_back(LastPart(object.key));
        }
        return absl::OkStatus();
      }));
  for (const std::string& run_id : open) {
    const std::string key = RunRecordKey(movie_id_, run_id);
    const absl::StatusOr<std::string> json = ReadObject(storage_, key);
    if (absl::IsNotFound(json.status())) continue;  // of another movie
    KINORA_RETURN_IF_ERROR(json.status());
    v1::RunRecord record;
    v1::StartRunRequest request;
    absl::Status parsed = ParseCheckedDocument(*json, &record);
    if (parsed.ok() && !record.queued_request_json().empty()) {
      parsed = ParseDocument(record.queued_request_json(), &request);
    }
    if (!parsed.ok()) return DataCorrupt(key, parsed.message());
    for (const v1::PendingEdit& edit : request.edits()) {
      KINORA_RETURN_IF_ERROR(
          VisitContent(visit, BlobReference::Source::kQueuedRun, run_id, 0,
                       edit.input_id(), edit.content()));
    }
  }
  return absl::OkStatus();
}

absl::Status VisitReachableBlobs(ObjectStorage& storage, EventLog& log,
                                 ManifestStore& manifests,
                                 absl::string_view movie_id,
                                 BlobReferenceVisitor visit) {
  ReachableBlobs walk(storage, log, manifests, std::string(movie_id));
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const bool more, walk.Step(visit));
    if (!more) return absl::OkStatus();
  }
}

}  // namespace kinora
