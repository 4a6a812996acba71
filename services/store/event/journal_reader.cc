#include "services/store/event/journal_reader.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/journal_batch.h"
#include "services/store/event/journal_batch_v1.h"

namespace kinora {
namespace {

constexpr absl::string_view kHeaderOfAnyVersion = "kinora-journal-";

// Reads one segment.
class SegmentReader {
 public:
  // `next_batch` is 0 in front of the first segment, whose first batch may
  // have any number.
  SegmentReader(FileSystem& fs, std::string path, bool is_last,
                uint64_t& next_batch)
      : fs_(fs),
        path_(std::move(path)),
        is_last_(is_last),
        next_batch_(next_batch) {}

  absl::Status Read(JournalVisitor visit) {
    KINORA_ASSIGN_OR_RETURN(file_, fs_.OpenForRead(path_));
    KINORA_ASSIGN_OR_RETURN(size_, file_->Size());
    KINORA_ASSIGN_OR_RETURN(const bool has_header, CheckHeader());
    if (!has_header) return absl::OkStatus();
    uint64_t offset = kJournalHeader.size();  // that of any version
    while (offset < size_) {
      KINORA_ASSIGN_OR_RETURN(const bool intact, ReadBatch(offset));
      if (!intact) return DropTail(offset);
      KINORA_RETURN_IF_ERROR(VisitBatch(offset, visit));
      offset += batch_.size();
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Damage(uint64_t offset, absl::string_view what) const {
    return absl::DataLossError(
        absl::StrCat(path_, ", offset ", offset, ": ", what));
  }

  absl::StatusOr<std::string> ReadAt(uint64_t offset, uint64_t length) const {
    std::string bytes(std::min(length, size_ - offset), '\0');
    KINORA_ASSIGN_OR_RETURN(const size_t got,
                            file_->ReadAt(offset, absl::MakeSpan(bytes)));
    bytes.resize(got);
    return bytes;
  }

  // False for a segment that a crash tore at birth. That one is cut to nothing,
  // so that it is known for what it is when it is not the last one any more.
  absl::StatusOr<bool> CheckHeader() {
    KINORA_ASSIGN_OR_RETURN(const std::string header,
                            ReadAt(0, kJournalHeader.size()));
    is_v1_ = header == kJournalHeaderV1;
    if (is_v1_ || header == kJournalHeader) return true;
    if (header.size() < kJournalHeader.size()) return false;
    if (absl::StartsWith(header, kHeaderOfAnyVersion)) {
      return absl::FailedPreconditionError(absl::StrCat(
          path_, ": unknown journal version in \"", ClipValue(header), "\""));
    }
    if (!is_last_ || size_ > header.size()) return Damage(0, "not a journal");
    KINORA_RETURN_IF_ERROR(fs_.Truncate(path_, 0));
    return false;
  }

  // Fills batch_, number_ and records_; false if there is no intact batch at
  // `offset`.
  absl::StatusOr<bool> ReadBatch(uint64_t offset) {
    return is_v1_ ? ReadBatchV1(offset) : ReadBatchV2(offset);
  }

  absl::StatusOr<bool> ReadBatchV2(uint64_t offset) {
    KINORA_ASSIGN_OR_RETURN(batch_, ReadAt(offset, kJournalBatchEdgeBytes));
    JournalBatchHeader header;
    if (!ParseJournalBatchHeader(batch_, &header)) return false;
    KINORA_RETURN_IF_ERROR(
        ReadRest(offset, header.bytes() - kJournalBatchEdgeBytes));
    if (batch_.size() != header.bytes()) return false;
    absl::StatusOr<JournalBatch> batch = ParseJournalBatch(batch_, header);
    if (!batch.ok() || !batch->whole) return false;
    number_ = header.number;
    records_ = std::move(batch->records);
    return true;
  }

  absl::StatusOr<bool> ReadBatchV1(uint64_t offset) {
    KINORA_ASSIGN_OR_RETURN(batch_, ReadAt(offset, kJournalBatchHeaderBytesV1));
    JournalBatchHeaderV1 header;
    if (!ParseJournalBatchHeaderV1(batch_, &header)) return false;
    KINORA_RETURN_IF_ERROR(ReadRest(offset, header.payload_bytes));
    if (!JournalBatchIsIntactV1(header, batch_)) return false;
    auto records = ParseJournalRecordsV1(
        absl::string_view(batch_).substr(kJournalBatchHeaderBytesV1));
    if (!records.ok()) return Damage(offset, records.status().message());
    number_ = header.number;
    records_ = *std::move(records);
    return true;
  }

  // Appends to batch_ what follows it.
  absl::Status ReadRest(uint64_t offset, uint64_t length) {
    KINORA_ASSIGN_OR_RETURN(const std::string rest,
                            ReadAt(offset + batch_.size(), length));
    batch_ += rest;
    return absl::OkStatus();
  }

  absl::Status VisitBatch(uint64_t offset, JournalVisitor visit) {
    if (next_batch_ != 0 && number_ != next_batch_) {
      return Damage(offset, absl::StrCat("batch ", number_, " where ",
                                         next_batch_, " is due"));
    }
    next_batch_ = number_ + 1;
    for (size_t i = 0; i < records_.size(); ++i) {
      KINORA_RETURN_IF_ERROR(visit({number_, i}, records_[i]));
    }
    return absl::OkStatus();
  }

  absl::Status DropTail(uint64_t offset) {
    KINORA_ASSIGN_OR_RETURN(const std::string rest,
                            ReadAt(offset, size_ - offset));
    if (rest.find_first_not_of('\0') == std::string::npos) {
      return absl::OkStatus();  // reserved
    }
    // Batch numbers begin at 1: without one before, any batch is a later one.
    const uint64_t last = next_batch_ == 0 ? 0 : next_batch_ - 1;
    // A batch of the other version, wherever it is, says that the header line
    // is damaged: no crash leaves that, and nothing of it is torn.
    const bool later = ContainsLaterJournalBatchV1(rest, last) ||
                       ContainsLaterJournalBatch(rest, is_v1_ ? 0 : 1);
    if (!is_last_ || later) {
      return Damage(offset, "damaged, with later records behind it");
    }
    LogWarning("dropped the torn end of the journal",
               {{"file", path_}, {"offset", offset}, {"bytes", rest.size()}});
    return fs_.Truncate(path_, offset);
  }

  FileSystem& fs_;
  const std::string path_;
  const bool is_last_;
  uint64_t& next_batch_;

  std::unique_ptr<RandomAccessFile> file_;
  uint64_t size_ = 0;
  bool is_v1_ = false;
  // The batch last read, whole; the records view into it.
  std::string batch_;
  uint64_t number_ = 0;
  std::vector<JournalRecord> records_;
};

}  // namespace

absl::StatusOr<JournalNext> ReadJournal(FileSystem& fs,
                                        absl::string_view directory,
                                        JournalVisitor visit) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<uint64_t> segments,
                          ListJournalSegments(fs, directory));
  uint64_t next_batch = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::string path = JournalSegmentPath(directory, segments[i]);
    if (i > 0 && segments[i] != segments[i - 1] + 1) {
      return absl::DataLossError(
          absl::StrCat(path, ": the segment before it is missing"));
    }
    SegmentReader reader(fs, path, i + 1 == segments.size(), next_batch);
    KINORA_RETURN_IF_ERROR(reader.Read(visit));
  }
  JournalNext next;
  if (!segments.empty()) next.segment = segments.back() + 1;
  if (next_batch != 0) next.batch = next_batch;
  return next;
}

}  // namespace kinora
