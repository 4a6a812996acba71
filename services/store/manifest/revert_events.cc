#include "services/store/manifest/revert_events.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "services/store/event/derived_event.h"
#include "services/store/event/event_validator.h"

namespace kinora {
namespace {

bool SameNode(const v1::ManifestNode& a, const v1::ManifestNode& b) {
  return a.producer().name() == b.producer().name() &&
         a.producer().version() == b.producer().version() &&
         a.settings_hash() == b.settings_hash();
}

bool SameContent(const v1::Content& a, const v1::Content& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// True if the event says of its node what the manifest says.
bool SpeaksForNode(const v1::ArtefactEvent& event,
                   const v1::Manifest& manifest) {
  const auto node = manifest.nodes().find(event.produced_by().node());
  v1::ManifestNode said;
  *said.mutable_producer() = event.produced_by().producer();
  said.set_settings_hash(event.produced_by().settings_hash());
  return node != manifest.nodes().end() && SameNode(node->second, said);
}

// Makes an event say of its node what the manifest says.
void SpeakForNode(const v1::Manifest& manifest, v1::ArtefactEvent* event) {
  const auto node = manifest.nodes().find(event->produced_by().node());
  if (node == manifest.nodes().end()) return;
  v1::ProducedBy& by = *event->mutable_produced_by();
  *by.mutable_producer() = node->second.producer();
  by.set_settings_hash(node->second.settings_hash());
}

// An event that says of an artefact what a manifest says: all that is left of
// how it was made once its log is gone.
v1::Event EventOfManifest(const std::string& id,
                          const v1::ManifestArtefact& artefact,
                          const v1::Manifest& manifest) {
  v1::Event event;
  v1::ArtefactEvent& made = *event.mutable_artefact();
  made.set_artefact_id(id);
  made.set_inputs_hash(artefact.inputs_hash());
  made.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  *made.mutable_output() = artefact.content();
  made.set_readable_path(artefact.readable_path());
  made.mutable_produced_by()->set_node(artefact.node());
  SpeakForNode(manifest, &made);
  // Only edits by hand have no key.
  if (artefact.inputs_hash().empty()) {
    made.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
  }
  return event;
}

}  // namespace

RevertEvents::RevertEvents(const v1::Manifest& target,
                           const v1::Manifest& current)
    : target_(target), current_(current) {
  for (const auto& entry : target.artefacts()) {
    if (Differs(entry.first, entry.second)) originals_[entry.first];
  }
}

bool RevertEvents::Differs(const std::string& id,
                           const v1::ManifestArtefact& wanted) const {
  const auto now = current_.artefacts().find(id);
  if (now == current_.artefacts().end()) return true;
  if (now->second.SerializeAsString() != wanted.SerializeAsString()) {
    return true;
  }
  // The events of a node's artefacts are what says who made them.
  const auto before = target_.nodes().find(wanted.node());
  const auto after = current_.nodes().find(wanted.node());
  if (before == target_.nodes().end()) return false;
  return after == current_.nodes().end() ||
         !SameNode(before->second, after->second);
}

void RevertEvents::OfferPending(const v1::Event& event) {
  const v1::ArtefactEvent& made = event.artefact();
  if (made.produced_by().edited_by() != v1::EDITED_BY_USER) return;
  const auto wanted = target_.artefacts().find(made.artefact_id());
  if (wanted == target_.artefacts().end() ||
      made.inputs_hash() != wanted->second.inputs_hash() ||
      Differs(wanted->first, wanted->second)) {
    return;
  }
  if (SameContent(made.output(), wanted->second.content())) {
    originals_.erase(wanted->first);  // taken back already
  } else {
    originals_[wanted->first];
  }
}

void RevertEvents::Offer(const v1::Event& event) {
  const v1::ArtefactEvent& made = event.artefact();
  const auto original = originals_.find(made.artefact_id());
  if (original == originals_.end() ||
      made.status() != v1::ARTEFACT_STATUS_SUCCEEDED) {
    return;
  }
  const v1::ManifestArtefact& wanted =
      target_.artefacts().at(made.artefact_id());
  if (made.inputs_hash() != wanted.inputs_hash() ||
      made.produced_by().node() != wanted.node() ||
      made.readable_path() != wanted.readable_path() ||
      !SameContent(made.output(), wanted.content())) {
    return;
  }
  // The last one, but one that speaks for its node is not given up for one
  // that does not.
  if (original->second.has_artefact() &&
      SpeaksForNode(original->second.artefact(), target_) &&
      !SpeaksForNode(made, target_)) {
    return;
  }
  original->second = event;
}

std::vector<v1::Event> RevertEvents::Inputs(absl::Span<const v1::Event> set,
                                            absl::string_view revision) const {
  std::map<std::string, const v1::Content*> now;
  for (const v1::Event& event : set) {
    now[event.input().input_id()] = &event.input().content();
  }
  std::map<std::string, v1::Event> edits;
  const auto edit = [&edits, revision](const std::string& id) {
    v1::Event& event = edits[id];
    event.set_revision(std::string(revision));
    event.mutable_input()->set_input_id(id);
    // Only Kinora pins blueprints.
    event.mutable_input()->set_edited_by(
        id == kBlueprintInputId ? v1::EDITED_BY_SYSTEM : v1::EDITED_BY_USER);
    return event.mutable_input();
  };
  for (const auto& entry : target_.inputs()) {
    const auto found = now.find(entry.first);
    if (found != now.end() &&
        SameContent(*found->second, entry.second.content())) {
      continue;
    }
    *edit(entry.first)->mutable_content() = entry.second.content();
  }
  for (const auto& entry : now) {
    if (target_.inputs().contains(entry.first)) continue;
    edit(entry.first)->set_cleared(true);
  }
  std::vector<v1::Event> events;
  for (auto& entry : edits) events.push_back(std::move(entry.second));
  return events;
}

std::vector<v1::Event> RevertEvents::Artefacts(
    absl::string_view run_id, absl::string_view revision) const {
  std::vector<std::string> ids;
  for (const auto& entry : originals_) ids.push_back(entry.first);
  std::sort(ids.begin(), ids.end());
  std::vector<v1::Event> events;
  for (const std::string& id : ids) {
    const v1::Event& original = originals_.at(id);
    v1::Event event =
        original.has_artefact()
            ? original
            : EventOfManifest(id, target_.artefacts().at(id), target_);
    BecomeReuse(original.sequence(), run_id, event.mutable_artefact());
    event.set_revision(std::string(revision));
    event.clear_sequence();
    event.clear_time();
    events.push_back(std::move(event));
  }
  // Of several events of a node the last one says who made it.
  const auto speaking = std::stable_partition(
      events.begin(), events.end(), [this](const v1::Event& event) {
        return !SpeaksForNode(event.artefact(), target_);
      });
  std::set<std::string> spoken_for;
  for (auto event = speaking; event != events.end(); ++event) {
    spoken_for.insert(event->artefact().produced_by().node());
  }
  // What made it so may be gone from the revision: then another has to say it.
  for (auto event = events.begin(); event != speaking; ++event) {
    v1::ArtefactEvent& made = *event->mutable_artefact();
    if (spoken_for.contains(made.produced_by().node())) continue;
    SpeakForNode(target_, &made);
  }
  return events;
}

std::vector<std::string> RevertEvents::RemovedIds() const {
  std::vector<std::string> ids;
  for (const auto& entry : current_.artefacts()) {
    if (!target_.artefacts().contains(entry.first)) ids.push_back(entry.first);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace kinora
