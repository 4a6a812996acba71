#include "services/store/event/file_event_log_recovery.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/journal_mending.h"
#include "services/store/event/journal_reader.h"
#include "services/store/event/log_checkpoint.h"
#include "services/store/event/log_file_comparison.h"
#include "services/store/event/log_file_removal.h"
#include "services/store/event/unjournaled_lines.h"

namespace kinora {
namespace {

// Below the usual limit of 1024 open files, by far.
constexpr size_t kMaxOpenFiles = 128;

// Where the lines of a record end in their log file.
LogPosition EndOf(const JournalRecord& record) {
  // A journal of version 1 does not tell the last one.
  const int64_t last =
      record.last_sequence > 0
          ? record.last_sequence
          : record.first_sequence - 1 +
                std::count(record.lines.begin(), record.lines.end(), '\n');
  return {.sequence = last + 1, .offset = record.offset + record.lines.size()};
}

// Appends journaled lines to log files.
class LogFileCompleter {
 public:
  LogFileCompleter(FileSystem& fs, absl::string_view root,
                   DurableDirectories& directories)
      : fs_(fs), root_(root), directories_(directories) {}

  absl::Status Append(const JournalRecord& record) {
    KINORA_ASSIGN_OR_RETURN(WritableFile * file, FileOf(record));
    return file->Append(record.lines);
  }

  // Leaves the file as it is, up to `size`, and makes that durable.
  absl::Status Keep(const std::string& log, uint64_t size) {
    if (open_.size() >= kMaxOpenFiles) KINORA_RETURN_IF_ERROR(Flush());
    const std::string path = JoinPath(root_, log);
    changed_directories_.insert(std::string(ParentPath(path)));
    KINORA_ASSIGN_OR_RETURN(const FileInfo info, fs_.Stat(path));
    if (info.size_bytes > size)
      KINORA_RETURN_IF_ERROR(fs_.Truncate(path, size));
    KINORA_ASSIGN_OR_RETURN(open_[log],
                            fs_.OpenForWrite(path, OpenMode::kAppend));
    return absl::OkStatus();
  }

  // Syncs the open files and closes them.
  absl::Status Flush() {
    for (auto& entry : open_) {
      KINORA_RETURN_IF_ERROR(entry.second->Sync());
      KINORA_RETURN_IF_ERROR(entry.second->Close());
    }
    open_.clear();
    return absl::OkStatus();
  }

  // Flushes, and syncs the names of all files that were completed.
  absl::Status Finish() {
    KINORA_RETURN_IF_ERROR(Flush());
    for (const std::string& directory : changed_directories_) {
      KINORA_RETURN_IF_ERROR(fs_.SyncDirectory(directory));
    }
    if (!completed_.empty()) {
      LogInfo("completed logs from the journal", {{"logs", completed_.size()}});
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<WritableFile*> FileOf(const JournalRecord& record) {
    const auto found = open_.find(record.log);
    if (found != open_.end()) return found->second.get();
    if (open_.size() >= kMaxOpenFiles) KINORA_RETURN_IF_ERROR(Flush());
    const std::string path = JoinPath(root_, record.log);
    if (completed_.insert(std::string(record.log)).second) {
      KINORA_RETURN_IF_ERROR(Cut(path, record));
    }
    KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                            fs_.OpenForWrite(path, OpenMode::kAppend));
    return open_.emplace(std::string(record.log), std::move(file))
        .first->second.get();
  }

  // Prepares a file for its first journaled record.
  absl::Status Cut(const std::string& path, const JournalRecord& record) {
    const std::string directory(ParentPath(path));
    KINORA_RETURN_IF_ERROR(directories_.Ensure(directory));
    changed_directories_.insert(directory);
    const absl::StatusOr<FileInfo> info = fs_.Stat(path);
    if (!absl::IsNotFound(info.status())) KINORA_RETURN_IF_ERROR(info.status());
    const uint64_t size = info.ok() ? info->size_bytes : 0;
    if (size < record.offset) {
      LogError("a log file lost records that were synced",
               {{"file", path},
                {"bytes", size},
                {"expected_bytes", record.offset},
                {"next_sequence", record.first_sequence}});
    }
    return size > record.offset ? fs_.Truncate(path, record.offset)
                                : absl::OkStatus();
  }

  FileSystem& fs_;
  const std::string root_;
  DurableDirectories& directories_;
  absl::flat_hash_map<std::string, std::unique_ptr<WritableFile>> open_;
  absl::flat_hash_set<std::string> completed_;
  absl::flat_hash_set<std::string> changed_directories_;
};

// The records of a journal that have to be applied: those after the last mark
// of their log. What a record is good for, only a later one can tell, so the
// journal is read more than once.
class ApplicableRecords {
 public:
  ApplicableRecords(FileSystem& fs, absl::string_view directory)
      : fs_(fs), directory_(directory) {}

