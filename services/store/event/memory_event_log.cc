#include "services/store/event/memory_event_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/event/log_line.h"

namespace kinora {

absl::StatusOr<AppendedRange> MemoryEventLog::Append(
    absl::string_view log, absl::Span<const std::string> bodies, Admit admit) {
  KINORA_RETURN_IF_ERROR(ValidateAppend(log, bodies));
  AppendedRange range;
  {
    MutexLock lock(mu_);
    Log& appended = logs_[log];
    KINORA_RETURN_IF_ERROR(admit(appended.last_sequence()));
    range = AppendLines(bodies, &appended);
  }
  waiters_.Notify(log, range.last_sequence);
  return range;
}

AppendedRange MemoryEventLog::AppendLines(absl::Span<const std::string> bodies,
                                          Log* log) {
  const int64_t first = log->last_sequence() + 1;
  for (const std::string& body : bodies) {
    std::string line;
    AppendLogLine(log->last_sequence() + 1, body, &line);
    line.pop_back();
    log->lines.push_back(std::move(line));
  }
  return {.first_sequence = first, .last_sequence = log->last_sequence()};
}

absl::StatusOr<AppendedRange> MemoryEventLog::Restore(
    absl::string_view log, int64_t first_sequence,
    absl::Span<const std::string> bodies) {
  KINORA_RETURN_IF_ERROR(ValidateRestore(log, first_sequence, bodies));
  AppendedRange range;
  {
    MutexLock lock(mu_);
    Log& restored = logs_[log];
    if (restored.last_sequence() > 0) {
      return LogExists(log, restored.last_sequence());
    }
    restored.first_sequence = first_sequence;
    range = AppendLines(bodies, &restored);
  }
  waiters_.Notify(log, range.last_sequence);
  return range;
}

absl::StatusOr<std::vector<LogRecord>> MemoryEventLog::Read(
    absl::string_view log, int64_t after, int64_t limit, int64_t max_bytes) {
  KINORA_RETURN_IF_ERROR(ValidateRead(log, after, limit, max_bytes));
  std::vector<LogRecord> records;
  MutexLock lock(mu_);
  const auto found = logs_.find(log);
  if (found == logs_.end()) return records;
  const Log& read = found->second;
  if (after >= read.last_sequence()) return records;
  if (after + 1 < read.first_sequence) {
    return RecordRemoved(log, after + 1, read.first_sequence);
  }
  for (int64_t next = after + 1;
       next <= read.last_sequence() && limit > 0 && max_bytes > 0;
       ++next, --limit) {
    const std::string& line = read.lines[next - read.first_sequence];
    records.push_back({.sequence = next, .line = line});
    max_bytes -= static_cast<int64_t>(line.size());
  }
  return records;
}

EventLog::WaiterId MemoryEventLog::NotifyAfter(
    absl::string_view log, int64_t after, absl::AnyInvocable<void()> callback) {
  const WaiterId id = waiters_.Add(log, after, std::move(callback));
  waiters_.Notify(log, LastSequence(log));
  return id;
}

void MemoryEventLog::CancelNotify(WaiterId id) { waiters_.Cancel(id); }

int64_t MemoryEventLog::LastSequence(absl::string_view log) {
  MutexLock lock(mu_);
  const auto found = logs_.find(log);
  return found == logs_.end() ? 0 : found->second.last_sequence();
}

absl::StatusOr<LogExtent> MemoryEventLog::Extent(absl::string_view log) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  MutexLock lock(mu_);
  const auto found = logs_.find(log);
  if (found == logs_.end() || found->second.lines.empty()) return LogExtent();
  return LogExtent{.oldest_sequence = found->second.first_sequence,
                   .last_sequence = found->second.last_sequence()};
}

absl::Status MemoryEventLog::Archive(absl::string_view log, int64_t through,
                                     absl::string_view archive) {
  KINORA_RETURN_IF_ERROR(ValidateArchive(log, archive));
  MutexLock lock(mu_);
  const auto found = logs_.find(log);
  if (found == logs_.end()) return absl::OkStatus();
  Log& moved = found->second;
  through = std::min(through, moved.last_sequence());
  if (through <= moved.archived_through || through < moved.first_sequence) {
    return absl::OkStatus();
  }
  for (const Archived& other : moved.archives) {
    if (other.name != archive) continue;
    return absl::AlreadyExistsError(
        absl::StrCat("archive \"", archive, "\" holds other records"));
  }
  moved.archives.push_back(
      {.name = std::string(archive), .last_sequence = through});
  moved.archived_through = through;
  return absl::OkStatus();
}

absl::Status MemoryEventLog::Checkpoint(absl::string_view log) {
  return ValidateLogKey(log);
}

absl::Status MemoryEventLog::Trim(absl::string_view log, int64_t through) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  MutexLock lock(mu_);
  const auto found = logs_.find(log);
  if (found == logs_.end()) return absl::OkStatus();
  Log& trimmed = found->second;
  while (!trimmed.archives.empty()) {
    const int64_t last = trimmed.archives.front().last_sequence;
    if (last > through || last == trimmed.last_sequence()) break;
    while (trimmed.first_sequence <= last) {
      trimmed.lines.pop_front();
      ++trimmed.first_sequence;
    }
    trimmed.archives.erase(trimmed.archives.begin());
  }
  return absl::OkStatus();
}

absl::Status MemoryEventLog::Remove(absl::string_view log) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  {
    MutexLock lock(mu_);
    logs_.erase(log);
  }
  waiters_.Notify(log, std::numeric_limits<int64_t>::max());
  return absl::OkStatus();
}

}  // namespace kinora
