// The part of RunState that takes up a plan: its jobs, what each of them reads,
// and their keys.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/inputs_hash.h"
#include "common/status.h"
#include "services/runner/state/run_state.h"

namespace kinora {
namespace {

// Calls `visit(slot, source id)` for each slot of a job; an empty fan-in and
// an absent binding have one slot, whose source id is empty.
template <typename Visit>
void ForEachSlot(const v1::PlannedJob& job, Visit visit) {
  for (const v1::PlannedBinding& binding : job.bindings()) {
    if (!binding.is_list()) {
      if (binding.source_ids().empty()) visit(binding.name(), std::string());
      for (const std::string& id : binding.source_ids()) {
        visit(binding.name(), id);
      }
      continue;
    }
    if (binding.source_ids().empty()) {
      visit(EmptyFanInSlot(binding.name()), std::string());
    }
    for (int i = 0; i < binding.source_ids_size(); ++i) {
      visit(FanInSlot(binding.name(), static_cast<size_t>(i)),
            binding.source_ids(i));
    }
  }
}

absl::Status BadPlan(const v1::PlannedJob& job, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("plan: job ", job.job_id(), ": ", what));
}

}  // namespace

absl::StatusOr<Digest> DigestOf(const v1::Content& content) {
  switch (content.value_case()) {
    case v1::Content::kBlob:
      return Digest::ParseHex(content.blob().digest().hash());
    case v1::Content::kInline:
      return Digest::ParseHex(content.inline_().hash());
    case v1::Content::VALUE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("content: neither a blob nor inline");
}

absl::StatusOr<RunState> RunState::Create(std::shared_ptr<const v1::Plan> plan,
                                          const RunStateOptions& options,
                                          Random& random) {
  RunState state(std::move(plan), options, random);
  KINORA_RETURN_IF_ERROR(state.AddPart(*state.plan_));
  state.WaitForDeciders(state.plan_->deferred());
  state.OpenLayers();
  return state;
}

absl::Status RunState::AddSource(const std::string& id,
                                 const v1::Content& content) {
  absl::StatusOr<Digest> hash = DigestOf(content);
  if (!hash.ok()) {
    return Annotate(hash.status(), absl::StrCat("plan: ", id));
  }
  Source source{content, *hash, true, -1};
  if (!sources_.emplace(id, std::move(source)).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("plan: ", id, " is given twice"));
  }
  return absl::OkStatus();
}

absl::Status RunState::AddReused(const v1::ReusedJob& job) {
  for (const v1::ReusedArtefact& artefact : job.artefacts()) {
    KINORA_RETURN_IF_ERROR(
        AddSource(artefact.artefact_id(), artefact.content()));
  }
  return absl::OkStatus();
}

template <typename PlanPart>
absl::Status RunState::AddPart(const PlanPart& part) {
  for (const v1::PlannedInput& input : part.inputs()) {
    KINORA_RETURN_IF_ERROR(AddSource(input.input_id(), input.content()));
  }
  for (const v1::ReusedJob& job : part.reused()) {
    KINORA_RETURN_IF_ERROR(AddReused(job));
  }
  for (const v1::PlannedSource& source : part.sources()) {
    // A reused upstream may be named here, too.
    if (sources_.contains(source.artefact_id())) continue;
    KINORA_RETURN_IF_ERROR(AddSource(source.artefact_id(), source.content()));
  }
  for (const v1::PlannedNode& node : part.nodes()) {
    nodes_.emplace(node.node(), &node);
    producers_.insert(node.producer().name());
  }
  return AddLayers(part.layers());
}

template absl::Status RunState::AddPart(
    const v1::ExpandDeferredGroupResponse& part);

absl::Status RunState::AddLayers(
    const google::protobuf::RepeatedPtrField<v1::PlanLayer>& layers) {
  const size_t first = jobs_.size();
  if (!first_of_layer_.empty()) first_of_layer_.pop_back();
  for (const v1::PlanLayer& planned : layers) {
    const size_t layer = first_of_layer_.size();
    first_of_layer_.push_back(jobs_.size());
    unfinished_in_layer_.push_back(static_cast<size_t>(planned.jobs_size()));
    for (const v1::PlannedJob& job : planned.jobs()) {
      KINORA_RETURN_IF_ERROR(AddJob(job, layer));
    }
  }
  first_of_layer_.push_back(jobs_.size());
  for (size_t i = first; i < jobs_.size(); ++i) {
    KINORA_RETURN_IF_ERROR(Connect(static_cast<JobIndex>(i)));
    KINORA_RETURN_IF_ERROR(CheckKey(static_cast<JobIndex>(i)));
  }
  counts_[static_cast<size_t>(JobStatus::kPending)] += jobs_.size() - first;
  MeasurePaths();
  return absl::OkStatus();
}

