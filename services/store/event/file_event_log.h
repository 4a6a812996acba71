// A FileEventLog keeps logs in files below a root directory, each under its
// key, and one journal for all of them in `<root>/journal`.
//
// The life of an append: callers queue up; the first one leads a group. In the
// order of the queue it asks each caller's Admit and gives out sequence
// numbers, writes one batch with the lines of all to the journal, and syncs it
// once: now they are durable (journal.h). Then the lines are written to the
// files of their logs, unsynced, and become readable; the callers are released
// and waiters told. So 64 callers on 64 logs cost about one sync, and an append
// costs O(its bytes).
//
// When the journal segment reaches a size, or many log files await a sync, a
// new segment is started and the thread whose turn it was syncs these files and
// removes the old segments after its own append is done, beside the appends of
// others. On open, log files are completed from what the journal still holds
// (file_event_log_recovery.h).
//
// A failed write or sync of the journal, or of a log file, makes the log
// read-only: Append() and Archive() return UNAVAILABLE naming the path, reads
// go on, and nothing that was not acknowledged becomes visible. It stays so
// until the store is opened again, when all that was acknowledged is there.
//
// If what failed is that a write found no room on the volume, it stays so until
// there is room again. Each write that is refused looks for it: it writes and
// removes a file of some size, then does what opening does, in place, between
// the calls of others. Opening itself needs room only to take writes: without,
// the log begins read-only, and readers find lines that are only in the journal
// in memory (log_tail.h).
//
// Opening a log reads what follows its checkpoint (log_checkpoint.h), which is
// written by Checkpoint(), each time so much was appended, and by Close() of
// each log that was appended to, or recovered, since the root was opened (of
// logs that are not in memory any more, of the first 16,384).
//
// A damaged log (an interior line with a bad checksum or out of sequence)
// refuses appends with FAILED_PRECONDITION (MOVIE_QUARANTINED) until it is
// repaired and the store is opened again; other logs go on. Reads meet the
// damage as DATA_LOSS (DATA_CORRUPT) naming file and line: damage in an archive
// ends only reads of that archive; damage in the live file, or a gap between
// the files, those of the whole log. A log that ends before its checkpoint, or
// an index of it, has lost acknowledged records: it counts as damaged, what is
// there can be read, and reads beyond its end are DATA_LOSS. Opening reads
// neither archives nor what a checkpoint covers: damage there is found by
// whoever reads it.

#ifndef KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_H_
#define KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "common/files/file_system.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_log_waiters.h"
#include "services/store/event/file_event_log_chain.h"
#include "services/store/event/file_event_log_committer.h"
#include "services/store/event/log_calls.h"
#include "services/store/event/log_checkpoint.h"
#include "services/store/event/log_damages.h"
#include "services/store/event/log_tail.h"
#include "services/store/object/durable_directories.h"
#include "services/store/write_gate.h"

namespace kinora {

struct FileEventLogOptions {
  // Runs the callbacks of NotifyAfter() and MUST outlive the log. Without one
  // they run on the appending thread, after its append.
  Executor* executor = nullptr;

  FileEventLogLimits limits;

  // Shared with what else writes to the volume; without one the log has its
  // own.
  std::shared_ptr<WriteGate> gate;

  // Where appends and syncs are counted; null for nowhere. MUST outlive the
  // log.
  MetricsRegistry* metrics = nullptr;

  // Logs of which state is kept in memory, but for those in use or damaged. One
  // that was forgotten is scanned again at its next use.
  size_t max_cached_logs = 4096;
};

// Thread-safe. REQUIRES: no call is in progress when it is destroyed.
class FileEventLog final : public EventLog {
 public:
  // Makes `root` if needed, locks it against any other FileEventLog, in this
  // process or another, and completes the log files from the journal. `fs` MUST
  // outlive the log. FAILED_PRECONDITION naming the holder if the root is
  // locked, or naming the file if its journal has an unknown version; DATA_LOSS
  // naming file and offset if the journal is damaged before its end, so that it
  // cannot be told which logs that concerns. OK if the volume is full, unless
  // `root` is still to be made or a damaged journal to be mended.
  static absl::StatusOr<std::unique_ptr<FileEventLog>> Open(
      FileSystem& fs, absl::string_view root,
      const FileEventLogOptions& options = {});

