// The archiving of a FileEventLogChain.

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/event/file_event_log_chain.h"

namespace kinora {
namespace {

constexpr uint64_t kCopyBytes = 1 << 20;

// '~' is in no key, so no archive and no object is called so.
std::string StagedPath(const std::string& path) {
  return absl::StrCat(path, "~");
}

}  // namespace

absl::Status FileEventLogChain::BeginArchive() {
  BeginRemove();
  absl::Cleanup leave = [this] { EndArchive(); };
  MutexLock lock(mu_);
  if (!quarantine_.ok()) {
    return Quarantined("cannot be archived");
  }
  std::move(leave).Cancel();
  return absl::OkStatus();
}

void FileEventLogChain::EndArchive() {
  CloseIfUnused();
  MutexLock lock(gate_mu_);
  archiving_ = false;
  gate_changed_.SignalAll();
}

absl::StatusOr<bool> FileEventLogChain::StartArchive(int64_t through) {
  MutexLock lock(mu_);
  archive_through_ = std::min(through, live_.last_sequence());
  if (live_.empty() || archive_through_ < live_.first_sequence()) return false;
  archive_end_ = live_.end_offset();
  if (archive_through_ == live_.last_sequence()) return true;
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                          fs_.OpenForRead(path_));
  KINORA_ASSIGN_OR_RETURN(
      archive_end_,
      FindLogRecord(*file, live_.RangeFrom(archive_through_ + 1)));
  return true;
}

absl::Status FileEventLogChain::SyncLive() {
  std::shared_ptr<WritableFile> writer;
  {
    MutexLock lock(mu_);
    if (writer_ == nullptr) KINORA_RETURN_IF_ERROR(OpenWriter());
    writer = writer_;
  }
  KINORA_RETURN_IF_ERROR(writer->Sync());
  return fs_.SyncDirectory(ParentPath(path_));
}

absl::Status FileEventLogChain::StageArchive(const std::string& path) {
  uint64_t begin = 0;
  {
    MutexLock lock(mu_);
    begin = live_.begin_offset();
  }
  return CopyLive(begin, archive_end_, StagedPath(path));
}

absl::Status FileEventLogChain::PublishArchive(const std::string& path) {
  const std::string staged = StagedPath(path);
  const absl::Status status = fs_.RenameIfAbsent(staged, path);
  if (!status.ok()) {
    fs_.Remove(staged).IgnoreError();
    return status;
  }
  return fs_.SyncDirectory(ParentPath(path));
}

absl::Status FileEventLogChain::DropArchived(const std::string& path) {
  uint64_t end = 0;
  {
    MutexLock lock(mu_);
    end = live_.end_offset();
  }
  const std::string staged = StagedPath(path_);
  KINORA_RETURN_IF_ERROR(CopyLive(archive_end_, end, staged));
  // Reads the copy back, for its index and to be sure of it before the only
  // other copy goes.
  KINORA_ASSIGN_OR_RETURN(LogScan rest,
                          ScanLogFile(fs_, staged, archive_through_, {}));
  LogSegment live = std::move(rest.segment).MovedTo(path_);

  {
    MutexLock lock(mu_);
    if (live.last_sequence() != live_.last_sequence()) {
      return absl::DataLossError(
          absl::StrCat(staged, ": it ends with record ", live.last_sequence(),
                       ", not with ", live_.last_sequence()));
    }
    // One step for readers, who open files under the lock.
    KINORA_RETURN_IF_ERROR(fs_.Rename(staged, path_));
    archives_.push_back(
        LogSegment::Unindexed(path, {.sequence = live_.first_sequence()}, 1,
                              {.sequence = archive_through_ + 1,
                               .offset = archive_end_ - live_.begin_offset()}));
    live_ = std::move(live);
    checkpoint_ = LogPosition();
    writer_.reset();
  }
  return fs_.SyncDirectory(ParentPath(path_));
}

absl::Status FileEventLogChain::CopyLive(uint64_t begin, uint64_t end,
                                         const std::string& to) {
  // Never truncated: a crash within RenameIfAbsent() may have left it as a
  // second name of a finished archive.
  const absl::Status removed = fs_.Remove(to);
  if (!absl::IsNotFound(removed)) KINORA_RETURN_IF_ERROR(removed);
  absl::Cleanup remove = [this, &to] { fs_.Remove(to).IgnoreError(); };
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> from,
                          fs_.OpenForRead(path_));
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> copy,
                          fs_.OpenForWrite(to, OpenMode::kCreate));
  std::string buffer;
  for (uint64_t at = begin; at < end; at += buffer.size()) {
    buffer.resize(std::min(kCopyBytes, end - at));
    KINORA_ASSIGN_OR_RETURN(const size_t got,
                            from->ReadAt(at, absl::MakeSpan(buffer)));
    if (got != buffer.size()) {
      return absl::DataLossError(
          absl::StrCat(path_, ", offset ", at + got, ": the file ends early"));
    }
    KINORA_RETURN_IF_ERROR(copy->Append(buffer));
  }
  KINORA_RETURN_IF_ERROR(copy->Sync());
  KINORA_RETURN_IF_ERROR(copy->Close());
  std::move(remove).Cancel();
  return absl::OkStatus();
}

}  // namespace kinora
