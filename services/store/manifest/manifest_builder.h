// Builds a manifest from events: a pure function, so that a manifest that was
// lost comes back with the same bytes.

#ifndef KINORA_SERVICES_STORE_MANIFEST_MANIFEST_BUILDER_H_
#define KINORA_SERVICES_STORE_MANIFEST_MANIFEST_BUILDER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "services/store/event/event_ptr.h"

namespace kinora {

// What a revision adds to its base.
struct RevisionEvents {
  // The latest event of every input that was ever set.
  std::vector<EventPtr> inputs;
  // The run's artefact events in the order of the log; only succeeded ones
  // count, and of several for one artefact the last.
  std::vector<EventPtr> artefacts;
  // Artefacts of the base that are gone.
  std::vector<std::string> removed_artefact_ids;
};

// The manifest of `revision`: `base` (empty for the first one) with the values
// of `events` in the place of its own. A node is listed while an artefact names
// it. Nothing of when, how often or by which run enters the result.
v1::Manifest BuildManifest(const v1::Manifest& base, absl::string_view revision,
                           const RevisionEvents& events);

// CanonicalBytes(manifest), which goes through reflection, and so would copy
// each of the maps first.
std::string ManifestBytes(const v1::Manifest& manifest);

// What one event of an input does to a manifest.
void ApplyInput(const v1::InputEvent& event, v1::Manifest* manifest);

// True if the two differ in nothing but their revision and what it builds on.
bool SameContent(const v1::Manifest& a, const v1::Manifest& b);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_MANIFEST_BUILDER_H_
