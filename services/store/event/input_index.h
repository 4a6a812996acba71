// An InputIndex is the projection of a movie's inputs.log that answers which
// value an input has, now or at any earlier point of the log. It is fed with
// the log's events in order, from the first.

#ifndef KINORA_SERVICES_STORE_EVENT_INPUT_INDEX_H_
#define KINORA_SERVICES_STORE_EVENT_INPUT_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/artefact_index.h"

namespace kinora {

// Not thread-safe. Memory: every edit of every input.
class InputIndex {
 public:
  void Apply(v1::Event event);

  // Sequence of the last event applied.
  int64_t through() const { return through_; }

  // The latest event of the input; null if it was never set.
  EventPtr Latest(absl::string_view input_id) const;

  // The latest event of every input among those up to `through`, by id.
  std::vector<EventPtr> LatestThrough(int64_t through) const;

 private:
  int64_t through_ = 0;
  std::map<std::string, std::vector<EventPtr>, std::less<>> by_id_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_INPUT_INDEX_H_
