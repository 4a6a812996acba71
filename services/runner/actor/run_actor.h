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
//   3. appends all ledger events, in one call, and with them the artefact
//      events of attempts that have ended meanwhile: these have no append, and
//      no sync, of their own in the next pass (run_actor_arrivals.cc);
//   4. starts the next attempts.
//
// Where an artefact has landed that decides about deferred jobs of the plan, it
// has the planner expand the plan, while it goes on with what it has, and takes
// the answer up like anything else that happened.
//
// So the order of each job is: blobs, artefact events, step.completed, start
// of what depends on it; and the cost of durability is shared by all jobs that
// ended while the batch before was being written.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUN_ACTOR_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUN_ACTOR_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "common/run_budget.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "common/threads/strand.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/runner/actor/lease_keeper.h"
#include "services/runner/actor/run_actor_deps.h"
#include "services/runner/actor/run_message.h"
#include "services/runner/actor/run_meter.h"
#include "services/runner/actor/run_step.h"
#include "services/runner/actor/running_attempt.h"
#include "services/runner/budget/budget_keeper.h"
#include "services/runner/calls/attempt_calls.h"
#include "services/runner/calls/call_places.h"
#include "services/runner/calls/open_calls.h"
#include "services/runner/past/ledger_watch.h"
#include "services/runner/past/log_intake.h"
#include "services/runner/past/run_events.h"
#include "services/runner/past/run_past.h"
#include "services/runner/past/run_wait.h"
#include "services/runner/questions/kept_approvals.h"
#include "services/runner/questions/question_keeper.h"
#include "services/runner/questions/question_looks.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/state/job_times.h"
#include "services/runner/state/job_waits.h"
#include "services/runner/state/progress_intake.h"
#include "services/runner/state/run_pauses.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// A planner that restarts has answered by then; if it has not, the run says
// that it waits for it.
inline constexpr uint32_t kPatientExpansions = 7;

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

  // One that carries out a step of a run whose caller has the lease: jobs of
  // one layer, as a plan of their own. It goes on with the ledger as it is,
  // beside others; it renews no lease, commits nothing and does not end the
  // run. `step.on_ended` gets UNAVAILABLE after Stop() or LoseLease(); it is
  // called as Create() says.
  static std::shared_ptr<RunActor> CreateStep(
      const RunActorDeps& deps, v1::RunRecord record,
      std::shared_ptr<const v1::Plan> part, RunState state, RunPast past,
      const v1::LeaseToken& lease, RunStep step);

  // Begins to work. Call it once.
  void Start();

  // Cancels the run: it ends as cancelled, for `reason`. When this returns OK
  // that is durable, whatever becomes of this process. Blocks on the store.
  absl::Status Cancel(const std::string& reason);

  // Of a step: cancels its attempts. Jobs that have not ended failed for `why`.
  void CancelStep(const v1::Failure& why);

  // Cuts short the wait before the next attempt of a job, or of all jobs if
  // `job_id` is empty, and has those called again that are in doubt. Returns
  // the ids of these jobs, which may have gone on by themselves meanwhile. If
  // there are any the ledger has the request by then, for whoever adopts the
  // run. UNAVAILABLE if it is about to end; else errors of the store. Blocks on
  // the store.
  absl::StatusOr<std::vector<std::string>> Retry(const std::string& job_id);

  // Looks into the ledger for what was asked of the run: pauses and their ends,
  // and cancellations, whoever wrote them there. Does so by itself now and
  // then, and where its own events do not follow each other.
  void Heed();
  // Questions that wait for an answer, the oldest first.
  std::vector<RunQuestion> PendingQuestions();

  // What the run itself asks.
  BudgetQuestion budget_question() { return questions_.Budget(); }

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

  // True once the run's terminal event may be seen: on_ended follows, as soon
  // as the store answers, and nothing can be asked of the run any more
  // (UNAVAILABLE).
  bool closing() const { return closing_.load(); }

  // True once it has ended because the blob of a result is gone that it took on
  // the ledger's word: whoever adopts the run looks all of them up.
  bool mistook_results() const { return mistook_results_.load(); }

  // True once it has ended as cancelled.
  bool cancelled() const { return cancelled_.load(); }

  const std::string& movie_id() const { return identity_.movie_id; }
  const std::string& run_id() const { return identity_.run_id; }

 private:
  class Observer;

  struct Doubt {
    absl::Duration delay;  // before the producer was asked last
    std::string told;      // why, as the ledger has it
  };

  RunActor(const RunActorDeps& deps, v1::RunRecord record,
           std::shared_ptr<const v1::Plan> plan, RunState state,
           std::optional<RunPast> past, RunBudget budget,
           absl::AnyInvocable<void()> on_ended);

  void Post(RunMessage message);
  void Wake();
  absl::Status CheckOpen() const;

  // All below run on the strand.
  void Process();
  absl::Status Work(std::vector<RunMessage> messages);
  absl::Status Dispatch(std::vector<JobIndex>* starts);
  void ApplyFact(RunFact fact);
  void Report(const JobChange& change);
  bool IsTold(const std::string& job_id, JobStatus status) const;
  v1::LedgerEvent* AddLedger();
  void Close();
  void Take(const Begun&);
  void GoOn();
  void Take(const RetryTimer& timer);
  void Take(const CancelCall& call);
  void CancelJobs();
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
  void Take(const QuestionsDue&);

  // run_actor_attempts.cc
  void StartAttempt(JobIndex job);
  void CancelAttempts();
  void Take(AttemptEnded& ended);
  void Take(LinesLogged& logged);

  // run_actor_progress.cc
  void Take(ProgressMade& made);
  void Take(const ProgressDue& due);
  bool IsUnderWay(JobIndex job, uint32_t attempt) const;
  void TakeProgress(JobIndex job, const ProgressIntake::Taken& taken);
  void TellProgress(JobIndex job, const v1::Progress& made);
  std::string HeartbeatDetailsFor(JobIndex job) const;

  // run_actor_lines.cc
  bool NumbersLines(const std::vector<v1::Event>& events) const;
  void NoteLines(const v1::AppendEventsResponse& appended,
                 const v1::AppendEventsRequest& request);
  int64_t NoteLinesTold(const v1::LogAppendedEvent& event);
  absl::Status LearnReportedLines();
  void GiveWay(const v1::LogAppendedEvent& reported);
  void ForgetNumbers();

  // run_actor_step.cc
  void Take(const StepCancel& cancel);
  absl::Status ConfirmLease();
  void BeginStep();
  void NoteForStep(const JobChange& change);
  void TellStepDone();
  absl::Status FinishStep();
  void EndStep(const absl::Status& status);
  v1::JobState StepStateOf(JobIndex job) const;

  // run_actor_doubts.cc
  void AskWhatBecameOf(JobIndex job, absl::Duration delay);
  bool AsksAgainSoon() const;
  void Resolve(JobIndex job, absl::string_view why);
  void TellDoubt(JobIndex job, const std::string& message);

  // run_actor_requests.cc
  void WatchLedger();
  void HeedRequests();
  void HeedRequest(const v1::Event& event);
  bool IsOwnRetry(int64_t sequence);
  void FollowWhileWaiting();
  void RecordStatus();

  // run_actor_questions.cc; Learn() and RecordAnswer() run anywhere.
  absl::Status FlushQuestions();
  void GiveAnswers(JobIndex job, v1::JobHeader* header,
                   RunningAttempt* running);
  std::optional<std::string> AwaitedBy(JobIndex job,
                                       const RunningAttempt& attempt,
                                       AttemptResult* result) const;
  void TakeAsking(JobIndex job, const RunningAttempt& attempt,
                  const std::string& key, bool in_doubt);
  void GoOnWith(JobIndex job, const std::string& key);
  void RecallAsking(JobIndex job, PastJob* past);
  size_t AttemptsThatAsk() const;
  void GiveUpWaiting(JobIndex job, const v1::Failure& failure);
  std::optional<JobIndex> FindJob(const std::string& job_id) const;
  void Learn(const v1::LedgerEvent& told);
  absl::Status RelearnQuestions();
  absl::Status RecordAnswer(const std::string& job_id,
                            const v1::Answer& answer);

  // run_actor_deadlines.cc
  bool HasToSettle(const std::string& job_id) const;
  absl::Status RecordVerdicts();
  absl::Status RecordVerdict(const v1::JobEvent& verdict);
  void WatchQuestions();

  // run_actor_approvals.cc
  bool TakeApproval(const std::string& job_id, const v1::Question& question);
  absl::Status RecordApproved(const v1::JobEvent& approved);
  void NoteApprovals(const std::string& job_id);
  void RecallApprovals();

  // run_actor_waits.cc
  bool MayStart(JobIndex job);
  RunStanding Standing();
  int64_t FirstDeadline() const;
  RunWait ToldWait() const;
  void TellWaiting();
  void BeginWait(JobIndex job);

  // run_actor_places.cc
  void TakeSeat();
  void LeaveSeat();
  void LeaveAlone();
  const ProducerConfig& ConfigOf(JobIndex job) const;
  bool TakePlace(JobIndex job);
  void SettlePlaces();
  void TellPlacesThatAsk();

  // run_actor_budget.cc; RecordCap() and ReadMovieCap() run anywhere.
  bool MayAfford(JobIndex job);
  v1::JobEvent OverBudget() const;
  void AskForBudget(const v1::JobEvent& over_budget);
  void SettleBudgetQuestion();
  absl::StatusOr<v1::SetRunBudgetResponse> RecordCap(
      const std::optional<v1::Cost>& cap);
  void HeedBudget(const v1::LedgerEvent& set, int64_t sequence);
  absl::Status TellBatch(std::vector<JobIndex>* starts);
  void TakeBackPriced(std::vector<JobIndex>* starts);
  void WatchMovieCap();
  void ReadMovieCap();
  void SettleAttempt(JobIndex job, const AttemptResult& result, bool asks);
  void SettleFound(JobIndex job, const std::optional<v1::Cost>& cost);
  v1::Cost TakeCharge(JobIndex job);
  absl::Status PutRecord();

  // run_actor_logs.cc
  absl::Status Reuse(const std::vector<const v1::ReusedJob*>& jobs);
  void ReportMade(const std::string& job_id, const v1::ProducedBy& by,
                  const std::optional<v1::Cost>& cost);
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
  absl::Status FlushLedger();
  void NoteTold(const v1::AppendEventsResponse& appended,
                const v1::AppendEventsRequest& request);
  // Appends all, or leaves in `events` those that are not in the log.
  absl::Status Append(v1::LogKind kind, std::vector<v1::Event>* events);

  v1::AppendEventsRequest NewAppend(v1::LogKind kind);

  // run_actor_arrivals.cc
  std::vector<RunMessage> TakeMessages();
  bool HasNewOutputs(const RunMessage& message) const;
  std::vector<AttemptEnded*> AddArrivals(
      std::vector<v1::AppendEventsRequest>* appends);

  // run_actor_refusals.cc
  absl::Status NoteArrivals(const std::vector<AttemptEnded*>& arrivals,
                            const absl::Status& appended);
  absl::Status FlushArtefacts();
  absl::Status AppendOfJob(std::vector<v1::Event>* events);
  bool TakeRefusal(const absl::Status& refused, std::vector<v1::Event>* events);

  // run_actor_durations.cc
  void RecallDurations();
  void Take(const DurationsRecalled& recalled);
  void Take(const DurationsLate&);

  // run_actor_expansion.cc
  void AskForExpansion();
  absl::Status TakeExpansion();
  absl::Status RefuseExpansion(const absl::Status& why);
  void ReportExpansion(const std::vector<std::string>& landed,
                       const RunState::Extension& extension);
  absl::Status BlockDeferred();
  v1::JobCounts Counts() const;

  // run_actor_end.cc
  absl::Status Finish();
  absl::Status Commit();
  absl::Status Fail(const std::string& error);
  absl::Status CloseRecord(v1::RunStatus status, const std::string& error);
  void PutClosed();
  void GiveUp(const absl::Status& why);
  void End();

  // run_actor_record.cc
  void SaveRecord();
  void RecordSaved(bool in_time);

  const RunActorDeps deps_;
  const RunIdentity identity_;
  const std::shared_ptr<const v1::Plan> plan_;
  const TraceContext trace_;
  Strand strand_;
  std::shared_ptr<LeaseKeeper> lease_;      // set by Create()
  std::unique_ptr<CallPlaces::Seat> seat_;  // set by Create()
  std::unique_ptr<LedgerWatch> watch_;      // set by Create()
  std::unique_ptr<RunStep> step_;  // set by CreateStep(); null for a run

  AttemptCalls attempt_calls_;
  OpenCalls open_calls_;
  JobWaits waits_;  // what Retry() may cut short
  QuestionKeeper questions_;
  BudgetKeeper budget_;

  // Held while somebody writes a request into the ledger, and when the run
  // begins to end: behind its end nothing is asked of it.
  Mutex end_mu_;
  std::set<int64_t> own_retries_ ABSL_GUARDED_BY(end_mu_);  // not heeded yet
  std::atomic<bool> closing_ = false;
  std::atomic<bool> mistook_results_ = false;
  std::atomic<bool> cancelled_ = false;
  Mutex mu_;
  std::vector<RunMessage> inbox_ ABSL_GUARDED_BY(mu_);
  bool posted_ ABSL_GUARDED_BY(mu_) = false;
  // Only the strand's closures touch what follows.
  v1::RunRecord record_;
  RunState state_;
  std::optional<RunPast> past_;
  JobTimes times_;
  RunMeter meter_;
  absl::AnyInvocable<void()> on_ended_;
  LogIntake logs_;
  // The number of the last line in the ledger, and the sequence up to which
  // that is known.
  int64_t lines_told_;
  int64_t lines_through_;  // at least the first event, run.created
  bool numbers_lines_ = true;
  std::map<JobIndex, RunningAttempt> running_;
  std::vector<RunMessage> arrived_;  // before what is in the inbox
  ProgressIntake progress_;
  std::vector<v1::Event> artefact_events_;  // to be appended
  std::vector<v1::Event> ledger_events_;
  std::vector<RunFact> facts_;  // to be applied once their events are durable
  // The planner is asked, at most once at a time; what it answered last.
  bool expanding_ = false;
  uint32_t expansion_attempts_ = 0;
  std::optional<Expanded> expanded_;
  // Why the plan cannot be expanded: the run fails once its attempts have
  // ended.
  std::optional<std::string> refused_expansion_;
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
  // Jobs that have failed and are called again by a timer.
  std::map<JobIndex, Retrying> retrying_;
  // The QuestionKey() of what a job waits for that has left its place.
  std::map<JobIndex, std::string> awaited_;
  // Of jobs that are about to be called.
  std::map<JobIndex, CallPlaces::Place> places_;
  // The targets that are at jobs already, or have done them.
  std::map<JobIndex, size_t> works_at_;
  HeldStarts held_;  // when starts were last looked for
  // Producers where attempts of the run are known to wait for answers.
  std::map<std::string, uint32_t> asking_;
  QuestionLooks looks_;
  KeptApprovals approvals_;
  bool watching_movie_cap_ = false;
  // By the monotonic clock; INT64_MAX if it is not its turn that it waits for.
  int64_t turn_awaited_since_ = INT64_MAX;
  std::string waiting_for_;  // as the ledger has it; empty if it goes on
  // What was told with it, also by somebody else: the event, and its end by the
  // monotonic clock.
  v1::RunWaitingEvent told_wait_;
  int64_t told_until_ = INT64_MAX;
  RunPauses pauses_;
  // The batch is appended right behind what was heeded, or not at all.
  bool only_if_heeded_ = false;
  int64_t told_through_ = 0;  // the last sequence of what was appended last
  std::map<JobIndex, v1::Cost> charges_;  // of attempts whose end is not told
  std::string cancel_reason_;
  bool stopping_ = false;
  bool lease_lost_ = false;
  bool saving_ = false;  // its terminal event is durable
  Executor::TimerId save_timer_ = 0;
  bool ended_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUN_ACTOR_H_
