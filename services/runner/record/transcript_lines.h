// The file beside a run record that has what the transcripts of the run say,
// line by line: the sidecar of transcript.h.

#ifndef KINORA_SERVICES_RUNNER_RECORD_TRANSCRIPT_LINES_H_
#define KINORA_SERVICES_RUNNER_RECORD_TRANSCRIPT_LINES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/json/json.h"

namespace kinora {

// The `events` of the transcripts of the document's jobs, in their order, and
// then of its own: each a line of JSON, as it was told. One that is an object
// gets `transcript_id`, `stage_id` and `node_id` where these are known and it
// has no such members. Empty if there are no events.
std::string TranscriptLines(const JsonValue& document);

// Writes TranscriptLines() to the TranscriptSidecarPath() of the record in
// `run_path`, as WriteFileAtomically() does; directories that are missing are
// made. Writes nothing if there are no lines. To be called before the record is
// saved, which tells what is there.
absl::Status SaveTranscriptLines(const JsonValue& document,
                                 absl::string_view run_path, FileSystem& files);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_TRANSCRIPT_LINES_H_
