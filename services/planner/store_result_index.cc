#include "services/planner/store_result_index.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "services/planner/log_tail.h"

namespace kinora {
namespace {

// The most that ResolveArtefacts takes.
constexpr size_t kMaxQueriesPerCall = 10'000;

}  // namespace

v1::LogName StoreResultIndex::Log() const {
  v1::LogName log;
  log.set_movie_id(movie_id_);
  log.set_kind(v1::LOG_KIND_ARTEFACTS);
  return log;
}

absl::Status StoreResultIndex::CatchUp(const std::string& base_revision) {
  if (!started_ || base_revision != base_revision_) {
    tail_ = ArtefactLogIndex();
    KINORA_ASSIGN_OR_RETURN(const int64_t start,
                            FindLogTail(events_, movie_id_, base_revision));
    tail_.SkipTo(start);
    base_revision_ = base_revision;
    started_ = true;
  }
  v1::ReadEventsRequest request;
  *request.mutable_log() = Log();
  request.set_include_kept(true);
  request.set_since_revision(base_revision);
  while (true) {
    request.set_after_sequence(tail_.last_sequence());
    absl::StatusOr<v1::ReadEventsResponse> page = events_.ReadPage(request);
    if (absl::IsOutOfRange(page.status())) {
      // What retention has removed cannot be reused; start where it ends.
      v1::GetLogStatusRequest status;
      *status.mutable_log() = Log();
      KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                              events_.GetLogStatus(status));
      if (extent.oldest_sequence() <= request.after_sequence() + 1) {
        return page.status();
      }
      tail_.SkipTo(extent.oldest_sequence() - 1);
      continue;
    }
    KINORA_RETURN_IF_ERROR(page.status());
    for (const v1::Event& event : page->events()) {
      KINORA_RETURN_IF_ERROR(tail_.Add(event));
    }
    const int64_t bookmark = page->bookmark().sequence();
    if (bookmark > tail_.last_sequence()) tail_.SkipTo(bookmark);
    if (tail_.last_sequence() <= request.after_sequence()) {
      return absl::OkStatus();
    }
  }
}

absl::StatusOr<std::vector<std::optional<LoggedResult>>>
StoreResultIndex::AskStore(absl::Span<const ResultQuery> queries) const {
  std::vector<std::optional<LoggedResult>> found;
  found.reserve(queries.size());
  while (found.size() < queries.size()) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id(movie_id_);
    for (const ResultQuery& query :
         queries.subspan(found.size(), kMaxQueriesPerCall)) {
      v1::ArtefactQuery& asked = *request.add_queries();
      asked.set_artefact_id(query.artefact_id);
      if (query.inputs_hash != Digest()) {
        asked.set_inputs_hash(query.inputs_hash.Hex());
      }
    }
    KINORA_ASSIGN_OR_RETURN(const v1::ResolveArtefactsResponse response,
                            events_.ResolveArtefacts(request));
    if (response.artefacts_size() != request.queries_size()) {
      return absl::InternalError(
          "the store did not answer every query of ResolveArtefacts");
    }
    for (const v1::ResolvedArtefact& artefact : response.artefacts()) {
      std::optional<LoggedResult>& result = found.emplace_back();
      if (!artefact.found()) continue;
      const v1::ArtefactEvent& made = artefact.event().artefact();
      result.emplace();
      result->sequence = made.reused_sequence() != 0
                             ? made.reused_sequence()
                             : artefact.event().sequence();
      result->content = made.output();
    }
  }
  return found;
}

absl::StatusOr<std::vector<std::optional<LoggedResult>>> StoreResultIndex::Find(
    absl::Span<const ResultQuery> queries) const {
  KINORA_ASSIGN_OR_RETURN(std::vector<std::optional<LoggedResult>> found,
                          tail_.Find(queries));
  if (base_revision_.empty()) return found;
  std::vector<ResultQuery> older;
  for (size_t i = 0; i < queries.size(); ++i) {
    if (!found[i].has_value()) older.push_back(queries[i]);
  }
  if (older.empty()) return found;
  KINORA_ASSIGN_OR_RETURN(std::vector<std::optional<LoggedResult>> answers,
                          AskStore(older));
  size_t next = 0;
  for (std::optional<LoggedResult>& result : found) {
    if (!result.has_value()) result = std::move(answers[next++]);
  }
  return found;
}

absl::StatusOr<std::vector<bool>> StoreResultIndex::WereMade(
    absl::Span<const std::string> artefact_ids) const {
  KINORA_ASSIGN_OR_RETURN(std::vector<bool> made, tail_.WereMade(artefact_ids));
  if (base_revision_.empty()) return made;
  std::vector<ResultQuery> older;
  for (size_t i = 0; i < artefact_ids.size(); ++i) {
    if (!made[i]) older.push_back({artefact_ids[i], Digest()});
  }
  if (older.empty()) return made;
  KINORA_ASSIGN_OR_RETURN(
      const std::vector<std::optional<LoggedResult>> answers, AskStore(older));
  size_t next = 0;
  for (size_t i = 0; i < made.size(); ++i) {
    if (!made[i]) made[i] = answers[next++].has_value();
  }
  return made;
}

}  // namespace kinora
