#include "services/runner/past/log_intake.h"

#include <algorithm>

namespace kinora {

std::optional<v1::LogAppendedEvent> LogIntake::Take(const std::string& job_id,
                                                    uint32_t attempt,
                                                    const v1::LogLines& batch) {
  Attempt& its = attempts_[job_id];
  if (its.number != attempt) {
    its.number = attempt;
    its.base = batch.channel_offset() == 0 ? log_.taken(job_id) : 0;
  }
  const int64_t offset = std::max<int64_t>(0, batch.channel_offset());
  return log_.TakeAt(job_id, its.base + offset, batch.lines());
}

void LogIntake::RecallReported(const v1::LogAppendedEvent& event) {
  v1::LogAppendedEvent lines = event;
  lines.clear_channel_offset();
  log_.Recall(lines);
}

}  // namespace kinora
