#include "tests/model/model_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/run_end.h"
#include "common/status.h"
#include "kinora/v1/config.pb.h"

namespace kinora {
namespace {

// A film takes some minutes of virtual time, with all that goes wrong.
constexpr absl::Duration kPatience = absl::Hours(2);
constexpr absl::Duration kLeaseTtl = absl::Seconds(6);
constexpr absl::Duration kBetweenLooks = absl::Seconds(20);
// Nothing that a run does is put off for longer.
constexpr absl::Duration kLongestDelay = absl::Minutes(1);

ProducerConfigs ConfigsOf(const ModelRunOptions& options) {
  ProducerConfigs configs = ModelProducerConfigs(options.max_attempts);
  // Else one that does not say its price in time has its jobs wait for
  // somebody.
  if (options.is_patient) {
    configs["free"].in_doubt = v1::IN_DOUBT_POLICY_CALL_AGAIN;
  }
  return configs;
}

}  // namespace

// A runner with what it needs. One that was killed is kept until what it has
// under way has found that out.
struct ModelRun::Process {
  Process(ModelRun& run, std::optional<KillPoint> kill, uint64_t seed)
      : cut(run.store_, run.idle_.maintenance, run.truth_, kill),
        planner(cut.store()),
        caller(run.producers_, cut),
        random(seed),
        runner(
            {cut.store(), planner, caller, run.executor_, run.clock_, random},
            ConfigsOf(run.options_), {.lease_ttl = kLeaseTtl}) {
    cut.OnLedger([&run] { run.Strike(); });
  }

