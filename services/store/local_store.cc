#include "services/store/local_store.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/gated_file_system.h"
#include "services/store/layout.h"
#include "services/store/movie/movie_directories.h"
#include "services/store/object/file_object_storage.h"
#include "services/store/object/memory_object_storage.h"

namespace kinora {

namespace {

FileEventLogLimits LimitsOf(const LocalStoreOptions& options) {
  FileEventLogLimits limits = options.log_limits;
  limits.checkpoint_records =
      std::min(limits.checkpoint_records, options.checkpoint_events);
  return limits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalStore>> LocalStore::Open(
    const LocalStoreOptions& options, FileSystem& disk, Clock& clock,
    Random& /*random*/, Executor& executor) {
  auto gate = std::make_shared<WriteGate>(options.data_dir);
  auto fs = std::make_unique<GatedFileSystem>(disk, *gate);
  std::unique_ptr<EventLog> log;
  std::unique_ptr<ObjectStorage> storage;
  if (options.data_dir.empty()) {
    log = std::make_unique<MemoryEventLog>(&executor);
    storage = std::make_unique<MemoryObjectStorage>(clock);
  } else {
    KINORA_ASSIGN_OR_RETURN(log,
                            FileEventLog::Open(*fs, options.data_dir,
                                               {.executor = &executor,
                                                .limits = LimitsOf(options),
                                                .gate = gate,
                                                .metrics = options.metrics}));
    KINORA_ASSIGN_OR_RETURN(
        storage,
        FileObjectStorage::Open(*fs, options.data_dir,
                                {.gate = gate, .makes_room = IsRetentionKey}));
    // What an earlier process left unfinished may have been what filled it.
    gate->CheckAtBegin().IgnoreError();
    const absl::Status removed =
        RemoveEmptyMovieDirectories(*fs, options.data_dir);
    if (!removed.ok()) {
      LogWarning("empty directories are to be removed later",
                 {{"error", removed}});
    }
  }
  std::unique_ptr<LocalStore> store(
      new LocalStore(options, std::move(gate), std::move(fs), std::move(log),
                     std::move(storage), clock, executor));
  // What cannot be finished now is when somebody takes the movie's id.
  const absl::Status finished = store->core_.movies.FinishDeletions();
  if (!finished.ok()) {
    LogWarning("deletions are to be finished later", {{"error", finished}});
  }
  return store;
}

LocalStore::LocalStore(const LocalStoreOptions& options,
                       std::shared_ptr<WriteGate> gate,
                       std::unique_ptr<FileSystem> fs,
                       std::unique_ptr<EventLog> log,
                       std::unique_ptr<ObjectStorage> storage, Clock& clock,
                       Executor& executor)
    : gate_(std::move(gate)),
      fs_(std::move(fs)),
      log_(std::move(log)),
      storage_(std::move(storage)),
      core_(*storage_, *log_, clock,
            {.blobs = {.max_blob_bytes = options.max_blob_bytes,
                       .grace = options.gc_grace,
                       .executor = &executor,
                       .metrics = options.metrics},
             .events = {.inline_limit_bytes = options.inline_limit_bytes,
                        .index = {.save_events = options.checkpoint_events}},
             .helper = &executor}) {}

void LocalStore::Close() {
  const absl::Status closed = log_->Close();
  if (!closed.ok()) {
    LogWarning("the journal is left for the next start", {{"error", closed}});
  }
}

}  // namespace kinora
