#include "services/planner/plan/hydrated_graph.h"

#include <optional>
#include <utility>

#include "common/inputs_hash.h"
#include "common/status.h"
#include "services/planner/plan/takes.h"

namespace kinora {

Digest HashOfNode(const Blueprint& blueprint, int node,
                  const std::string& version) {
  const NodeDeclaration& declaration = blueprint.nodes[node];
  NodeKey key;
  key.producer = declaration.producer;
  key.producer_version = version;
  key.settings = declaration.settings_hash;
  key.salt = declaration.salt;
  for (int output : declaration.outputs) {
    const OutputDeclaration& made = blueprint.outputs[output];
    key.outputs.push_back({made.name, made.mime_type});
  }
  return NodeHash(key);
}

HydratedGraph::HydratedGraph(std::string blueprint_hash, Graph graph,
                             std::string base_hash, HydratedBase base,
                             const Blueprint* base_blueprint)
    : blueprint_hash_(std::move(blueprint_hash)),
      graph_(std::move(graph)),
      base_hash_(std::move(base_hash)),
      base_(std::move(base)),
      base_blueprint_(base_blueprint),
      inputs_(graph_, base_, base_blueprint),
      verified_(graph_.num_jobs()) {
  ChooseVersions();
}

void HydratedGraph::ChooseVersions() {
  // A node that is new may use a producer that other nodes of the base used.
  ProducerVersions by_producer;
  for (const auto& [name, node] : base_.nodes()) {
    by_producer.emplace(node.producer().name(), node.producer().version());
  }
  const std::vector<NodeDeclaration>& nodes = blueprint().nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto before = base_.nodes().find(nodes[i].name);
    const auto elsewhere = by_producer.find(nodes[i].producer);
    if (before != base_.nodes().end() &&
        before->second.producer().name() == nodes[i].producer) {
      versions_.push_back(before->second.producer().version());
    } else if (elsewhere != by_producer.end()) {
      versions_.push_back(elsewhere->second);
    } else {
      versions_.emplace_back();
    }
    node_hashes_.push_back(
        HashOfNode(blueprint(), static_cast<int>(i), versions_.back()));
  }
}

void HydratedGraph::Unverify(Graph::Element source) {
  if (!any_verified_) return;
  for (Graph::Job reader : readers().Of(source)) verified_.Remove(reader);
}

absl::Status HydratedGraph::SetInput(const std::string& id,
                                     const v1::Content& content) {
  if (IsTakeId(id)) {
    KINORA_ASSIGN_OR_RETURN(const std::optional<Graph::Job> job,
                            inputs_.SetTake(id, content));
    if (job.has_value()) verified_.Remove(*job);
    return absl::OkStatus();
  }
  KINORA_ASSIGN_OR_RETURN(const std::optional<Graph::Element> changed,
                          inputs_.Set(id, content));
  if (changed.has_value()) Unverify(*changed);
  return absl::OkStatus();
}

void HydratedGraph::ClearInput(const std::string& id) {
  if (IsTakeId(id)) {
    const std::optional<Graph::Job> job = inputs_.ClearTake(id);
    if (job.has_value()) verified_.Remove(*job);
    return;
  }
  const std::optional<Graph::Element> changed = inputs_.Clear(id);
  if (changed.has_value()) Unverify(*changed);
}

void HydratedGraph::SetLostBlobs(absl::flat_hash_set<Digest> lost) {
  lost_ = std::move(lost);
  if (lost_.empty()) return;
  for (uint32_t artefact = 0; artefact < graph_.num_artefacts(); ++artefact) {
    const Graph::Element element = artefact + graph_.num_inputs();
    if (!IsLost(artefact) || !graph_.Exists(element)) continue;
    verified_.Remove(graph_.MakerOf(element));
  }
}

bool HydratedGraph::IsLost(const v1::Content& content) const {
  if (lost_.empty() || !content.has_blob()) return false;
  const absl::StatusOr<Digest> digest =
      Digest::ParseHex(content.blob().digest().hash());
  return digest.ok() && lost_.contains(*digest);
}

VerifiedJobs HydratedGraph::Verified() const {
  VerifiedJobs verified;
  verified.jobs = verified_;
  // Of these it would have to be told which draw they were seen with.
  for (const auto& [job, take] : inputs_.takes()) verified.jobs.Remove(job);
  for (Graph::Element input = 0; input < graph_.num_inputs(); ++input) {
    const InputValue* value = inputs_.Of(input);
    verified.inputs.push_back(value == nullptr ? Digest() : value->hash);
  }
  verified.nodes = node_hashes_;
  return verified;
}

void HydratedGraph::Restore(const VerifiedJobs& saved) {
  verified_ = saved.jobs;
  any_verified_ = true;
  for (Graph::Element input = 0; input < graph_.num_inputs(); ++input) {
    const InputValue* value = inputs_.Of(input);
    const Digest hash = value == nullptr ? Digest() : value->hash;
    if (hash != saved.inputs[input]) Unverify(input);
  }
  for (const auto& [job, take] : inputs_.takes()) verified_.Remove(job);
  for (size_t node = 0; node < node_hashes_.size(); ++node) {
    if (node_hashes_[node] == saved.nodes[node]) continue;
    const Graph::Job end = graph_.FirstJob(node + 1);
    for (Graph::Job job = graph_.FirstJob(node); job < end; ++job) {
      verified_.Remove(job);
    }
  }
}

const Readers& HydratedGraph::readers() {
  if (readers_ == nullptr) readers_ = std::make_unique<Readers>(graph_);
  return *readers_;
}

}  // namespace kinora
