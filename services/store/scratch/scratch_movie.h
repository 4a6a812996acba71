// A ScratchMovie is a copy of a movie to try things on: a whole store in memory
// with that one movie in it, under its id and with its history. What is done to
// it stays there and goes with it.
//
// Its logs and manifests are copied (BackUpMovie without blobs); blobs are read
// from the original when somebody asks for them, and then neither copied nor
// marked as used. It has no plans and no runs.

#ifndef KINORA_SERVICES_STORE_SCRATCH_SCRATCH_MOVIE_H_
#define KINORA_SERVICES_STORE_SCRATCH_SCRATCH_MOVIE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/clock.h"
#include "common/threads/executor.h"
#include "services/store/backup/history_end.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/object/memory_object_storage.h"
#include "services/store/store.h"
#include "services/store/store_core.h"

namespace kinora {

// Thread-safe. Memory: that of the movie's logs and manifests, twice while it
// is made.
class ScratchMovie {
 public:
  // The movie as it is now. `original`, clock and executor MUST outlive it;
  // `executor` runs the callbacks of followers. Errors of BackUpMovie.
  static absl::StatusOr<std::unique_ptr<ScratchMovie>> CopyOf(
      const Store& original, const std::string& movie_id, Clock& clock,
      Executor& executor);

  // The movie as it was when its logs ended there, with the manifest that was
  // current. OUT_OF_RANGE (LOG_TRIMMED) if that is not known any more; else as
  // CopyOf(), which says nothing of what came later.
  static absl::StatusOr<std::unique_ptr<ScratchMovie>> CopyAt(
      const Store& original, const std::string& movie_id, const HistoryEnd& end,
      Clock& clock, Executor& executor);

  Store store() { return core_.store(); }

  // Lets the blob be named, wherever its bytes are.
  void Expect(const v1::Digest& digest) { core_.behind->Expect(digest); }

 private:
  ScratchMovie(BlobStore& original, Clock& clock, Executor& executor);

  absl::Status Fill(MaintenanceStore& original, const std::string& movie_id,
                    const std::optional<HistoryEnd>& end);

  MemoryEventLog log_;
  MemoryObjectStorage storage_;
  StoreCore core_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_SCRATCH_SCRATCH_MOVIE_H_
