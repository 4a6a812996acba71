#include "services/store/lease/movie_lease.h"

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<MovieLease> MovieLease::Take(LeaseStore& leases,
                                            absl::string_view movie_id,
                                            absl::string_view holder,
                                            absl::string_view purpose,
                                            absl::Duration ttl) {
  v1::AcquireLeaseRequest request;
  request.set_lease_id(absl::StrCat("movie/", movie_id));
  request.set_holder(std::string(holder));
  request.set_purpose(std::string(purpose));
  *request.mutable_ttl() = ToProto(ttl);
  absl::StatusOr<v1::AcquireLeaseResponse> response = leases.Acquire(request);
  if (response.ok()) {
    return MovieLease(leases,
                      std::move(*response->mutable_lease()->mutable_token()));
  }
  if (ReasonOf(response.status()) != "LEASE_HELD") return response.status();
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "movie \"", movie_id, "\" is being worked on: ",
                        response.status().message())),
                    "RUN_ACTIVE", {{"movie", movie_id}});
}

MovieLease::~MovieLease() {
  if (leases_ == nullptr) return;
  v1::ReleaseLeaseRequest request;
  *request.mutable_token() = std::move(token_);
  leases_->Release(request).status().IgnoreError();
}

}  // namespace kinora
