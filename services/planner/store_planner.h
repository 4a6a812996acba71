// A StorePlanner is a Planner over a store: it reads, has the pure planner
// decide, and saves. It holds caches only (planned_movie.h), so any number of
// them may serve the same movies.

#ifndef KINORA_SERVICES_PLANNER_STORE_PLANNER_H_
#define KINORA_SERVICES_PLANNER_STORE_PLANNER_H_

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/files/file_system.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/planner/history/movie_history.h"
#include "services/planner/movie_reader.h"
#include "services/planner/plan/hydrated_graph_file.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/planned_movie.h"
#include "services/planner/planner.h"
#include "services/planner/planner_metrics.h"
#include "services/store/store.h"

namespace kinora {

// Thread-safe; plans of one movie are made one after another.
class StorePlanner final : public Planner {
 public:
  // The store's parts MUST outlive the planner.
  explicit StorePlanner(const Store& store)
      : store_(store), reader_(store), history_(store, reader_) {}

  // Keeps graphs in files below `cache_dir`, too, for planners to come; in none
  // if that is empty. The threads of `executor`, which may be null, help with
  // large plans. What it does is counted in `metrics`, which may be null. All
  // MUST outlive the planner.
  StorePlanner(const Store& store, FileSystem& files,
               const std::string& cache_dir, Executor* executor = nullptr,
               MetricsRegistry* metrics = nullptr)
      : store_(store),
        executor_(executor),
        reader_(store),
        history_(store, reader_) {
    if (!cache_dir.empty()) files_.emplace(files, cache_dir);
    if (metrics != nullptr) metrics_.emplace(*metrics);
  }

  absl::StatusOr<v1::ValidateBlueprintResponse> ValidateBlueprint(
      const v1::ValidateBlueprintRequest& request) override;
  absl::StatusOr<v1::ValidateInputsResponse> ValidateInputs(
      const v1::ValidateInputsRequest& request) override;
  absl::StatusOr<CreatedPlan> CreatePlan(
      const v1::CreatePlanRequest& request) override;
  absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& request, CallStop& stop) override;
  absl::StatusOr<v1::RenderGraphResponse> RenderGraph(
      const v1::RenderGraphRequest& request) override;

  // What happened so far: store_planner_history.cc.
  absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request) override;
  absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
      const v1::EstimatePlanRequest& request) override;
  absl::StatusOr<v1::GetJobDurationsResponse> GetJobDurations(
      const v1::GetJobDurationsRequest& request) override;
  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request) override;
  absl::StatusOr<v1::DiffRunsResponse> DiffRuns(
      const v1::DiffRunsRequest& request) override;
  absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request) override;
  absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request) override;

 private:
  // What is kept between plans: of a few movies, and about a gigabyte.
  static constexpr size_t kMaxKeptMovies = 32;
  static constexpr size_t kMaxKeptElements = 8'000'000;

  std::shared_ptr<PlannedMovie> MovieOf(const std::string& movie_id);
  // Drops the movies planned longest ago.
  void HoldToBudget(const PlannedMovie& latest);
  absl::StatusOr<CreatedPlan> MakePlan(const v1::CreatePlanRequest& request);
  absl::StatusOr<v1::PlanHeader> SavePlan(const v1::CreatePlanRequest& request,
                                          const MadePlan& made);

  const Store store_;
  Executor* const executor_ = nullptr;
  MovieReader reader_;
  MovieHistory history_;
  std::optional<HydratedGraphFile> files_;
  std::optional<PlannerMetrics> metrics_;
  Mutex mu_;
  // The one used last comes first.
  std::list<std::shared_ptr<PlannedMovie>> movies_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_STORE_PLANNER_H_
