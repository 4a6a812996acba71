// Snapshots as JSON: the members that the shared rules of the ledger name,
// those without a value left out, in the order the rules give them in.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_SNAPSHOT_JSON_H_
#define KINORA_SERVICES_RUNNER_LEDGER_SNAPSHOT_JSON_H_

#include <string>

#include "common/json/json.h"
#include "services/runner/ledger/ledger_snapshot.h"

namespace kinora {

// One line. A step's `error` is left out: it is beyond the shared rules.
std::string SnapshotToJson(const LedgerSnapshot& snapshot);

// Reads what SnapshotToJson() wrote, as it stands: nothing is trimmed, dropped
// or put right. A member of a wrong type counts as missing. For what somebody
// else wrote there is NormalizedSnapshot().
LedgerSnapshot SnapshotFromJson(const JsonValue& json);

// Reads what a run begins with; as above.
LedgerInit LedgerInitFromJson(const JsonValue& json);

// The snapshot that a document of an older version or another program means,
// with `fallback` for what it does not say. Anything that is no object means
// EmptySnapshot(fallback). Texts are trimmed, blank ones and values of wrong
// types count as missing, steps without a status are dropped, a running step
// that has completed is completed, and a log that is longer than the tail is
// cut but counted.
LedgerSnapshot NormalizedSnapshot(const JsonValue& value,
                                  const LedgerInit& fallback);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_SNAPSHOT_JSON_H_
