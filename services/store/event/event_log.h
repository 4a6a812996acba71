// An EventLog keeps any number of named append-only logs of JSON lines.
// Drivers: MemoryEventLog, FileEventLog; every driver passes
// tests/contract/event_log_contract.h.
//
// A log is named by its object key `<directory>/<stem>.log`, such as
// `builds/film/events/inputs.log`, with no dot in the stem; it comes into being
// with its first append. A record is one JSON object. The driver adds its first
// member, `"seq"`, and its last, `"crc32c"` (services/store/event/log_line.h),
// and never changes a line again.
//
// Promises: an acknowledged append is on stable storage; sequence numbers start
// at 1 and are dense per log, also across archiving and restarts; a record is
// readable once it is durable and not before; a torn last line is dropped on
// open, damage elsewhere is DATA_LOSS (DATA_CORRUPT) naming file and line.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_LOG_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace kinora {

// One record as stored.
struct LogRecord {
  int64_t sequence = 0;
  std::string line;  // the whole JSON object with seq and crc32c, no newline
};

// How far a log goes; all zero for an empty one.
struct LogExtent {
  int64_t oldest_sequence = 0;
  int64_t last_sequence = 0;
};

// What an append did.
struct AppendedRange {
  int64_t first_sequence = 0;
  int64_t last_sequence = 0;
};

// Thread-safe.
class EventLog {
 public:
  using WaiterId = uint64_t;

  // Decides in the append's critical section, given the log's last sequence,
  // whether the append goes ahead; its error is returned by Append() and
  // nothing is written. Runs on any thread; MUST NOT call the EventLog.
  using Admit = absl::FunctionRef<absl::Status(int64_t last_sequence)>;

  virtual ~EventLog() = default;

  // Appends records, all or none, with consecutive sequence numbers. Each body
  // is a JSON object in one line that has neither a "seq" nor a "crc32c".
  // Returns once they are durable. Concurrent appends to any logs share one
  // sync.
  //
  // INVALID_ARGUMENT naming "log" or "bodies" for a malformed argument;
  // FAILED_PRECONDITION with the reason MOVIE_QUARANTINED once the log, live or
  // archived, was found damaged; UNAVAILABLE once the volume has failed a
  // write. After UNAVAILABLE the records may be there when the store is opened
  // again, as after any crash in the middle of a call; until then nobody sees
  // them.
  virtual absl::StatusOr<AppendedRange> Append(
      absl::string_view log, absl::Span<const std::string> bodies,
      Admit admit) = 0;

  // One append of several. `log`, `bodies` and `admit` as of Append().
  struct AppendCall {
    absl::string_view log;
    absl::Span<const std::string> bodies;
    Admit admit;
    absl::StatusOr<AppendedRange> result = absl::UnknownError("not appended");
  };

  // Does each append as Append() would and puts its answer into `result`; those
  // to one log happen in their order. They share a sync where they can. A
  // refused one does not keep the others back.
  virtual void AppendAll(absl::Span<AppendCall> calls);

  // Records after `after`, in order, at most `limit` of them and about
  // `max_bytes` bytes (at least one record if there is any). Never waits; an
  // empty result means that `after` is the end, or that the log is empty.
  // OUT_OF_RANGE if the record after `after` has been removed, DATA_LOSS
  // (DATA_CORRUPT) naming file and line if it is damaged, INVALID_ARGUMENT
  // naming "log", "after", "limit" or "max_bytes" for a malformed argument.
  virtual absl::StatusOr<std::vector<LogRecord>> Read(absl::string_view log,
                                                      int64_t after,
                                                      int64_t limit,
                                                      int64_t max_bytes) = 0;

  // Calls `callback` once, soon after the log has a durable record beyond
  // `after` (at once if it has one already, or if that cannot be told because
  // the log is damaged or cannot be read). Registers one waiter, costs no
  // thread. The callback MUST be short and not block.
  //
  // Callbacks run on the driver's Executor. A driver made without one runs them
  // on the appending thread, and "at once" is before this call returns: then
  // MUST NOT hold a lock that the callback takes.
  virtual WaiterId NotifyAfter(absl::string_view log, int64_t after,
                               absl::AnyInvocable<void()> callback) = 0;

  // Drops a waiter. When it returns, the callback either has finished or will
  // never run. REQUIRES: not called from that callback.
  virtual void CancelNotify(WaiterId id) = 0;

  virtual absl::StatusOr<LogExtent> Extent(absl::string_view log) = 0;

  // DATA_LOSS (DATA_CORRUPT) naming file and line if a log whose key begins
  // with `prefix` was found damaged since the driver was opened. Looks for
  // none; short and never blocks.
  virtual absl::Status FoundDamage(absl::string_view /*prefix*/) {
    return absl::OkStatus();
  }

