// A LogRestoration appends the records of one log again, from the parts of a
// copy. Each line is checked, and the log gets the same bytes.

#ifndef KINORA_SERVICES_STORE_BACKUP_LOG_RESTORATION_H_
#define KINORA_SERVICES_STORE_BACKUP_LOG_RESTORATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/event_log.h"

namespace kinora {

// Not thread-safe.
class LogRestoration {
 public:
  // Looks at an event before it is appended, and says into which archive the
  // records up to it go; empty for none.
  using Look =
      absl::AnyInvocable<absl::StatusOr<std::string>(const v1::Event& event)>;

  // The log `key` does not exist, and will hold the records of `extent`. What
  // the parts have behind it is damage, or is left out if `is_cut`. `log` MUST
  // outlive this.
  LogRestoration(EventLog& log, std::string key, v1::LogKind kind,
                 const LogExtent& extent, bool is_cut, Look look);

  // The lines of the part `member`. CopyDamaged() unless they are sound and
  // follow those before, and the part is named for the first one.
  absl::Status Take(const std::string& member, absl::string_view lines);

  // CopyDamaged() unless all records are there.
  absl::Status Finish() const;

 private:
  absl::Status TakeLine(const std::string& member, absl::string_view line);
  absl::Status AppendTaken();
  bool LeavesOut() const { return is_cut_ && next_ > extent_.last_sequence; }

  EventLog& log_;
  const std::string key_;
  const v1::LogKind kind_;
  const LogExtent extent_;
  const bool is_cut_;
  Look look_;
  int64_t next_ = 0;                 // the record that is due
  int64_t appended_ = 0;             // the last one in the log
  std::vector<std::string> bodies_;  // to be appended
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_LOG_RESTORATION_H_
