#include "services/planner/history/explanation.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/history/change_reasons.h"
#include "services/planner/history/key_changes.h"
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
            ResultHistory& history)
      : before_(before), now_(now), history_(history) {
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
      if (IsInputId(step.id)) {
        ExplainInput(&cause);
      } else {
        ExplainArtefact(events[at], events[at + 1], &cause);
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

  void ExplainInput(v1::Cause* cause) {
    const std::string& id = cause->id();
    const v1::Content* before = before_.FindInput(id);
    const v1::Content* now = now_.FindInput(id);
    if (before != nullptr) *cause->mutable_old_content() = *before;
    if (now != nullptr) *cause->mutable_new_content() = *now;
    cause->set_origin(now_.IsSet(id)   ? v1::VALUE_ORIGIN_SET
                      : now == nullptr ? v1::VALUE_ORIGIN_REMOVED
                                       : v1::VALUE_ORIGIN_DEFAULT);
    ChangeReasons reasons;
    if (cause->old_hash() == cause->new_hash()) {
      reasons.Add(v1::REASON_KIND_UNCHANGED);
    } else if (before == nullptr) {
      reasons.Add(v1::REASON_KIND_INPUT_CHANGED,
                  now_.IsSet(id) ? "set" : "the blueprint's default");
    } else {
      reasons.Add(v1::REASON_KIND_INPUT_CHANGED,
                  now_.IsSet(id)      ? "edited"
                  : before_.IsSet(id) ? "back to the blueprint's default"
                                      : "the blueprint's default changed");
    }
    *cause->mutable_reason() = reasons.Build();
  }

  void ExplainArtefact(const std::optional<v1::Event>& now_event,
                       const std::optional<v1::Event>& old_event,
                       v1::Cause* cause) {
    const v1::ManifestArtefact* now = now_.FindArtefact(cause->id());
    const v1::ManifestArtefact* before = before_.FindArtefact(cause->id());
    ChangeReasons reasons;
    if (now == nullptr) {
      cause->set_origin(v1::VALUE_ORIGIN_REMOVED);
      reasons.Add(v1::REASON_KIND_REMOVED);
      ExplainPlace(*cause, &reasons);
      *cause->mutable_reason() = reasons.Build();
      return;
    }
    const bool same = before != nullptr &&
                      before->inputs_hash() == now->inputs_hash() &&
                      cause->old_hash() == cause->new_hash();
    if (now_event.has_value()) {
      TellEvent(*now_event, cause);
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
    } else if (cause->edited_by() == v1::EDITED_BY_USER) {
      // Its value does not come from what its job reads.
      reasons.Add(v1::REASON_KIND_EDITED_BY_HAND);
    } else if (before == nullptr) {
      ExplainFirst(now_event, &reasons, *cause);
    } else {
      ExplainChange(now_event, old_event, &reasons, cause);
    }
    *cause->mutable_reason() = reasons.Build();
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

  // Everything it was made of is a cause.
  void ExplainFirst(const std::optional<v1::Event>& event,
                    ChangeReasons* reasons, const v1::Cause& cause) {
    if (before_.manifest == nullptr) {
      reasons->Add(v1::REASON_KIND_INITIAL);
    } else {
      reasons->Add(v1::REASON_KIND_MISSING,
                   absl::StrCat("not in ", before_.revision()));
    }
    ExplainPlace(cause, reasons);
    if (!event.has_value()) return;
    for (const v1::Dependency& dependency : event->artefact().dependencies()) {
      // What is absent, and an empty list, is of nothing.
      if (dependency.source_id().empty()) continue;
      GoOn(dependency.source_id(), cause.id());
    }
  }

  // Whether there is such an artefact follows from the sizes of its dimensions
  // and from the blueprint.
  void ExplainPlace(const v1::Cause& cause, ChangeReasons* reasons) {
    if (before_.manifest == nullptr) return;
    const Blueprint* blueprint = now_.blueprint.get();
    const absl::StatusOr<ElementId> id = ElementId::Parse(cause.id());
    if (blueprint != nullptr && id.ok()) {
      for (const DimensionDeclaration& dimension : blueprint->dimensions) {
        if (dimension.size_input < 0) continue;
        for (const DimensionIndex& index : id->indices) {
          if (index.dimension != dimension.name) continue;
          GoOnIfChanged(SizeInputId(*blueprint, dimension, *id), cause.id(),
                        reasons);
        }
      }
    }
    if (blueprint != nullptr && id.ok()) {
      const int output = blueprint->FindOutput(id->name);
      if (output >= 0) {
        const int node = blueprint->outputs[output].node;
        for (const Condition& condition : blueprint->nodes[node].conditions) {
          const Reference& value = condition.value;
          if (!value.is_input || !value.indices.empty()) continue;
          GoOnIfChanged(
              absl::StrCat("Input:", blueprint->inputs[value.target].name),
              cause.id(), reasons);
        }
      }
    }
    GoOnIfChanged(std::string(kBlueprintInputId), cause.id(), reasons);
  }

  // A nested dimension has a size for each point of those it is nested in.
  static std::string SizeInputId(const Blueprint& blueprint,
                                 const DimensionDeclaration& dimension,
                                 const ElementId& artefact) {
    const InputDeclaration& input = blueprint.inputs[dimension.size_input];
    std::string id = absl::StrCat("Input:", input.name);
    for (int over : input.over) {
      const std::string& name = blueprint.dimensions[over].name;
      for (const DimensionIndex& index : artefact.indices) {
        if (index.dimension != name) continue;
        absl::StrAppend(&id, "[", name, "=", index.index, "]");
      }
    }
    return id;
  }

  void GoOnIfChanged(const std::string& input, const std::string& cause_of,
                     ChangeReasons* reasons) {
    if (before_.HashOf(input) == now_.HashOf(input)) return;
    reasons->AddSubject(v1::REASON_KIND_INPUT_CHANGED, input);
    GoOn(input, cause_of);
  }

  void ExplainChange(const std::optional<v1::Event>& now_event,
                     const std::optional<v1::Event>& old_event,
                     ChangeReasons* reasons, v1::Cause* cause) {
    if (!now_event.has_value() || !old_event.has_value()) {
      if (now_event.has_value()) {
        Note(absl::StrCat("the log no longer holds how ", cause->id(), " of ",
                          before_.revision(), " was made"));
      }
      ExplainByNode(*cause, reasons);
      return;
    }
    size_t more = 0;
    std::vector<v1::KeyChange> changes = KeyChanges(
        old_event->artefact(), before_, now_event->artefact(), now_, &more);
    if (more > 0) {
      Note(absl::StrCat(cause->id(), " reads ", more,
                        " further things that changed"));
    }
    std::vector<std::string> settings;
    bool by_blueprint = false;
    for (v1::KeyChange& change : changes) {
      switch (change.part()) {
        case v1::KEY_PART_INPUT:
          reasons->AddSubject(v1::REASON_KIND_INPUT_CHANGED,
                              change.new_source_id());
          break;
        case v1::KEY_PART_ARTEFACT:
          reasons->AddSubject(v1::REASON_KIND_ARTEFACT_CHANGED,
                              change.new_source_id());
          break;
        case v1::KEY_PART_PRODUCER:
          reasons->Add(v1::REASON_KIND_PRODUCER_CHANGED,
                       absl::StrCat("producer changed from ", change.old_text(),
                                    " to ", change.new_text()));
          break;
        case v1::KEY_PART_SETTING:
          settings.push_back(change.name());
          break;
        case v1::KEY_PART_DRAW:
          reasons->Add(v1::REASON_KIND_TAKE_CHANGED,
                       absl::StrCat("take ", change.new_text(), " instead of ",
                                    change.old_text()));
          GoOn(TakeInputId(change.name()), cause->id());
          break;
        case v1::KEY_PART_SALT:
          reasons->Add(v1::REASON_KIND_SETTINGS_CHANGED,
                       change.old_text() == change.new_text() ? "leaves changed"
                                                              : "salt changed");
          by_blueprint = true;
          break;
        case v1::KEY_PART_WIRING:
          reasons->AddSubject(v1::REASON_KIND_WIRING_CHANGED, change.name());
          by_blueprint = true;
          break;
        default:
          reasons->Add(v1::REASON_KIND_SETTINGS_CHANGED);
          by_blueprint = true;
          break;
      }
      if (!change.new_source_id().empty()) {
        GoOn(change.new_source_id(), cause->id());
      }
      *cause->add_changes() = std::move(change);
    }
    if (!settings.empty()) {
      reasons->Add(
          v1::REASON_KIND_SETTINGS_CHANGED,
          absl::StrCat("settings changed: ", absl::StrJoin(settings, ", ")));
      by_blueprint = true;
    }
    const std::string pinned(kBlueprintInputId);
    if (by_blueprint && before_.HashOf(pinned) != now_.HashOf(pinned)) {
      GoOn(pinned, cause->id());
    }
    if (!reasons->empty()) return;
    if (now_event->artefact().inputs_hash() !=
        old_event->artefact().inputs_hash()) {
      // What is wanted of the job.
      reasons->Add(v1::REASON_KIND_WIRING_CHANGED);
      GoOn(pinned, cause->id());
    } else if (old_event->artefact().produced_by().edited_by() ==
               v1::EDITED_BY_USER) {
      reasons->Add(v1::REASON_KIND_EDITED_BY_HAND,
                   "the edit by hand was taken back");
    } else {
      reasons->Add(v1::REASON_KIND_FORCED);
    }
  }

  // Without the events, the manifests still tell of the node.
  void ExplainByNode(const v1::Cause& cause, ChangeReasons* reasons) {
    const std::string& name = now_.FindArtefact(cause.id())->node();
    const v1::ManifestNode* before = before_.FindNode(name);
    const v1::ManifestNode* now = now_.FindNode(name);
    if (before == nullptr || now == nullptr) return;
    if (before->producer().name() != now->producer().name() ||
        before->producer().version() != now->producer().version()) {
      reasons->Add(v1::REASON_KIND_PRODUCER_CHANGED,
                   absl::StrCat("producer changed from ",
                                ProducerText(before->producer()), " to ",
                                ProducerText(now->producer())));
    }
    if (before->settings_hash() != now->settings_hash()) {
      reasons->Add(v1::REASON_KIND_SETTINGS_CHANGED);
    }
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
  v1::ExplainArtefactResponse response_;
  absl::flat_hash_set<std::string> seen_;
  std::vector<Step> next_;
  uint32_t depth_ = 0;
  size_t left_out_ = 0;
};

}  // namespace

absl::StatusOr<v1::ExplainArtefactResponse> Explain(
    const std::string& artefact_id, const RevisionState& before,
    const RevisionState& now, ResultHistory& history) {
  return Explainer(before, now, history).Run(artefact_id);
}

}  // namespace kinora
