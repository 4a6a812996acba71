// What the events of an append name must be there: earlier events of their log,
// and blobs.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_REFERENCES_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_REFERENCES_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/event_log.h"

namespace kinora {

// INVALID_ARGUMENT for an event that names one behind `last_sequence`, where
// its log ends.
absl::Status CheckEarlier(const v1::AppendEventsRequest& request,
                          int64_t last_sequence);

// INVALID_ARGUMENT for an input that goes back to an event of another one, as
// far as `log`, the key of its log, still has it.
absl::Status CheckRestored(EventLog& events, absl::string_view log,
                           const v1::AppendEventsRequest& request);

// INVALID_ARGUMENT for "request_id" unless the records of `range` hold the
// events of the append. Their revision aside, which is the next one whenever
// somebody asks; and OK for records that were removed since.
absl::Status CheckRepeats(EventLog& events, absl::string_view log,
                          const v1::AppendEventsRequest& request,
                          const AppendedRange& range);

// Holds the blobs that the events name until what it returns is let go: once
// the events are in the log, that keeps them. INVALID_ARGUMENT for a blob that
// the movie does not have.
absl::StatusOr<std::shared_ptr<void>> HoldBlobsOf(
    BlobStore& blobs, const v1::AppendEventsRequest& append);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_REFERENCES_H_
