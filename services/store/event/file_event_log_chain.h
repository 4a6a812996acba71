// A FileEventLogChain is one log on the disk: the live file, to which lines are
// appended, and the archives before it, as one space of sequence numbers.
//
// Files, all in the directory of the live one:
//
//   <stem>.log               live
//   <stem>.checkpoint        how far the live one was checked, if it is there
//                            (log_checkpoint.h)
//   <stem>.removal           while all of these are removed
//                            (log_file_removal.h)
//   <anything>.<stem>.jsonl  archives, in the order of their first records
//   ...~                     a copy that a crash left behind; removed and made
//   anew
//
// Archiving copies records to a new archive, synced and published by a rename,
// and then replaces the live file by one with the rest. A crash in between
// leaves records in both: in the live file they are passed over on open.

#ifndef KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_CHAIN_H_
#define KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_CHAIN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_damages.h"
#include "services/store/event/log_segment.h"
#include "services/store/event/log_tail.h"
#include "services/store/object/durable_directories.h"

namespace kinora {

// When the log files are synced and the journal goes on in a new segment.
struct FileEventLogLimits {
  // A segment is closed at this size. It bounds the disk space of the journal
  // (about twice this) and the time to open after a crash; each time it is
  // reached costs one sync for each log file written meanwhile.
  uint64_t journal_segment_bytes = 64 << 20;

  // A segment is also closed when so many log files await their sync, each of
  // which keeps a file open.
  size_t max_unsynced_logs = 256;

  // A log of which so much was synced since its last checkpoint gets a new one
  // (log_checkpoint.h): it bounds what opening the log reads.
  uint64_t checkpoint_bytes = 64 << 20;
  int64_t checkpoint_records = 200'000;
};

// Thread-safe, but that one thread at a time appends lines, and none while one
// archives. Memory is the sparse index of what was appended, or read by Open().
class FileEventLogChain {
 public:
  // Borrows the first three. `log` is the log's key, below `root`; `tail` the
  // end of the live file that it has no room for, or null.
  FileEventLogChain(FileSystem& fs, DurableDirectories& directories,
                    LogDamages& damages, absl::string_view root,
                    absl::string_view log, std::shared_ptr<const LogTail> tail);

  const std::string& log() const { return log_; }
  std::string directory() const { return std::string(ParentPath(path_)); }

  // Scans the live file from its checkpoint on and looks at the archives;
  // nothing from the second call on. REQUIRES: it has returned OK before any
  // other method is called. OK also for a damaged log, whose other methods then
  // fail; not if the disk fails to read it, which may pass. Changes no file: a
  // torn last line is passed over, and cut off before the next append.
  absl::Status Open();

  // DATA_LOSS (DATA_CORRUPT) if the log is damaged, or has lost its end.
  absl::StatusOr<LogExtent> Extent();

  // As EventLog::ReportLostEnd(). If the log `was_removed` since the store was
  // opened, what was read of it may be of the time before: that is no damage.
  absl::Status ReportLostEnd(int64_t acknowledged, absl::string_view proof,
                             bool was_removed);

  // True once writing has ended because of damage: opening the log again might
  // not find it.
  bool IsQuarantined();

  // As EventLog::Read(). Damage in any of its files ends writing to the log;
  // damage in the live file also reading, as if Open() had found it.
  absl::StatusOr<std::vector<LogRecord>> Read(int64_t after, LogBudget budget);

  // Waits for an archiving in progress and keeps the next one out; many threads
  // may be between the two. FAILED_PRECONDITION (MOVIE_QUARANTINED), and
  // nothing to end, if the log is damaged. Makes the live file, so that an
  // append does not wait for it.
  absl::Status BeginAppend();
  void EndAppend();

  // Where the next record goes, in the live file. REQUIRES: between BeginAppend
  // and EndAppend, on the one thread that appends.
  LogPosition Next();

  // Appends durable lines to the live file and lets readers see them. The
  // number of the first is that of Next(), or any if there is no record.
  // Returns the file, which is to be synced. After an error nobody may append
  // again. REQUIRES: as Next().
  absl::StatusOr<std::shared_ptr<WritableFile>> AppendLines(
      int64_t first_sequence, absl::string_view lines);

  // Takes lines for which AppendLines() found no room, so that they can be
  // read. Nobody may append again. REQUIRES: as AppendLines().
  void HoldLines(int64_t first_sequence, absl::string_view lines);

  // Closes the live file unless somebody but the caller uses it.
  void CloseIfIdle(const std::shared_ptr<WritableFile>& file);

  // Syncs the live file and writes a checkpoint of it. REQUIRES: between
  // BeginAppend() and EndAppend().
  absl::Status Checkpoint();

