// The part of RunActor that finds out what became of attempts that were lost
// before they may be paid for twice.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/calls/attempt_redaction.h"

namespace kinora {
namespace {

// Between two questions to a producer that does not answer.
constexpr absl::Duration kFirstDelay = absl::Seconds(1);
constexpr absl::Duration kLongestDelay = absl::Seconds(30);

bool IsPaid(const absl::StatusOr<v1::DescribeResponse>& description) {
  // One that says nothing of a price may have one all the same.
  return !description.ok() || description->price().high().micros() > 0;
}

}  // namespace

void RunActor::AskWhatBecameOf(JobIndex job, absl::Duration delay) {
  // The call may take as long as a provider: the run goes on meanwhile, but its
  // end does not.
  auto ask = [weak = weak_from_this(), job, attempt = state_.attempts(job),
              producer = state_.node(job).producer().name(),
              key = IdempotencyKeyOf(identity_, state_, job)] {
    const std::shared_ptr<RunActor> self = weak.lock();
    if (self == nullptr) return;
    const std::unique_ptr<OpenCalls::Call> call = self->open_calls_.Begin();
    if (call == nullptr) return;
    TraceScope trace(self->trace_);
    absl::StatusOr<FoundWork> found =
        self->deps_.producers.LookUp(producer, key, call->stop());
    if (call->stop().stopped()) return;
    const bool is_paid = IsPaid(self->deps_.producers.Describe(producer, ""));
    self->Post(DoubtLookedUp{job, attempt, std::move(found), is_paid});
  };
  deps_.executor.PostAfter(delay, std::move(ask));
}

void RunActor::Take(const DoubtLookedUp& answer) {
  const JobIndex job = answer.job;
  // A person, or a lookup for this attempt before, may have been as fast.
  if (state_.status(job) != JobStatus::kInDoubt || resolved_.contains(job) ||
      answer.attempt != state_.attempts(job)) {
    return;
  }
  const std::string& producer = state_.node(job).producer().name();
  if (!answer.found.ok()) {
    absl::Duration& delay = doubts_[job].delay;
    const std::string why(answer.found.status().message());
    TellDoubt(job, absl::StrCat(
                       "producer ", producer,
                       " cannot be asked what became of attempt ",
                       state_.attempts(job), ": ",
                       AttemptRedaction(ConfigOf(job).secrets).Redacted(why)));
    delay = std::min(kLongestDelay, std::max(kFirstDelay, delay * 2));
    return AskWhatBecameOf(job, delay);
  }
  if (const auto doubt = doubts_.find(job); doubt != doubts_.end()) {
    doubt->second.delay = absl::ZeroDuration();
  }
  if (answer.found->target.has_value()) {
    works_at_[job] = *answer.found->target;
  }
  switch (answer.found->state) {
    case v1::LOOK_UP_STATE_NEVER_STARTED:
      return Resolve(job, "has never started it");
    case v1::LOOK_UP_STATE_RUNNING:
      return Resolve(job, "is at it still");
    case v1::LOOK_UP_STATE_FINISHED:
      return Resolve(job, "has finished it");
    default:
      break;
  }
  const v1::InDoubtPolicy policy = ConfigOf(job).in_doubt;
  const bool waits =
      policy == v1::IN_DOUBT_POLICY_UNSPECIFIED
          ? answer.is_paid || budget_.PriceOf(state_.node(job)).micros() > 0
          : policy == v1::IN_DOUBT_POLICY_WAIT;
  // Somebody may have decided while nobody carried the run out.
  const bool is_asked_for =
      past_.has_value() && past_->IsToRetry(state_.job(job).job_id()) &&
      answer.attempt == past_->Of(state_.job(job).job_id()).attempts;
  if (!waits || is_asked_for) return Resolve(job, "");
  TellDoubt(job,
            absl::StrCat("attempt ", state_.attempts(job),
                         " was lost, and producer ", producer,
                         " cannot tell what became of it: it may have been "
                         "paid for. kinora runs retry ",
                         run_id(), " '", state_.job(job).job_id(),
                         "' calls it again"));
}

// While a producer has been away for a minute at most.
bool RunActor::AsksAgainSoon() const {
  return std::any_of(doubts_.begin(), doubts_.end(), [](const auto& doubt) {
    const absl::Duration delay = doubt.second.delay;
    return absl::ZeroDuration() < delay && delay < kLongestDelay;
  });
}

void RunActor::Resolve(JobIndex job, absl::string_view why) {
  doubts_.erase(job);
  waits_.End(state_.job(job).job_id());
  if (!resolved_.insert(job).second) return;
  facts_.push_back(DoubtResolved{job, /*is_known=*/!why.empty()});
  // What nobody knows of may be paid for besides.
  if (why.empty()) return;
  budget_.HandOn(state_.job(job).job_id());
  v1::JobEvent* event = AddLedger()->mutable_job();
  event->set_type("recovering");
  event->set_job_id(state_.job(job).job_id());
  event->set_message(absl::StrCat("producer ",
                                  state_.node(job).producer().name(), " ", why,
                                  ": it is called with the same key"));
  event->set_detail_json(R"({"released":true})");
}

void RunActor::TellDoubt(JobIndex job, const std::string& message) {
  std::string& told = doubts_[job].told;
  BeginWait(job);
  if (told == message) return;
  told = message;
  v1::JobEvent* event = AddLedger()->mutable_job();
  event->set_type("in_doubt");
  event->set_job_id(state_.job(job).job_id());
  event->set_message(message);
  LogWarning("a job is in doubt",
             {{"run", run_id()}, {"job", event->job_id()}, {"why", message}});
}

}  // namespace kinora
