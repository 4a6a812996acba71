// The status words of runs and steps.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_STATUS_WORDS_H_
#define KINORA_SERVICES_RUNNER_LEDGER_STATUS_WORDS_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace kinora {

// The status of a run that `text` means: queued, running, waiting, completed,
// failed, cancelled, terminated or timed_out, whatever its case, the spaces
// around it or a usual other name (`pending`, `error`, `canceled`, ...); else
// `unknown`. Valid for ever.
absl::string_view NormalizedRunStatus(absl::string_view text);

// True for exactly completed, failed, cancelled, terminated and timed_out.
bool IsTerminalStatus(absl::string_view word);

enum class StepStatus { kRunning, kCompleted, kFailed, kSkipped };

// Nothing for what is no status of a step. There are no other names here.
std::optional<StepStatus> StepStatusOf(absl::string_view text);

absl::string_view StepStatusWord(StepStatus status);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_STATUS_WORDS_H_
