// Where to stop in the history of a movie.

#ifndef KINORA_SERVICES_STORE_BACKUP_HISTORY_END_H_
#define KINORA_SERVICES_STORE_BACKUP_HISTORY_END_H_

#include <cstdint>

namespace kinora {

// The last records of its logs, 0 for none; with the revisions that they make.
struct HistoryEnd {
  int64_t artefacts_through = 0;
  int64_t inputs_through = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_HISTORY_END_H_
