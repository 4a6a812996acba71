// Replacing an artefact by hand, and taking that back: what `kinora artefact
// set` and `kinora artefact restore` do.
//
// An edit is an event that says of its artefact what the revision says (inputs
// hash, node, producer, settings, dependencies, path), but for the value and
// for `edited_by`, which is the user. So it holds until an input of its job
// changes; what reads it is made anew by the next run, and every value before
// it is still in the log. An edit of a readable file is recorded in the same
// way (services/store/readable/readable_scan.h).
//
// What replaces a document replaces its leaves, too: each that then has another
// value gets an event of its own, appended together with that of the document.
// A leaf may be replaced alone; that lasts until its document is.

#ifndef KINORA_CLIENTS_CPP_ARTEFACT_EDITS_H_
#define KINORA_CLIENTS_CPP_ARTEFACT_EDITS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "services/planner/planner.h"
#include "services/store/store.h"

namespace kinora {

// Gives the new value, of the media type that the artefact has now; it may be
// inline whatever its size.
using ValueMaker =
    std::function<absl::StatusOr<v1::Content>(const std::string& mime_type)>;

// The edits of one movie by one person. The planner knows which leaves an
// artefact has. Both calls hold the movie's lease while they work:
// FAILED_PRECONDITION (RUN_ACTIVE) while a run does, ABORTED (LEASE_LOST) if
// one has taken the movie from an edit that was slow. NOT_FOUND
// (ARTEFACT_NOT_FOUND) unless the current revision has the artefact;
// INVALID_ARGUMENT if the value does not hold the leaves
// (common/json/json_leaf.h). They append all events or, on an error, none, and
// return them as appended: that of the artefact, then those of its leaves in
// the blueprint's order.
//
// Thread-compatible.
class ArtefactEditor {
 public:
  // The store's parts and `planner` MUST outlive it. `holder` is a name of its
  // own for each editor.
  ArtefactEditor(const Store& store, Planner& planner, std::string movie_id,
                 std::string holder)
      : store_(store),
        planner_(planner),
        movie_id_(std::move(movie_id)),
        holder_(std::move(holder)) {}

  absl::StatusOr<std::vector<v1::Event>> Replace(const std::string& artefact_id,
                                                 const ValueMaker& value);

  // Brings back the value before the latest one of the same key; with `to` that
  // of any succeeded event of the artefact. FAILED_PRECONDITION if there is
  // none before, NOT_FOUND if there is no event `to`.
  absl::StatusOr<std::vector<v1::Event>> Restore(const std::string& artefact_id,
                                                 std::optional<int64_t> to);

 private:
  // The events of some artefacts, oldest first, by artefact.
  using Histories = std::map<std::string, std::vector<v1::Event>>;
  // Puts the new value into the event of an artefact, which has the one now.
  using Change =
      std::function<absl::Status(const Histories&, v1::ArtefactEvent*)>;

  // Changes the artefact and its leaves. `is_restore`: the change is told their
  // histories, and leaves name the work that made their values, too.
  absl::StatusOr<std::vector<v1::Event>> Edit(const std::string& artefact_id,
                                              bool is_restore,
                                              const Change& change);
  // Edits of the leaves that have another value in `whole`.
  absl::StatusOr<std::vector<v1::Event>> EditsOfLeaves(
      const v1::Manifest& manifest, const v1::ListLeavesResponse& listed,
      const v1::ArtefactEvent& whole);
  absl::StatusOr<Histories> ReadHistories(const std::string& artefact_id,
                                          const v1::ListLeavesResponse& leaves);
  // What `manifest` says of artefacts that it has, or what was put in their
  // place since, as events by the user for the next revision.
  absl::StatusOr<std::vector<v1::Event>> EventsNow(
      const v1::Manifest& manifest,
      const std::vector<std::string>& artefact_ids);
  absl::Status Renew(const v1::LeaseToken& lease);
  absl::Status Append(const v1::LeaseToken& lease,
                      std::vector<v1::Event>* events);

  const Store store_;
  Planner& planner_;
  const std::string movie_id_;
  const std::string holder_;
};

// The events of an artefact, oldest first, without those that retention has
// removed. NOT_FOUND (ARTEFACT_NOT_FOUND) if there is none, and no current
// revision that has it either.
absl::StatusOr<std::vector<v1::Event>> ReadArtefactHistory(
    const Store& store, const std::string& movie_id,
    const std::string& artefact_id);

// NOT_FOUND (ARTEFACT_NOT_FOUND) with the nearest id that the manifest has. One
// without a revision stands for a movie that has none yet.
absl::Status ArtefactNotInRevision(const v1::Manifest& manifest,
                                   absl::string_view movie_id,
                                   const std::string& artefact_id);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_ARTEFACT_EDITS_H_
