// The part of Runner that looks up what the jobs of a step read.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "services/runner/past/run_events.h"
#include "services/runner/past/run_results.h"
#include "services/runner/runner.h"
#include "services/runner/runner_step.h"

namespace kinora {

absl::Status Runner::TellUnresolved(const Step& step) {
  const v1::RunRecord& record = step.record;
  for (const auto& [id, state] : step.states) {
    if (state.status() != "failed") continue;
    v1::Event event = LedgerEventAt(
        {record.movie_id(), record.run_id(), record.target_revision()},
        NowMillis(deps_.clock));
    v1::StepFailedEvent* failed = event.mutable_ledger()->mutable_step_failed();
    failed->mutable_step()->set_step_id(id);
    failed->mutable_step()->set_label(id);
    failed->set_error(state.detail());
    KINORA_RETURN_IF_ERROR(
        AppendLedger(record, step.call->request().lease, std::move(event)));
  }
  return absl::OkStatus();
}

// Values that this run has by now, under the keys they must have.
absl::StatusOr<Runner::InputContents> Runner::InputsOf(
    const PlanParts& parts, const std::string& run_id,
    const PlanParts::Jobs& jobs) {
  KINORA_ASSIGN_OR_RETURN(
      RunState state,
      RunState::Create(parts.Upstream(jobs), RunStateOptions(), deps_.random));
  // Each job is either found or failed here: none is ever to be started.
  for (RunCommands commands = state.NextCommands(); !commands.look_ups.empty();
       commands = state.NextCommands()) {
    std::vector<v1::ArtefactQuery> queries;
    for (JobIndex job : commands.look_ups) {
      for (const v1::PlannedArtefact& artefact : state.job(job).artefacts()) {
        v1::ArtefactQuery& query = queries.emplace_back();
        query.set_artefact_id(artefact.artefact_id());
        query.set_inputs_hash(state.key(job).Hex());
      }
    }
    const std::string& movie_id = parts.plan().movie_id();
    KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> events,
                            FindResults(deps_.store.events, movie_id, queries));
    KINORA_RETURN_IF_ERROR(
        DropLostResults(deps_.store.blobs, movie_id, &events));
    auto event = events.begin();
    for (JobIndex job : commands.look_ups) {
      LookedUp fact{job, {}, false, {}};
      bool found = true;
      for (int i = 0; i < state.job(job).artefacts_size(); ++i, ++event) {
        // The revision takes what the events of its run say.
        found = found && *event != nullptr &&
                (*event)->artefact().produced_by().run_id() == run_id;
        if (found) fact.outputs.push_back((*event)->artefact().output());
      }
      if (!found) {
        fact.outputs.clear();
        fact.past.failure.emplace();
      }
      state.Apply(fact);
    }
  }
  InputContents contents;
  for (const v1::PlannedJob* job : jobs) {
    for (const std::string& id : parts.MadeInputs(*job)) {
      const JobStatus status = state.status(state.MakerOf(id));
      if (status == JobStatus::kSucceeded || status == JobStatus::kReused) {
        contents.emplace(id, state.content(id));
      }
    }
  }
  return contents;
}

}  // namespace kinora
