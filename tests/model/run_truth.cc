#include "tests/model/run_truth.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kinora {

void RunTruth::Violate(const std::string& job_id, const std::string& what) {
  violations_.push_back(absl::StrCat(job_id, ": ", what));
}

void RunTruth::Appended(const v1::AppendEventsRequest& request) {
  for (const v1::Event& event : request.events()) {
    if (event.has_ledger()) Take(event.ledger());
    if (event.has_artefact()) Take(event.artefact());
  }
}

void RunTruth::Take(const v1::LedgerEvent& event) {
  switch (event.kind_case()) {
    case v1::LedgerEvent::kStepStarted: {
      const v1::StepStartedEvent& started = event.step_started();
      const std::string& job = started.step().step_id();
      if (in_doubt_.contains(job) && started.step().kind() != "free") {
        Violate(job, "is called again though it may have been paid for");
      }
      if (started.attempt() <= started_[job]) {
        Violate(job, absl::StrCat("begins attempt ", started.attempt(),
                                  " a second time"));
      }
      started_[job] = started.attempt();
      job_by_inputs_hash_[started.inputs_hash()] = job;
      in_doubt_.insert(job);
      return;
    }
    case v1::LedgerEvent::kStepCompleted: {
      const std::string& job = event.step_completed().step().step_id();
      if (!completed_.insert(job).second) Violate(job, "is completed twice");
      if (!accepted_.contains(job)) {
        Violate(job, "is completed before its outputs are there");
      }
      in_doubt_.erase(job);
      return;
    }
    case v1::LedgerEvent::kStepSkipped: {
      const std::string& job = event.step_skipped().step().step_id();
      if (accepted_.contains(job))
        Violate(job, "is skipped though it was made");
      return;
    }
    case v1::LedgerEvent::kStepFailed:
      in_doubt_.erase(event.step_failed().step().step_id());
      return;
    case v1::LedgerEvent::kJob:
      if (event.job().type() == "retrying" &&
          !absl::StrContains(event.job().detail_json(), "\"inDoubt\":true")) {
        in_doubt_.erase(event.job().job_id());
      }
      return;
    default:
      return;
  }
}

void RunTruth::Take(const v1::ArtefactEvent& event) {
  if (event.status() != v1::ARTEFACT_STATUS_SUCCEEDED ||
      event.reused_sequence() > 0) {
    return;
  }
  const std::string& job = event.produced_by().job_id();
  if (!artefacts_.insert(event.artefact_id()).second) {
    Violate(job, absl::StrCat(event.artefact_id(), " is accepted twice"));
  }
  accepted_[job] = event.produced_by().producer().name();
  cost_ += event.cost().micros();
}

void RunTruth::Told(absl::string_view idempotency_key) {
  for (const auto& [hash, job] : job_by_inputs_hash_) {
    if (absl::StrContains(idempotency_key, hash)) in_doubt_.erase(job);
  }
}

void RunTruth::Called(const v1::JobHeader& header) {
  const std::string& job = header.job_id();
  if (completed_.contains(job))
    Violate(job, "is called though it is completed");
  if (accepted_.contains(job)) Violate(job, "is called though it has outputs");
  const auto started = started_.find(job);
  if (started == started_.end() || started->second != header.attempt()) {
    Violate(job, absl::StrCat("attempt ", header.attempt(),
                              " is made before it is in the ledger"));
  }
}

}  // namespace kinora
