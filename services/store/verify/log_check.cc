#include "services/store/verify/log_check.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 20;
constexpr int64_t kRecordsPerRead = 1000;
constexpr int kAttempts = 3;
constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();

// The first line of a file that begins a log names its number.
absl::StatusOr<int64_t> FirstSequence(ObjectStorage& storage,
                                      const std::string& key) {
  KINORA_ASSIGN_OR_RETURN(const std::string head,
                          storage.Read(key, 0, kReadBytes));
  const size_t end = head.find('\n');
  if (end == std::string::npos) return 0;
  return CheckLogLine(absl::string_view(head).substr(0, end));
}

class LogChecker {
 public:
  LogChecker(ObjectStorage& storage, EventLog& log, absl::string_view movie_id,
             absl::string_view log_key, v1::LogKind kind)
      : storage_(storage),
        log_(log),
        movie_id_(movie_id),
        prefix_size_(MoviePrefix(movie_id).size()),
        key_(log_key),
        kind_(kind) {}

  absl::StatusOr<LogCheck> Run() {
    if (!storage_.KeepsFiles()) return CheckRecords();
    for (int attempt = 1;; ++attempt) {
      check_ = LogCheck();
      KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> archives,
                              ListArchives());
      KINORA_RETURN_IF_ERROR(CheckFiles(archives));
      if (check_.problems.empty() || attempt == kAttempts) break;
      KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> now,
                              ListArchives());
      if (now == archives) break;
    }
    return std::move(check_);
  }

 private:
  absl::StatusOr<std::vector<std::string>> ListArchives() {
    const std::string suffix = ArchiveSuffix(key_);
    const std::string directory = key_.substr(0, key_.rfind('/') + 1);
    std::vector<std::pair<int64_t, std::string>> found;
    KINORA_RETURN_IF_ERROR(
        ForEachEntry(storage_, directory, [&](const ObjectPage& page) {
          for (const ObjectInfo& object : page.objects) {
            if (!absl::EndsWith(object.key, suffix)) continue;
            // One whose first line is damaged still has its place by its name.
            absl::StatusOr<int64_t> first = FirstSequence(storage_, object.key);
            const int64_t after = found.empty() ? 0 : found.back().first;
            found.emplace_back(first.ok() ? *first : after, object.key);
          }
          return absl::OkStatus();
        }));
    std::stable_sort(
        found.begin(), found.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> keys;
    for (auto& entry : found) keys.push_back(std::move(entry.second));
    return keys;
  }

  absl::Status CheckFiles(const std::vector<std::string>& archives) {
    last_ = -1;
    after_bad_ = false;
    end_ = kNoEnd;
    for (const std::string& key : archives) {
      KINORA_RETURN_IF_ERROR(CheckFile(key));
    }
    // What is behind the last acknowledged record may be on its way.
    absl::StatusOr<LogExtent> extent = log_.Extent(key_);
    if (extent.ok()) end_ = extent->last_sequence;
    if (end_ == 0) return absl::OkStatus();
    live_ = true;
    KINORA_RETURN_IF_ERROR(CheckFile(key_));
    live_ = false;
    if (end_ != kNoEnd && last_ < end_ && !after_bad_) {
      Report(key_, 0,
             absl::StrCat("ends at record ", std::max<int64_t>(last_, 0),
                          ", the store has acknowledged ", end_));
    }
    // What is there is intact, but not all of the log.
    if (check_.problems.empty() && absl::IsDataLoss(extent.status())) {
      return extent.status();
    }
    return absl::OkStatus();
  }

  absl::Status CheckFile(const std::string& key) {
    int64_t line = 0;
    int64_t offset = 0;
    std::string rest;
    ++check_.files;
    while (last_ < end_) {
      absl::StatusOr<std::string> bytes =
          storage_.Read(key, offset, kReadBytes);
      if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
      if (absl::IsOutOfRange(bytes.status())) break;  // it was replaced
      if (!bytes.ok()) {                              // a directory, say
        Damage(key, line + 1, std::string(bytes.status().message()));
        return absl::OkStatus();
      }
      offset += static_cast<int64_t>(bytes->size());
      check_.bytes += static_cast<int64_t>(bytes->size());
      if (bytes->empty()) break;
      rest += *bytes;
      size_t begin = 0;
      for (size_t end = rest.find('\n', begin);
           end != std::string::npos && last_ < end_;
           end = rest.find('\n', begin)) {
        CheckLine(key, ++line,
                  absl::string_view(rest).substr(begin, end - begin));
        begin = end + 1;
      }
      rest.erase(0, begin);
    }
    if (!live_ && offset == 0) Damage(key, 1, "the file has no records");
    if (!live_ && !rest.empty()) {
      Damage(key, line + 1, "the file ends within the line");
    }
    return absl::OkStatus();
  }

  void CheckLine(const std::string& key, int64_t line, absl::string_view text) {
    const absl::StatusOr<int64_t> sequence = CheckLogLine(text);
    if (!sequence.ok()) {
      Damage(key, line, std::string(sequence.status().message()));
      return;
    }
    // Left in the live file by an archiving that was cut short.
    if (live_ && *sequence <= last_) return;
    const bool first = last_ < 0;
    if (first && !after_bad_) CheckBeginning(*sequence);
    if (!first && !after_bad_ && *sequence != last_ + 1) {
      if (key != last_key_ && *sequence > last_) {
        Report(key_, 0,
               RecordsMissing(last_ + 1, *sequence - 1, last_key_, key));
      } else {
        Report(key, line,
               absl::StrCat("has record ", *sequence, " after ", last_));
      }
    }
    last_ = *sequence;
    last_key_ = key;
    after_bad_ = false;
    const absl::Status parsed =
        EventFromRecord(key_, kind_, {*sequence, std::string(text)}).status();
    if (!parsed.ok()) Report(key, line, std::string(parsed.message()));
  }

  // A log begins with 1, or after what a revision checkpoint covers.
  void CheckBeginning(int64_t first) {
    if (first <= 1) return;
    const std::string gone =
        absl::StrCat("the records 1 to ", first - 1, " are gone, and ");
    if (kind_ == v1::LOG_KIND_LEDGER) {
      Report(key_, 0, absl::StrCat(gone, "nothing removes those of a ledger"));
      return;
    }
    // Read now, as one is written before records are removed.
    const absl::StatusOr<std::unique_ptr<RevisionCheckpoint>> checkpoint =
        RevisionCheckpoint::OpenNewest(storage_, movie_id_);
    if (!checkpoint.ok()) return;  // damaged, which has its own check
    if (*checkpoint == nullptr) {
      Report(key_, 0,
             absl::StrCat(gone, "there is no checkpoint that stands for them"));
      return;
    }
    const CheckpointInfo& info = (*checkpoint)->info();
    if (info.Through(kind_) >= first - 1) return;
    Report(
        key_, 0,
        absl::StrCat(gone, "the checkpoint of ", info.revision,
                     " stands for those up to ", info.Through(kind_), " only"));
  }

  // Of damaged lines in a row the first is reported: one flipped byte may break
  // a line in two.
  void Damage(const std::string& key, int64_t line, std::string what) {
    if (!after_bad_) Report(key, line, std::move(what));
    after_bad_ = true;
  }

  void Report(const std::string& key, int64_t line, std::string what) {
    v1::VerifyProblem problem;
    problem.set_path(key.substr(prefix_size_));
    problem.set_line(line);
    problem.set_message(std::move(what));
    check_.problems.push_back(std::move(problem));
  }

  absl::StatusOr<LogCheck> CheckRecords() {
    KINORA_ASSIGN_OR_RETURN(const LogExtent extent, log_.Extent(key_));
    int64_t after = std::max<int64_t>(extent.oldest_sequence - 1, 0);
    while (after < extent.last_sequence) {
      KINORA_ASSIGN_OR_RETURN(
          const std::vector<LogRecord> records,
          log_.Read(key_, after, kRecordsPerRead, kReadBytes));
      if (records.empty()) break;
      for (const LogRecord& record : records) {
        CheckLine(key_, record.sequence, record.line);
        check_.bytes += static_cast<int64_t>(record.line.size());
      }
      after = records.back().sequence;
    }
    check_.files = extent.last_sequence > 0 ? 1 : 0;
    return std::move(check_);
  }

  ObjectStorage& storage_;
  EventLog& log_;
  const std::string movie_id_;
  const size_t prefix_size_;
  const std::string key_;
  const v1::LogKind kind_;

  LogCheck check_;
  int64_t last_ = -1;       // the record before; -1 at the beginning
  std::string last_key_;    // the file it is in
  int64_t end_ = kNoEnd;    // the last record to check
  bool after_bad_ = false;  // the line before was damaged
  bool live_ = false;       // in the live file
};

}  // namespace

absl::StatusOr<LogCheck> CheckLog(ObjectStorage& storage, EventLog& log,
                                  absl::string_view movie_id,
                                  absl::string_view log_key, v1::LogKind kind) {
  return LogChecker(storage, log, movie_id, log_key, kind).Run();
}

}  // namespace kinora
