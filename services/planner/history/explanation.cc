#include "services/planner/history/explanation.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/history/change_reasons.h"
#include "services/planner/history/key_changes.h"
#include "services/planner/history/key_reasons.h"
#include "services/planner/history/place_changes.h"
#include "services/planner/history/wiring_changes.h"
#include "services/planner/plan/input_values.h"
#include "services/planner/plan/takes.h"

namespace kinora {
namespace {

constexpr size_t kMaxNotes = 20;

// Something whose change is to be explained.
struct Step {
  std::string id;
  std::string cause_of;
};

// Goes breadth first, so that what is nearest is said before the bounds hit.
class Explainer {
 public:
  Explainer(const RevisionState& before, const RevisionState& now,
            ResultHistory& history, DecidingReader& values)
      : before_(before),
        now_(now),
        history_(history),
        places_(before_, now_, values) {
    response_.set_revision(now.revision());
    response_.set_against_revision(before.revision());
  }

  absl::StatusOr<v1::ExplainArtefactResponse> Run(const std::string& id) {
    std::vector<Step> level = {{id, ""}};
    seen_.insert(id);
    for (depth_ = 0; !level.empty(); ++depth_) {
      if (depth_ > kMaxCauseDepth) {
        Note(absl::StrCat("the chain goes on beyond ", kMaxCauseDepth,
                          " steps"));
        break;
      }
      KINORA_RETURN_IF_ERROR(ExplainLevel(level));
      level = std::move(next_);
      next_.clear();
    }
    if (left_out_ > 0) {
      Note(absl::StrCat(left_out_, " further causes are left out"));
    }
    ShowDeciders();
    KINORA_RETURN_IF_ERROR(FindEdits());
    return std::move(response_);
  }

 private:
  absl::Status ExplainLevel(const std::vector<Step>& level) {
    std::vector<ValueQuery> queries;
    for (const Step& step : level) {
      if (IsInputId(step.id)) continue;
      queries.push_back(QueryFor(step.id, now_));
      queries.push_back(QueryFor(step.id, before_));
    }
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::optional<v1::Event>> events,
                            history_.Find(queries));
    size_t at = 0;
    for (const Step& step : level) {
      v1::Cause& cause = *response_.add_causes();
      cause.set_id(step.id);
      cause.set_cause_of(step.cause_of);
      cause.set_depth(depth_);
      cause.set_old_hash(before_.HashOf(step.id));
      cause.set_new_hash(now_.HashOf(step.id));
      KINORA_ASSIGN_OR_RETURN(const PlaceChange place, places_.Of(step.id));
      if (IsInputId(step.id)) {
        ExplainInput(place, &cause);
      } else {
        KINORA_RETURN_IF_ERROR(
            ExplainArtefact(events[at], events[at + 1], place, &cause));
        at += 2;
      }
    }
    return absl::OkStatus();
  }

  static ValueQuery QueryFor(const std::string& id,
                             const RevisionState& state) {
    ValueQuery query;
    query.id = id;
    query.revision = state.revision();
    query.hash = state.HashOf(id);
    const v1::ManifestArtefact* artefact = state.FindArtefact(id);
    if (artefact != nullptr) query.inputs_hash = artefact->inputs_hash();
    return query;
  }

  void ExplainInput(const PlaceChange& place, v1::Cause* cause) {
    const std::string& id = cause->id();
    const v1::Content* before =
        place.was_there ? before_.FindInput(id) : nullptr;
    const v1::Content* now = place.is_there ? now_.FindInput(id) : nullptr;
    if (before == nullptr) cause->clear_old_hash();
    if (now == nullptr) cause->clear_new_hash();
    TellValues(before, now, cause);
    cause->set_origin(now == nullptr   ? v1::VALUE_ORIGIN_REMOVED
                      : now_.IsSet(id) ? v1::VALUE_ORIGIN_SET
                                       : v1::VALUE_ORIGIN_DEFAULT);
    ChangeReasons reasons;
    if (place.is_move()) {
      TellPlace(place, id, &reasons);
    } else if (cause->old_hash() == cause->new_hash()) {
      reasons.Add(v1::REASON_KIND_UNCHANGED);
    } else {
      reasons.Add(v1::REASON_KIND_INPUT_CHANGED,
                  InputChangeText(before_, now_, id));
      // What nobody set comes from the blueprint.
      if (!now_.IsSet(id) && !before_.IsSet(id)) GoOnToBlueprint(id);
    }
    *cause->mutable_reason() = reasons.Build();
  }

