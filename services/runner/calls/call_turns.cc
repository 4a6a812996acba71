#include "services/runner/calls/call_turns.h"

#include <algorithm>
#include <utility>

namespace kinora {

CallTurns::CallTurns(uint32_t concurrency,
                     const std::map<std::string, CallLimits>& limits,
                     const CallRate& rate)
    : concurrency_(concurrency), rate_(rate) {
  for (const auto& [name, of_producer] : limits) {
    index_by_name_[name] = producers_.size();
    producers_.push_back(Producer(of_producer));
  }
}

size_t CallTurns::IndexOf(const std::string& producer) {
  const auto found = index_by_name_.emplace(producer, producers_.size());
  if (found.second) producers_.push_back(Producer(CallLimits()));
  return found.first->second;
}

const CallTurns::Producer* CallTurns::Find(const std::string& producer) const {
  const auto found = index_by_name_.find(producer);
  return found == index_by_name_.end() ? nullptr : &producers_[found->second];
}

bool CallTurns::HasRoom(const Producer& producer, int64_t now) const {
  return running_ < concurrency_ && rate_.NextAt() <= now &&
         producer.running < producer.limits.concurrency &&
         producer.held_until <= now && producer.limits.rate.NextAt() <= now &&
         producer.targets.CanCall(now);
}

uint64_t CallTurns::LastGrant(RunKey run) const {
  const auto found = last_grant_.find(run);
  return found == last_grant_.end() ? 0 : found->second;
}

CallTurns::Call CallTurns::Grant(size_t index, RunKey run,
                                 const TargetWish& wish, int64_t now) {
  Producer& producer = producers_[index];
  ++running_;
  ++producer.running;
  producer.limits.rate.Take(now);
  rate_.Take(now);
  last_grant_[run] = ++grants_;
  return {index, producer.targets.Begin(wish, now), now};
}

std::optional<CallTurns::Call> CallTurns::Take(RunKey run,
                                               const std::string& name,
                                               const TargetWish& wish,
                                               int64_t now) {
  const size_t index = IndexOf(name);
  Producer& producer = producers_[index];
  if (const auto offered = producer.offers.find(run);
      offered != producer.offers.end()) {
    Call call = std::move(offered->second.call);
    producer.offers.erase(offered);
    if (wish.target.has_value() && *wish.target != call.at.target) {
      producer.targets.End(call.at, Contact::kUnknown, "", now);
      call.at = producer.targets.Begin(wish, now);
    }
    return call;
  }
  if (producer.line.empty() && HasRoom(producer, now)) {
    return Grant(index, run, wish, now);
  }
  const bool waits = std::any_of(
      producer.line.begin(), producer.line.end(),
      [run](const Producer::Want& want) { return want.run == run; });
  if (!waits) producer.line.push_back({run, ++wants_, wish.version});
  return std::nullopt;
}

TargetEnd CallTurns::Leave(const Call& call, Contact contact,
                           const std::string& version, int64_t now) {
  --running_;
  --producers_[call.producer].running;
  return producers_[call.producer].targets.End(call.at, contact, version, now);
}

void CallTurns::Return(const Call& call, int64_t now) {
  producers_[call.producer].limits.rate.Return(call.taken_nanos);
  rate_.Return(call.taken_nanos);
  Leave(call, Contact::kUnknown, "", now);
}

void CallTurns::HoldBack(size_t producer, int64_t until) {
  int64_t& held_until = producers_[producer].held_until;
  held_until = std::max(held_until, until);
}

CallTurns::Producer* CallTurns::NextInTurn(int64_t now) {
  Producer* next = nullptr;
  auto rank = [this](const Producer& producer) {
    const Producer::Want& first = producer.line.front();
    return std::make_pair(LastGrant(first.run), first.since);
  };
  for (Producer& producer : producers_) {
    if (producer.line.empty() || !HasRoom(producer, now)) continue;
    if (next == nullptr || rank(producer) < rank(*next)) next = &producer;
  }
  return next;
}

std::vector<CallTurns::RunKey> CallTurns::Offer(int64_t now) {
  std::vector<RunKey> told;
  while (Producer* producer = NextInTurn(now)) {
    const Producer::Want want = std::move(producer->line.front());
    producer->line.pop_front();
    const size_t index = static_cast<size_t>(producer - producers_.data());
    producer->offers[want.run].call =
        Grant(index, want.run, {want.version, std::nullopt}, now);
    if (std::find(told.begin(), told.end(), want.run) == told.end()) {
      told.push_back(want.run);
    }
  }
  return told;
}

int64_t CallTurns::NextAt() const {
  int64_t next = INT64_MAX;
  if (running_ >= concurrency_) return next;
  for (const Producer& producer : producers_) {
    if (producer.line.empty() ||
        producer.running >= producer.limits.concurrency) {
      continue;
    }
    next = std::min(
        next, std::max({producer.held_until, producer.limits.rate.NextAt(),
                        rate_.NextAt(), producer.targets.NextAt()}));
  }
  return next;
}

uint32_t CallTurns::AskingOf(const Producer& producer) {
  uint32_t asking = 0;
  for (const auto& of_run : producer.asking) asking += of_run.second;
  return asking;
}

std::optional<CallTurns::Hold> CallTurns::HoldOf(const std::string& producer,
                                                 int64_t now) const {
  const Producer* found = Find(producer);
  if (found == nullptr) return std::nullopt;
  Hold hold{Hold::Why::kAsked, found->held_until};
  const int64_t rate = std::max(found->limits.rate.NextAt(), rate_.NextAt());
  if (rate > hold.until) hold = {Hold::Why::kRate, rate};
  const int64_t up =
      found->targets.CanCall(now) ? INT64_MIN : found->targets.NextAt();
  if (up > hold.until) hold = {Hold::Why::kDown, up};
  if (hold.until > now) return hold;
  // A call that has ended may be counted as one that asks for a moment.
  uint32_t asking = 0;
  for (const Producer& any : producers_) asking += AskingOf(any);
  const bool all_ask = running_ >= concurrency_ && asking >= running_;
  const bool its_ask = found->running >= found->limits.concurrency &&
                       AskingOf(*found) >= found->running;
  if (all_ask || its_ask) return Hold{Hold::Why::kAnswers, INT64_MAX};
  return std::nullopt;
}

void CallTurns::SetAsking(RunKey run, const std::string& producer,
                          uint32_t calls) {
  Producer& found = producers_[IndexOf(producer)];
  if (calls == 0) {
    found.asking.erase(run);
  } else {
    found.asking[run] = calls;
  }
}

void CallTurns::Look(RunKey run) {
  for (Producer& producer : producers_) {
    const auto offered = producer.offers.find(run);
    if (offered != producer.offers.end()) offered->second.seen = true;
  }
}

void CallTurns::Settle(RunKey run, int64_t now) {
  for (Producer& producer : producers_) {
    const auto offered = producer.offers.find(run);
    if (offered == producer.offers.end() || !offered->second.seen) continue;
    const Call call = std::move(offered->second.call);
    producer.offers.erase(offered);
    Return(call, now);
  }
}

void CallTurns::Forget(RunKey run, int64_t now) {
  Look(run);
  Settle(run, now);
  for (Producer& producer : producers_) {
    producer.line.erase(
        std::remove_if(
            producer.line.begin(), producer.line.end(),
            [run](const Producer::Want& want) { return want.run == run; }),
        producer.line.end());
    producer.asking.erase(run);
  }
  last_grant_.erase(run);
}

}  // namespace kinora
