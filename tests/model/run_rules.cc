#include "tests/model/run_rules.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/inputs_hash.h"
#include "common/status.h"

namespace kinora {
namespace {

bool HasResult(JobStatus status) {
  return status == JobStatus::kSucceeded || status == JobStatus::kReused;
}

}  // namespace

Digest RunRules::HashOf(const v1::Content& content) {
  const std::string& hex = content.has_blob() ? content.blob().digest().hash()
                                              : content.inline_().hash();
  return Digest::ParseHex(hex).value_or(Digest());
}

const v1::PlannedNode& RunRules::NodeOf(const Job& job) const {
  return plan_.nodes()[static_cast<size_t>(job.planned->node)];
}

ProducerLimits RunRules::LimitsOf(const Job& job) const {
  const auto& producers = plan_.options().producers;
  const auto found = producers.find(NodeOf(job).producer().name());
  return found == producers.end() ? ProducerLimits() : found->second;
}

uint32_t RunRules::MaxAttempts(const Job& job) const {
  const uint32_t own = NodeOf(job).limits().max_attempts();
  return own > 0 ? own : LimitsOf(job).max_attempts;
}

Digest RunRules::KeyOf(const Job& job) const {
  const v1::PlannedJob& planned = job.planned->planned;
  const v1::PlannedNode& node = NodeOf(job);
  JobKey key;
  key.node.producer = node.producer().name();
  key.node.producer_version = node.producer().version();
  key.node.settings = Sha256Of(node.settings_json());
  key.node.salt = node.salt();
  key.node.outputs = {{"Text", "text/plain"}, {"Cover", "text/plain"}};
  key.job_id = planned.job_id();
  key.draw = planned.draw();
  for (const v1::PlannedArtefact& artefact : planned.artefacts()) {
    key.artefact_ids.push_back(artefact.artefact_id());
  }
  for (const v1::PlannedBinding& binding : planned.bindings()) {
    KeyBinding& bound = key.bindings.emplace_back();
    bound.name = binding.name();
    bound.is_list = binding.is_list();
    bound.is_grouped = binding.is_grouped();
    bound.group_sizes = {binding.group_sizes().begin(),
                         binding.group_sizes().end()};
    for (const std::string& id : binding.source_ids()) {
      const auto value = values_.find(id);
      bound.contents.push_back(value == values_.end() ? Digest()
                                                      : value->second);
    }
  }
  return InputsHash(key);
}

template <typename PlanPart>
void RunRules::Add(const PlanPart& part) {
  std::map<std::string, const RandomPlan::Job*> by_id;
  for (const RandomPlan::Job& job : plan_.jobs()) {
    by_id[job.planned.job_id()] = &job;
  }
  for (const v1::PlannedInput& input : part.inputs()) {
    values_.emplace(input.input_id(), HashOf(input.content()));
  }
  for (const v1::PlannedSource& source : part.sources()) {
    values_.emplace(source.artefact_id(), HashOf(source.content()));
  }
  for (const v1::ReusedJob& reused : part.reused()) {
    for (const v1::ReusedArtefact& artefact : reused.artefacts()) {
      values_.emplace(artefact.artefact_id(), HashOf(artefact.content()));
    }
  }
  for (const v1::PlanLayer& layer : part.layers()) {
    bool is_new = false;
    for (const v1::PlannedJob& planned : layer.jobs()) {
      if (maker_.contains(planned.artefacts(0).artefact_id())) continue;
      is_new = true;
      const JobIndex index = static_cast<JobIndex>(jobs_.size());
      Job& job = jobs_.emplace_back();
      job.planned = by_id.at(planned.job_id());
      job.layer = layers_;
      for (int upstream : job.planned->upstream) {
        const RandomPlan::Job& from =
            plan_.jobs()[static_cast<size_t>(upstream)];
        if (from.is_reused) continue;
        const JobIndex maker =
            maker_.at(from.planned.artefacts(0).artefact_id());
        Job& above = jobs_[static_cast<size_t>(maker)];
        job.upstream.push_back(maker);
        job.ancestors.insert(above.ancestors.begin(), above.ancestors.end());
        job.ancestors.insert(maker);
        above.downstream.push_back(index);
      }
      for (const v1::PlannedArtefact& artefact : planned.artefacts()) {
        maker_[artefact.artefact_id()] = index;
      }
    }
    if (is_new) ++layers_;
  }
  deciders_.clear();
  for (const v1::DeferredGroup& group : part.deferred()) {
    if (!group.sized_by_artefact_id().empty()) {
      deciders_.insert(group.sized_by_artefact_id());
    }
  }
  MeasureWays();
}

void RunRules::MeasureWays() {
  for (size_t i = jobs_.size(); i-- > 0;) {
    absl::Duration behind;
    for (JobIndex next : jobs_[i].downstream) {
      behind = std::max(behind, jobs_[static_cast<size_t>(next)].way_down);
    }
    const auto took = recorded_.find(NodeOf(jobs_[i]).producer().name());
    jobs_[i].way_down =
        behind + (took == recorded_.end() ? absl::Seconds(1) : took->second);
  }
}

void RunRules::Recalled(std::map<std::string, absl::Duration> recorded) {
  recorded_ = std::move(recorded);
  MeasureWays();
}

absl::Status RunRules::Created(const v1::Plan& plan) {
  Add(plan);
  Settle();
  return CheckState();
}

absl::Status RunRules::Applied(const RunFact& fact,
                               const std::vector<JobChange>& changes) {
  const std::vector<JobStatus> before = Statuses();
  told_.Clear();
  std::visit([this](const auto& what) { Take(what); }, fact);
  Settle();
  KINORA_RETURN_IF_ERROR(CheckChanges(before, changes));
  for (const JobChange& change : changes) {
    if (change.status == JobStatus::kFailed && !first_failed_.has_value()) {
      first_failed_ = change.job;
    }
  }
  return CheckState();
}

absl::Status RunRules::Extended(const v1::ExpandDeferredGroupResponse& answer,
                                const RunState::Extension& extension) {
  std::vector<JobStatus> before = Statuses();
  std::set<std::string> reused;
  for (const v1::ReusedJob& job : answer.reused()) reused.insert(job.job_id());
  Add(answer);
  if (extension.jobs != jobs_.size() - before.size()) {
    return absl::InternalError(absl::StrCat(extension.jobs,
                                            " further jobs, should be ",
                                            jobs_.size() - before.size()));
  }
  int64_t by_node = 0;
  for (const auto& node : extension.by_node) by_node += node.second;
  if (static_cast<size_t>(by_node) !=
      extension.jobs + extension.reused.size()) {
    return absl::InternalError("the jobs by node are not all further jobs");
  }
  for (const v1::ReusedJob* job : extension.reused) {
    if (!reused.contains(job->job_id())) {
      return absl::InternalError(
          absl::StrCat(job->job_id(), " is said to be reused"));
    }
  }
  before.resize(jobs_.size(), JobStatus::kPending);
  if (cancelled_) {
    for (Job& job : jobs_) {
      if (job.status == JobStatus::kPending) job.status = JobStatus::kCancelled;
    }
  }
  Settle();
  KINORA_RETURN_IF_ERROR(CheckChanges(before, extension.changes));
  return CheckState();
}

bool RunRules::LayerIsOpen(size_t layer) const {
  return !plan_.options().layered ||
         std::all_of(jobs_.begin(), jobs_.end(), [layer](const Job& job) {
           return job.layer >= layer || IsFinal(job.status);
         });
}

void RunRules::Settle() {
  for (Job& job : jobs_) {  // what a job reads comes before it
    const bool hopeless = std::any_of(
        job.upstream.begin(), job.upstream.end(), [this](JobIndex upstream) {
          const JobStatus status = jobs_[static_cast<size_t>(upstream)].status;
          return status == JobStatus::kFailed || status == JobStatus::kBlocked;
        });
    if (hopeless && !IsFinal(job.status)) job.status = JobStatus::kBlocked;
  }
  if (cancelled_) return;
  for (Job& job : jobs_) {
    const bool is_fed = std::all_of(
        job.upstream.begin(), job.upstream.end(), [this](JobIndex upstream) {
          return HasResult(jobs_[static_cast<size_t>(upstream)].status);
        });
    if (job.status != JobStatus::kPending || !is_fed ||
        !LayerIsOpen(job.layer)) {
      continue;
    }
    job.status = JobStatus::kLookingUp;
    job.asked = false;
    job.key = KeyOf(job);
  }
}

bool RunRules::HasPlace(const Job& job) const {
  uint32_t in_run = 0, in_producer = 0, in_node = 0;
  for (const Job& other : jobs_) {
    if (other.status != JobStatus::kRunning) continue;
    ++in_run;
    const bool same_producer =
        NodeOf(other).producer().name() == NodeOf(job).producer().name();
    in_producer += same_producer ? 1 : 0;
    in_node += other.planned->node == job.planned->node ? 1 : 0;
  }
  const uint32_t own = NodeOf(job).limits().concurrency();
  return in_run < plan_.options().max_concurrency &&
         in_producer < LimitsOf(job).concurrency && (own == 0 || in_node < own);
}

// Jobs wait with all others of their producer, or, if their node has a limit of
// its own, with those of their node.
bool RunRules::IsHeldBack(const Job& job,
                          const std::set<JobIndex>& refused) const {
  return std::any_of(
      refused.begin(), refused.end(), [this, &job](JobIndex index) {
        const Job& before = jobs_[static_cast<size_t>(index)];
        const v1::PlannedNode& node = NodeOf(job);
        if (node.limits().concurrency() > 0 ||
            NodeOf(before).limits().concurrency() > 0) {
          return job.planned->node == before.planned->node;
        }
        return node.producer().name() == NodeOf(before).producer().name();
      });
}

absl::Status RunRules::Commanded(const RunCommands& commands,
                                 const std::set<JobIndex>& refused) {
  std::set<JobIndex> look_ups, doubts;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    Job& job = jobs_[i];
    if (job.asked) continue;
    const JobIndex index = static_cast<JobIndex>(i);
    if (job.status == JobStatus::kLookingUp) look_ups.insert(index);
    if (job.status == JobStatus::kInDoubt) doubts.insert(index);
  }
  if (!look_ups.empty()) doubts.clear();
  const auto differ = [](const std::vector<JobIndex>& given,
                         const std::set<JobIndex>& due) {
    return given.size() != due.size() ||
           std::set<JobIndex>(given.begin(), given.end()) != due;
  };
  if (differ(commands.look_ups, look_ups)) {
    return absl::InternalError(
        absl::StrCat("looked up are ", absl::StrJoin(commands.look_ups, ","),
                     ", due are ", absl::StrJoin(look_ups, ",")));
  }
  if (differ(commands.doubts, doubts)) {
    return absl::InternalError(
        absl::StrCat("asked about are ", absl::StrJoin(commands.doubts, ","),
                     ", due are ", absl::StrJoin(doubts, ",")));
  }
  for (JobIndex job : commands.look_ups) {
    jobs_[static_cast<size_t>(job)].asked = true;
  }
  for (JobIndex job : commands.doubts) {
    jobs_[static_cast<size_t>(job)].asked = true;
  }
  for (JobIndex index : commands.starts) {
    if (!look_ups.empty()) return Broken(index, "does not wait for lookups");
    KINORA_RETURN_IF_ERROR(CheckStart(index, refused));
    Job& job = jobs_[static_cast<size_t>(index)];
    job.status = JobStatus::kRunning;
    ++job.attempts;
  }
  for (size_t i = 0; i < jobs_.size() && look_ups.empty(); ++i) {
    if (jobs_[i].status == JobStatus::kReady && HasPlace(jobs_[i]) &&
        !IsHeldBack(jobs_[i], refused)) {
      return Broken(static_cast<JobIndex>(i), "has a free place, and waits");
    }
  }
  return CheckState();
}

std::vector<JobStatus> RunRules::Statuses() const {
  std::vector<JobStatus> statuses;
  for (const Job& job : jobs_) statuses.push_back(job.status);
  return statuses;
}

}  // namespace kinora
