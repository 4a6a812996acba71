#include "services/runner/run_state.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/inputs_hash.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kStatuses = static_cast<size_t>(JobStatus::kCancelled) + 1;

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

bool IsFinal(JobStatus status) { return status >= JobStatus::kSucceeded; }

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

RunState::RunState(std::shared_ptr<const v1::Plan> plan,
                   const RunStateOptions& options, Random& random)
    : plan_(std::move(plan)),
      options_(options),
      random_(&random),
      counts_(kStatuses) {}

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

void RunState::MeasurePaths() {
  // Dependants come later, so one pass from the end sees them first.
  for (size_t i = jobs_.size(); i-- > 0;) {
    for (JobIndex dependant : jobs_[i].dependants) {
      jobs_[i].remaining_path = std::max(jobs_[i].remaining_path,
                                         Entry(dependant).remaining_path + 1);
    }
  }
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
  entry.lane = LaneOf(*node->second);
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

size_t RunState::ProducerOf(const std::string& name) {
  auto found = producer_by_name_.emplace(name, producers_.size());
  if (found.second) {
    Producer producer;
    auto limits = options_.producers.find(name);
    if (limits != options_.producers.end()) producer.limits = limits->second;
    producers_.push_back(std::move(producer));
  }
  return found.first->second;
}

size_t RunState::LaneOf(const v1::PlannedNode& node) {
  const uint32_t concurrency = node.limits().concurrency();
  const std::string& producer = node.producer().name();
  auto found = lane_by_name_.emplace(
      std::make_pair(producer, concurrency == 0 ? std::string() : node.node()),
      lanes_.size());
  if (found.second) {
    Lane& lane = lanes_.emplace_back();
    lane.producer = ProducerOf(producer);
    if (concurrency != 0) lane.concurrency = concurrency;
  }
  return found.first->second;
}

uint32_t RunState::MaxAttempts(const Job& job) const {
  const uint32_t own = job.node->limits().max_attempts();
  return own != 0 ? own
                  : producers_[lanes_[job.lane].producer].limits.max_attempts;
}

std::vector<JobChange> RunState::Apply(const RunFact& fact) {
  changes_.clear();
  std::visit([this](const auto& what) { Handle(what); }, fact);
  OpenLayers();
  return std::move(changes_);
}

void RunState::Handle(const LookedUp& fact) {
  if (status(fact.job) != JobStatus::kLookingUp) return;
  Job& job = Entry(fact.job);
  job.attempts = fact.past.attempts;
  job.failures = fact.past.failures;
  job.in_doubt = fact.past.in_doubt;
  if (!fact.outputs.empty()) {
    const JobStatus end =
        fact.is_own ? JobStatus::kSucceeded : JobStatus::kReused;
    SetStatus(fact.job, end);
    changes_.push_back({fact.job, end, {}, {}});
    return Land(fact.job, fact.outputs);
  }
  if (fact.past.failure.has_value()) return Fail(fact.job, *fact.past.failure);
  Proceed(fact.job);
}

void RunState::Handle(const AttemptSucceeded& fact) {
  if (status(fact.job) != JobStatus::kRunning) return;
  LeaveRunning(fact.job);
  SetStatus(fact.job, JobStatus::kSucceeded);
  changes_.push_back({fact.job, JobStatus::kSucceeded, {}, {}});
  Land(fact.job, fact.outputs);
}

void RunState::Handle(const AttemptFailed& fact) {
  if (status(fact.job) != JobStatus::kRunning) return;
  LeaveRunning(fact.job);
  Job& job = Entry(fact.job);
  ++job.failures;
  job.in_doubt = fact.in_doubt;
  JobChange change{fact.job, JobStatus::kRetrying, fact.failure, {}};
  if (cancelled_) {
    change.status = JobStatus::kCancelled;
  } else if (ShouldRetry(fact.failure, job.failures, MaxAttempts(job))) {
    change.delay = RetryDelay(options_.retry, job.failures, *random_);
  } else {
    return Fail(fact.job, fact.failure);
  }
  SetStatus(fact.job, change.status);
  changes_.push_back(std::move(change));
}

void RunState::Fail(JobIndex index, const v1::Failure& failure) {
  const JobChange change{index, JobStatus::kFailed, failure, {}};
  SetStatus(index, JobStatus::kFailed);
  if (count(JobStatus::kFailed) == 1) first_failure_ = change;
  changes_.push_back(change);
  failures_[index] = change;
  Block(index, failure);
}

void RunState::Handle(const RetryDue& fact) {
  if (status(fact.job) == JobStatus::kRetrying) Proceed(fact.job);
}

void RunState::Handle(const DoubtResolved& fact) {
  if (status(fact.job) == JobStatus::kInDoubt) MakeReady(fact.job);
}

void RunState::Handle(const CancelRequested&) {
  if (cancelled_) return;
  cancelled_ = true;
  look_ups_.clear();
  doubts_.clear();
  for (Lane& lane : lanes_) lane.ready.clear();
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const JobIndex index = static_cast<JobIndex>(i);
    // Running ones are final when their attempt has ended.
    if (IsFinal(status(index)) || status(index) == JobStatus::kRunning) {
      continue;
    }
    SetStatus(index, JobStatus::kCancelled);
    changes_.push_back({index, JobStatus::kCancelled, {}, {}});
  }
}

