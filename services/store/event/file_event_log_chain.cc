#include "services/store/event/file_event_log_chain.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/log_checkpoint.h"

namespace kinora {
namespace {

// Not what the disk did not give back, of which nobody knows what it is.
bool IsDamage(const absl::Status& status) {
  return absl::IsDataLoss(status) && !IsDiskFailure(status);
}

}  // namespace

FileEventLogChain::FileEventLogChain(FileSystem& fs,
                                     DurableDirectories& directories,
                                     LogDamages& damages,
                                     absl::string_view root,
                                     absl::string_view log,
                                     std::shared_ptr<const LogTail> tail)
    : fs_(fs),
      directories_(directories),
      damages_(damages),
      root_(root),
      log_(log),
      path_(JoinPath(root, log)),
      live_(path_, {.sequence = 1, .offset = 0}, 1),
      tail_(std::move(tail)) {}

absl::Status FileEventLogChain::Open() {
  MutexLock lock(mu_);
  if (opened_) return absl::OkStatus();
  const absl::Status status = OpenLocked();
  // A damage lasts; anything else, such as too many open files, may pass.
  if (!status.ok() && !IsDamage(status)) return status;
  if (!status.ok()) damage_ = Quarantine(status);
  opened_ = true;
  return absl::OkStatus();
}

absl::Status FileEventLogChain::OpenLocked() {
  archives_.clear();
  KINORA_RETURN_IF_ERROR(FindArchives());
  const int64_t archived =
      archives_.empty() ? 0 : archives_.back().last_sequence();
  const std::optional<LogPosition> checkpoint = ReadLogCheckpoint(fs_, path_);
  LogScan scan{.segment = LogSegment(path_, {.sequence = archived + 1}, 1)};
  const auto file = OpenForRead(path_);
  if (!absl::IsNotFound(file.status())) {
    KINORA_RETURN_IF_ERROR(file.status());
    KINORA_ASSIGN_OR_RETURN(
        scan, ScanOpenLogFile(**file, path_, archived, checkpoint));
  }
  live_ = std::move(scan.segment);
  // One that covers all of an empty file was not read from.
  const bool fits = scan.from_checkpoint || checkpoint == live_.end();
  checkpoint_ = fits ? *checkpoint : LogPosition();
  torn_ = scan.file_bytes > live_.end_offset();
  if (torn_) {
    LogWarning("dropped the torn last line of a log",
               {{"file", path_},
                {"offset", live_.end_offset()},
                {"bytes", scan.file_bytes - live_.end_offset()}});
  }
  // A checkpoint is written of synced records, so no crash leaves less.
  if (checkpoint.has_value() &&
      checkpoint->sequence - 1 > live_.last_sequence()) {
    lost_end_ =
        Quarantine(LostEnd(checkpoint->sequence - 1, LogCheckpointPath(path_)));
  }
  return absl::OkStatus();
}

absl::Status FileEventLogChain::FindArchives() {
  const std::string directory(ParentPath(path_));
  const std::string suffix = ArchiveSuffix(log_);
  const auto names = fs_.List(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, suffix) || name == suffix) continue;
    KINORA_ASSIGN_OR_RETURN(LogSegment archive,
                            ArchiveSegment(fs_, JoinPath(directory, name)));
    archives_.push_back(std::move(archive));
  }
  std::sort(archives_.begin(), archives_.end(),
            [](const LogSegment& a, const LogSegment& b) {
              return a.first_sequence() < b.first_sequence();
            });
  for (size_t i = 1; i < archives_.size(); ++i) {
    const int64_t due = archives_[i - 1].last_sequence() + 1;
    const int64_t first = archives_[i].first_sequence();
    if (first == due) continue;
    if (first > due) {
      return absl::DataLossError(
          absl::StrCat(path_, ": ",
                       RecordsMissing(due, first - 1, archives_[i - 1].path(),
                                      archives_[i].path())));
    }
    return absl::DataLossError(absl::StrCat(archives_[i].path(),
                                            ", line 1: it has sequence number ",
                                            first, " where ", due, " is due"));
  }
  return absl::OkStatus();
}

absl::StatusOr<LogExtent> FileEventLogChain::Extent() {
  MutexLock lock(mu_);
  KINORA_RETURN_IF_ERROR(damage_);
  KINORA_RETURN_IF_ERROR(lost_end_);
  return ExtentLocked();
}

