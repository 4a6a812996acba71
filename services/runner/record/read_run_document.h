// Reads the run record, as a document, of a run out of the store.

#ifndef KINORA_SERVICES_RUNNER_RECORD_READ_RUN_DOCUMENT_H_
#define KINORA_SERVICES_RUNNER_RECORD_READ_RUN_DOCUMENT_H_

#include <string>

#include "absl/status/statusor.h"

#include "common/json/json.h"
#include "services/store/store.h"

namespace kinora {

// What the store has of the run, as RunDocumentSource makes it; of one that has
// not ended, so far. Logs are read page by page. What a checkpoint has removed
// of them is not in it. Blocks.
// - INVALID_ARGUMENT, NOT_FOUND (RUN_NOT_FOUND)
// - DATA_LOSS (DATA_CORRUPT): its ledger or its plan is damaged.
absl::StatusOr<JsonValue> ReadRunDocument(const Store& store,
                                          const std::string& run_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_READ_RUN_DOCUMENT_H_
