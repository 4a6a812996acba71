// Which blueprint a movie has: a blob that the newest event of
// `Input:Blueprint` names.

#ifndef KINORA_SERVICES_STORE_MOVIE_PINNED_BLUEPRINT_H_
#define KINORA_SERVICES_STORE_MOVIE_PINNED_BLUEPRINT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"
#include "services/store/event/log_event_store.h"

namespace kinora {

// DATA_LOSS (DATA_CORRUPT) naming the log of inputs if no event pins one: a
// movie is made with one, and never without.
absl::StatusOr<v1::BlobRef> PinnedBlueprint(LogEventStore& events,
                                            absl::string_view movie_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_PINNED_BLUEPRINT_H_
