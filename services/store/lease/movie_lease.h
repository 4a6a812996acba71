// The lease of a movie, held for one piece of work: while it is, no run goes on
// and nobody else publishes a revision.

#ifndef KINORA_SERVICES_STORE_LEASE_MOVIE_LEASE_H_
#define KINORA_SERVICES_STORE_LEASE_MOVIE_LEASE_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "services/store/lease/lease_store.h"

namespace kinora {

// Not thread-safe. Releases the lease when it is destroyed, unless it was moved
// from.
class MovieLease {
 public:
  // For `ttl`, after which others wait no longer should this process die.
  // FAILED_PRECONDITION (RUN_ACTIVE) says who holds it; else the errors of
  // LeaseStore::Acquire(). The store MUST outlive the lease.
  static absl::StatusOr<MovieLease> Take(LeaseStore& leases,
                                         absl::string_view movie_id,
                                         absl::string_view holder,
                                         absl::string_view purpose,
                                         absl::Duration ttl);

  ~MovieLease();
  MovieLease(MovieLease&& other) noexcept
      : leases_(std::exchange(other.leases_, nullptr)),
        token_(std::move(other.token_)) {}
  MovieLease& operator=(MovieLease&&) = delete;

  const v1::LeaseToken& token() const { return token_; }

 private:
  MovieLease(LeaseStore& leases, v1::LeaseToken token)
      : leases_(&leases), token_(std::move(token)) {}

  LeaseStore* leases_;  // null once moved from
  v1::LeaseToken token_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_LEASE_MOVIE_LEASE_H_
