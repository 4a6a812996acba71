// What a run did, as a graph: the member `observability` of its record, and the
// event that tells others of it.

#ifndef KINORA_SERVICES_RUNNER_RECORD_ACTION_GRAPH_H_
#define KINORA_SERVICES_RUNNER_RECORD_ACTION_GRAPH_H_

#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/json/json.h"
#include "services/runner/record/topic_log.h"

namespace kinora {

inline constexpr absl::string_view kActionGraphTopic =
    "observability.action_graph";

// The observability of a record:
//   schema_version      1
//   nodes               [{id, kind, label, status?, ...}], the run first. kind:
//                       run, job, child_run, question, handoff
//   edges               [{from, to, kind}], by ids of nodes. kind: ran (run to
//                       job), spawned (job or run to child run), asked (job or
//                       run to question), handed_to (run to handoff)
//   counts              {jobs, child_runs, questions, handoffs, artifacts,
//                       compactions, daemon_events}
//   trace_id, replay_of_event_id, trigger {id, provider, kind, signature}
//                       where the record has them
//   compaction_events, daemon_events   see transcript.h
//   transcript_sidecar  {path, available, error?} if the record's path is known
// A function of the record and of the sidecar beside its `persisted_path`.
JsonValue Observability(const JsonValue& document, FileSystem& files);

// The event that tells of a saved record, of kind `action_graph_update`:
// headers run_id, workflow_id and, if known, trace_id; payload run_id,
// workflow_id, persisted_path, status and observability. Its id is 0.
TopicRecord ActionGraphEvent(const JsonValue& document);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_ACTION_GRAPH_H_
