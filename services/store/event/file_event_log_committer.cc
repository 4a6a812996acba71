#include "services/store/event/file_event_log_committer.h"

#include <deque>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

// About the size from which a write to a disk takes longer the larger it is.
constexpr size_t kMaxGroupBytes = 1 << 20;

// Backpressure: while a checkpoint is late, a segment may grow to so many times
// its size.
constexpr uint64_t kMaxGrowth = 2;

}  // namespace

// One call on its way through the journal: an append, or a mark: the record
// that a live file is synced or a log removed.
struct FileEventLogCommitter::Commit : EventLogGroupCommit::Entry {
  ChainPtr chain;
  EventLog::AppendCall* call = nullptr;  // null for a mark
  JournalRecord::Kind mark = JournalRecord::Kind::kCheckpoint;
  int64_t restore_from = 0;  // of an append, see ChainAppend

  absl::Status status;
  AppendedRange range;
};

// What a group writes: a batch for the journal, and the lines for each log.
class FileEventLogCommitter::Group {
 public:
  struct PendingLog {
    ChainPtr chain;
    LogPosition next;
    std::string lines;
    int64_t first_sequence = 0;  // of the lines
    uint64_t offset = 0;         // where they begin in the live file
    std::vector<Commit*> commits;
  };

  explicit Group(absl::Span<EventLogGroupCommit::Entry* const> entries)
      : entries_(entries) {}

  // Decides each commit and gives out sequence numbers.
  void Build() {
    for (EventLogGroupCommit::Entry* entry : entries_) {
      Commit& commit = *static_cast<Commit*>(entry);
      if (commit.call == nullptr) {
        AddMark(commit);
        admitted_.push_back(&commit);
        continue;
      }
      PendingLog& log = PendingOf(commit.chain);
      const int64_t last = log.next.sequence - 1;
      if (commit.restore_from != 0 && last > 0) {
        commit.status = LogExists(commit.chain->log(), last);
        continue;
      }
      commit.status = commit.call->admit(last);
      if (!commit.status.ok()) continue;
      if (commit.restore_from != 0) log.next.sequence = commit.restore_from;
      AddLines(&commit, &log);
    }
    // One record for each log, whatever the number of its commits.
    for (const PendingLog& log : logs_) {
      if (log.lines.empty()) continue;
      batch_.Add({.kind = JournalRecord::Kind::kLines,
                  .log = log.chain->log(),
                  .offset = log.offset,
                  .first_sequence = log.first_sequence,
                  .last_sequence = log.next.sequence - 1,
                  .lines = log.lines});
    }
  }

  bool empty() const { return batch_.empty(); }
  int64_t appends() const { return appends_; }
  int64_t events() const { return events_; }
  JournalBatchBuilder& batch() { return batch_; }
  std::deque<PendingLog>& logs() { return logs_; }
  const std::vector<FileEventLogChain*>& removed() const { return removed_; }

  // Fails every commit that was not refused before.
  void Fail(const absl::Status& status) {
    for (Commit* commit : admitted_) commit->status = status;
  }
  void FailAll(const absl::Status& status) {
    for (EventLogGroupCommit::Entry* entry : entries_) {
      static_cast<Commit*>(entry)->status = status;
    }
  }

 private:
  void AddMark(const Commit& commit) {
    const bool removed = commit.mark == JournalRecord::Kind::kRemoved;
    batch_.Add({.kind = commit.mark,
                .log = commit.chain->log(),
                .first_sequence = removed ? kNotedRemoval : 0});
    if (removed) removed_.push_back(commit.chain.get());
  }

  PendingLog& PendingOf(const ChainPtr& chain) {
    PendingLog*& log = by_chain_[chain.get()];
    if (log == nullptr) {
      log = &logs_.emplace_back();
      log->chain = chain;
      log->next = chain->Next();
    }
    return *log;
  }

  void AddLines(Commit* commit, PendingLog* log) {
    const size_t begin = log->lines.size();
    const LogPosition first = log->next;
    if (begin == 0) {
      log->first_sequence = first.sequence;
      log->offset = first.offset;
    }
    for (const std::string& body : commit->call->bodies) {
      AppendLogLine(log->next.sequence++, body, &log->lines);
    }
    log->next.offset += log->lines.size() - begin;
    ++appends_;
    events_ += log->next.sequence - first.sequence;
    log->commits.push_back(commit);
    admitted_.push_back(commit);
    commit->range = {.first_sequence = first.sequence,
                     .last_sequence = log->next.sequence - 1};
  }

