#include "services/planner/plan/reference_planner.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/element_id.h"
#include "common/inputs_hash.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/reference_graph.h"

namespace kinora {
namespace {

// Each finds something more that decides.
constexpr int kMaxRounds = 100;

class ReferencePlanner {
 public:
  ReferencePlanner(const PlanInputs& in, const DecidingValues& decided)
      : in_(in), set_(WithEdits(in)), graph_(*in.blueprint, set_, decided) {
    for (const auto& [id, job] : graph_.jobs()) {
      for (const std::string& artefact : job.artefacts) makers_[artefact] = id;
    }
    for (const auto& [artefact, job] : makers_) {
      if (IsAmong(in.scope.regenerate(), artefact)) forced_.insert(job);
      if (IsAmong(in.scope.pin(), artefact)) left_out_.insert(job);
    }
    if (in.scope.with_lineage()) {
      forced_.merge(LineageOf(in.scope.regenerate()).jobs);
    }
    if (in.scope.only().empty()) return;
    const ReferenceLineage asked = LineageOf(in.scope.only());
    for (const auto& [id, job] : graph_.jobs()) {
      if (!asked.jobs.contains(id)) left_out_.insert(id);
    }
  }

  ReferenceLineage LineageOf(
      const google::protobuf::RepeatedPtrField<std::string>& names) const {
    const std::map<std::string, ReferenceOrigin> origins = graph_.Origins();
    std::map<std::string, std::string> makers;
    std::vector<std::string> artefacts;
    for (const auto& [id, job] : origins) {
      for (const std::string& artefact : job.artefacts) {
        makers[artefact] = id;
        if (IsAmong(names, artefact)) artefacts.push_back(artefact);
      }
    }
    ReferenceLineage lineage;
    for (const std::string& name : names) {
      bool known = true;
      const std::set<std::string> deciders = graph_.DecidersOf(name, &known);
      artefacts.insert(artefacts.end(), deciders.begin(), deciders.end());
      lineage.is_open = lineage.is_open || !known;
    }
    std::set<std::string> seen;
    while (!artefacts.empty()) {
      const auto maker = makers.find(artefacts.back());
      artefacts.pop_back();
      if (maker == makers.end() || !seen.insert(maker->second).second) continue;
      if (graph_.jobs().contains(maker->second)) {
        lineage.jobs.insert(maker->second);
      } else {
        lineage.is_open = true;
      }
      const std::set<std::string>& from = origins.at(maker->second).made_from;
      artefacts.insert(artefacts.end(), from.begin(), from.end());
    }
    return lineage;
  }

  const std::map<std::string, std::string>& makers() const { return makers_; }

  const JobSets& Judge() {
    for (const auto& [id, job] : graph_.jobs()) JudgeJob(id);
    return sets_;
  }

  // Those of the deciding artefacts that are known once all was judged.
  DecidingValues Decided() const {
    DecidingReader reader(nullptr);
    DecidingValues decided;
    for (const auto& [id, content] : contents_) {
      const int output = in_.blueprint->FindOutput(ElementId::Parse(id)->name);
      const std::vector<int>& deciding = in_.blueprint->deciding_outputs;
      if (std::find(deciding.begin(), deciding.end(), output) ==
          deciding.end()) {
        continue;
      }
      decided[id] = *reader.Read(*in_.blueprint, {output, id, content});
    }
    return decided;
  }