  absl::Status FindMarks() {
    return ReadJournal(
               fs_, directory_,
               [this](const JournalPlace& place, const JournalRecord& record) {
                 Look(place, record);
                 return absl::OkStatus();
               })
        .status();
  }

  struct RemovedLog {
    std::string log;
    bool noted = false;  // by kNotedRemoval
  };
  std::vector<RemovedLog> RemovedLogs() const {
    std::vector<RemovedLog> removed;
    for (const auto& entry : marks_) {
      const Mark& mark = entry.second;
      if (mark.removed) removed.push_back({entry.first, mark.noted});
    }
    return removed;
  }

  // Where the logs ended that have lost lines, by their keys.
  absl::flat_hash_map<std::string, LogPosition> LostEnds() const {
    absl::flat_hash_map<std::string, LogPosition> ends;
    for (const auto& entry : lost_) ends.emplace(entry.first, entry.second.end);
    return ends;
  }

  absl::StatusOr<JournalNext> Visit(
      absl::FunctionRef<absl::Status(const JournalRecord&)> visit) {
    return ReadJournal(
        fs_, directory_,
        [&](const JournalPlace& place, const JournalRecord& record) {
          return Applies(place, record) ? visit(record) : absl::OkStatus();
        });
  }

 private:
  struct Mark {
    JournalPlace place;
    bool removed = false;
    bool noted = false;
  };

  // The first lines that a log has lost, and where it ended.
  struct Loss {
    JournalPlace place;
    LogPosition end;
  };

  void Look(const JournalPlace& place, const JournalRecord& record) {
    const LogPosition end = EndOf(record);
    const auto lost = lost_.find(record.log);
    switch (record.kind) {
      case JournalRecord::Kind::kLines:
        if (lost != lost_.end()) lost->second.end = end;
        return;
      case JournalRecord::Kind::kLost:
        if (lost == lost_.end()) {
          lost_[record.log] = {place, end};
        } else {
          lost->second.end = end;
        }
        return;
      case JournalRecord::Kind::kCheckpoint:
      case JournalRecord::Kind::kRemoved:
        marks_[record.log] = {place,
                              record.kind == JournalRecord::Kind::kRemoved,
                              record.first_sequence == kNotedRemoval};
        // The file has them.
        if (lost != lost_.end()) lost_.erase(lost);
        return;
    }
  }

  bool Applies(const JournalPlace& place, const JournalRecord& record) const {
    if (record.kind != JournalRecord::Kind::kLines) return false;
    const auto lost = lost_.find(record.log);
    if (lost != lost_.end() && !(place < lost->second.place)) return false;
    const auto mark = marks_.find(record.log);
    return mark == marks_.end() || !(place < mark->second.place);
  }

