#include "services/runner/replay/dry_runs.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/ids.h"
#include "common/proto_time.h"
#include "common/run_budget.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/planner/movie_reader.h"
#include "services/planner/store_planner.h"
#include "services/runner/marked_thread_pool.h"
#include "services/runner/replay/dry_run_watch.h"
#include "services/runner/replay/simulated_producers.h"
#include "services/runner/run_recovery.h"
#include "services/store/event/ledger_log.h"
#include "services/store/scratch/scratch_movie.h"

namespace kinora {
namespace {

absl::Status CheckDryRun(const v1::StartRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  if (!request.parent_run_id().empty()) {
    return InvalidField("parent_run_id", request.parent_run_id(),
                        "a dry run is nobody's child");
  }
  if (request.if_active() == v1::IF_ACTIVE_UNSPECIFIED) return absl::OkStatus();
  return InvalidField("if_active", v1::IfActive_Name(request.if_active()),
                      "a dry run neither waits for other runs nor stops them");
}

// No time passes between calls that are not made.
ProducerConfigs WithoutRates(ProducerConfigs configs) {
  for (auto& config : configs) {
    config.second.rate = CallRateLimit();
  }
  return configs;
}

RunnerOptions WithoutRate(RunnerOptions options) {
  options.rate = CallRateLimit();
  return options;
}

// A plan that exists, into the copy.
absl::Status CopyPlan(PlanStore& original, PlanStore& copy,
                      const std::string& movie_id,
                      const std::string& plan_hash) {
  v1::LoadPlanRequest load;
  load.set_movie_id(movie_id);
  load.set_plan_hash(plan_hash);
  KINORA_ASSIGN_OR_RETURN(const std::string json, original.Load(load));
  v1::SavePlanHeader save;
  save.set_movie_id(movie_id);
  save.set_expected_hash(plan_hash);
  return copy.Save(save, json).status();
}

// What earlier runs have cost counts if there is a limit for all of the
// movie's. Those that go on count with what they have cost so far, and are as
// ended in the copy: it is not for this run to go on with them.
absl::Status CopyCosts(const Store& original, const Store& copy,
                       const std::string& movie_id) {
  v1::GetMovieRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse movie,
                          copy.movies.Get(get));
  if (!MovieCapOf(movie.movie()).has_value()) return absl::OkStatus();
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id(absl::StrCat("movie/", movie_id));
  acquire.set_holder("dry-run");
  acquire.set_purpose("costs of earlier runs");
  *acquire.mutable_ttl() = ToProto(absl::Minutes(10));
  KINORA_ASSIGN_OR_RETURN(const v1::AcquireLeaseResponse acquired,
                          copy.leases.Acquire(acquire));
  v1::ListRunRecordsRequest list;
  list.set_movie_id(movie_id);
  list.set_page_size(1'000);
  do {
    KINORA_ASSIGN_OR_RETURN(const v1::ListRunRecordsResponse page,
                            original.runs.List(list));
    for (const v1::RunRecord& run : page.records()) {
      if (run.status() == v1::RUN_STATUS_UNSPECIFIED) {
        // What one has spent that cannot be read is not nothing.
        v1::GetRunRecordRequest unread;
        unread.set_run_id(run.run_id());
        KINORA_RETURN_IF_ERROR(original.runs.Get(unread).status());
      }
      if (run.cost().micros() == 0 && run.other_costs().empty()) continue;
      v1::PutRunRecordRequest put;
      *put.mutable_lease() = acquired.lease().token();
      *put.mutable_record() = run;
      put.mutable_record()->clear_queued_request_json();
      if (!IsTerminal(run.status())) {
        put.mutable_record()->set_status(v1::RUN_STATUS_TERMINATED);
      }
      KINORA_RETURN_IF_ERROR(copy.runs.Put(put).status());
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = acquired.lease().token();
  return copy.leases.Release(release).status();
}

absl::StatusOr<std::vector<v1::Event>> LedgerOf(EventStore& events,
                                                const v1::RunRecord& record) {
  v1::ReadEventsRequest read;
  *read.mutable_log() = LedgerLog(record.movie_id(), record.run_id());
  std::vector<v1::Event> ledger;
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page, events.ReadPage(read));
    if (page.events().empty()) return ledger;
    for (v1::Event& event : *page.mutable_events()) {
      ledger.push_back(std::move(event));
    }
    read.set_after_sequence(page.bookmark().sequence());
  }
}

}  // namespace

DryRuns::DryRuns(const RunnerDeps& deps, ProducerConfigs configs,
                 const RunnerOptions& options)
    : deps_(deps),
      configs_(WithoutRates(std::move(configs))),
      options_(WithoutRate(options)) {}

DryRuns::~DryRuns() {
  Stop();
  MutexLock lock(mu_);
  while (under_way_ > 0) cv_.Wait(mu_);
}

void DryRuns::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
  cv_.SignalAll();
}