  StoreCut cut;
  StorePlanner planner;
  ModelCaller caller;
  SeededRandom random;
  Runner runner;
};

ModelRun::ModelRun(const ModelRunOptions& options)
    : options_(options),
      random_(options.seed),
      executor_(clock_, options.seed + 1),
      store_(options.store, clock_, executor_, random_),
      producers_(executor_, random_, store_, truth_, options.faults) {
  if (options_.budget_micros > 0) truth_.Limit(options_.budget_micros);
  store_.OnRestart(
      [this](const Store& store) { return truth_.Recovered(store, kMovie); });
}

ModelRun::~ModelRun() {
  // A runner waits for its end until its runs have ended, which nobody but this
  // thread brings about; and what was put off must find the runner there.
  if (rival_ != nullptr) rival_->cut.Cut();
  for (const std::unique_ptr<Process>& process : processes_) {
    process->cut.Cut();
  }
  executor_.Advance(kLongestDelay);
}

v1::LogName ModelRun::LedgerOf(const v1::RunRecord& record) {
  v1::LogName log;
  log.set_movie_id(kMovie);
  log.set_kind(v1::LOG_KIND_LEDGER);
  log.set_run_id(record.run_id());
  return log;
}

absl::Status ModelRun::NotAsItShould(const std::string& what) {
  return absl::InternalError(what);
}

int ModelRun::Below(int bound) {
  return static_cast<int>(UniformBelow(random_, static_cast<uint64_t>(bound)));
}

ModelRun::Process& ModelRun::Last() { return *processes_.back(); }

std::vector<std::vector<std::string>> ModelRun::changes() const {
  std::vector<std::vector<std::string>> changes;
  for (const std::unique_ptr<Process>& process : processes_) {
    changes.push_back(process->cut.changes());
  }
  if (rival_ != nullptr) changes.push_back(rival_->cut.changes());
  return changes;
}

std::unique_ptr<ModelRun::Process> ModelRun::NewProcess(
    std::optional<KillPoint> kill) {
  return std::make_unique<Process>(*this, kill, random_.Next());
}

absl::StatusOr<ModelRun::End> ModelRun::Play(
    const std::vector<KillPoint>& kills) {
  KINORA_RETURN_IF_ERROR(store_.Open());
  v1::CreateMovieRequest create;
  create.set_movie_id(kMovie);
  create.set_blueprint(options_.blueprint);
  KINORA_RETURN_IF_ERROR(
      store_
          .Ask([&](const Store& store) { return store.movies.Create(create); })
          .status());
  store_.Arm();
  if (options_.has_rival) {
    rival_ = NewProcess(std::nullopt);
    rival_->runner.KeepAdopting();
  }
  LookAfter();
  producers_.OnLookUp([this] {
    if (Below(4) == 0 && !options_.is_patient) LookNow();
  });
  for (size_t life = 0;; ++life) {
    std::optional<KillPoint> kill;
    if (life < kills.size()) kill = kills[life];
    processes_.push_back(NewProcess(kill));
    const absl::StatusOr<bool> has_ended = Live();
    KINORA_RETURN_IF_ERROR(has_ended.status());
    if (*has_ended) return CheckEnd();
    // What it had under way comes to nothing meanwhile.
    executor_.Advance(kLeaseTtl / 2 + absl::Milliseconds(Below(6000)));
  }
}

// The first runner is asked to start the run, later ones look for it. Again, if
// the first was killed before there was one.
absl::Status ModelRun::Start() {
  Last().runner.KeepAdopting();
  v1::StartRunRequest request;
  request.set_movie_id(kMovie);
  request.set_dispatch(options_.layered ? v1::DISPATCH_MODE_LAYERED
                                        : v1::DISPATCH_MODE_EAGER);
  if (options_.budget_micros > 0) {
    request.mutable_budget()->set_currency_code("USD");
    request.mutable_budget()->set_micros(options_.budget_micros);
  }
  for (int attempt = 0; attempt < 100; ++attempt) {
    const absl::StatusOr<v1::RunRecord> record = Record();
    if (record.ok() || Last().cut.is_cut()) return absl::OkStatus();
    // Whoever held the lease is dead.
    executor_.Advance(2 * kLeaseTtl);
    if (!absl::IsNotFound(Record().status()) || !IsLeaseFree()) continue;
    const absl::Status started = Last().runner.Start(request).status();
    if (started.ok() || Last().cut.is_cut()) return absl::OkStatus();
    // It may have begun though its answer was lost with the store.
    if (absl::IsUnavailable(started) || Record().ok()) continue;
    return Annotate(started, "start");
  }
  return NotAsItShould("the run cannot be started");
}

// Else a start waits, on the one thread there is. A store that was started
// again grants what was held once more.
bool ModelRun::IsLeaseFree() {
  v1::GetLeaseRequest get;
  get.set_lease_id(absl::StrCat("movie/", kMovie));
  const absl::StatusOr<v1::GetLeaseResponse> held =
      store_.Ask([&](const Store& store) { return store.leases.Get(get); });
  return absl::IsNotFound(held.status()) ||
         (held.ok() && held->lease().expires_in().seconds() <= 0 &&
          held->lease().expires_in().nanos() <= 0);
}

absl::StatusOr<bool> ModelRun::Live() {
  KINORA_RETURN_IF_ERROR(Start());
  changes_looked_at_.reset();
  absl::StatusOr<bool> ended = false;
  const bool in_time = executor_.AdvanceUntil(
      [this, &ended] {
        ended = HasEnded();
        return !ended.ok() || *ended || Last().cut.is_cut();
      },
      kPatience);
  if (!in_time) return NotAsItShould("the run does not come to an end");
  return ended;
}

absl::StatusOr<v1::RunRecord> ModelRun::Record() {
  v1::ListRunRecordsRequest list;
  list.set_movie_id(kMovie);
  KINORA_ASSIGN_OR_RETURN(
      const v1::ListRunRecordsResponse runs,
      store_.Ask([&](const Store& store) { return store.runs.List(list); }));
  if (runs.records().empty()) return absl::NotFoundError("no run");
  if (runs.records_size() > 1) return NotAsItShould("more than one run");
  return runs.records(0);
}

absl::StatusOr<bool> ModelRun::HasEnded() {
  KINORA_RETURN_IF_ERROR(store_.broken());
  if (!truth_.violations().empty()) {
    return NotAsItShould(absl::StrJoin(truth_.violations(), "; "));
  }
  // Asked after everything that happens, most of which changes nothing.
  size_t changes = Last().cut.changes().size();
  if (rival_ != nullptr) changes += rival_->cut.changes().size();
  if (std::exchange(changes_looked_at_, changes) == changes) return false;
  const absl::StatusOr<v1::RunRecord> record = Record();
  if (absl::IsNotFound(record.status())) return false;
  if (absl::IsUnavailable(record.status())) {
    changes_looked_at_.reset();
    return false;
  }
  if (!record.ok()) return record.status();
  Follow(*record);
  return IsTerminal(record->status());
}

void ModelRun::Follow(const v1::RunRecord& record) {
  if (follower_ != nullptr) return;
  follower_ =
      std::make_unique<LedgerFollower>(store_, executor_, LedgerOf(record));
  follower_->Follow();
}

void ModelRun::LookAfter() {
  executor_.PostAfter(kBetweenLooks, [this] {
    if (!options_.is_patient) LookNow();
    AnswerNow();
    LookAfter();
  });
}

void ModelRun::LookNow() {
  const absl::StatusOr<v1::RunRecord> record = Record();
  for (Process* process : {&Last(), rival_.get()}) {
    if (process == nullptr || !record.ok() || process->cut.is_cut()) continue;
    v1::GetRunRequest get;
    get.set_run_id(record->run_id());
    const absl::StatusOr<v1::GetRunResponse> run = process->runner.Get(get);
    if (!run.ok() || run->run().record().status() != v1::RUN_STATUS_WAITING) {
      continue;
    }
    v1::RetryRunRequest retry;
    retry.set_run_id(record->run_id());
    if (process->runner.Retry(retry).ok()) {
      truth_.Retried();
      was_retried_ = true;
    }
  }
}

void ModelRun::AnswerNow() {
  v1::ListQuestionsRequest list;
  list.set_movie_id(kMovie);
  Runner& runner = Last().runner;
  if (Last().cut.is_cut()) return;
  const absl::StatusOr<v1::ListQuestionsResponse> asked =
      runner.ListQuestions(list);
  if (!asked.ok()) return;
  for (const v1::PendingQuestion& question : asked->questions()) {
    // What it asks for itself is whether it may cost more.
    if (question.job_id().empty()) {
      if (options_.raise_micros > 0) RaiseBudget(question.run_id());
      continue;
    }
    v1::AnswerQuestionRequest answer;
    answer.set_run_id(question.run_id());
    answer.set_job_id(question.job_id());
    answer.mutable_answer()->set_question_id(question.question().question_id());
    answer.mutable_answer()->set_value_json("\"The Whale\"");
    runner.AnswerQuestion(answer).IgnoreError();  // asked again if in vain
  }
}

void ModelRun::RaiseBudget(const std::string& run_id) {
  v1::SetRunBudgetRequest raise;
  raise.set_run_id(run_id);
  raise.mutable_cap()->set_currency_code("USD");
  raise.mutable_cap()->set_micros(truth_.cap().value_or(0) +
                                  options_.raise_micros);
  Last().runner.SetBudget(raise).IgnoreError();  // asked again if in vain
}

void ModelRun::Strike() {
  const Victims victims = options_.strike(ledger_appends_++);
  if (victims.runner) Last().cut.Cut();
  if (victims.store) store_.KillNow();
  if (victims.producers) producers_.Kill();
}

}  // namespace kinora
