#include "services/store/event/derived_event.h"

namespace kinora {
namespace {

// What only the attempt had.
void ForgetAttempt(v1::ArtefactEvent* event) {
  event->mutable_produced_by()->clear_attempt();
  event->clear_cost();
  event->clear_duration();
  event->clear_diagnostics_json();
}

}  // namespace

void BecomeReuse(int64_t sequence, absl::string_view run_id,
                 v1::ArtefactEvent* event) {
  ForgetAttempt(event);
  if (event->reused_sequence() == 0) event->set_reused_sequence(sequence);
  event->mutable_produced_by()->set_run_id(std::string(run_id));
}

void BecomeHandEdit(v1::ArtefactEvent* event) {
  ForgetAttempt(event);
  event->clear_reused_sequence();
  event->mutable_produced_by()->clear_run_id();
  event->mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
}

}  // namespace kinora
