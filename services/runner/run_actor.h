// A RunActor carries out one run: it turns what happens into events in the
// logs, and acts only once they are durable.
//
// It works in batches. What happened meanwhile (attempts that ended, progress,
// log lines, timers) is in an inbox; one pass takes all of it and then
//
//   1. appends the artefact events of all attempts that ended (blobs are
//      durable already), in one call;
//   2. lets the RunState decide; looks up the keys of jobs that became ready,
//      appends what is reused, and again, until nothing is left to look up;
//   3. appends all ledger events, in one call;
//   4. starts the next attempts.
//
// Where an artefact has landed that decides about deferred jobs of the plan, it
// has the planner expand the plan, while it goes on with what it has, and takes
// the answer up like anything else that happened.
//
// So the order of each job is: blobs, artefact events, step.completed, start
// of what depends on it; and the cost of durability is shared by all jobs that
// ended while the batch before was being written.

#ifndef KINORA_SERVICES_RUNNER_RUN_ACTOR_H_
#define KINORA_SERVICES_RUNNER_RUN_ACTOR_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"
#include "common/strand.h"
#include "common/task_slots.h"
#include "common/trace_context.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/planner/planner.h"
#include "services/runner/attempt_calls.h"
#include "services/runner/call_places.h"
#include "services/runner/job_time.h"
#include "services/runner/lease_keeper.h"
#include "services/runner/ledger_watch.h"
#include "services/runner/log_intake.h"
#include "services/runner/open_calls.h"
#include "services/runner/producer_caller.h"
#include "services/runner/producer_table.h"
#include "services/runner/run_budget.h"
#include "services/runner/run_events.h"
#include "services/runner/run_listener.h"
#include "services/runner/run_past.h"
#include "services/runner/run_pauses.h"
#include "services/runner/run_questions.h"
#include "services/runner/run_state.h"
#include "services/runner/runner_metrics.h"
#include "services/store/store.h"

namespace kinora {

// The reason of run.waiting of a run that its budget keeps from going on.
inline constexpr absl::string_view kBudget = "budget";

// Progress of a job is written at most this often.
inline constexpr absl::Duration kProgressPeriod = absl::Milliseconds(250);
// Longer heartbeat details are not written, but handed on by this process only.
inline constexpr size_t kMaxHeartbeatDetailsBytes = 4096;

// A planner that restarts has answered by then; if it has not, the run says
// that it waits for it.
inline constexpr uint32_t kPatientExpansions = 7;

// What a run works with. All MUST outlive the actor.
struct RunActorDeps {
  Store store;
  ProducerCaller& producers;
  const ProducerConfigs& configs;
  Executor& executor;
  Clock& clock;
  Planner& planner;
  std::shared_ptr<CallPlaces> places;  // shared by all runs of the process
  RunnerMetrics* metrics = nullptr;    // null for none
  RunListener* listener = nullptr;     // null for none
  // For what must happen in time, and never blocks; null for `executor`.
  Executor* watchdog = nullptr;
  Executor* renewals = nullptr;       // the same, as of RunnerDeps
  absl::Duration durations_patience;  // as of RunnerOptions
  // Of the process: its runs ask for durations one after another, so that a
  // planner which hangs takes one thread of the executor and no more.
  std::shared_ptr<Strand> recalls;
  // The same for plans that are to be expanded.
  std::shared_ptr<TaskSlots> expansions;
};

// Thread-safe. Blocking calls of the store happen on the executor.
class RunActor : public std::enable_shared_from_this<RunActor> {
 public:
  // `record` and the ledger's run.created are durable already, and `lease` is
  // held. `past` is what a run that is adopted has come to; empty for one that
  // begins. `budget` is what the run may cost and has cost, with the caps and
  // prices that hold for it. `on_ended` is called once, when the actor will do
  // nothing more: on the executor, after the lease was given up.
  static std::shared_ptr<RunActor> Create(
      const RunActorDeps& deps, v1::RunRecord record,
      std::shared_ptr<const v1::Plan> plan, RunState state,
      std::optional<RunPast> past, RunBudget budget,
      const v1::LeaseToken& lease, absl::Duration lease_ttl,
      absl::AnyInvocable<void()> on_ended);

