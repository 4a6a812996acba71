// Counts and sizes of a movie.

#ifndef KINORA_SERVICES_STORE_STATISTICS_MOVIE_STATISTICS_H_
#define KINORA_SERVICES_STORE_STATISTICS_MOVIE_STATISTICS_H_

#include "absl/status/statusor.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct MovieStatisticsCores {
  ObjectStorage& storage;
  EventLog& log;
  LogEventStore& events;
};

// MaintenanceService.GetStatistics on a movie that exists. Lists its blobs and
// runs; reads of artefacts.log what came since the last call (ProducerTotals).
absl::StatusOr<v1::GetStatisticsResponse> GetStatistics(
    const v1::GetStatisticsRequest& request, const MovieStatisticsCores& cores);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_STATISTICS_MOVIE_STATISTICS_H_