  static void TellValues(const v1::Content* before, const v1::Content* now,
                         v1::Cause* cause) {
    if (before != nullptr) *cause->mutable_old_content() = *before;
    if (now != nullptr) *cause->mutable_new_content() = *now;
  }

  absl::Status ExplainArtefact(const std::optional<v1::Event>& now_event,
                               const std::optional<v1::Event>& old_event,
                               const PlaceChange& place, v1::Cause* cause) {
    const v1::ManifestArtefact* now = now_.FindArtefact(cause->id());
    const v1::ManifestArtefact* before = before_.FindArtefact(cause->id());
    ChangeReasons reasons;
    if (now == nullptr) {
      cause->set_origin(v1::VALUE_ORIGIN_REMOVED);
      TellPlace(place, cause->id(), &reasons);
      *cause->mutable_reason() = reasons.Build();
      return absl::OkStatus();
    }
    const bool same = before != nullptr &&
                      before->inputs_hash() == now->inputs_hash() &&
                      cause->old_hash() == cause->new_hash();
    bool came_back = false;
    if (now_event.has_value()) {
      TellEvent(*now_event, cause);
      came_back = CameBack(*now_event, before, old_event);
      if (came_back) cause->set_origin(v1::VALUE_ORIGIN_REUSED);
    } else {
      Note(absl::StrCat("the log no longer holds how ", cause->id(),
                        " was made"));
    }
    if (same) {
      cause->set_origin(v1::VALUE_ORIGIN_UNCHANGED);
      reasons.Add(
          v1::REASON_KIND_UNCHANGED,
          cause->since_revision().empty()
              ? "unchanged"
              : absl::StrCat("unchanged since ", cause->since_revision()));
    } else if (cause->edited_by() == v1::EDITED_BY_USER && !came_back) {
      // Its value does not come from what its job reads.
      reasons.Add(v1::REASON_KIND_EDITED_BY_HAND);
    } else if (before == nullptr) {
      ExplainFirst(now_event, place, &reasons, *cause);
    } else {
      KINORA_RETURN_IF_ERROR(
          ExplainChange(now_event, old_event, &reasons, cause));
    }
    *cause->mutable_reason() = reasons.Build();
    return absl::OkStatus();
  }

  static void TellEvent(const v1::Event& event, v1::Cause* cause) {
    const v1::ArtefactEvent& attempt = event.artefact();
    cause->set_sequence(event.sequence());
    *cause->mutable_time() = event.time();
    cause->set_since_revision(event.revision());
    cause->set_reused_sequence(attempt.reused_sequence());
    cause->set_run_id(attempt.produced_by().run_id());
    cause->set_edited_by(attempt.produced_by().edited_by());
    cause->set_origin(cause->edited_by() == v1::EDITED_BY_USER
                          ? v1::VALUE_ORIGIN_EDITED
                      : attempt.reused_sequence() != 0 ? v1::VALUE_ORIGIN_REUSED
                                                       : v1::VALUE_ORIGIN_MADE);
  }

  // True if an event brings back what is older than what `before` has: an edit
  // by hand is then not the reason, but what brought its key back.
  bool CameBack(const v1::Event& event, const v1::ManifestArtefact* before,
                const std::optional<v1::Event>& old_event) const {
    const int64_t work = event.artefact().reused_sequence();
    if (work == 0 || before_.manifest == nullptr) return false;
    return before == nullptr ||
           (old_event.has_value() && work < old_event->sequence());
  }

  // What it was made of is a cause; where something decided that there is such
  // an artefact now, only what of it is new.
  void ExplainFirst(const std::optional<v1::Event>& event,
                    const PlaceChange& place, ChangeReasons* reasons,
                    const v1::Cause& cause) {
    if (before_.manifest == nullptr) {
      reasons->Add(v1::REASON_KIND_INITIAL);
    } else {
      TellPlace(place, cause.id(), reasons);
    }
    if (!event.has_value()) return;
    for (const v1::Dependency& dependency : event->artefact().dependencies()) {
      const std::string& source = dependency.source_id();
      // What is absent, and an empty list, is of nothing.
      if (source.empty()) continue;
      if (place.deciders.empty() || Differs(source)) GoOn(source, cause.id());
    }
  }

