#include "services/planner/history/revision_diff.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "services/planner/history/key_changes.h"
#include "services/planner/history/place_changes.h"
#include "services/planner/plan/takes.h"

namespace kinora {
namespace {

Revision NumberOf(const RevisionState& state) {
  const absl::StatusOr<Revision> revision = Revision::Parse(state.revision());
  return revision.ok() ? *revision : Revision{};
}

// What a user sees as inputs: those that are set, and the defaults of those
// that have one value and no dimensions.
void AddInputIds(const RevisionState& state, std::set<std::string>* ids) {
  for (const auto& entry : state.manifest->inputs()) ids->insert(entry.first);
  if (state.blueprint == nullptr) return;
  for (const InputDeclaration& input : state.blueprint->inputs) {
    if (!input.default_value.has_value()) continue;
    ids->insert(absl::StrCat("Input:", input.name));
  }
}

bool SameNode(const v1::ManifestNode* a, const v1::ManifestNode* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->producer().name() == b->producer().name() &&
         a->producer().version() == b->producer().version() &&
         a->settings_hash() == b->settings_hash();
}

}  // namespace

RevisionDiff::RevisionDiff(RevisionState from, RevisionState to)
    : from_(std::move(from)),
      to_(std::move(to)),
      from_number_(NumberOf(from_)),
      to_number_(NumberOf(to_)) {
  summary_.set_old_revision(from_.revision());
  summary_.set_new_revision(to_.revision());
  CompareInputs();
  CompareArtefacts();
  CompareNodes();
}

void RevisionDiff::CompareInputs() {
  std::set<std::string> ids;
  AddInputIds(from_, &ids);
  AddInputIds(to_, &ids);
  for (const std::string& id : ids) {
    // A default that came to be set to itself changes nothing.
    if (from_.HashOf(id) != to_.HashOf(id)) inputs_.push_back(id);
  }
  summary_.set_changed_inputs(static_cast<int64_t>(inputs_.size()));
}

void RevisionDiff::CompareArtefacts() {
  int64_t added = 0;
  int64_t removed = 0;
  int64_t unchanged = 0;
  for (const auto& entry : to_.manifest->artefacts()) {
    const v1::ManifestArtefact* before = from_.FindArtefact(entry.first);
    if (before != nullptr &&
        ContentHash(before->content()) == ContentHash(entry.second.content())) {
      ++unchanged;
      continue;
    }
    Artefact& artefact = artefacts_.emplace_back();
    artefact.id = &entry.first;
    artefact.before = before;
    artefact.after = &entry.second;
    added += before == nullptr ? 1 : 0;
  }
  for (const auto& entry : from_.manifest->artefacts()) {
    if (to_.FindArtefact(entry.first) != nullptr) continue;
    Artefact& artefact = artefacts_.emplace_back();
    artefact.id = &entry.first;
    artefact.before = &entry.second;
    artefact.origin = v1::VALUE_ORIGIN_REMOVED;
    ++removed;
  }
  std::sort(artefacts_.begin(), artefacts_.end(),
            [](const Artefact& a, const Artefact& b) { return *a.id < *b.id; });
  for (size_t i = 0; i < artefacts_.size(); ++i) {
    artefact_at_[*artefacts_[i].id] = i;
  }
  summary_.set_added_artefacts(added);
  summary_.set_removed_artefacts(removed);
  summary_.set_unchanged_artefacts(unchanged);
  summary_.set_changed_artefacts(static_cast<int64_t>(artefacts_.size()) -
                                 added - removed);
}

absl::Status RevisionDiff::ExplainPlaces(DecidingReader& values) {
  PlaceChanges places(from_, to_, values);
  for (Artefact& artefact : artefacts_) {
    if (artefact.before != nullptr && artefact.after != nullptr) continue;
    KINORA_ASSIGN_OR_RETURN(const PlaceChange place, places.Of(*artefact.id));
    places.Say(place, &artefact.place);
  }
  return absl::OkStatus();
}

void RevisionDiff::CompareNodes() {
  std::set<std::string> names;
  for (const auto& entry : from_.manifest->nodes()) names.insert(entry.first);
  for (const auto& entry : to_.manifest->nodes()) names.insert(entry.first);
  for (const std::string& name : names) {
    const v1::ManifestNode* before = from_.FindNode(name);
    const v1::ManifestNode* after = to_.FindNode(name);
    if (SameNode(before, after)) continue;
    v1::NodeDifference& node = *summary_.add_nodes();
    node.set_node(name);
    if (before != nullptr) *node.mutable_old_producer() = before->producer();
    if (after != nullptr) *node.mutable_new_producer() = after->producer();
    if (before == nullptr || after == nullptr ||
        before->settings_hash() == after->settings_hash()) {
      continue;
    }
    for (v1::KeyChange& change :
         SettingChanges(from_.SettingsOf(name), to_.SettingsOf(name))) {
      *node.add_settings() = std::move(change);
    }
  }
}

std::string RevisionDiff::FirstOfInterest() const {
  // Going back, the events that brought the values in are older than both.
  return from_number_ < to_number_ ? from_.revision() : "";
}

void RevisionDiff::Add(const v1::Event& event) {
  if (!event.has_artefact()) return;
  const absl::StatusOr<Revision> revision = Revision::Parse(event.revision());
  if (!revision.ok()) return;
  const Revision low = std::min(from_number_, to_number_);
  const Revision high = std::max(from_number_, to_number_);
  if (*revision > low && *revision <= high) Count(event);
  if (*revision > to_number_) return;
  const auto found = artefact_at_.find(event.artefact().artefact_id());
  if (found == artefact_at_.end()) return;
  Artefact& artefact = artefacts_[found->second];
  const v1::ArtefactEvent& attempt = event.artefact();
  if (artefact.after == nullptr ||
      attempt.status() != v1::ARTEFACT_STATUS_SUCCEEDED ||
      attempt.inputs_hash() != artefact.after->inputs_hash() ||
      ContentHash(attempt.output()) != ContentHash(artefact.after->content())) {
    return;
  }
  if (attempt.reused_sequence() == 0 && *revision > from_number_) {
    artefact.is_new = true;
  }
  Explain(event, &artefact);
}

void RevisionDiff::Count(const v1::Event& event) {
  const v1::ArtefactEvent& attempt = event.artefact();
  const v1::ProducedBy& by = attempt.produced_by();
  if (by.run_id().empty()) return;
  // The outputs of one attempt follow each other in the log.
  std::string key =
      absl::StrCat(by.run_id(), " ", by.job_id(), " ", by.attempt());
  const bool first = by.job_id().empty() || key != last_attempt_;
  last_attempt_ = std::move(key);
  if (!first) return;
  if (attempt.reused_sequence() != 0) {
    summary_.set_reused(summary_.reused() + 1);
    return;
  }
  summary_.set_calls(summary_.calls() + 1);
  if (attempt.has_cost()) {
    micros_[attempt.cost().currency_code()] += attempt.cost().micros();
  }
  duration_ += FromProto(attempt.duration());
}

int RevisionDiff::RunNumber(const std::string& run_id) {
  if (run_id.empty()) return -1;
  const auto entry =
      run_numbers_.try_emplace(run_id, static_cast<int>(runs_.size()));
  if (entry.second) runs_.push_back(run_id);
  return entry.first->second;
}

void RevisionDiff::Explain(const v1::Event& event, Artefact* artefact) {
  const v1::ArtefactEvent& attempt = event.artefact();
  const v1::ProducedBy& by = attempt.produced_by();
  artefact->run = RunNumber(by.run_id());
  artefact->reasons.Clear();
  // An edit that merely comes back is not why.
  const bool came_back = attempt.reused_sequence() != 0 && !artefact->is_new;
  const bool by_hand = by.edited_by() == v1::EDITED_BY_USER;
  if (by_hand && !came_back) {
    artefact->origin = v1::VALUE_ORIGIN_EDITED;
    artefact->reasons.Add(v1::REASON_KIND_EDITED_BY_HAND);
    return;
  }
  artefact->origin = attempt.reused_sequence() != 0 ? v1::VALUE_ORIGIN_REUSED
                                                    : v1::VALUE_ORIGIN_MADE;
  if (artefact->before == nullptr) return;
  if (artefact->before->node().empty()) {
    artefact->reasons.Add(v1::REASON_KIND_WIRING_CHANGED, kImportedBefore);
    return;
  }
  ExplainKey(attempt, artefact);
  if (!artefact->reasons.empty()) return;
  if (artefact->before->inputs_hash() != attempt.inputs_hash()) {
    artefact->reasons.Add(v1::REASON_KIND_WIRING_CHANGED);
  } else if (by_hand) {
    artefact->reasons.Add(v1::REASON_KIND_EDITED_BY_HAND, kPutInByHandBefore);
  } else {
    artefact->reasons.Add(v1::REASON_KIND_FORCED, came_back ? kMadeBefore : "");
  }
}

// What of the key is other than it would have been in the old revision.
void RevisionDiff::ExplainKey(const v1::ArtefactEvent& event,
                              Artefact* artefact) {
  const v1::ProducedBy& by = event.produced_by();
  for (const v1::Dependency& dependency : event.dependencies()) {
    const std::string& source = dependency.source_id();
    const std::string before = from_.HashOf(source);
    // A source that is new is new for a reason of its own.
    if (before.empty() || before == dependency.hash()) continue;
    artefact->reasons.AddSubject(IsInputId(source)
                                     ? v1::REASON_KIND_INPUT_CHANGED
                                     : v1::REASON_KIND_ARTEFACT_CHANGED,
                                 source);
  }
  const v1::ManifestNode* node = from_.FindNode(by.node());
  if (node != nullptr) {
    if (node->producer().name() != by.producer().name() ||
        node->producer().version() != by.producer().version()) {
      artefact->reasons.Add(
          v1::REASON_KIND_PRODUCER_CHANGED,
          absl::StrCat("producer changed from ", ProducerText(node->producer()),
                       " to ", ProducerText(by.producer())));
    }
    if (node->settings_hash() != by.settings_hash()) {
      artefact->reasons.Add(v1::REASON_KIND_SETTINGS_CHANGED);
    }
  }
  const std::string take = TakeInputId(by.job_id());
  if (from_.HashOf(take) != to_.HashOf(take)) {
    artefact->reasons.AddSubject(v1::REASON_KIND_TAKE_CHANGED, take);
  }
}

v1::Difference RevisionDiff::At(size_t position) const {
  v1::Difference difference;
  if (position < inputs_.size()) {
    const std::string& id = inputs_[position];
    const v1::Content* before = from_.FindInput(id);
    const v1::Content* after = to_.FindInput(id);
    difference.set_id(id);
    difference.set_old_hash(from_.HashOf(id));
    difference.set_new_hash(to_.HashOf(id));
    if (before != nullptr) *difference.mutable_old_content() = *before;
    if (after != nullptr) *difference.mutable_new_content() = *after;
    difference.set_origin(after == nullptr ? v1::VALUE_ORIGIN_REMOVED
                          : to_.IsSet(id)  ? v1::VALUE_ORIGIN_SET
                                           : v1::VALUE_ORIGIN_DEFAULT);
    difference.mutable_reason()->set_kind(v1::REASON_KIND_INPUT_CHANGED);
    difference.mutable_reason()->set_text(InputChangeText(from_, to_, id));
    return difference;
  }
  const Artefact& artefact = artefacts_[position - inputs_.size()];
  difference.set_id(*artefact.id);
  if (artefact.before != nullptr) {
    difference.set_old_hash(ContentHash(artefact.before->content()));
    difference.set_node(artefact.before->node());
  }
  if (artefact.after != nullptr) {
    difference.set_new_hash(ContentHash(artefact.after->content()));
    difference.set_node(artefact.after->node());
  }
  difference.set_origin(artefact.origin);
  if (artefact.run >= 0) difference.set_run_id(runs_[artefact.run]);
  const bool is_move = artefact.before == nullptr || artefact.after == nullptr;
  const bool is_edit = artefact.origin == v1::VALUE_ORIGIN_EDITED;
  *difference.mutable_reason() =
      (is_move && !is_edit ? artefact.place : artefact.reasons).Build();
  return difference;
}

v1::RevisionDiff RevisionDiff::Summary() const {
  v1::RevisionDiff summary = summary_;
  for (const auto& [currency, micros] : micros_) {
    v1::Cost& cost = *summary.add_costs();
    cost.set_currency_code(currency);
    cost.set_micros(micros);
  }
  *summary.mutable_duration() = ToProto(duration_);
  summary.set_complete_history(complete_);
  return summary;
}

}  // namespace kinora
