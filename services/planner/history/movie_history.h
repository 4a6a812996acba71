// A MovieHistory answers what happened to a store's movies: it compares
// revisions, explains artefacts and knows what calls have cost. It holds caches
// only.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_MOVIE_HISTORY_H_
#define KINORA_SERVICES_PLANNER_HISTORY_MOVIE_HISTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/recently_used.h"
#include "common/threads/mutex.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/call_history.h"
#include "services/planner/history/revision_diff.h"
#include "services/planner/history/revision_reader.h"
#include "services/planner/history/run_diff.h"
#include "services/planner/history/told_run.h"
#include "services/planner/movie_reader.h"
#include "services/store/store.h"

namespace kinora {

// Thread-safe. Calls block on the store. Errors are those of PlannerService
// (kinora/v1/planner.proto) and of the store.
class MovieHistory {
 public:
  // The store and `movies` MUST outlive this.
  MovieHistory(const Store& store, MovieReader& movies)
      : store_(store), movies_(movies), reader_(store, movies) {}

  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request);
  absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request);

  // Two runs compared: movie_history_runs.cc.
  absl::StatusOr<v1::DiffRunsResponse> DiffRuns(
      const v1::DiffRunsRequest& request);

  absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request);
  absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request);

  // The calls recorded so far.
  absl::StatusOr<CallHistory> Calls(const std::string& movie_id);

  // The same of the latest kRecentEvents events of the artefact log, and of
  // what was read of it before: costs no more in a large movie.
  absl::StatusOr<CallHistory> RecentCalls(const std::string& movie_id);

  static constexpr int64_t kRecentEvents = 8192;

 private:
  static constexpr size_t kMaxDiffs = 2;
  static constexpr size_t kMaxMovies = 16;

  absl::StatusOr<std::shared_ptr<const RevisionDiff>> DiffOf(
      const std::string& movie_id, const v1::ManifestPointer& from,
      const v1::ManifestPointer& to);
  absl::StatusOr<v1::RunRecord> RecordOf(const std::string& run_id);
  absl::StatusOr<ToldRun> ReadRun(const v1::RunRecord& record, bool* complete);
  // The manifest that a run led to; without a hash if there is none.
  absl::StatusOr<v1::ManifestPointer> ManifestAfter(const ToldRun& run);
  // Null unless both led to one.
  absl::StatusOr<std::shared_ptr<const RevisionDiff>> ManifestsOf(
      const ToldRun& from, const ToldRun& to);
  absl::StatusOr<std::shared_ptr<const RunDiff>> DiffOf(
      const v1::RunRecord& from, const v1::RunRecord& to);
  // INVALID_ARGUMENT unless `content` holds a value for each of the leaves.
  absl::Status CheckContent(const std::string& movie_id, const std::string& id,
                            const v1::Content& content,
                            const std::vector<v1::Leaf>& leaves);
  // The revision before; the time before the first if there is none.
  absl::StatusOr<RevisionState> Before(const std::string& movie_id,
                                       const RevisionState& state);

  // Those of events behind `after_sequence`, and of what is kept under the same
  // word since the last time.
  absl::StatusOr<CallHistory> CallsSince(const std::string& movie_id,
                                         int64_t after_sequence,
                                         absl::string_view kept_as);

  const Store store_;
  MovieReader& movies_;
  RevisionReader reader_;
  Mutex mu_;
  RecentlyUsed<const RevisionDiff> diffs_ ABSL_GUARDED_BY(mu_){kMaxDiffs};
  RecentlyUsed<const RunDiff> run_diffs_ ABSL_GUARDED_BY(mu_){kMaxDiffs};
  RecentlyUsed<const CallHistory> calls_ ABSL_GUARDED_BY(mu_){kMaxMovies};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_MOVIE_HISTORY_H_
