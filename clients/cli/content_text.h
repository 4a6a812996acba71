// Values as people type and read them.

#ifndef KINORA_CLIENTS_CLI_CONTENT_TEXT_H_
#define KINORA_CLIENTS_CLI_CONTENT_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/planner.pb.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// One line: hash, size, type, and the beginning of short texts.
std::string DescribeContent(const v1::Content& content);

// The value itself, as short as a listing needs it: `"a cat"`, `12`; the hash
// of what is not text.
std::string ShowValue(const v1::Content& content);

// An input as given on the command line.
struct InputAssignment {
  v1::PendingEdit edit;  // with an inline value
  // Set for `NAME=file:PATH`: the file whose bytes are the value; then `edit`
  // names them as a blob that is still to be uploaded.
  std::string upload_path;
  // The bytes of that file are UTF-8 text. What is not has no media type
  // "text/plain", and what is not JSON none "application/json".
  bool is_text = true;
};

// Reads `NAME=JSON`, `NAME=@FILE` (a file of JSON) or `NAME=file:PATH` (bytes).
// INVALID_ARGUMENT names the assignment and what is wrong with it; errors of
// the file name its path.
absl::StatusOr<InputAssignment> ParseAssignment(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_CONTENT_TEXT_H_
