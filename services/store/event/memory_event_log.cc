#include "services/store/event/memory_event_log.h"

#include <algorithm>
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
    std::vector<std::string>& lines = logs_[log].lines;
    const int64_t last = static_cast<int64_t>(lines.size());
    KINORA_RETURN_IF_ERROR(admit(last));
    range = {.first_sequence = last + 1,
             .last_sequence = last + static_cast<int64_t>(bodies.size())};
    for (const std::string& body : bodies) {
      std::string line;
      AppendLogLine(static_cast<int64_t>(lines.size()) + 1, body, &line);
      line.pop_back();
      lines.push_back(std::move(line));
    }
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
  const std::vector<std::string>& lines = found->second.lines;
  const int64_t last = static_cast<int64_t>(lines.size());
  for (int64_t next = after; next < last && limit > 0 && max_bytes > 0;
       ++next, --limit) {
    records.push_back({.sequence = next + 1, .line = lines[next]});
    max_bytes -= static_cast<int64_t>(lines[next].size());
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
  return found == logs_.end()
             ? 0
             : static_cast<int64_t>(found->second.lines.size());
}

absl::StatusOr<LogExtent> MemoryEventLog::Extent(absl::string_view log) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  const int64_t last = LastSequence(log);
  return LogExtent{.oldest_sequence = last == 0 ? 0 : 1, .last_sequence = last};
}

absl::Status MemoryEventLog::Archive(absl::string_view log, int64_t through,
                                     absl::string_view archive) {
  KINORA_RETURN_IF_ERROR(ValidateArchive(log, archive));
  MutexLock lock(mu_);
  const auto found = logs_.find(log);
  if (found == logs_.end()) return absl::OkStatus();
  Log& moved = found->second;
  through = std::min(through, static_cast<int64_t>(moved.lines.size()));
  if (through <= moved.archived_through) return absl::OkStatus();
  if (!moved.archives.insert(std::string(archive)).second) {
    return absl::AlreadyExistsError(
        absl::StrCat("archive \"", archive, "\" holds other records"));
  }
  moved.archived_through = through;
  return absl::OkStatus();
}

}  // namespace kinora
