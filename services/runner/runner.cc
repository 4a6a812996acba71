#include "services/runner/runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/input_edits.h"
#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/run_labels.h"
#include "services/runner/start_slot.h"
#include "services/runner/trigger_event.h"
#include "services/store/plan/saved_plan.h"

namespace kinora {
namespace {

constexpr size_t kMaxRemembered = 10'000;
// A planner that hangs takes no more threads of the executor than this.
constexpr int kExpansions = 2;

absl::Status CheckParent(const v1::StartRunRequest& request) {
  const std::string& parent = request.parent_run_id();
  if (parent.empty() != request.parent_job_id().empty()) {
    return InvalidField(
        parent.empty() ? "parent_run_id" : "parent_job_id", "",
        "a child is started by a job of its parent: set both or neither");
  }
  if (parent.empty()) return absl::OkStatus();
  const absl::Status valid = ValidateRunId(parent);
  if (valid.ok()) return valid;
  return InvalidField("parent_run_id", parent, valid.message());
}

absl::Status CheckStart(const v1::StartRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  if (!request.plan_hash().empty()) {
    KINORA_RETURN_IF_ERROR(
        request.edits().empty()
            ? absl::OkStatus()
            : InvalidField("edits", absl::StrCat(request.edits_size()),
                           "a plan that exists cannot take edits"));
    if (request.has_scope()) {
      return InvalidField("scope", "",
                          "a plan that exists cannot be scoped anew");
    }
    absl::StatusOr<Digest> hash = Digest::ParseHex(request.plan_hash());
    if (!hash.ok()) {
      return InvalidField("plan_hash", request.plan_hash(),
                          hash.status().message());
    }
  }
  KINORA_RETURN_IF_ERROR(ValidateRunLabels("labels", request.labels()));
  KINORA_RETURN_IF_ERROR(CheckParent(request));
  KINORA_RETURN_IF_ERROR(
      ValidateTriggerEvent("trigger_event_json", request.trigger_event_json()));
  if (!v1::IfActive_IsValid(request.if_active())) {
    return InvalidField("if_active", absl::StrCat(request.if_active()),
                        "expected one of the values of IfActive");
  }
  if (request.dry_run()) {
    return WithReason(absl::UnimplementedError(
                          "StartRun: dry_run: this runner makes no dry runs"),
                      "RPC_NOT_IMPLEMENTED");
  }
  if (!request.has_budget()) return absl::OkStatus();
  return ValidateCap("budget", request.budget());
}

}  // namespace

Runner::Runner(const RunnerDeps& deps, ProducerConfigs configs,
               const RunnerOptions& options)
    : deps_(deps),
      configs_(std::move(configs)),
      options_(options),
      holder_(absl::StrCat(
          options.in_store_process ? kInProcessHolderPrefix : "", "runner-",
          absl::Hex(deps.random.Next(), absl::kZeroPad16))),
      places_(CallPlaces::Create(
          configs_,
          {options_.max_concurrency, CallRate(options_.rate), deps.metrics},
          deps.executor, deps.clock)),
      recalls_(std::make_shared<Strand>(deps.executor)),
      expansions_(std::make_shared<TaskSlots>(deps.executor, kExpansions)),
      ids_(deps.clock, deps.random),
      reductions_(deps.store.events, deps.executor),
      reported_(deps.store.events, deps.executor) {
  if (deps.metrics != nullptr) metrics_.emplace(*deps.metrics);
}

Runner::~Runner() { Drain(absl::ZeroDuration()); }

absl::StatusOr<v1::StartRunResponse> Runner::Start(
    const v1::StartRunRequest& request) {
  KINORA_RETURN_IF_ERROR(CheckStart(request));
  if (!request.request_id().empty()) {
    std::string known;
    {
      MutexLock lock(mu_);
      auto found = run_by_request_.find(request.request_id());
      if (found != run_by_request_.end()) known = found->second;
    }
    if (!known.empty()) return Remembered(known);
  }
  absl::StatusOr<v1::StartRunResponse> started =
      request.if_active() == v1::IF_ACTIVE_UNSPECIFIED
          ? StartNow(request, /*resumes=*/"")
          : StartInTurn(request);
  if (started.ok()) HeedParent(started->run());
  return started;
}

absl::StatusOr<v1::StartRunResponse> Runner::StartNow(
    const v1::StartRunRequest& request, const std::string& resumes) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<StartSlot> slot,
                          StartSlot::Take(*this, request.movie_id()));
  v1::GetMovieRequest get;
  get.set_movie_id(request.movie_id());
  KINORA_ASSIGN_OR_RETURN(v1::GetMovieResponse movie,
                          deps_.store.movies.Get(get));
  // Nothing is written before the edits are known to be good and the movie is
  // known to be ours.
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::PendingEdit> edits,
                          CheckEdits(request));
  KINORA_ASSIGN_OR_RETURN(v1::RunRecord origin, OriginOf(request));
  origin.set_resumes_run_id(resumes);
  KINORA_ASSIGN_OR_RETURN(v1::LeaseToken lease,
                          LeaseToStart(request.movie_id(), origin.run_id()));
  absl::StatusOr<v1::StartRunResponse> response =
      StartUnderLease(request, origin, edits, movie.movie(), lease);
  if (!response.ok()) {
    Release(lease);
  } else {
    Remember(request.request_id(), origin.run_id());
  }
  return response;
}