void RunState::SetStatus(JobIndex index, JobStatus status) {
  Job& job = Entry(index);
  --counts_[static_cast<size_t>(job.status)];
  ++counts_[static_cast<size_t>(status)];
  job.status = status;
  if (!IsFinal(status)) return;
  ++final_;
  --unfinished_in_layer_[job.layer];
}

void RunState::Land(JobIndex index, const std::vector<v1::Content>& outputs) {
  const Job& job = Entry(index);
  for (int i = 0; i < job.job->artefacts_size(); ++i) {
    Source& source = sources_[job.job->artefacts(i).artefact_id()];
    source.content = outputs[static_cast<size_t>(i)];
    // Whoever made the content has computed the hash; none is all zero.
    source.hash = DigestOf(source.content).value_or(Digest());
    source.known = true;
    const std::string& id = job.job->artefacts(i).artefact_id();
    if (deciders_.contains(id)) landed_.insert(id);
  }
  for (JobIndex dependant : job.dependants) {
    Job& next = Entry(dependant);
    --next.missing;
    if (next.missing == 0 && next.layer < open_layers_) MakeKeyed(dependant);
  }
}

void RunState::Block(JobIndex failed, const v1::Failure& root) {
  BlockAll(Entry(failed).dependants, failed, root);
}

void RunState::BlockAll(std::vector<JobIndex> stack, JobIndex failed,
                        const v1::Failure& root) {
  v1::Failure failure;
  failure.set_reason(v1::FAILURE_REASON_BLOCKED);
  failure.set_message(
      absl::StrCat("blocked: ", job(failed).job_id(), " failed"));
  *failure.mutable_cause() = root;
  failure.mutable_cause()->set_job_id(job(failed).job_id());
  while (!stack.empty()) {
    const JobIndex index = stack.back();
    stack.pop_back();
    if (IsFinal(status(index))) continue;
    SetStatus(index, JobStatus::kBlocked);
    Entry(index).blocked_by = failed;
    changes_.push_back({index, JobStatus::kBlocked, failure, {}});
    const std::vector<JobIndex>& next = Entry(index).dependants;
    stack.insert(stack.end(), next.begin(), next.end());
  }
}

void RunState::MakeKeyed(JobIndex index) {
  Job& job = Entry(index);
  if (cancelled_ || job.status != JobStatus::kPending) return;
  job.key = KeyOf(job);
  SetStatus(index, JobStatus::kLookingUp);
  look_ups_.push_back(index);
}

void RunState::Proceed(JobIndex index) {
  if (!Entry(index).in_doubt) return MakeReady(index);
  SetStatus(index, JobStatus::kInDoubt);
  doubts_.push_back(index);
}

void RunState::MakeReady(JobIndex index) {
  SetStatus(index, JobStatus::kReady);
  Job& job = Entry(index);
  job.in_doubt = false;
  lanes_[job.lane].ready.insert(
      {-static_cast<int64_t>(job.node->limits().priority()),
       -job.remaining_path, index});
}

void RunState::LeaveRunning(JobIndex index) {
  Lane& lane = lanes_[Entry(index).lane];
  --running_;
  --lane.running;
  --producers_[lane.producer].running;
}

void RunState::OpenLayers() {
  while (open_layers_ < unfinished_in_layer_.size()) {
    if (options_.layered && open_layers_ > 0 &&
        unfinished_in_layer_[open_layers_ - 1] > 0) {
      return;
    }
    const size_t layer = open_layers_++;
    for (size_t i = first_of_layer_[layer]; i < first_of_layer_[layer + 1];
         ++i) {
      if (jobs_[i].missing == 0) MakeKeyed(static_cast<JobIndex>(i));
    }
  }
}

RunCommands RunState::NextCommands() {
  RunCommands commands;
  commands.look_ups.swap(look_ups_);
  // What is being looked up may be more urgent than what is ready.
  if (!commands.look_ups.empty()) return commands;
  commands.doubts.swap(doubts_);
  while (running_ < options_.max_concurrency) {
    Lane* best = nullptr;
    for (Lane& lane : lanes_) {
      const Producer& producer = producers_[lane.producer];
      if (lane.ready.empty() || lane.running >= lane.concurrency ||
          producer.running >= producer.limits.concurrency) {
        continue;
      }
      if (best == nullptr || *lane.ready.begin() < *best->ready.begin()) {
        best = &lane;
      }
    }
    if (best == nullptr) break;
    const JobIndex index = best->ready.begin()->job;
    best->ready.erase(best->ready.begin());
    ++best->running;
    ++producers_[best->producer].running;
    ++running_;
    ++Entry(index).attempts;
    SetStatus(index, JobStatus::kRunning);
    commands.starts.push_back(index);
  }
  return commands;
}

const v1::Content& RunState::content(absl::string_view source_id) const {
  return sources_.find(source_id)->second.content;
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
