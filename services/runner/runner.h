// A Runner starts runs and answers for them. Errors and guarantees are those
// of RunnerService in proto/kinora/v1/runner.proto.

#ifndef KINORA_SERVICES_RUNNER_RUNNER_H_
#define KINORA_SERVICES_RUNNER_RUNNER_H_

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/ids.h"
#include "common/random.h"
#include "common/recently_used.h"
#include "common/run_budget.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "common/threads/strand.h"
#include "common/threads/task_slots.h"
#include "kinora/v1/runner.pb.h"
#include "services/planner/planner.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/actor/runner_metrics.h"
#include "services/runner/calls/call_places.h"
#include "services/runner/calls/producer_table.h"
#include "services/runner/past/reported_runs.h"
#include "services/runner/past/run_end_watch.h"
#include "services/runner/past/run_reductions.h"
#include "services/runner/questions/budget_question.h"
#include "services/runner/runner_deps.h"
#include "services/runner/steps/step_call.h"
#include "services/runner/steps/stepwise_run.h"
#include "services/store/store.h"

namespace kinora {

struct RecoveryFacts;

// Thread-safe. Calls block.
//
// One run per movie: a run holds the lease `movie/<movie_id>`, whose purpose is
// the run's id. Every runner process is a holder of its own.
class Runner {
 public:
  Runner(const RunnerDeps& deps, ProducerConfigs configs,
         const RunnerOptions& options);

  // Stops all runs as Drain() with no time to spare.
  ~Runner();

  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // A lease that is held is waited for only if its holder is dead: one that
  // is seen to renew it is alive, and the start fails with RUN_ACTIVE. So it
  // does if a dead holder left a run open that can be gone on with: that run is
  // adopted instead. One that cannot is closed; what it finished is reused by
  // its key.
  //
  // A start that is queued leaves a record with its request; whichever runner
  // sees the movie free carries it out.
  absl::StatusOr<v1::StartRunResponse> Start(
      const v1::StartRunRequest& request);

  // Looks for runs that have not ended and whose runner is gone, and goes on
  // with each from its ledger: under its id, with its attempts and its log,
  // calling no job that has finished. A run that cannot be gone on with, as its
  // plan is lost or the base is no longer current, is closed. One whose
  // producers do not answer is left for a later call. Then begins queued runs
  // of movies where nothing goes on.
  absl::Status AdoptOpenRuns();

  // Goes on with that one run. OK also if somebody else does; an error says why
  // nobody can yet.
  absl::Status AdoptOpenRun(const std::string& run_id);

  // Looks for all of them now and then, until Drain(). Does not block.
  void KeepAdopting();

  // Carries out a step of a run whose caller has the movie's lease: a layer or
  // a job, as ExecuteLayer and ExecuteJob say. Does not block; the call is
  // finished when its jobs have ended.
  void Execute(std::shared_ptr<StepCall> call);

  absl::StatusOr<v1::GetRunResponse> Get(const v1::GetRunRequest& request);
  absl::StatusOr<v1::ListRunsResponse> List(const v1::ListRunsRequest& request);
  // Where only the run's end tells whether the request has come in time, the
  // first blocks until then. The second blocks no longer than others: it calls
  // `done` then, once, from the executor or before it returns.
  absl::StatusOr<v1::CancelRunResponse> Cancel(
      const v1::CancelRunRequest& request);
  using Cancelled =
      absl::AnyInvocable<void(absl::StatusOr<v1::CancelRunResponse>)>;
  void Cancel(const v1::CancelRunRequest& request, Cancelled done);
  absl::StatusOr<v1::PauseRunResponse> Pause(
      const v1::PauseRunRequest& request);
  absl::StatusOr<v1::ResumeRunResponse> Resume(
      const v1::ResumeRunRequest& request);
  absl::StatusOr<v1::RetryRunResponse> Retry(
      const v1::RetryRunRequest& request);
  absl::StatusOr<v1::ListQuestionsResponse> ListQuestions(
      const v1::ListQuestionsRequest& request);
  absl::StatusOr<v1::AnswerQuestionResponse> AnswerQuestion(
      const v1::AnswerQuestionRequest& request);
  absl::StatusOr<v1::SetRunBudgetResponse> SetBudget(
      const v1::SetRunBudgetRequest& request);
  // runner_ingestion.cc
  absl::StatusOr<v1::IngestLedgerEventsResponse> Ingest(
      const v1::IngestLedgerEventsRequest& request);
  absl::StatusOr<v1::ListProducersResponse> ListProducers(
      const v1::ListProducersRequest& request);

