#include "services/planner/plan/relied_on.h"

#include <algorithm>
#include <utility>

namespace kinora {

void ReliedOn::Add(const v1::Content& content) {
  if (!content.has_blob()) return;
  const v1::Digest& digest = content.blob().digest();
  names_.push_back({Digest::ParseHex(digest.hash()).value_or(Digest()),
                    digest.size_bytes()});
}

void ReliedOn::AddBase(uint32_t number) {
  if (!state_.base.IsBlob(number) || state_.hydrated.IsLost(number)) return;
  names_.push_back(
      {state_.base.content_hash(number), state_.base.BlobSize(number)});
}

void ReliedOn::AddReused(int node, Graph::Job job) {
  for (Graph::Element artefact : state_.graph.Artefacts(node, job)) {
    if (state_.OriginOf(artefact) == ArtefactOrigin::kLog) {
      Add(state_.log_values.find(artefact)->second.result.content);
    } else {
      AddBase(state_.NumberOf(artefact));
    }
  }
}

void ReliedOn::AddInputs() {
  for (Graph::Element element : state_.hydrated.inputs().blobs()) {
    const InputValue& value = *state_.InputOf(element);
    if (value.origin == InputOrigin::kSet) Add(value.content);
  }
}

void ReliedOn::AddAllOfBase() {
  for (uint32_t number = 0; number < state_.graph.num_artefacts(); ++number) {
    AddBase(number);
  }
}

std::vector<BlobName> ReliedOn::Names() && {
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  return std::move(names_);
}

}  // namespace kinora