 private:
  static bool IsAmong(
      const google::protobuf::RepeatedPtrField<std::string>& names,
      const std::string& artefact) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) {
      return IsNamed(name, artefact);
    });
  }

  static Digest HashOfContent(const v1::Content& content) {
    return *Digest::ParseHex(ContentHash(content));
  }

  static InputMap WithEdits(const PlanInputs& in) {
    InputMap set = in.inputs;
    for (const v1::PendingEdit& edit : in.edits) {
      set[edit.input_id()] = edit.content();
    }
    return set;
  }

  std::string VersionOf(int node) const {
    const NodeDeclaration& declaration = in_.blueprint->nodes[node];
    for (const v1::ProducerIdentity& given : in_.producers) {
      if (given.name() == declaration.producer) return given.version();
    }
    if (in_.base == nullptr) return "";
    std::map<std::string, v1::ProducerIdentity> before;
    for (const auto& [name, entry] : in_.base->nodes()) {
      before[name] = entry.producer();
    }
    const auto same = before.find(declaration.name);
    if (same != before.end() && same->second.name() == declaration.producer) {
      return same->second.version();
    }
    for (const auto& [name, producer] : before) {
      if (producer.name() == declaration.producer) return producer.version();
    }
    return "";
  }

  // The value of what a job reads; nullopt if its maker runs.
  std::optional<Digest> Resolve(const std::string& id) {
    if (absl::StartsWith(id, "Input:")) {
      const int input = in_.blueprint->FindInput(ElementId::Parse(id)->name);
      const v1::Content* value =
          EffectiveValue(in_.blueprint->inputs[input], id, set_);
      if (value == nullptr) return std::nullopt;
      return HashOfContent(*value);
    }
    const auto maker = makers_.find(id);
    if (maker != makers_.end()) JudgeJob(maker->second);
    const auto hash = hashes_.find(id);
    if (hash == hashes_.end()) return std::nullopt;
    return hash->second;
  }

  std::optional<Digest> KeyOf(const std::string& id, const ReferenceJob& job) {
    const NodeDeclaration& node = in_.blueprint->nodes[job.node];
    JobKey key;
    key.node.producer = node.producer;
    key.node.producer_version = VersionOf(job.node);
    key.node.settings = node.settings_hash;
    key.node.salt = node.salt;
    for (int output : node.outputs) {
      key.node.outputs.push_back({in_.blueprint->outputs[output].name,
                                  in_.blueprint->outputs[output].mime_type});
    }
    key.job_id = id;
    const auto take = set_.find(absl::StrCat("Input:", kTakePrefix, id));
    if (take != set_.end()) {
      EXPECT_TRUE(absl::SimpleAtoi(take->second.inline_().data(), &key.draw));
    }
    key.artefact_ids = job.artefacts;
    bool known = true;
    for (const ReferenceSlot& slot : job.slots) {
      KeyBinding& bound = key.bindings.emplace_back();
      bound.name = slot.name;
      bound.is_list = slot.is_list;
      bound.is_grouped = slot.is_grouped;
      bound.group_sizes = slot.group_sizes;
      for (const std::string& source : slot.sources) {
        const std::optional<Digest> hash = Resolve(source);
        known = known && hash.has_value();
        if (hash.has_value()) bound.contents.push_back(*hash);
      }
    }
    if (!known) return std::nullopt;
    return InputsHash(key);
  }

  bool IsLost(const v1::Content& content) const {
    return content.has_blob() &&
           in_.lost_blobs.contains(HashOfContent(content));
  }

  // The artefact under that key: by hand, else in the base, else in the log.
  struct Found {
    v1::Content content;
    bool in_base = false;
  };
  std::optional<Found> Find(const std::string& id, const Digest& key) const {
    const v1::ManifestArtefact* base = nullptr;
    if (in_.base != nullptr) {
      const auto entry = in_.base->artefacts().find(id);
      if (entry != in_.base->artefacts().end() &&
          entry->second.inputs_hash() == key.Hex() &&
          !IsLost(entry->second.content())) {
        base = &entry->second;
      }
    }
    const auto edit = in_.results->HandEdits().find(id);
    if (edit != in_.results->HandEdits().end() &&
        edit->second.inputs_hash == key &&
        !IsLost(edit->second.result.content) &&
        (base == nullptr || ContentHash(base->content()) !=
                                ContentHash(edit->second.result.content))) {
      return Found{edit->second.result.content, false};
    }
    if (base != nullptr) return Found{base->content(), true};
    const ResultQuery query = {id, key};
    const auto logged = *in_.results->Find(absl::MakeConstSpan(&query, 1));
    if (!logged[0].has_value() || IsLost(logged[0]->content)) {
      return std::nullopt;
    }
    return Found{logged[0]->content, false};
  }

  bool HasEarlierResults(const ReferenceJob& job) const {
    for (const std::string& id : job.artefacts) {
      if (in_.base != nullptr && in_.base->artefacts().contains(id)) continue;
      if (!(*in_.results->WereMade(absl::MakeConstSpan(&id, 1)))[0]) {
        return false;
      }
    }
    return true;
  }

  void JudgeJob(const std::string& id) {
    if (!judged_.insert(id).second) return;
    const ReferenceJob& job = graph_.jobs().at(id);
    const std::optional<Digest> key = KeyOf(id, job);
    if (job.artefacts.empty()) {
      sets_.clean.insert(id);
      return;
    }
    const bool is_left_out = left_out_.contains(id);
    if (forced_.contains(id) && !is_left_out) {
      sets_.must_run.insert(id);
      return;
    }
    if (!key.has_value() && is_left_out) return Leave(id, job);
    if (!key.has_value()) {
      (HasEarlierResults(job) ? sets_.may_run : sets_.must_run).insert(id);
      return;
    }
    bool all_in_base = true;
    std::map<std::string, v1::Content> found;
    for (const std::string& artefact : job.artefacts) {
      const std::optional<Found> result = Find(artefact, *key);
      if (is_left_out && !(result.has_value() && result->in_base)) {
        return Leave(id, job);
      }
      if (!result.has_value()) {
        sets_.must_run.insert(id);
        return;
      }
      all_in_base = all_in_base && result->in_base;
      found[artefact] = result->content;
    }
    for (const auto& [artefact, content] : found) {
      hashes_[artefact] = HashOfContent(content);
      contents_[artefact] = content;
    }
    (all_in_base ? sets_.clean : sets_.reused).insert(id);
  }

  // As the base has it, whatever it would be.
  void Leave(const std::string& id, const ReferenceJob& job) {
    sets_.left.insert(id);
    if (in_.base == nullptr) return;
    for (const std::string& artefact : job.artefacts) {
      const auto kept = in_.base->artefacts().find(artefact);
      if (kept == in_.base->artefacts().end()) continue;
      hashes_[artefact] = HashOfContent(kept->second.content());
      contents_[artefact] = kept->second.content();
    }
  }

  const PlanInputs& in_;
  const InputMap set_;
  const ReferenceGraph graph_;
  std::map<std::string, std::string> makers_;    // job by artefact
  std::map<std::string, Digest> hashes_;         // of artefacts that are known
  std::map<std::string, v1::Content> contents_;  // likewise
  std::set<std::string> forced_;                 // jobs
  std::set<std::string> left_out_;  // jobs, pinned or not asked for
  std::set<std::string> judged_;
  JobSets sets_;
};

