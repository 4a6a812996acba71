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

// What each draw of an artefact is: what a producer or an edit by hand gave it
// last, or what a reuse of that brought back since, be it under another key.
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
  const std::string artefact_id_;
  std::map<uint32_t, v1::Take> takes_;  // by draw
  std::map<int64_t, v1::Take> works_;   // what reuses name, by sequence
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_TAKE_LIST_H_
