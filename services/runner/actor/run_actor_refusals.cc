// The part of RunActor that takes it when the store refuses a result: the
// attempt has failed then, not the run.

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/runner/actor/run_actor.h"

namespace kinora {
namespace {

// True for an error that is about what an event says of its artefact, and not
// about the append.
bool IsRefusal(const absl::Status& status) {
  const auto field = status.GetPayload(kFieldPayload);
  return absl::IsInvalidArgument(status) && field.has_value() &&
         absl::StrContains(std::string(*field), "].artefact.");
}

// True for events that one attempt of a job made together.
bool AreOfOneJob(const v1::Event& a, const v1::Event& b) {
  return (a.artefact().reused_sequence() == 0) ==
             (b.artefact().reused_sequence() == 0) &&
         a.artefact().produced_by().job_id() ==
             b.artefact().produced_by().job_id();
}

}  // namespace

// What is refused the next pass appends job by job.
absl::Status RunActor::NoteArrivals(const std::vector<AttemptEnded*>& arrivals,
                                    const absl::Status& appended) {
  if (arrivals.empty()) return absl::OkStatus();
  if (!appended.ok() && !IsRefusal(appended)) {
    return Annotate(appended, "append to the artefact log");
  }
  for (AttemptEnded* ended : arrivals) {
    ended->outputs = appended.ok() ? AttemptEnded::Outputs::kDurable
                                   : AttemptEnded::Outputs::kRefused;
  }
  return absl::OkStatus();
}

// Usually all at once. Who is to blame if that is refused only appends of one
// job each can tell.
absl::Status RunActor::FlushArtefacts() {
  const absl::Status all = Append(v1::LOG_KIND_ARTEFACTS, &artefact_events_);
  if (!IsRefusal(all)) return all;
  auto next = artefact_events_.begin();
  while (next != artefact_events_.end()) {
    const auto end = std::find_if(
        next, artefact_events_.end(),
        [next](const v1::Event& event) { return !AreOfOneJob(*next, event); });
    std::vector<v1::Event> events(std::make_move_iterator(next),
                                  std::make_move_iterator(end));
    KINORA_RETURN_IF_ERROR(AppendOfJob(&events));
    next = end;
  }
  artefact_events_.clear();
  return absl::OkStatus();
}

absl::Status RunActor::AppendOfJob(std::vector<v1::Event>* events) {
  const absl::Status appended = Append(v1::LOG_KIND_ARTEFACTS, events);
  if (!IsRefusal(appended) || !TakeRefusal(appended, events)) return appended;
  return Append(v1::LOG_KIND_ARTEFACTS, events);
}

// Makes of a job's success, which is not told yet, a failure; false if there is
// none among the facts. What the attempt has cost stays: it was paid for.
bool RunActor::TakeRefusal(const absl::Status& refused,
                           std::vector<v1::Event>* events) {
  const v1::ArtefactEvent& first = events->front().artefact();
  if (first.status() != v1::ARTEFACT_STATUS_SUCCEEDED ||
      first.reused_sequence() != 0) {
    return false;
  }
  const auto fact = std::find_if(
      facts_.begin(), facts_.end(), [this, &first](const RunFact& candidate) {
        const auto* success = std::get_if<AttemptSucceeded>(&candidate);
        return success != nullptr && state_.job(success->job).job_id() ==
                                         first.produced_by().job_id();
      });
  if (fact == facts_.end()) return false;
  v1::Failure failure;
  failure.set_reason(v1::FAILURE_REASON_OUTPUT_INVALID);
  failure.set_message(
      absl::StrCat("the store refuses the output: ", refused.message()));
  for (v1::Event& event : *events) {
    v1::ArtefactEvent& artefact = *event.mutable_artefact();
    artefact.set_status(v1::ARTEFACT_STATUS_FAILED);
    artefact.clear_output();
    artefact.clear_readable_path();
    artefact.clear_diagnostics_json();
    *artefact.mutable_failure() = failure;
  }
  AttemptFailed failed;
  failed.job = std::get<AttemptSucceeded>(*fact).job;
  failed.failure = std::move(failure);
  *fact = std::move(failed);
  return true;
}

}  // namespace kinora