  // Whether the run's ledger has its end. RUN_NOT_FOUND if there is no such
  // run.
  absl::StatusOr<bool> HasEnded(const std::string& run_id);

  // The ledger of a run, for WatchRun. RUN_NOT_FOUND if there is no such run.
  absl::StatusOr<v1::LogName> LedgerOf(absl::string_view run_id);

  // Starts nothing further, lets running jobs end until `limit` has passed,
  // then cancels them. Returns when no run is active here. No run is ended by
  // this: the next start on its movie finds it interrupted.
  void Drain(absl::Duration limit);

 private:
  class StartSlot;
  class RunLease;
  // A run that is about to begin.
  struct Prepared {
    v1::RunRecord record;
    v1::PlanHeader header;
    std::shared_ptr<const v1::Plan> plan;
    DeclaredPrices prices;
  };

  // `resumes` is the run that this one resumes; empty if none.
  absl::StatusOr<v1::StartRunResponse> StartNow(
      const v1::StartRunRequest& request, const std::string& resumes);
  // `origin` is what is known of the run: its id and the run it resumes, or the
  // record with which it was queued.
  absl::StatusOr<v1::StartRunResponse> StartUnderLease(
      const v1::StartRunRequest& request, const v1::RunRecord& origin,
      const std::vector<v1::PendingEdit>& edits, const v1::Movie& movie,
      const v1::LeaseToken& lease);
  // The edits of a start in the form that the log takes.
  absl::StatusOr<std::vector<v1::PendingEdit>> CheckEdits(
      const v1::StartRunRequest& request);
  absl::StatusOr<std::shared_ptr<const v1::Plan>> LoadPlan(
      const std::string& movie_id, const std::string& plan_hash);
  absl::StatusOr<RunState> StateOf(const v1::RunRecord& record,
                                   std::shared_ptr<const v1::Plan> plan);
  // `only_first`: SEQUENCE_MISMATCH if the ledger has an event already.
  absl::Status AppendCreated(const v1::RunRecord& record,
                             const v1::LeaseToken& lease,
                             bool only_first = false);
  RunActorDeps ActorDeps();
  void Launch(const v1::RunRecord& record, std::shared_ptr<const v1::Plan> plan,
              RunState state, std::optional<RunPast> past, RunBudget budget,
              const v1::LeaseToken& lease);
  absl::Status PutRecord(const v1::RunRecord& record,
                         const v1::LeaseToken& lease);

  // runner_preparation.cc
  absl::StatusOr<Prepared> Prepare(const v1::StartRunRequest& request,
                                   const v1::Movie& movie);
  absl::StatusOr<std::vector<std::string>> ProducersOf(const v1::Movie& movie);
  absl::Status CheckBase(const v1::Plan& plan);
  // `silent` are producers that did not answer before the plan was made. Fills
  // in what those ask that are called.
  absl::Status CheckProducers(const v1::Plan& plan,
                              const std::map<std::string, absl::Status>& silent,
                              DeclaredPrices* prices);
  // The answer to a start that is repeated.
  absl::StatusOr<v1::StartRunResponse> Remembered(const std::string& run_id);

