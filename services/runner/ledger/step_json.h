// Reads steps and their progress from JSON, for whoever says how its texts are
// to be read: as they are (StringOf) or trimmed (TrimmedOf).

#ifndef KINORA_SERVICES_RUNNER_LEDGER_STEP_JSON_H_
#define KINORA_SERVICES_RUNNER_LEDGER_STEP_JSON_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "services/runner/ledger/ledger_steps.h"

namespace kinora {

// The text of a member; nothing if it has none.
using TextReader = std::optional<std::string> (*)(const JsonValue& object,
                                                  absl::string_view key);

// All its members; one of a wrong type counts as missing.
LedgerProgress ReadProgress(const JsonValue& json, TextReader text);

// The same of a step. Without a status word of steps it has no status, and
// without an object no progress.
LedgerStep ReadStep(const std::string& id, const JsonValue& json,
                    TextReader text);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_STEP_JSON_H_
