#include "services/store/event/journal_mending.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/crc32c.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/journal.h"
#include "services/store/event/journal_batch.h"
#include "services/store/event/log_line.h"
#include "services/store/event/put_aside.h"

namespace kinora {
namespace {

// The line of record `sequence` at `at`, with its '\n'; empty if it is not
// there whole.
absl::string_view LineAt(absl::string_view lines, size_t at, int64_t sequence) {
  if (at >= lines.size()) return {};
  const size_t end = lines.find('\n', at);
  if (end == absl::string_view::npos) return {};
  if (!CheckLogLineIs(sequence, lines.substr(at, end - at)).ok()) return {};
  return lines.substr(at, end + 1 - at);
}

// Mends one segment, held in memory.
class SegmentMender {
 public:
  SegmentMender(FileSystem& fs, absl::string_view root, std::string path,
                bool is_last)
      : fs_(fs), root_(root), path_(std::move(path)), is_last_(is_last) {}

  absl::Status Mend() {
    KINORA_ASSIGN_OR_RETURN(bytes_, ReadFile(fs_, path_));
    if (!HasHeader()) return absl::OkStatus();
    size_t at = kJournalHeader.size();
    while (at < bytes_.size()) {
      const absl::string_view rest = absl::string_view(bytes_).substr(at);
      const std::optional<JournalBatchHeader> header = FindJournalBatch(rest);
      if (!header.has_value()) break;  // zeros, torn, or not to be mended
      const absl::string_view batch = rest.substr(0, header->bytes());
      if (!MendBatch(batch, *header, rest, at)) break;
      at += batch.size();
    }
    if (!changed_) return absl::OkStatus();
    // Not mended in part: what comes of it is for whoever sees to the rest.
    if (ContainsLaterJournalBatch(absl::string_view(bytes_).substr(at), 1)) {
      return absl::OkStatus();
    }
    mended_.append(bytes_, at, std::string::npos);
    KINORA_RETURN_IF_ERROR(Replace());
    Tell();
    return absl::OkStatus();
  }

 private:
  // A batch that was mended.
  struct Finding {
    size_t offset = 0;
    uint64_t batch = 0;
    std::vector<JournalRecord> lost;  // their logs are named in bytes_
  };

  // False for a segment that is left to whoever reads the journal. What the
  // header line says is believed only if the first batch does not say
  // otherwise: a header that reads as that of version 1 may be a bad one.
  bool HasHeader() {
    const absl::string_view bytes = bytes_;
    const absl::string_view header = bytes.substr(0, kJournalHeader.size());
    if (header == kJournalHeader) return true;
    if (header.size() < kJournalHeader.size()) return false;
    // Another version, older or to come, has other batches.
    if (!FindJournalBatch(bytes.substr(header.size())).has_value()) {
      return false;
    }
    mended_ = std::string(kJournalHeader);
    return changed_ = true;
  }

  // Appends the batch to mended_, mended if need be. False if it is left to
  // whoever reads the journal, and all that follows it with it.
  bool MendBatch(absl::string_view bytes, const JournalBatchHeader& header,
                 absl::string_view rest, size_t offset) {
    const absl::StatusOr<JournalBatch> batch = ParseJournalBatch(bytes, header);
    if (!batch.ok()) return false;
    ForgetMarked(*batch);
    if (batch->whole) {
      if (changed_) mended_.append(bytes.data(), bytes.size());
      return true;
    }
    JournalBatchBuilder builder;
    std::vector<JournalRecord> lost;
    for (const JournalRecord& record : batch->records) {
      if (record.damaged) {
        MendRecord(record, &builder, &lost);
      } else {
        builder.Add(record);
      }
    }
    if (!lost.empty() && is_last_ &&
        !ContainsLaterJournalBatch(rest, bytes.size())) {
      return false;  // torn
    }
    if (!changed_) mended_ = bytes_.substr(0, offset);
    changed_ = true;
    findings_.push_back(
        {.offset = offset, .batch = header.number, .lost = std::move(lost)});
    const absl::string_view whole = builder.Finish(header.number);
    mended_.append(whole.data(), whole.size());
    return true;
  }

