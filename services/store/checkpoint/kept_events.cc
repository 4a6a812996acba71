#include "services/store/checkpoint/kept_events.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "common/job_failure.h"
#include "common/status.h"
#include "services/store/readable/readable_files.h"

namespace kinora {
namespace {

using LastByKey = absl::flat_hash_map<std::string, int64_t>;

void AddAll(const LastByKey& last, std::vector<int64_t>* sequences) {
  for (const auto& entry : last) sequences->push_back(entry.second);
}

std::vector<int64_t> Ascending(std::vector<int64_t> sequences) {
  std::sort(sequences.begin(), sequences.end());
  sequences.erase(std::unique(sequences.begin(), sequences.end()),
                  sequences.end());
  return sequences;
}

// Goes through the events of artefacts.log in order.
class ArtefactChoice {
 public:
  ArtefactChoice(const std::vector<EventPtr>& commits, const KeptTakes& takes)
      : commits_(commits), takes_(takes) {}

  void Take(const v1::Event& event) {
    while (commits_[commit_]->sequence() < event.sequence()) ++commit_;
    const int64_t sequence = event.sequence();
    if (!event.has_artefact()) {
      kept_.push_back(sequence);
      return;
    }
    const v1::ArtefactEvent& artefact = event.artefact();
    const std::string& id = artefact.artefact_id();
    const bool succeeded = artefact.status() == v1::ARTEFACT_STATUS_SUCCEEDED;
    if (succeeded || artefact.status() == v1::ARTEFACT_STATUS_FAILED) {
      attempts_[id] = sequence;
    }
    const std::string key = absl::StrCat(id, " ", artefact.inputs_hash());
    if (IsJobFailure(artefact)) failures_[key] = sequence;
    if (!succeeded) return;
    failures_.erase(key);
    results_[key] = sequence;
    const std::string path = ReadableFiles::PathOf(event);
    if (!path.empty()) files_[path] = sequence;
    if (takes_.Keeps(event)) kept_.push_back(sequence);
    const v1::ProducedBy& by = artefact.produced_by();
    if (by.run_id() == commits_[commit_]->revision_committed().run_id()) {
      committed_[id] = sequence;
      nodes_[by.node()] = sequence;
    }
  }

  std::vector<int64_t> Chosen() && {
    for (const LastByKey* last :
         {&attempts_, &failures_, &results_, &files_, &committed_, &nodes_}) {
      AddAll(*last, &kept_);
    }
    return Ascending(std::move(kept_));
  }

 private:
  const std::vector<EventPtr>& commits_;
  const KeptTakes& takes_;
  size_t commit_ = 0;  // the one that may have taken up the event at hand
  std::vector<int64_t> kept_;
  LastByKey attempts_;   // by artefact
  LastByKey failures_;   // by artefact and inputs hash
  LastByKey results_;    // likewise
  LastByKey files_;      // by path
  LastByKey committed_;  // by artefact
  LastByKey nodes_;      // by node
};

}  // namespace

absl::StatusOr<std::vector<int64_t>> ChooseInputs(LogHistory& inputs,
                                                  int64_t through) {
  std::vector<int64_t> kept;
  LastByKey last;
  int64_t at = 0;
  KINORA_RETURN_IF_ERROR(
      inputs.ForEach(through, &at, [&](const v1::Event& event) {
        const int64_t sequence = event.sequence();
        const v1::InputEvent& input = event.input();
        const auto entry = last.try_emplace(input.input_id(), sequence);
        if (!event.has_input() || entry.second || input.content().has_blob()) {
          kept.push_back(sequence);
        }
        entry.first->second = sequence;
        return absl::OkStatus();
      }));
  AddAll(last, &kept);
  return Ascending(std::move(kept));
}

absl::StatusOr<std::vector<int64_t>> ChooseArtefacts(
    LogHistory& artefacts, const std::vector<EventPtr>& commits,
    const KeptTakes& takes) {
  ArtefactChoice choice(commits, takes);
  int64_t at = 0;
  KINORA_RETURN_IF_ERROR(artefacts.ForEach(commits.back()->sequence(), &at,
                                           [&choice](const v1::Event& event) {
                                             choice.Take(event);
                                             return absl::OkStatus();
                                           }));
  return std::move(choice).Chosen();
}

}  // namespace kinora
