// The part of Runner that tells what a run which was left open has published.

#include <memory>

#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/runner/runner.h"
#include "services/store/manifest/manifest_builder.h"

namespace kinora {
namespace {

v1::RevisionSource SourceOf(const v1::Plan& plan, const v1::RunRecord& record) {
  v1::RevisionSource source;
  source.set_target_revision(plan.target_revision());
  source.set_base_manifest_hash(plan.manifest_base_hash());
  source.set_run_id(record.run_id());
  source.set_plan_hash(record.plan_hash());
  source.set_inputs_through_sequence(plan.inputs_through_sequence());
  *source.mutable_removed_artefact_ids() = plan.removed_artefact_ids();
  return source;
}

}  // namespace

// What the run's commit was answered; without `current` if there was none.
absl::StatusOr<v1::CommitRevisionResponse> Runner::CommitBy(
    const v1::RunRecord& record, const v1::JobCounts& jobs,
    const v1::LeaseToken& lease) {
  v1::GetCurrentManifestRequest get;
  get.set_movie_id(record.movie_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse now,
                          deps_.store.manifests.GetCurrent(get));
  if (now.current().hash() == record.manifest_base_hash()) {
    v1::CommitRevisionResponse nothing;
    KINORA_ASSIGN_OR_RETURN(const bool changes_nothing,
                            ChangesNothing(record, jobs));
    if (changes_nothing) *nothing.mutable_current() = now.current();
    return nothing;
  }
  // The base has gone, so this publishes nothing; but it is answered as the
  // run's own commit was, if there was one.
  v1::CommitRevisionRequest repeat;
  repeat.set_movie_id(record.movie_id());
  repeat.mutable_source()->set_target_revision(record.target_revision());
  repeat.mutable_source()->set_base_manifest_hash(record.manifest_base_hash());
  repeat.mutable_source()->set_run_id(record.run_id());
  repeat.mutable_source()->set_plan_hash(record.plan_hash());
  *repeat.mutable_lease() = lease;
  absl::StatusOr<v1::CommitRevisionResponse> committed =
      deps_.store.manifests.Commit(repeat);
  if (ReasonOf(committed.status()) == "BASE_CHANGED") {
    return v1::CommitRevisionResponse();
  }
  return committed;
}

// A commit that changes nothing leaves no trace; so a run whose caller has
// executed all of its plan has ended well if there is nothing to publish.
absl::StatusOr<bool> Runner::ChangesNothing(const v1::RunRecord& record,
                                            const v1::JobCounts& jobs) {
  if (!record.stepwise() || record.manifest_base_hash().empty() ||
      jobs.succeeded() + jobs.reused() < record.jobs().total()) {
    return false;
  }
  const absl::StatusOr<std::shared_ptr<const v1::Plan>> plan =
      LoadPlan(record.movie_id(), record.plan_hash());
  if (absl::IsNotFound(plan.status())) return false;
  KINORA_RETURN_IF_ERROR(plan.status());
  if (!(*plan)->deferred().empty()) return false;
  v1::GetManifestRequest get;
  get.set_movie_id(record.movie_id());
  KINORA_ASSIGN_OR_RETURN(const StoredManifest stored,
                          deps_.store.manifests.Get(get));
  v1::BuildManifestRequest build;
  build.set_movie_id(record.movie_id());
  *build.mutable_source() = SourceOf(**plan, record);
  KINORA_ASSIGN_OR_RETURN(const StoredManifest built,
                          deps_.store.manifests.Build(build));
  v1::Manifest current;
  v1::Manifest next;
  KINORA_RETURN_IF_ERROR(ParseDocument(stored.json, &current));
  KINORA_RETURN_IF_ERROR(ParseDocument(built.json, &next));
  return SameContent(current, next);
}

}  // namespace kinora
