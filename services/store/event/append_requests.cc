#include "services/store/event/append_requests.h"

#include <algorithm>
#include <vector>

#include "common/status.h"
#include "services/store/event/event_json.h"

namespace kinora {

absl::StatusOr<AppendRequests::Begun> AppendRequests::Begin(
    EventLog& events, absl::string_view log, const std::string& request_id,
    bool wait) {
  MutexLock lock(mu_);
  while (under_way_.contains(request_id)) {
    if (!wait) return Begun{.done = std::nullopt, .busy = true};
    ended_.Wait(mu_);
  }
  KINORA_RETURN_IF_ERROR(Recover(events, log));
  auto found = done_.find(request_id);
  if (found != done_.end()) return Begun{.done = found->second};
  under_way_.insert(request_id);
  return Begun();
}

void AppendRequests::End(const std::string& request_id,
                         const AppendedRange* range) {
  MutexLock lock(mu_);
  under_way_.erase(request_id);
  if (range != nullptr) Remember(request_id, *range);
  ended_.SignalAll();
}

absl::Status AppendRequests::Recover(EventLog& events, absl::string_view log) {
  if (recovered_) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(LogExtent extent, events.Extent(log));
  int64_t at = std::max({extent.last_sequence - kRememberedEvents,
                         extent.oldest_sequence - 1, int64_t{0}});
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(std::vector<LogRecord> records,
                            events.Read(log, at, 1000, int64_t{1} << 20));
    if (records.empty()) break;
    for (const LogRecord& record : records) {
      at = record.sequence;
      std::optional<RequestMark> mark = RequestMarkOf(record.line);
      if (!mark.has_value()) continue;
      Remember(mark->request_id,
               {record.sequence - mark->events + 1, record.sequence});
    }
  }
  recovered_ = true;
  return absl::OkStatus();
}

void AppendRequests::Remember(const std::string& request_id,
                              const AppendedRange& range) {
  if (!done_.try_emplace(request_id, range).second) return;
  oldest_first_.push_back(request_id);
  // Appends of others without an id are not seen here: those that are told
  // apart by them are remembered a little longer.
  const int64_t forgotten = range.last_sequence - kRememberedEvents;
  while (done_.find(oldest_first_.front())->second.last_sequence <= forgotten) {
    done_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  size_.store(done_.size(), std::memory_order_relaxed);
}

}  // namespace kinora