  // Says by what something came or went, and goes on to that.
  void TellPlace(const PlaceChange& place, const std::string& id,
                 ChangeReasons* reasons) {
    places_.Say(place, reasons);
    for (const std::string& decider : place.deciders) {
      if (!IsInputId(decider)) deciding_.insert(decider);
      GoOn(decider, id);
    }
  }

  absl::Status ExplainChange(const std::optional<v1::Event>& now_event,
                             const std::optional<v1::Event>& old_event,
                             ChangeReasons* reasons, v1::Cause* cause) {
    const std::string& node = now_.FindArtefact(cause->id())->node();
    if (!now_event.has_value() || !old_event.has_value()) {
      if (now_event.has_value()) {
        Note(absl::StrCat("the log no longer holds how ", cause->id(), " of ",
                          before_.revision(), " was made"));
      }
      AddNodeReasons(node, before_, now_, reasons);
      return absl::OkStatus();
    }
    if (old_event->artefact().produced_by().node().empty()) {
      reasons->Add(v1::REASON_KIND_WIRING_CHANGED, kImportedBefore);
      return absl::OkStatus();
    }
    size_t more = 0;
    std::vector<v1::KeyChange> changes = KeyChanges(
        old_event->artefact(), before_, now_event->artefact(), now_, &more);
    if (more > 0) {
      Note(absl::StrCat(cause->id(), " reads ", more,
                        " further things that changed"));
    }
    const bool by_blueprint =
        AddKeyReasons(changes, node, before_, now_, reasons);
    bool is_wired_otherwise = more > 0;
    for (v1::KeyChange& change : changes) {
      GoOnFrom(change, cause->id());
      is_wired_otherwise =
          is_wired_otherwise || change.part() == v1::KEY_PART_WIRING;
      *cause->add_changes() = std::move(change);
    }
    if (is_wired_otherwise) {
      KINORA_RETURN_IF_ERROR(
          GoOnToMoved(old_event->artefact(), now_event->artefact()));
    }
    if (by_blueprint) GoOnToBlueprint(cause->id());
    if (!reasons->empty()) return absl::OkStatus();
    if (now_event->artefact().inputs_hash() !=
        old_event->artefact().inputs_hash()) {
      return ExplainWork(reasons, *cause);
    }
    if (cause->edited_by() == v1::EDITED_BY_USER) {
      reasons->Add(v1::REASON_KIND_EDITED_BY_HAND, kPutInByHandBefore);
    } else if (old_event->artefact().produced_by().edited_by() ==
               v1::EDITED_BY_USER) {
      reasons->Add(v1::REASON_KIND_EDITED_BY_HAND,
                   "the edit by hand was taken back");
    } else {
      const bool came_back =
          CameBack(*now_event, before_.FindArtefact(cause->id()), old_event);
      reasons->Add(v1::REASON_KIND_FORCED, came_back ? kMadeBefore : "");
    }
    return absl::OkStatus();
  }

  // Goes on to what changed in a key, but for what came or went.
  void GoOnFrom(const v1::KeyChange& change, const std::string& id) {
    const std::string& source = change.new_source_id();
    if (change.part() == v1::KEY_PART_DRAW) {
      GoOn(TakeInputId(change.name()), id);
    } else if (!source.empty() &&
               (change.part() != v1::KEY_PART_WIRING || Differs(source))) {
      GoOn(source, id);
    }
  }

  // Of all that the one reads and the other does not, what is in one of the
  // revisions only: where a list is longer by one, many slots have moved.
  absl::Status GoOnToMoved(const v1::ArtefactEvent& old_event,
                           const v1::ArtefactEvent& now_event) {
    for (const v1::ArtefactEvent* event : {&old_event, &now_event}) {
      for (const v1::Dependency& dependency : event->dependencies()) {
        const std::string& source = dependency.source_id();
        if (source.empty() || seen_.contains(source) ||
            (before_.FindArtefact(source) != nullptr &&
             now_.FindArtefact(source) != nullptr)) {
          continue;
        }
        KINORA_ASSIGN_OR_RETURN(const PlaceChange place, places_.Of(source));
        if (place.is_move()) GoOn(source, now_event.artefact_id());
      }
    }
    return absl::OkStatus();
  }

