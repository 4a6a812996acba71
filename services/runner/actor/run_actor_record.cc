// The part of RunActor that has the record of the run saved as a document, once
// its terminal event is durable and before its record in the store is closed:
// whoever dies in between leaves the run to another, which saves it again.

#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"

namespace kinora {

// Goes on with PutClosed(), on the strand. Meanwhile nothing is heeded: the run
// is over, and keeps its lease.
void RunActor::SaveRecord() {
  if (deps_.recorder == nullptr) return PutClosed();
  saving_ = true;
  const std::weak_ptr<RunActor> weak = weak_from_this();
  const auto go_on = [weak](bool in_time) {
    const std::shared_ptr<RunActor> self = weak.lock();
    if (self == nullptr) return;
    self->strand_.Post([self, in_time] { self->RecordSaved(in_time); });
  };
  save_timer_ = deps_.executor.PostAfter(RunRecorder::kPatience,
                                         [go_on] { go_on(false); });
  deps_.recorder->Save(record_, [go_on] { go_on(true); });
}

void RunActor::RecordSaved(bool in_time) {
  // It came after all, or is not waited for any more.
  if (ended_ || !saving_) return;
  saving_ = false;
  deps_.executor.Cancel(save_timer_);
  TraceScope trace(trace_);
  if (!in_time) {
    LogWarning("the record of a run is not waited for any longer",
               {{"run", run_id()}});
  }
  PutClosed();
}

}  // namespace kinora
