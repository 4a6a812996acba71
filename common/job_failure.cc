#include "common/job_failure.h"

namespace kinora {

bool IsJobFailure(const v1::ArtefactEvent& attempt) {
  if (attempt.status() != v1::ARTEFACT_STATUS_FAILED) return false;
  const v1::Failure& failure = attempt.failure();
  switch (failure.reason()) {
    case v1::FAILURE_REASON_CANCELLED:
    case v1::FAILURE_REASON_INPUT_UNRESOLVED:
    case v1::FAILURE_REASON_BLOCKED:
    case v1::FAILURE_REASON_BUDGET:
    case v1::FAILURE_REASON_LEASE_LOST:
      return false;
    default:
      return failure.job_id().empty() ||
             failure.job_id() == attempt.produced_by().job_id();
  }
}

}  // namespace kinora
