// A LogHistory is all that is known of inputs.log or artefacts.log of a movie
// from its beginning: where records were removed, those that a checkpoint has
// kept of them (revision_checkpoint.h), then the log itself. Its records
// ascend; their numbers are dense only where the log itself has them.
//
// What asks about the past of a movie reads this and not the log: indexes, what
// keeps blobs alive, takes, manifests, readable files.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_LOG_HISTORY_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_LOG_HISTORY_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Not thread-safe. Safe beside appends, archiving and removal. Making one costs
// nothing; a checkpoint is read when it is needed first.
class LogHistory {
 public:
  // Both MUST outlive this. `kind` is inputs or artefacts.
  LogHistory(EventLog& log, ObjectStorage& storage, absl::string_view movie_id,
             v1::LogKind kind);

  struct Page {
    std::vector<LogRecord> records;
    // The file they are from, below the movie, if not from the log.
    std::string checkpoint;
  };

  // The records after `after`, at most `limit` of them and about `max_bytes`
  // bytes (at least one if there is any). Errors as of EventLog::Read(), but
  // not OUT_OF_RANGE: DATA_LOSS (DATA_CORRUPT) if records were removed and no
  // checkpoint stands for them, or if it is damaged.
  absl::StatusOr<Page> Read(int64_t after, int64_t limit, int64_t max_bytes);

  // One record; nullopt if it was removed and not kept. INTERNAL if the log
  // ends before it. Who asks for one near the last is read some around it: a
  // run that goes on looks up each of its results about as it has made them.
  absl::StatusOr<std::optional<LogRecord>> At(int64_t sequence);

  // Hands the events after `*at` to `take`, in order, and moves `*at` along; up
  // to the end, or to `through` if that is not 0. Errors are those of Read(),
  // EventFromRecord and `take`; `*at` is then the last event taken.
  absl::Status ForEach(int64_t through, int64_t* at,
                       absl::FunctionRef<absl::Status(v1::Event)> take);

  // What held at a point of the log can be told from here on: 0 while nothing
  // was removed.
  absl::StatusOr<int64_t> KnownFrom();

 private:
  // The record from what was read around others; null if it is not there.
  const LogRecord* FindRead(int64_t sequence) const;
  // Reads some records around this one. What cannot be read is left out: who
  // needs it asks for it alone.
  void ReadAround(int64_t sequence);
  // Has a checkpoint that reaches as far as the record `through`.
  absl::Status NeedCheckpoint(int64_t through);

  EventLog& log_;
  ObjectStorage& storage_;
  const std::string movie_id_;
  const v1::LogKind kind_;
  const std::string key_;
  std::unique_ptr<RevisionCheckpoint> checkpoint_;
  int64_t last_at_ = 0;
  // Each of the log, without a gap. Two, as the order of results is not quite
  // that of who asks for them.
  std::array<std::vector<LogRecord>, 2> read_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_LOG_HISTORY_H_
