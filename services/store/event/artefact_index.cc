#include "services/store/event/artefact_index.h"

namespace kinora {

void ArtefactIndex::Apply(v1::Event event) {
  through_ = event.sequence();
  if (event.has_revision_committed()) {
    commits_.push_back(std::make_shared<const v1::Event>(std::move(event)));
    return;
  }
  if (event.artefact().status() != v1::ARTEFACT_STATUS_SUCCEEDED) return;
  auto shared = std::make_shared<const v1::Event>(std::move(event));
  PerArtefact& artefact = artefacts_[shared->artefact().artefact_id()];
  artefact.by_inputs_hash[shared->artefact().inputs_hash()] = shared;
  artefact.latest = std::move(shared);
}

EventPtr ArtefactIndex::Latest(absl::string_view artefact_id) const {
  auto found = artefacts_.find(artefact_id);
  return found == artefacts_.end() ? nullptr : found->second.latest;
}

EventPtr ArtefactIndex::Latest(absl::string_view artefact_id,
                               absl::string_view inputs_hash) const {
  auto found = artefacts_.find(artefact_id);
  if (found == artefacts_.end()) return nullptr;
  auto event = found->second.by_inputs_hash.find(inputs_hash);
  return event == found->second.by_inputs_hash.end() ? nullptr : event->second;
}

}  // namespace kinora
