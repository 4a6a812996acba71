// Results that the log of artefacts has: what jobs reuse and what they read.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_RESULTS_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_RESULTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/event_ptr.h"
#include "services/store/event/event_store.h"

namespace kinora {

// The place in the log of artefacts behind which the events of a run lie, among
// those of the revision that it leads to, up to whoever commits it: what comes
// before is of earlier revisions, or was removed. Blocks; what it costs does
// not grow with the log.
absl::StatusOr<int64_t> BeforeResultsOf(EventStore& store,
                                        const v1::RunRecord& run);

// The latest succeeded event for each query; null where there is none. Blocks.
absl::StatusOr<std::vector<EventPtr>> FindResults(
    EventStore& store, const std::string& movie_id,
    const std::vector<v1::ArtefactQuery>& queries);

// Makes events null whose blob is gone: a result without its blob is none, and
// its job makes it anew. Blocks.
absl::Status DropLostResults(BlobStore& blobs, const std::string& movie_id,
                             std::vector<EventPtr>* events);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_RESULTS_H_
