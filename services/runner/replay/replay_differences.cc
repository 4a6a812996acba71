#include "services/runner/replay/replay_differences.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <tuple>
#include <utility>

#include "common/content.h"

namespace kinora {
namespace {

struct Output {
  std::string job_id;
  std::string inputs_hash;
  std::string hash;
};

// The latest of each artefact.
std::map<std::string, Output> OutputsOf(const RecordedRun& run) {
  std::map<std::string, Output> outputs;
  for (const v1::Event& event : run.results) {
    const v1::ArtefactEvent& result = event.artefact();
    if (result.status() != v1::ARTEFACT_STATUS_SUCCEEDED) continue;
    outputs[result.artefact_id()] = {result.produced_by().job_id(),
                                     result.inputs_hash(),
                                     ContentHash(result.output())};
  }
  return outputs;
}

class Comparison {
 public:
  void Add(const std::string& job_id, const std::string& artefact_id,
           v1::ReplayDifferenceKind kind, const std::string& recorded,
           const std::string& replayed) {
    if (recorded == replayed) return;
    v1::ReplayDifference& difference = found_.emplace_back();
    difference.set_job_id(job_id);
    difference.set_artefact_id(artefact_id);
    difference.set_kind(kind);
    difference.set_recorded(recorded);
    difference.set_replayed(replayed);
  }

  std::vector<v1::ReplayDifference> Take() {
    const auto order = [](const v1::ReplayDifference& d) {
      return std::make_tuple(d.job_id(), d.artefact_id(),
                             static_cast<int>(d.kind()));
    };
    std::sort(
        found_.begin(), found_.end(),
        [&order](const auto& a, const auto& b) { return order(a) < order(b); });
    return std::move(found_);
  }

 private:
  std::vector<v1::ReplayDifference> found_;
};

std::string WordIn(const std::map<std::string, JobEnd>& ends,
                   const std::string& job_id) {
  const auto found = ends.find(job_id);
  return found == ends.end() ? "" : JobEndWord(found->second);
}

}  // namespace

std::vector<v1::ReplayDifference> DifferencesOf(
    const RecordedRun& recorded, const RecordedRun& replayed,
    const std::optional<v1::Manifest>& manifest,
    const std::map<std::string, std::string>& unrecorded) {
  const bool ended_well = recorded.record.status() == v1::RUN_STATUS_COMPLETED;
  const std::map<std::string, JobEnd> ends = EndsOf(recorded, INT64_MAX);
  const std::map<std::string, JobEnd> again = EndsOf(replayed, INT64_MAX);
  Comparison comparison;
  std::set<std::string> unanswered;
  for (const auto& [job_id, inputs_hash] : unrecorded) {
    // A run that was cut short has none of what it was at.
    if (!ended_well && WordIn(ends, job_id) != "succeeded") continue;
    unanswered.insert(job_id);
    comparison.Add(job_id, "", v1::REPLAY_DIFFERENCE_KIND_NOT_RECORDED, "",
                   inputs_hash);
  }
  for (const auto& [job_id, end] : ends) {
    if (unanswered.contains(job_id)) continue;
    comparison.Add(job_id, "", v1::REPLAY_DIFFERENCE_KIND_STATUS,
                   JobEndWord(end), WordIn(again, job_id));
  }
  for (const auto& [job_id, end] : again) {
    if (!ended_well || ends.contains(job_id) || unanswered.contains(job_id)) {
      continue;
    }
    comparison.Add(job_id, "", v1::REPLAY_DIFFERENCE_KIND_STATUS, "",
                   JobEndWord(end));
  }
  std::map<std::string, Output> outputs = OutputsOf(recorded);
  for (const auto& [artefact_id, output] : OutputsOf(replayed)) {
    Output expected;
    if (const auto found = outputs.find(artefact_id); found != outputs.end()) {
      expected = found->second;
    }
    if (manifest.has_value()) {
      const auto published = manifest->artefacts().find(artefact_id);
      if (published != manifest->artefacts().end()) {
        expected.inputs_hash = published->second.inputs_hash();
        const std::string& hash = ContentHash(published->second.content());
        if (!hash.empty()) expected.hash = hash;
      }
    } else if (expected.hash.empty() && !ended_well) {
      continue;
    }
    comparison.Add(output.job_id, artefact_id,
                   v1::REPLAY_DIFFERENCE_KIND_INPUTS_HASH, expected.inputs_hash,
                   output.inputs_hash);
    comparison.Add(output.job_id, artefact_id,
                   v1::REPLAY_DIFFERENCE_KIND_OUTPUT, expected.hash,
                   output.hash);
  }
  return comparison.Take();
}

}  // namespace kinora
