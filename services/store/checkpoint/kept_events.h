// The rule of which events a checkpoint keeps of a movie's logs, so that
// nothing that can be asked of revisions from the checkpoint's on changes when
// the records themselves are removed.
//
// Of inputs.log up to the revision's inputs:
//   - the last event of every input: the inputs in effect;
//   - the first one of every input: indexes list inputs by it;
//   - every one that names a blob: it keeps it alive.
// Of artefacts.log up to the record of the revision:
//   - every record of a commit: revisions, their hashes and runs are listed
//     from them, however old;
//   - of every artefact and inputs hash the last event that succeeded: what is
//     resolved, and reused when an edit is undone;
//   - of every artefact and of every node the last event that a commit took up:
//     what the revision's manifest is made of;
//   - of every artefact and inputs hash the last failure of the job itself that
//     was not made good: plans tell of it;
//   - of every artefact the last attempt, whatever became of it;
//   - of every readable file the last event that declares it;
//   - every event that keeps a blob alive, and every take that pruning kept,
//     as services/store/retention/kept_takes.h says;
//   - whatever this build does not know.
// So what goes is: superseded inputs without a blob, other failed and skipped
// attempts, and pruned takes that a later one of the same key took over from.
//
// Choosing from what a checkpoint has kept, and the log after it, gives what
// choosing from the whole log would have given.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_KEPT_EVENTS_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_KEPT_EVENTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "services/store/checkpoint/log_history.h"
#include "services/store/event/event_ptr.h"
#include "services/store/retention/kept_takes.h"

namespace kinora {

// The numbers of the events to keep, ascending. Memory: a few numbers for each
// key of the movie. Errors are those of the log.
absl::StatusOr<std::vector<int64_t>> ChooseInputs(LogHistory& inputs,
                                                  int64_t through);
// `commits` are all there are up to `through`, the number of the last.
absl::StatusOr<std::vector<int64_t>> ChooseArtefacts(
    LogHistory& artefacts, const std::vector<EventPtr>& commits,
    const KeptTakes& takes);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_KEPT_EVENTS_H_
