// A LocalStore is a whole store in this process, on local files or in memory:
// the drivers and the cores above them, put together. Files lie below the data
// directory as services/store/layout.h says, beside `journal/` and what the
// drivers stage.

#ifndef KINORA_SERVICES_STORE_LOCAL_STORE_H_
#define KINORA_SERVICES_STORE_LOCAL_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "services/store/event/event_log.h"
#include "services/store/event/file_event_log.h"
#include "services/store/object/object_storage.h"
#include "services/store/store.h"
#include "services/store/store_core.h"
#include "services/store/write_gate.h"

namespace kinora {

struct LocalStoreOptions {
  // Made if it is not there; locked against other stores while this one is
  // open. Empty keeps everything in memory.
  std::string data_dir;
  // Values up to this size live inline in events and manifests.
  int64_t inline_limit_bytes = 4096;
  // Largest blob; 0 for no limit.
  int64_t max_blob_bytes = 0;
  // When the journal starts a new segment.
  FileEventLogLimits log_limits;
  // A movie's indexes are saved each time so many events were taken up, and
  // logs get checkpoints at least as often: a restarted store reads about so
  // many at a movie's first use.
  int64_t checkpoint_events = 100'000;
  // For how long a collection keeps what nothing reaches.
  absl::Duration gc_grace = absl::Hours(1);
  // Where it counts what it does; null for nowhere. MUST outlive the store.
  MetricsRegistry* metrics = nullptr;
};

// Thread-safe.
class LocalStore {
 public:
  // Recovers the logs; interrupted commits are finished at the first use of
  // their movie. On a full volume it opens read-only. FAILED_PRECONDITION
  // naming the other process if the directory is in use; DATA_LOSS naming file
  // and line if a log is damaged. All references MUST outlive the store;
  // `executor` runs the callbacks of followers. No part makes up ids of its own
  // yet, so `random` is not used.
  static absl::StatusOr<std::unique_ptr<LocalStore>> Open(
      const LocalStoreOptions& options, FileSystem& disk, Clock& clock,
      Random& random, Executor& executor);

  // The parts, which live as long as this LocalStore.
  Store store() { return core_.store(); }

  // A clean end: the directory is only its files, which may be copied and put
  // back. Without it, as after a crash, opening completes the logs from the
  // journal. REQUIRES: no call is in progress, and none comes after.
  void Close();

  // Why writes are refused, naming the volume and what to do; empty while they
  // are not.
  std::string read_only_reason() const {
    return std::string(gate_->Check().message());
  }

  // The bytes of a committed revision, made from the logs alone; see
  // LogManifestStore::Rebuild().
  absl::StatusOr<std::string> RebuildManifest(absl::string_view movie_id,
                                              absl::string_view revision) {
    return core_.manifests.Rebuild(movie_id, revision);
  }

 private:
  LocalStore(const LocalStoreOptions& options, std::shared_ptr<WriteGate> gate,
             std::unique_ptr<FileSystem> fs, std::unique_ptr<EventLog> log,
             std::unique_ptr<ObjectStorage> storage, Clock& clock,
             Executor& executor);

  // In the order in which they need each other. The log holds the directory's
  // lock, so it is opened first and closed last.
  const std::shared_ptr<WriteGate> gate_;
  const std::unique_ptr<FileSystem> fs_;
  const std::unique_ptr<EventLog> log_;
  const std::unique_ptr<ObjectStorage> storage_;
  StoreCore core_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_LOCAL_STORE_H_
