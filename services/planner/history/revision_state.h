// A RevisionState is one revision as history looks at it: what its manifest
// holds, and by its blueprint what the manifest leaves out, the values of
// inputs that nobody set.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_REVISION_STATE_H_
#define KINORA_SERVICES_PLANNER_HISTORY_REVISION_STATE_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/manifest.pb.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// Copies share what they point at. Without a manifest it is the time before the
// first revision: nothing is there.
struct RevisionState {
  std::shared_ptr<const v1::Manifest> manifest;
  // Null if it cannot be read; then defaults and settings are not known.
  std::shared_ptr<const Blueprint> blueprint;

  // The revision; empty before the first.
  const std::string& revision() const;
  // The value of an input: as set, or the blueprint's default. Null if it has
  // neither or the default is not known.
  const v1::Content* FindInput(const std::string& id) const;
  bool IsSet(const std::string& id) const;
  const v1::ManifestArtefact* FindArtefact(const std::string& id) const;
  const v1::ManifestNode* FindNode(const std::string& name) const;
  // The node's settings as JSON; empty if they are not known.
  absl::string_view SettingsOf(absl::string_view node) const;
  // What the node's key has besides settings; empty if that is not known.
  absl::string_view SaltOf(absl::string_view node) const;
  // The hash of the value of an input or artefact; empty if it has none.
  std::string HashOf(const std::string& id) const;
};

// True for `Input:...`.
bool IsInputId(absl::string_view id);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_REVISION_STATE_H_
