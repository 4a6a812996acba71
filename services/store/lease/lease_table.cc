#include "services/store/lease/lease_table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

constexpr absl::Duration kMinTtl = absl::Seconds(1);
constexpr absl::Duration kMaxTtl = absl::Hours(1);
constexpr size_t kMaxTextBytes = 256;
constexpr absl::string_view kMovieLeasePrefix = "movie/";
constexpr absl::string_view kRunLeasePrefix = "run/";
constexpr size_t kStepNameBytes = 16;

// Splits what follows `run/` into the run and, if there is one, the step.
std::pair<absl::string_view, absl::string_view> RunAndStep(
    absl::string_view id) {
  return absl::StrSplit(id, absl::MaxSplits('/', 1));
}

bool IsStepName(absl::string_view name) {
  return name.size() == kStepNameBytes &&
         name.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

// True for `run/<run_id>/<step>`.
bool IsStepLease(absl::string_view lease_id) {
  return absl::ConsumePrefix(&lease_id, kRunLeasePrefix) &&
         absl::StrContains(lease_id, '/');
}

absl::Status ValidateLeaseId(absl::string_view field,
                             absl::string_view lease_id) {
  absl::string_view id = lease_id;
  if (absl::ConsumePrefix(&id, kMovieLeasePrefix) && ValidateMovieId(id).ok()) {
    return absl::OkStatus();
  }
  id = lease_id;
  if (absl::ConsumePrefix(&id, kRunLeasePrefix)) {
    const auto [run_id, step] = RunAndStep(id);
    const bool named = !IsStepLease(lease_id) || IsStepName(step);
    if (named && ValidateRunId(run_id).ok()) return absl::OkStatus();
  }
  return InvalidField(field, lease_id,
                      "must be movie/<movie_id>, run/<run_id> or "
                      "run/<run_id>/<16 hexadecimal digits>");
}

absl::Status ValidateText(absl::string_view field, absl::string_view text,
                          bool required) {
  if (text.size() <= kMaxTextBytes && (!required || !text.empty())) {
    return absl::OkStatus();
  }
  return InvalidField(field, text,
                      absl::StrCat("must have ", required ? "1" : "0", " to ",
                                   kMaxTextBytes, " bytes"));
}

}  // namespace

struct LeaseTable::Entry {
  bool held() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return !lease.holder().empty();
  }
  bool Owns(const v1::LeaseToken& token) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return held() && token.fencing_token() == lease.token().fencing_token();
  }
  absl::Duration Left(Clock& clock) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return absl::Nanoseconds(deadline_nanos - clock.MonotonicNanos());
  }
  void Extend(int64_t from_nanos) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    deadline_nanos =
        from_nanos + absl::ToInt64Nanoseconds(FromProto(lease.ttl()));
  }
  // The lease as answered to callers.
  v1::Lease Snapshot(Clock& clock) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    v1::Lease copy = lease;
    copy.set_renewals(renewals);
    *copy.mutable_expires_in() = ToProto(Left(clock));
    return copy;
  }
  absl::Status Held(Clock& clock) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    const std::string left = absl::FormatDuration(Left(clock));
    return WithReason(absl::FailedPreconditionError(absl::StrCat(
                          "the lease \"", lease.token().lease_id(),
                          "\" is held by \"", lease.holder(), "\" for \"",
                          lease.purpose(), "\", for another ", left)),
                      "LEASE_HELD",
                      {{"holder", lease.holder()},
                       {"purpose", lease.purpose()},
                       {"expires_in", left}});
  }
  absl::Status Lost() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return WithReason(
        absl::AbortedError(absl::StrCat(
            "the lease \"", lease.token().lease_id(), "\" has passed on",
            held() ? absl::StrCat(" to \"", lease.holder(), "\" for \"",
                                  lease.purpose(), "\"")
                   : std::string(": it was released"))),
        "LEASE_LOST",
        {{"lease", lease.token().lease_id()}, {"holder", lease.holder()}});
  }

  Mutex mu;
  CondVar idle;  // signalled when `writers` reaches 0
  // As stored; the holder is empty while nobody holds it.
  v1::Lease lease ABSL_GUARDED_BY(mu);
  // False for what was read on opening: it may be the trace of a grant whose
  // write failed, which the next loss of power takes back.
  bool durable ABSL_GUARDED_BY(mu) = true;
  int64_t deadline_nanos ABSL_GUARDED_BY(mu) = 0;
  int64_t renewals ABSL_GUARDED_BY(mu) = 0;
  int writers ABSL_GUARDED_BY(mu) = 0;
  // Of a step that has ended: another entry takes the place of this.
  bool gone ABSL_GUARDED_BY(mu) = false;
};

LeaseTable::Fence::~Fence() {
  if (entry_ == nullptr) return;
  MutexLock lock(entry_->mu);
  if (--entry_->writers == 0) entry_->idle.SignalAll();
}