absl::Status RunState::AddJob(const v1::PlannedJob& job, size_t layer) {
  auto node = nodes_.find(job.node());
  if (node == nodes_.end()) {
    return BadPlan(job, absl::StrCat("unknown node ", job.node()));
  }
  if (job.artefacts().empty()) return BadPlan(job, "makes nothing");
  Job entry;
  entry.job = &job;
  entry.node = node->second;
  entry.layer = layer;
  entry.lane = queue_.LaneOf(*node->second);
  for (const v1::PlannedArtefact& artefact : job.artefacts()) {
    Source source;
    source.maker = static_cast<JobIndex>(jobs_.size());
    if (!sources_.emplace(artefact.artefact_id(), std::move(source)).second) {
      return BadPlan(job, absl::StrCat(artefact.artefact_id(),
                                       " comes from elsewhere, too"));
    }
  }
  jobs_.push_back(std::move(entry));
  return absl::OkStatus();
}

absl::Status RunState::Connect(JobIndex index) {
  Job& job = Entry(index);
  absl::Status status;
  std::set<JobIndex> upstream;
  ForEachSlot(*job.job, [&](const std::string& slot, const std::string& id) {
    if (id.empty() || !status.ok()) return;
    auto source = sources_.find(id);
    if (source == sources_.end()) {
      status = BadPlan(*job.job, absl::StrCat(slot, ": unknown source ", id));
      return;
    }
    if (source->second.known) return;
    const JobIndex maker = source->second.maker;
    if (Entry(maker).layer >= job.layer) {
      status =
          BadPlan(*job.job, absl::StrCat(slot, ": ", id, " is made in layer ",
                                         Entry(maker).layer,
                                         ", not before "
                                         "layer ",
                                         job.layer));
      return;
    }
    if (upstream.insert(maker).second) Entry(maker).dependants.push_back(index);
  });
  job.missing = upstream.size();
  return status;
}

// A planner and a runner that disagree about keys would run everything anew
// for ever; better to stop at the first such plan.
absl::Status RunState::CheckKey(JobIndex index) const {
  const Job& job = Entry(index);
  if (job.job->inputs_hash().empty() || job.missing > 0) {
    return absl::OkStatus();
  }
  const std::string key = KeyOf(job).Hex();
  if (key == job.job->inputs_hash()) return absl::OkStatus();
  return BadPlan(*job.job,
                 absl::StrCat("has the inputs hash ", job.job->inputs_hash(),
                              ", its parts have ", key));
}

Digest RunState::HashOf(absl::string_view source_id) const {
  return source_id.empty() ? Digest() : sources_.find(source_id)->second.hash;
}

Digest RunState::KeyOf(const Job& job) const {
  JobKey key;
  key.node.producer = job.node->producer().name();
  key.node.producer_version = job.node->producer().version();
  key.node.settings =
      Digest::ParseHex(job.node->settings_hash()).value_or(Digest());
  key.node.salt = job.node->salt();
  for (const v1::PlannedOutput& output : job.node->outputs()) {
    key.node.outputs.push_back({output.name(), output.mime_type()});
  }
  key.job_id = job.job->job_id();
  key.draw = job.job->draw();
  for (const v1::PlannedArtefact& artefact : job.job->artefacts()) {
    key.artefact_ids.push_back(artefact.artefact_id());
  }
  for (const v1::PlannedBinding& binding : job.job->bindings()) {
    KeyBinding& bound = key.bindings.emplace_back();
    bound.name = binding.name();
    bound.is_list = binding.is_list();
    bound.is_grouped = binding.is_grouped();
    bound.group_sizes.assign(binding.group_sizes().begin(),
                             binding.group_sizes().end());
    for (const std::string& id : binding.source_ids()) {
      bound.contents.push_back(HashOf(id));
    }
  }
  return InputsHash(key);
}

std::vector<v1::Dependency> RunState::Dependencies(JobIndex index) const {
  std::vector<v1::Dependency> dependencies;
  ForEachSlot(job(index), [&](const std::string& slot, const std::string& id) {
    v1::Dependency dependency;
    dependency.set_slot(slot);
    dependency.set_source_id(id);
    dependency.set_hash(HashOf(id).Hex());
    dependencies.push_back(std::move(dependency));
  });
  std::sort(dependencies.begin(), dependencies.end(),
            [](const v1::Dependency& a, const v1::Dependency& b) {
              return a.slot() < b.slot();
            });
  return dependencies;
}

}  // namespace kinora
