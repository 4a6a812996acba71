// A FileEventLogCommitter takes the appends of all logs through the journal:
// the write path of a FileEventLog, whose header tells the life of an append.

#ifndef KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_COMMITTER_H_
#define KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_COMMITTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "common/files/file_system.h"
#include "common/telemetry/metrics.h"
#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_log_group_commit.h"
#include "services/store/event/event_log_waiters.h"
#include "services/store/event/file_event_log_chain.h"
#include "services/store/event/journal.h"
#include "services/store/write_gate.h"

namespace kinora {

// Thread-safe.
class FileEventLogCommitter {
 public:
  // Borrows `fs` and `waiters`, which hear of every append, and `metrics`,
  // which may be null. Closes the gate when a write fails.
  FileEventLogCommitter(FileSystem& fs, std::shared_ptr<WriteGate> gate,
                        const FileEventLogLimits& limits,
                        EventLogWaiters& waiters, MetricsRegistry* metrics);

  // Begins, or begins anew, with a journal; all that was written before is
  // synced. REQUIRES: the gate was closed until then, if there was no journal,
  // and no other call is in progress.
  void Begin(std::unique_ptr<Journal> journal);

  // An append and the log that it goes to.
  struct ChainAppend {
    std::shared_ptr<FileEventLogChain> chain;
    EventLog::AppendCall* call;
    // Not 0 for EventLog::Restore(): the number of the first record.
    int64_t restore_from = 0;
  };

  // Makes the records durable and readable. Status codes as of
  // EventLog::Append(). REQUIRES: valid arguments, and the caller is between
  // BeginAppend() and EndAppend() of each chain.
  void Append(absl::Span<const ChainAppend> appends);

  // Makes durable that the live file needs nothing of what was journaled for it
  // so far. REQUIRES: the live file is synced, and the caller is between
  // BeginArchive() and EndArchive() of the chain.
  absl::Status MarkSynced(const std::shared_ptr<FileEventLogChain>& chain);

  // Makes durable that the log is removed, with all that was journaled for it
  // so far. REQUIRES: NoteLogRemoval() noted it, and the caller is between
  // BeginRemove() and EndArchive().
  absl::Status MarkRemoved(const std::shared_ptr<FileEventLogChain>& chain);

  // Syncs what is unsynced and removes the journal, of which nothing is needed
  // then. Nothing is changed if something was poisoned: that status.
  // REQUIRES: no other call is in progress or comes after.
  absl::Status Retire();

  // UNAVAILABLE once something was poisoned.
  absl::Status CheckWritable() { return gate_->Check(); }

  // Ends all writing for that reason. Returns what CheckWritable() says now.
  absl::Status Poison(const absl::Status& reason) {
    return gate_->Close(reason);
  }

  // The same, but only until there is room if want of it is the reason. What
  // failed MUST be known then, so that opening the log anew makes it whole.
  absl::Status StopFor(const absl::Status& reason) {
    return absl::IsResourceExhausted(reason) ? gate_->CloseUntilRoom(reason)
                                             : gate_->Close(reason);
  }

 private:
  using ChainPtr = std::shared_ptr<FileEventLogChain>;
  struct Commit;
  class Group;

  struct Metrics {
    explicit Metrics(MetricsRegistry& registry);

    Counter& appends;
    Counter& events;
    Histogram& group_appends;
    Histogram& commit_seconds;
  };

  // A log file written since the segment was started.
  struct UnsyncedLog {
    ChainPtr chain;
    std::shared_ptr<WritableFile> file;
  };
  using UnsyncedLogs = absl::flat_hash_map<FileEventLogChain*, UnsyncedLog>;

  // The log files to sync, after which the segments below are not needed.
  struct Checkpoint {
    UnsyncedLogs logs;
    uint64_t first_needed_segment = 0;
  };

  absl::Status Mark(const ChainPtr& chain, JournalRecord::Kind kind);

  // Brings `commits` through the journal and does what falls to this thread.
  void Run(absl::Span<Commit> commits);

  absl::Status WriteJournal(Group* group);

  // The step of the group commit.
  void Lead(Group* group, std::unique_ptr<Checkpoint>* checkpoint);

  // Starts a segment if it is time, and says what is to be done then. Waits if
  // the checkpoint before is late.
  absl::Status StartSegmentIfDue(std::unique_ptr<Checkpoint>* checkpoint);

  void Finish(Checkpoint* checkpoint);
  absl::Status SyncLogs(const Checkpoint& checkpoint);

  FileSystem& fs_;
  const std::shared_ptr<WriteGate> gate_;
  const FileEventLogLimits limits_;
  EventLogWaiters& waiters_;
  EventLogGroupCommit group_commit_;
  std::optional<Metrics> metrics_;

  // Used by the leader of the moment only; the group commit hands them on.
  std::unique_ptr<Journal> journal_;
  UnsyncedLogs unsynced_;

  Mutex mu_;
  CondVar checkpoint_done_;
  bool checkpoint_running_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_COMMITTER_H_
