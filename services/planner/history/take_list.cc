#include "services/planner/history/take_list.h"

#include "services/planner/blueprint/input_type.h"

namespace kinora {

void TakeList::Add(const v1::Event& event) {
  const v1::ArtefactEvent& attempt = event.artefact();
  if (attempt.artefact_id() != artefact_id_ || attempt.reused_sequence() != 0 ||
      attempt.produced_by().edited_by() == v1::EDITED_BY_USER) {
    return;
  }
  v1::Take& take = takes_[attempt.draw()];
  take.set_draw(attempt.draw());
  const bool succeeded = attempt.status() == v1::ARTEFACT_STATUS_SUCCEEDED;
  // A draw that once gave something is not undone by a failure.
  if (!succeeded && take.has_content()) return;
  if (succeeded) *take.mutable_content() = attempt.output();
  *take.mutable_time() = event.time();
  take.set_revision(event.revision());
  take.clear_cost();
  if (attempt.has_cost()) *take.mutable_cost() = attempt.cost();
  take.set_inputs_hash(attempt.inputs_hash());
  take.set_sequence(event.sequence());
}

void TakeList::Describe(const v1::ManifestArtefact* current,
                        v1::ListTakesResponse* response) const {
  for (const auto& [draw, take] : takes_) {
    v1::Take& listed = *response->add_takes();
    listed = take;
    listed.set_is_current(current != nullptr && take.has_content() &&
                          current->inputs_hash() == take.inputs_hash() &&
                          ContentHash(current->content()) ==
                              ContentHash(take.content()));
  }
  response->set_next_draw(takes_.empty() ? 0 : takes_.rbegin()->first + 1);
}

}  // namespace kinora
