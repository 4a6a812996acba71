#include "services/planner/history/run_diff.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "common/content.h"
#include "services/planner/history/key_changes.h"

namespace kinora {
namespace {

constexpr int kMaxOutputs = 100;

bool Same(const ToldRun::Job& a, const ToldRun::Job& b) {
  return a.outcome == b.outcome && a.attempts == b.attempts &&
         a.error == b.error && a.inputs_hash == b.inputs_hash &&
         a.outputs == b.outputs;
}

bool Same(const v1::PlannedNode& a, const v1::PlannedNode& b) {
  return a.producer().name() == b.producer().name() &&
         a.producer().version() == b.producer().version() &&
         a.settings_hash() == b.settings_hash();
}

// Goes through two sequences that ascend by id. `take` gets pointers to both,
// one of them null where only the other has the id.
template <typename T, typename Take>
void ForEachPair(const std::map<std::string, T>& from,
                 const std::map<std::string, T>& to, Take take) {
  auto before = from.begin();
  auto after = to.begin();
  while (before != from.end() || after != to.end()) {
    const bool has_before =
        before != from.end() &&
        (after == to.end() || before->first <= after->first);
    const bool has_after = after != to.end() && (before == from.end() ||
                                                 after->first <= before->first);
    take(has_before ? before->first : after->first,
         has_before ? &before->second : nullptr,
         has_after ? &after->second : nullptr);
    if (has_before) ++before;
    if (has_after) ++after;
  }
}

std::map<std::string, const v1::PlannedInput*> InputsOf(const ToldRun& run) {
  std::map<std::string, const v1::PlannedInput*> inputs;
  for (const v1::PlannedInput& input : run.plan().inputs()) {
    inputs[input.input_id()] = &input;
  }
  return inputs;
}

}  // namespace

RunDiff::RunDiff(ToldRun from, ToldRun to)
    : from_(std::move(from)), to_(std::move(to)) {
  *summary_.mutable_old_record() = from_.record();
  *summary_.mutable_new_record() = to_.record();
  summary_.set_complete_history(true);
  CompareInputs();
  CompareJobs();
  CompareNodes();
}

void RunDiff::CompareInputs() {
  using Entry = const v1::PlannedInput*;
  ForEachPair(
      InputsOf(from_), InputsOf(to_),
      [this](const std::string&, const Entry* before, const Entry* after) {
        if (before != nullptr && after != nullptr &&
            ContentHash((*before)->content()) ==
                ContentHash((*after)->content())) {
          return;
        }
        InputPair& pair = inputs_.emplace_back();
        if (before != nullptr) pair.before = *before;
        if (after != nullptr) pair.after = *after;
      });
  summary_.set_changed_inputs(static_cast<int64_t>(inputs_.size()));
}

void RunDiff::CompareJobs() {
  int64_t only_old = 0;
  int64_t only_new = 0;
  int64_t same = 0;
  ForEachPair(
      from_.jobs(), to_.jobs(),
      [&](const std::string& id, const ToldRun::Job* before,
          const ToldRun::Job* after) {
        if (before != nullptr && after != nullptr && Same(*before, *after)) {
          ++same;
          return;
        }
        jobs_.push_back({.id = &id, .before = before, .after = after});
        only_old += after == nullptr ? 1 : 0;
        only_new += before == nullptr ? 1 : 0;
      });
  summary_.set_jobs_only_in_old(only_old);
  summary_.set_jobs_only_in_new(only_new);
  summary_.set_changed_jobs(static_cast<int64_t>(jobs_.size()) - only_old -
                            only_new);
  summary_.set_same_jobs(same);
}

// A plan has only the nodes of its jobs: one that the other lacks is told by
// these.
void RunDiff::CompareNodes() {
  std::set<std::string> names;
  for (const v1::PlannedNode& node : from_.plan().nodes()) {
    names.insert(node.node());
  }
  for (const std::string& name : names) {
    const v1::PlannedNode* before = from_.FindNode(name);
    const v1::PlannedNode* after = to_.FindNode(name);
    if (after == nullptr || Same(*before, *after)) continue;
    v1::NodeDifference& node = *summary_.add_nodes();
    node.set_node(name);
    *node.mutable_old_producer() = before->producer();
    *node.mutable_new_producer() = after->producer();
    if (before->settings_hash() == after->settings_hash()) continue;
    for (v1::KeyChange& change :
         SettingChanges(before->settings_json(), after->settings_json())) {
      *node.add_settings() = std::move(change);
    }
  }
}

void RunDiff::SetManifests(std::shared_ptr<const RevisionDiff> manifests) {
  manifests_ = std::move(manifests);
  v1::RevisionDiff& summary = *summary_.mutable_manifests();
  summary = manifests_->Summary();
  summary.clear_costs();
  summary.clear_duration();
  changed_artefacts_ =
      manifests_->size() - static_cast<size_t>(summary.changed_inputs());
}

v1::RunDifference RunDiff::At(size_t position) const {
  v1::RunDifference difference;
  if (position < inputs_.size()) {
    *difference.mutable_input() = DescribeInput(inputs_[position]);
    return difference;
  }
  position -= inputs_.size();
  if (position < jobs_.size()) {
    *difference.mutable_job() = DescribeJob(jobs_[position]);
    return difference;
  }
  position -= jobs_.size();
  *difference.mutable_artefact() =
      manifests_->At(manifests_->size() - changed_artefacts_ + position);
  return difference;
}

v1::Difference RunDiff::DescribeInput(const InputPair& input) const {
  v1::Difference difference;
  if (input.before != nullptr) {
    difference.set_id(input.before->input_id());
    difference.set_old_hash(ContentHash(input.before->content()));
    *difference.mutable_old_content() = input.before->content();
  }
  difference.set_origin(v1::VALUE_ORIGIN_REMOVED);
  if (input.after != nullptr) {
    difference.set_id(input.after->input_id());
    difference.set_new_hash(ContentHash(input.after->content()));
    *difference.mutable_new_content() = input.after->content();
    difference.set_origin(input.after->is_default() ? v1::VALUE_ORIGIN_DEFAULT
                                                    : v1::VALUE_ORIGIN_SET);
  }
  difference.mutable_reason()->set_kind(v1::REASON_KIND_INPUT_CHANGED);
  difference.mutable_reason()->set_text(
      input.before == nullptr  ? "not in the older run"
      : input.after == nullptr ? "not in the newer run"
                               : "another value");
  return difference;
}

v1::JobDifference RunDiff::DescribeJob(const JobPair& job) const {
  v1::JobDifference difference;
  difference.set_job_id(*job.id);
  difference.set_node((job.after != nullptr ? job.after : job.before)->node);
  if (job.before != nullptr) *difference.mutable_old() = Describe(*job.before);
  if (job.after != nullptr) *difference.mutable_new_() = Describe(*job.after);
  if (job.before == nullptr || job.after == nullptr) return difference;
  ForEachPair(job.before->outputs, job.after->outputs,
              [&](const std::string& id, const std::string* before,
                  const std::string* after) {
                if (before != nullptr && after != nullptr && *before == *after)
                  return;
                if (difference.outputs_size() == kMaxOutputs) return;
                v1::OutputDifference& output = *difference.add_outputs();
                output.set_artefact_id(id);
                if (before != nullptr) output.set_old_hash(*before);
                if (after != nullptr) output.set_new_hash(*after);
              });
  const v1::ArtefactEvent& before = job.before->key;
  const v1::ArtefactEvent& after = job.after->key;
  if (before.produced_by().job_id().empty() ||
      after.produced_by().job_id().empty()) {
    return difference;
  }
  // Of a node that one of the plans leaves out nothing is known to compare.
  const bool known = from_.FindNode(before.produced_by().node()) != nullptr &&
                     to_.FindNode(after.produced_by().node()) != nullptr;
  size_t more = 0;
  for (v1::KeyChange& change :
       KeyChanges(before, known ? from_.nodes() : to_.nodes(), after,
                  to_.nodes(), &more)) {
    *difference.add_changes() = std::move(change);
  }
  difference.set_more_changes(static_cast<int64_t>(more));
  return difference;
}

v1::RunDiff RunDiff::Summary() const {
  v1::RunDiff summary = summary_;
  const v1::RunRecord& before = from_.record();
  const v1::RunRecord& after = to_.record();
  const bool ended_alike = before.status() == after.status() &&
                           (before.status() != v1::RUN_STATUS_FAILED ||
                            before.error() == after.error());
  summary.set_identical(size() == 0 && summary.nodes().empty() && ended_alike);
  return summary;
}

}  // namespace kinora
