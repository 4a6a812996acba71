// A DispatchQueue holds the jobs of a run that are ready and says whose turn it
// is as places come free: by their nodes' priority, then the one with the
// longest remaining path, in time, first; and before all of them jobs that have
// been called before and whose producer knows their work. Limits of the run, of
// a producer and of a node hold at any time. Pure: no I/O, no clock, no thread.

#ifndef KINORA_SERVICES_RUNNER_STATE_DISPATCH_QUEUE_H_
#define KINORA_SERVICES_RUNNER_STATE_DISPATCH_QUEUE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

#include "kinora/v1/plan.pb.h"

namespace kinora {

// Position of a job in the plan, counted over its layers.
using JobIndex = int;

// Limits of one producer.
struct ProducerLimits {
  uint32_t concurrency = 4;
  uint32_t max_attempts = 3;
  // For all attempts at one job (job_time.h).
  absl::Duration job_timeout = absl::InfiniteDuration();
};

// Asked before a job is given a place: false leaves it and all that wait behind
// it where they are, until the queue is looked at again. For what the queue
// does not know: a pause, a budget, places shared with other runs. One that
// says true takes what the job needs of it.
using StartGate = absl::FunctionRef<bool(JobIndex)>;

// Not thread-safe.
class DispatchQueue {
 public:
  // Names where jobs wait: those of a node with a limit or a price of its own,
  // or of all other nodes of a producer. So those of a lane cost the same, and
  // what a budget does not allow holds nothing up that it does.
  using LaneId = size_t;

  // When a job's turn comes.
  struct Turn {
    // False for one whose producer is at its work already, or may be: it needs
    // nothing that others could wait for, and never waits behind these.
    bool is_new = true;
    int64_t before_priority = 0;  // negative, as the next
    int64_t before_path = 0;      // negative, as the next
    JobIndex job = 0;

    auto operator<=>(const Turn&) const = default;
  };

  // At most `max_concurrency` places in all; the default limits hold for a
  // producer that is missing from `limits`.
  DispatchQueue(uint32_t max_concurrency,
                std::map<std::string, ProducerLimits> limits)
      : max_concurrency_(max_concurrency), limits_(std::move(limits)) {}

  // The lane of a node, made when first asked for.
  LaneId LaneOf(const v1::PlannedNode& node);

  // The most attempts at a job of the node, which is in that lane.
  uint32_t MaxAttempts(const v1::PlannedNode& node, LaneId lane) const;
  // The same for how long a job may take; infinite for no limit.
  absl::Duration JobTimeout(const v1::PlannedNode& node, LaneId lane) const;

  void Push(LaneId lane, const Turn& turn) { lanes_[lane].ready.insert(turn); }

  // Gives a job another turn, if it waits.
  void Move(LaneId lane, const Turn& from, const Turn& to);

  // Takes the next jobs out, each with a place that it holds until Leave(): as
  // many as there are free places, and as the gate lets pass.
  std::vector<JobIndex> TakeAll(StartGate gate);

  // Gives the place of a job back.
  void Leave(LaneId lane);

  // Drops all that wait.
  void Clear();

 private:
  struct Producer {
    ProducerLimits limits;
    uint32_t running = 0;
  };
  struct Lane {
    size_t producer = 0;
    uint32_t concurrency = UINT32_MAX;
    uint32_t running = 0;
    std::set<Turn> ready;
  };

  size_t ProducerOf(const std::string& name);
  bool HasPlace(const Lane& lane) const;

  uint32_t max_concurrency_;
  std::map<std::string, ProducerLimits> limits_;
  std::map<std::string, size_t> producer_by_name_;
  std::vector<Producer> producers_;
  // By producer and node; the node is empty for those with nothing of their
  // own.
  std::map<std::pair<std::string, std::string>, LaneId> lane_by_name_;
  std::vector<Lane> lanes_;
  uint32_t running_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_DISPATCH_QUEUE_H_