LeaseTable::LeaseTable(ObjectStorage& storage, MovieCatalog& movies,
                       Clock& clock)
    : storage_(storage),
      movies_(movies),
      clock_(clock),
      opened_nanos_(clock.MonotonicNanos()) {}

absl::Status LeaseTable::RequireSubject(absl::string_view lease_id) {
  KINORA_RETURN_IF_ERROR(ValidateLeaseId("lease_id", lease_id));
  absl::string_view id = lease_id;
  if (absl::ConsumePrefix(&id, kMovieLeasePrefix)) return movies_.Require(id);
  absl::ConsumePrefix(&id, kRunLeasePrefix);
  id = RunAndStep(id).first;
  const absl::Status known = storage_.Stat(RunIndexKey(id)).status();
  if (!absl::IsNotFound(known)) return known;
  return WithReason(
      absl::NotFoundError(absl::StrCat("there is no run \"", id, "\"")),
      "RUN_NOT_FOUND", {{"run", id}});
}

absl::StatusOr<std::shared_ptr<LeaseTable::Entry>> LeaseTable::Find(
    absl::string_view field, absl::string_view lease_id) {
  KINORA_RETURN_IF_ERROR(ValidateLeaseId(field, lease_id));
  {
    MutexLock lock(mu_);
    auto found = entries_.find(lease_id);
    if (found != entries_.end()) return found->second;
  }
  // Read outside the lock; if two callers do, the first to share it wins, and
  // both have read the same, as nobody writes without a shared entry.
  auto entry = std::make_shared<Entry>();
  absl::StatusOr<v1::Lease> stored = LoadLease(storage_, lease_id);
  if (!stored.ok() && !absl::IsNotFound(stored.status())) {
    return stored.status();
  }
  const bool was_granted = stored.ok();
  {
    MutexLock lock(entry->mu);
    if (was_granted) {
      entry->lease = *std::move(stored);
      if (absl::StartsWith(entry->lease.holder(), kInProcessHolderPrefix)) {
        entry->lease.clear_holder();
        entry->lease.clear_purpose();
      }
      entry->Extend(opened_nanos_);
      entry->durable = false;
    }
    entry->lease.mutable_token()->set_lease_id(std::string(lease_id));
  }
  if (!was_granted) return entry;
  return Share(lease_id, std::move(entry));
}

absl::StatusOr<std::shared_ptr<LeaseTable::Entry>> LeaseTable::FindToGrant(
    absl::string_view lease_id) {
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<Entry> entry,
                          Find("lease_id", lease_id));
  return Share(lease_id, std::move(entry));
}

std::shared_ptr<LeaseTable::Entry> LeaseTable::Share(
    absl::string_view lease_id, std::shared_ptr<Entry> entry) {
  MutexLock lock(mu_);
  return entries_.try_emplace(std::string(lease_id), std::move(entry))
      .first->second;
}

absl::Status LeaseTable::MakeDurable(Entry& entry) {
  entry.mu.AssertHeld();
  if (entry.durable) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(
      storage_.Write(LeaseKey(entry.lease.token().lease_id()),
                     WithChecksum(CanonicalBytes(entry.lease))));
  entry.durable = true;
  return absl::OkStatus();
}

absl::StatusOr<v1::AcquireLeaseResponse> LeaseTable::Acquire(
    const v1::AcquireLeaseRequest& request) {
  KINORA_RETURN_IF_ERROR(RequireSubject(request.lease_id()));
  return AcquireAny(request);
}

absl::StatusOr<v1::AcquireLeaseResponse> LeaseTable::AcquireAny(
    const v1::AcquireLeaseRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateText("holder", request.holder(), true));
  KINORA_RETURN_IF_ERROR(ValidateText("purpose", request.purpose(), false));
  const absl::Duration ttl = FromProto(request.ttl());
  if (ttl < kMinTtl || ttl > kMaxTtl) {
    return InvalidField("ttl", absl::FormatDuration(ttl),
                        "must be from 1 s to 1 h");
  }
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<Entry> entry,
                          FindToGrant(request.lease_id()));
  v1::AcquireLeaseResponse response;
  MutexLock lock(entry->mu);
  // Nobody asks for a step by that name again.
  if (entry->gone) return entry->Lost();
  for (;;) {
    if (!entry->held() || entry->Left(clock_) <= absl::ZeroDuration()) {
      if (entry->writers == 0) break;
      entry->idle.Wait(entry->mu);
      continue;  // the lease may have been renewed or passed on meanwhile
    }
    if (entry->lease.holder() == request.holder() &&
        entry->lease.purpose() == request.purpose()) {
      KINORA_RETURN_IF_ERROR(MakeDurable(*entry));
      *entry->lease.mutable_ttl() = request.ttl();
      entry->Extend(clock_.MonotonicNanos());
      ++entry->renewals;
      *response.mutable_lease() = entry->Snapshot(clock_);
      return response;
    }
    return entry->Held(clock_);
  }
  v1::Lease granted;
  granted.mutable_token()->set_lease_id(request.lease_id());
  granted.mutable_token()->set_fencing_token(
      std::max(entry->lease.token().fencing_token() + 1,
               absl::ToUnixMillis(clock_.Now())));
  granted.set_holder(request.holder());
  granted.set_purpose(request.purpose());
  *granted.mutable_ttl() = request.ttl();
  KINORA_RETURN_IF_ERROR(storage_.Write(LeaseKey(request.lease_id()),
                                        WithChecksum(CanonicalBytes(granted))));
  response.set_expired_purpose(entry->held() ? entry->lease.purpose() : "");
  entry->lease = std::move(granted);
  entry->durable = true;
  entry->renewals = 0;
  entry->Extend(clock_.MonotonicNanos());
  *response.mutable_lease() = entry->Snapshot(clock_);
  return response;
}

