// The part of RunActor by which one sync serves two passes: what attempts have
// made is appended with what the pass before tells, and taken up once it is
// durable.
//
// The order of each job stays as it is: its blobs, its artefact events, and
// only in a later append its step.completed.

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>
#include <vector>

#include "services/runner/actor/run_actor.h"

namespace kinora {
namespace {

// Of what is appended beside the ledger. The rest goes with the next pass.
constexpr int kMaxArrivals = 1'000;
constexpr size_t kMaxArrivalBytes = 1 << 20;

bool HasDurableOutputs(const RunMessage& message) {
  const auto* ended = std::get_if<AttemptEnded>(&message);
  return ended != nullptr && ended->outputs == AttemptEnded::Outputs::kDurable;
}

}  // namespace

// Where there is something to tell of outputs that are durable, those that are
// not wait for that append. Behind the end of an attempt nothing comes from it.
std::vector<RunMessage> RunActor::TakeMessages() {
  std::vector<RunMessage> messages = std::exchange(arrived_, {});
  {
    MutexLock lock(mu_);
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(messages));
    inbox_.clear();
    posted_ = false;
  }
  if (std::none_of(messages.begin(), messages.end(), HasDurableOutputs)) {
    return messages;
  }
  const auto late = std::stable_partition(
      messages.begin(), messages.end(),
      [this](const RunMessage& message) { return !HasNewOutputs(message); });
  arrived_.assign(std::make_move_iterator(late),
                  std::make_move_iterator(messages.end()));
  messages.erase(late, messages.end());
  return messages;
}

bool RunActor::HasNewOutputs(const RunMessage& message) const {
  const auto* ended = std::get_if<AttemptEnded>(&message);
  if (ended == nullptr || ended->outputs != AttemptEnded::Outputs::kNew ||
      ended->result.failure.has_value() ||
      ended->result.waits_for.has_value()) {
    return false;
  }
  const auto running = running_.find(ended->job);
  return running != running_.end() && running->second.attempt == ended->attempt;
}

// Adds an append of what has been made since the pass began, if anything has,
// and returns whose it is: messages of arrived_.
std::vector<AttemptEnded*> RunActor::AddArrivals(
    std::vector<v1::AppendEventsRequest>* appends) {
  std::vector<AttemptEnded*> arrivals;
  if (closing()) return arrivals;  // nobody takes them up any more
  {
    MutexLock lock(mu_);
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(arrived_));
    inbox_.clear();
  }
  v1::AppendEventsRequest append;
  size_t bytes = 0;
  for (RunMessage& message : arrived_) {
    if (append.events_size() >= kMaxArrivals || bytes >= kMaxArrivalBytes) {
      break;
    }
    if (!HasNewOutputs(message)) continue;
    AttemptEnded& ended = std::get<AttemptEnded>(message);
    const absl::Duration duration = absl::Nanoseconds(
        ended.at_nanos - running_.at(ended.job).started_nanos);
    for (v1::Event& event : SucceededEvents(identity_, state_, ended.job,
                                            ended.result, duration)) {
      bytes += event.ByteSizeLong();
      *append.add_events() = std::move(event);
    }
    arrivals.push_back(&ended);
  }
  if (arrivals.empty()) return arrivals;
  v1::AppendEventsRequest request = NewAppend(v1::LOG_KIND_ARTEFACTS);
  request.mutable_events()->Swap(append.mutable_events());
  appends->push_back(std::move(request));
  return arrivals;
}

}  // namespace kinora