  // What a log lost before a mark it has elsewhere, or needs no more.
  void ForgetMarked(const JournalBatch& batch) {
    if (findings_.empty()) return;
    for (const JournalRecord& record : batch.records) {
      if (record.kind != JournalRecord::Kind::kCheckpoint &&
          record.kind != JournalRecord::Kind::kRemoved) {
        continue;
      }
      for (Finding& finding : findings_) {
        auto& lost = finding.lost;
        lost.erase(std::remove_if(lost.begin(), lost.end(),
                                  [&record](const JournalRecord& candidate) {
                                    return candidate.log == record.log;
                                  }),
                   lost.end());
      }
    }
  }

  bool AnyLost() const {
    return std::any_of(
        findings_.begin(), findings_.end(),
        [](const Finding& finding) { return !finding.lost.empty(); });
  }

  void MendRecord(const JournalRecord& record, JournalBatchBuilder* builder,
                  std::vector<JournalRecord>* lost) {
    const std::string lines = FindLines(record);
    JournalRecord mended = record;
    mended.lines = lines;
    if (lines.size() == record.lines.size() &&
        Crc32c(lines) == record.lines_crc32c) {
      return builder->Add(mended);
    }
    int64_t next = record.first_sequence;
    for (const char c : lines) next += c == '\n' ? 1 : 0;
    // Also without lines it tells where the log file is to be cut.
    mended.last_sequence = next - 1;
    builder->Add(mended);
    lost->push_back({.kind = JournalRecord::Kind::kLost,
                     .log = record.log,
                     .offset = record.offset + record.lines.size(),
                     .first_sequence = next,
                     .last_sequence = record.last_sequence});
    builder->Add(lost->back());
  }

  // The lines of a damaged record, up to the first one that is nowhere whole.
  std::string FindLines(const JournalRecord& record) {
    const size_t size = record.lines.size();
    // A file that cannot be read has none.
    std::string file =
        ReadFileRange(fs_, JoinPath(root_, record.log), record.offset, size)
            .value_or("");
    if (file.size() == size && Crc32c(file) == record.lines_crc32c) return file;
    std::string found;
    for (int64_t sequence = record.first_sequence; found.size() < size;
         ++sequence) {
      absl::string_view line = LineAt(record.lines, found.size(), sequence);
      if (line.empty()) line = LineAt(file, found.size(), sequence);
      if (line.empty()) break;
      found.append(line.data(), line.size());
    }
    return found;
  }

  absl::Status Replace() {
    absl::Status status = AnyLost() ? SetAside() : absl::OkStatus();
    if (status.ok()) status = WriteFileAtomically(fs_, path_, mended_);
    if (!absl::IsResourceExhausted(status)) return status;
    // Not what waits for room: read as it is, the journal would lose lines.
    return absl::DataLossError(absl::StrCat(
        path_, ": damaged, and there is no room to mend it: make room on the ",
        "volume first: ", status.message()));
  }

  void Tell() const {
    LogWarning("mended a damaged segment of the journal",
               {{"file", path_}, {"batches", findings_.size()}});
    for (const Finding& finding : findings_) {
      LogWarning("mended a damaged batch of the journal",
                 {{"file", path_},
                  {"offset", finding.offset},
                  {"batch", finding.batch},
                  {"lost", finding.lost.size()}});
      for (const JournalRecord& record : finding.lost) {
        LogError(
            "lines of a log are damaged in the journal and not in its file",
            {{"file", path_},
             {"offset", finding.offset},
             {"log", record.log},
             {"first_sequence", record.first_sequence},
             {"last_sequence", record.last_sequence}});
      }
    }
  }

  absl::Status SetAside() {
    KINORA_ASSIGN_OR_RETURN(
        const std::string aside,
        PutAside(fs_, absl::StripSuffix(path_, ".wal"), bytes_));
    LogError("put a damaged segment of the journal aside",
             {{"file", path_}, {"aside", aside}});
    return absl::OkStatus();
  }

  FileSystem& fs_;
  const std::string root_;
  const std::string path_;
  const bool is_last_;

  std::string bytes_;
  std::string mended_;  // once something is changed: up to there
  bool changed_ = false;
  std::vector<Finding> findings_;
};

}  // namespace

absl::Status MendJournal(FileSystem& fs, absl::string_view root,
                         absl::string_view directory) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<uint64_t> segments,
                          ListJournalSegments(fs, directory));
  for (const uint64_t segment : segments) {
    SegmentMender mender(fs, root, JournalSegmentPath(directory, segment),
                         segment == segments.back());
    KINORA_RETURN_IF_ERROR(mender.Mend());
  }
  return absl::OkStatus();
}

}  // namespace kinora
