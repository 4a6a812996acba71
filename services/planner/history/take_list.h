// The takes of one artefact, out of the artefact log.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_TAKE_LIST_H_
#define KINORA_SERVICES_PLANNER_HISTORY_TAKE_LIST_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// What producers made of an artefact last, by draw. Reuses and edits by hand
// are no draws, but where they say something else under the key of a draw, that
// is what comes back with it, and so what the take is.
class TakeList {
 public:
  explicit TakeList(std::string artefact_id)
      : artefact_id_(std::move(artefact_id)) {}

  // Takes the next event of the log; those of other artefacts are nothing.
  void Add(const v1::Event& event);

  // Fills in the takes and the next draw. `current` is what the current
  // revision holds, null for nothing.
  void Describe(const v1::ManifestArtefact* current,
                v1::ListTakesResponse* response) const;

 private:
  struct Draw {
    v1::Take made;
    v1::Take now;  // the same, unless something was put in its place
  };

  const std::string artefact_id_;
  std::map<uint32_t, Draw> draws_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_TAKE_LIST_H_
