// A RunState is what a run knows of its jobs and what it does next. It is a
// pure function of the plan and of the facts it is told: no I/O, no clock, no
// thread; the only outside thing is the Random that spreads retries.
//
// A job goes through these states:
//
//   pending -> looking up -> ready -> running -> succeeded
//                  |           ^        |  |
//                  |           |        |  +---> failed
//                  v           +- retrying / in doubt / asking
//                reused
//
// and from every one that is not final to cancelled; a pending one whose
// upstream failed is blocked. A job is keyed when all it reads is known: its
// inputs hash is computed from the real content hashes, and a lookup by that
// key decides whether it is called at all. So a job behind an upstream that
// made the same bytes again is reused (early cutoff), and a job whose result
// exists is never called twice.
//
// The caller's loop:
//
//   changes = state.Apply(fact);            // what became of which jobs
//   while (commands = state.NextCommands()) // look these up, start those
//
// A plan may hold deferred groups: jobs that are not known before an artefact
// has landed that decides about them. Then landed_deciders() is not empty, the
// caller has the planner expand the plan and hands the answer to Extend(); what
// it brings is part of the run from then on. The run is not finished before.
//
// Promises: every job ends in exactly one final state; no job starts before
// all it depends on has succeeded; limits on concurrency hold at any time; a
// fact that comes too late or twice changes nothing.

#ifndef KINORA_SERVICES_RUNNER_STATE_RUN_STATE_H_
#define KINORA_SERVICES_RUNNER_STATE_RUN_STATE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "common/job_durations.h"
#include "common/random.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/runner/calls/retry_policy.h"
#include "services/runner/state/dispatch_queue.h"
#include "services/runner/state/run_facts.h"

namespace kinora {

struct RunStateOptions {
  bool layered = false;  // a layer starts when the layer before it is done
  uint32_t max_concurrency = 64;
  // By producer name; the defaults hold for one that is missing.
  std::map<std::string, ProducerLimits> producers;
  RetryPolicy retry;
};

// Not thread-safe.
class RunState {
 public:
  // INVALID_ARGUMENT naming job and element if the plan does not hold together
  // (an unknown node or source, a dependency in the same or a later layer, an
  // id made twice, a key that is not that of its parts). `random` MUST outlive
  // the state.
  static absl::StatusOr<RunState> Create(std::shared_ptr<const v1::Plan> plan,
                                         const RunStateOptions& options,
                                         Random& random);

  RunState(RunState&&) = default;
  RunState& operator=(RunState&&) = default;

  std::vector<JobChange> Apply(RunFact fact);

  // What is told of a job that is done.
  struct ToldEnd {
    JobStatus status = JobStatus::kSucceeded;  // or kReused
    size_t order = 0;  // among the ends of all jobs, from 1
  };

  // Jobs that are done, and all that they read is.
  struct DoneJobs {
    struct Job {
      JobIndex index = 0;
      JobStatus status = JobStatus::kSucceeded;  // or kReused
    };
    std::vector<Job> jobs;
    std::vector<JobIndex> read;  // of these: what they made is read by others
  };

  // `told` says what is known of a job: that it succeeded, that its result is
  // an earlier one, or nothing. None are found while something is deferred, and
  // none that ended before something they read, which was made anew since.
  DoneJobs FindDone(
      absl::FunctionRef<std::optional<ToldEnd>(const std::string& job_id)> told)
      const;
  // Takes the jobs as done, without a change to tell. `results` are what those
  // of `read` made, each in the order of the job's artefacts; of all others the
  // results stay unseen. REQUIRES: no command was given yet.
  void TakeDone(const DoneJobs& done,
                std::vector<std::vector<v1::Content>> results);
  // Jobs that were taken as done unseen.
  size_t unseen_results() const { return unseen_results_; }

  // Commands that were not given before: lookups if there are any, else
  // doubts and those starts that `gate` lets pass. Empty once cancelled.
  RunCommands NextCommands(StartGate gate);
  RunCommands NextCommands() {
    return NextCommands([](JobIndex) { return true; });
  }

  // The job is ready again, as if it had not been among the starts: its attempt
  // was not made, and nobody has heard of it. REQUIRES: it is running.
  void TakeBackStart(JobIndex index);

