#include "services/runner/past/run_results.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "common/status.h"
#include "common/telemetry/log.h"

namespace kinora {
namespace {

constexpr size_t kMaxQueries = 5'000;  // of one lookup; the store takes 10,000

}  // namespace

absl::StatusOr<std::vector<EventPtr>> FindResults(
    EventStore& store, const std::string& movie_id,
    const std::vector<v1::ArtefactQuery>& queries) {
  std::vector<EventPtr> events;
  events.reserve(queries.size());
  for (size_t begin = 0; begin < queries.size(); begin += kMaxQueries) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id(movie_id);
    const size_t end = std::min(queries.size(), begin + kMaxQueries);
    for (size_t i = begin; i < end; ++i) *request.add_queries() = queries[i];
    KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> found,
                            store.FindArtefacts(request));
    std::move(found.begin(), found.end(), std::back_inserter(events));
  }
  return events;
}

absl::Status DropLostResults(BlobStore& blobs, const std::string& movie_id,
                             std::vector<EventPtr>* events) {
  v1::FindMissingBlobsRequest request;
  request.set_movie_id(movie_id);
  for (const EventPtr& event : *events) {
    if (event != nullptr && event->artefact().output().has_blob()) {
      *request.add_digests() = event->artefact().output().blob().digest();
    }
  }
  if (request.digests().empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(v1::FindMissingBlobsResponse response,
                          blobs.FindMissing(request));
  absl::flat_hash_set<std::string> missing;
  for (const v1::Digest& digest : response.missing()) {
    missing.insert(digest.hash());
  }
  if (missing.empty()) return absl::OkStatus();
  for (EventPtr& event : *events) {
    if (event == nullptr) continue;
    const v1::ArtefactEvent& result = event->artefact();
    if (!missing.contains(result.output().blob().digest().hash())) continue;
    LogWarning("a result's blob is gone",
               {{"movie", movie_id}, {"artefact", result.artefact_id()}});
    event = nullptr;
  }
  return absl::OkStatus();
}

}  // namespace kinora
