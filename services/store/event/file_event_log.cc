#include "services/store/event/file_event_log.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/file_event_log_recovery.h"
#include "services/store/event/journal.h"
#include "services/store/event/log_file_removal.h"

namespace kinora {
namespace {

constexpr absl::string_view kJournalName = "journal";
constexpr absl::string_view kLockName = "LOCK";
constexpr absl::string_view kProbeName = "room~";

// Room for some thousand appends of one event, or a sync that takes a
// millisecond longer.
constexpr uint64_t kJournalReserveBytes = 1 << 20;

// Some megabytes, and a second or two when the log is closed.
constexpr size_t kMaxUnnotedLogs = 16'384;

}  // namespace

FileEventLog::FileEventLog(FileSystem& fs, absl::string_view root,
                           const FileEventLogOptions& options)
    : fs_(fs),
      root_(root),
      options_(options),
      gate_(options.gate != nullptr ? options.gate
                                    : std::make_shared<WriteGate>(root)),
      directories_(fs, root),
      waiters_(options.executor),
      committer_(fs, gate_, options.limits, waiters_, options.metrics) {}

FileEventLog::~FileEventLog() { gate_->OnLookForRoom(nullptr); }

absl::StatusOr<std::unique_ptr<FileEventLog>> FileEventLog::Open(
    FileSystem& fs, absl::string_view root,
    const FileEventLogOptions& options) {
  std::unique_ptr<FileEventLog> log(new FileEventLog(fs, root, options));
  const std::string directory = log->JournalDirectory();
  KINORA_RETURN_IF_ERROR(log->directories_.Ensure(directory));
  KINORA_ASSIGN_OR_RETURN(log->lock_, fs.Lock(JoinPath(directory, kLockName)));
  const absl::Status started = log->Start();
  if (absl::IsResourceExhausted(started)) {
    log->gate_->CloseUntilRoom(started).IgnoreError();
  } else {
    KINORA_RETURN_IF_ERROR(started);
  }
  log->gate_->OnLookForRoom([log = log.get()] { log->LookForRoom(); });
  return log;
}

std::string FileEventLog::JournalDirectory() const {
  return JoinPath(root_, kJournalName);
}

absl::Status FileEventLog::Start() {
  const std::string directory = JournalDirectory();
  std::vector<std::string> lost;
  LogEnds ends;
  const absl::StatusOr<JournalNext> next =
      RecoverLogFiles(fs_, root_, directory, directories_, &lost, &ends);
  {
    MutexLock lock(mu_);
    // Of a volume that was full: logs of before that may be in memory alone.
    for (const auto& entry : chains_) NoteForgotten(entry.first, *entry.second);
    chains_.clear();
    if (next.ok()) {
      for (const auto& entry : ends) unnoted_[entry.first] = entry.second;
    }
    tails_.clear();
    if (absl::IsResourceExhausted(next.status())) {
      KINORA_ASSIGN_OR_RETURN(tails_,
                              ReadJournaledTails(fs_, root_, directory));
    }
  }
  KINORA_RETURN_IF_ERROR(next.status());
  // Opening them finds it out, so that nobody writes to their movies.
  for (const std::string& log : lost) {
    KINORA_RETURN_IF_ERROR(Chain(log).status());
  }
  const uint64_t reserve_bytes =
      std::min(kJournalReserveBytes, options_.limits.journal_segment_bytes);
  absl::StatusOr<std::unique_ptr<Journal>> journal =
      Journal::Create(fs_, directory, *next, reserve_bytes);
  if (absl::IsResourceExhausted(journal.status())) {
    // What was recovered is not needed any more, and may be all it takes.
    KINORA_RETURN_IF_ERROR(
        RemoveJournalSegmentsBelow(fs_, directory, next->segment));
    journal = Journal::Create(fs_, directory, *next, reserve_bytes);
  }
  KINORA_RETURN_IF_ERROR(journal.status());
  KINORA_RETURN_IF_ERROR((*journal)->RemoveSegmentsBelow(next->segment));
  committer_.Begin(*std::move(journal));
  return absl::OkStatus();
}

void FileEventLog::LookForRoom() {
  if (!calls_.BeginReopen()) return;
  if (gate_->IsFull()) {
    absl::Status status = ProbeRoom();
    if (status.ok()) status = Start();
    if (status.ok()) {
      gate_->Reopen();
    } else if (!absl::IsResourceExhausted(status)) {
      gate_->Close(status).IgnoreError();
    }
  }
  calls_.EndReopen();
}

absl::Status FileEventLog::ProbeRoom() {
  const std::string path = JoinPath(JournalDirectory(), kProbeName);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs_.OpenForWrite(path, OpenMode::kTruncate));
  const absl::Status room = file->Append(std::string(
      std::min(kJournalReserveBytes, options_.limits.journal_segment_bytes),
      '\0'));
  file.reset();
  KINORA_RETURN_IF_ERROR(fs_.Remove(path));
  return room;
}