  ~FileEventLog() override;

  absl::StatusOr<AppendedRange> Append(absl::string_view log,
                                       absl::Span<const std::string> bodies,
                                       Admit admit) override;
  void AppendAll(absl::Span<AppendCall> calls) override;
  absl::StatusOr<std::vector<LogRecord>> Read(absl::string_view log,
                                              int64_t after, int64_t limit,
                                              int64_t max_bytes) override;
  WaiterId NotifyAfter(absl::string_view log, int64_t after,
                       absl::AnyInvocable<void()> callback) override;
  void CancelNotify(WaiterId id) override;
  absl::StatusOr<LogExtent> Extent(absl::string_view log) override;
  absl::Status FoundDamage(absl::string_view prefix) override {
    return damages_.Below(prefix);
  }

  absl::Status ReportLostEnd(absl::string_view log, int64_t acknowledged,
                             absl::string_view proof) override;

  // Copies the records: O(bytes of the live file). Appends to this log wait
  // meanwhile, others do not.
  absl::Status Archive(absl::string_view log, int64_t through,
                       absl::string_view archive) override;

  // Costs a sync of the live file, not reading it.
  absl::Status Checkpoint(absl::string_view log) override;
  absl::Status Trim(absl::string_view log, int64_t through) override;
  absl::Status Remove(absl::string_view log) override;
  void ForgetPlaces(absl::string_view prefix) override;
  absl::Status Close() override;
  absl::StatusOr<AppendedRange> Restore(
      absl::string_view log, int64_t first_sequence,
      absl::Span<const std::string> bodies) override;

 private:
  using ChainPtr = std::shared_ptr<FileEventLogChain>;

  FileEventLog(FileSystem& fs, absl::string_view root,
               const FileEventLogOptions& options);

  // Completes the log files and begins a journal. RESOURCE_EXHAUSTED if there
  // is no room: then the logs can be read.
  absl::Status Start();

  // Looks for room, and goes on writing if there is some.
  void LookForRoom();
  absl::Status ProbeRoom();

  std::string JournalDirectory() const;

  // The log's state, scanned.
  absl::StatusOr<ChainPtr> Chain(absl::string_view log)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<ChainPtr> ChainForAppend(const AppendCall& call,
                                          const absl::Status& writable)
      ABSL_LOCKS_EXCLUDED(mu_);
  ChainPtr CachedChain(absl::string_view log) ABSL_LOCKS_EXCLUDED(mu_);
  // None of which something is known that another look would not find.
  void ForgetIdleChains() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Keeps for NoteEnds() where a log ends that is about to be forgotten.
  void NoteForgotten(const std::string& log, FileEventLogChain& chain)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes checkpoints of all logs that have gone on since their last.
  absl::Status NoteEnds() ABSL_LOCKS_EXCLUDED(mu_);

  // Whether a log of that key was removed since the store was opened.
  void NoteRemoved(absl::string_view log) ABSL_LOCKS_EXCLUDED(mu_);
  bool WasRemoved(absl::string_view log) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status RunArchive(const ChainPtr& chain, int64_t through,
                          const std::string& path);

  FileSystem& fs_;
  const std::string root_;
  const FileEventLogOptions options_;
  const std::shared_ptr<WriteGate> gate_;
  DurableDirectories directories_;
  std::unique_ptr<FileLock> lock_;
  LogDamages damages_;
  EventLogWaiters waiters_;
  FileEventLogCommitter committer_;
  LogCalls calls_;

  Mutex mu_;
  // Of logs whose files have no room for them.
  LogTails tails_ ABSL_GUARDED_BY(mu_);
  // Of logs that are not in `chains_` and may have no checkpoint at their ends.
  LogEnds unnoted_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, ChainPtr> chains_ ABSL_GUARDED_BY(mu_);
  // Hashes of the keys: runs that are pruned take their ledgers with them, in
  // any number, and outlive here what is cached.
  absl::flat_hash_set<size_t> removed_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_H_
