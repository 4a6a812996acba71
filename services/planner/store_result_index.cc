#include "services/planner/store_result_index.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "services/planner/log_tail.h"
#include "services/planner/plan/shared_failures.h"

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
    started_ = false;  // if this does not come to its end
    tail_ = ArtefactLogIndex();
    KINORA_ASSIGN_OR_RETURN(const int64_t start,
                            FindLogTail(events_, movie_id_, base_revision));
    tail_.SkipTo(start);
    // What failed before a revision stays as it is, so it is asked once.
    older_failures_ = false;
    if (!base_revision.empty()) {
      KINORA_ASSIGN_OR_RETURN(older_failures_, StoreHasFailures());
    }
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

absl::Status StoreResultIndex::AskStore(absl::Span<const ResultQuery> queries,
                                        bool failed, Take take) const {
  for (size_t at = 0; at < queries.size(); at += kMaxQueriesPerCall) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id(movie_id_);
    for (const ResultQuery& query : queries.subspan(at, kMaxQueriesPerCall)) {
      v1::ArtefactQuery& asked = *request.add_queries();
      asked.set_artefact_id(query.artefact_id);
      asked.set_failed(failed);
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
    for (const v1::ResolvedArtefact& answer : response.artefacts()) {
      take(answer);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::optional<LoggedResult>>>
StoreResultIndex::OlderResults(absl::Span<const ResultQuery> queries) const {
  std::vector<std::optional<LoggedResult>> found;
  found.reserve(queries.size());
  const auto take = [&found](const v1::ResolvedArtefact& answer) {
    std::optional<LoggedResult>& result = found.emplace_back();
    if (!answer.found()) return;
    const v1::ArtefactEvent& made = answer.event().artefact();
    result.emplace();
    result->sequence = made.reused_sequence() != 0 ? made.reused_sequence()
                                                   : answer.event().sequence();
    result->content = made.output();
  };
  KINORA_RETURN_IF_ERROR(AskStore(queries, false, take));
  return found;
}

absl::StatusOr<bool> StoreResultIndex::StoreHasFailures() const {
  v1::ResolveArtefactsRequest request;
  request.set_movie_id(movie_id_);
  request.set_with_any_failed(true);
  KINORA_ASSIGN_OR_RETURN(const v1::ResolveArtefactsResponse response,
                          events_.ResolveArtefacts(request));
  return response.any_failed();
}

absl::StatusOr<std::vector<std::shared_ptr<const v1::Failure>>>
StoreResultIndex::FindOlderFailures(
    absl::Span<const ResultQuery> queries) const {
  std::vector<std::shared_ptr<const v1::Failure>> found;
  found.reserve(queries.size());
  SharedFailures shared;
  const auto take = [&](const v1::ResolvedArtefact& answer) {
    found.push_back(answer.found()
                        ? shared.Keep(answer.event().artefact().failure())
                        : nullptr);
  };
  KINORA_RETURN_IF_ERROR(AskStore(queries, true, take));
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
                          OlderResults(older));
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
      const std::vector<std::optional<LoggedResult>> answers,
      OlderResults(older));
  size_t next = 0;
  for (size_t i = 0; i < made.size(); ++i) {
    if (!made[i]) made[i] = answers[next++].has_value();
  }
  return made;
}

}  // namespace kinora
