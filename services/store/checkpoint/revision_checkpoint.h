// A RevisionCheckpoint is what is kept of a movie's logs up to a revision once
// their records are removed: events with the bytes and the numbers that they
// had. It is truth, as the logs are, and consists of two files:
//
//   events/artefacts.checkpoint.rev-0003.jsonl   lines of artefacts.log
//   events/inputs.checkpoint.rev-0003.json       one JSON object, that has
//                                                lines of inputs.log in it:
//   {"formatVersion":1,"revision":"rev-0003",
//    "inputsThrough":12,"artefactsThrough":40,    what it stands for
//    "artefactEvents":{"count":17,"sha256":"...","sizeBytes":4711},
//    "producerTotals":{...},                      up to artefactsThrough
//    "events":[
//   {"seq":3,...,"crc32c":"..."},
//   {"seq":9,...,"crc32c":"..."}
//   ],"crc32c":"0badcafe"}
//
// The second is written last and names the first by its hash: without it there
// is no checkpoint. Its own checksum is over the bytes before `,"crc32c"` of
// the last line. Neither is ever rewritten. A later checkpoint takes the place
// of an earlier one, which is removed once the later one is durable; of several
// the newest counts.
//
// Which events are kept: services/store/checkpoint/kept_events.h.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_REVISION_CHECKPOINT_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_REVISION_CHECKPOINT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/checkpoint/checkpoint_text.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Not thread-safe. Goes on answering after its files were removed.
class RevisionCheckpoint {
 public:
  // The newest one; null if there is none. DATA_LOSS (DATA_CORRUPT) naming the
  // file if it is damaged or of another version.
  static absl::StatusOr<std::unique_ptr<RevisionCheckpoint>> OpenNewest(
      ObjectStorage& storage, absl::string_view movie_id);

  const CheckpointInfo& info() const { return info_; }

  // The file that holds the events of that log, below the movie.
  std::string PathOf(v1::LogKind kind) const;

  // The kept records after `after` and up to `through`, ascending, at most
  // `limit` of them and about `max_bytes` bytes (at least one if there is any).
  // Each is checked. DATA_LOSS naming file and number if it is damaged.
  absl::StatusOr<std::vector<LogRecord>> Read(v1::LogKind kind, int64_t after,
                                              int64_t through, int64_t limit,
                                              int64_t max_bytes);

  // Reads all of it: every line, the order, the hash and the count. DATA_LOSS
  // naming the file.
  absl::Status Check();

 private:
  RevisionCheckpoint(std::string movie_id, CheckpointInfo info)
      : movie_id_(std::move(movie_id)), info_(std::move(info)) {}

  absl::StatusOr<int64_t> FindArtefact(int64_t after);
  absl::StatusOr<std::string> BytesAt(int64_t offset, int64_t limit);
  absl::StatusOr<std::string> LineAt(int64_t offset);

  const std::string movie_id_;
  const CheckpointInfo info_;
  std::vector<LogRecord> inputs_;
  std::unique_ptr<ObjectReader> artefacts_;
  // Where the record after the one read last begins.
  int64_t next_after_ = 0;
  int64_t next_offset_ = 0;
};

// Writes a checkpoint; `info` as above, but for what is said of the artefacts'
// file. `inputs` ascend. `artefacts` hands every record of artefacts.log that
// is kept to its argument, ascending.
absl::Status WriteRevisionCheckpoint(
    ObjectStorage& storage, absl::string_view movie_id, CheckpointInfo info,
    const std::vector<LogRecord>& inputs,
    absl::FunctionRef<
        absl::Status(absl::FunctionRef<absl::Status(const LogRecord&)> keep)>
        artefacts);

// Removes the files of all checkpoints of the movie but that of `revision`, and
// what a crash has left of unfinished ones.
absl::Status RemoveOtherCheckpoints(ObjectStorage& storage,
                                    absl::string_view movie_id,
                                    absl::string_view revision);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_REVISION_CHECKPOINT_H_