  // The job reads the same, but has other things to make.
  absl::Status ExplainWork(ChangeReasons* reasons, const v1::Cause& cause) {
    reasons->Add(v1::REASON_KIND_WIRING_CHANGED);
    const absl::StatusOr<ElementId> id = ElementId::Parse(cause.id());
    if (!id.ok()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(
        const std::vector<std::string> sizers,
        ChangedSizersOfJob(*id, before_, now_, kMaxCauses, &places_));
    for (const std::string& sizer : sizers) {
      reasons->AddSubject(v1::REASON_KIND_WIRING_CHANGED, sizer);
      if (!IsInputId(sizer)) deciding_.insert(sizer);
      GoOn(sizer, cause.id());
    }
    if (sizers.empty()) GoOnToBlueprint(cause.id());
    return absl::OkStatus();
  }

  bool Differs(const std::string& id) const {
    return before_.HashOf(id) != now_.HashOf(id);
  }

  void GoOnToBlueprint(const std::string& cause_of) {
    const std::string pinned(kBlueprintInputId);
    if (before_.manifest != nullptr && Differs(pinned)) GoOn(pinned, cause_of);
  }

  void GoOn(const std::string& id, const std::string& cause_of) {
    if (seen_.contains(id)) return;
    if (seen_.size() == kMaxCauses) {
      ++left_out_;
      return;
    }
    seen_.insert(id);
    next_.push_back({id, cause_of});
  }

  // Shows the values of artefacts that decided, as those of inputs are.
  void ShowDeciders() {
    for (v1::Cause& cause : *response_.mutable_causes()) {
      if (!deciding_.contains(cause.id())) continue;
      const v1::ManifestArtefact* before = before_.FindArtefact(cause.id());
      const v1::ManifestArtefact* now = now_.FindArtefact(cause.id());
      TellValues(before == nullptr ? nullptr : &before->content(),
                 now == nullptr ? nullptr : &now->content(), &cause);
    }
  }

  // Says of the inputs who set them, and when.
  absl::Status FindEdits() {
    std::vector<ValueQuery> queries;
    std::vector<v1::Cause*> causes;
    for (v1::Cause& cause : *response_.mutable_causes()) {
      const bool is_set = now_.IsSet(cause.id());
      if (!IsInputId(cause.id()) || (!is_set && !before_.IsSet(cause.id()))) {
        continue;
      }
      queries.push_back(QueryFor(cause.id(), now_));
      // An input that was cleared has no value.
      if (!is_set) queries.back().hash.clear();
      causes.push_back(&cause);
    }
    if (queries.empty()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::optional<v1::Event>> events,
                            history_.Find(queries));
    for (size_t i = 0; i < causes.size(); ++i) {
      if (!events[i].has_value()) continue;
      causes[i]->set_sequence(events[i]->sequence());
      *causes[i]->mutable_time() = events[i]->time();
      causes[i]->set_since_revision(events[i]->revision());
      causes[i]->set_edited_by(events[i]->input().edited_by());
    }
    return absl::OkStatus();
  }

  void Note(std::string text) {
    if (response_.notes_size() < static_cast<int>(kMaxNotes)) {
      response_.add_notes(std::move(text));
    }
  }

  const RevisionState& before_;
  const RevisionState& now_;
  ResultHistory& history_;
  PlaceChanges places_;
  v1::ExplainArtefactResponse response_;
  absl::flat_hash_set<std::string> seen_;
  absl::flat_hash_set<std::string> deciding_;  // artefacts to show the value of
  std::vector<Step> next_;
  uint32_t depth_ = 0;
  size_t left_out_ = 0;
};

}  // namespace

absl::StatusOr<v1::ExplainArtefactResponse> Explain(
    const std::string& artefact_id, const RevisionState& before,
    const RevisionState& now, ResultHistory& history, DecidingReader& values) {
  return Explainer(before, now, history, values).Run(artefact_id);
}

}  // namespace kinora
