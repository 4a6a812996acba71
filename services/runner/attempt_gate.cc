#include "services/runner/attempt_gate.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "common/mutex.h"
#include "common/proto_time.h"

namespace kinora {

struct AttemptGate::State {
  State(ProducerCaller& caller, Clock& time) : base(caller), clock(time) {}

  // Takes a place, or queues for one. True if the turn has come.
  bool Enter(const std::string& producer, const std::shared_ptr<Turn>& turn);
  // Gives a place up; returns whose turn has come, if anybody's.
  std::shared_ptr<Turn> Leave(const std::string& producer);
  // True if it was still waiting, and no longer is.
  bool Forget(const std::string& producer, const Turn* turn);

  struct Producer {
    uint32_t places = ProducerConfig().concurrency;
    uint32_t taken = 0;
    std::deque<std::shared_ptr<Turn>> waiting;
  };

  ProducerCaller& base;
  Clock& clock;
  Mutex mu;
  std::map<std::string, Producer> producers ABSL_GUARDED_BY(mu);
};

// One attempt, before its turn and after.
class AttemptGate::Turn : public std::enable_shared_from_this<Turn> {
 public:
  Turn(std::shared_ptr<State> state, AttemptRequest request,
       std::shared_ptr<AttemptObserver> observer)
      : state_(std::move(state)),
        producer_(request.header.producer()),
        request_(std::move(request)),
        observer_(std::move(observer)) {}

  const std::string& producer() const { return producer_; }

  // REQUIRES: it has a place.
  void Begin();
  void Cancel();
  void End(AttemptResult result);

  AttemptObserver& observer() { return *observer_; }

 private:
  const std::shared_ptr<State> state_;
  const std::string producer_;
  AttemptRequest request_;  // until the turn
  const std::shared_ptr<AttemptObserver> observer_;

  Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<Attempt> attempt_ ABSL_GUARDED_BY(mu_);
};

class AttemptGate::TurnObserver final : public AttemptObserver {
 public:
  explicit TurnObserver(std::shared_ptr<Turn> turn) : turn_(std::move(turn)) {}

  void OnProgress(const v1::Progress& progress) override {
    turn_->observer().OnProgress(progress);
  }
  void OnLogLines(const v1::LogLines& lines) override {
    turn_->observer().OnLogLines(lines);
  }
  void OnDone(AttemptResult result) override { turn_->End(std::move(result)); }

 private:
  const std::shared_ptr<Turn> turn_;
};

namespace {

// What callers hold.
template <typename Turn>
class GatedAttempt final : public Attempt {
 public:
  explicit GatedAttempt(std::shared_ptr<Turn> turn) : turn_(std::move(turn)) {}

  void Cancel() override { turn_->Cancel(); }

 private:
  const std::shared_ptr<Turn> turn_;
};

}  // namespace

bool AttemptGate::State::Enter(const std::string& producer,
                               const std::shared_ptr<Turn>& turn) {
  MutexLock lock(mu);
  Producer& entry = producers[producer];
  if (entry.taken >= entry.places) {
    entry.waiting.push_back(turn);
    return false;
  }
  ++entry.taken;
  return true;
}

std::shared_ptr<AttemptGate::Turn> AttemptGate::State::Leave(
    const std::string& producer) {
  MutexLock lock(mu);
  Producer& entry = producers[producer];
  if (entry.waiting.empty()) {
    --entry.taken;
    return nullptr;
  }
  std::shared_ptr<Turn> next = std::move(entry.waiting.front());
  entry.waiting.pop_front();
  return next;
}

bool AttemptGate::State::Forget(const std::string& producer, const Turn* turn) {
  MutexLock lock(mu);
  std::deque<std::shared_ptr<Turn>>& waiting = producers[producer].waiting;
  const auto found = std::find_if(waiting.begin(), waiting.end(),
                                  [turn](const std::shared_ptr<Turn>& other) {
                                    return other.get() == turn;
                                  });
  if (found == waiting.end()) return false;
  waiting.erase(found);
  return true;
}

void AttemptGate::Turn::Begin() {
  AttemptRequest request = std::move(request_);
  *request.header.mutable_deadline() =
      ToProto(state_->clock.Now() + request.timeout);
  // It may end before this returns.
  std::unique_ptr<Attempt> attempt = state_->base.Start(
      std::move(request), std::make_shared<TurnObserver>(shared_from_this()));
  MutexLock lock(mu_);
  if (cancelled_) attempt->Cancel();
  attempt_ = std::move(attempt);
}

void AttemptGate::Turn::Cancel() {
  // Lives until this returns, though the queue may have held it alone.
  const std::shared_ptr<Turn> self = shared_from_this();
  if (state_->Forget(producer_, this)) {
    AttemptResult result;
    result.failure.emplace();
    result.failure->set_reason(v1::FAILURE_REASON_CANCELLED);
    result.failure->set_message(
        "the attempt was cancelled before the producer had a place for it");
    return observer_->OnDone(std::move(result));
  }
  MutexLock lock(mu_);
  cancelled_ = true;
  if (attempt_ != nullptr) attempt_->Cancel();
}

void AttemptGate::Turn::End(AttemptResult result) {
  observer_->OnDone(std::move(result));
  const std::shared_ptr<Turn> next = state_->Leave(producer_);
  if (next != nullptr) next->Begin();
}

AttemptGate::AttemptGate(ProducerCaller& base, const ProducerConfigs& configs,
                         Clock& clock)
    : state_(std::make_shared<State>(base, clock)) {
  MutexLock lock(state_->mu);
  for (const auto& config : configs) {
    state_->producers[config.first].places = config.second.concurrency;
  }
}

absl::StatusOr<v1::DescribeResponse> AttemptGate::Describe(
    absl::string_view producer) {
  return state_->base.Describe(producer);
}

absl::StatusOr<v1::LookUpState> AttemptGate::LookUp(
    absl::string_view producer, const std::string& idempotency_key) {
  return state_->base.LookUp(producer, idempotency_key);
}

std::unique_ptr<Attempt> AttemptGate::Start(
    AttemptRequest request, std::shared_ptr<AttemptObserver> observer) {
  auto turn =
      std::make_shared<Turn>(state_, std::move(request), std::move(observer));
  if (state_->Enter(turn->producer(), turn)) turn->Begin();
  return std::make_unique<GatedAttempt<Turn>>(std::move(turn));
}

}  // namespace kinora
