#include "services/runner/past/run_end_watch.h"

#include <utility>

#include "common/run_end.h"

namespace kinora {

std::shared_ptr<RunEndWatch> RunEndWatch::Start(
    EventStore& events, Executor& executor, v1::LogName ledger, int64_t through,
    absl::Duration patience, Done done) {
  std::shared_ptr<RunEndWatch> watch(
      new RunEndWatch(executor, std::move(done)));
  watch->strand_.Post(
      [watch, &events, ledger = std::move(ledger), through, patience] {
        watch->Begin(events, ledger, through, patience);
      });
  return watch;
}

RunEndWatch::RunEndWatch(Executor& executor, Done done)
    : executor_(executor), strand_(executor), done_(std::move(done)) {}

void RunEndWatch::GiveUp() {
  strand_.Post([self = shared_from_this()] { self->Finish(std::nullopt); });
}

void RunEndWatch::Begin(EventStore& events, v1::LogName ledger, int64_t through,
                        absl::Duration patience) {
  const std::weak_ptr<RunEndWatch> weak = weak_from_this();
  timer_ = executor_.PostAfter(patience, [weak] {
    if (const auto self = weak.lock()) self->GiveUp();
  });
  ledger_.emplace(events, executor_, std::move(ledger), through, [weak] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->strand_.Post([self] { self->Look(); });
  });
  Look();
}

void RunEndWatch::Look() {
  if (!ledger_.has_value()) return;
  std::optional<v1::LedgerEvent> end;
  ledger_->Read([&end](const v1::Event& event) {
    if (IsTerminal(event.ledger())) end = event.ledger();
  });
  if (end.has_value()) return Finish(std::move(end));
  ledger_->Follow();
}

void RunEndWatch::Finish(std::optional<v1::LedgerEvent> end) {
  if (!ledger_.has_value()) return;
  executor_.Cancel(timer_);
  ledger_.reset();
  std::exchange(done_, nullptr)(std::move(end));
}

}  // namespace kinora
