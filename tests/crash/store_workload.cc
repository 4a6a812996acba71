#include "tests/crash/store_workload.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/digest.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

std::string NextRevision(StepContext& context) {
  return Revision{static_cast<uint32_t>(context.movie().revisions.size() + 1)}
      .ToString();
}

std::string NewRunId(StepContext& context) {
  return absl::StrFormat("run-01KDV3N3C0%016d", context.Id());
}

// A text that no other event has, sometimes a longer one.
std::string NewText(StepContext& context) {
  std::string text = absl::StrCat("text ", context.Id());
  if (context.Below(8) == 0) text.append(300, '.');
  return text;
}

std::string NewBlob(StepContext& context) {
  std::string bytes = absl::StrCat("blob ", context.Id(), " ");
  bytes.append(context.Below(40), '#');
  return bytes;
}

void SetInline(StepContext& context, v1::Content* content) {
  v1::InlineValue& value = *content->mutable_inline_();
  value.set_mime_type("text/plain");
  value.set_data(NewText(context));
  value.set_hash(Sha256Of(value.data()).Hex());
}

// A new inline value, or a blob that is sure to be there.
void SetContent(StepContext& context, v1::Content* content) {
  const auto& blobs = context.movie().blobs;
  if (blobs.empty() || context.Below(2) == 0) {
    SetInline(context, content);
    return;
  }
  const auto blob =
      std::next(blobs.begin(), context.Below(static_cast<int>(blobs.size())));
  if (!blob->second.sure) return SetInline(context, content);
  v1::BlobRef& ref = *content->mutable_blob();
  ref.set_mime_type("image/png");
  ref.mutable_digest()->set_hash(blob->first);
  ref.mutable_digest()->set_size_bytes(
      static_cast<int64_t>(blob->second.bytes.size()));
}

v1::AppendEventsRequest AppendTo(StepContext& context, v1::LogKind kind) {
  v1::AppendEventsRequest request;
  request.mutable_log()->set_movie_id(context.movie_id);
  request.mutable_log()->set_kind(kind);
  if (context.Below(3) > 0) {
    request.set_request_id(absl::StrCat("request-", context.Id()));
  }
  return request;
}

absl::Status StartRun(StepContext& context) {
  MovieFacts& movie = context.movie();
  if (movie.lease.has_token()) {
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = movie.lease.token();
    KINORA_RETURN_IF_ERROR(context.caller.Release(release));
  }
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("movie/" + context.movie_id);
  acquire.set_holder(absl::StrCat("runner-", context.Id()));
  acquire.set_purpose(NewRunId(context));
  acquire.mutable_ttl()->set_seconds(60);
  return context.caller.Acquire(acquire);
}

// A run that may still commit.
absl::Status EnsureRun(StepContext& context) {
  const MovieFacts& movie = context.movie();
  const auto& done = movie.committed_runs;
  if (movie.lease.has_token() &&
      std::find(done.begin(), done.end(), movie.lease.purpose()) ==
          done.end()) {
    return absl::OkStatus();
  }
  return StartRun(context);
}

absl::Status EditInputs(StepContext& context) {
  v1::AppendEventsRequest request = AppendTo(context, v1::LOG_KIND_INPUTS);
  for (int i = context.Below(3); i >= 0; --i) {
    v1::Event& event = *request.add_events();
    event.set_revision(NextRevision(context));
    v1::InputEvent& input = *event.mutable_input();
    input.set_input_id(absl::StrCat("Input:Topic", context.Below(3)));
    input.set_edited_by(v1::EDITED_BY_USER);
    SetContent(context, input.mutable_content());
  }
  return context.caller.Append(request);
}

void FillArtefact(StepContext& context, v1::ArtefactEvent* artefact) {
  artefact->set_artefact_id(
      absl::StrCat("Artifact:Image[segment=", context.Below(4), "]"));
  artefact->set_inputs_hash(std::string(64, "abcd"[context.Below(4)]));
  v1::ProducedBy& by = *artefact->mutable_produced_by();
  by.set_run_id(context.movie().lease.purpose());
  by.set_node("Painter");
  by.mutable_producer()->set_name("painter");
  by.mutable_producer()->set_version("1");
  by.set_settings_hash(std::string(64, 'e'));
  if (context.Below(6) == 0) {
    artefact->set_status(v1::ARTEFACT_STATUS_FAILED);
    artefact->mutable_failure()->set_message(NewText(context));
    artefact->mutable_failure()->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    return;
  }
  artefact->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  SetContent(context, artefact->mutable_output());
  // No two artefact events are the same, so that a doubled one is seen.
  by.set_job_id(absl::StrCat("job-", context.Id()));
}

absl::Status MakeArtefacts(StepContext& context) {
  KINORA_RETURN_IF_ERROR(EnsureRun(context));
  v1::AppendEventsRequest request = AppendTo(context, v1::LOG_KIND_ARTEFACTS);
  *request.mutable_lease() = context.movie().lease.token();
  for (int i = context.Below(3); i >= 0; --i) {
    v1::Event& event = *request.add_events();
    event.set_revision(NextRevision(context));
    FillArtefact(context, event.mutable_artefact());
  }
  return context.caller.Append(request);
}

