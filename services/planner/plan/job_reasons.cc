// The part of MakePlan that says why a job runs.

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/failure_text.h"
#include "services/planner/plan/job_keys.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// A fan-in may have a million causes. All are no more telling than some, and
// naming them in every job would make plans quadratic.
constexpr size_t kMaxSubjects = 100;
constexpr size_t kMaxNamedInText = 3;
// A key costs what the job reads; few jobs have more takes than these.
constexpr uint32_t kMaxDrawsTried = 16;

// One reason among those that a job may have.
struct Cause {
  v1::ReasonKind kind = v1::REASON_KIND_UNSPECIFIED;
  std::string text;  // "input changed"
  std::set<std::string> subjects;
  size_t more = 0;             // subjects beyond kMaxSubjects
  bool names_subjects = true;  // in its text

  void Add(std::string subject) {
    if (subjects.size() < kMaxSubjects) {
      subjects.insert(std::move(subject));
    } else if (!subjects.contains(subject)) {
      ++more;
    }
  }

  std::string Text() const {
    if (subjects.empty() || !names_subjects) return text;
    std::vector<std::string> named;
    for (const std::string& subject : subjects) {
      if (named.size() == kMaxNamedInText) break;
      named.push_back(subject);
    }
    size_t rest = subjects.size() - named.size() + more;
    return absl::StrCat(text, ": ", absl::StrJoin(named, ", "),
                        rest == 0 ? "" : absl::StrCat(" and ", rest, " more"));
  }
};

class ReasonFinder {
 public:
  ReasonFinder(const PlanState& state, int node, Graph::Job job,
               std::map<int, ShapeChanges>* shapes)
      : state_(state),
        shapes_(*shapes),
        graph_(state.graph),
        node_(node),
        job_(job),
        declaration_(state.hydrated.blueprint().nodes[node]) {}

  std::vector<Cause> Find() {
    if (!state_.base.exists()) {
      Note(v1::REASON_KIND_INITIAL, "first revision");
    } else {
      CheckArtefacts();
      CheckSources();
      CheckNode();
      CheckTake();
    }
    CheckAttempts();
    CheckBlobs();
    if (causes_.empty()) CheckShape();
    if (state_.IsForced(job_)) {
      Note(v1::REASON_KIND_FORCED, "asked to be made anew");
    } else if (causes_.empty() && IsImported()) {
      Note(v1::REASON_KIND_WIRING_CHANGED,
           "imported, and not known what it was made from");
    } else if (causes_.empty() && IsOfSameBlueprint()) {
      CheckTakeLeft();
      Note(v1::REASON_KIND_LEFT_BEHIND,
           "left as it was by the scope of an earlier plan");
    }
    if (causes_.empty()) {
      Note(v1::REASON_KIND_WIRING_CHANGED, "reads or makes other things");
    }
    std::stable_sort(
        causes_.begin(), causes_.end(),
        [](const Cause& a, const Cause& b) { return a.kind < b.kind; });
    return std::move(causes_);
  }

 private:
  void Note(v1::ReasonKind kind, std::string text) {
    causes_.push_back(Named(kind, std::move(text)));
  }
  void NoteIfAny(Cause cause) {
    if (!cause.subjects.empty()) causes_.push_back(std::move(cause));
  }
  static Cause Named(v1::ReasonKind kind, std::string text) {
    Cause cause;
    cause.kind = kind;
    cause.text = std::move(text);
    return cause;
  }

  void CheckArtefacts() {
    Cause missing = Named(v1::REASON_KIND_MISSING,
                          absl::StrCat("not in ", state_.base.revision()));
    for (Graph::Element artefact : graph_.Artefacts(node_, job_)) {
      if (!state_.InBase(artefact)) {
        missing.Add(graph_.ElementIdOf(artefact));
      }
    }
    NoteIfAny(std::move(missing));
  }

  void CheckSources() {
    Cause inputs = Named(v1::REASON_KIND_INPUT_CHANGED, "input changed");
    Cause artefacts =
        Named(v1::REASON_KIND_ARTEFACT_CHANGED, "upstream changed");
    Cause running = Named(v1::REASON_KIND_PROPAGATED, "upstream runs");
    for (size_t b = 0; b < declaration_.bindings.size(); ++b) {
      for (Graph::Element source : graph_.Sources(node_, job_, b)) {
        if (graph_.IsInput(source)) {
          if (state_.InputChanged(source)) {
            inputs.Add(graph_.ElementIdOf(source));
          }
          continue;
        }
        const ArtefactOrigin origin = state_.OriginOf(source);
        if (origin == ArtefactOrigin::kUnknown) {
          Graph::Job maker = graph_.MakerOf(source);
          running.Add(graph_.JobIdOf(graph_.NodeOf(maker), maker));
        } else if (origin == ArtefactOrigin::kLog && DiffersFromBase(source)) {
          artefacts.Add(graph_.ElementIdOf(source));
        }
      }
    }
    NoteIfAny(std::move(inputs));
    NoteIfAny(std::move(artefacts));
    NoteIfAny(std::move(running));
  }