  // Told that records up to `acknowledged`, beyond the log's end, were read
  // from it before, as the file `proof` shows: answers DATA_LOSS (DATA_CORRUPT)
  // naming the log and both numbers. A driver that finds damage itself takes
  // the log for damaged from then on, also one without any record; unless it
  // has removed the log, as with its movie: that is what the caller has missed.
  virtual absl::Status ReportLostEnd(absl::string_view log,
                                     int64_t acknowledged,
                                     absl::string_view proof);

  // Moves the records up to `through` out of the live log into an archive, in
  // one recoverable step. They stay readable, and sequence numbers go on.
  // `archive` is the archive's key, such as
  // `builds/film/events/rev-0005.inputs.jsonl`: in general, for the live log
  // `<directory>/<stem>.log`, it is `<directory>/<anything>.<stem>.jsonl`.
  // Repeating it is harmless; a log without such records gets no archive.
  // INVALID_ARGUMENT naming "archive" for another key, ALREADY_EXISTS if the
  // archive holds other records; further errors as of Append().
  virtual absl::Status Archive(absl::string_view log, int64_t through,
                               absl::string_view archive) = 0;

  // Remembers durably how far the live log has been checked, so that a later
  // open reads only what comes after. Changes nothing that can be asked; a
  // driver whose open does not read does nothing.
  virtual absl::Status Checkpoint(absl::string_view log) = 0;

  // Removes the archives that end at or before `through`, oldest first. They go
  // whole, and the newest one stays while the live log has no records, so that
  // numbers go on. Reads before the oldest record left are OUT_OF_RANGE.
  // Cut by a crash it has removed some of them. Errors as of Append().
  virtual absl::Status Trim(absl::string_view log, int64_t through) = 0;

  // Removes the log with its archives, also a damaged one; its name is free for
  // a new log, which begins at 1. Calls all its waiters, who find out by
  // reading. OK if there is no such log.
  virtual absl::Status Remove(absl::string_view log) = 0;

  // Nobody appends to a log below `prefix`, which ends in '/', before others
  // may have removed what lies around removed logs there, such as empty
  // directories.
  virtual void ForgetPlaces(absl::string_view /*prefix*/) {}

  // A clean end: what the driver keeps is complete without any recovery, so
  // that its files may be copied and put back. REQUIRES: no call is in
  // progress, and none but the destructor comes after.
  virtual absl::Status Close() { return absl::OkStatus(); }

  // Appends to a log that does not exist, so that its first record has the
  // number `first_sequence`: for a copy of a log whose beginning was trimmed.
  // ALREADY_EXISTS if the log has, or had, records; INVALID_ARGUMENT naming
  // "first_sequence" if it is not positive; else as Append().
  virtual absl::StatusOr<AppendedRange> Restore(
      absl::string_view log, int64_t first_sequence,
      absl::Span<const std::string> bodies) = 0;
};

// Goes ahead whatever the last sequence.
inline absl::Status AdmitAlways(int64_t) { return absl::OkStatus(); }

// The checks that every driver makes of its arguments.
absl::Status ValidateLogKey(absl::string_view log);
absl::Status ValidateAppend(absl::string_view log,
                            absl::Span<const std::string> bodies);
absl::Status ValidateRead(absl::string_view log, int64_t after, int64_t limit,
                          int64_t max_bytes);
absl::Status ValidateArchive(absl::string_view log, absl::string_view archive);
absl::Status ValidateRestore(absl::string_view log, int64_t first_sequence,
                             absl::Span<const std::string> bodies);

// What archives of the log are called beside it: ".inputs.jsonl" for
// "builds/film/events/inputs.log". REQUIRES: a valid log key.
std::string ArchiveSuffix(absl::string_view log);

// What Read() answers if the record it was asked for has been removed.
absl::Status RecordRemoved(absl::string_view log, int64_t wanted,
                           int64_t oldest);

// "the records 3 to 4 are missing ..." of those that belong between two files.
std::string RecordsMissing(int64_t first, int64_t last,
                           absl::string_view file_before,
                           absl::string_view file_after);

// "... ends with record 3, but 5 was acknowledged: ..." of a log that has lost
// its end; `file` is the last one it has, `proof` what shows it.
absl::Status EndLost(absl::string_view file, int64_t last, int64_t acknowledged,
                     absl::string_view proof);

// "... is missing, where record 4 is due, ..." of one whose file is gone with
// the records from `due` on.
absl::Status FileLost(absl::string_view file, int64_t due, int64_t acknowledged,
                      absl::string_view proof);

// What Restore() answers for a log that ends at `last_sequence`.
absl::Status LogExists(absl::string_view log, int64_t last_sequence);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_LOG_H_