  absl::StatusOr<v1::LeaseToken> AcquireLease(const std::string& movie_id,
                                              const std::string& run_id);
  absl::StatusOr<v1::LeaseToken> TryAcquire(const std::string& movie_id,
                                            const std::string& run_id);
  void Release(const v1::LeaseToken& lease);
  // The lease for a run that is about to begin. RUN_ACTIVE if another one goes
  // on.
  absl::StatusOr<v1::LeaseToken> LeaseToStart(const std::string& movie_id,
                                              const std::string& run_id);
  // Those that have begun and whose record has not ended, the oldest first; of
  // all movies if `movie_id` is empty. Of several runs of a movie, which a
  // record that was lost for a while leaves, that is the one to go on with:
  // the others began without it.
  absl::StatusOr<std::vector<v1::RunRecord>> OpenRunsOf(
      const std::string& movie_id);
  // The same of those that wait for their turn.
  absl::StatusOr<std::vector<v1::RunRecord>> QueuedRunsOf(
      const std::string& movie_id);
  absl::StatusOr<std::vector<v1::RunRecord>> UnendedRunsOf(
      const std::string& movie_id,
      std::initializer_list<v1::RunStatus> statuses, bool queued);
  void AdoptAgainAndAgain();
  absl::Status Adopt(const v1::RunRecord& record);
  void TellObstacle(const std::string& run_id, const absl::Status& status);
  // REQUIRES: no run of the movie is active here, and none is started.
  absl::Status AdoptInSlot(const v1::RunRecord& record);
  // True if the run goes on with the lease; else it has been closed. `plan` may
  // say why there is no going on.
  absl::StatusOr<bool> AdoptUnderLease(
      const std::string& run_id,
      const absl::StatusOr<std::shared_ptr<const v1::Plan>>& plan,
      const DeclaredPrices& prices, const v1::LeaseToken& lease);
  absl::Status CloseRun(v1::RunRecord record, const v1::LeaseToken& lease,
                        const std::string& reason);
  // Puts the record of a run whose ledger has ended, once it is saved as a
  // document.
  absl::Status PutClosed(const v1::RunRecord& record,
                         const v1::LeaseToken& lease);
  absl::Status AppendLedger(const v1::RunRecord& record,
                            const v1::LeaseToken& lease, v1::Event event);
  // Appends to a ledger, and tells the listener.
  absl::StatusOr<v1::AppendEventsResponse> AppendAndTell(
      const v1::AppendEventsRequest& request);

  // runner_queue.cc
  absl::StatusOr<v1::StartRunResponse> StartInTurn(
      const v1::StartRunRequest& request);
  absl::StatusOr<bool> IsBusy(const std::string& movie_id);
  absl::StatusOr<v1::RunRecord> Enqueue(const v1::StartRunRequest& request);
  // Has its ledger begin. REQUIRES: the lease is that on the run.
  absl::Status TellQueued(const v1::RunRecord& record,
                          const v1::LeaseToken& lease);
  absl::Status CancelForAnother(const v1::RunRecord& successor);
  // Has the queue of a movie looked at, soon.
  void LookAtQueue(const std::string& movie_id);
  void PostQueueLook(const std::string& movie_id);
  // Begins the next queued run of a movie if nothing else goes on there.
  void BeginQueued(const std::string& movie_id);
  absl::StatusOr<bool> BeginInSlot(const v1::RunRecord& queued);
  // runner_hand_edits.cc
  absl::Status RecordHandEdits(const std::string& movie_id);
  absl::StatusOr<bool> BeginUnderLease(const std::string& run_id,
                                       const v1::LeaseToken& lease);
  // Ends a queued run that has not begun. REQUIRES: the lease is that on the
  // run.
  absl::Status EndQueued(v1::RunRecord record, const v1::LeaseToken& lease,
                         v1::RunStatus status, const std::string& error);

  // runner_cancels.cc

  // The record of a run that may end otherwise yet; none of one that is sure to
  // end as cancelled, or has.
  absl::StatusOr<std::optional<v1::RunRecord>> AskToEnd(
      const v1::CancelRunRequest& request);
  absl::StatusOr<std::optional<v1::RunRecord>> CancelElsewhere(
      const std::string& run_id, const std::string& reason);
  absl::StatusOr<std::optional<v1::RunRecord>> RequestCancel(
      const std::string& run_id, const std::string& reason);
  void AwaitCancelled(const v1::RunRecord& record, Cancelled done);

  // runner_children.cc

  // What is known of a run before it begins: its id, its trigger, and of a
  // child its parent, which goes on and has begun the job.
  absl::StatusOr<v1::RunRecord> OriginOf(const v1::StartRunRequest& request);
  // INVALID_ARGUMENT if the start would cancel a run above it.
  absl::Status CheckReplaces(const v1::StartRunRequest& request,
                             v1::RunRecord parent);
  // Cancels a child whose parent was cancelled while it was started.
  void HeedParent(const v1::RunRecord& child);
  // Cancels those whose parent has ended as cancelled.
  void CancelOrphans(const std::vector<v1::RunRecord>& unended);
  // Does so with the children of a run that has ended as cancelled, soon; not
  // while the runner drains.
  void LookAtChildren(const std::string& run_id);
  void PostChildrenLook(const std::string& run_id);
  std::vector<v1::RunRecord> OpenChildrenOf(const std::string& run_id);

