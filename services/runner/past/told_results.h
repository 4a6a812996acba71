// What an adopted run need not look up: its ledger tells which jobs are done,
// and their results are durable before it does.

#ifndef KINORA_SERVICES_RUNNER_PAST_TOLD_RESULTS_H_
#define KINORA_SERVICES_RUNNER_PAST_TOLD_RESULTS_H_

#include "kinora/v1/run_record.pb.h"
#include "services/runner/past/run_past.h"
#include "services/runner/state/run_state.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Takes the jobs as done that `past` tells are, and reads of their results only
// those that other jobs read. Leaves `state` as it is, so that all are looked
// up, if one of these is not what the run has made (its blob is gone, or
// somebody has edited it since), or cannot be read. Blocks.
void TakeToldResults(EventStore& events, BlobStore& blobs,
                     const v1::RunRecord& record, const RunPast& past,
                     RunState* state);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_TOLD_RESULTS_H_
