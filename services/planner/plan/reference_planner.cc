#include "services/planner/plan/reference_planner.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/inputs_hash.h"
#include "services/planner/plan/graph_shape.h"

namespace kinora {
namespace {

struct Slot {
  std::string name;
  bool is_list = false;
  bool is_grouped = false;
  std::vector<uint32_t> group_sizes;
  std::vector<std::string> sources;
};

struct ReferenceJob {
  int node = 0;
  std::vector<Slot> slots;
  std::vector<std::string> artefacts;
};

class ReferencePlanner {
 public:
  explicit ReferencePlanner(const PlanInputs& in) : in_(in) {
    InputMap set = in.inputs;
    for (const v1::PendingEdit& edit : in.edits) {
      set[edit.input_id()] = edit.content();
    }
    const Graph graph =
        *Graph::Expand(*in.blueprint, *ShapeOf(*in.blueprint, set));
    for (Graph::Element e = 0; e < graph.num_inputs(); ++e) {
      const std::string id = graph.ElementIdOf(e);
      const v1::Content* value =
          EffectiveValue(in.blueprint->inputs[graph.InputOf(e)], id, set);
      if (value != nullptr) hashes_[id] = HashOfContent(*value);
    }
    for (Graph::Job number = 0; number < graph.num_jobs(); ++number) {
      AddJob(graph, number);
    }
  }

  JobSets Judge() {
    for (const auto& [id, job] : jobs_) JudgeJob(id);
    return sets_;
  }

 private:
  static Digest HashOfContent(const v1::Content& content) {
    return *Digest::ParseHex(ContentHash(content));
  }

  void AddJob(const Graph& graph, Graph::Job number) {
    ReferenceJob job;
    job.node = graph.NodeOf(number);
    if (!graph.IsActive(job.node, number)) return;
    const NodeDeclaration& node = in_.blueprint->nodes[job.node];
    const std::string id = graph.JobIdOf(job.node, number);
    for (size_t b = 0; b < node.bindings.size(); ++b) {
      Slot slot;
      slot.name = node.bindings[b].name;
      slot.is_list = node.bindings[b].is_list;
      slot.is_grouped = node.bindings[b].group >= 0;
      if (slot.is_grouped) {
        slot.group_sizes = graph.GroupSizes(job.node, number, b);
      }
      for (Graph::Element source : graph.Sources(job.node, number, b)) {
        slot.sources.push_back(graph.ElementIdOf(source));
      }
      job.slots.push_back(std::move(slot));
    }
    for (Graph::Element artefact : graph.Artefacts(job.node, number)) {
      job.artefacts.push_back(graph.ElementIdOf(artefact));
      makers_[job.artefacts.back()] = id;
    }
    jobs_[id] = std::move(job);
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
    key.artefact_ids = job.artefacts;
    bool known = true;
    for (const Slot& slot : job.slots) {
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
    const ReferenceJob& job = jobs_.at(id);
    const std::optional<Digest> key = KeyOf(id, job);
    if (job.artefacts.empty()) {
      sets_.clean.insert(id);
      return;
    }
    if (!key.has_value()) {
      (HasEarlierResults(job) ? sets_.may_run : sets_.must_run).insert(id);
      return;
    }
    bool all_in_base = true;
    std::map<std::string, Digest> found;
    for (const std::string& artefact : job.artefacts) {
      const std::optional<Found> result = Find(artefact, *key);
      if (!result.has_value()) {
        sets_.must_run.insert(id);
        return;
      }
      all_in_base = all_in_base && result->in_base;
      found[artefact] = HashOfContent(result->content);
    }
    hashes_.insert(found.begin(), found.end());
    (all_in_base ? sets_.clean : sets_.reused).insert(id);
  }

  const PlanInputs& in_;
  std::map<std::string, ReferenceJob> jobs_;
  std::map<std::string, std::string> makers_;  // job by artefact
  std::map<std::string, Digest> hashes_;       // of what is known
  std::set<std::string> judged_;
  JobSets sets_;
};

}  // namespace

JobSets ReferenceSets(const PlanInputs& in) {
  return ReferencePlanner(in).Judge();
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
       {&all.clean, &all.reused, &all.must_run, &all.may_run}) {
    for (const std::string& id : *set) {
      if (!sets.reused.contains(id) && !sets.must_run.contains(id) &&
          !sets.may_run.contains(id)) {
        sets.clean.insert(id);
      }
    }
  }
  return sets;
}

}  // namespace kinora
