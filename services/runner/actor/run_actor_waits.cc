// The part of RunActor for what does not go on by itself: it holds starts back,
// says for what the run waits, and cuts waits short.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "common/status.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/past/run_events.h"

namespace kinora {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;
// What is later is no end of a wait, and more nanoseconds than can be counted.
constexpr absl::Duration kForEver = absl::Hours(24 * 366 * 100);

}  // namespace

// Whether a job whose turn it is may be called now. What says no notes why
// in `held_`.
bool RunActor::MayStart(JobIndex job) {
  if (holding_) {
    held_.for_now = true;
    return false;
  }
  if (pauses_.Holds(state_.node(job).producer().name())) {
    held_.by_pause = true;
    return false;
  }
  if (!TakePlace(job)) return false;
  // The last, as it takes the money.
  return MayAfford(job);
}

// How the run stands, as far as it takes that to know for what it waits.
RunStanding RunActor::Standing() {
  RunStanding standing;
  standing.is_over = state_.cancelled() || state_.finished();
  standing.is_paused = pauses_.whole();
  const size_t asking = AttemptsThatAsk();
  const size_t running = state_.count(JobStatus::kRunning);
  standing.running = running > asking ? running - asking : 0;
  standing.asking = asking + state_.count(JobStatus::kAsking);
  if (standing.asking > 0) standing.answered_by = FirstDeadline();
  standing.in_doubt = state_.count(JobStatus::kInDoubt);
  standing.lacks_planner = expansion_attempts_ > kPatientExpansions;
  standing.is_answered_soon = standing.in_doubt > doubts_.size() ||
                              (expanding_ && !standing.lacks_planner);
  const int64_t turn_awaited_since =
      std::exchange(turn_awaited_since_, INT64_MAX);
  // Mostly so.
  if (standing.running > 0) return standing;
  const int64_t now = deps_.clock.MonotonicNanos();
  const RunWait told = ToldWait();
  const auto next = std::min_element(
      retrying_.begin(), retrying_.end(),
      [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
  if (next != retrying_.end()) {
    standing.WaitsFor(WaitForRetry(state_.job(next->first).job_id(),
                                   state_.node(next->first).producer().name(),
                                   next->second.asked, next->second.due),
                      now, told);
  }
  if (state_.count(JobStatus::kReady) == 0) return standing;
  standing.held_by_pause = held_.by_pause;
  standing.held_by_budget = held_.unaffordable.has_value();
  standing.asks_again_soon = AsksAgainSoon();
  standing.goes_on_soon = standing.goes_on_soon || held_.for_now;
  for (const std::string& producer : held_.refused) {
    const std::optional<CallTurns::Hold> hold = seat_->HoldOf(producer);
    if (hold.has_value()) {
      standing.WaitsFor(WaitForProducer(producer, *hold), now, told);
    } else {
      turn_awaited_since_ = std::min(turn_awaited_since, now);
      standing.WaitsForTurn(producer, turn_awaited_since_, now, told);
    }
  }
  return standing;
}

// Of the questions that wait, as RunStanding has it.
int64_t RunActor::FirstDeadline() const {
  const int64_t next = questions_.NextVerdictMillis(
      [this](const std::string& job_id) { return HasToSettle(job_id); });
  // What people have decided is about to be told, and no news of the wait.
  if (next == 0) return waiting_for_ == kQuestion ? told_until_ : INT64_MAX;
  if (next == INT64_MAX) return INT64_MAX;
  const absl::Duration left = absl::Milliseconds(next - NowMillis(deps_.clock));
  if (left > kForEver) return INT64_MAX;
  return deps_.clock.MonotonicNanos() + absl::ToInt64Nanoseconds(left);
}

// What the ledger says of it.
RunWait RunActor::ToldWait() const {
  return {waiting_for_, told_wait_.message(), told_until_};
}

void RunActor::TellWaiting() {
  // A step is not all of the run.
  if (step_ != nullptr) return;
  RunWait wait = WaitOf(Standing());
  if (wait.reason.empty() && waiting_for_.empty()) return;
  v1::JobEvent over_budget;
  if (wait.reason == kBudget) {
    over_budget = OverBudget();
    wait.message = over_budget.message();
  }
  if (wait.IsKnownBy(ToldWait())) {
    // A cap that was changed and changed back has settled the question.
    if (wait.reason == kBudget) AskForBudget(over_budget);
    return;
  }
  if (!waiting_for_.empty() && wait.reason != waiting_for_) {
    AddLedger()->mutable_run_resumed()->set_reason(waiting_for_);
  }
  if (wait.reason == kBudget) AskForBudget(over_budget);
  v1::RunWaitingEvent waiting;
  waiting.set_reason(wait.reason);
  waiting.set_message(wait.message);
  if (wait.until != INT64_MAX) {
    waiting.set_until_ms(NowMillis(deps_.clock) +
                         (wait.until - deps_.clock.MonotonicNanos()) /
                             kNanosPerMilli);
  }
  if (!wait.reason.empty()) *AddLedger()->mutable_run_waiting() = waiting;
  waiting_for_ = wait.reason;
  told_wait_ = std::move(waiting);
  told_until_ = wait.until;
}

// The job waits for its next attempt.
void RunActor::BeginWait(JobIndex job) {
  const std::string& job_id = state_.job(job).job_id();
  const uint32_t attempt = state_.attempts(job);
  const bool is_told = past_.has_value() &&
                       past_->Of(job_id).attempts == attempt &&
                       past_->AwaitsAttempt(job_id);
  waits_.Begin(job_id, {.job = job, .attempt = attempt}, is_told);
}

absl::StatusOr<std::vector<std::string>> RunActor::Retry(
    const std::string& job_id) {
  std::vector<std::string> ids;
  RetryCall call;
  for (const auto& [id, wait] : waits_.Find(job_id)) {
    ids.push_back(id);
    call.waits.push_back(wait);
  }
  if (ids.empty()) return ids;
  MutexLock alone(end_mu_);
  KINORA_RETURN_IF_ERROR(CheckOpen());
  v1::Event event = LedgerEventAt(identity_, NowMillis(deps_.clock));
  event.mutable_ledger()->MergeFrom(RetryRequest(job_id));
  KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse told,
                          deps_.store.events.Append(LedgerAppend(
                              identity_, lease_->token(), std::move(event))));
  own_retries_.insert(told.last_sequence());
  Post(std::move(call));
  return ids;
}

// One that this process has written means the waits that it was asked for, and
// knows them: others may have begun before the ledger had it.
bool RunActor::IsOwnRetry(int64_t sequence) {
  MutexLock alone(end_mu_);
  return own_retries_.erase(sequence) > 0;
}

void RunActor::Take(const RetryCall& call) {
  for (const JobWait& wait : call.waits) {
    // It may have ended by itself, or by the same request as the ledger has it,
    // and another begun.
    if (!waits_.IsIn(state_.job(wait.job).job_id(), wait)) continue;
    if (state_.status(wait.job) == JobStatus::kInDoubt) {
      Resolve(wait.job, "");
    } else if (retrying_.erase(wait.job) > 0) {
      waits_.End(state_.job(wait.job).job_id());
      facts_.push_back(RetryDue{wait.job});
    }
  }
}

}  // namespace kinora