  const absl::Span<EventLogGroupCommit::Entry* const> entries_;
  std::vector<Commit*> admitted_;
  std::vector<FileEventLogChain*> removed_;
  std::deque<PendingLog> logs_;  // pointers to its elements stay good
  absl::flat_hash_map<FileEventLogChain*, PendingLog*> by_chain_;
  JournalBatchBuilder batch_;
  int64_t appends_ = 0;
  int64_t events_ = 0;
};

FileEventLogCommitter::FileEventLogCommitter(FileSystem& fs,
                                             std::shared_ptr<WriteGate> gate,
                                             const FileEventLogLimits& limits,
                                             EventLogWaiters& waiters,
                                             MetricsRegistry* metrics)
    : fs_(fs),
      gate_(std::move(gate)),
      limits_(limits),
      waiters_(waiters),
      group_commit_(kMaxGroupBytes) {
  if (metrics != nullptr) metrics_.emplace(*metrics);
}

FileEventLogCommitter::Metrics::Metrics(MetricsRegistry& registry)
    : appends(registry.GetCounter("kinora_store_appends_total",
                                  "Appends to logs that became durable.")),
      events(registry.GetCounter("kinora_store_events_total",
                                 "Events in those appends.")),
      group_appends(registry.GetHistogram(
          "kinora_store_group_commit_appends",
          "Appends that became durable with one sync.", kBatchSizes)),
      commit_seconds(registry.GetHistogram(
          "kinora_store_commit_seconds",
          "Time to write and sync the journal for a group of appends.",
          kLatencySeconds)) {}

void FileEventLogCommitter::Begin(std::unique_ptr<Journal> journal) {
  journal_ = std::move(journal);
  unsynced_.clear();
}

void FileEventLogCommitter::Append(absl::Span<const ChainAppend> appends) {
  std::vector<Commit> commits(appends.size());
  for (size_t i = 0; i < appends.size(); ++i) {
    commits[i].chain = appends[i].chain;
    commits[i].call = appends[i].call;
    commits[i].restore_from = appends[i].restore_from;
    for (const std::string& body : appends[i].call->bodies) {
      commits[i].bytes += body.size();
    }
  }
  Run(absl::MakeSpan(commits));
  for (const Commit& commit : commits) {
    if (commit.status.ok()) {
      commit.call->result = commit.range;
    } else {
      commit.call->result = commit.status;
    }
  }
}

absl::Status FileEventLogCommitter::MarkSynced(const ChainPtr& chain) {
  return Mark(chain, JournalRecord::Kind::kCheckpoint);
}

absl::Status FileEventLogCommitter::MarkRemoved(const ChainPtr& chain) {
  return Mark(chain, JournalRecord::Kind::kRemoved);
}

absl::Status FileEventLogCommitter::Mark(const ChainPtr& chain,
                                         JournalRecord::Kind kind) {
  Commit commit;
  commit.chain = chain;
  commit.mark = kind;
  Run(absl::MakeSpan(&commit, 1));
  return commit.status;
}

void FileEventLogCommitter::Run(absl::Span<Commit> commits) {
  std::vector<EventLogGroupCommit::Entry*> entries;
  entries.reserve(commits.size());
  for (Commit& commit : commits) entries.push_back(&commit);
  // A caller of many may lead again before its checkpoint is done. The one
  // that might fall due then would wait for it.
  std::unique_ptr<Checkpoint> checkpoint;
  group_commit_.Run(
      entries,
      [this, &checkpoint](absl::Span<EventLogGroupCommit::Entry* const> all) {
        if (checkpoint != nullptr) {
          Finish(checkpoint.get());
          checkpoint = nullptr;
        }
        Group group(all);
        Lead(&group, &checkpoint);
      });
  for (const Commit& commit : commits) {
    if (commit.status.ok() && commit.call != nullptr) {
      waiters_.Notify(commit.chain->log(), commit.range.last_sequence);
    }
  }
  if (checkpoint != nullptr) Finish(checkpoint.get());
}