absl::StatusOr<v1::RenewLeaseResponse> LeaseTable::Renew(
    const v1::RenewLeaseRequest& request) {
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<Entry> entry,
                          Find("token.lease_id", request.token().lease_id()));
  MutexLock lock(entry->mu);
  if (!entry->Owns(request.token())) return entry->Lost();
  entry->Extend(clock_.MonotonicNanos());
  ++entry->renewals;
  v1::RenewLeaseResponse response;
  *response.mutable_lease() = entry->Snapshot(clock_);
  return response;
}

absl::StatusOr<v1::ReleaseLeaseResponse> LeaseTable::Release(
    const v1::ReleaseLeaseRequest& request) {
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<Entry> entry,
                          Find("token.lease_id", request.token().lease_id()));
  MutexLock lock(entry->mu);
  if (!entry->Owns(request.token())) return v1::ReleaseLeaseResponse();
  if (IsStepLease(request.token().lease_id())) {
    // It fences no writes, and steps are many.
    KINORA_RETURN_IF_ERROR(
        storage_.Delete(LeaseKey(request.token().lease_id())));
    entry->lease.clear_holder();
    entry->lease.clear_purpose();
    entry->gone = true;
    MutexLock table(mu_);
    entries_.erase(request.token().lease_id());
    return v1::ReleaseLeaseResponse();
  }
  // The object stays: it holds the token that must never be given out again.
  v1::Lease released = entry->lease;
  released.clear_holder();
  released.clear_purpose();
  KINORA_RETURN_IF_ERROR(
      storage_.Write(LeaseKey(released.token().lease_id()),
                     WithChecksum(CanonicalBytes(released))));
  entry->lease = std::move(released);
  return v1::ReleaseLeaseResponse();
}

absl::StatusOr<v1::GetLeaseResponse> LeaseTable::Get(
    const v1::GetLeaseRequest& request) {
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<Entry> entry,
                          Find("lease_id", request.lease_id()));
  v1::GetLeaseResponse response;
  MutexLock lock(entry->mu);
  // What a failing disk cannot keep is still the answer.
  MakeDurable(*entry).IgnoreError();
  if (entry->held()) *response.mutable_lease() = entry->Snapshot(clock_);
  return response;
}

absl::StatusOr<LeaseTable::Fence> LeaseTable::Enter(const v1::LeaseToken& token,
                                                    absl::string_view movie_id,
                                                    absl::string_view run_id) {
  const bool fits =
      token.lease_id() == absl::StrCat(kMovieLeasePrefix, movie_id) ||
      (!run_id.empty() &&
       token.lease_id() == absl::StrCat(kRunLeasePrefix, run_id));
  if (!fits) {
    return InvalidField("lease.lease_id", token.lease_id(),
                        absl::StrCat("must be movie/", movie_id));
  }
  KINORA_ASSIGN_OR_RETURN(std::shared_ptr<Entry> entry,
                          Find("lease.lease_id", token.lease_id()));
  {
    MutexLock lock(entry->mu);
    if (!entry->Owns(token)) return entry->Lost();
    ++entry->writers;
  }
  return Fence(std::move(entry));
}

absl::StatusOr<v1::Lease> LoadLease(ObjectStorage& storage,
                                    absl::string_view lease_id) {
  const std::string key = LeaseKey(lease_id);
  KINORA_ASSIGN_OR_RETURN(const std::string json, ReadObject(storage, key));
  v1::Lease lease;
  const absl::Status parsed = ParseCheckedDocument(json, &lease);
  if (!parsed.ok()) return DataCorrupt(key, parsed.message());
  const absl::Duration ttl = FromProto(lease.ttl());
  const bool complete =
      lease.token().lease_id() == lease_id &&
      lease.token().fencing_token() > 0 &&
      (lease.holder().empty() || (ttl >= kMinTtl && ttl <= kMaxTtl));
  if (complete) return lease;
  return DataCorrupt(key, absl::StrCat("is not the lease \"", lease_id, "\""));
}

}  // namespace kinora