  // runner_requests.cc
  absl::StatusOr<v1::RunRecord> RecordOf(const std::string& run_id);
  absl::Status RequestPause(const std::string& run_id, bool pause,
                            const std::string& producer);
  // The event to append to the ledger of a run with that past; none if there is
  // nothing to ask for.
  using RequestOfPast =
      absl::FunctionRef<std::optional<v1::LedgerEvent>(const RunPast&)>;
  // RUN_TERMINAL if the run has ended. REQUIRES: the lease is that on the run.
  absl::Status Ask(const v1::RunRecord& record, const v1::LeaseToken& lease,
                   RequestOfPast request);
  // Has the run look for requests, if it is carried out here.
  void Nudge(const v1::RunRecord& record);
  absl::Status CheckProducerOf(const v1::RunRecord& record,
                               const std::string& producer);
  absl::StatusOr<v1::RunRecord> StartAgain(const v1::RunRecord& ended);
  // The run if it is carried out here; one whose end is about to be recorded is
  // waited for, and null.
  std::shared_ptr<RunActor> ActorOf(const std::string& run_id);
  absl::StatusOr<std::vector<RunQuestion>> PendingOf(
      const v1::RunRecord& record);
  // runner_recovery.cc

  // What there is to know beside the run's own state.
  absl::Status Complete(const v1::RunRecord& record, RecoveryFacts* facts);
  absl::Status CheckStartAgain(const v1::RunRecord& ended,
                               RecoveryFacts* facts);
  absl::StatusOr<std::string> ActiveBeside(const v1::RunRecord& ended,
                                           const RecoveryFacts& facts);
  // What is in the way of Resume(), as Get() tells it, but for a run that is
  // active.
  absl::Status CheckResume(const v1::RunRecord& record);
  void MarkDamaged(v1::RunRecord* record);
  // OK: it can be read again.
  void TellDamage(const std::string& run_id, const absl::Status& status);
  // runner_retry.cc
  absl::StatusOr<std::vector<std::string>> AskAgain(
      const v1::RetryRunRequest& request);
  absl::StatusOr<std::vector<std::string>> RetryElsewhere(
      const v1::RetryRunRequest& request);
  // Jobs of a stepwise run that wait in calls of this runner.
  absl::StatusOr<std::set<std::string>> RetryStepsHere(
      const v1::RetryRunRequest& request);
  absl::Status RecordAnswer(const v1::AnswerQuestionRequest& request);
  absl::StatusOr<BudgetQuestion> BudgetQuestionOf(const std::string& run_id);
  // runner_steps.cc
  struct Step;
  using InputContents = std::map<std::string, v1::Content>;
  void TakeUp(const std::shared_ptr<StepCall>& call);
  absl::Status Advance(const std::shared_ptr<StepCall>& call);
  absl::StatusOr<Step> StepOf(const std::shared_ptr<StepCall>& call);
  absl::Status Admit(const v1::RunRecord& record, const v1::LeaseToken& lease);
  // ClaimJobs() of the call that begins a run; false also if another has begun
  // it meanwhile.
  absl::StatusOr<bool> ClaimBegin(Step* step);
  // Both take the step, unless they fail.
  absl::Status CarryOut(Step* held);
  absl::Status TellUnresolved(const Step& step);
  absl::StatusOr<InputContents> InputsOf(const PlanParts& parts,
                                         const std::string& run_id,
                                         const PlanParts::Jobs& jobs);
  absl::Status LaunchStep(Step* held, std::shared_ptr<const v1::Plan> part);
  void Answer(Step& step);
  void LetGo(const std::shared_ptr<StepwiseRun>& run,
             const std::vector<std::string>& jobs);
  // Calls that have waited for what has come.
  void TakeUpAll(std::vector<std::shared_ptr<StepCall>> waited);
  void Finish(const std::shared_ptr<StepCall>& call, StepCall::Answer answer);

  // runner_step_claims.cc

  // False if the call has ended for good, with its runner or without.
  absl::StatusOr<bool> IsCarriedOut(const std::string& run_id,
                                    const std::string& call);
  // True if no other call that goes on has claimed a job of the step before
  // `call` has.
  absl::StatusOr<bool> AreFree(const Step& step, const std::string& call);
  // True if the jobs are the step's alone, until Unclaim().
  absl::StatusOr<bool> ClaimJobs(Step* step);
  // Lets others have the jobs, here and elsewhere.
  void Unclaim(Step* step);
  absl::Status WaitForOthers(const std::shared_ptr<StepCall>& call);
  // For a call that waits already: it may have been cancelled before it did,
  // and goes on at once then.
  absl::Status StayWaiting(const std::shared_ptr<StepCall>& call);

