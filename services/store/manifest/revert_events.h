// What it takes to go back to an earlier revision: the events that make the
// next manifest of it. Pure.

#ifndef KINORA_SERVICES_STORE_MANIFEST_REVERT_EVENTS_H_
#define KINORA_SERVICES_STORE_MANIFEST_REVERT_EVENTS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"

namespace kinora {

// Collects them in four steps: what differs, which edits wait for a run, which
// events made what is to come back, the events. Not thread-safe.
class RevertEvents {
 public:
  // `target` is gone back to, `current` is now; both MUST outlive this.
  RevertEvents(const v1::Manifest& target, const v1::Manifest& current);

  // Offers an event of the artefact log after the current revision, in order.
  // An edit by hand that no run has taken up yet is undone, too.
  void OfferPending(const v1::Event& event);

  // Offers an event of the artefact log, in order. It is taken if it is how an
  // artefact that differs got the value it had.
  void Offer(const v1::Event& event);

  // The inputs that have another value than in the target, as edits that give
  // it back; `set` are the events of the inputs in effect. By id.
  std::vector<v1::Event> Inputs(absl::Span<const v1::Event> set,
                                absl::string_view revision) const;

  // One event for each artefact that comes back, reusing the one that made it
  // if the log still has it. By `run_id`, for `revision`.
  std::vector<v1::Event> Artefacts(absl::string_view run_id,
                                   absl::string_view revision) const;

  // Artefacts that the target does not have, sorted.
  std::vector<std::string> RemovedIds() const;

 private:
  bool Differs(const std::string& id, const v1::ManifestArtefact& wanted) const;

  const v1::Manifest& target_;
  const v1::Manifest& current_;
  // The event to reuse by artefact that comes back; without a payload until it
  // is found.
  absl::flat_hash_map<std::string, v1::Event> originals_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_REVERT_EVENTS_H_
