// From `NAME=...` words to edits that can be appended or staged.

#ifndef KINORA_CLIENTS_CLI_INPUT_ASSIGNMENTS_H_
#define KINORA_CLIENTS_CLI_INPUT_ASSIGNMENTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "clients/cli/connection.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// What to do with the bytes of `NAME=file:PATH`.
enum class FileUpload {
  kSend,  // they are about to be an input
  kSkip,  // they are only staged: nothing may be written
};

// Reads the words, has the planner check them against the movie's blueprint,
// and only then uploads the files they name. Errors name the word.
absl::StatusOr<std::vector<v1::PendingEdit>> PrepareEdits(
    Connection& connection, absl::string_view movie_id,
    absl::Span<const std::string> words, FileUpload upload);

// Appends what PrepareEdits() returned; a call that the channel repeats after a
// broken connection counts once. Errors of AppendInputEdits().
absl::StatusOr<v1::AppendEventsResponse> ApplyEdits(
    Connection& connection, absl::string_view movie_id,
    absl::Span<const v1::PendingEdit> edits,
    absl::string_view unchanged_since = "");

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_INPUT_ASSIGNMENTS_H_