absl::StatusOr<std::vector<v1::PendingEdit>> Runner::CheckEdits(
    const v1::StartRunRequest& request) {
  if (request.edits().empty()) return std::vector<v1::PendingEdit>();
  v1::ValidateInputsRequest validate;
  validate.set_movie_id(request.movie_id());
  *validate.mutable_edits() = request.edits();
  KINORA_ASSIGN_OR_RETURN(v1::ValidateInputsResponse valid,
                          deps_.planner.ValidateInputs(validate));
  return std::vector<v1::PendingEdit>(valid.edits().begin(),
                                      valid.edits().end());
}

absl::StatusOr<v1::StartRunResponse> Runner::StartUnderLease(
    const v1::StartRunRequest& request, const v1::RunRecord& origin,
    const std::vector<v1::PendingEdit>& edits, const v1::Movie& movie,
    const v1::LeaseToken& lease) {
  if (!edits.empty()) {
    KINORA_RETURN_IF_ERROR(AppendInputEdits(deps_.store, movie.movie_id(),
                                            edits, request.request_id())
                               .status());
  }
  KINORA_ASSIGN_OR_RETURN(Prepared prepared, Prepare(request, movie));

  v1::RunRecord& record = prepared.record;
  record.set_run_id(origin.run_id());
  record.set_resumes_run_id(origin.resumes_run_id());
  record.set_parent_run_id(origin.parent_run_id());
  record.set_parent_job_id(origin.parent_job_id());
  record.set_root_run_id(origin.root_run_id());
  record.set_trigger_event_json(origin.trigger_event_json());
  record.set_dispatch(request.dispatch());
  record.set_max_concurrency(request.max_concurrency());
  if (request.has_budget()) *record.mutable_budget() = request.budget();
  RunBudget budget =
      BudgetOf(record, *prepared.plan, prepared.prices, RunBudget());
  KINORA_RETURN_IF_ERROR(LimitByMovie(record, &budget));
  KINORA_RETURN_IF_ERROR(budget.CheckCurrencies());
  KINORA_ASSIGN_OR_RETURN(RunState state, StateOf(record, prepared.plan));
  record.set_status(v1::RUN_STATUS_RUNNING);
  const bool was_queued = IsQueued(origin);
  *record.mutable_create_time() =
      was_queued ? origin.create_time() : ToProto(deps_.clock.Now());
  record.mutable_jobs()->set_total(static_cast<int64_t>(state.job_count()) +
                                   prepared.plan->reused_size());
  record.mutable_jobs()->set_clean(prepared.plan->summary().clean_jobs());
  *record.mutable_labels() = request.labels();
  record.set_traceparent(CurrentTrace().ToString());
  KINORA_RETURN_IF_ERROR(PutRecord(record, lease));
  // Of one that was queued the ledger has told that.
  if (!was_queued) KINORA_RETURN_IF_ERROR(AppendCreated(record, lease));
  Launch(record, prepared.plan, std::move(state), std::nullopt,
         std::move(budget), lease);

  v1::StartRunResponse response;
  *response.mutable_run() = record;
  *response.mutable_plan() = prepared.header;
  return response;
}

absl::StatusOr<RunState> Runner::StateOf(const v1::RunRecord& record,
                                         std::shared_ptr<const v1::Plan> plan) {
  RunStateOptions options;
  options.layered = record.dispatch() == v1::DISPATCH_MODE_LAYERED;
  options.max_concurrency = options_.max_concurrency;
  if (record.max_concurrency() > 0) {
    options.max_concurrency =
        std::min(record.max_concurrency(), options_.max_concurrency);
  }
  options.retry = options_.retry;
  for (const auto& config : configs_) {
    options.producers[config.first] = {config.second.concurrency,
                                       config.second.max_attempts,
                                       config.second.job_timeout};
  }
  return RunState::Create(std::move(plan), options, deps_.random);
}

