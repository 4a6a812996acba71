// An ArtefactIndex is the projection of a movie's artefacts.log that answers
// which event an artefact resolves to, and which revisions were committed. It
// is fed with the log's events in order, from the first; failed and skipped
// attempts do not count.

#ifndef KINORA_SERVICES_STORE_EVENT_ARTEFACT_INDEX_H_
#define KINORA_SERVICES_STORE_EVENT_ARTEFACT_INDEX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

// Events are shared between the index and its readers and never change.
using EventPtr = std::shared_ptr<const v1::Event>;

// Not thread-safe. Memory: one event per artefact and distinct inputs hash.
class ArtefactIndex {
 public:
  void Apply(v1::Event event);

  // Sequence of the last event applied.
  int64_t through() const { return through_; }

  // The latest succeeded event of the artefact; null if there is none.
  EventPtr Latest(absl::string_view artefact_id) const;

  // As Latest(), among the events with that inputs hash: after an edit and its
  // undo the result of the first value is still found.
  EventPtr Latest(absl::string_view artefact_id,
                  absl::string_view inputs_hash) const;

  // The RevisionCommitted events, ascending.
  const std::vector<EventPtr>& commits() const { return commits_; }

 private:
  struct PerArtefact {
    EventPtr latest;
    absl::flat_hash_map<std::string, EventPtr> by_inputs_hash;
  };

  int64_t through_ = 0;
  absl::flat_hash_map<std::string, PerArtefact> artefacts_;
  std::vector<EventPtr> commits_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_ARTEFACT_INDEX_H_
