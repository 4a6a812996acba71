// A RunEndWatch tells how a run ends, whoever carries it out, as soon as its
// ledger does. No thread waits for that.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_END_WATCH_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_END_WATCH_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

#include "common/threads/executor.h"
#include "common/threads/strand.h"
#include "kinora/v1/event.pb.h"
#include "services/runner/past/ledger_watch.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Thread-safe.
class RunEndWatch : public std::enable_shared_from_this<RunEndWatch> {
 public:
  // The run's terminal event; none if it has not come in time.
  using Done = absl::AnyInvocable<void(std::optional<v1::LedgerEvent>)>;

  // Looks for the end behind event `through` of the ledger, for so long. `done`
  // is called once, from the executor, with no lock held. Whoever has the watch
  // MUST keep it until then; the references are not needed any longer.
  static std::shared_ptr<RunEndWatch> Start(EventStore& events,
                                            Executor& executor,
                                            v1::LogName ledger, int64_t through,
                                            absl::Duration patience, Done done);

  // Has `done` called soon, whether the run has ended or not. Does not block.
  void GiveUp();

 private:
  RunEndWatch(Executor& executor, Done done);

  // On the strand, these.
  void Begin(EventStore& events, v1::LogName ledger, int64_t through,
             absl::Duration patience);
  void Look();
  void Finish(std::optional<v1::LedgerEvent> end);

  Executor& executor_;
  Strand strand_;
  // The strand's.
  Done done_;
  std::optional<LedgerWatch> ledger_;  // none once the watch has finished
  Executor::TimerId timer_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_END_WATCH_H_
