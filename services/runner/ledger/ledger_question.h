// One question to the ledger's rules as a JSON object, and its answer: the form
// of the shared vectors, and of `kinora ledger`.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_LEDGER_QUESTION_H_
#define KINORA_SERVICES_RUNNER_LEDGER_LEDGER_QUESTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// Answers the question in one line of JSON without a line break. By `kind`:
//   reduce     {initial | snapshot, events}   the snapshot after the events, of
//              a run that begins with `initial` or goes on from `snapshot`
//   normalize  {fallback, value}              the snapshot that `value` means
//   patch      {previous, patch, now}         the list of events
//   slice      {input}                        {lines, channelOffset} or null
// Other members are ignored, but for `kind`: if there is one it MUST be this
// one. INVALID_ARGUMENT names the member that is missing or of the wrong type.
// Within these, what is of a wrong type counts as missing.
absl::StatusOr<std::string> AnswerLedgerQuestion(absl::string_view kind,
                                                 const JsonValue& question);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_LEDGER_QUESTION_H_
