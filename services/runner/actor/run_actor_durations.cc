// The part of RunActor that asks how long calls of its producers took before,
// so that the longest way through the plan is begun first. A run does as well
// as it can without an answer.

#include <memory>
#include <utility>

#include "common/proto_time.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"

namespace kinora {

void RunActor::RecallDurations() {
  if (recalled_ || step_ != nullptr || !state_.is_weighable()) return;
  if (stopping_ || state_.finished()) return;
  recalled_ = true;
  // What runs already need not be waited for: the answer comes in time for what
  // is behind it.
  holding_ = running_.empty();
  if (holding_) {
    hold_timer_ = deps_.executor.PostAfter(deps_.durations_patience,
                                           [weak = weak_from_this()] {
                                             if (auto self = weak.lock())
                                               self->Post(DurationsLate{});
                                           });
  }
  deps_.recalls->Post([self = shared_from_this()] {
    // The planner may go once the run's owner has heard of the end.
    const std::unique_ptr<OpenCalls::Call> call = self->open_calls_.Begin();
    if (call == nullptr) return;
    TraceScope trace(self->trace_);
    v1::GetJobDurationsRequest request;
    request.set_movie_id(self->movie_id());
    const absl::StatusOr<v1::GetJobDurationsResponse> told =
        self->deps_.planner.GetJobDurations(request);
    DurationsRecalled recalled;
    if (!told.ok()) {
      LogWarning("no recorded durations for a run's order",
                 {{"run", self->run_id()}, {"error", told.status()}});
      return self->Post(std::move(recalled));
    }
    for (const v1::ProducerDurations& producer : told->producers()) {
      if (!producer.has_median()) continue;
      recalled.medians[producer.producer()] = FromProto(producer.median());
    }
    self->Post(std::move(recalled));
  });
}

void RunActor::Take(const DurationsRecalled& recalled) {
  if (holding_) deps_.executor.Cancel(hold_timer_);
  holding_ = false;
  if (!recalled.medians.empty()) state_.Recall(recalled.medians);
}

void RunActor::Take(const DurationsLate&) { holding_ = false; }

}  // namespace kinora
