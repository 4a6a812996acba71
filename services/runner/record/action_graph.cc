#include "services/runner/record/action_graph.h"

#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/handoffs.h"
#include "services/runner/record/trace_identity.h"
#include "services/runner/record/transcript.h"

namespace kinora {
namespace {

constexpr size_t kLabelCharacters = 80;

// Copies texts that are not empty.
void CopyTexts(const JsonValue& from, JsonObject& to,
               std::initializer_list<absl::string_view> keys) {
  for (const absl::string_view key : keys) {
    const absl::string_view text = TextOrEmpty(from, key);
    if (!text.empty()) to.Add(key, text);
  }
}

// The graph as it grows, from its first node, the run.
class Graph {
 public:
  explicit Graph(const JsonValue& document) {
    absl::string_view label = TextOrEmpty(document, "workflow_name");
    if (label.empty()) label = TextOrEmpty(document, "workflow_id");
    if (label.empty()) label = TextOrEmpty(document, "id");
    JsonObject run = Node("run", label, document, {"status", "workflow_id"});
    run_ = AddNode("run", TextOrEmpty(document, "id"), std::move(run));
  }

  void AddJob(const JsonValue& stage) {
    const absl::string_view stage_id = TextOrEmpty(stage, "id");
    const absl::string_view node_id = TextOrEmpty(stage, "node_id");
    JsonObject node = Node("job", node_id.empty() ? stage_id : node_id, stage,
                           {"status", "outcome", "node_id", "branch"});
    if (!stage_id.empty()) node.Add("stage_id", stage_id);
    const std::string id =
        AddNode("job", stage_id.empty() ? node_id : stage_id, std::move(node));
    if (!stage_id.empty()) job_of_.try_emplace(std::string(stage_id), id);
    AddEdge(run_, id, "ran");
  }

  void AddChildRun(const JsonValue& child) {
    JsonObject node =
        Node("child_run", TextOrEmpty(child, "worker_name"), child,
             {"status", "worker_id", "run_id", "run_path"});
    const std::string id =
        AddNode("child_run", TextOrEmpty(child, "worker_id"), std::move(node));
    AddEdge(JobOrRun(TextOrEmpty(child, "parent_stage_id")), id, "spawned");
  }

  void AddQuestion(const JsonValue& question) {
    JsonObject node =
        Node("question",
             FirstCharacters(TextOrEmpty(question, "prompt"), kLabelCharacters),
             question, {"request_id", "agent", "trace_id"});
    const std::string id = AddNode(
        "question", TextOrEmpty(question, "request_id"), std::move(node));
    AddEdge(JobOrRun(TextOrEmpty(question, "stage_id")), id, "asked");
  }

  void AddHandoff(const JsonValue& handoff) {
    JsonObject node =
        Node("handoff", HandoffTarget(handoff), handoff, {"source_persona"});
    const std::string id =
        AddNode("handoff", TextOrEmpty(handoff, "id"), std::move(node));
    AddEdge(run_, id, "handed_to");
  }

  JsonArray TakeNodes() { return std::move(nodes_); }
  JsonArray TakeEdges() { return std::move(edges_); }

 private:
  static JsonObject Node(absl::string_view kind, absl::string_view label,
                         const JsonValue& from,
                         std::initializer_list<absl::string_view> keys) {
    JsonObject node;
    node.Add("id", "");
    node.Add("kind", kind);
    node.Add("label", label);
    CopyTexts(from, node, keys);
    return node;
  }

  // Returns the node's id, `<kind>:<name>`; where there are several, `#2` and
  // so on tell them apart.
  std::string AddNode(absl::string_view kind, absl::string_view name,
                      JsonObject node) {
    const std::string first = absl::StrCat(kind, ":", name);
    std::string id = first;
    for (size_t& n = repeats_[first]; !taken_.insert(id).second;) {
      n = n == 0 ? 2 : n + 1;
      id = absl::StrCat(first, "#", n);
    }
    node.Set("id", id);
    nodes_.emplace_back(std::move(node));
    return id;
  }

  void AddEdge(absl::string_view from, absl::string_view to,
               absl::string_view kind) {
    JsonObject edge;
    edge.Add("from", from);
    edge.Add("to", to);
    edge.Add("kind", kind);
    edges_.emplace_back(std::move(edge));
  }

  std::string JobOrRun(absl::string_view stage_id) const {
    const auto it = job_of_.find(std::string(stage_id));
    return it == job_of_.end() ? run_ : it->second;
  }

