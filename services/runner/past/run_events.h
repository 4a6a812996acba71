// The events of a run: what a RunActor appends to the logs. Pure functions of
// the state.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_EVENTS_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_EVENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// What all events of a run have in common.
struct RunIdentity {
  std::string movie_id;
  std::string run_id;
  std::string revision;  // the one the run leads to
};

// Artefact events.

// One succeeded event per artefact of the job, in order. The cost is on the
// first one only. REQUIRES: the attempt did not fail.
std::vector<v1::Event> SucceededEvents(const RunIdentity& run,
                                       const RunState& state, JobIndex job,
                                       const AttemptResult& result,
                                       absl::Duration duration);

// One failed event per artefact of the job.
std::vector<v1::Event> FailedEvents(const RunIdentity& run,
                                    const RunState& state, JobIndex job,
                                    const AttemptResult& result,
                                    absl::Duration duration);

// The event with which `run` takes over the output of `original`, a succeeded
// event of the artefact log. It names the event that stands for the work, and
// costs nothing.
v1::Event ReusedEvent(const RunIdentity& run, const v1::Event& original);

// Ledger events, each with the run's id and the time given.

v1::StepIdentity StepOf(const RunState& state, JobIndex job);

// An event of the coordinator with everything but its kind.
v1::Event LedgerEventAt(const RunIdentity& run, int64_t now_ms);

// job.retry: somebody asks that a job is called again without waiting any
// longer, or each that waits if `job_id` is empty.
v1::LedgerEvent RetryRequest(const std::string& job_id);

// Appends one event to the run's ledger.
v1::AppendEventsRequest LedgerAppend(const RunIdentity& run,
                                     const v1::LeaseToken& lease,
                                     v1::Event event);

// What a change of a job is in the ledger: step.completed, step.failed,
// step.skipped or job.retrying, with what the attempt is charged; for all other
// changes an event without a kind, or job.charged if there is a charge.
v1::Event ChangeEvent(const RunIdentity& run, int64_t now_ms,
                      const RunState& state, const JobChange& change,
                      const v1::Cost& charged);

// job.charged: what an attempt cost whose end the ledger does not tell.
v1::Event ChargedEvent(const RunIdentity& run, int64_t now_ms,
                       const std::string& job_id, const v1::Cost& charged);

// run.budget: the cap that holds from now on; without a value none does.
v1::Event BudgetEvent(const RunIdentity& run, int64_t now_ms,
                      const std::optional<v1::Cost>& cap);

// The detail of a job event that tells a cost.
std::string CostDetail(const v1::Cost& cost);

// Counts of the run's jobs. `reused_by_plan` and `clean` jobs are not part of
// the state.
v1::JobCounts CountJobs(const RunState& state, int64_t reused_by_plan,
                        int64_t clean);

// `{"revision","manifestHash","published","jobs":{...}}`: what is current after
// the run, and whether the run published it.
std::string ResultJson(const v1::ManifestPointer& current, bool published,
                       const v1::JobCounts& counts);

// The same for every attempt at the same work. REQUIRES: the job was keyed.
std::string IdempotencyKeyOf(const RunIdentity& run, const RunState& state,
                             JobIndex job);

// What is told to the producer of a job's next attempt. REQUIRES: the job runs.
AttemptRequest MakeAttempt(const RunIdentity& run, const RunState& state,
                           JobIndex job, absl::Time now,
                           absl::Duration timeout);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_EVENTS_H_