  // What became of each job of a step, in the order of the state.
  using StepEnded =
      absl::AnyInvocable<void(absl::StatusOr<std::vector<v1::JobState>>)>;
  // Jobs that the ledger says are done, while others of the step go on.
  using StepDone = absl::AnyInvocable<void(const std::set<std::string>&)>;

  // One that carries out a step of a run whose caller has the lease: jobs of
  // one layer, as a plan of their own. It goes on with the ledger as it is,
  // beside others; it renews no lease, commits nothing and does not end the
  // run. `call` is new for every step; `claim` keeps other runners from its
  // jobs, see JobClaims. `on_done` MUST NOT block. `on_ended` gets an error if
  // the step could not be carried out, UNAVAILABLE after Stop() or LoseLease();
  // called as Create() says.
  static std::shared_ptr<RunActor> CreateStep(
      const RunActorDeps& deps, v1::RunRecord record,
      std::shared_ptr<const v1::Plan> part, RunState state, RunPast past,
      const v1::LeaseToken& lease, std::string call,
      std::shared_ptr<LeaseKeeper> claim, StepDone on_done, StepEnded on_ended);

  // Begins to work. Call it once.
  void Start();

  // Cancels the run: it ends as cancelled, for `reason`. When this returns OK
  // that is durable, whatever becomes of this process. Blocks on the store.
  absl::Status Cancel(const std::string& reason);

  // Of a step: cancels its attempts. Jobs that have not ended failed for `why`.
  void CancelStep(const v1::Failure& why);

  // Cuts short the wait before the next attempt of a job, or of all jobs if
  // `job_id` is empty, and has those called again that are in doubt. Returns
  // the ids of these jobs, which may have gone on by themselves meanwhile.
  std::vector<std::string> Retry(const std::string& job_id);

  // Looks into the ledger for what was asked of the run: pauses and their ends,
  // and cancellations, whoever wrote them there. Does so by itself now and
  // then, and where its own events do not follow each other.
  void Heed();
  // Questions that wait for an answer, the oldest first.
  std::vector<RunQuestion> PendingQuestions();

  // What the run itself asks.
  BudgetQuestion budget_question();

  // Records the answer to one of a job, which then reaches its job. Errors of
  // RunQuestions::Accept(), UNAVAILABLE if the run is no longer carried out
  // here; else of the store, and nobody knows whether it was recorded: answer
  // again. Blocks on the store.
  absl::Status Answer(const std::string& job_id, const v1::Answer& answer);

  // Sets what the run may cost; without a value there is no cap. When this
  // returns OK that is durable, and a run that waited for it goes on if it may.
  // FAILED_PRECONDITION as of RunBudget::SetCap(); QUESTION_NOT_FOUND if the
  // run does not ask `answers`, the prompt of a BudgetQuestion, any more; empty
  // for whatever it asks. Blocks on the store.
  absl::StatusOr<v1::SetRunBudgetResponse> SetBudget(
      const std::optional<v1::Cost>& cap, const std::string& answers);

  // For the runner's own end: starts nothing further, lets attempts end (or,
  // with `now`, cancels them), gives up the lease, and writes no terminal
  // event: the run is interrupted, not over. May be called again with `now`.
  void Stop(bool now);

  // The lease is lost, or may be: attempts are cancelled now, also while the
  // store keeps the run waiting; it is given up as soon as that has ended. Does
  // not block.
  void LoseLease();

  // True once the run's terminal event may be seen: on_ended follows soon, and
  // nothing can be asked of the run any more (UNAVAILABLE).
  bool closing() const { return closing_.load(); }

