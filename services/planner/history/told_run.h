// A ToldRun is one run as a RunDiff looks at it: its record, its plan, and what
// its ledger and the events of its artefacts say became of each job. Pure: the
// caller hands it both logs.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_TOLD_RUN_H_
#define KINORA_SERVICES_PLANNER_HISTORY_TOLD_RUN_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/planner/history/revision_state.h"

namespace kinora {

// Not thread-safe while it is told. Memory: the jobs, and one event of each
// without its value.
class ToldRun {
 public:
  struct Job {
    std::string node;
    std::string outcome;
    uint32_t attempts = 0;
    std::string inputs_hash;
    std::string error;
    std::map<std::string, int64_t> micros;  // by currency
    absl::Duration duration;
    std::map<std::string, std::string> outputs;  // hashes, by artefact
    // Of its latest attempt, the components of its key; no job_id if none is
    // known.
    v1::ArtefactEvent key;
    uint32_t counted_attempt = 0;  // in duration
  };

  ToldRun(v1::RunRecord record, v1::Plan plan);

  // The next event of its ledger.
  void AddLedger(const v1::LedgerEvent& event);
  // The next event of the artefact log; those of other runs are left out.
  void AddArtefact(const v1::ArtefactEvent& event);

  const v1::RunRecord& record() const { return record_; }
  const v1::Plan& plan() const { return plan_; }
  const std::map<std::string, Job>& jobs() const { return jobs_; }
  // Null if the plan does not say.
  const v1::PlannedNode* FindNode(absl::string_view name) const;
  // What the plan says of its nodes, as KeyChanges() asks a revision for it.
  const RevisionState& nodes() const { return nodes_; }

 private:
  const v1::RunRecord record_;
  v1::Plan plan_;  // without its jobs
  RevisionState nodes_;
  std::map<std::string, Job> jobs_;
};

v1::JobInRun Describe(const ToldRun::Job& job);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_TOLD_RUN_H_