  // How much there is to read, and what of it is there.
  void CheckShape() {
    Cause shape =
        Named(v1::REASON_KIND_WIRING_CHANGED, "what it reads follows from");
    const auto [found, is_new] = shapes_.try_emplace(node_);
    if (is_new) {
      FindShapeChanges(&shape);
      found->second = {shape.subjects, shape.more};
    } else {
      shape.subjects = found->second.ids;
      shape.more = found->second.more;
    }
    NoteIfAny(std::move(shape));
  }

  // The same for every job of the node.
  void FindShapeChanges(Cause* shape) const {
    AddSizes(declaration_.over, shape);
    for (int output : declaration_.outputs) {
      AddSizes(graph_.blueprint().outputs[output].dimensions, shape);
    }
    for (const Binding& binding : declaration_.bindings) {
      AddDeciders(binding.from, shape);
      if (binding.fallback.has_value()) AddDeciders(*binding.fallback, shape);
    }
  }

  void AddDeciders(const Reference& read, Cause* cause) const {
    const Blueprint& blueprint = graph_.blueprint();
    if (read.is_input) {
      AddSizes(blueprint.inputs[read.target].over, cause);
      return;
    }
    const OutputDeclaration& output = blueprint.outputs[read.target];
    AddSizes(output.dimensions, cause);
    for (const Condition& condition : blueprint.nodes[output.node].conditions) {
      AddChanged(condition.value.is_input, condition.value.target, cause);
    }
  }

  void AddSizes(const std::vector<int>& dimensions, Cause* cause) const {
    for (int id : dimensions) {
      const DimensionDeclaration& dimension = graph_.blueprint().dimensions[id];
      if (dimension.size_input >= 0) {
        AddChanged(true, dimension.size_input, cause);
      }
      if (dimension.size_output >= 0) {
        AddChanged(false, dimension.size_output, cause);
      }
    }
  }

  // What of an input or output is not as the base has it.
  void AddChanged(bool is_input, int declaration, Cause* cause) const {
    const size_t at = static_cast<size_t>(declaration);
    const Graph::Element end =
        is_input ? graph_.FirstInput(at + 1) : graph_.FirstArtefact(at + 1);
    for (Graph::Element element = is_input ? graph_.FirstInput(at)
                                           : graph_.FirstArtefact(at);
         element < end; ++element) {
      const bool changed =
          is_input ? state_.InputChanged(element)
                   : graph_.Exists(element) &&
                         state_.OriginOf(element) == ArtefactOrigin::kLog &&
                         DiffersFromBase(element);
      if (changed) cause->Add(graph_.ElementIdOf(element));
    }
  }

  // An import that knows no key of a job gives the hash of the content.
  bool IsImported() const {
    const absl::Span<const Graph::Element> artefacts =
        graph_.Artefacts(node_, job_);
    return std::any_of(artefacts.begin(), artefacts.end(),
                       [this](Graph::Element artefact) {
                         const uint32_t number = state_.NumberOf(artefact);
                         return state_.base.Has(number) &&
                                state_.base.inputs_hash(number) ==
                                    state_.base.content_hash(number);
                       });
  }

  bool IsOfSameBlueprint() const {
    const auto before =
        state_.base.inputs().find(std::string(kBlueprintInputId));
    return before != state_.base.inputs().end() &&
           before->second.Hex() == state_.hydrated.blueprint_hash();
  }

  bool DiffersFromBase(Graph::Element artefact) const {
    return !state_.InBase(artefact) ||
           state_.base.content_hash(state_.NumberOf(artefact)) !=
               state_.HashOfArtefact(artefact);
  }