  const std::string& movie_id() const { return identity_.movie_id; }
  const std::string& run_id() const { return identity_.run_id; }

 private:
  class Observer;

  // What is put into the inbox.
  struct Begun {};
  struct AttemptEnded {
    JobIndex job = 0;
    uint32_t attempt = 0;
    AttemptResult result;
    bool counts = true;    // against max_attempts, if it failed
    int64_t at_nanos = 0;  // when
  };
  struct ProgressMade {
    JobIndex job = 0;
    uint32_t attempt = 0;
    v1::Progress progress;
  };
  // The period is over in which progress came too often.
  struct ProgressDue {
    JobIndex job = 0;
    uint32_t attempt = 0;
  };
  struct LinesLogged {
    JobIndex job = 0;
    uint32_t attempt = 0;
    v1::LogLines lines;
  };
  struct QuestionAsked {
    JobIndex job = 0;
    uint32_t attempt = 0;
    v1::Question question;
    bool takes_answer = false;
  };
  // All answers the job has got so far.
  struct QuestionAnswered {
    std::string job_id;
    std::vector<v1::Answer> answers;
  };
  struct RetryTimer {
    JobIndex job = 0;
    uint32_t attempt = 0;  // the one that failed
  };
  struct CancelCall {
    std::string reason;
  };
  struct StopCall {
    bool now = false;
  };
  // The planner's answer.
  struct Expanded {
    std::vector<std::string> landed;
    absl::StatusOr<v1::ExpandDeferredGroupResponse> answer;
  };
  // What calls took before this run, by producer; empty if nobody can tell.
  struct DurationsRecalled {
    std::map<std::string, absl::Duration> medians;
  };
  // The run has waited for them long enough.
  struct DurationsLate {};
  struct DoubtLookedUp {
    JobIndex job = 0;
    uint32_t attempt = 0;
    absl::StatusOr<FoundWork> found;
    bool is_paid = false;
  };
  struct RetryCall {
    std::vector<JobIndex> jobs;
  };
  struct HeedCall {};
  struct BudgetSet {};
  struct MovieCapRead {};
  // Calls that were refused may be made now.
  struct PlaceFree {};
  struct LeaseLost {};
  struct StepCancel {
    v1::Failure why;
  };
  using Message =
      std::variant<Begun, AttemptEnded, ProgressMade, ProgressDue, LinesLogged,
                   RetryTimer, CancelCall, StopCall, Expanded, DoubtLookedUp,
                   RetryCall, HeedCall, BudgetSet, MovieCapRead, PlaceFree,
                   LeaseLost, StepCancel, QuestionAsked, QuestionAnswered,
                   DurationsRecalled, DurationsLate>;

  // What the actor keeps of a running job.
  struct Running {
    uint32_t attempt = 0;
    int64_t started_nanos = 0;
    int64_t progress_nanos = 0;  // when progress was written; 0 for never
    // With heartbeat details, but too soon after the last to be written.
    std::optional<v1::Progress> late_progress;
    bool progress_timed = false;  // ProgressDue follows
    std::shared_ptr<Attempt> call;
    std::set<std::string> given;  // questions whose answers it began with
    std::set<std::string> asks;   // questions that have no answer yet
    bool takes_answers = false;   // and may wait for these
  };

  struct Doubt {
    absl::Duration delay;  // before the producer was asked last
    std::string told;      // why, as the ledger has it
  };

  // What a step has beyond a run.
  struct Step {
    std::string call;
    std::shared_ptr<LeaseKeeper> claim;
    StepDone on_done;
    StepEnded on_ended;
    std::set<std::string> done;  // and on_done has not heard of it
    v1::Failure cancelled;
    std::map<JobIndex, v1::Failure> failures;
  };

  RunActor(const RunActorDeps& deps, v1::RunRecord record,
           std::shared_ptr<const v1::Plan> plan, RunState state,
           std::optional<RunPast> past, RunBudget budget,
           absl::AnyInvocable<void()> on_ended);