absl::StatusOr<v1::StartRunResponse> DryRuns::Start(
    const v1::StartRunRequest& request) {
  KINORA_RETURN_IF_ERROR(CheckDryRun(request));
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<Seat> seat, Seat::Take(*this));
  v1::StartRunResponse response;
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const EndedDryRun> run,
                          CarryOut(request, response.mutable_plan()));
  *response.mutable_run() = run->run.record();
  Keep(run);
  return response;
}

absl::StatusOr<std::shared_ptr<const EndedDryRun>> DryRuns::CarryOut(
    const v1::StartRunRequest& request, v1::PlanHeader* plan) {
  const std::string& movie_id = request.movie_id();
  // Its lines tell of no run that counts.
  static constexpr absl::string_view kMark = "dry_run";
  const LogMark mark(kMark);
  // In the order in which they need each other.
  MarkedThreadPool executor("dry-run", kDryRunThreads, kMark);
  KINORA_ASSIGN_OR_RETURN(
      const std::unique_ptr<ScratchMovie> scratch,
      ScratchMovie::CopyOf(deps_.store, movie_id, deps_.clock, executor));
  const Store store = scratch->store();
  KINORA_RETURN_IF_ERROR(CopyCosts(deps_.store, store, movie_id));
  if (!request.plan_hash().empty()) {
    KINORA_RETURN_IF_ERROR(CopyPlan(deps_.store.plans, store.plans, movie_id,
                                    request.plan_hash()));
  }
  for (const v1::PendingEdit& edit : request.edits()) {
    if (edit.content().has_blob()) {
      scratch->Expect(edit.content().blob().digest());
    }
  }
  MovieReader reader(store);
  KINORA_ASSIGN_OR_RETURN(const MovieSnapshot movie, reader.Read(movie_id));
  StorePlanner planner(store);
  SimulatedProducers producers(deps_.producers, *movie.blueprint, executor);
  Watch watch(*this);
  Runner runner({store, planner, producers, executor, deps_.clock, deps_.random,
                 /*metrics=*/nullptr, &watch},
                configs_, options_);

  v1::StartRunRequest start = request;
  start.clear_dry_run();
  start.clear_request_id();
  KINORA_ASSIGN_OR_RETURN(v1::StartRunResponse started, runner.Start(start));
  KINORA_RETURN_IF_ERROR(watch.AwaitEnd(runner, store.leases, started.run()));
  // Its record comes after its ledger.
  runner.Drain(absl::InfiniteDuration());

  auto ended = std::make_shared<EndedDryRun>();
  v1::GetRunRequest get;
  get.set_run_id(started.run().run_id());
  KINORA_ASSIGN_OR_RETURN(v1::GetRunResponse run, runner.Get(get));
  ended->run = std::move(*run.mutable_run());
  KINORA_ASSIGN_OR_RETURN(ended->ledger, LedgerOf(store.events, started.run()));
  v1::RunRecord* record = ended->run.mutable_record();
  record->set_dry_run(true);
  record->clear_published_revision();
  record->clear_manifest_hash();
  RecoveryFacts facts;
  facts.run = ended->run;
  *ended->run.mutable_recovery() = RecoveryOf(facts);
  *plan = std::move(*started.mutable_plan());
  plan->set_saved(!request.plan_hash().empty());
  return std::shared_ptr<const EndedDryRun>(std::move(ended));
}

void DryRuns::Keep(std::shared_ptr<const EndedDryRun> run) {
  MutexLock lock(mu_);
  kept_events_ += run->ledger.size();
  kept_.push_back(std::move(run));
  while (kept_.size() > 1 &&
         (kept_.size() > kMaxKept || kept_events_ > kMaxKeptEvents)) {
    kept_events_ -= kept_.front()->ledger.size();
    kept_.pop_front();
  }
}

std::shared_ptr<const EndedDryRun> DryRuns::Find(absl::string_view run_id) {
  MutexLock lock(mu_);
  for (const std::shared_ptr<const EndedDryRun>& run : kept_) {
    if (run->run.record().run_id() == run_id) return run;
  }
  return nullptr;
}

}  // namespace kinora
