// Checking the blobs of a movie against their names.

#ifndef KINORA_SERVICES_STORE_VERIFY_BLOB_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_BLOB_CHECK_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/store/object/object_storage.h"

namespace kinora {

// Reads all that lies below `blobs/`. `checked` is told the size of each blob,
// `problem` the key of what is none, or not the one that its name says. Safe
// beside uploads and collections. An error of either ends the check.
absl::Status CheckBlobs(ObjectStorage& storage, absl::string_view movie_id,
                        absl::FunctionRef<absl::Status(int64_t bytes)> checked,
                        absl::FunctionRef<absl::Status(
                            absl::string_view key, absl::string_view message)>
                            problem);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_BLOB_CHECK_H_
