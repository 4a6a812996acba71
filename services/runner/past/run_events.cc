#include "services/runner/past/run_events.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/cost_text.h"
#include "common/files/readable_path.h"
#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/proto_time.h"
#include "services/store/event/derived_event.h"
#include "services/store/event/ledger_log.h"

namespace kinora {
namespace {

// An attempt's event but for status, output and failure.
v1::Event AttemptEvent(const RunIdentity& run, const RunState& state,
                       JobIndex job, int artefact, absl::Duration duration) {
  const v1::PlannedJob& planned = state.job(job);
  v1::Event event;
  event.set_revision(run.revision);
  v1::ArtefactEvent* a = event.mutable_artefact();
  a->set_artefact_id(planned.artefacts(artefact).artefact_id());
  a->set_inputs_hash(state.key(job).Hex());
  a->set_draw(planned.draw());
  v1::ProducedBy* by = a->mutable_produced_by();
  by->set_run_id(run.run_id);
  by->set_job_id(planned.job_id());
  by->set_node(planned.node());
  *by->mutable_producer() = state.node(job).producer();
  by->set_settings_hash(state.node(job).settings_hash());
  by->set_attempt(state.attempts(job));
  for (v1::Dependency& dependency : state.Dependencies(job)) {
    *a->add_dependencies() = std::move(dependency);
  }
  *a->mutable_duration() = ToProto(duration);
  return event;
}

// Notes are optional: ones that are no JSON object are not worth a failure.
bool IsJsonObject(const std::string& text) {
  if (text.empty()) return false;
  absl::StatusOr<JsonValue> json = ParseJson(text);
  return json.ok() && json->is_object();
}

}  // namespace

std::vector<v1::Event> SucceededEvents(const RunIdentity& run,
                                       const RunState& state, JobIndex job,
                                       const AttemptResult& result,
                                       absl::Duration duration) {
  std::vector<v1::Event> events;
  for (int i = 0; i < state.job(job).artefacts_size(); ++i) {
    const AttemptResult::Output& output =
        result.outputs[static_cast<size_t>(i)];
    v1::Event event = AttemptEvent(run, state, job, i, duration);
    v1::ArtefactEvent* a = event.mutable_artefact();
    a->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *a->mutable_output() = output.content;
    // Where the blueprint says, else where the producer says.
    const std::string& declared = state.job(job).artefacts(i).readable_path();
    const std::string& mime_type = ContentMimeType(output.content);
    a->set_readable_path(!declared.empty() && IsReadableType(mime_type)
                             ? declared
                             : output.readable_path);
    if (IsJsonObject(result.diagnostics_json)) {
      a->set_diagnostics_json(result.diagnostics_json);
    }
    if (i == 0 && result.cost.has_value()) *a->mutable_cost() = *result.cost;
    events.push_back(std::move(event));
  }
  return events;
}

std::vector<v1::Event> FailedEvents(const RunIdentity& run,
                                    const RunState& state, JobIndex job,
                                    const AttemptResult& result,
                                    absl::Duration duration) {
  std::vector<v1::Event> events;
  for (int i = 0; i < state.job(job).artefacts_size(); ++i) {
    v1::Event event = AttemptEvent(run, state, job, i, duration);
    v1::ArtefactEvent* a = event.mutable_artefact();
    a->set_status(v1::ARTEFACT_STATUS_FAILED);
    *a->mutable_failure() = *result.failure;
    if (i == 0 && result.cost.has_value()) *a->mutable_cost() = *result.cost;
    events.push_back(std::move(event));
  }
  return events;
}

v1::Event ReusedEvent(const RunIdentity& run, const v1::Event& original) {
  v1::Event event;
  event.set_revision(run.revision);
  *event.mutable_artefact() = original.artefact();
  BecomeReuse(original.sequence(), run.run_id, event.mutable_artefact());
  return event;
}

v1::StepIdentity StepOf(const RunState& state, JobIndex job) {
  const v1::PlannedJob& planned = state.job(job);
  v1::StepIdentity step;
  step.set_step_id(planned.job_id());
  step.set_label(planned.job_id());
  step.set_kind(state.node(job).producer().name());
  step.set_artefact_namespace(planned.artefacts(0).output());
  return step;
}

v1::Event LedgerEventAt(const RunIdentity& run, int64_t now_ms) {
  v1::Event event;
  v1::LedgerEvent* ledger = event.mutable_ledger();
  ledger->set_run_id(run.run_id);
  ledger->set_occurred_at_ms(now_ms);
  ledger->set_source(v1::LEDGER_SOURCE_COORDINATOR);
  return event;
}

v1::LedgerEvent RetryRequest(const std::string& job_id) {
  v1::LedgerEvent event;
  event.mutable_job()->set_type("retry");
  event.mutable_job()->set_job_id(job_id);
  event.mutable_job()->set_message("asked for by somebody");
  return event;
}

v1::AppendEventsRequest LedgerAppend(const RunIdentity& run,
                                     const v1::LeaseToken& lease,
                                     v1::Event event) {
  v1::AppendEventsRequest request;
  *request.mutable_log() = LedgerLog(run.movie_id, run.run_id);
  *request.mutable_lease() = lease;
  *request.add_events() = std::move(event);
  return request;
}

v1::Event ChargedEvent(const RunIdentity& run, int64_t now_ms,
                       const std::string& job_id, const v1::Cost& charged) {
  v1::Event event = LedgerEventAt(run, now_ms);
  v1::JobEvent* e = event.mutable_ledger()->mutable_job();
  e->set_type("charged");
  e->set_job_id(job_id);
  e->set_message(
      absl::StrCat(FormatCost(charged), " for an attempt that was cut short"));
  e->set_detail_json(CostDetail(charged));
  return event;
}

v1::Event BudgetEvent(const RunIdentity& run, int64_t now_ms,
                      const std::optional<v1::Cost>& cap) {
  v1::Event event = LedgerEventAt(run, now_ms);
  v1::RunBudgetEvent* e = event.mutable_ledger()->mutable_run_budget();
  if (cap.has_value()) *e->mutable_cap() = *cap;
  return event;
}

std::string CostDetail(const v1::Cost& cost) {
  JsonObject detail;
  detail.Add("cost", CostToJson(cost));
  return ToJson(JsonValue(std::move(detail)));
}

v1::Event ChangeEvent(const RunIdentity& run, int64_t now_ms,
                      const RunState& state, const JobChange& change,
                      const v1::Cost& charged) {
  v1::Event event = LedgerEventAt(run, now_ms);
  v1::LedgerEvent* ledger = event.mutable_ledger();
  const v1::StepIdentity step = StepOf(state, change.job);
  switch (change.status) {
    case JobStatus::kSucceeded: {
      v1::StepCompletedEvent* e = ledger->mutable_step_completed();
      *e->mutable_step() = step;
      e->set_attempt(state.attempts(change.job));
      if (charged.micros() > 0) *e->mutable_cost() = charged;
      break;
    }
    case JobStatus::kReused:
      *ledger->mutable_step_skipped()->mutable_step() = step;
      ledger->mutable_step_skipped()->set_reason("reused");
      break;
    case JobStatus::kFailed: {
      v1::StepFailedEvent* e = ledger->mutable_step_failed();
      *e->mutable_step() = step;
      e->set_error(change.failure.message());
      e->set_attempt(state.attempts(change.job));
      if (charged.micros() > 0) *e->mutable_cost() = charged;
      break;
    }
    case JobStatus::kBlocked:
      *ledger->mutable_step_skipped()->mutable_step() = step;
      ledger->mutable_step_skipped()->set_reason("blocked");
      ledger->mutable_step_skipped()->set_blocked_by(
          change.failure.cause().job_id());
      break;
    case JobStatus::kRetrying: {
      v1::JobEvent* e = ledger->mutable_job();
      e->set_type("retrying");
      e->set_job_id(step.step_id());
      e->set_message(change.failure.message());
      JsonObject detail;
      detail.Add("attempt", JsonValue(state.attempts(change.job)));
      detail.Add("delayMs", JsonValue(absl::ToInt64Milliseconds(change.delay)));
      if (state.in_doubt(change.job)) detail.Add("inDoubt", JsonValue(true));
      if (charged.micros() > 0) detail.Add("cost", CostToJson(charged));
      if (!change.counts) detail.Add("counts", JsonValue(false));
      if (const absl::Duration held = RetryAfter(change.failure);
          held > absl::ZeroDuration()) {
        detail.Add("retryAfterMs", JsonValue(absl::ToInt64Milliseconds(held)));
        detail.Add("producer",
                   JsonValue(state.node(change.job).producer().name()));
      }
      e->set_detail_json(ToJson(JsonValue(std::move(detail))));
      break;
    }
    default:
      if (charged.micros() > 0) {
        return ChargedEvent(run, now_ms, step.step_id(), charged);
      }
      break;
  }
  return event;
}

v1::JobCounts CountJobs(const RunState& state, int64_t reused_by_plan,
                        int64_t clean) {
  auto count = [&state](JobStatus status) {
    return static_cast<int64_t>(state.count(status));
  };
  v1::JobCounts counts;
  counts.set_total(static_cast<int64_t>(state.job_count()) + reused_by_plan);
  counts.set_succeeded(count(JobStatus::kSucceeded));
  counts.set_reused(count(JobStatus::kReused) + reused_by_plan);
  counts.set_failed(count(JobStatus::kFailed));
  counts.set_blocked(count(JobStatus::kBlocked));
  counts.set_running(count(JobStatus::kRunning));
  counts.set_clean(clean);
  return counts;
}

std::string ResultJson(const v1::ManifestPointer& current, bool published,
                       const v1::JobCounts& counts) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("revision").String(current.revision());
  json.Key("manifestHash").String(current.hash());
  json.Key("published").Bool(published);
  json.Key("jobs").BeginObject();
  json.Key("total").Int(counts.total());
  json.Key("succeeded").Int(counts.succeeded());
  json.Key("reused").Int(counts.reused());
  json.Key("failed").Int(counts.failed());
  json.Key("blocked").Int(counts.blocked());
  json.Key("clean").Int(counts.clean());
  json.EndObject();
  json.EndObject();
  return text;
}

