// White space as the ledger's rules mean it: that of ECMAScript's trim(), where
// many of the workers that report lines and statuses come from. It is ASCII's,
// U+00A0, U+1680, U+2000..U+200A, U+2028, U+2029, U+202F, U+205F, U+3000 and
// U+FEFF; not U+0085.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_TRIMMED_TEXT_H_
#define KINORA_SERVICES_RUNNER_LEDGER_TRIMMED_TEXT_H_

#include "absl/strings/string_view.h"

namespace kinora {

// `text` without white space at its ends.
absl::string_view TrimmedText(absl::string_view text);

inline bool IsBlankText(absl::string_view text) {
  return TrimmedText(text).empty();
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_TRIMMED_TEXT_H_
