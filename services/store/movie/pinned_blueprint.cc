#include "services/store/movie/pinned_blueprint.h"

#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"

namespace kinora {

absl::StatusOr<v1::BlobRef> PinnedBlueprint(LogEventStore& events,
                                            absl::string_view movie_id) {
  KINORA_ASSIGN_OR_RETURN(const EventPtr event,
                          events.FindInput(movie_id, kBlueprintInputId));
  if (event == nullptr || !event->input().content().has_blob()) {
    return DataCorrupt(InputsLogKey(movie_id), "pins no blueprint");
  }
  return event->input().content().blob();
}

}  // namespace kinora