namespace {

void PutInputs(const RunState& state, JobIndex job, v1::JobHeader* header) {
  for (const v1::PlannedBinding& planned : state.job(job).bindings()) {
    v1::InputBinding* binding = header->add_inputs();
    binding->set_name(planned.name());
    binding->set_is_list(planned.is_list());
    *binding->mutable_group_sizes() = planned.group_sizes();
    for (const std::string& id : planned.source_ids()) {
      v1::InputElement* element = binding->add_elements();
      element->set_source_id(id);
      const v1::Content& content = state.content(id);
      if (content.has_blob()) {
        *element->mutable_content() = content.blob();
        element->set_streamed(true);
        continue;
      }
      const v1::InlineValue& value = content.inline_();
      v1::Digest* digest = element->mutable_content()->mutable_digest();
      digest->set_hash(value.hash());
      digest->set_size_bytes(static_cast<int64_t>(value.data().size()));
      element->mutable_content()->set_mime_type(value.mime_type());
      element->set_inline_(value.data());
    }
  }
}

void PutOutputs(const RunState& state, JobIndex job, AttemptRequest* request) {
  for (const v1::PlannedOutput& output : state.node(job).outputs()) {
    v1::ExpectedOutput expected;
    expected.set_name(output.name());
    expected.set_mime_type(output.mime_type());
    bool wanted = false;
    for (const v1::PlannedArtefact& artefact : state.job(job).artefacts()) {
      if (artefact.output() != output.name() || !artefact.leaf_of().empty()) {
        continue;
      }
      wanted = true;
      if (artefact.index().empty()) continue;
      v1::OutputElement* element = expected.add_elements();
      element->set_artefact_id(artefact.artefact_id());
      *element->mutable_index() = artefact.index();
    }
    if (wanted) *request->header.add_outputs() = std::move(expected);
  }
  for (const v1::PlannedArtefact& artefact : state.job(job).artefacts()) {
    AttemptRequest::Output wanted;
    wanted.artefact_id = artefact.artefact_id();
    wanted.name = artefact.output();
    wanted.leaf_of = artefact.leaf_of();
    wanted.json_pointer = artefact.json_pointer();
    for (const v1::PlannedOutput& output : state.node(job).outputs()) {
      if (output.name() == wanted.name) wanted.mime_type = output.mime_type();
    }
    request->outputs.push_back(std::move(wanted));
  }
}

}  // namespace