LogExtent FileEventLogChain::ExtentLocked() const {
  if (!archives_.empty()) {
    return {.oldest_sequence = archives_.front().first_sequence(),
            .last_sequence = live_.last_sequence()};
  }
  if (live_.empty()) return {};
  return {.oldest_sequence = live_.first_sequence(),
          .last_sequence = live_.last_sequence()};
}

absl::StatusOr<std::vector<LogRecord>> FileEventLogChain::Read(
    int64_t after, LogBudget budget) {
  std::vector<LogRecord> records;
  // No log has a record after this one.
  if (after == std::numeric_limits<int64_t>::max()) return records;
  int64_t wanted = after + 1;
  while (!budget.exhausted()) {
    KINORA_ASSIGN_OR_RETURN(const std::optional<Source> source, Locate(wanted));
    if (!source.has_value()) {
      MutexLock lock(mu_);
      // What is there is told before what is not.
      if (records.empty()) KINORA_RETURN_IF_ERROR(lost_end_);
      break;
    }
    const absl::Status read =
        ReadLogRecords(*source->file, source->range, &budget, &records);
    if (IsDamage(read)) return Damaged(*source, read);
    KINORA_RETURN_IF_ERROR(read);
    wanted = source->range.last + 1;
  }
  return records;
}

absl::StatusOr<std::optional<FileEventLogChain::Source>>
FileEventLogChain::Locate(int64_t wanted) {
  MutexLock lock(mu_);
  KINORA_RETURN_IF_ERROR(damage_);
  const LogExtent extent = ExtentLocked();
  if (wanted > extent.last_sequence) return std::nullopt;
  if (wanted < extent.oldest_sequence) {
    return RecordRemoved(log_, wanted, extent.oldest_sequence);
  }
  Source source;
  if (wanted >= live_.first_sequence()) {
    source.range = live_.RangeFrom(wanted);
  } else {
    const auto archive =
        std::lower_bound(archives_.begin(), archives_.end(), wanted,
                         [](const LogSegment& candidate, int64_t sequence) {
                           return candidate.last_sequence() < sequence;
                         });
    source.range = archive->RangeFrom(wanted);
  }
  // Opened under the lock: the live file may be replaced right after it, and
  // the range is one of this very file.
  auto file = OpenForRead(source.range.path);
  if (absl::IsNotFound(file.status())) {  // not removed by us
    return Quarantine(absl::DataLossError(
        absl::StrCat(source.range.path, ": it is missing")));
  }
  KINORA_RETURN_IF_ERROR(file.status());
  source.file = *std::move(file);
  return source;
}

absl::Status FileEventLogChain::Damaged(const Source& source,
                                        const absl::Status& found) {
  // A search in the file may stumble over what is not the line it is about.
  const absl::Status checked = CheckLogLines(*source.file, source.range);
  const absl::Status& where = checked.ok() ? found : checked;
  if (!IsDamage(where)) return where;
  MutexLock lock(mu_);
  const absl::Status damage = Quarantine(where);
  // What is in other files can still be read.
  if (source.range.path == path_ && damage_.ok()) damage_ = damage;
  return damage;
}

absl::Status FileEventLogChain::Quarantine(const absl::Status& found) {
  const absl::Status damage =
      WithReason(found, "DATA_CORRUPT", {{"log", log_}});
  if (quarantine_.ok()) {
    LogError("a log is damaged", {{"log", log_}, {"error", damage}});
    quarantine_ = damage;
    damages_.Note(log_, damage);
  }
  return damage;
}

bool FileEventLogChain::IsQuarantined() {
  MutexLock lock(mu_);
  return !quarantine_.ok();
}

absl::Status FileEventLogChain::ReportLostEnd(int64_t acknowledged,
                                              absl::string_view proof,
                                              bool was_removed) {
  MutexLock lock(mu_);
  const absl::Status lost = LostEnd(acknowledged, proof);
  if (was_removed) return WithReason(lost, "DATA_CORRUPT", {{"log", log_}});
  lost_end_ = Quarantine(lost);
  return lost_end_;
}