  void Post(Message message);

  // All below run on the strand.
  void Process();
  absl::Status Work(std::vector<Message> messages);
  void Take(const Begun&);
  void GoOn();
  void Take(const RetryTimer& timer);
  void Take(const CancelCall& call);
  void Take(const StopCall& call);
  void Take(Expanded& expanded);
  void Take(const DoubtLookedUp& answer);
  void Take(const RetryCall& call);
  void Take(const HeedCall&) {}  // done before all others
  void Take(const BudgetSet&);
  void Take(const PlaceFree&) {}
  void Take(const MovieCapRead&);
  void Take(const LeaseLost&);
  void Take(const QuestionAsked& asked);
  void Take(const QuestionAnswered& answered);

  // run_actor_attempts.cc
  void StartAttempt(JobIndex job);
  void CancelAttempts();
  void Take(AttemptEnded& ended);
  void Take(LinesLogged& logged);

  // run_actor_deadlines.cc
  JobTime* TimeOf(JobIndex job);
  void RecallTime(JobIndex job, PastJob* past);
  absl::Duration RunTime(JobIndex job);
  void WaitTime(JobIndex job, absl::Duration delay);
  absl::Duration StopTime(JobIndex job, int64_t at_nanos);

  // run_actor_progress.cc
  void Take(ProgressMade& made);
  void Take(const ProgressDue& due);
  void TellProgress(JobIndex job, const v1::Progress& made, Running* attempt);
  void TellLateProgress(JobIndex job, Running* attempt);
  std::string HeartbeatDetailsFor(JobIndex job) const;

  // run_actor_step.cc
  void Take(const StepCancel& cancel);
  void BeginStep();
  void NoteForStep(const JobChange& change);
  void TellStepDone();
  absl::Status FinishStep();
  void EndStep(const absl::Status& status);
  v1::JobState StepStateOf(JobIndex job) const;

  // run_actor_doubts.cc
  void AskWhatBecameOf(JobIndex job, absl::Duration delay);
  void Resolve(JobIndex job, absl::string_view why);
  void TellDoubt(JobIndex job, const std::string& message);

  // run_actor_requests.cc
  void WatchLedger();
  void HeedRequests();
  void HeedRequest(const v1::Event& event);
  void FollowWhileWaiting();
  void RecordStatus();
  // run_actor_questions.cc; all but Learn() run on the strand.
  absl::Status FlushQuestions();
  std::optional<v1::Question> FindQuestion(const std::string& job_id,
                                           const std::string& question_id);
  std::optional<v1::Answer> AnswerTo(const std::string& job_id,
                                     const std::string& question_id);
  void GiveAnswers(JobIndex job, v1::JobHeader* header, Running* running);
  bool TakeAsking(JobIndex job, const Running& attempt, AttemptResult* result);
  void GoOnWith(JobIndex job, const std::string& question_id);
  void RecallAsking(JobIndex job, PastJob* past);
  size_t AttemptsThatAsk() const;
  void Learn(const v1::LedgerEvent& answered);

  // run_actor_waits.cc
  bool MayStart(JobIndex job);
  std::string WaitReason() const;
  void TellWaiting();
  void KeepWaits();

  // run_actor_places.cc
  void TakeSeat();
  void LeaveAlone();
  const ProducerConfig& ConfigOf(JobIndex job) const;
  bool TakePlace(JobIndex job);
  void SettlePlaces();

  // run_actor_budget.cc
  bool MayAfford(JobIndex job);
  bool MayCost(JobIndex job);
  v1::JobEvent OverBudget() const;
  void AskForBudget(const v1::JobEvent& over_budget);
  void SettleBudgetQuestion();
  void HeedBudget(const v1::LedgerEvent& set, int64_t sequence);
  absl::Status TellBatch(std::vector<JobIndex>* starts);
  void TakeBackPriced(std::vector<JobIndex>* starts);
  void WatchMovieCap();
  void ReadMovieCap();
  v1::Cost ReservedFor(JobIndex job);
  void SettleAttempt(JobIndex job, const AttemptResult& result);
  void SettleFound(JobIndex job, const std::optional<v1::Cost>& cost);
  void ReleaseAttempt(JobIndex job);
  v1::Cost TakeCharge(JobIndex job);
  absl::Status PutRecord();

