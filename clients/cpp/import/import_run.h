// The runs under which an import records and commits what it brings.

#ifndef KINORA_CLIENTS_CPP_IMPORT_IMPORT_RUN_H_
#define KINORA_CLIENTS_CPP_IMPORT_IMPORT_RUN_H_

#include <string>

#include "absl/strings/string_view.h"

#include "common/digest.h"

namespace kinora {

// Who holds the movie's lease meanwhile.
inline constexpr absl::string_view kImportHolder = "kinora-import";

// The id of the run that brings this content: whoever repeats the import comes
// to the same one. Its time is zero; it was never started and has no ledger.
std::string ImportRunId(const Digest& content);

// True for the id of such a run.
bool IsImportRun(absl::string_view run_id);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_IMPORT_RUN_H_