  // What Extend() brought.
  struct Extension {
    // Jobs whose results come from the log; they are none of the state's.
    std::vector<const v1::ReusedJob*> reused;
    std::vector<JobChange> changes;
    size_t jobs = 0;                         // further jobs of the state
    std::map<std::string, int64_t> by_node;  // these and the reused ones
  };

  // Takes up what a plan has beyond its jobs so far; jobs and values that are
  // known already are passed over. `asked` are the deciding artefacts that had
  // landed when the expansion was asked for; it may know none that came later.
  // Errors as of Create(); INTERNAL if one of `asked` is still waited for.
  absl::StatusOr<Extension> Extend(
      std::shared_ptr<const v1::ExpandDeferredGroupResponse> expansion,
      absl::Span<const std::string> asked);

  // What calls of producers took before this run, by producer. That, and later
  // what the run sees itself, decides which of the jobs that are ready comes
  // first. A producer of which nothing is known counts as the median of the
  // others; while there are none, all jobs count the same. Costs as much as
  // there are jobs.
  void Recall(const std::map<std::string, absl::Duration>& recorded);

  // True if durations decide anything: there is more than one producer.
  bool is_weighable() const { return producers_.size() > 1; }

  // The deciding artefacts that have landed and were not expanded yet, sorted;
  // none once cancelled.
  std::vector<std::string> landed_deciders() const;

  // What is still deferred. Of a run that is finished, it never comes.
  const std::vector<v1::DeferredGroup>& deferred() const { return deferred_; }

  // The failed job because of which a deferred group never comes; null if there
  // is none.
  const JobChange* FailureBehind(const v1::DeferredGroup& group) const;

  // The job that makes an artefact; -1 if none does.
  JobIndex MakerOf(absl::string_view artefact_id) const;

  // True when every job is in a final state and nothing waits for Extend().
  bool finished() const {
    return final_ == jobs_.size() && (cancelled_ || landed_.empty());
  }
  bool cancelled() const { return cancelled_; }
  // True if some job failed.
  bool failed() const { return count(JobStatus::kFailed) > 0; }

  size_t job_count() const { return jobs_.size(); }
  size_t count(JobStatus status) const {
    return counts_[static_cast<size_t>(status)];
  }
  const v1::PlannedJob& job(JobIndex index) const { return *Entry(index).job; }
  const v1::PlannedNode& node(JobIndex index) const {
    return *Entry(index).node;
  }
  JobStatus status(JobIndex index) const { return Entry(index).status; }
  // Attempts started, the running one included, and those of processes before.
  uint32_t attempts(JobIndex index) const { return Entry(index).attempts; }
  // True if nobody knows what became of its last attempt.
  bool in_doubt(JobIndex index) const { return Entry(index).in_doubt; }
  // What it may take in all, its attempts and the waits between them; infinite
  // for no limit.
  absl::Duration job_timeout(JobIndex index) const {
    return queue_.JobTimeout(*Entry(index).node, Entry(index).lane);
  }
  // The inputs hash. REQUIRES: the job was keyed.
  const Digest& key(JobIndex index) const { return Entry(index).key; }

  // The value of an input or artefact. REQUIRES: a source of a keyed job.
  const v1::Content& content(absl::string_view source_id) const;

  // What the job's key is made of, sorted by slot. REQUIRES: it was keyed.
  std::vector<v1::Dependency> Dependencies(JobIndex index) const;

  // The first job that failed for good, for the run's error. REQUIRES:
  // failed().
  const JobChange& first_failure() const { return first_failure_; }

 private:
  // An input or artefact.
  struct Source {
    v1::Content content;
    Digest hash;
    bool known = false;
    JobIndex maker = -1;
  };
  struct Job {
    const v1::PlannedJob* job = nullptr;
    const v1::PlannedNode* node = nullptr;
    size_t layer = 0;
    DispatchQueue::LaneId lane = 0;
    size_t missing = 0;  // upstream jobs that have no result yet
    std::vector<JobIndex> dependants;
    // Microseconds on the longest way down, itself included.
    int64_t remaining_path = 0;
    JobIndex blocked_by = -1;  // the failed job
    JobStatus status = JobStatus::kPending;
    uint32_t attempts = 0;
    uint32_t failures = 0;  // of the attempts
    bool in_doubt = false;  // the last attempt
    bool is_known = false;  // the last attempt was lost, but not its work
    Digest key;
  };

  RunState(std::shared_ptr<const v1::Plan> plan, const RunStateOptions& options,
           Random& random);

