#include "services/store/event/journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kSuffix = ".wal";

// Room is reserved for batches of which at least so many fit in. For a larger
// one, the bytes are what a sync takes its time for: writing zeros in their
// place first would double that.
constexpr uint64_t kSmallBatches = 8;

// Of a sync that failed, for want of room or else, nobody can tell what it did:
// that is never a thing that passes.
absl::Status Lasting(const absl::Status& synced) {
  return absl::IsResourceExhausted(synced)
             ? absl::DataLossError(synced.message())
             : synced;
}

}  // namespace

std::string JournalSegmentPath(absl::string_view directory, uint64_t segment) {
  return JoinPath(directory, absl::StrFormat("%010d%s", segment, kSuffix));
}

absl::StatusOr<std::vector<uint64_t>> ListJournalSegments(
    FileSystem& fs, absl::string_view directory) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          fs.List(directory));
  std::vector<uint64_t> segments;
  for (const absl::string_view name : names) {
    uint64_t segment = 0;
    if (absl::EndsWith(name, kSuffix) &&
        absl::SimpleAtoi(name.substr(0, name.size() - kSuffix.size()),
                         &segment)) {
      segments.push_back(segment);
    }
  }
  std::sort(segments.begin(), segments.end());
  return segments;
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Create(
    FileSystem& fs, absl::string_view directory, JournalNext next,
    uint64_t reserve_bytes) {
  std::unique_ptr<Journal> journal(
      new Journal(fs, directory, next, reserve_bytes));
  KINORA_RETURN_IF_ERROR(journal->StartSegment());
  return journal;
}

absl::Status Journal::Write(JournalBatchBuilder& batch) {
  const absl::string_view bytes = batch.Finish(next_.batch++);
  const uint64_t end = file_->Size() + bytes.size();
  if (end > reserved_end_ && bytes.size() <= reserve_bytes_ / kSmallBatches) {
    KINORA_RETURN_IF_ERROR(file_->Reserve(reserve_bytes_));
    reserved_end_ = file_->Size() + reserve_bytes_;
  }
  KINORA_RETURN_IF_ERROR(file_->Append(bytes));
  return Lasting(file_->Sync());
}

absl::Status Journal::StartSegment() {
  const std::string path = JournalSegmentPath(directory_, next_.segment);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs_.OpenForWrite(path, OpenMode::kCreate));
  const absl::Status begun = file->Append(kJournalHeader);
  if (!begun.ok()) {
    // What is left of it would pass for one that a crash tore.
    fs_.Remove(path).IgnoreError();
    return begun;
  }
  KINORA_RETURN_IF_ERROR(Lasting(file->Sync()));
  KINORA_RETURN_IF_ERROR(Lasting(fs_.SyncDirectory(directory_)));
  ++next_.segment;
  file_ = std::move(file);
  reserved_end_ = 0;
  return absl::OkStatus();
}

absl::Status RemoveJournalSegmentsBelow(FileSystem& fs,
                                        absl::string_view directory,
                                        uint64_t segment) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<uint64_t> segments,
                          ListJournalSegments(fs, directory));
  for (const uint64_t old : segments) {
    if (old >= segment) break;
    KINORA_RETURN_IF_ERROR(fs.Remove(JournalSegmentPath(directory, old)));
    KINORA_RETURN_IF_ERROR(fs.SyncDirectory(directory));
  }
  return absl::OkStatus();
}

}  // namespace kinora
