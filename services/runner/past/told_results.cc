#include "services/runner/past/told_results.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "services/runner/past/run_results.h"

namespace kinora {

void TakeToldResults(EventStore& events, BlobStore& blobs,
                     const v1::RunRecord& record, const RunPast& past,
                     RunState* state) {
  const RunState::DoneJobs done = state->FindDone(
      [&past](const std::string& job_id) { return past.ToldResult(job_id); });
  if (done.jobs.empty()) return;
  std::vector<v1::ArtefactQuery> queries;
  for (JobIndex job : done.read) {
    for (const v1::PlannedArtefact& artefact : state->job(job).artefacts()) {
      queries.emplace_back().set_artefact_id(artefact.artefact_id());
    }
  }
  // Whoever looks all up meets the same error, and knows what to do about it.
  absl::StatusOr<std::vector<EventPtr>> found =
      FindResults(events, record.movie_id(), queries);
  if (!found.ok() || !DropLostResults(blobs, record.movie_id(), &*found).ok()) {
    return;
  }
  std::vector<std::vector<v1::Content>> results;
  results.reserve(done.read.size());
  auto next = found->begin();
  for (JobIndex job : done.read) {
    std::vector<v1::Content>& outputs = results.emplace_back();
    for (int i = 0; i < state->job(job).artefacts_size(); ++i, ++next) {
      if (*next == nullptr ||
          (*next)->artefact().produced_by().run_id() != record.run_id()) {
        return;
      }
      outputs.push_back((*next)->artefact().output());
    }
  }
  state->TakeDone(done, std::move(results));
}

}  // namespace kinora
