// What the transcripts of a run tell beside the words themselves: where the
// file beside the record is, what was compacted, and what daemons did.

#ifndef KINORA_SERVICES_RUNNER_RECORD_TRANSCRIPT_H_
#define KINORA_SERVICES_RUNNER_RECORD_TRANSCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/json/json.h"

namespace kinora {

// A sidecar of more bytes is not read.
inline constexpr uint64_t kMaxSidecarBytes = uint64_t{64} << 20;

// The file of transcript lines that belongs to the record in `run_path`:
// `<directory or .>/<stem>-llm/llm_transcript.jsonl`. Nothing if the path has
// no stem or is not UTF-8.
std::optional<std::string> TranscriptSidecarPath(absl::string_view run_path);

// Where a transcript stands.
struct TranscriptPlace {
  std::optional<std::string> stage_id;
  std::optional<std::string> node_id;
  std::string location;  // such as `run.transcript`
  std::optional<std::string> persisted_path;
};

// The compactions of a transcript, {id, transcript_id?, stage_id?, node_id?,
// mode, strategy, archived_messages, estimated_tokens_before,
// estimated_tokens_after, snapshot_asset_id?, snapshot_location,
// snapshot_path?, available}: its `events` of kind `compaction`, whose values
// are in their `metadata`, or in the event itself where it has none of that
// name. A count that is no whole number from 0 on is 0. `available` says
// whether the transcript's `assets` have the snapshot. What is of another type
// is taken for missing, never for an error.
JsonArray CompactionEvents(const JsonValue& transcript,
                           const TranscriptPlace& place);

// The daemon events in the lines of a sidecar, {daemon_id, name, kind,
// timestamp, persist_path, payload_summary?}: lines of type `daemon_event`,
// whose kind is spawned (if none is told), triggered, snapshotted, resumed or
// stopped. Other lines, and those that are no such JSON, are passed over.
JsonArray DaemonEvents(absl::string_view lines);

// The same of a file; none if there is no file. Errors of the disk, and
// RESOURCE_EXHAUSTED beyond kMaxSidecarBytes.
absl::StatusOr<JsonArray> ReadDaemonEvents(FileSystem& files,
                                           absl::string_view sidecar_path);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_TRANSCRIPT_H_
