// Checking the readable files of a movie against its events.

#ifndef KINORA_SERVICES_STORE_VERIFY_READABLE_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_READABLE_CHECK_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/store/event/log_event_store.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Tells `problem`, with a path below the movie, of files that cannot be taken,
// of those that were edited and not recorded, and of those that several
// artefacts of the current revision name, as results of different runs may.
// Writes nothing. Does nothing where there are no files. An error of `problem`
// ends the check.
absl::Status CheckReadableFiles(
    ObjectStorage& storage, LogEventStore& events, ManifestStore& manifests,
    const std::string& movie_id,
    absl::FunctionRef<absl::Status(absl::string_view path,
                                   absl::string_view message)>
        problem);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_READABLE_CHECK_H_
