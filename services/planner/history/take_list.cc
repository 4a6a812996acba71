#include "services/planner/history/take_list.h"

#include "common/content.h"

namespace kinora {
namespace {

// Puts another value in the place of a draw.
void Replace(const v1::Event& event, v1::Take* take) {
  const v1::ArtefactEvent& attempt = event.artefact();
  *take->mutable_content() = attempt.output();
  *take->mutable_time() = event.time();
  take->set_revision(event.revision());
  take->clear_cost();
  take->set_sequence(attempt.reused_sequence() != 0 ? attempt.reused_sequence()
                                                    : event.sequence());
}

}  // namespace

void TakeList::Add(const v1::Event& event) {
  const v1::ArtefactEvent& attempt = event.artefact();
  if (attempt.artefact_id() != artefact_id_) return;
  const bool succeeded = attempt.status() == v1::ARTEFACT_STATUS_SUCCEEDED;
  if (attempt.reused_sequence() != 0 ||
      attempt.produced_by().edited_by() == v1::EDITED_BY_USER) {
    const auto draw = draws_.find(attempt.draw());
    if (!succeeded || draw == draws_.end() ||
        draw->second.made.inputs_hash() != attempt.inputs_hash()) {
      return;
    }
    v1::Take& now = draw->second.now;
    if (attempt.reused_sequence() == draw->second.made.sequence()) {
      now = draw->second.made;
    } else if (attempt.reused_sequence() != now.sequence()) {
      Replace(event, &now);
    }
    return;
  }
  v1::Take& take = draws_[attempt.draw()].made;
  take.set_draw(attempt.draw());
  // A draw that once gave something is not undone by a failure.
  if (!succeeded && take.has_content()) return;
  if (succeeded) *take.mutable_content() = attempt.output();
  *take.mutable_time() = event.time();
  take.set_revision(event.revision());
  take.clear_cost();
  if (attempt.has_cost()) *take.mutable_cost() = attempt.cost();
  take.set_inputs_hash(attempt.inputs_hash());
  take.set_sequence(event.sequence());
  draws_[attempt.draw()].now = take;
}

void TakeList::Describe(const v1::ManifestArtefact* current,
                        v1::ListTakesResponse* response) const {
  for (const auto& [number, draw] : draws_) {
    v1::Take& listed = *response->add_takes();
    listed = draw.now;
    listed.set_is_current(current != nullptr && listed.has_content() &&
                          current->inputs_hash() == listed.inputs_hash() &&
                          ContentHash(current->content()) ==
                              ContentHash(listed.content()));
  }
  response->set_next_draw(draws_.empty() ? 0 : draws_.rbegin()->first + 1);
}

}  // namespace kinora
