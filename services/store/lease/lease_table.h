// A LeaseTable grants leases for one store process and fences its writes.
//
// Each lease has an object, `leases/movie/<movie>.json`, which is the JSON of a
// v1::Lease without `expires_in` and `renewals`, and its checksum
// (services/store/object/checked_document.h); its holder is empty once the
// lease was released. It is written before a grant or a release is answered, so
// that a restart never gives out a fencing token again. Renewals are not
// stored: a restart grants every lease that was held a full period, counted
// from the opening of the table. But what was held from within this process
// (kInProcessHolderPrefix) is free then: its holder died with the process, and
// as only one process has a data directory open, nobody else can be at it.
//
// A fencing token is the time of the grant, in milliseconds since 1970, or one
// more than the token before if that is larger. So it never goes back, not even
// for a lease whose object was lost, or put back from an old copy: an object
// that is damaged can be removed, at any time. Until then its lease is
// DATA_LOSS (DATA_CORRUPT) naming it, as nobody can tell who holds it.
//
// A lease on a step, `run/<run_id>/<step>`, is one call's alone, fences no
// writes, and leaves nothing behind when it is released.
//
// Fencing: a write that needs a lease holds a Fence while it happens. A lease
// passes to another holder only when no Fence on it is left, so a write that
// was let in is durable, and thus seen by the next holder, before that holder
// is granted the lease; one that comes later is refused. A lease that has
// expired but that nobody took over is still its holder's.

#ifndef KINORA_SERVICES_STORE_LEASE_LEASE_TABLE_H_
#define KINORA_SERVICES_STORE_LEASE_LEASE_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/clock.h"
#include "common/threads/mutex.h"
#include "kinora/v1/types.pb.h"
#include "services/store/lease/lease_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Holders of the leases under which the store itself goes back to a revision
// and scans readable files.
inline constexpr absl::string_view kStoreRevert = "in-process/store-revert";
inline constexpr absl::string_view kStoreScan = "in-process/store-scan";

// Thread-safe.
class LeaseTable final : public LeaseStore {
 private:
  struct Entry;

 public:
  // Keeps a lease from passing on. Destroy it once the write is durable.
  // A default one holds nothing.
  class Fence {
   public:
    Fence() = default;
    Fence(Fence&& other) noexcept : entry_(std::exchange(other.entry_, {})) {}
    Fence& operator=(Fence&& other) noexcept {
      entry_.swap(other.entry_);
      return *this;
    }
    ~Fence();

   private:
    friend class LeaseTable;
    explicit Fence(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}

    std::shared_ptr<Entry> entry_;
  };

  // All MUST outlive the table.
  LeaseTable(ObjectStorage& storage, MovieCatalog& movies, Clock& clock);

  // Grants also when the holder has the lease for that purpose already: then it
  // is renewed under the same token. For another purpose it is LEASE_HELD, so
  // that one process cannot run two runs of a movie. Waits for the writes of
  // the holder before that are under way. Writes nothing for a movie or a run
  // that does not exist.
  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) override;

  // As Acquire(), but also of a movie that is being deleted.
  absl::StatusOr<v1::AcquireLeaseResponse> AcquireAny(
      const v1::AcquireLeaseRequest& request);
  absl::StatusOr<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) override;
  absl::StatusOr<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) override;
  absl::StatusOr<v1::GetLeaseResponse> Get(
      const v1::GetLeaseRequest& request) override;

  // Lets a write in. ABORTED (LEASE_LOST) if `token` is not the newest of its
  // lease or the lease was released; INVALID_ARGUMENT for the field "lease" if
  // it is malformed or no lease on the movie or, where `run_id` is not empty,
  // on the run.
  absl::StatusOr<Fence> Enter(const v1::LeaseToken& token,
                              absl::string_view movie_id,
                              absl::string_view run_id);

 private:
  // OK if there is what the lease is on.
  absl::Status RequireSubject(absl::string_view lease_id);
  // Writes again what was read on opening, before anybody relies on it.
  // REQUIRES: the entry's lock is held.
  absl::Status MakeDurable(Entry& entry);
  // The entry of a lease. Of one that was never granted it is the caller's own:
  // asking for names must not fill the memory.
  absl::StatusOr<std::shared_ptr<Entry>> Find(absl::string_view field,
                                              absl::string_view lease_id);
  // As Find(), but the entry is everybody's in any case.
  absl::StatusOr<std::shared_ptr<Entry>> FindToGrant(
      absl::string_view lease_id);
  // Makes `entry` everybody's, unless there is one already, which is returned.
  std::shared_ptr<Entry> Share(absl::string_view lease_id,
                               std::shared_ptr<Entry> entry);

  ObjectStorage& storage_;
  MovieCatalog& movies_;
  Clock& clock_;
  const int64_t opened_nanos_;
  Mutex mu_;  // taken alone or under an entry's, never before one
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_
      ABSL_GUARDED_BY(mu_);
};

// The lease as stored. NOT_FOUND if it was never granted, DATA_LOSS
// (DATA_CORRUPT) naming the object if that is none of this lease.
absl::StatusOr<v1::Lease> LoadLease(ObjectStorage& storage,
                                    absl::string_view lease_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_LEASE_LEASE_TABLE_H_
