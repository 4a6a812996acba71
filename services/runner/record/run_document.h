// The run record as a document: one JSON object that says of a run, now or
// years later, in any language, what it did: its jobs, child runs, questions,
// handoffs, artefacts, transcripts, and what a replay has to come to.
//
// docs/records.md names each member. Those are the names of earlier systems
// (`stages`, `worker`), so that records of theirs load and ours can be read
// there; in Kinora's words a stage is a job and a worker a child run
// (run_record.proto has the table). Members that nothing here knows are kept as
// they are, in their place.
//
// A document goes through the same steps in three places:
//
//                    normalise          save          load
//   the input        own value          not changed   own value
//   defaults         1st, where empty   no            no
//   replay fixture   2nd                3rd           2nd
//   questions        3rd                1st           no
//   child runs       4th                2nd           1st
//   persisted_path   kept               the path      kept, else the path
//   handoffs         5th                5th           4th
//   observability    if there is none   made anew     made anew
//
// Each is idempotent: normalising twice is normalising once, and what is loaded
// is what was saved.

#ifndef KINORA_SERVICES_RUNNER_RECORD_RUN_DOCUMENT_H_
#define KINORA_SERVICES_RUNNER_RECORD_RUN_DOCUMENT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/ids.h"
#include "common/json/json.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/topic_log.h"

namespace kinora {

// A record of more bytes is not read.
inline constexpr uint64_t kMaxRunDocumentBytes = uint64_t{256} << 20;

// What the steps need of the world. All MUST outlive the calls; thread-safe as
// its parts are.
struct RunDocumentDeps {
  Clock& clock;
  RunIdGenerator& ids;
  FileSystem& files;
  // The active log: questions are read from it, and the action graph is
  // published to it. Null for none.
  EventTopicLog* log = nullptr;
};

// `document` with the members that a run record has, those of other names
// under their own (document_form.h). Errors: as CheckRunDocument(); those of
// the log, with its topic. Never a part of a document.
absl::StatusOr<JsonValue> NormalizedRunDocument(JsonValue document,
                                                const RunDocumentDeps& deps);

// What SaveRunDocument() writes to `path`: a copy of `document` with all its
// steps. For callers that keep it elsewhere.
absl::StatusOr<JsonValue> RunDocumentToSave(const JsonValue& document,
                                            absl::string_view path,
                                            const RunDocumentDeps& deps);

// `<directory>/<id>.json`. INVALID_ARGUMENT for the field "id" if it is empty
// or no name of a file.
absl::StatusOr<std::string> RunDocumentPath(absl::string_view directory,
                                            const JsonValue& document);

// Writes the record, indented, to `path`, and returns `path`. The file always
// holds either the old record or all of the new one, and the new one surely
// once this returns OK; directories that are missing are made. Only then its
// action graph is published, and whether that succeeds is nobody's concern.
//
// Errors say which step failed, before anything else: "create run directory",
// "encode run record" (INVALID_ARGUMENT: it could not be loaded again),
// "persist run record"; and those of the log.
absl::StatusOr<std::string> SaveRunDocument(const JsonValue& document,
                                            absl::string_view path,
                                            const RunDocumentDeps& deps);

// The record in the file `path`. Asks no log and writes nothing.
//
// Errors say which step failed, before anything else: "read run record",
// "parse run record" (no JSON, or a number that would lose digits),
// "decode run record" (no run record).
absl::StatusOr<JsonValue> LoadRunDocument(absl::string_view path,
                                          const RunDocumentDeps& deps);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_RUN_DOCUMENT_H_