  // runner_step_done.cc

  // True if the ledger says that all jobs that the call wants carried out have
  // been, and how, is in the step's states then.
  absl::StatusOr<bool> AreDone(Step* step);
  void TakeReused(Step* step);

  // runner_closing.cc
  absl::StatusOr<v1::CommitRevisionResponse> CommitBy(
      const v1::RunRecord& record, const v1::JobCounts& jobs,
      const v1::LeaseToken& lease);
  absl::StatusOr<bool> ChangesNothing(const v1::RunRecord& record,
                                      const v1::JobCounts& jobs);

  // runner_budget.cc

  // What the record says the run may cost, and what it has spent; `prices` are
  // those of the producers.
  RunBudget BudgetOf(const v1::RunRecord& record, const v1::Plan& plan,
                     const DeclaredPrices& prices, RunBudget spent);
  // Puts the movie's limit on the run, and counts its other runs.
  absl::Status LimitByMovie(const v1::RunRecord& record, RunBudget* budget);
  // `answers` as RunActor::SetBudget() has it.
  absl::StatusOr<v1::SetRunBudgetResponse> SetCap(
      const std::string& run_id, const std::optional<v1::Cost>& cap,
      const std::string& answers);
  absl::StatusOr<v1::SetRunBudgetResponse> RequestCap(
      const std::string& run_id, const std::optional<v1::Cost>& cap,
      const std::string& answers);

  void Remember(const std::string& request_id, const std::string& run_id);
  // Takes what the ledger of an adopted run tells is done.
  void TakeTold(const v1::RunRecord& record, const RunPast& past,
                RunState* state);
  void Ended(const std::string& movie_id);
  bool IsIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool WaitUntilIdle(absl::Duration limit);

  const RunnerDeps deps_;
  const ProducerConfigs configs_;
  const RunnerOptions options_;
  const std::string holder_;
  const std::shared_ptr<CallPlaces> places_;
  const std::shared_ptr<Strand> recalls_;        // as of RunActorDeps
  const std::shared_ptr<TaskSlots> expansions_;  // the same
  std::optional<RunnerMetrics> metrics_;
  RunIdGenerator ids_;
  RunReductions reductions_;
  ReportedRuns reported_;

  Mutex mu_;
  CondVar ended_cv_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  // Open runs are looked at, or will be by the timer.
  bool adopting_ ABSL_GUARDED_BY(mu_) = false;
  Executor::TimerId adoption_timer_ ABSL_GUARDED_BY(mu_) = 0;
  int queue_looks_ ABSL_GUARDED_BY(mu_) = 0;  // posted or under way
  // What keeps open runs from being adopted, by run, as last told.
  std::map<std::string, std::string> obstacles_ ABSL_GUARDED_BY(mu_);
  // Why runs cannot be read, by run, as last told.
  std::map<std::string, std::string> damaged_ ABSL_GUARDED_BY(mu_);
  // Runs whose results are all to be looked up when they are adopted.
  std::set<std::string> look_up_all_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> starting_ ABSL_GUARDED_BY(mu_);  // movies
  // Of cancellations that wait for their answer.
  std::map<uint64_t, std::shared_ptr<RunEndWatch>> end_watches_
      ABSL_GUARDED_BY(mu_);
  uint64_t last_end_watch_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::shared_ptr<StepCall>> steps_ ABSL_GUARDED_BY(mu_);
  // By run. All that a call holds are known; those used last are kept.
  std::map<std::string, std::weak_ptr<StepwiseRun>> stepwise_
      ABSL_GUARDED_BY(mu_);
  RecentlyUsed<StepwiseRun> kept_stepwise_ ABSL_GUARDED_BY(mu_){16};
  std::map<std::string, std::shared_ptr<RunActor>> active_
      ABSL_GUARDED_BY(mu_);  // by movie
  absl::flat_hash_map<std::string, std::string> run_by_request_
      ABSL_GUARDED_BY(mu_);
  std::deque<std::string> requests_ ABSL_GUARDED_BY(mu_);  // the oldest first
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUNNER_H_
