#include "services/planner/history/event_finder.h"

#include <utility>

#include "absl/hash/hash.h"

#include "common/content.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

// Queries in one call of the store.
constexpr size_t kMaxQueries = 10'000;

size_t HashOf(const std::string& id, const std::string& inputs_hash,
              const std::string& hash) {
  return absl::HashOf(id, inputs_hash, hash);
}

bool IsWithin(const v1::Event& event, const std::string& revision) {
  const absl::StatusOr<Revision> of_event = Revision::Parse(event.revision());
  const absl::StatusOr<Revision> limit = Revision::Parse(revision);
  return of_event.ok() && limit.ok() && *of_event <= *limit;
}

bool Fits(const v1::Event& event, const ValueQuery& query) {
  const v1::ArtefactEvent& attempt = event.artefact();
  return attempt.status() == v1::ARTEFACT_STATUS_SUCCEEDED &&
         attempt.artefact_id() == query.id &&
         attempt.inputs_hash() == query.inputs_hash &&
         ContentHash(attempt.output()) == query.hash &&
         IsWithin(event, query.revision);
}

}  // namespace

absl::StatusOr<std::vector<std::optional<v1::Event>>> EventFinder::Find(
    absl::Span<const ValueQuery> queries) {
  Found found(queries.size());
  KINORA_RETURN_IF_ERROR(FindArtefacts(queries, &found));
  KINORA_RETURN_IF_ERROR(FindInputs(queries, &found));
  return found;
}

absl::Status EventFinder::FindArtefacts(absl::Span<const ValueQuery> queries,
                                        Found* found) {
  v1::ResolveArtefactsRequest request;
  request.set_movie_id(movie_id_);
  std::vector<size_t> asked;
  for (size_t i = 0; i < queries.size() && asked.size() < kMaxQueries; ++i) {
    // Results of an import have no key to ask for; the log has them.
    if (IsInputId(queries[i].id) || queries[i].hash.empty()) continue;
    asked.push_back(i);
    v1::ArtefactQuery& query = *request.add_queries();
    query.set_artefact_id(queries[i].id);
    query.set_inputs_hash(queries[i].inputs_hash);
  }
  if (asked.empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(v1::ResolveArtefactsResponse response,
                          store_.events.ResolveArtefacts(request));
  for (size_t i = 0; i < asked.size(); ++i) {
    const ValueQuery& query = queries[asked[i]];
    v1::ResolvedArtefact& resolved =
        *response.mutable_artefacts(static_cast<int>(i));
    if (resolved.found() && Fits(resolved.event(), query)) {
      (*found)[asked[i]] = std::move(*resolved.mutable_event());
      continue;
    }
    KINORA_RETURN_IF_ERROR(FindInLog(query, &(*found)[asked[i]]));
  }
  return absl::OkStatus();
}

absl::Status EventFinder::FindInLog(const ValueQuery& query,
                                    std::optional<v1::Event>* found) {
  if (!indexed_) {
    bool complete = true;
    KINORA_RETURN_IF_ERROR(reader_.ForEachArtefactEvent(
        movie_id_, "", 0,
        [this](const v1::Event& event) {
          const v1::ArtefactEvent& attempt = event.artefact();
          if (attempt.status() != v1::ARTEFACT_STATUS_SUCCEEDED) return;
          sequences_[HashOf(attempt.artefact_id(), attempt.inputs_hash(),
                            ContentHash(attempt.output()))]
              .push_back(event.sequence());
        },
        &complete));
    indexed_ = true;
  }
  const auto sequences =
      sequences_.find(HashOf(query.id, query.inputs_hash, query.hash));
  if (sequences == sequences_.end()) return absl::OkStatus();
  for (size_t i = sequences->second.size(); i-- > 0;) {
    v1::ReadEventsRequest request;
    request.mutable_log()->set_movie_id(movie_id_);
    request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    request.set_include_kept(true);
    request.set_after_sequence(sequences->second[i] - 1);
    request.set_limit(1);
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            store_.events.ReadPage(request));
    if (page.events_size() == 1 && Fits(page.events(0), query)) {
      *found = std::move(*page.mutable_events(0));
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::Status EventFinder::FindInputs(absl::Span<const ValueQuery> queries,
                                     Found* found) {
  absl::flat_hash_map<std::string, size_t> wanted;
  for (size_t i = 0; i < queries.size(); ++i) {
    if (IsInputId(queries[i].id)) wanted[queries[i].id] = i;
  }
  if (wanted.empty()) return absl::OkStatus();
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id_);
  request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  request.set_include_kept(true);
  while (true) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            store_.events.ReadPage(request));
    for (v1::Event& event : *page.mutable_events()) {
      const auto query = wanted.find(event.input().input_id());
      if (query == wanted.end()) continue;
      const ValueQuery& value = queries[query->second];
      std::optional<v1::Event>& last = (*found)[query->second];
      if (!IsWithin(event, value.revision)) continue;
      const bool same = ContentHash(event.input().content()) == value.hash;
      // The first of a row of edits to the same value made it so.
      if (same && !last.has_value()) {
        last = std::move(event);
      } else if (!same) {
        last.reset();
      }
    }
    if (page.bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page.bookmark().sequence());
  }
  return absl::OkStatus();
}

}  // namespace kinora
