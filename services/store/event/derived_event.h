// Events of artefacts that say again what another one tells of: a reuse by a
// later run, or an edit by hand under the same key.

#ifndef KINORA_SERVICES_STORE_EVENT_DERIVED_EVENT_H_
#define KINORA_SERVICES_STORE_EVENT_DERIVED_EVENT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

// Makes `event`, which stands at `sequence`, a reuse of the work it tells of,
// by the run. A chain of reuses names the event that is the work, not the one
// before.
void BecomeReuse(int64_t sequence, absl::string_view run_id,
                 v1::ArtefactEvent* event);

// Makes `event` an edit by a user.
void BecomeHandEdit(v1::ArtefactEvent* event);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_DERIVED_EVENT_H_
