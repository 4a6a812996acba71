// The part of RunActor that shares the calls of its process with other runs.

#include <map>
#include <string>
#include <utility>

#include "services/runner/actor/run_actor.h"

namespace kinora {

void RunActor::TakeSeat() {
  seat_ = deps_.places->Join([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Post(PlaceFree{});
  });
}

// As soon as the run calls nobody any more: what it is offered it would keep
// from others, for as long as its record takes to be saved.
void RunActor::LeaveSeat() {
  places_.clear();
  seat_.reset();
}

// The table's entry, or the defaults for a producer that is not in it.
const ProducerConfig& RunActor::ConfigOf(JobIndex job) const {
  static const auto& defaults = *new ProducerConfig();
  const auto config = deps_.configs.find(state_.node(job).producer().name());
  return config == deps_.configs.end() ? defaults : config->second;
}

// Producers that asked for it before this process began.
void RunActor::LeaveAlone() {
  const int64_t now = NowMillis(deps_.clock);
  for (const auto& held : past_->held_back()) {
    seat_->HoldBack(held.first, absl::Milliseconds(held.second - now));
  }
}

// True if the job may be called as far as its producer goes; then it has a
// place. Else the run is woken in its turn.
bool RunActor::TakePlace(JobIndex job) {
  if (places_.find(job) != places_.end()) return true;
  TargetWish wish;
  wish.version = state_.node(job).producer().version();
  if (const auto at = works_at_.find(job); at != works_at_.end()) {
    wish.target = at->second;
  }
  std::optional<CallPlaces::Place> place =
      seat_->Take(state_.node(job).producer().name(), wish);
  if (!place.has_value()) {
    held_.refused.insert(state_.node(job).producer().name());
    return false;
  }
  places_.emplace(job, *std::move(place));
  return true;
}

// Gives back the places of jobs that something else kept from being started,
// and what the run was woken for and does not want.
void RunActor::SettlePlaces() {
  for (auto place = places_.begin(); place != places_.end();) {
    if (state_.status(place->first) == JobStatus::kRunning) {
      ++place;
      continue;
    }
    place->second.Return();
    place = places_.erase(place);
  }
  seat_->Settle();
  TellPlacesThatAsk();
}

// So that runs which wait for these places can say why nothing goes on.
void RunActor::TellPlacesThatAsk() {
  std::map<std::string, uint32_t> asking;
  for (const auto& [job, attempt] : running_) {
    if (attempt.is_asking()) ++asking[state_.node(job).producer().name()];
  }
  if (asking == asking_) return;
  for (const auto& before : asking_) {
    if (asking.count(before.first) == 0) seat_->SetAsking(before.first, 0);
  }
  for (const auto& [producer, calls] : asking) {
    seat_->SetAsking(producer, calls);
  }
  asking_ = std::move(asking);
}

}  // namespace kinora