// Somebody whose lease has passed on must not get a word in.
absl::Status AppendUnderALostLease(StepContext& context) {
  const auto& lost = context.movie().lost_tokens;
  if (lost.empty()) return absl::OkStatus();
  v1::AppendEventsRequest request = AppendTo(context, v1::LOG_KIND_ARTEFACTS);
  *request.mutable_lease() = lost[context.Below(lost.size())];
  v1::Event& event = *request.add_events();
  event.set_revision(NextRevision(context));
  FillArtefact(context, event.mutable_artefact());
  const absl::Status refused =
      context.caller.store().events.Append(request).status();
  if (!refused.ok()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("an append was taken under ",
                                          request.lease().ShortDebugString()));
}

absl::Status PutRunRecord(StepContext& context) {
  KINORA_RETURN_IF_ERROR(EnsureRun(context));
  v1::PutRunRecordRequest request;
  *request.mutable_lease() = context.movie().lease.token();
  v1::RunRecord& record = *request.mutable_record();
  record.set_run_id(context.movie().lease.purpose());
  record.set_movie_id(context.movie_id);
  record.set_status(v1::RUN_STATUS_RUNNING);
  record.set_error(NewText(context));
  record.set_target_revision(NextRevision(context));
  for (const auto& plan : context.movie().plans) {
    record.set_plan_hash(plan.first);
  }
  return context.caller.PutRun(request);
}

absl::Status AppendToLedger(StepContext& context) {
  KINORA_RETURN_IF_ERROR(EnsureRun(context));
  const std::string run_id = context.movie().lease.purpose();
  if (context.movie().runs.count(run_id) == 0) {
    KINORA_RETURN_IF_ERROR(PutRunRecord(context));
  }
  v1::AppendEventsRequest request = AppendTo(context, v1::LOG_KIND_LEDGER);
  request.mutable_log()->set_run_id(run_id);
  *request.mutable_lease() = context.movie().lease.token();
  for (int i = context.Below(4); i >= 0; --i) {
    v1::LedgerEvent& ledger = *request.add_events()->mutable_ledger();
    ledger.set_run_id(run_id);
    ledger.set_occurred_at_ms(context.Id());
    ledger.mutable_run_started();
  }
  return context.caller.Append(request);
}

absl::Status WriteBlobs(StepContext& context) {
  v1::BatchWriteBlobsRequest request;
  request.set_movie_id(context.movie_id);
  for (int i = context.Below(4); i >= 0; --i) {
    request.add_blobs()->set_data(NewBlob(context));
  }
  // The same bytes twice, or known ones again.
  if (context.Below(4) == 0) *request.add_blobs() = request.blobs(0);
  const auto& blobs = context.movie().blobs;
  if (!blobs.empty() && context.Below(4) == 0) {
    request.add_blobs()->set_data(blobs.begin()->second.bytes);
  }
  return context.caller.BatchWrite(request);
}

// Enough of them to be synced together.
absl::Status WriteManyBlobs(StepContext& context) {
  v1::BatchWriteBlobsRequest request;
  request.set_movie_id(context.movie_id);
  for (int i = 8 + context.Below(4); i > 0; --i) {
    request.add_blobs()->set_data(NewBlob(context));
  }
  const auto& blobs = context.movie().blobs;
  if (!blobs.empty()) {
    request.add_blobs()->set_data(blobs.rbegin()->second.bytes);
  }
  return context.caller.BatchWrite(request);
}

absl::Status UploadBlob(StepContext& context) {
  v1::WriteBlobHeader header;
  header.set_movie_id(context.movie_id);
  return context.caller.Upload(header, NewBlob(context));
}

absl::Status ChangeBlueprint(StepContext& context) {
  v1::SetBlueprintRequest request;
  request.set_movie_id(context.movie_id);
  request.set_blueprint(absl::StrCat("name: film-", context.Id(), "\n"));
  return context.caller.SetBlueprint(request);
}

absl::Status Commit(StepContext& context) {
  KINORA_RETURN_IF_ERROR(EnsureRun(context));
  const MovieFacts& movie = context.movie();
  v1::CommitRevisionRequest request;
  request.set_movie_id(context.movie_id);
  *request.mutable_lease() = movie.lease.token();
  v1::RevisionSource& source = *request.mutable_source();
  source.set_run_id(movie.lease.purpose());
  source.set_target_revision(NextRevision(context));
  int64_t through = 1;
  if (!movie.revisions.empty()) {
    source.set_base_manifest_hash(movie.revisions.back().manifest_hash);
    through = movie.revisions.back().inputs_through;
  }
  // Edits made during the run belong to a later revision.
  const int64_t newer = movie.inputs.last_sequence() - through;
  source.set_inputs_through_sequence(
      through + context.Below(static_cast<int>(newer) + 1));
  if (context.Below(5) == 0) {
    source.add_removed_artefact_ids("Artifact:Image[segment=0]");
  }
  return context.caller.Commit(request);
}