  void CheckNode() {
    auto found = state_.base.nodes().find(declaration_.name);
    if (found == state_.base.nodes().end()) return;
    const v1::ManifestNode& before = found->second;
    const std::string& version = state_.versions[node_];
    if (before.producer().name() != declaration_.producer ||
        before.producer().version() != version) {
      Note(v1::REASON_KIND_PRODUCER_CHANGED,
           absl::StrCat("producer changed from ", before.producer().name(),
                        " version \"", before.producer().version(), "\" to ",
                        declaration_.producer, " version \"", version, "\""));
    }
    if (before.settings_hash() != declaration_.settings_hash.Hex()) {
      Note(v1::REASON_KIND_SETTINGS_CHANGED, "settings changed");
    }
    if (state_.hydrated.base_blueprint() == nullptr) return;
    const std::vector<NodeDeclaration>& nodes =
        state_.hydrated.base_blueprint()->nodes;
    size_t at = static_cast<size_t>(node_);
    if (at >= nodes.size() || nodes[at].name != declaration_.name) {
      at = static_cast<size_t>(std::find_if(nodes.begin(), nodes.end(),
                                            [&](const NodeDeclaration& node) {
                                              return node.name ==
                                                     declaration_.name;
                                            }) -
                               nodes.begin());
    }
    if (at < nodes.size() && nodes[at].salt != declaration_.salt) {
      Note(v1::REASON_KIND_SETTINGS_CHANGED, "salt or leaves changed");
    }
  }

  void CheckTake() {
    const InputTable& inputs = state_.hydrated.inputs();
    if (inputs.IsOtherTake(inputs.TakeIdOf(job_), state_.DrawOf(job_))) {
      NoteTake();
    }
  }

  // A base that a scope narrowed lists the take, though it has what was made
  // with another. Its key tells with which.
  void CheckTakeLeft() {
    if (state_.KeyOf(job_) == nullptr ||
        (!state_.hydrated.inputs().takes().contains(job_) &&
         !state_.staged_takes.contains(job_))) {
      return;
    }
    const Graph::Element artefact = graph_.Artefacts(node_, job_).front();
    const Digest& before = state_.base.inputs_hash(state_.NumberOf(artefact));
    const uint32_t draw = state_.DrawOf(job_);
    JobKeys keys(state_);
    for (uint32_t other = 0; other < kMaxDrawsTried; ++other) {
      if (other == draw || keys.KeyOfDraw(node_, job_, other) != before) {
        continue;
      }
      NoteTake();
      return;
    }
  }

  void NoteTake() {
    Cause other = Named(v1::REASON_KIND_TAKE_CHANGED,
                        absl::StrCat("take changed to ", state_.DrawOf(job_)));
    other.Add(state_.hydrated.inputs().TakeIdOf(job_));
    causes_.push_back(std::move(other));
  }

  void CheckAttempts() {
    const auto last = state_.last_failures.find(job_);
    if (last == state_.last_failures.end()) return;
    const v1::Failure& failure = *last->second.failure;
    Cause failed =
        Named(v1::REASON_KIND_FAILED,
              absl::StrCat("the latest attempt failed: ", FailureText(failure),
                           failure.retryable()
                               ? " (another call may succeed)"
                               : " (another call fails in the same way)"));
    failed.names_subjects = false;
    for (Graph::Element artefact : last->second.artefacts) {
      failed.Add(graph_.ElementIdOf(artefact));
    }
    causes_.push_back(std::move(failed));
  }

  void CheckBlobs() {
    const Digest* key = state_.KeyOf(job_);
    if (state_.hydrated.lost_blobs().empty() || key == nullptr) return;
    Cause lost = Named(v1::REASON_KIND_BLOB_LOST, "blob lost");
    for (Graph::Element artefact : graph_.Artefacts(node_, job_)) {
      const uint32_t number = state_.NumberOf(artefact);
      const bool in_base = state_.base.Has(number) &&
                           state_.base.inputs_hash(number) == *key &&
                           state_.hydrated.IsLost(number);
      if (in_base || state_.lost_results.contains(artefact)) {
        lost.Add(graph_.ElementIdOf(artefact));
      }
    }
    NoteIfAny(std::move(lost));
  }

  const PlanState& state_;
  std::map<int, ShapeChanges>& shapes_;
  const Graph& graph_;
  const int node_;
  const Graph::Job job_;
  const NodeDeclaration& declaration_;
  std::vector<Cause> causes_;
};

}  // namespace

v1::JobReason ReasonFor(const PlanState& state, int node, Graph::Job job,
                        std::map<int, ShapeChanges>* shapes) {
  std::vector<Cause> causes = ReasonFinder(state, node, job, shapes).Find();
  v1::JobReason reason;
  reason.set_kind(causes[0].kind);
  for (const std::string& subject : causes[0].subjects) {
    reason.add_subjects(subject);
  }
  reason.set_text(absl::StrJoin(
      causes, "; ",
      [](std::string* out, const Cause& cause) { out->append(cause.Text()); }));
  return reason;
}

}  // namespace kinora
