#include "services/store/plan/object_plan_store.h"

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

constexpr uint32_t kPlanFormatVersion = 1;

absl::Status CheckPlan(absl::string_view movie_id, absl::string_view json) {
  v1::Plan plan;
  absl::Status parsed = ParseDocument(json, &plan);
  if (!parsed.ok()) return InvalidField("data", json, parsed.message());
  if (CanonicalBytes(plan) != json) {
    return InvalidField("data", json, "must be canonical JSON (RFC 8785)");
  }
  if (plan.format_version() != kPlanFormatVersion) {
    return InvalidField("data.formatVersion",
                        absl::StrCat(plan.format_version()),
                        absl::StrCat("must be ", kPlanFormatVersion));
  }
  if (plan.movie_id() != movie_id) {
    return InvalidField("data.movieId", plan.movie_id(),
                        absl::StrCat("must be \"", movie_id, "\""));
  }
  return absl::OkStatus();
}

// Replaces an object that does not hold the bytes its name promises: it was
// damaged. A crash leaves the old ones or all of these.
absl::Status Mend(ObjectStorage& storage, absl::string_view key,
                  absl::string_view bytes) {
  const absl::StatusOr<std::string> stored = ReadObject(storage, key);
  if (stored.ok() && *stored == bytes) return absl::OkStatus();
  return storage.Write(key, bytes);
}

}  // namespace

absl::StatusOr<v1::SavePlanResponse> ObjectPlanStore::Save(
    const v1::SavePlanHeader& header, absl::string_view json) {
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(header.movie_id()));
  const std::string hash = Sha256Of(json).Hex();
  if (!header.expected_hash().empty() && header.expected_hash() != hash) {
    return WithReason(
        InvalidField("expected_hash", header.expected_hash(),
                     absl::StrCat("the bytes have the hash ", hash)),
        "DIGEST_MISMATCH");
  }
  KINORA_RETURN_IF_ERROR(CheckPlan(header.movie_id(), json));
  const std::string key = PlanKey(header.movie_id(), hash);
  KINORA_ASSIGN_OR_RETURN(const bool created,
                          CreateObject(storage_, key, json));
  if (!created) KINORA_RETURN_IF_ERROR(Mend(storage_, key, json));
  v1::SavePlanResponse response;
  response.set_plan_hash(hash);
  return response;
}

absl::StatusOr<std::string> ObjectPlanStore::Load(
    const v1::LoadPlanRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  KINORA_RETURN_IF_ERROR(ValidateHash("plan_hash", request.plan_hash()));
  const std::string key = PlanKey(request.movie_id(), request.plan_hash());
  absl::StatusOr<std::string> json = ReadObject(storage_, key);
  if (absl::IsNotFound(json.status())) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("movie \"", request.movie_id(),
                                         "\" has no plan ",
                                         request.plan_hash())),
        "PLAN_NOT_FOUND",
        {{"movie", request.movie_id()}, {"value", request.plan_hash()}});
  }
  KINORA_RETURN_IF_ERROR(json.status());
  if (Sha256Of(*json).Hex() != request.plan_hash()) {
    return DataCorrupt(key, "does not have its hash");
  }
  return json;
}

absl::StatusOr<v1::SaveProgressResponse> ObjectPlanStore::SaveProgress(
    const v1::SaveProgressRequest& request) {
  const v1::PlanProgress& progress = request.progress();
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(request.movie_id()));
  KINORA_RETURN_IF_ERROR(
      ValidateRevisionField("target_revision", request.target_revision()));
  KINORA_RETURN_IF_ERROR(
      ValidateHash("progress.plan_hash", progress.plan_hash()));
  KINORA_RETURN_IF_ERROR(
      ValidateRunIdField("progress.run_id", progress.run_id()));
  for (const int64_t done : progress.done_jobs_by_layer()) {
    if (done >= 0) continue;
    return InvalidField("progress.done_jobs_by_layer", absl::StrCat(done),
                        "must not be negative");
  }
  KINORA_ASSIGN_OR_RETURN(
      LeaseTable::Fence fence,
      leases_.Enter(request.lease(), request.movie_id(), progress.run_id()));
  KINORA_RETURN_IF_ERROR(storage_.Write(
      RevisionProgressKey(request.movie_id(), request.target_revision()),
      WithChecksum(CanonicalBytes(progress))));
  return v1::SaveProgressResponse();
}

absl::StatusOr<v1::LoadProgressResponse> ObjectPlanStore::LoadProgress(
    const v1::LoadProgressRequest& request) {
  KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  KINORA_RETURN_IF_ERROR(
      ValidateRevisionField("target_revision", request.target_revision()));
  const std::string key =
      RevisionProgressKey(request.movie_id(), request.target_revision());
  v1::LoadProgressResponse response;
  absl::StatusOr<std::string> json = ReadObject(storage_, key);
  if (absl::IsNotFound(json.status())) return response;
  KINORA_RETURN_IF_ERROR(json.status());
  absl::Status parsed =
      ParseCheckedDocument(*json, response.mutable_progress());
  if (!parsed.ok()) return DataCorrupt(key, parsed.message());
  return response;
}

}  // namespace kinora