absl::Status FileEventLogChain::LostEnd(int64_t acknowledged,
                                        absl::string_view proof) const {
  // Not the archive before it, which is whole.
  if (absl::IsNotFound(fs_.Stat(path_).status())) {
    return FileLost(path_, live_.last_sequence() + 1, acknowledged, proof);
  }
  const std::string& file =
      live_.empty() && !archives_.empty() ? archives_.back().path() : path_;
  return EndLost(file, live_.last_sequence(), acknowledged, proof);
}

absl::Status FileEventLogChain::BeginAppend() {
  {
    MutexLock lock(gate_mu_);
    while (archiving_) gate_changed_.Wait(gate_mu_);
    ++appending_;
  }
  absl::Cleanup leave = [this] { EndAppend(); };
  MutexLock lock(mu_);
  if (!quarantine_.ok()) {
    return Quarantined("takes no records");
  }
  if (writer_ == nullptr) KINORA_RETURN_IF_ERROR(OpenWriter());
  std::move(leave).Cancel();
  return absl::OkStatus();
}

absl::Status FileEventLogChain::Quarantined(absl::string_view what) const {
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "log \"", log_, "\" is damaged and ", what,
                        " until it is repaired: ", quarantine_.message())),
                    "MOVIE_QUARANTINED", {{"log", log_}});
}

void FileEventLogChain::EndAppend() {
  {
    MutexLock lock(gate_mu_);
    if (--appending_ == 0) gate_changed_.SignalAll();
  }
  CloseIfUnused();
}

void FileEventLogChain::CloseIfUnused() {
  MutexLock lock(mu_);
  // A file that awaits its sync has a second user.
  if (writer_.use_count() == 1) writer_.reset();
}

absl::Status FileEventLogChain::OpenWriter() {
  KINORA_RETURN_IF_ERROR(directories_.Ensure(ParentPath(path_)));
  if (torn_) KINORA_RETURN_IF_ERROR(fs_.Truncate(path_, live_.end_offset()));
  torn_ = false;
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs_.OpenForWrite(path_, OpenMode::kAppend));
  if (file->Size() != live_.end_offset()) {
    return absl::DataLossError(absl::StrCat(
        path_, ": it has ", file->Size(), " bytes where ", live_.end_offset(),
        " were written; somebody else changes it"));
  }
  writer_ = std::move(file);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>>
FileEventLogChain::OpenForRead(const std::string& path) {
  if (tail_ == nullptr || path != path_) return fs_.OpenForRead(path);
  return OpenWithTail(fs_, path, tail_);
}

LogPosition FileEventLogChain::Next() {
  MutexLock lock(mu_);
  return {.sequence = live_.last_sequence() + 1, .offset = live_.end_offset()};
}

absl::StatusOr<std::shared_ptr<WritableFile>> FileEventLogChain::AppendLines(
    int64_t first_sequence, absl::string_view lines) {
  std::shared_ptr<WritableFile> writer;
  {
    MutexLock lock(mu_);
    // It may have been closed as idle since BeginAppend().
    if (writer_ == nullptr) KINORA_RETURN_IF_ERROR(OpenWriter());
    writer = writer_;
  }
  KINORA_RETURN_IF_ERROR(writer->Append(lines));
  MutexLock lock(mu_);
  AddLines(first_sequence, lines);
  return writer;
}

void FileEventLogChain::HoldLines(int64_t first_sequence,
                                  absl::string_view lines) {
  MutexLock lock(mu_);
  writer_.reset();  // its file ends in any part of the lines
  tail_ = std::make_shared<const LogTail>(
      LogTail{live_.end_offset(), std::string(lines)});
  AddLines(first_sequence, lines);
}

void FileEventLogChain::AddLines(int64_t first_sequence,
                                 absl::string_view lines) {
  if (first_sequence != live_.last_sequence() + 1) {
    live_ = LogSegment(path_, {.sequence = first_sequence}, 1);
  }
  while (!lines.empty()) {
    const size_t line_bytes = lines.find('\n') + 1;
    live_.Add(line_bytes);
    lines.remove_prefix(line_bytes);
  }
}

void FileEventLogChain::CloseIfIdle(const std::shared_ptr<WritableFile>& file) {
  MutexLock lock(mu_);
  // Two users are this and the caller; copies are made under the lock only.
  if (writer_ == file && writer_.use_count() == 2) writer_.reset();
}

}  // namespace kinora
