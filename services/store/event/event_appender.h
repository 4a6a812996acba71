// An EventAppender takes typed events into the logs of an EventLog.
//
// An append goes: check the events; look up the request id, under which there
// may be these events in the log already, and no other; enter the lease
// (no other holder is granted it until the append is over); see that every blob
// the events name exists, and that no two artefacts of the run have one
// readable file; append. So a reader that sees an event finds its blob, and a
// holder that takes a lease over sees every write of the one before.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_APPENDER_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_APPENDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/clock.h"
#include "common/ids.h"
#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/append_request_logs.h"
#include "services/store/event/append_requests.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_store.h"
#include "services/store/lease/lease_table.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/readable/run_paths.h"

namespace kinora {

inline constexpr size_t kMaxRequestIdBytes = 256;

// Says up to which event of the log of inputs the condition
// `inputs_unchanged_since` of an append holds, or why it does not.
using InputsCondition = std::function<absl::StatusOr<int64_t>(
    const v1::AppendEventsRequest& request)>;

// Says which revision of a movie is the newest; none before the first. Asked
// ahead of the first append to a movie, and whenever it may have changed.
using NewestRevision =
    std::function<absl::StatusOr<Revision>(absl::string_view movie_id)>;

// Thread-safe.
class EventAppender {
 public:
  // All MUST outlive the appender.
  EventAppender(EventLog& events, MovieCatalog& movies, BlobStore& blobs,
                LeaseTable& leases, RunPaths& paths, Clock& clock,
                int64_t inline_limit_bytes, InputsCondition inputs_condition,
                NewestRevision newest_revision)
      : events_(events),
        movies_(movies),
        blobs_(blobs),
        leases_(leases),
        paths_(paths),
        clock_(clock),
        inline_limit_bytes_(inline_limit_bytes),
        inputs_condition_(std::move(inputs_condition)),
        newest_revision_(std::move(newest_revision)) {}

  // Does each append as EventService.AppendEvents does and answers them in
  // their order. Those to one log happen in that order, but for one with the
  // condition that inputs are unchanged: edits that come in while it is looked
  // at make it look again, after the others. They share a sync where
  // they can. Values without a hash get it in `requests`.
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests);

  // Drops what is remembered of a deleted movie's requests.
  void Forget(absl::string_view movie_id);

 private:
  class Call;

  // AppendAll() but for appends whose condition was looked at too early: they
  // are answered with `kLookAgain`.
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> TryAppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests);

  // Checks an append and prepares it up to the EventLog. False if it is
  // answered; an append under the same request id that is under way elsewhere
  // is waited for if `wait`, else `*busy` is set.
  bool Prepare(Call* call, bool wait, bool* busy);
  absl::Status Check(Call* call);
  absl::Status EnterAndWriteBodies(Call* call);
  // INVALID_ARGUMENT for an event that is meant for a revision beyond the next
  // one. Whoever reads since a revision takes it that later events are not of
  // earlier ones.
  absl::Status CheckRevisions(const Call& call);
  // Takes the readable paths of a run's results.
  absl::Status TakePaths(Call* call);
  void AppendPrepared(std::vector<Call*>* prepared);

  EventLog& events_;
  MovieCatalog& movies_;
  BlobStore& blobs_;
  LeaseTable& leases_;
  RunPaths& paths_;
  Clock& clock_;
  const int64_t inline_limit_bytes_;
  const InputsCondition inputs_condition_;
  const NewestRevision newest_revision_;

  AppendRequestLogs requests_{AppendRequestLogs::Limits()};

  Mutex mu_;
  // By movie: the newest revision as of the last look. There may be later ones.
  absl::flat_hash_map<std::string, Revision> newest_ ABSL_GUARDED_BY(mu_);
};

// The log's key in the EventLog. REQUIRES: ValidateLogName(name) is OK.
std::string LogKeyOf(const v1::LogName& name);

// ABORTED (SEQUENCE_MISMATCH) unless the log ends where it is expected to.
absl::Status CheckLastSequence(absl::string_view log, int64_t expected,
                               int64_t last);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_APPENDER_H_