std::string IdempotencyKeyOf(const RunIdentity& run, const RunState& state,
                             JobIndex job) {
  std::string key = absl::StrCat(run.movie_id, "/", state.key(job).Hex());
  // What is made anew is work of its own, though only once in a run.
  if (state.job(job).forced()) absl::StrAppend(&key, "/", run.run_id);
  return key;
}

AttemptRequest MakeAttempt(const RunIdentity& run, const RunState& state,
                           JobIndex job, absl::Time now,
                           absl::Duration timeout) {
  const v1::PlannedJob& planned = state.job(job);
  const v1::PlannedNode& node = state.node(job);
  AttemptRequest request;
  request.timeout = timeout;
  request.producer_version = node.producer().version();
  v1::JobHeader& header = request.header;
  header.set_movie_id(run.movie_id);
  header.set_run_id(run.run_id);
  header.set_job_id(planned.job_id());
  header.set_producer(node.producer().name());
  header.set_node(planned.node());
  *header.mutable_point() = planned.point();
  header.set_attempt(state.attempts(job));
  header.set_inputs_hash(state.key(job).Hex());
  header.set_draw(planned.draw());
  header.set_idempotency_key(IdempotencyKeyOf(run, state, job));
  header.set_settings_json(node.settings_json());
  *header.mutable_deadline() = ToProto(now + timeout);
  PutInputs(state, job, &header);
  PutOutputs(state, job, &request);
  return request;
}

}  // namespace kinora