  FileSystem& fs_;
  const std::string directory_;
  absl::flat_hash_map<std::string, Mark> marks_;
  absl::flat_hash_map<std::string, Loss> lost_;
};

// Leaves behind, durably, what shows that a log has lost its end.
absl::Status NoteLostEnd(FileSystem& fs, absl::string_view root,
                         const std::string& log, const LogPosition& end,
                         DurableDirectories& directories) {
  const std::string path = JoinPath(root, log);
  LogError("a log has lost lines in a damaged journal, and takes no more",
           {{"file", path}, {"acknowledged", end.sequence - 1}});
  KINORA_RETURN_IF_ERROR(directories.Ensure(ParentPath(path)));
  return WriteLogCheckpoint(fs, path, end);
}

// A segment without records is what a crash leaves that tears it when it is
// made, which is seldom: one that was emptied must not pass for it unseen.
absl::Status TellOfEmptySegments(FileSystem& fs, absl::string_view directory) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<uint64_t> segments,
                          ListJournalSegments(fs, directory));
  for (const uint64_t segment : segments) {
    const std::string path = JournalSegmentPath(directory, segment);
    KINORA_ASSIGN_OR_RETURN(const FileInfo info, fs.Stat(path));
    if (info.size_bytes >= kJournalHeader.size()) continue;
    LogWarning(
        "a segment of the journal holds nothing: a crash tore it when "
        "it was made, or its records were lost",
        {{"file", path}, {"bytes", info.size_bytes}});
  }
  return absl::OkStatus();
}

// Ends the removals that a crash has cut short. The files of one that was ended
// may be those of a later log, of which the journal has lost all it knew.
absl::Status EndRemovals(FileSystem& fs, absl::string_view root,
                         const ApplicableRecords& records) {
  for (const ApplicableRecords::RemovedLog& removed : records.RemovedLogs()) {
    if (removed.noted) {
      KINORA_ASSIGN_OR_RETURN(const bool due,
                              LogRemovalIsNoted(fs, root, removed.log));
      if (!due) continue;
    }
    KINORA_RETURN_IF_ERROR(RemoveLogFiles(fs, root, removed.log));
  }
  return absl::OkStatus();
}

absl::Status CompareFiles(ApplicableRecords& records,
                          LogFileComparison* comparison) {
  KINORA_RETURN_IF_ERROR(records
                             .Visit([&](const JournalRecord& record) {
                               comparison->Compare(record);
                               return absl::OkStatus();
                             })
                             .status());
  for (const auto& entry : records.LostEnds()) {
    comparison->EndsInJournal(entry.first);
  }
  const auto differing = comparison->Differing();
  if (differing.empty()) return absl::OkStatus();
  absl::flat_hash_map<std::string, JournaledLines> journaled;
  KINORA_RETURN_IF_ERROR(
      records
          .Visit([&](const JournalRecord& record) {
            if (!differing.contains(record.log)) return absl::OkStatus();
            const auto [entry, added] =
                journaled.try_emplace(std::string(record.log));
            JournaledLines& lines = entry->second;
            if (added) {
              lines.offset = record.offset;
              lines.first_sequence = record.first_sequence;
            }
            lines.lines.append(record.lines.data(), record.lines.size());
            return absl::OkStatus();
          })
          .status());
  for (const auto& entry : journaled) {
    comparison->LookCloser(entry.first, entry.second);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JournalNext> RecoverLogFiles(FileSystem& fs,
                                            absl::string_view root,
                                            absl::string_view journal_directory,
                                            DurableDirectories& directories,
                                            std::vector<std::string>* lost,
                                            LogEnds* ends) {
  KINORA_RETURN_IF_ERROR(TellOfEmptySegments(fs, journal_directory));
  KINORA_RETURN_IF_ERROR(MendJournal(fs, root, journal_directory));
  ApplicableRecords records(fs, journal_directory);
  KINORA_RETURN_IF_ERROR(records.FindMarks());
  KINORA_RETURN_IF_ERROR(EndRemovals(fs, root, records));
  // Files are compared before the first of them is cut.
  LogFileComparison comparison(fs, root);
  KINORA_RETURN_IF_ERROR(CompareFiles(records, &comparison));
  const auto whole = comparison.WholeFiles();
  comparison.Report();
  for (const auto& entry : comparison.unjournaled()) {
    KINORA_RETURN_IF_ERROR(
        KeepUnjournaledLines(fs, JoinPath(root, entry.first), entry.second));
    if (!entry.second.of_later_log) lost->push_back(entry.first);
  }
  const auto lost_ends = records.LostEnds();
  LogFileCompleter completer(fs, root, directories);
  for (const auto& entry : whole) {
    const LogFileComparison::WholeFile& file = entry.second;
    KINORA_RETURN_IF_ERROR(completer.Keep(
        entry.first, file.stays ? std::numeric_limits<uint64_t>::max()
                                : file.offset + file.lines_behind.size()));
  }
  KINORA_ASSIGN_OR_RETURN(
      const JournalNext next, records.Visit([&](const JournalRecord& record) {
        const auto file = whole.find(record.log);
        if (file == whole.end() || !file->second.stays) {
          (*ends)[record.log] = EndOf(record);
        }
        return file != whole.end() ? absl::OkStatus()
                                   : completer.Append(record);
      }));
  for (const auto& entry : comparison.unjournaled()) {
    if (entry.second.behind.empty() || lost_ends.contains(entry.first)) {
      continue;
    }
    KINORA_RETURN_IF_ERROR(
        completer.Append({.log = entry.first, .lines = entry.second.behind}));
  }
  KINORA_RETURN_IF_ERROR(completer.Finish());
  for (const auto& entry : lost_ends) {
    KINORA_RETURN_IF_ERROR(
        NoteLostEnd(fs, root, entry.first, entry.second, directories));
    lost->push_back(entry.first);
    ends->erase(entry.first);
  }
  return next;
}

absl::StatusOr<LogTails> ReadJournaledTails(
    FileSystem& fs, absl::string_view root,
    absl::string_view journal_directory) {
  ApplicableRecords records(fs, journal_directory);
  KINORA_RETURN_IF_ERROR(records.FindMarks());
  LogTails tails;
  LogFileComparison comparison(fs, root);
  KINORA_RETURN_IF_ERROR(CompareFiles(records, &comparison));
  KINORA_RETURN_IF_ERROR(records
                             .Visit([&](const JournalRecord& record) {
                               const auto [tail, added] =
                                   tails.try_emplace(std::string(record.log));
                               if (added) tail->second.offset = record.offset;
                               tail->second.lines.append(record.lines.data(),
                                                         record.lines.size());
                               return absl::OkStatus();
                             })
                             .status());
  for (const auto& entry : comparison.WholeFiles()) {
    if (entry.second.stays) {
      tails.erase(entry.first);
    } else {
      tails[entry.first].lines += entry.second.lines_behind;
    }
  }
  for (const auto& entry : comparison.unjournaled()) {
    if (entry.second.of_later_log) continue;
    tails[entry.first].lines += entry.second.behind;
  }
  return tails;
}

}  // namespace kinora