absl::Status Runner::AppendCreated(const v1::RunRecord& record,
                                   const v1::LeaseToken& lease,
                                   bool only_first) {
  v1::Event created = LedgerEventAt(
      {record.movie_id(), record.run_id(), record.target_revision()},
      NowMillis(deps_.clock));
  v1::RunCreatedEvent* event = created.mutable_ledger()->mutable_run_created();
  event->set_movie_id(record.movie_id());
  event->set_status("queued");
  event->set_runtime_backend("kinora");
  v1::AppendEventsRequest append = LedgerAppend(
      {record.movie_id(), record.run_id(), ""}, lease, std::move(created));
  if (only_first) append.set_expected_sequence(0);
  return AppendAndTell(append).status();
}

RunActorDeps Runner::ActorDeps() {
  return {deps_.store,    deps_.producers,
          configs_,       deps_.executor,
          deps_.clock,    deps_.planner,
          places_,        metrics_.has_value() ? &*metrics_ : nullptr,
          deps_.listener, deps_.watchdog,
          deps_.renewals, options_.durations_patience,
          recalls_,       expansions_,
          deps_.recorder};
}

void Runner::Launch(const v1::RunRecord& record,
                    std::shared_ptr<const v1::Plan> plan, RunState state,
                    std::optional<RunPast> past, RunBudget budget,
                    const v1::LeaseToken& lease) {
  const RunActorDeps actor_deps = ActorDeps();
  std::shared_ptr<RunActor> actor = RunActor::Create(
      actor_deps, record, std::move(plan), std::move(state), std::move(past),
      std::move(budget), lease, options_.lease_ttl,
      [this, movie_id = record.movie_id()] { Ended(movie_id); });
  bool draining = false;
  {
    MutexLock lock(mu_);
    active_[record.movie_id()] = actor;
    draining = draining_;
  }
  if (metrics_.has_value()) metrics_->RunBegan();
  actor->Start();
  if (draining) actor->Stop(true);
}

absl::StatusOr<std::shared_ptr<const v1::Plan>> Runner::LoadPlan(
    const std::string& movie_id, const std::string& plan_hash) {
  KINORA_ASSIGN_OR_RETURN(
      v1::Plan plan, ReadSavedPlan(deps_.store.plans, movie_id, plan_hash));
  return std::make_shared<const v1::Plan>(std::move(plan));
}

void Runner::Remember(const std::string& request_id,
                      const std::string& run_id) {
  if (request_id.empty()) return;
  MutexLock lock(mu_);
  if (!run_by_request_.emplace(request_id, run_id).second) return;
  requests_.push_back(request_id);
  if (requests_.size() <= kMaxRemembered) return;
  run_by_request_.erase(requests_.front());
  requests_.pop_front();
}

void Runner::Ended(const std::string& movie_id) {
  std::shared_ptr<RunActor> actor;  // destroyed outside the lock
  {
    MutexLock lock(mu_);
    auto found = active_.find(movie_id);
    if (found != active_.end()) {
      actor = std::move(found->second);
      active_.erase(found);
      if (actor->mistook_results()) look_up_all_.insert(actor->run_id());
      if (metrics_.has_value()) metrics_->RunLeft();
    }
    // Counted before anybody may think that the runner is idle.
    queue_looks_ += actor != nullptr && actor->cancelled() ? 2 : 1;
    ended_cv_.SignalAll();
  }
  PostQueueLook(movie_id);
  // A look reads the records of all runs that go on: only where it may matter.
  if (actor != nullptr && actor->cancelled()) PostChildrenLook(actor->run_id());
}

bool Runner::IsIdle() {
  return active_.empty() && steps_.empty() && starting_.empty() &&
         end_watches_.empty() && !adopting_ && queue_looks_ == 0;
}

bool Runner::WaitUntilIdle(absl::Duration limit) {
  const int64_t deadline = DeadlineAfter(RealClock(), limit);
  MutexLock lock(mu_);
  while (!IsIdle()) {
    if (!ended_cv_.WaitUntil(mu_, deadline)) return IsIdle();
  }
  return true;
}

void Runner::Drain(absl::Duration limit) {
  for (bool now : {false, true}) {
    {
      MutexLock lock(mu_);
      draining_ = true;
      if (deps_.executor.Cancel(adoption_timer_)) adopting_ = false;
      for (const auto& active : active_) active.second->Stop(now);
      for (const auto& step : steps_) step->Stop(now);
      for (const auto& watch : end_watches_) watch.second->GiveUp();
    }
    if (WaitUntilIdle(now ? absl::InfiniteDuration() : limit)) return;
  }
}

}  // namespace kinora
