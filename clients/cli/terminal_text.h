// Text as it comes out on a terminal: how many columns it takes, and cut to
// what there is room for.

#ifndef KINORA_CLIENTS_CLI_TERMINAL_TEXT_H_
#define KINORA_CLIENTS_CLI_TERMINAL_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

// `text` fit for one line of a terminal: control characters, which could move
// the cursor or worse, are spaces, and bytes that are not UTF-8 are U+FFFD.
std::string PrintableText(absl::string_view text);

// Each line of `text` so, with its end; the last one gets one.
std::string PrintableLines(absl::string_view text);

// Columns that `text` takes. Characters of East Asia and most emoji take two,
// combining marks none. REQUIRES: `text` is printable.
int DisplayWidth(absl::string_view text);

// `text`, if it takes at most `columns`; else its beginning, with an ellipsis
// as its last column. Empty without columns. REQUIRES: `text` is printable.
std::string FitText(absl::string_view text, int columns);

// FitText(), filled up with spaces.
std::string PadText(absl::string_view text, int columns);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_TERMINAL_TEXT_H_
