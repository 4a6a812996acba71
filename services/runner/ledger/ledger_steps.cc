#include "services/runner/ledger/ledger_steps.h"

#include <utility>

#include "services/runner/ledger/trimmed_text.h"

namespace kinora {

bool LedgerProgress::SaysTheSameAs(const LedgerProgress& other) const {
  return completed == other.completed && total == other.total &&
         failed == other.failed && message == other.message &&
         artefact_namespace == other.artefact_namespace &&
         started_at == other.started_at && completed_at == other.completed_at;
}

bool LedgerStep::SaysTheSameAs(const LedgerStep& other) const {
  return step_id == other.step_id && label == other.label &&
         kind == other.kind && status == other.status &&
         artefact_namespace == other.artefact_namespace &&
         started_at == other.started_at && completed_at == other.completed_at &&
         error == other.error &&
         progress.value_or(LedgerProgress())
             .SaysTheSameAs(other.progress.value_or(LedgerProgress()));
}

const LedgerStep* LedgerSteps::Find(absl::string_view id) const {
  const auto found = places_.find(id);
  if (found == places_.end() || found->second.step == kNone) return nullptr;
  return &steps_[found->second.step];
}

size_t LedgerSteps::Take(absl::string_view id) {
  const auto found = places_.find(id);
  if (found != places_.end() && found->second.step != kNone &&
      found->second.position != kNone) {
    return found->second.step;
  }
  if (found == places_.end() || found->second.step == kNone) {
    LedgerStep step;
    step.step_id = std::string(id);
    Add(std::move(step));
  }
  const Place& place = places_[id];
  const size_t step = place.step;
  if (place.position == kNone) AppendToOrder(id);
  return step;
}

void LedgerSteps::Add(LedgerStep step) {
  Place& place = places_[step.step_id];
  if (place.step == kNone) {
    place.step = steps_.size();
    steps_.emplace_back();
    positions_.push_back(place.position);
  }
  const size_t i = place.step;
  steps_[i] = std::move(step);
  Note(i);
}

void LedgerSteps::AppendToOrder(absl::string_view id) {
  Place& place = places_[id];
  if (place.position != kNone) {
    running_.Remove(place.position);
    named_.Remove(place.position);
  }
  place.position = order_.size();
  order_.emplace_back(id);
  if (place.step == kNone) return;
  positions_[place.step] = place.position;
  Note(place.step);
}

void LedgerSteps::Note(size_t step) {
  if (positions_[step] != kNone) NoteAt(steps_[step], positions_[step]);
}

void LedgerSteps::NoteAt(const LedgerStep& step, size_t position) {
  if (step.status == StepStatus::kRunning) {
    running_.Add(position);
  } else {
    running_.Remove(position);
  }
  if (step.artefact_namespace.has_value() &&
      !IsBlankText(*step.artefact_namespace)) {
    named_.Add(position);
  } else {
    named_.Remove(position);
  }
}

const LedgerStep* LedgerSteps::At(std::optional<size_t> position) const {
  return position.has_value() ? Find(order_[*position]) : nullptr;
}

}  // namespace kinora
