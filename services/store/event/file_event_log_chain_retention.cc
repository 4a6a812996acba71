// Checkpoints of a FileEventLogChain, and removing its files.

#include <algorithm>
#include <optional>

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/file_event_log_chain.h"
#include "services/store/event/log_checkpoint.h"
#include "services/store/event/log_file_removal.h"

namespace kinora {

absl::Status FileEventLogChain::Checkpoint() {
  LogPosition end;
  {
    MutexLock lock(mu_);
    end = live_.end();
    if (live_.empty() || checkpoint_.sequence == end.sequence) {
      return absl::OkStatus();
    }
  }
  KINORA_RETURN_IF_ERROR(SyncLive());
  return WriteCheckpoint(end);
}

void FileEventLogChain::CheckpointIfDue(const LogPosition& end,
                                        const FileEventLogLimits& limits) {
  {
    MutexLock lock(mu_);
    // An archiving in between gave the file a new beginning.
    if (live_.empty() || live_.end().sequence < end.sequence ||
        live_.end_offset() < end.offset) {
      return;
    }
    const int64_t first =
        std::max(checkpoint_.sequence, live_.first_sequence());
    const uint64_t begin = std::max(checkpoint_.offset, live_.begin_offset());
    if (end.offset < begin + limits.checkpoint_bytes &&
        end.sequence < first + limits.checkpoint_records) {
      return;
    }
  }
  const absl::Status status = WriteCheckpoint(end);
  if (!status.ok()) {
    LogWarning("a log got no checkpoint", {{"log", log_}, {"error", status}});
  }
}

std::optional<LogPosition> FileEventLogChain::UnnotedEnd() {
  MutexLock lock(mu_);
  if (!opened_ || !quarantine_.ok() || tail_ != nullptr) return std::nullopt;
  if (live_.last_sequence() == 0 || checkpoint_ == live_.end()) {
    return std::nullopt;
  }
  return live_.end();
}

void FileEventLogChain::CheckpointArchived() {
  LogPosition end;
  {
    MutexLock lock(mu_);
    end = live_.end();
  }
  const absl::Status status = WriteCheckpoint(end);
  if (!status.ok()) {
    LogWarning("a log got no checkpoint", {{"log", log_}, {"error", status}});
  }
}

absl::Status FileEventLogChain::WriteCheckpoint(const LogPosition& end) {
  MutexLock lock(checkpoint_mu_);
  KINORA_RETURN_IF_ERROR(WriteLogCheckpoint(fs_, path_, end));
  MutexLock state(mu_);
  checkpoint_ = end;
  return absl::OkStatus();
}

void FileEventLogChain::BeginRemove() {
  MutexLock lock(gate_mu_);
  while (archiving_) gate_changed_.Wait(gate_mu_);
  archiving_ = true;
  while (appending_ > 0) gate_changed_.Wait(gate_mu_);
}

absl::Status FileEventLogChain::Trim(int64_t through) {
  for (;;) {
    {
      MutexLock lock(mu_);
      // Without records in the live file the newest archive alone knows where
      // the numbers go on.
      const size_t kept = live_.empty() ? 1 : 0;
      if (archives_.size() <= kept ||
          archives_.front().last_sequence() > through) {
        return absl::OkStatus();
      }
      // One step for readers, who open files under the lock.
      KINORA_RETURN_IF_ERROR(fs_.Remove(archives_.front().path()));
      archives_.erase(archives_.begin());
    }
    // Before the next one goes: a gap would be damage.
    KINORA_RETURN_IF_ERROR(fs_.SyncDirectory(directory()));
  }
}

absl::Status FileEventLogChain::RemoveFiles() {
  MutexLock checkpoint(checkpoint_mu_);
  MutexLock lock(mu_);
  writer_.reset();
  KINORA_RETURN_IF_ERROR(RemoveLogFiles(fs_, root_, log_));
  archives_.clear();
  live_ = LogSegment(path_, {.sequence = 1}, 1);
  torn_ = false;
  checkpoint_ = LogPosition();
  tail_ = nullptr;
  damage_ = absl::OkStatus();
  lost_end_ = absl::OkStatus();
  quarantine_ = absl::OkStatus();
  damages_.Forget(log_);
  return absl::OkStatus();
}

}  // namespace kinora
