// The part of RunState that takes up what a plan is extended by.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/runner/state/run_state.h"

namespace kinora {

void RunState::WaitForDeciders(
    const google::protobuf::RepeatedPtrField<v1::DeferredGroup>& groups) {
  deferred_.assign(groups.begin(), groups.end());
  deciders_.clear();
  landed_.clear();
  for (const v1::DeferredGroup& group : deferred_) {
    const std::string& id = group.sized_by_artefact_id();
    if (id.empty() || !deciders_.insert(id).second) continue;
    const auto source = sources_.find(id);
    if (source != sources_.end() && source->second.known) landed_.insert(id);
  }
}

std::vector<std::string> RunState::landed_deciders() const {
  if (cancelled_) return {};
  return std::vector<std::string>(landed_.begin(), landed_.end());
}

JobIndex RunState::MakerOf(absl::string_view artefact_id) const {
  const auto source = sources_.find(artefact_id);
  return source == sources_.end() ? -1 : source->second.maker;
}

const JobChange* RunState::FailureBehind(const v1::DeferredGroup& group) const {
  const JobIndex maker = MakerOf(group.sized_by_artefact_id());
  if (maker < 0) return nullptr;
  const JobIndex failed =
      status(maker) == JobStatus::kFailed ? maker : Entry(maker).blocked_by;
  const auto found = failures_.find(failed);
  return found == failures_.end() ? nullptr : &found->second;
}

absl::StatusOr<RunState::Extension> RunState::Extend(
    std::shared_ptr<const v1::ExpandDeferredGroupResponse> expansion,
    absl::Span<const std::string> asked) {
  LearnKnownJobs();
  // What is known is left out, so that the rest is as a plan of its own.
  auto part = std::make_shared<v1::ExpandDeferredGroupResponse>();
  *part->mutable_nodes() = expansion->nodes();
  *part->mutable_deferred() = expansion->deferred();
  for (const v1::PlannedInput& input : expansion->inputs()) {
    if (!sources_.contains(input.input_id())) *part->add_inputs() = input;
  }
  for (const v1::PlannedSource& source : expansion->sources()) {
    if (!sources_.contains(source.artefact_id())) {
      *part->add_sources() = source;
    }
  }
  for (const v1::ReusedJob& job : expansion->reused()) {
    if (known_jobs_.insert(job.job_id()).second) *part->add_reused() = job;
  }
  for (const v1::PlanLayer& layer : expansion->layers()) {
    v1::PlanLayer further;
    for (const v1::PlannedJob& job : layer.jobs()) {
      if (known_jobs_.insert(job.job_id()).second) *further.add_jobs() = job;
    }
    if (further.jobs_size() > 0) *part->add_layers() = std::move(further);
  }
  const size_t first = jobs_.size();
  expansions_.push_back(part);
  changes_.clear();
  KINORA_RETURN_IF_ERROR(AddPart(*part));
  WaitForDeciders(part->deferred());
  for (const std::string& id : asked) {
    if (!landed_.contains(id)) continue;
    return absl::InternalError(
        absl::StrCat("the planner has not expanded what ", id,
                     " decides, which has landed"));
  }
  Extension extension;
  extension.jobs = jobs_.size() - first;
  for (const v1::ReusedJob& job : part->reused()) {
    extension.reused.push_back(&job);
    ++extension.by_node[job.node()];
  }
  for (size_t i = first; i < jobs_.size(); ++i) {
    BlockIfHopeless(static_cast<JobIndex>(i));
    ++extension.by_node[jobs_[i].job->node()];
  }
  OpenLayers();
  extension.changes = std::move(changes_);
  return extension;
}

void RunState::LearnKnownJobs() {
  if (!known_jobs_.empty()) return;
  for (const v1::ReusedJob& job : plan_->reused()) {
    known_jobs_.insert(job.job_id());
  }
  for (const Job& job : jobs_) known_jobs_.insert(job.job->job_id());
}

// A further job that reads from one that has failed, or was blocked by one.
void RunState::BlockIfHopeless(JobIndex index) {
  if (cancelled_) {
    SetStatus(index, JobStatus::kCancelled);
    changes_.push_back({index, JobStatus::kCancelled, {}, {}});
    return;
  }
  if (IsFinal(status(index))) return;
  for (const v1::PlannedBinding& binding : job(index).bindings()) {
    for (const std::string& id : binding.source_ids()) {
      const JobIndex maker = MakerOf(id);
      if (maker < 0 || (status(maker) != JobStatus::kFailed &&
                        status(maker) != JobStatus::kBlocked)) {
        continue;
      }
      const JobIndex failed =
          status(maker) == JobStatus::kFailed ? maker : Entry(maker).blocked_by;
      BlockAll({index}, failed, failures_[failed].failure);
      return;
    }
  }
}

}  // namespace kinora