absl::Status FileEventLogCommitter::WriteJournal(Group* group) {
  if (!metrics_.has_value()) return journal_->Write(group->batch());
  const int64_t begin_nanos = RealClock().MonotonicNanos();
  KINORA_RETURN_IF_ERROR(journal_->Write(group->batch()));
  metrics_->commit_seconds.Observe(
      absl::Nanoseconds(RealClock().MonotonicNanos() - begin_nanos));
  if (group->appends() > 0) {
    metrics_->appends.Add(group->appends());
    metrics_->events.Add(group->events());
    metrics_->group_appends.Observe(static_cast<double>(group->appends()));
  }
  return absl::OkStatus();
}

void FileEventLogCommitter::Lead(Group* group,
                                 std::unique_ptr<Checkpoint>* checkpoint) {
  const absl::Status writable = CheckWritable();
  if (!writable.ok()) return group->FailAll(writable);
  group->Build();
  if (group->empty()) return;
  absl::Status status = StartSegmentIfDue(checkpoint);
  if (status.ok()) status = WriteJournal(group);
  if (!status.ok()) return group->Fail(StopFor(status));

  for (FileEventLogChain* removed : group->removed()) unsynced_.erase(removed);
  for (Group::PendingLog& log : group->logs()) {
    if (log.lines.empty()) continue;
    const auto file = log.chain->AppendLines(log.first_sequence, log.lines);
    if (file.ok()) {
      unsynced_[log.chain.get()] = {log.chain, *file};
      continue;
    }
    const absl::Status stopped = StopFor(file.status());
    if (absl::IsResourceExhausted(file.status())) {
      // Durable all the same, and read from memory until there is room.
      log.chain->HoldLines(log.first_sequence, log.lines);
      continue;
    }
    // Durable, but nobody can read them before the store is opened again.
    for (Commit* commit : log.commits) commit->status = stopped;
  }
}

absl::Status FileEventLogCommitter::StartSegmentIfDue(
    std::unique_ptr<Checkpoint>* checkpoint) {
  const auto exceeds = [this](uint64_t times) {
    return journal_->segment_bytes() >= limits_.journal_segment_bytes * times ||
           unsynced_.size() >= limits_.max_unsynced_logs * times;
  };
  if (!exceeds(1)) return absl::OkStatus();
  {
    MutexLock lock(mu_);
    if (checkpoint_running_ && !exceeds(kMaxGrowth)) return absl::OkStatus();
    while (checkpoint_running_) checkpoint_done_.Wait(mu_);
    KINORA_RETURN_IF_ERROR(gate_->Check());
  }
  KINORA_RETURN_IF_ERROR(journal_->StartSegment());
  *checkpoint = std::make_unique<Checkpoint>();
  (*checkpoint)->logs.swap(unsynced_);
  (*checkpoint)->first_needed_segment = journal_->segment();
  MutexLock lock(mu_);
  checkpoint_running_ = true;
  return absl::OkStatus();
}

void FileEventLogCommitter::Finish(Checkpoint* checkpoint) {
  absl::Status status = SyncLogs(*checkpoint);
  if (status.ok()) {
    status = journal_->RemoveSegmentsBelow(checkpoint->first_needed_segment);
  }
  if (!status.ok()) Poison(status).IgnoreError();
  MutexLock lock(mu_);
  checkpoint_running_ = false;
  checkpoint_done_.SignalAll();
}

absl::Status FileEventLogCommitter::Retire() {
  KINORA_RETURN_IF_ERROR(gate_->Check());
  Checkpoint checkpoint;
  checkpoint.logs.swap(unsynced_);
  KINORA_RETURN_IF_ERROR(SyncLogs(checkpoint));
  return journal_->RemoveSegmentsBelow(journal_->segment() + 1);
}

absl::Status FileEventLogCommitter::SyncLogs(const Checkpoint& checkpoint) {
  absl::flat_hash_set<std::string> directories;
  for (const auto& entry : checkpoint.logs) {
    const UnsyncedLog& log = entry.second;
    const LogPosition end = log.chain->Next();
    KINORA_RETURN_IF_ERROR(log.file->Sync());
    // The names of the files: some were made since the last checkpoint.
    if (directories.insert(log.chain->directory()).second) {
      const absl::Status synced = fs_.SyncDirectory(log.chain->directory());
      // That of a log which was removed meanwhile may have gone, too.
      const bool gone =
          absl::IsNotFound(synced) && log.chain->Next().sequence == 1;
      if (!gone) KINORA_RETURN_IF_ERROR(synced);
    }
    log.chain->CloseIfIdle(log.file);
    log.chain->CheckpointIfDue(end, limits_);
  }
  return absl::OkStatus();
}

}  // namespace kinora
