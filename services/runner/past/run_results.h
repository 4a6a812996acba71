// Results that the log of artefacts has: what jobs reuse and what they read.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_RESULTS_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_RESULTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/event_ptr.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Where the events of a run lie in the log of artefacts: among those of the
// revision that it leads to, as only one run of a movie goes on at a time.
// Calls `take` with each event behind what is of earlier revisions, or was
// removed, through the commit of whoever came to one first. Returns the
// sequence of the last event before them. Blocks; what it costs does not grow
// with the log.
absl::StatusOr<int64_t> FoldResultsAbout(
    EventStore& store, const v1::RunRecord& run,
    absl::FunctionRef<void(v1::Event event)> take);

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
