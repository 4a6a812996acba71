#include "services/planner/history/told_run.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/content.h"
#include "common/proto_time.h"
#include "common/reported_event.h"

namespace kinora {

ToldRun::ToldRun(v1::RunRecord record, v1::Plan plan)
    : record_(std::move(record)), plan_(std::move(plan)) {
  for (const v1::PlanLayer& layer : plan_.layers()) {
    for (const v1::PlannedJob& planned : layer.jobs()) {
      Job& job = jobs_[planned.job_id()];
      job.node = planned.node();
      job.outcome = "not_reached";
      job.inputs_hash = planned.inputs_hash();
    }
  }
  for (const v1::ReusedJob& reused : plan_.reused()) {
    Job& job = jobs_[reused.job_id()];
    job.node = reused.node();
    job.outcome = "reused";
    job.inputs_hash = reused.inputs_hash();
    for (const v1::ReusedArtefact& artefact : reused.artefacts()) {
      job.outputs[artefact.artefact_id()] = ContentHash(artefact.content());
    }
  }
  plan_.clear_layers();
  plan_.clear_reused();
  plan_.clear_sources();
  auto declared = std::make_shared<Blueprint>();
  for (const v1::PlannedNode& node : plan_.nodes()) {
    NodeDeclaration& declaration = declared->nodes.emplace_back();
    declaration.name = node.node();
    declaration.settings_json = node.settings_json();
    declaration.salt = node.salt();
  }
  nodes_.blueprint = std::move(declared);
}

void ToldRun::AddLedger(const v1::LedgerEvent& event) {
  // What outside workers tell of steps proves nothing about jobs.
  if (IsReported(event)) return;
  if (event.has_step_started()) {
    Job& job = jobs_[event.step_started().step().step_id()];
    job.outcome = "running";
    job.attempts = std::max(job.attempts, event.step_started().attempt());
    if (!event.step_started().inputs_hash().empty()) {
      job.inputs_hash = event.step_started().inputs_hash();
    }
  } else if (event.has_step_completed()) {
    Job& job = jobs_[event.step_completed().step().step_id()];
    job.outcome = "succeeded";
    job.attempts = std::max(job.attempts, event.step_completed().attempt());
    job.error.clear();
  } else if (event.has_step_failed()) {
    Job& job = jobs_[event.step_failed().step().step_id()];
    job.outcome = "failed";
    job.attempts = std::max(job.attempts, event.step_failed().attempt());
    job.error = event.step_failed().error();
  } else if (event.has_step_skipped()) {
    Job& job = jobs_[event.step_skipped().step().step_id()];
    job.outcome = event.step_skipped().reason().empty()
                      ? "skipped"
                      : event.step_skipped().reason();
  }
}

void ToldRun::AddArtefact(const v1::ArtefactEvent& event) {
  const v1::ProducedBy& by = event.produced_by();
  if (by.run_id() != record_.run_id() || by.job_id().empty()) return;
  Job& job = jobs_[by.job_id()];
  job.node = by.node();
  if (event.status() == v1::ARTEFACT_STATUS_SUCCEEDED) {
    job.outputs[event.artefact_id()] = ContentHash(event.output());
  }
  // All outputs of an attempt have the same key.
  if (job.key.produced_by().job_id().empty() ||
      by.attempt() >= job.key.produced_by().attempt()) {
    job.key = event;
    job.key.clear_output();
    job.key.clear_diagnostics_json();
    if (!event.inputs_hash().empty()) job.inputs_hash = event.inputs_hash();
  }
  if (event.reused_sequence() != 0) return;
  if (by.attempt() != job.counted_attempt) {
    job.counted_attempt = by.attempt();
    job.duration += FromProto(event.duration());
  }
  if (event.has_cost()) {
    job.micros[event.cost().currency_code()] += event.cost().micros();
  }
}

const v1::PlannedNode* ToldRun::FindNode(absl::string_view name) const {
  for (const v1::PlannedNode& node : plan_.nodes()) {
    if (node.node() == name) return &node;
  }
  return nullptr;
}

v1::JobInRun Describe(const ToldRun::Job& job) {
  v1::JobInRun told;
  told.set_outcome(job.outcome);
  told.set_attempts(job.attempts);
  told.set_inputs_hash(job.inputs_hash);
  told.set_error(job.error);
  for (const auto& [currency, micros] : job.micros) {
    v1::Cost& cost = *told.add_costs();
    cost.set_currency_code(currency);
    cost.set_micros(micros);
  }
  if (job.duration > absl::ZeroDuration()) {
    *told.mutable_duration() = ToProto(job.duration);
  }
  return told;
}

}  // namespace kinora
