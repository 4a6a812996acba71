// Checks and small steps that several stores share: fields of requests, pages,
// objects written once.

#ifndef KINORA_SERVICES_STORE_CHECKS_H_
#define KINORA_SERVICES_STORE_CHECKS_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

#include "services/store/object/object_storage.h"

namespace kinora {

// OK for 64 lower-case hexadecimal digits, else INVALID_ARGUMENT for `field`.
absl::Status ValidateHash(absl::string_view field, absl::string_view hash);

// As ValidateRunId() and Revision::Parse(), but naming `field`.
absl::Status ValidateRunIdField(absl::string_view field,
                                absl::string_view run_id);
absl::Status ValidateRevisionField(absl::string_view field,
                                   absl::string_view revision);

// The number of entries a page request asks for: 100 for 0, at most 1,000.
// INVALID_ARGUMENT for "page_size" if it is negative or larger.
absl::StatusOr<int> PageSize(int32_t requested);

// DATA_LOSS (DATA_CORRUPT) `key: why`, for stored bytes that cannot be right.
absl::Status DataCorrupt(absl::string_view key, absl::string_view why);

// Stores an object that is never rewritten. True if it is new; false, and
// nothing changed, if the key is taken. Fit for objects of any size.
absl::StatusOr<bool> CreateObject(ObjectStorage& storage, absl::string_view key,
                                  absl::string_view bytes);

// Hands every object and prefix directly below `prefix` to `take`, ascending.
absl::Status ForEachEntry(
    ObjectStorage& storage, absl::string_view prefix,
    absl::FunctionRef<absl::Status(const ObjectPage& page)> take);

// The last part of a key or prefix: "film" of "builds/film/".
absl::string_view LastPart(absl::string_view key);

// `time` cut to milliseconds, the precision that stored times have.
google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKS_H_
