#include "services/runner/state/dispatch_queue.h"

namespace kinora {

size_t DispatchQueue::ProducerOf(const std::string& name) {
  const auto found = producer_by_name_.emplace(name, producers_.size());
  if (found.second) {
    Producer& producer = producers_.emplace_back();
    const auto limits = limits_.find(name);
    if (limits != limits_.end()) producer.limits = limits->second;
  }
  return found.first->second;
}

DispatchQueue::LaneId DispatchQueue::LaneOf(const v1::PlannedNode& node) {
  const uint32_t concurrency = node.limits().concurrency();
  const std::string& producer = node.producer().name();
  const bool is_own = concurrency != 0 || node.has_high_price();
  const auto found = lane_by_name_.emplace(
      std::make_pair(producer, is_own ? node.node() : std::string()),
      lanes_.size());
  if (found.second) {
    Lane& lane = lanes_.emplace_back();
    lane.producer = ProducerOf(producer);
    if (concurrency != 0) lane.concurrency = concurrency;
  }
  return found.first->second;
}

uint32_t DispatchQueue::MaxAttempts(const v1::PlannedNode& node,
                                    LaneId lane) const {
  const uint32_t own = node.limits().max_attempts();
  return own != 0 ? own : producers_[lanes_[lane].producer].limits.max_attempts;
}

absl::Duration DispatchQueue::JobTimeout(const v1::PlannedNode& node,
                                         LaneId lane) const {
  const uint32_t own = node.limits().job_timeout_seconds();
  if (own != 0) return absl::Seconds(own);
  return producers_[lanes_[lane].producer].limits.job_timeout;
}

bool DispatchQueue::HasPlace(const Lane& lane) const {
  const Producer& producer = producers_[lane.producer];
  return lane.running < lane.concurrency &&
         producer.running < producer.limits.concurrency;
}

void DispatchQueue::Move(LaneId lane, const Turn& from, const Turn& to) {
  if (lanes_[lane].ready.erase(from) > 0) lanes_[lane].ready.insert(to);
}

std::vector<JobIndex> DispatchQueue::TakeAll(StartGate gate) {
  std::vector<JobIndex> taken;
  std::set<const Lane*> refused;
  while (running_ < max_concurrency_) {
    Lane* best = nullptr;
    for (Lane& lane : lanes_) {
      if (lane.ready.empty() || !HasPlace(lane) || refused.contains(&lane)) {
        continue;
      }
      if (best == nullptr || *lane.ready.begin() < *best->ready.begin()) {
        best = &lane;
      }
    }
    if (best == nullptr) break;
    const JobIndex job = best->ready.begin()->job;
    if (!gate(job)) {
      refused.insert(best);
      continue;
    }
    best->ready.erase(best->ready.begin());
    ++best->running;
    ++producers_[best->producer].running;
    ++running_;
    taken.push_back(job);
  }
  return taken;
}

void DispatchQueue::Leave(LaneId lane) {
  --running_;
  --lanes_[lane].running;
  --producers_[lanes_[lane].producer].running;
}

void DispatchQueue::Clear() {
  for (Lane& lane : lanes_) lane.ready.clear();
}

}  // namespace kinora