absl::StatusOr<FileEventLog::ChainPtr> FileEventLog::Chain(
    absl::string_view log) {
  ChainPtr chain = CachedChain(log);
  KINORA_RETURN_IF_ERROR(chain->Open());
  return chain;
}

FileEventLog::ChainPtr FileEventLog::CachedChain(absl::string_view log) {
  MutexLock lock(mu_);
  const auto found = chains_.find(log);
  if (found != chains_.end()) return found->second;
  if (chains_.size() >= options_.max_cached_logs) ForgetIdleChains();
  unnoted_.erase(log);  // from here on it tells itself
  const auto tail = tails_.find(log);
  ChainPtr chain = std::make_shared<FileEventLogChain>(
      fs_, directories_, damages_, root_, log,
      tail == tails_.end() ? nullptr
                           : std::make_shared<const LogTail>(tail->second));
  chains_.emplace(std::string(log), chain);
  return chain;
}

void FileEventLog::ForgetIdleChains() {
  // Whoever uses one holds a reference, also for the sake of its next sync.
  std::vector<std::string> idle;
  for (const auto& entry : chains_) {
    if (entry.second.use_count() == 1 && !entry.second->IsQuarantined()) {
      idle.push_back(entry.first);
    }
  }
  // A read-only log keeps all: its files may hold more than was acknowledged.
  // Asked only now, since an append that fails lets go of its log after it has
  // made the log read-only.
  if (!committer_.CheckWritable().ok()) return;
  for (const std::string& log : idle) {
    const auto chain = chains_.find(log);
    NoteForgotten(log, *chain->second);
    chains_.erase(chain);
  }
}

void FileEventLog::NoteForgotten(const std::string& log,
                                 FileEventLogChain& chain) {
  const std::optional<LogPosition> end = chain.UnnotedEnd();
  if (end.has_value() && unnoted_.size() < kMaxUnnotedLogs) {
    unnoted_[log] = *end;
  }
}

absl::StatusOr<AppendedRange> FileEventLog::Append(
    absl::string_view log, absl::Span<const std::string> bodies, Admit admit) {
  AppendCall call = {.log = log, .bodies = bodies, .admit = admit};
  AppendAll(absl::MakeSpan(&call, 1));
  return call.result;
}

void FileEventLog::AppendAll(absl::Span<AppendCall> calls) {
  const absl::Status writable = gate_->CheckAtBegin();
  const LogCalls::Call in_progress(calls_, LogCalls::kWrite);
  std::vector<FileEventLogCommitter::ChainAppend> appends;
  absl::flat_hash_map<FileEventLogChain*, absl::Status> begun;
  for (AppendCall& call : calls) {
    absl::StatusOr<ChainPtr> chain = ChainForAppend(call, writable);
    absl::Status status = chain.status();
    if (status.ok()) {
      // Once for each log: one that waits to be archived lets nobody in twice.
      const auto [entry, added] =
          begun.try_emplace(chain->get(), absl::OkStatus());
      if (added) entry->second = (*chain)->BeginAppend();
      status = entry->second;
    }
    if (status.ok()) {
      appends.push_back({.chain = *std::move(chain), .call = &call});
    } else {
      call.result = status;
    }
  }
  if (!appends.empty()) committer_.Append(appends);
  for (const auto& entry : begun) {
    if (entry.second.ok()) entry.first->EndAppend();
  }
}

