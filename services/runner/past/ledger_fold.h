// Reads the ledger of a run to its last event.

#ifndef KINORA_SERVICES_RUNNER_PAST_LEDGER_FOLD_H_
#define KINORA_SERVICES_RUNNER_PAST_LEDGER_FOLD_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "common/threads/executor.h"
#include "kinora/v1/event.pb.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Calls `take` for each event behind `*through`, in order, and moves `*through`
// on to the last page that was taken: 0 is before the first event. A run
// without a ledger has no events: its runner died before the first. Errors are
// those of the store. With a `helper` a page is read while the one before is
// taken.
absl::Status FoldLedger(EventStore& events, const std::string& movie_id,
                        const std::string& run_id, int64_t* through,
                        absl::FunctionRef<void(const v1::Event& event)> take,
                        Executor* helper = nullptr);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_LEDGER_FOLD_H_
