// A PlannedMovie is what a planner keeps of a movie from plan to plan: its
// inputs and results as far as their logs were read, and the HydratedGraph of
// its current revision. Each plan reads on where the last one stopped, so it
// costs what changed since. All of it may be dropped at any time.
//
// That the blobs of the base exist is asked when the base is hydrated, and of a
// base of up to 1,000 artefacts again with each plan. A larger one is asked for
// again when a millisecond for each of its artefacts has passed, which keeps
// what that costs under a hundredth of the time; plans in between ask for those
// that their jobs read or reuse, and again for those that were gone.

#ifndef KINORA_SERVICES_PLANNER_PLANNED_MOVIE_H_
#define KINORA_SERVICES_PLANNER_PLANNED_MOVIE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/clock.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/movie_reader.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/hydrated_graph.h"
#include "services/planner/plan/hydrated_graph_file.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/planner_metrics.h"
#include "services/planner/store_result_index.h"
#include "services/store/store.h"

namespace kinora {

// Blobs of one movie. Thread-safe.
class StoreBlobBytes final : public BlobBytes {
 public:
  // `blobs` MUST outlive it.
  StoreBlobBytes(BlobStore& blobs, std::string movie_id)
      : blobs_(blobs), movie_id_(std::move(movie_id)) {}

  absl::StatusOr<std::string> Read(const v1::BlobRef& blob) override;

 private:
  BlobStore& blobs_;
  const std::string movie_id_;
};

// Thread-safe; plans are made one after another.
class PlannedMovie {
 public:
  // All MUST outlive it; `files`, `executor`, whose threads help, and `metrics`
  // may be null.
  PlannedMovie(const Store& store, MovieReader& reader,
               HydratedGraphFile* files, Executor* executor,
               const PlannerMetrics* metrics, Clock& clock,
               std::string movie_id);

  // The plan that `request` asks for, not saved; only its summary if neither
  // its layers are asked for nor it can be saved. Errors of
  // PlannerService.CreatePlan.
  absl::StatusOr<MadePlan> Plan(const v1::CreatePlanRequest& request);

  // What `saved`, a plan of this movie, comes to now that `request.artefact_id`
  // has landed. Errors of PlannerService.ExpandDeferredGroup.
  absl::StatusOr<v1::ExpandDeferredGroupResponse> Expand(
      const v1::Plan& saved, const v1::ExpandDeferredGroupRequest& request);

  // Deciding artefacts as the current revision has them.
  absl::StatusOr<DecidingValues> CurrentDecidingValues(
      const Blueprint& blueprint);

  const std::string& movie_id() const { return movie_id_; }

  // Elements of the graph that it keeps, as a measure of memory.
  size_t elements() const { return elements_; }

 private:
  // What a graph was hydrated for.
  struct Hydrated {
    GraphShape shape;
    std::shared_ptr<const Blueprint> blueprint;
    std::shared_ptr<const Blueprint> base_blueprint;  // may be null
    std::unique_ptr<HydratedGraph> graph;
    std::optional<int64_t> blobs_asked_nanos;  // for all of the base
    std::string shape_hash;                    // of `shape`
    std::optional<size_t> saved_verified;      // in the file, if there is one
  };

  absl::StatusOr<MadePlan> PlanLocked(const v1::CreatePlanRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Forgets everything if the movie is another one of the same name.
  absl::Status CheckBirth() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CatchUpInputs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Brings edited inputs into the graph that is kept.
  absl::Status TakeEdits() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<Hydrated> Hydrate(const v1::ManifestPointer& current,
                                   const MovieInputs& inputs,
                                   std::shared_ptr<const Blueprint> blueprint,
                                   GraphShape shape)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Brings the value of an input into a graph. FAILED_PRECONDITION
  // (INPUT_MISSING) if it is not what the input's type says.
  absl::Status SetInput(const std::string& id, const v1::Content& content,
                        HydratedGraph* graph);
  absl::StatusOr<HydratedBase> ReadBase(const v1::GetManifestRequest& request,
                                        const Graph& graph);
  // Plans on the graph that is kept, which becomes one of that shape.
  absl::StatusOr<MadePlan> PlanOnKept(
      const v1::ManifestPointer& current,
      const std::shared_ptr<const Blueprint>& blueprint,
      const GraphShape& shape, PlanOptions* options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Plans on a graph of its own.
  absl::StatusOr<MadePlan> PlanAside(
      const v1::ManifestPointer& base, const MovieInputs& inputs,
      const std::shared_ptr<const Blueprint>& blueprint,
      const GraphShape& shape, PlanOptions* options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The values of deciding artefacts that a manifest has, as a guess of what a
  // plan will find.
  absl::StatusOr<DecidingValues> ValuesOfBase(const v1::ManifestPointer& base,
                                              const Blueprint& blueprint)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Saves what is kept if that is worth it: when the base is new, or far more
  // jobs are verified than in the file.
  void SaveIfDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the base was asked for its blobs so short a time ago that it need
  // not be asked again.
  bool KnowsBaseBlobs(const Hydrated& hydrated) const;
  // Makes the plan; again while it relies on blobs that are gone.
  absl::StatusOr<MadePlan> MakeSoundPlan(PlanOptions* options,
                                         Hydrated* hydrated);
  // Adds to `lost` those of `blobs` that the movie does not have.
  absl::Status FindLost(const std::vector<BlobName>& blobs,
                        absl::flat_hash_set<Digest>* lost);

  const Store store_;
  MovieReader& reader_;
  HydratedGraphFile* const files_;
  Executor* const executor_;
  const PlannerMetrics* const metrics_;
  Clock& clock_;
  const std::string movie_id_;

  std::atomic<size_t> elements_ = 0;  // readable while a plan is made
  Mutex mu_;
  std::string birth_ ABSL_GUARDED_BY(mu_);
  bool has_inputs_ ABSL_GUARDED_BY(mu_) = false;
  MovieInputs inputs_ ABSL_GUARDED_BY(mu_);
  // Inputs whose events the kept graph has not taken yet.
  std::vector<std::string> edited_ ABSL_GUARDED_BY(mu_);
  StoreResultIndex results_ ABSL_GUARDED_BY(mu_);
  Hydrated kept_ ABSL_GUARDED_BY(mu_);  // without a graph before the first plan
  // The deciding artefacts of a manifest and blueprint.
  std::string decided_of_ ABSL_GUARDED_BY(mu_);
  std::vector<DecidedArtefact> decided_ ABSL_GUARDED_BY(mu_);
  // Those that were known at the latest expansion, by plan and run.
  std::string expanded_of_ ABSL_GUARDED_BY(mu_);
  std::vector<DecidedArtefact> expanded_with_ ABSL_GUARDED_BY(mu_);
  StoreBlobBytes blob_bytes_;
  DecidingReader reader_of_decided_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLANNED_MOVIE_H_