absl::StatusOr<FileEventLog::ChainPtr> FileEventLog::ChainForAppend(
    const AppendCall& call, const absl::Status& writable) {
  KINORA_RETURN_IF_ERROR(ValidateAppend(call.log, call.bodies));
  KINORA_RETURN_IF_ERROR(writable);
  return Chain(call.log);
}

absl::StatusOr<std::vector<LogRecord>> FileEventLog::Read(absl::string_view log,
                                                          int64_t after,
                                                          int64_t limit,
                                                          int64_t max_bytes) {
  KINORA_RETURN_IF_ERROR(ValidateRead(log, after, limit, max_bytes));
  const LogCalls::Call in_progress(calls_, LogCalls::kRead);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  return chain->Read(after, {.records = limit, .bytes = max_bytes});
}

absl::StatusOr<LogExtent> FileEventLog::Extent(absl::string_view log) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  const LogCalls::Call in_progress(calls_, LogCalls::kRead);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  return chain->Extent();
}

EventLog::WaiterId FileEventLog::NotifyAfter(
    absl::string_view log, int64_t after, absl::AnyInvocable<void()> callback) {
  const WaiterId id = waiters_.Add(log, after, std::move(callback));
  const absl::StatusOr<LogExtent> extent = Extent(log);
  // Whoever waits for what cannot be read finds out by reading.
  waiters_.Notify(log, extent.ok() ? extent->last_sequence
                                   : std::numeric_limits<int64_t>::max());
  return id;
}

void FileEventLog::CancelNotify(WaiterId id) { waiters_.Cancel(id); }

absl::Status FileEventLog::Archive(absl::string_view log, int64_t through,
                                   absl::string_view archive) {
  KINORA_RETURN_IF_ERROR(ValidateArchive(log, archive));
  KINORA_RETURN_IF_ERROR(gate_->CheckAtBegin());
  const LogCalls::Call in_progress(calls_, LogCalls::kWrite);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  KINORA_RETURN_IF_ERROR(chain->BeginArchive());
  const absl::Status status =
      RunArchive(chain, through, JoinPath(root_, archive));
  chain->EndArchive();
  return status;
}

absl::Status FileEventLog::Checkpoint(absl::string_view log) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  KINORA_RETURN_IF_ERROR(gate_->CheckAtBegin());
  const LogCalls::Call in_progress(calls_, LogCalls::kWrite);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, chain->Extent());
  if (extent.last_sequence == 0) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(chain->BeginAppend());
  const absl::Status status = chain->Checkpoint();
  chain->EndAppend();
  return status;
}

absl::Status FileEventLog::ReportLostEnd(absl::string_view log,
                                         int64_t acknowledged,
                                         absl::string_view proof) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  const LogCalls::Call in_progress(calls_, LogCalls::kRead);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  return chain->ReportLostEnd(acknowledged, proof, WasRemoved(log));
}

absl::Status FileEventLog::Trim(absl::string_view log, int64_t through) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  KINORA_RETURN_IF_ERROR(gate_->CheckAtBegin());
  const LogCalls::Call in_progress(calls_, LogCalls::kWrite);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  KINORA_RETURN_IF_ERROR(chain->BeginArchive());
  const absl::Status status = chain->Trim(through);
  chain->EndArchive();
  return status.ok() ? status : committer_.Poison(status);
}