  absl::Status Reuse(const std::vector<const v1::ReusedJob*>& jobs);
  void ReportMade(const std::string& job_id, const v1::ProducedBy& by,
                  const std::optional<v1::Cost>& cost);
  absl::Status Dispatch(std::vector<JobIndex>* starts);
  absl::Status LookUp(const std::vector<JobIndex>& jobs);
  std::vector<v1::ArtefactQuery> OutputQueries(
      absl::Span<const JobIndex> jobs) const;
  // Null where there is none, or its blob is gone. On any thread.
  absl::StatusOr<std::vector<EventPtr>> FindOutputs(
      const std::vector<v1::ArtefactQuery>& queries) const;
  // `events` are those of all outputs of `jobs`, in order.
  absl::Status TakeOutputs(absl::Span<const JobIndex> jobs,
                           const std::vector<EventPtr>& events);
  bool IsMadeAnew(const v1::Event& event) const;
  absl::StatusOr<std::vector<EventPtr>> Resolve(
      const std::vector<v1::ArtefactQuery>& queries) const;
  void ApplyFact(const RunFact& fact);
  void Report(const JobChange& change);
  bool IsTold(const std::string& job_id, JobStatus status) const;
  absl::Status FlushLedger();
  // Appends all, or leaves in `events` those that are not in the log.
  absl::Status Append(v1::LogKind kind, std::vector<v1::Event>* events);

  // run_actor_refusals.cc
  absl::Status FlushArtefacts();
  absl::Status AppendOfJob(std::vector<v1::Event>* events);
  bool TakeRefusal(const absl::Status& refused, std::vector<v1::Event>* events);

  // run_actor_metrics.cc
  void CountChange(const JobChange& change);
  void CountReused(const v1::ReusedJob& reused);
  void CountEnd(const AttemptEnded& ended, absl::Duration duration);
  void NoteReady(const std::vector<JobIndex>& jobs);
  void CountStart(JobIndex job);

  // run_actor_durations.cc
  void RecallDurations();
  void Take(const DurationsRecalled& recalled);
  void Take(const DurationsLate&);

  // run_actor_expansion.cc
  void AskForExpansion();
  absl::Status TakeExpansion();
  void ReportExpansion(const std::vector<std::string>& landed,
                       const RunState::Extension& extension);
  absl::Status BlockDeferred();
  v1::JobCounts Counts() const;

  v1::LedgerEvent* AddLedger();
  absl::Status CheckOpen() const;
  void Close();
  absl::Status ConfirmLease();
  absl::Status Finish();
  absl::Status Commit();
  absl::Status CloseRecord(v1::RunStatus status, const std::string& error);
  void GiveUp(const absl::Status& why);
  void End();

  const RunActorDeps deps_;
  const RunIdentity identity_;
  const std::shared_ptr<const v1::Plan> plan_;
  const TraceContext trace_;
  Strand strand_;
  std::shared_ptr<LeaseKeeper> lease_;      // set by Create()
  std::unique_ptr<CallPlaces::Seat> seat_;  // set by Create()
  std::unique_ptr<LedgerWatch> watch_;      // set by Create()
  std::unique_ptr<Step> step_;  // set by CreateStep(); null for a run

  AttemptCalls attempt_calls_;
  OpenCalls open_calls_;

