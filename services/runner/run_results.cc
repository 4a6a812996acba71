#include "services/runner/run_results.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "common/log.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxQueries = 5'000;  // of one lookup; the store takes 10,000

}  // namespace

absl::StatusOr<std::vector<v1::Event>> FindResults(
    EventStore& store, const std::string& movie_id,
    const std::vector<v1::ArtefactQuery>& queries) {
  std::vector<v1::Event> events;
  for (size_t begin = 0; begin < queries.size(); begin += kMaxQueries) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id(movie_id);
    const size_t end = std::min(queries.size(), begin + kMaxQueries);
    for (size_t i = begin; i < end; ++i) *request.add_queries() = queries[i];
    KINORA_ASSIGN_OR_RETURN(v1::ResolveArtefactsResponse response,
                            store.ResolveArtefacts(request));
    for (v1::ResolvedArtefact& artefact : *response.mutable_artefacts()) {
      events.push_back(artefact.found() ? std::move(*artefact.mutable_event())
                                        : v1::Event());
    }
  }
  return events;
}

absl::Status DropLostResults(BlobStore& blobs, const std::string& movie_id,
                             std::vector<v1::Event>* events) {
  v1::FindMissingBlobsRequest request;
  request.set_movie_id(movie_id);
  for (const v1::Event& event : *events) {
    if (event.artefact().output().has_blob()) {
      *request.add_digests() = event.artefact().output().blob().digest();
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
  for (v1::Event& event : *events) {
    if (!missing.contains(event.artefact().output().blob().digest().hash())) {
      continue;
    }
    LogWarning(
        "a result's blob is gone",
        {{"movie", movie_id}, {"artefact", event.artefact().artefact_id()}});
    event.Clear();
  }
  return absl::OkStatus();
}

}  // namespace kinora
