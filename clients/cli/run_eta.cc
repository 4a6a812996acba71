#include "clients/cli/run_eta.h"

#include <algorithm>
#include <cmath>

namespace kinora {
namespace {

// How far back "of late" reaches.
constexpr double kMemoryMs = 30'000;
// Paths are measured anew when so many of the jobs have ended, a few at once
// where there are many.
constexpr size_t kMeasurings = 64;

absl::string_view NodeName(absl::string_view job_id) {
  return job_id.substr(0, job_id.find('['));
}

}  // namespace

RunEta::RunEta(const v1::Plan& plan, const RecordedDurations& recorded) {
  for (const auto& producer : recorded) {
    durations_.Record(producer.first, producer.second);
  }
  has_plan_ = plan.layers_size() > 0 || plan.deferred_size() > 0;
  for (const v1::PlannedNode& node : plan.nodes()) {
    nodes_[NodeOf(node.node())].producer = node.producer().name();
  }
  for (const v1::ReusedJob& job : plan.reused()) {
    job_by_id_[job.job_id()] = jobs_.size();
    Job& reused = jobs_.emplace_back();
    reused.node = NodeOf(NodeName(job.job_id()));
    reused.ended = true;
  }
  AddJobs(plan);
  Measure();
}

void RunEta::AddJobs(const v1::Plan& plan) {
  absl::flat_hash_map<absl::string_view, size_t> makers;
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& planned : layer.jobs()) {
      const size_t index = jobs_.size();
      job_by_id_[planned.job_id()] = index;
      Job& job = jobs_.emplace_back();
      job.node = NodeOf(NodeName(planned.job_id()));
      ++nodes_[job.node].left;
      for (const v1::PlannedBinding& binding : planned.bindings()) {
        for (const std::string& source : binding.source_ids()) {
          const auto maker = makers.find(source);
          if (maker == makers.end()) continue;
          std::vector<size_t>& known = jobs_[maker->second].dependants;
          if (known.empty() || known.back() != index) known.push_back(index);
        }
      }
      for (const v1::PlannedArtefact& artefact : planned.artefacts()) {
        makers[artefact.artefact_id()] = index;
      }
    }
  }
}

size_t RunEta::NodeOf(absl::string_view name) {
  const auto [it, is_new] =
      node_by_name_.emplace(std::string(name), nodes_.size());
  // Of a node that came later the producer is not known; its name will do.
  if (is_new) nodes_.emplace_back().producer = std::string(name);
  return it->second;
}

void RunEta::Measure() {
  unmeasured_ = 0;
  const absl::Duration typical = durations_.Typical();
  for (Node& node : nodes_) {
    const std::optional<absl::Duration> likely = durations_.Of(node.producer);
    node.is_known = likely.has_value();
    node.likely_ms = absl::ToInt64Milliseconds(likely.value_or(typical));
  }
  for (size_t i = jobs_.size(); i-- > 0;) {
    Job& job = jobs_[i];
    if (job.ended) continue;
    job.path_ms = 0;
    for (const size_t dependant : job.dependants) {
      if (jobs_[dependant].ended) continue;
      job.path_ms = std::max(job.path_ms, jobs_[dependant].path_ms);
    }
    job.path_ms += nodes_[job.node].likely_ms;
  }
}

void RunEta::Grow(absl::string_view node, int64_t jobs) {
  Node& grown = nodes_[NodeOf(node)];
  grown.left += jobs;
  grown.unplanned += jobs;
  Measure();
}

// Time in which nothing runs says nothing of how much may run.
void RunEta::PassTime(int64_t at_ms) {
  const int64_t passed = at_ms - passed_ms_;
  if (passed <= 0) return;
  passed_ms_ = at_ms;
  if (running_.empty()) return;
  const double now = static_cast<double>(running_.size());
  at_once_ = now + (at_once_ - now) *
                       std::exp(-static_cast<double>(passed) / kMemoryMs);
}

void RunEta::Start(absl::string_view job_id, int64_t at_ms) {
  Leave(job_id, at_ms);
  PassTime(at_ms);
  Running& running = running_[job_id];
  running.node = NodeOf(NodeName(job_id));
  running.since_ms = at_ms;
  if (const auto job = job_by_id_.find(job_id); job != job_by_id_.end()) {
    running.job = job->second;
    jobs_[job->second].running = true;
  } else if (nodes_[running.node].unplanned > 0) {
    --nodes_[running.node].unplanned;
    running.is_unplanned = true;
  }
  if (!has_begun_) at_once_ = 1;
  has_begun_ = true;
}

void RunEta::Leave(absl::string_view job_id, int64_t at_ms) {
  const auto found = running_.find(job_id);
  if (found == running_.end()) return;
  PassTime(at_ms);
  if (found->second.job != kNotPlanned) {
    jobs_[found->second.job].running = false;
  }
  if (found->second.is_unplanned) ++nodes_[found->second.node].unplanned;
  running_.erase(found);
}

void RunEta::End(absl::string_view job_id, bool succeeded, int64_t at_ms) {
  const size_t index = NodeOf(NodeName(job_id));
  const auto running = running_.find(job_id);
  if (running != running_.end() && succeeded) {
    durations_.Add(nodes_[index].producer,
                   absl::Milliseconds(at_ms - running->second.since_ms));
    ++unmeasured_;
  }
  Leave(job_id, at_ms);
  Node& node = nodes_[index];
  if (const auto job = job_by_id_.find(job_id); job != job_by_id_.end()) {
    if (jobs_[job->second].ended) return;
    jobs_[job->second].ended = true;
    --node.left;
  } else if (node.unplanned > 0) {
    --node.unplanned;
    --node.left;
  }
  if (unmeasured_ > jobs_.size() / kMeasurings) Measure();
}

std::optional<absl::Duration> RunEta::At(int64_t now_ms) const {
  if (!has_plan_ || !has_begun_) return std::nullopt;
  int64_t left = 0;
  int64_t known = 0;
  int64_t chain_ms = 0;
  double work_ms = 0;
  for (const Node& node : nodes_) {
    left += node.left;
    if (node.is_known) known += node.left;
    work_ms += static_cast<double>(node.left * node.likely_ms);
    // One of these comes behind another, but nobody knows behind which.
    if (node.unplanned > 0) chain_ms = std::max(chain_ms, node.likely_ms);
  }
  if (2 * known < left) return std::nullopt;
  for (const Job& job : jobs_) {
    if (!job.ended && !job.running) chain_ms = std::max(chain_ms, job.path_ms);
  }
  for (const auto& running : running_) {
    const int64_t likely_ms = nodes_[running.second.node].likely_ms;
    const int64_t passed_ms =
        std::clamp<int64_t>(now_ms - running.second.since_ms, 0, likely_ms);
    work_ms -= static_cast<double>(passed_ms);
    const int64_t path_ms = running.second.job == kNotPlanned
                                ? likely_ms
                                : jobs_[running.second.job].path_ms;
    chain_ms = std::max(chain_ms, path_ms - passed_ms);
  }
  const double at_once =
      std::max({1.0, at_once_, static_cast<double>(running_.size())});
  const double longer_ms =
      std::max(static_cast<double>(chain_ms), work_ms / at_once);
  if (longer_ms < 1) return std::nullopt;
  return absl::Milliseconds(static_cast<int64_t>(longer_ms));
}

}  // namespace kinora