  JsonArray nodes_;
  JsonArray edges_;
  std::string run_;
  std::map<std::string, std::string> job_of_;  // by stage id
  std::set<std::string> taken_;
  std::map<std::string, size_t> repeats_;
};

int64_t CountOf(const JsonValue& document, absl::string_view key) {
  return static_cast<int64_t>(ElementsOf(document, key).size());
}

JsonArray AllCompactions(const JsonValue& document) {
  JsonArray all;
  const std::optional<std::string> path = StringOf(document, "persisted_path");
  const auto add = [&all](const JsonValue& owner,
                          const TranscriptPlace& place) {
    const JsonValue* transcript = MemberOf(owner, "transcript");
    if (transcript == nullptr) return;
    for (JsonValue& event : CompactionEvents(*transcript, place)) {
      all.push_back(std::move(event));
    }
  };
  for (const JsonValue& stage : ElementsOf(document, "stages")) {
    add(stage, {StringOf(stage, "id"), StringOf(stage, "node_id"),
                absl::StrCat("run.stages[", TextOrEmpty(stage, "node_id"),
                             "].transcript"),
                path});
  }
  add(document, {std::nullopt, std::nullopt, "run.transcript", path});
  return all;
}

// The sidecar {path, available, error?}, and what daemons did as it tells.
JsonObject SidecarOf(FileSystem& files, const std::string& path,
                     JsonArray* daemon_events) {
  JsonObject sidecar;
  sidecar.Add("path", path);
  const absl::StatusOr<bool> exists = Exists(files, path);
  sidecar.Add("available", exists.ok() && *exists);
  absl::StatusOr<JsonArray> events = ReadDaemonEvents(files, path);
  if (events.ok()) {
    *daemon_events = *std::move(events);
  } else {
    // Told, and no reason to lose the record for what stands beside it.
    sidecar.Add("error", ClipValue(events.status().message()));
  }
  return sidecar;
}

void AddTraceIdentity(const JsonValue& document, JsonObject& observability) {
  const std::optional<std::string> trace_id = TraceIdOf(document);
  if (trace_id.has_value()) observability.Add("trace_id", *trace_id);
  const std::optional<std::string> replay_of = ReplayOfEventId(document);
  if (replay_of.has_value()) {
    observability.Add("replay_of_event_id", *replay_of);
  }
  const std::optional<TriggerEvent> trigger = TriggerEventOf(document);
  if (!trigger.has_value()) return;
  JsonObject json;
  json.Add("id", trigger->id);
  json.Add("provider", trigger->provider);
  json.Add("kind", trigger->kind);
  if (!trigger->signature.empty()) json.Add("signature", trigger->signature);
  observability.Add("trigger", std::move(json));
}

}  // namespace

JsonValue Observability(const JsonValue& document, FileSystem& files) {
  Graph graph(document);
  for (const JsonValue& stage : ElementsOf(document, "stages")) {
    graph.AddJob(stage);
  }
  for (const JsonValue& child : ElementsOf(document, "child_runs")) {
    graph.AddChildRun(child);
  }
  for (const JsonValue& question : ElementsOf(document, "hitl_questions")) {
    graph.AddQuestion(question);
  }
  for (const JsonValue& handoff : ElementsOf(document, "handoffs")) {
    graph.AddHandoff(handoff);
  }
  JsonArray compactions = AllCompactions(document);
  JsonArray daemon_events;
  std::optional<JsonObject> sidecar;
  const std::optional<std::string> path =
      TranscriptSidecarPath(TextOrEmpty(document, "persisted_path"));
  if (path.has_value()) sidecar = SidecarOf(files, *path, &daemon_events);

  JsonObject counts;
  counts.Add("jobs", CountOf(document, "stages"));
  counts.Add("child_runs", CountOf(document, "child_runs"));
  counts.Add("questions", CountOf(document, "hitl_questions"));
  counts.Add("handoffs", CountOf(document, "handoffs"));
  counts.Add("artifacts", CountOf(document, "artifacts"));
  counts.Add("compactions", compactions.size());
  counts.Add("daemon_events", daemon_events.size());

  JsonObject observability;
  observability.Add("schema_version", 1);
  AddTraceIdentity(document, observability);
  observability.Add("nodes", graph.TakeNodes());
  observability.Add("edges", graph.TakeEdges());
  observability.Add("counts", std::move(counts));
  observability.Add("compaction_events", std::move(compactions));
  observability.Add("daemon_events", std::move(daemon_events));
  if (sidecar.has_value()) {
    observability.Add("transcript_sidecar", *std::move(sidecar));
  }
  return JsonValue(std::move(observability));
}

TopicRecord ActionGraphEvent(const JsonValue& document) {
  const std::string run_id(TextOrEmpty(document, "id"));
  const std::string workflow_id(TextOrEmpty(document, "workflow_id"));
  TopicRecord event;
  event.kind = "action_graph_update";
  event.headers = {{"run_id", run_id}, {"workflow_id", workflow_id}};
  const std::optional<std::string> trace_id = TraceIdOf(document);
  if (trace_id.has_value()) event.headers.emplace("trace_id", *trace_id);
  JsonObject payload;
  payload.Add("run_id", run_id);
  payload.Add("workflow_id", workflow_id);
  payload.Add("persisted_path", TextOrEmpty(document, "persisted_path"));
  payload.Add("status", TextOrEmpty(document, "status"));
  const JsonValue* observability = document.Find("observability");
  payload.Add("observability",
              observability == nullptr ? JsonValue() : *observability);
  event.payload = JsonValue(std::move(payload));
  return event;
}

}  // namespace kinora