  // run_state_plan.cc; AddPart() does the same for a plan and what it is
  // extended by.
  template <typename PlanPart>
  absl::Status AddPart(const PlanPart& part);
  absl::Status AddReused(const v1::ReusedJob& job);
  absl::Status AddSource(const std::string& id, const v1::Content& content);
  absl::Status AddLayers(
      const google::protobuf::RepeatedPtrField<v1::PlanLayer>& layers);
  absl::Status AddJob(const v1::PlannedJob& job, size_t layer);
  absl::Status Connect(JobIndex index);
  absl::Status CheckKey(JobIndex index) const;
  Digest KeyOf(const Job& job) const;
  Digest HashOf(absl::string_view source_id) const;
  // run_state_paths.cc
  void MeasurePaths();
  void Learn(const AttemptSucceeded& fact);
  // run_state_growth.cc
  void WaitForDeciders(
      const google::protobuf::RepeatedPtrField<v1::DeferredGroup>& groups);
  void BlockIfHopeless(JobIndex index);
  void LearnKnownJobs();

  const Job& Entry(JobIndex index) const {
    return jobs_[static_cast<size_t>(index)];
  }
  Job& Entry(JobIndex index) { return jobs_[static_cast<size_t>(index)]; }

  void Handle(LookedUp fact);
  void Handle(AttemptSucceeded fact);
  void Handle(const AttemptFailed& fact);
  void Handle(const AttemptAsks& fact);
  void Handle(const AnswerGiven& fact);
  void Handle(const AnswerMissing& fact);
  void Handle(const RetryDue& fact);
  void Handle(const DoubtResolved& fact);
  void Handle(const CancelRequested& fact);

  void SetStatus(JobIndex index, JobStatus status);
  void Fail(JobIndex index, const v1::Failure& failure);
  void FailByTimeout(JobIndex index, const v1::Failure& last, bool early);
  void Land(JobIndex index, std::vector<v1::Content> outputs);
  // Both parts of that: what it made, and who waits for it.
  void Know(JobIndex index, std::vector<v1::Content> outputs);
  void LetDependantsGoOn(JobIndex index);
  void Block(JobIndex failed, const v1::Failure& root);
  void BlockAll(std::vector<JobIndex> stack, JobIndex failed,
                const v1::Failure& root);
  void MakeKeyed(JobIndex index);
  void MakeReady(JobIndex index);
  DispatchQueue::Turn TurnOf(JobIndex index) const;
  // Ready, or first in doubt.
  void Proceed(JobIndex index);
  void OpenLayers();

  std::shared_ptr<const v1::Plan> plan_;
  RunStateOptions options_;
  Random* random_;

  absl::flat_hash_map<std::string, Source> sources_;
  absl::flat_hash_map<std::string, const v1::PlannedNode*> nodes_;
  std::vector<Job> jobs_;
  DispatchQueue queue_;

  JobDurations durations_;
  absl::flat_hash_set<std::string> producers_;  // of nodes_
  size_t calls_seen_ = 0;
  size_t calls_measured_ = 0;  // of these, when paths were last measured

  std::vector<size_t> first_of_layer_;  // and one more: the number of jobs
  std::vector<size_t> unfinished_in_layer_;
  size_t open_layers_ = 0;  // layers whose jobs may be keyed

  std::vector<JobIndex> look_ups_;  // not given out yet
  std::vector<JobIndex> doubts_;    // not given out yet
  size_t final_ = 0;
  size_t unseen_results_ = 0;
  std::vector<size_t> counts_;
  bool cancelled_ = false;
  std::vector<JobChange> changes_;  // of the Apply() under way
  JobChange first_failure_;

  std::vector<std::shared_ptr<const v1::ExpandDeferredGroupResponse>>
      expansions_;  // jobs_ points into them
  std::vector<v1::DeferredGroup> deferred_;
  absl::flat_hash_set<std::string> deciders_;  // ids, of deferred_
  std::set<std::string> landed_;               // of these
  // Ids of all jobs, once there was an expansion.
  absl::flat_hash_set<std::string> known_jobs_;
  std::map<JobIndex, JobChange> failures_;
};

// The hash of a content, whichever form it has. INVALID_ARGUMENT if it has
// none or a malformed one.
absl::StatusOr<Digest> DigestOf(const v1::Content& content);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_RUN_STATE_H_