  // Writes a checkpoint if it is time. A failure is logged: nothing depends on
  // it. REQUIRES: the records before `end` are synced.
  void CheckpointIfDue(const LogPosition& end,
                       const FileEventLogLimits& limits);

  // Where the log ends, if no checkpoint says so and it has records. None for a
  // log that was not opened, is damaged, or has records that its file lacks.
  std::optional<LogPosition> UnnotedEnd();

  // Writes a checkpoint of the live file that DropArchived() has made, so that
  // also the end of the archive is known. A failure is logged. REQUIRES:
  // between BeginArchive() and EndArchive().
  void CheckpointArchived();

  // Waits until nobody appends or archives, and keeps both out.
  absl::Status BeginArchive();
  // The same for a log in whatever state, to be removed.
  void BeginRemove();
  void EndArchive();

  // The steps of archiving, in order, between BeginArchive and EndArchive.
  // False if the live file has no record up to `through`.
  absl::StatusOr<bool> StartArchive(int64_t through);
  // Syncs the live file.
  absl::Status SyncLive();
  // Copies the records to a file beside `path`, synced.
  absl::Status StageArchive(const std::string& path);
  // Gives the copy the name `path`, durably. ALREADY_EXISTS if it is taken.
  absl::Status PublishArchive(const std::string& path);
  // Replaces the live file by one with the remaining records.
  absl::Status DropArchived(const std::string& path);

  // Removes archives as EventLog::Trim() does. REQUIRES: between BeginArchive()
  // and EndArchive().
  absl::Status Trim(int64_t through);

  // Removes all files; the log is then a new one. REQUIRES: between
  // BeginRemove() and EndArchive().
  absl::Status RemoveFiles();

 private:
  // A file and the records to read from it.
  struct Source {
    std::unique_ptr<RandomAccessFile> file;
    LogRange range;
  };

  absl::Status OpenLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status FindArchives() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status OpenWriter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(
      const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes lines readable, wherever they were put.
  void AddLines(int64_t first_sequence, absl::string_view lines)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Closes a live file that was opened and not written.
  void CloseIfUnused() ABSL_LOCKS_EXCLUDED(mu_);
  // Ends writing to the log because of the damage `found`, and says so with the
  // reason DATA_CORRUPT.
  absl::Status Quarantine(const absl::Status& found)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // That records up to `acknowledged` should be there.
  absl::Status LostEnd(int64_t acknowledged, absl::string_view proof) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The refusal to write to a damaged log.
  absl::Status Quarantined(absl::string_view what) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  LogExtent ExtentLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Where record `wanted` is; none if it is still to come.
  absl::StatusOr<std::optional<Source>> Locate(int64_t wanted)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What a read that found damage answers: the damage by file and line.
  absl::Status Damaged(const Source& source, const absl::Status& found)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status WriteCheckpoint(const LogPosition& end)
      ABSL_LOCKS_EXCLUDED(mu_, checkpoint_mu_);
  absl::Status CopyLive(uint64_t begin, uint64_t end, const std::string& to);

  FileSystem& fs_;
  DurableDirectories& directories_;
  LogDamages& damages_;
  const std::string root_;
  const std::string log_;
  const std::string path_;  // of the live file

  // The gate between appending and archiving. Never taken under mu_.
  Mutex gate_mu_;
  CondVar gate_changed_;
  int appending_ ABSL_GUARDED_BY(gate_mu_) = 0;
  bool archiving_ ABSL_GUARDED_BY(gate_mu_) = false;

  // Of the archiving in progress: the last record to go, and where it ends.
  // Only the thread that archives uses them.
  int64_t archive_through_ = 0;
  uint64_t archive_end_ = 0;

  // Held while a checkpoint is written. Never taken under mu_.
  Mutex checkpoint_mu_;

  // Held for short: the thread that appends for all logs takes it.
  Mutex mu_;
  bool opened_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status damage_ ABSL_GUARDED_BY(mu_);      // nothing can be read
  absl::Status lost_end_ ABSL_GUARDED_BY(mu_);    // nothing beyond the end
  absl::Status quarantine_ ABSL_GUARDED_BY(mu_);  // nothing can be written
  std::vector<LogSegment> archives_ ABSL_GUARDED_BY(mu_);  // ascending
  LogSegment live_ ABSL_GUARDED_BY(mu_);
  bool torn_ ABSL_GUARDED_BY(mu_) = false;  // bytes behind live_
  std::shared_ptr<const LogTail> tail_ ABSL_GUARDED_BY(mu_);  // of live_
  LogPosition checkpoint_
      ABSL_GUARDED_BY(mu_);  // of the live file, on the disk
  std::shared_ptr<WritableFile> writer_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_CHAIN_H_
