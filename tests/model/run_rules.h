// RunRules say what a RunState must do. They are told everything that is done
// with one and hold each answer against the rules of its header. They share no
// code with it and keep it simple: where RunState counts and queues, they look
// at all jobs again.
//
// The rules, by what breaks them:
//   - a job's key is not the hash of what it really reads;
//   - a job is looked up before all it reads has a result, or its layer is open
//     (in layered mode: every job of the layers before is final), or is not
//     looked up then;
//   - a start without a free place in run, producer and node, or while one of a
//     higher priority, or of the same with a longer way down, could take it; a
//     free place is left empty, though the gate refused nobody who waits there;
//   - a job fails more often than it may, waits longer than the policy says, is
//     called though its last attempt is in doubt;
//   - a job that waits for an answer holds a place, has failed, or is called
//     before;
//   - a job is blocked though nothing upstream failed, or the other way round;
//   - a fact that nobody waits for changes something; anything is looked up,
//     asked or started once the run is cancelled;
//   - the run is finished too early, or not when nothing can happen any more.

#ifndef KINORA_TESTS_MODEL_RUN_RULES_H_
#define KINORA_TESTS_MODEL_RUN_RULES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/digest.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/runner/state/run_state.h"
#include "tests/model/random_plan.h"

namespace kinora {

// Errors say which rule is broken, by which job.
class RunRules {
 public:
  // Both MUST outlive this.
  RunRules(const RandomPlan& plan, const RunState& state)
      : plan_(plan), state_(state) {}

  absl::Status Created(const v1::Plan& plan);
  absl::Status Applied(const RunFact& fact,
                       const std::vector<JobChange>& changes);
  // `refused` are the jobs that the gate did not let pass.
  absl::Status Commanded(const RunCommands& commands,
                         const std::set<JobIndex>& refused);
  absl::Status Extended(const v1::ExpandDeferredGroupResponse& answer,
                        const RunState::Extension& extension);
  // What calls of all producers took; without it they all take the same.
  void Recalled(std::map<std::string, absl::Duration> recorded);
  // Nothing is under way any more, and nothing is left to command.
  absl::Status Ended() const;

  // How often a job may fail.
  uint32_t MaxAttempts(JobIndex job) const {
    return MaxAttempts(jobs_[static_cast<size_t>(job)]);
  }

  // False while RunState has not even asked for what the fact answers.
  bool MayBeTold(const RunFact& fact) const;

 private:
  struct Job {
    const RandomPlan::Job* planned = nullptr;
    size_t layer = 0;
    std::vector<JobIndex> upstream;    // those of the state
    std::vector<JobIndex> downstream;  // likewise
    std::set<JobIndex> ancestors;      // all of upstream
    absl::Duration way_down;
    JobStatus status = JobStatus::kPending;
    bool asked = false;  // its lookup or doubt was commanded
    uint32_t attempts = 0;
    uint32_t failures = 0;
    bool in_doubt = false;
    bool is_known = false;  // to its producer, which has told when asked
    Digest key;
  };

  static Digest HashOf(const v1::Content& content);
  const v1::PlannedNode& NodeOf(const Job& job) const;
  ProducerLimits LimitsOf(const Job& job) const;
  uint32_t MaxAttempts(const Job& job) const;
  Digest KeyOf(const Job& job) const;

  template <typename PlanPart>
  void Add(const PlanPart& part);
  void MeasureWays();

  // run_rules_facts.cc
  // Whether a job that has used so much time may take no more.
  bool IsOver(const Job& job, absl::Duration used) const;
  void FailByTimeout(Job* job);
  void Take(const LookedUp& fact);
  void Take(const AttemptSucceeded& fact);
  void Take(const AttemptFailed& fact);
  void Take(const AttemptAsks& fact);
  void Take(const AnswerGiven& fact);
  void Take(const AnswerMissing& fact);
  void Take(const RetryDue& fact);
  void Take(const DoubtResolved& fact);
  void Take(const CancelRequested& fact);
  void Finish(JobIndex index, const std::vector<v1::Content>& outputs);
  void GoOn(JobIndex index);

  // What follows for others: who is blocked, who is to be looked up.
  void Settle();
  bool LayerIsOpen(size_t layer) const;

  bool HasPlace(const Job& job) const;
  // Whether it waits behind one of them, or is one.
  bool IsHeldBack(const Job& job, const std::set<JobIndex>& refused) const;
  absl::Status CheckStart(JobIndex index,
                          const std::set<JobIndex>& refused) const;
  absl::Status CheckChange(const JobChange& change) const;
  absl::Status CheckChanges(const std::vector<JobStatus>& before,
                            const std::vector<JobChange>& changes) const;
  absl::Status CheckState() const;
  std::vector<JobStatus> Statuses() const;
  std::vector<std::string> Landed() const;
  absl::Status Broken(JobIndex job, const std::string& what) const;

  const RandomPlan& plan_;
  const RunState& state_;
  std::vector<Job> jobs_;
  std::map<std::string, absl::Duration> recorded_;  // by producer
  size_t layers_ = 0;
  std::map<std::string, Digest> values_;  // what has landed
  std::map<std::string, JobIndex> maker_;
  std::set<std::string> deciders_;  // what is waited for
  std::optional<JobIndex> first_failed_;
  bool cancelled_ = false;
  v1::Failure told_;  // by the fact of this step
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_RUN_RULES_H_
