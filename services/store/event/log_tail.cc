#include "services/store/event/log_tail.h"

#include <utility>
#include <vector>

#include "common/status.h"
#include "services/store/event/event_json.h"

namespace kinora {
namespace {

// Large enough that a read costs little, small enough to hold in memory.
constexpr int64_t kEventsPerRead = 1000;
constexpr int64_t kBytesPerRead = int64_t{1} << 20;

}  // namespace

absl::Status ReadTail(EventLog& events, absl::string_view log, v1::LogKind kind,
                      int64_t through, int64_t* at,
                      absl::FunctionRef<absl::Status(v1::Event)> take) {
  for (;;) {
    if (through != 0 && *at >= through) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(
        std::vector<LogRecord> records,
        events.Read(log, *at, kEventsPerRead, kBytesPerRead));
    if (records.empty()) return absl::OkStatus();
    for (const LogRecord& record : records) {
      if (through != 0 && record.sequence > through) return absl::OkStatus();
      KINORA_ASSIGN_OR_RETURN(v1::Event event,
                              EventFromRecord(log, kind, record));
      KINORA_RETURN_IF_ERROR(take(std::move(event)));
      *at = record.sequence;
    }
  }
}

}  // namespace kinora
