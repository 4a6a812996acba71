// The part of RunActor that keeps the run within its budget.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/questions/budget_question.h"

namespace kinora {
namespace {

constexpr absl::Duration kMovieCapPeriod = absl::Seconds(1);

// True if what is charged is more than what was reserved, or cannot be compared
// with it. What has no declared price may cost anything.
bool IsBreach(const v1::Cost& reserved, const v1::Cost& charged) {
  if (reserved.micros() == 0 || charged.micros() == 0) return false;
  return charged.micros() > reserved.micros() ||
         (!charged.currency_code().empty() &&
          !reserved.currency_code().empty() &&
          charged.currency_code() != reserved.currency_code());
}

}  // namespace

// Reserves what the job's next attempt may cost.
bool RunActor::MayAfford(JobIndex job) {
  const std::string& job_id = state_.job(job).job_id();
  const v1::PlannedNode& node = state_.node(job);
  const v1::Cost price = budget_.PriceOf(node);
  if (watch_->behind() && price.micros() > 0) {
    // A lower cap may hold by now.
    held_.for_now = true;
    return false;
  }
  std::optional<RunBudget::Obstacle> obstacle =
      budget_.Reserve(job_id, node.producer().name(), price);
  if (!obstacle.has_value()) return true;
  if (obstacle->scope == RunBudget::Scope::kMovie) WatchMovieCap();
  held_.unaffordable = job;
  held_.obstacle = *std::move(obstacle);
  return false;
}

// What there is to say if the budget holds jobs back.
v1::JobEvent RunActor::OverBudget() const {
  return OverBudgetEvent(movie_id(), run_id(),
                         state_.job(*held_.unaffordable).job_id(),
                         held_.obstacle);
}

// Asks whether the run may cost more, unless that is what it asks already: a
// process before this one may have.
void RunActor::AskForBudget(const v1::JobEvent& over_budget) {
  if (questions_.CheckBudgetPending(over_budget.message()).ok()) return;
  *AddLedger()->mutable_job() = over_budget;
  questions_.Ask(ledger_events_.back().ledger());
}

// A job could be afforded, so what was asked has been settled.
void RunActor::SettleBudgetQuestion() {
  v1::LedgerEvent started;
  started.mutable_step_started();
  questions_.Apply(started);
}

// Somebody has set the cap, as the ledger says there. It may have been this
// process, or another before it: the last cap in the ledger is the one that
// holds, and what is asked behind another is not settled by that.
void RunActor::HeedBudget(const v1::LedgerEvent& set, int64_t sequence) {
  // What this one is about to set is behind it in the ledger.
  MutexLock one(end_mu_);
  std::optional<v1::Cost> cap;
  if (set.run_budget().has_cap()) cap = set.run_budget().cap();
  budget_.HeedCap(cap, sequence);
  questions_.ApplyCap(set, sequence);
}

// Appends what the batch tells. An attempt that may cost something is told only
// right behind what this run has heeded: who was told that a lower cap holds
// can rely on it, at whichever runner that was. Where something has come in
// between, such attempts are not started before it was heeded.
absl::Status RunActor::TellBatch(std::vector<JobIndex>* starts) {
  only_if_heeded_ =
      step_ == nullptr &&
      std::any_of(starts->begin(), starts->end(), [this](JobIndex job) {
        return budget_.ReservedFor(state_.job(job).job_id()).micros() > 0;
      });
  const absl::Status told = FlushQuestions();
  if (!std::exchange(only_if_heeded_, false) ||
      ReasonOf(told) != "SEQUENCE_MISMATCH") {
    return told;
  }
  TakeBackPriced(starts);
  Heed();
  return FlushQuestions();
}

// Of a batch too large for one append some may have been told already.
void RunActor::TakeBackPriced(std::vector<JobIndex>* starts) {
  const auto is_priced = [](const v1::Event& event) {
    return event.ledger().step_started().reserved().micros() > 0;
  };
  std::set<std::string> untold;
  for (const v1::Event& event : ledger_events_) {
    if (!is_priced(event)) continue;
    untold.insert(event.ledger().step_started().step().step_id());
  }
  ledger_events_.erase(
      std::remove_if(ledger_events_.begin(), ledger_events_.end(), is_priced),
      ledger_events_.end());
  std::vector<JobIndex> kept;
  for (JobIndex job : *starts) {
    if (untold.count(state_.job(job).job_id()) == 0) {
      kept.push_back(job);
      continue;
    }
    budget_.TakeBack(state_.job(job).job_id());
    state_.TakeBackStart(job);
  }
  *starts = std::move(kept);
}

// The store does not tell of a movie's new limits, so they are looked at.
void RunActor::WatchMovieCap() {
  if (watching_movie_cap_) return;
  watching_movie_cap_ = true;
  std::weak_ptr<RunActor> weak = weak_from_this();
  deps_.executor.PostAfter(kMovieCapPeriod, [weak] {
    if (auto self = weak.lock()) self->ReadMovieCap();
  });
}

// Not on the strand: the call may take its time.
void RunActor::ReadMovieCap() {
  v1::GetMovieRequest get;
  get.set_movie_id(movie_id());
  const absl::StatusOr<v1::GetMovieResponse> movie =
      deps_.store.movies.Get(get);
  if (movie.ok()) budget_.SetMovieCap(MovieCapOf(movie->movie()));
  Post(MovieCapRead{});
}

void RunActor::Take(const MovieCapRead&) { watching_movie_cap_ = false; }

// `asks` if it has ended to wait for an answer.
void RunActor::SettleAttempt(JobIndex job, const AttemptResult& result,
                             bool asks) {
  const std::string& job_id = state_.job(job).job_id();
  // What waits for an answer has made nothing, and is called again.
  const bool failed =
      result.failure.has_value() || result.waits_for.has_value();
  // The ledger does not tell the end of an attempt that fails in a stop: to
  // whoever goes on with the run it is lost. That one asks it tells.
  const bool left_open = stopping_ && failed && !asks;
  RunBudget::End end = RunBudget::End::kSucceeded;
  if (failed) end = RunBudget::End::kFailed;
  if (result.in_doubt || left_open) end = RunBudget::End::kLost;
  const v1::Cost reserved = budget_.ReservedFor(job_id);
  const v1::Cost charged = budget_.Settle(job_id, end, result.cost);
  if (left_open && charged.micros() > 0) {
    ledger_events_.push_back(
        ChargedEvent(identity_, NowMillis(deps_.clock), job_id, charged));
  }
  if (!left_open) charges_[job] = charged;
  if (!IsBreach(reserved, charged)) return;
  v1::JobEvent* event = AddLedger()->mutable_job();
  event->set_type("overcharged");
  event->set_job_id(job_id);
  event->set_message(
      absl::StrCat("producer ", state_.node(job).producer().name(), " charged ",
                   FormatCost(charged), " for what was said to cost at most ",
                   FormatCost(reserved)));
  event->set_detail_json(CostDetail(charged));
  LogWarning("a job cost more than declared",
             {{"run", run_id()}, {"job", job_id}, {"why", event->message()}});
}

// The same for a job that a process before this one has finished.
void RunActor::SettleFound(JobIndex job, const std::optional<v1::Cost>& cost) {
  const std::string& job_id = state_.job(job).job_id();
  if (IsTold(job_id, JobStatus::kSucceeded)) return;
  charges_[job] = budget_.Settle(job_id, RunBudget::End::kSucceeded, cost);
}

v1::Cost RunActor::TakeCharge(JobIndex job) {
  const auto found = charges_.find(job);
  if (found == charges_.end()) return v1::Cost();
  v1::Cost cost = std::move(found->second);
  charges_.erase(found);
  return cost;
}

absl::StatusOr<v1::SetRunBudgetResponse> RunActor::SetBudget(
    const std::optional<v1::Cost>& cap, const std::string& answers) {
  // One at a time: the last one in the ledger is the one that holds.
  MutexLock one(end_mu_);
  KINORA_RETURN_IF_ERROR(CheckOpen());
  v1::SetRunBudgetResponse response;
  // What the run asks meanwhile comes behind it, in the ledger and here.
  KINORA_RETURN_IF_ERROR(questions_.RecordAlone([&]() -> absl::Status {
    if (!answers.empty()) {
      KINORA_RETURN_IF_ERROR(questions_.CheckBudgetPending(answers));
    }
    KINORA_ASSIGN_OR_RETURN(response, RecordCap(cap));
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::SetRunBudgetResponse> RunActor::RecordCap(
    const std::optional<v1::Cost>& cap) {
  const v1::Event event = BudgetEvent(identity_, NowMillis(deps_.clock), cap);
  bool asks = false;
  int64_t sequence = 0;
  const absl::StatusOr<v1::SetRunBudgetResponse> set =
      budget_.SetCap(cap, [&]() -> absl::StatusOr<int64_t> {
        asks = true;
        KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse told,
                                deps_.store.events.Append(LedgerAppend(
                                    identity_, lease_->token(), event)));
        sequence = told.last_sequence();
        return sequence;
      });
  if (!asks) return set;
  if (set.ok()) questions_.ApplyCap(event.ledger(), sequence);
  // What was appended is no news to this run, but others may have come between.
  Heed();
  Post(BudgetSet{});
  return set;
}

void RunActor::Take(const BudgetSet&) {
  // The ledger has it; the record is for those who look at the run.
  const absl::Status put = PutRecord();
  if (put.ok()) return;
  LogWarning("run record not written", {{"run", run_id()}, {"error", put}});
}

// With what the run may cost and has cost.
absl::Status RunActor::PutRecord() {
  budget_.Write(&record_);
  v1::PutRunRecordRequest request;
  *request.mutable_record() = record_;
  *request.mutable_lease() = lease_->token();
  return deps_.store.runs.Put(request).status();
}

}  // namespace kinora
