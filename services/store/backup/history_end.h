// Where to stop in the history of a movie.

#ifndef KINORA_SERVICES_STORE_BACKUP_HISTORY_END_H_
#define KINORA_SERVICES_STORE_BACKUP_HISTORY_END_H_

#include <cstdint>

#include "absl/status/status.h"

#include "services/store/event/event_log.h"

namespace kinora {

// The last records of its logs, 0 for none; with the revisions that they make.
struct HistoryEnd {
  int64_t artefacts_through = 0;
  int64_t inputs_through = 0;
};

// OUT_OF_RANGE (LOG_TRIMMED): what the movie was that long ago is not known any
// more.
absl::Status HistoryTrimmed(int64_t oldest);

// Makes it the extent of the log when it ended at `through`, or
// HistoryTrimmed() if the events before that are gone.
absl::Status CutExtent(int64_t through, LogExtent* extent);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_HISTORY_END_H_
