#include "services/runner/steps/plan_parts.h"

#include <set>
#include <utility>

namespace kinora {
namespace {

template <typename Visit>
void ForEachSource(const v1::PlannedJob& job, Visit visit) {
  for (const v1::PlannedBinding& binding : job.bindings()) {
    for (const std::string& id : binding.source_ids()) visit(id);
  }
}

}  // namespace

PlanParts::PlanParts(std::shared_ptr<const v1::Plan> plan)
    : plan_(std::move(plan)) {
  for (const v1::PlannedNode& node : plan_->nodes()) {
    nodes_.emplace(node.node(), &node);
  }
  for (int layer = 0; layer < plan_->layers_size(); ++layer) {
    for (const v1::PlannedJob& job : plan_->layers(layer).jobs()) {
      const Place place{layer, &job};
      jobs_.emplace(job.job_id(), place);
      for (const v1::PlannedArtefact& artefact : job.artefacts()) {
        makers_.emplace(artefact.artefact_id(), place);
      }
    }
  }
  for (const v1::PlannedInput& input : plan_->inputs()) {
    values_.emplace(input.input_id(), &input.content());
  }
  for (const v1::ReusedJob& job : plan_->reused()) {
    reused_.emplace(job.job_id(), &job);
    for (const v1::ReusedArtefact& artefact : job.artefacts()) {
      values_.emplace(artefact.artefact_id(), &artefact.content());
    }
  }
  for (const v1::PlannedSource& source : plan_->sources()) {
    values_.emplace(source.artefact_id(), &source.content());
  }
}

const v1::PlannedJob* PlanParts::Find(absl::string_view job_id) const {
  const auto found = jobs_.find(job_id);
  return found == jobs_.end() ? nullptr : found->second.job;
}

bool PlanParts::IsReused(absl::string_view job_id) const {
  return reused_.contains(job_id);
}

v1::Plan PlanParts::Empty() const {
  v1::Plan part;
  part.set_format_version(plan_->format_version());
  part.set_movie_id(plan_->movie_id());
  part.set_target_revision(plan_->target_revision());
  part.set_base_revision(plan_->base_revision());
  part.set_manifest_base_hash(plan_->manifest_base_hash());
  return part;
}

std::shared_ptr<const v1::Plan> PlanParts::Reuse() const {
  auto part = std::make_shared<v1::Plan>(Empty());
  *part->mutable_reused() = plan_->reused();
  return part;
}

std::shared_ptr<const v1::Plan> PlanParts::Upstream(const Jobs& jobs) const {
  std::map<int, Jobs> layers;
  std::set<const v1::PlannedJob*> seen;
  Jobs found;
  Jobs stack = jobs;
  while (!stack.empty()) {
    const v1::PlannedJob* job = stack.back();
    stack.pop_back();
    ForEachSource(*job, [&](const std::string& id) {
      const auto maker = makers_.find(id);
      if (maker == makers_.end() || !seen.insert(maker->second.job).second) {
        return;
      }
      layers[maker->second.layer].push_back(maker->second.job);
      found.push_back(maker->second.job);
      stack.push_back(maker->second.job);
    });
  }
  auto part = std::make_shared<v1::Plan>(Empty());
  AddWhatTheyNeed(found, part.get());
  for (const auto& layer : layers) {
    v1::PlanLayer* added = part->add_layers();
    for (const v1::PlannedJob* job : layer.second) *added->add_jobs() = *job;
  }
  return part;
}

std::vector<std::string> PlanParts::MadeInputs(
    const v1::PlannedJob& job) const {
  std::vector<std::string> made;
  ForEachSource(job, [&](const std::string& id) {
    if (makers_.contains(id)) made.push_back(id);
  });
  return made;
}

std::shared_ptr<const v1::Plan> PlanParts::Alone(
    const Jobs& jobs, const std::map<std::string, v1::Content>& made) const {
  auto part = std::make_shared<v1::Plan>(Empty());
  AddWhatTheyNeed(jobs, part.get());
  std::set<std::string> added;
  v1::PlanLayer* layer = part->add_layers();
  for (const v1::PlannedJob* job : jobs) {
    *layer->add_jobs() = *job;
    for (const std::string& id : MadeInputs(*job)) {
      if (!added.insert(id).second) continue;
      v1::PlannedSource* source = part->add_sources();
      source->set_artefact_id(id);
      *source->mutable_content() = made.at(id);
    }
  }
  return part;
}

void PlanParts::AddWhatTheyNeed(const Jobs& jobs, v1::Plan* part) const {
  std::set<std::string> nodes;
  std::set<std::string> sources;
  for (const v1::PlannedJob* job : jobs) {
    const auto node = nodes_.find(job->node());
    if (node != nodes_.end() && nodes.insert(job->node()).second) {
      *part->add_nodes() = *node->second;
    }
    ForEachSource(*job, [&](const std::string& id) {
      const auto value = values_.find(id);
      if (value == values_.end() || !sources.insert(id).second) return;
      v1::PlannedSource* source = part->add_sources();
      source->set_artefact_id(id);
      *source->mutable_content() = *value->second;
    });
  }
}

}  // namespace kinora