absl::Status SavePlan(StepContext& context) {
  v1::Plan plan;
  plan.set_format_version(1);
  plan.set_movie_id(context.movie_id);
  plan.set_target_revision(NextRevision(context));
  plan.set_inputs_through_sequence(context.Id());
  v1::SavePlanHeader header;
  header.set_movie_id(context.movie_id);
  return context.caller.SavePlan(header, CanonicalBytes(plan));
}

absl::Status CollectGarbage(StepContext& context) {
  v1::CollectGarbageRequest request;
  request.set_movie_id(context.movie_id);
  request.mutable_grace();  // none: all that nothing names goes
  return context.caller.CollectGarbage(request);
}

absl::Status Checkpoint(StepContext& context) {
  v1::CheckpointMovieRequest request;
  request.set_movie_id(context.movie_id);
  return context.caller.Checkpoint(request);
}

absl::Status RemoveCoveredLogs(StepContext& context) {
  v1::CheckpointMovieRequest request;
  request.set_movie_id(context.movie_id);
  request.set_remove_covered_logs(true);
  return context.caller.Checkpoint(request);
}

absl::Status Prune(StepContext& context) {
  v1::PruneMovieRequest request;
  request.set_movie_id(context.movie_id);
  request.set_keep_revisions(1 + context.Below(3));
  request.set_keep_takes(1 + context.Below(2));
  return context.caller.Prune(request);
}

// A log that was cut forgets the requests of what is gone.
bool IsForgotten(const StepContext& context,
                 const v1::AppendEventsRequest& request) {
  const auto& movies = context.facts.movies();
  const auto movie = movies.find(request.log().movie_id());
  if (movie == movies.end()) return false;
  return movie->second.inputs.MayBeForgotten(request.request_id()) ||
         movie->second.artefacts.MayBeForgotten(request.request_id());
}

// A caller that lost an answer asks again, however late.
absl::Status RepeatAnAppend(StepContext& context) {
  const std::vector<StoreCall>& appends = context.facts.appends();
  if (appends.empty()) return absl::OkStatus();
  StoreCall call = appends[context.Below(static_cast<int>(appends.size()))];
  v1::AppendEventsRequest request;
  request.ParseFromString(call.request);
  if (IsForgotten(context, request)) return absl::OkStatus();
  // Under the lease that is held now: only the newest holder may ask.
  if (request.has_lease()) {
    const auto movie = context.facts.movies().find(request.log().movie_id());
    if (!movie->second.lease.has_token()) return absl::OkStatus();
    *request.mutable_lease() = movie->second.lease.token();
    call.request = request.SerializeAsString();
  }
  return context.caller.Repeat(call);
}

}  // namespace

const std::vector<WorkloadStep>& WorkloadSteps() {
  static const auto& steps = *new std::vector<WorkloadStep>{
      {"start run", 2, StartRun},
      {"edit inputs", 5, EditInputs},
      {"make artefacts", 7, MakeArtefacts},
      {"append under a lost lease", 1, AppendUnderALostLease},
      {"put run record", 2, PutRunRecord},
      {"append to ledger", 3, AppendToLedger},
      {"write blobs", 4, WriteBlobs},
      {"write many blobs", 2, WriteManyBlobs},
      {"upload blob", 2, UploadBlob},
      {"change blueprint", 1, ChangeBlueprint},
      {"commit", 5, Commit},
      {"save plan", 1, SavePlan},
      {"repeat an append", 2, RepeatAnAppend},
      {"collect garbage", 2, CollectGarbage},
      {"checkpoint", 2, Checkpoint},
      {"remove covered logs", 1, RemoveCoveredLogs},
      {"prune", 1, Prune},
  };
  return steps;
}

absl::Status CreateMovieStep(StepContext& context) {
  v1::CreateMovieRequest request;
  request.set_movie_id(context.movie_id);
  request.set_request_id("create-" + context.movie_id);
  request.set_blueprint("name: " + context.movie_id + "\n");
  return context.caller.Create(request);
}

absl::Status RepeatUnanswered(StepContext& context) {
  std::vector<StoreCall> calls = std::move(context.facts.unanswered());
  context.facts.unanswered().clear();
  for (const StoreCall& call : calls) {
    if (call.method == StoreMethod::kAppendEvents) {
      v1::AppendEventsRequest request;
      request.ParseFromString(call.request);
      if (IsForgotten(context, request)) continue;
    }
    KINORA_RETURN_IF_ERROR(context.caller.Repeat(call));
  }
  return absl::OkStatus();
}

absl::Status RunRandomStep(StepContext& context) {
  if (!context.movie().sure) return CreateMovieStep(context);
  int total = 0;
  for (const WorkloadStep& step : WorkloadSteps()) total += step.weight;
  int drawn = context.Below(total);
  for (const WorkloadStep& step : WorkloadSteps()) {
    drawn -= step.weight;
    if (drawn < 0) return Annotate(step.run(context), step.name);
  }
  return absl::OkStatus();
}

}  // namespace kinora