absl::Status FileEventLog::Remove(absl::string_view log) {
  KINORA_RETURN_IF_ERROR(ValidateLogKey(log));
  KINORA_RETURN_IF_ERROR(gate_->CheckAtBegin());
  const LogCalls::Call in_progress(calls_, LogCalls::kWrite);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, Chain(log));
  chain->BeginRemove();
  absl::Status status = NoteLogRemoval(fs_, root_, log);
  if (absl::IsResourceExhausted(status)) status = committer_.StopFor(status);
  if (status.ok()) status = committer_.MarkRemoved(chain);
  // From here on it is gone: what a crash leaves of the files goes on open.
  if (status.ok()) {
    NoteRemoved(log);
    status = chain->RemoveFiles();
    if (!status.ok()) status = committer_.Poison(status);
  }
  chain->EndArchive();
  if (status.ok()) waiters_.Notify(log, std::numeric_limits<int64_t>::max());
  return status;
}

void FileEventLog::ForgetPlaces(absl::string_view prefix) {
  directories_.Forget(JoinPath(root_, absl::StripSuffix(prefix, "/")));
}

void FileEventLog::NoteRemoved(absl::string_view log) {
  MutexLock lock(mu_);
  removed_.insert(absl::HashOf(log));
}

bool FileEventLog::WasRemoved(absl::string_view log) {
  MutexLock lock(mu_);
  return removed_.contains(absl::HashOf(log));
}

absl::Status FileEventLog::Close() {
  KINORA_RETURN_IF_ERROR(committer_.Retire());
  // The files are all there is, also without.
  const absl::Status noted = NoteEnds();
  if (!noted.ok()) {
    LogWarning("nothing says where some logs end, should they lose their ends",
               {{"error", noted}});
  }
  return absl::OkStatus();
}

absl::Status FileEventLog::NoteEnds() {
  MutexLock lock(mu_);
  LogEnds ends = unnoted_;
  for (const auto& entry : chains_) {
    const std::optional<LogPosition> end = entry.second->UnnotedEnd();
    if (end.has_value()) ends[entry.first] = *end;
  }
  return WriteLogCheckpoints(fs_, root_, ends);
}

absl::StatusOr<AppendedRange> FileEventLog::Restore(
    absl::string_view log, int64_t first_sequence,
    absl::Span<const std::string> bodies) {
  KINORA_RETURN_IF_ERROR(ValidateRestore(log, first_sequence, bodies));
  AppendCall call{.log = log, .bodies = bodies, .admit = AdmitAlways};
  const absl::Status writable = gate_->CheckAtBegin();
  const LogCalls::Call in_progress(calls_, LogCalls::kWrite);
  KINORA_ASSIGN_OR_RETURN(const ChainPtr chain, ChainForAppend(call, writable));
  KINORA_RETURN_IF_ERROR(chain->BeginAppend());
  const FileEventLogCommitter::ChainAppend append = {
      .chain = chain, .call = &call, .restore_from = first_sequence};
  committer_.Append(absl::MakeConstSpan(&append, 1));
  chain->EndAppend();
  return call.result;
}

absl::Status FileEventLog::RunArchive(const ChainPtr& chain, int64_t through,
                                      const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(const bool any, chain->StartArchive(through));
  if (!any) return absl::OkStatus();
  absl::Status status = chain->SyncLive();
  if (!status.ok()) return committer_.Poison(status);
  // A full disk, say, is no harm: there is only a copy to be dropped.
  KINORA_RETURN_IF_ERROR(chain->StageArchive(path));
  status = chain->PublishArchive(path);
  if (absl::IsAlreadyExists(status)) return status;
  if (!status.ok()) return committer_.StopFor(status);

  // From here on nothing in the journal may be applied to the live file, which
  // is about to be replaced.
  KINORA_RETURN_IF_ERROR(committer_.MarkSynced(chain));
  status = chain->DropArchived(path);
  if (!status.ok()) return committer_.StopFor(status);
  chain->CheckpointArchived();
  return absl::OkStatus();
}

}  // namespace kinora
