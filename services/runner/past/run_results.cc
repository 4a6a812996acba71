#include "services/runner/past/run_results.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "common/ids.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/planner/log_tail.h"

namespace kinora {
namespace {

constexpr size_t kMaxQueries = 5'000;  // of one lookup; the store takes 10,000

absl::StatusOr<int64_t> BeforeRevisionOf(EventStore& store,
                                         const v1::RunRecord& run,
                                         const v1::LogName& log) {
  v1::GetLogStatusRequest get;
  *get.mutable_log() = log;
  KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                          store.GetLogStatus(get));
  const int64_t removed = std::max<int64_t>(extent.oldest_sequence() - 1, 0);
  // One that has ended while it waited for its turn was never told its own.
  if (run.target_revision().empty()) return removed;
  KINORA_ASSIGN_OR_RETURN(Revision base,
                          Revision::Parse(run.target_revision()));
  if (--base.number == 0) return removed;
  KINORA_ASSIGN_OR_RETURN(const int64_t earlier,
                          FindLogTail(store, run.movie_id(), base.ToString()));
  return std::max(removed, earlier);
}

}  // namespace

absl::StatusOr<int64_t> FoldResultsAbout(
    EventStore& store, const v1::RunRecord& run,
    absl::FunctionRef<void(v1::Event event)> take) {
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id(run.movie_id());
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  KINORA_ASSIGN_OR_RETURN(const int64_t before,
                          BeforeRevisionOf(store, run, read.log()));
  read.set_after_sequence(before);
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page, store.ReadPage(read));
    if (page.bookmark().sequence() <= read.after_sequence()) return before;
    read.set_after_sequence(page.bookmark().sequence());
    for (v1::Event& event : *page.mutable_events()) {
      // Behind it all events are of later revisions.
      const bool is_last = event.has_revision_committed();
      take(std::move(event));
      if (is_last) return before;
    }
  }
}

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