  // Held while somebody writes a request into the ledger, and when the run
  // begins to end: behind its end nothing is asked of it.
  Mutex end_mu_;
  std::atomic<bool> closing_ = false;
  Mutex mu_;
  std::vector<Message> inbox_ ABSL_GUARDED_BY(mu_);
  bool posted_ ABSL_GUARDED_BY(mu_) = false;
  // Jobs whose wait Retry() may cut short, by id.
  std::map<std::string, JobIndex> waits_ ABSL_GUARDED_BY(mu_);
  // As far as they are in the ledger.
  RunQuestions questions_ ABSL_GUARDED_BY(mu_);
  // Where the ledger has the last event that the run's own question was told
  // of: what comes before it there, and is heeded later, is not to settle it.
  int64_t question_sequence_ ABSL_GUARDED_BY(mu_) = 0;
  // Held while a question or an answer is recorded; taken after end_mu_, before
  // mu_.
  Mutex answer_mu_;

  Mutex budget_mu_;
  RunBudget budget_ ABSL_GUARDED_BY(budget_mu_);
  // Where the ledger has the cap that holds.
  int64_t cap_sequence_ ABSL_GUARDED_BY(budget_mu_) = 0;

  // Only the strand's closures touch what follows.
  v1::RunRecord record_;
  RunState state_;
  const std::optional<RunPast> past_;
  absl::AnyInvocable<void()> on_ended_;
  LogIntake logs_;
  std::map<JobIndex, Running> running_;
  std::map<JobIndex, std::string> heartbeats_;  // heartbeat_details by job
  std::map<JobIndex, JobTime> job_times_;       // of those with a job timeout
  std::vector<v1::Event> artefact_events_;      // to be appended
  std::vector<v1::Event> ledger_events_;
  std::vector<RunFact> facts_;  // to be applied once their events are durable
  // The planner is asked, at most once at a time; what it answered last.
  bool expanding_ = false;
  uint32_t expansion_attempts_ = 0;
  std::optional<Expanded> expanded_;
  // The planner is asked once what calls took before.
  bool recalled_ = false;
  bool holding_ = false;  // no job is started before it has answered
  Executor::TimerId hold_timer_ = 0;
  std::vector<std::string> removed_artefact_ids_;
  int64_t reused_by_plan_ = 0;
  int64_t made_before_ = 0;  // by the run, and no jobs of the state
  int64_t appends_ = 0;
  // Jobs in doubt that wait for a producer to answer, or for a person.
  std::map<JobIndex, Doubt> doubts_;
  std::set<JobIndex> resolved_;  // by facts_
  std::set<JobIndex> retrying_;
  // Questions that are to be appended, that of the run itself included.
  std::vector<v1::LedgerEvent> asked_;
  // The question that a job which has left its place waits for.
  std::map<JobIndex, std::string> awaited_;
  // Of jobs that are about to be called.
  std::map<JobIndex, CallPlaces::Place> places_;
  // The targets that are at jobs already, or have done them.
  std::map<JobIndex, size_t> works_at_;
  // What kept jobs from being started when starts were last looked for, and
  // only somebody can change.
  bool held_by_pause_ = false;
  bool held_by_budget_ = false;
  bool awaits_place_ = false;     // the same for what comes by itself
  JobIndex unaffordable_ = 0;     // one of those, if that is the budget
  RunBudget::Obstacle obstacle_;  // and what is in its way
  bool watching_movie_cap_ = false;
  std::string waiting_for_;  // as the ledger has it; empty if it goes on
  std::string waiting_message_;
  RunPauses pauses_;
  // The batch is appended right behind what was heeded, or not at all.
  bool only_if_heeded_ = false;
  int64_t told_through_ = 0;  // the last sequence of what was appended last
  std::map<JobIndex, v1::Cost> charges_;  // of attempts whose end is not told
  // For the metrics: since when jobs could be called, and when the first of the
  // attempts ended that this pass takes in; 0 for none.
  std::map<JobIndex, int64_t> ready_nanos_;
  int64_t batch_nanos_ = 0;
  std::string cancel_reason_;
  bool stopping_ = false;
  bool lease_lost_ = false;
  bool ended_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_ACTOR_H_
