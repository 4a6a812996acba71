// A LogEventStore keeps the typed events of movies in an EventLog, one log per
// LogName under the keys of services/store/layout.h, in the lines that
// services/store/event/event_json.h describes. Appends go through an
// EventAppender.
//
// Answers about artefacts and inputs come from indexes of the movie's logs
// (services/store/index), brought up to the log's end by each call.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_EVENT_STORE_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_EVENT_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/clock.h"
#include "common/threads/mutex.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/event_appender.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_page.h"
#include "services/store/event/event_ptr.h"
#include "services/store/event/event_store.h"
#include "services/store/event/shared_pages.h"
#include "services/store/index/movie_index.h"
#include "services/store/lease/lease_table.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"
#include "services/store/readable/readable_files.h"
#include "services/store/readable/run_paths.h"

namespace kinora {

inline constexpr int kMaxQueriesPerResolve = 10'000;

struct LogEventStoreOptions {
  int64_t inline_limit_bytes = 4096;
  IndexOptions index;
};

// Thread-safe.
class LogEventStore final : public EventStore {
 public:
  using Options = LogEventStoreOptions;

  // All MUST outlive the store.
  LogEventStore(EventLog& events, ObjectStorage& storage, MovieCatalog& movies,
                BlobStore& blobs, LeaseTable& leases, Clock& clock,
                const Options& options)
      : events_(events),
        storage_(storage),
        movies_(movies),
        clock_(clock),
        options_(options),
        run_paths_(events, storage,
                   [this](absl::string_view movie_id) {
                     return LastCommitOf(movie_id);
                   }),
        appender_(
            events, movies, blobs, leases, run_paths_, clock,
            options.inline_limit_bytes,
            [this](const v1::AppendEventsRequest& request) {
              return InputsUnchangedThrough(request);
            },
            [this](absl::string_view movie_id) {
              return NewestRevisionOf(movie_id);
            }),
        readable_(events, storage) {
    movies.WatchDamage(&events);
    movies.OnDeleted([this](absl::string_view movie_id) {
      readable_.Forget(movie_id);
      Forget(movie_id);
      appender_.Forget(movie_id);
      run_paths_.Forget(movie_id);
    });
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override;
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests) override;

  // Reads at most 1,000 events or about 1 MiB at a time. With `since_revision`
  // or `artefact_id` a page may hold no events and still not be the last: go by
  // the bookmark.
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override;
  // Shares pages of whole logs, as ReadPage() makes them without a limit.
  absl::StatusOr<EventPagePtr> ReadShared(
      const v1::ReadEventsRequest& request) override;
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override;
  void CancelNotify(WaiterId id) override;
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override;
  absl::StatusOr<std::vector<EventPtr>> FindArtefacts(
      const v1::ResolveArtefactsRequest& request) override;
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override;
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override;

  // For the other stores of this process; these do not look whether the movie
  // exists.

  // Larger values have to be blobs.
  int64_t inline_limit_bytes() const { return options_.inline_limit_bytes; }

  // The files that show texts of the movie.
  ReadableFiles& readable() { return readable_; }

  // Appends one event of the store itself, without lease or request id.
  // ABORTED (SEQUENCE_MISMATCH) unless the log ends at `expected_sequence`, if
  // that is given.
  absl::StatusOr<AppendedRange> AppendOwn(
      absl::string_view log, v1::Event event,
      std::optional<int64_t> expected_sequence);

  // The latest event of one input; null if it was never set.
  absl::StatusOr<EventPtr> FindInput(absl::string_view movie_id,
                                     absl::string_view input_id);

  // The latest event of every input up to `through`, by id. INVALID_ARGUMENT
  // unless the log goes that far; OUT_OF_RANGE (LOG_TRIMMED) if that is not
  // known any more.
  absl::StatusOr<std::vector<EventPtr>> InputsThrough(
      absl::string_view movie_id, int64_t through);

  // The RevisionCommitted events of the movie, ascending.
  absl::StatusOr<std::vector<EventPtr>> Commits(absl::string_view movie_id);

  // Has the log of inputs taken for damaged if it ends before those that
  // `commit`, the movie's newest one, took: it was acknowledged after them.
  // What is there can be read all the same.
  void NoteLostInputs(absl::string_view movie_id,
                      const v1::RevisionCommitted& commit);

  // Writes the indexes of the movie's logs, so that a restarted store need not
  // read what they cover.
  absl::StatusOr<MovieIndex::Saved> SaveIndexes(absl::string_view movie_id);

 private:
  // Forgets a movie that was deleted, or is about to be restored.
  void Forget(absl::string_view movie_id);
  std::shared_ptr<MovieIndex> IndexOf(absl::string_view movie_id);

  // The end of the log of inputs, if the inputs of an append are there as they
  // were in its revision; else ABORTED (INPUT_CHANGED).
  absl::StatusOr<int64_t> InputsUnchangedThrough(
      const v1::AppendEventsRequest& request);

  // Looks for lost inputs, too.
  absl::StatusOr<Revision> NewestRevisionOf(absl::string_view movie_id);

  // Where the log of artefacts has the newest commit; 0 before the first.
  absl::StatusOr<int64_t> LastCommitOf(absl::string_view movie_id);

  // Writes the readable files that an append declares. The events stand
  // whatever becomes of the files; a later look brings them up.
  void ShowText(const v1::AppendEventsRequest& request);

  // The records after `request.after_sequence()`, at most `limit`; none at the
  // log's end.
  absl::StatusOr<std::vector<LogRecord>> RecordsAfter(
      const v1::ReadEventsRequest& request, int64_t limit);

  // RUN_NOT_FOUND for an empty ledger whose run has no record.
  absl::StatusOr<LogExtent> ExtentOf(const v1::LogName& name);

  EventLog& events_;
  ObjectStorage& storage_;
  MovieCatalog& movies_;
  Clock& clock_;
  const Options options_;
  RunPaths run_paths_;
  EventAppender appender_;
  ReadableFiles readable_;
  SharedPages pages_;

  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<MovieIndex>> indexes_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_EVENT_STORE_H_