DecidingValues DecidedFor(const PlanInputs& in) {
  DecidingValues decided;
  for (int round = 0; round < kMaxRounds; ++round) {
    ReferencePlanner planner(in, decided);
    planner.Judge();
    const size_t known = decided.size();
    decided = planner.Decided();
    if (decided.size() == known) return decided;
  }
  ADD_FAILURE() << "what decides hangs on itself";
  return decided;
}

}  // namespace

bool IsNamed(const std::string& name, const std::string& artefact_id) {
  return artefact_id == name ||
         absl::StartsWith(artefact_id, absl::StrCat(name, "["));
}

JobSets ReferenceSets(const PlanInputs& in) {
  return ReferencePlanner(in, DecidedFor(in)).Judge();
}

ReferenceLineage LineageOf(
    const PlanInputs& in,
    const google::protobuf::RepeatedPtrField<std::string>& names) {
  return ReferencePlanner(in, DecidedFor(in)).LineageOf(names);
}

std::map<std::string, std::string> ReferenceMakers(const PlanInputs& in) {
  return ReferencePlanner(in, DecidedFor(in)).makers();
}

JobSets SetsOf(const v1::Plan& plan, const JobSets& all) {
  JobSets sets;
  for (const v1::ReusedJob& job : plan.reused()) {
    sets.reused.insert(job.job_id());
  }
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      (job.need() == v1::JOB_NEED_MUST_RUN ? sets.must_run : sets.may_run)
          .insert(job.job_id());
    }
  }
  for (const auto* set :
       {&all.clean, &all.reused, &all.must_run, &all.may_run, &all.left}) {
    for (const std::string& id : *set) {
      if (!sets.reused.contains(id) && !sets.must_run.contains(id) &&
          !sets.may_run.contains(id)) {
        (set == &all.left ? sets.left : sets.clean).insert(id);
      }
    }
  }
  return sets;
}

}  // namespace kinora
