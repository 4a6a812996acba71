// Checking that what lies below a movie is its own: no link, FIFO or device.
//
// Who goes through a movie's directory follows no link below it, so that
// nothing outside is removed with the movie. What lies behind one can often be
// read all the same, by its path; but statistics and quota do not count it, it
// is not among what is listed, collected or deleted, and a change of a file
// replaces the link. The directory of a movie itself may be a link.

#ifndef KINORA_SERVICES_STORE_VERIFY_LINKS_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_LINKS_CHECK_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/store/object/object_storage.h"
#include "services/store/readable/readable_files.h"

namespace kinora {

// What is wrong with such an object, after its path.
inline constexpr absl::string_view kForeignProblem =
    "is a link, a FIFO or a device: put the directory or the file itself in "
    "its place, as what a link leads to is not counted, listed, collected or "
    "deleted with the movie";

// Tells `found` the key of each, but for what is below `blobs/`, which has its
// own check. Where readable files are, links are a person's own business unless
// a file of the movie is below. A link that leads nowhere is nothing.
absl::Status CheckLinks(
    ObjectStorage& storage, ReadableFiles& readable,
    const std::string& movie_id,
    absl::FunctionRef<absl::Status(absl::string_view key)> found);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_LINKS_CHECK_H_
