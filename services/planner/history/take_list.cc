#include "services/planner/history/take_list.h"

#include <utility>

#include "common/content.h"

namespace kinora {
namespace {

// What an event tells of its draw.
v1::Take TakeOf(const v1::Event& event) {
  const v1::ArtefactEvent& attempt = event.artefact();
  v1::Take take;
  take.set_draw(attempt.draw());
  if (attempt.has_output()) *take.mutable_content() = attempt.output();
  *take.mutable_time() = event.time();
  take.set_revision(event.revision());
  if (attempt.has_cost()) *take.mutable_cost() = attempt.cost();
  take.set_inputs_hash(attempt.inputs_hash());
  take.set_sequence(event.sequence());
  return take;
}

}  // namespace

void TakeList::Add(const v1::Event& event) {
  const v1::ArtefactEvent& attempt = event.artefact();
  if (attempt.artefact_id() != artefact_id_) return;
  v1::Take take = TakeOf(event);
  const int64_t reused = attempt.reused_sequence();
  if (attempt.status() != v1::ARTEFACT_STATUS_SUCCEEDED) {
    // A draw that once gave something is not undone by a failure.
    const auto known = takes_.find(attempt.draw());
    if (known != takes_.end() && known->second.has_content()) return;
  } else if (reused == 0) {
    works_[event.sequence()] = take;
  } else if (const auto work = works_.find(reused); work != works_.end()) {
    take = work->second;
    take.set_draw(attempt.draw());
    take.set_inputs_hash(attempt.inputs_hash());
  } else {
    take.set_sequence(reused);  // all that is left of the work
  }
  takes_[attempt.draw()] = std::move(take);
}

void TakeList::Describe(const v1::ManifestArtefact* current,
                        v1::ListTakesResponse* response) const {
  for (const auto& entry : takes_) {
    v1::Take& listed = *response->add_takes();
    listed = entry.second;
    listed.set_is_current(current != nullptr && listed.has_content() &&
                          current->inputs_hash() == listed.inputs_hash() &&
                          ContentHash(current->content()) ==
                              ContentHash(listed.content()));
  }
  response->set_next_draw(takes_.empty() ? 0 : takes_.rbegin()->first + 1);
}

}  // namespace kinora
