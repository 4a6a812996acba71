#include "services/runner/calls/call_places.h"

#include "common/telemetry/log.h"

namespace kinora {
namespace {

std::map<std::string, CallLimits> LimitsOf(const ProducerConfigs& producers) {
  std::map<std::string, CallLimits> limits;
  for (const auto& [name, config] : producers) {
    CallLimits& of_producer = limits[name];
    of_producer.concurrency = config.concurrency;
    of_producer.rate = CallRate(config.rate);
    of_producer.targets = config.targets.size();
    of_producer.breaker = config.breaker;
  }
  return limits;
}

}  // namespace

CallPlaces::Place& CallPlaces::Place::operator=(Place&& other) {
  if (this == &other) return *this;
  if (places_ != nullptr) End(Contact::kUnknown, "", absl::ZeroDuration());
  places_ = std::move(other.places_);
  call_ = std::move(other.call_);
  return *this;
}

CallPlaces::Place::~Place() {
  if (places_ != nullptr) End(Contact::kUnknown, "", absl::ZeroDuration());
}

bool CallPlaces::Place::End(Contact contact, const std::string& version,
                            absl::Duration hold_back) {
  if (places_ == nullptr) return true;
  const std::shared_ptr<CallPlaces> places = std::move(places_);
  TargetEnd end;
  {
    MutexLock lock(places->mu_);
    const int64_t now = places->clock_.MonotonicNanos();
    // Before the place is free: nobody may slip in between.
    if (hold_back > absl::ZeroDuration()) {
      places->turns_.HoldBack(call_.producer,
                              now + absl::ToInt64Nanoseconds(hold_back));
    }
    end = places->turns_.Leave(call_, contact, version, now);
    if (end.became.has_value()) {
      places->breakers_.Became(call_.producer, call_.at.target, *end.became);
    }
    places->Update();
  }
  if (end.became.has_value()) places->Tell(call_, *end.became);
  return end.counts;
}

void CallPlaces::Place::Return() {
  if (places_ == nullptr) return;
  const std::shared_ptr<CallPlaces> places = std::move(places_);
  MutexLock lock(places->mu_);
  places->turns_.Return(call_, places->clock_.MonotonicNanos());
  places->Update();
}

CallPlaces::Seat::~Seat() {
  MutexLock lock(places_->mu_);
  places_->wakes_.erase(key_);
  places_->turns_.Forget(key_, places_->clock_.MonotonicNanos());
  places_->Update();
}

std::optional<CallPlaces::Place> CallPlaces::Seat::Take(
    const std::string& producer, const TargetWish& wish) {
  MutexLock lock(places_->mu_);
  // What others wait for is theirs, even if its time has come just now.
  places_->Update();
  std::optional<CallTurns::Call> call = places_->turns_.Take(
      key_, producer, wish, places_->clock_.MonotonicNanos());
  if (call.has_value()) return Place(places_, *std::move(call));
  places_->Update();
  return std::nullopt;
}

void CallPlaces::Seat::Look() {
  MutexLock lock(places_->mu_);
  places_->turns_.Look(key_);
}

void CallPlaces::Seat::Settle() {
  MutexLock lock(places_->mu_);
  places_->turns_.Settle(key_, places_->clock_.MonotonicNanos());
  places_->Update();
}

void CallPlaces::Seat::HoldBack(const std::string& producer,
                                absl::Duration delay) {
  MutexLock lock(places_->mu_);
  places_->turns_.HoldBack(places_->turns_.IndexOf(producer),
                           DeadlineAfter(places_->clock_, delay));
}

std::optional<CallTurns::Hold> CallPlaces::Seat::HoldOf(
    const std::string& producer) {
  MutexLock lock(places_->mu_);
  return places_->turns_.HoldOf(producer, places_->clock_.MonotonicNanos());
}

void CallPlaces::Seat::SetAsking(const std::string& producer, uint32_t calls) {
  MutexLock lock(places_->mu_);
  places_->turns_.SetAsking(key_, producer, calls);
}

std::shared_ptr<CallPlaces> CallPlaces::Create(const ProducerConfigs& producers,
                                               const CallPlacesOptions& options,
                                               Executor& executor,
                                               Clock& clock) {
  return std::shared_ptr<CallPlaces>(
      new CallPlaces(producers, options, executor, clock));
}

CallPlaces::CallPlaces(const ProducerConfigs& producers,
                       const CallPlacesOptions& options, Executor& executor,
                       Clock& clock)
    : executor_(executor),
      clock_(clock),
      turns_(options.concurrency, LimitsOf(producers), options.rate),
      breakers_(options.metrics, producers) {
  for (const auto& entry : producers) {
    names_.emplace_back(entry.first, entry.second.targets);
  }
}

std::unique_ptr<CallPlaces::Seat> CallPlaces::Join(std::function<void()> wake) {
  MutexLock lock(mu_);
  const CallTurns::RunKey key = next_key_++;
  wakes_[key] = std::make_shared<std::function<void()>>(std::move(wake));
  return std::unique_ptr<Seat>(new Seat(shared_from_this(), key));
}

CallPlaces::Standing CallPlaces::StandingOf(const std::string& name) {
  Standing standing;
  MutexLock lock(mu_);
  const CallTurns::Producer* producer = turns_.Find(name);
  if (producer == nullptr) return standing;
  const int64_t now = clock_.MonotonicNanos();
  for (size_t i = 0; i < producer->targets.size(); ++i) {
    Standing::Target target;
    target.state = producer->targets.StateOf(i, now);
    if (target.state.status == TargetStatus::kOpen) {
      target.open_for = absl::Nanoseconds(target.state.open_until - now);
    }
    standing.targets.push_back(target);
  }
  if (producer->held_until > now) {
    standing.held_back = absl::Nanoseconds(producer->held_until - now);
  }
  return standing;
}

void CallPlaces::Update() {
  const int64_t now = clock_.MonotonicNanos();
  for (CallTurns::RunKey run : turns_.Offer(now)) {
    executor_.Post([wake = wakes_[run]] { (*wake)(); });
  }
  const int64_t next = turns_.NextAt();
  // A timer that comes too early only looks again.
  if (next >= timer_at_) return;
  executor_.Cancel(timer_);
  timer_at_ = next;
  timer_ = executor_.PostAfter(absl::Nanoseconds(next - now),
                               [weak = weak_from_this()] {
                                 if (auto self = weak.lock()) {
                                   self->TimerFired();
                                 }
                               });
}

void CallPlaces::TimerFired() {
  MutexLock lock(mu_);
  timer_at_ = INT64_MAX;
  Update();
}

void CallPlaces::Tell(const CallTurns::Call& call, TargetStatus became) {
  if (call.producer >= names_.size()) return;
  const std::string& producer = names_[call.producer].first;
  const std::string& target = names_[call.producer].second[call.at.target];
  if (became == TargetStatus::kClosed) {
    LogInfo("a producer is back", {{"producer", producer}, {"target", target}});
  } else if (!call.at.is_probe) {
    LogWarning("a producer is down: calls to it are held back",
               {{"producer", producer}, {"target", target}});
  }
}

}  // namespace kinora
