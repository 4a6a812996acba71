// The reduction of the run ledger: what each event does to the snapshot.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_REDUCE_H_
#define KINORA_SERVICES_RUNNER_LEDGER_REDUCE_H_

#include "services/runner/ledger/ledger_event_view.h"
#include "services/runner/ledger/ledger_snapshot.h"

namespace kinora {

// Takes one event into the snapshot, in place: reducing the events of a ledger
// in their order gives the run's state, however they are divided. The cost of
// an event does not depend on the number of steps. Events of other runs and of
// types without effect change nothing at all.
//
// Pure and total: no event is refused here. What no reader should have to cope
// with (a second `run.created`, a status that is none, a time that is none) is
// for ingestion to keep out (ledger_ingestion.h).
void Reduce(const LedgerEventView& event, LedgerSnapshot* snapshot);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_REDUCE_H_
