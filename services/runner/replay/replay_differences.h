// Where a replay is not as its run was recorded. Pure.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_REPLAY_DIFFERENCES_H_
#define KINORA_SERVICES_RUNNER_REPLAY_REPLAY_DIFFERENCES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/runner/replay/recorded_run.h"

namespace kinora {

// Sorted by job and artefact. `manifest` is that of the revision which was
// current after the run, if it is known: it decides what an output was, and
// shows a record that has changed since. `unrecorded` are the jobs that asked
// for what the record does not have, with their inputs hashes.
//
// Of a run that did not end well only the jobs count that had ended: the others
// may come to anything.
std::vector<v1::ReplayDifference> DifferencesOf(
    const RecordedRun& recorded, const RecordedRun& replayed,
    const std::optional<v1::Manifest>& manifest,
    const std::map<std::string, std::string>& unrecorded);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_REPLAY_DIFFERENCES_H_
