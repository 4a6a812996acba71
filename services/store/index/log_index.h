// A LogIndex answers which event of one log holds a key, from a SequenceIndex
// that it keeps up to date and the events themselves: what is found is read
// from the log and compared, so neither hashes nor tables can make up an
// answer. Events that were removed and not kept by a checkpoint are passed
// over: whatever is asked for of what is known, another one answers it.
//
// Keys of artefacts.log are artefacts that succeeded, those with an inputs
// hash, artefacts that did not, failures with an inputs hash, all failures, and
// commits; of inputs.log inputs, and the first edits of inputs.

#ifndef KINORA_SERVICES_STORE_INDEX_LOG_INDEX_H_
#define KINORA_SERVICES_STORE_INDEX_LOG_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "services/store/checkpoint/log_history.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_ptr.h"
#include "services/store/index/event_cache.h"
#include "services/store/index/sequence_index.h"
#include "services/store/object/object_storage.h"

namespace kinora {

struct IndexOptions {
  // The index is saved each time so many events came since it was: as many a
  // restarted store reads at most.
  int64_t save_events = 100'000;
  // Of a movie's log, about.
  size_t cached_event_bytes = 32 << 20;
};

// The keys under which events are found.
std::string ArtefactIndexKey(absl::string_view artefact_id);
std::string ArtefactIndexKey(absl::string_view artefact_id,
                             absl::string_view inputs_hash);
std::string UnmadeIndexKey(absl::string_view artefact_id);
// Of failures of the job itself (common/job_failure.h).
std::string FailureIndexKey(absl::string_view artefact_id,
                            absl::string_view inputs_hash);
std::string InputIndexKey(absl::string_view input_id);
inline constexpr absl::string_view kCommitIndexKey = "commit";
inline constexpr absl::string_view kAnyFailureIndexKey = "any failure";
inline constexpr absl::string_view kFirstEditIndexKey = "first edit";

// Some events of a log, ascending, that have something in common.
struct IndexedPage {
  std::vector<EventPtr> events;
  int64_t through = 0;  // of the log; up to here there are no others
};

// Not thread-safe.
class LogIndex {
 public:
  static constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

  // Both MUST outlive the index. `kind` is inputs or artefacts.
  LogIndex(EventLog& events, ObjectStorage& storage, absl::string_view movie_id,
           v1::LogKind kind, const IndexOptions& options);

  // Takes up what was appended. Every other call sees the log as of then.
  absl::Status Refresh();

  // Sequence of the last event taken up.
  int64_t through() const { return index_.through(); }

  // What held at a point of the log can be told from here on: 0 for all.
  absl::StatusOr<int64_t> KnownFrom() { return history_.KnownFrom(); }

  // The latest event up to `through` under `key` that `is` the wanted one; null
  // if there is none.
  absl::StatusOr<EventPtr> Latest(
      absl::string_view key, int64_t through,
      absl::FunctionRef<bool(const v1::Event& event)> is);

  // False if there never was an event under `key`.
  absl::StatusOr<bool> MayHold(absl::string_view key);

  // All such events, ascending.
  absl::StatusOr<std::vector<EventPtr>> All(
      absl::string_view key, int64_t through,
      absl::FunctionRef<bool(const v1::Event& event)> is);

  // Such events under any of `keys`, after `after`, that are left: at most
  // `limit`, and of about `max_bytes` bytes (at least one if there is any).
  absl::StatusOr<IndexedPage> After(
      absl::Span<const std::string> keys, int64_t after, int64_t limit,
      int64_t max_bytes, absl::FunctionRef<bool(const v1::Event& event)> is);

  // Writes what is in memory only, so that a restarted store need not read it.
  absl::Status Save();

 private:
  absl::Status OpenTables();
  absl::Status TakeUp();
  absl::Status Apply(const EventPtr& event);
  // Null if it was removed and not kept, unless it is in the cache.
  absl::StatusOr<EventPtr> EventAt(int64_t sequence);
  absl::StatusOr<EventPtr> ReadEvent(LogHistory& history, int64_t sequence);
  void SaveIfDue();
  // Where the log ends is noted by the log first: it looks at its own note
  // before it takes an append, at tables nobody may have looked by then.
  absl::Status SaveTables();

  EventLog& events_;
  ObjectStorage& storage_;
  const std::string movie_id_;
  const std::string log_;
  const v1::LogKind kind_;
  const IndexOptions options_;
  LogHistory history_;
  bool opened_ = false;
  SequenceIndex index_;
  int64_t save_from_ = 0;  // no automatic saving before this
  EventCache cache_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_INDEX_LOG_INDEX_H_
