#include "services/runner/record/transcript.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/utf8.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

constexpr absl::string_view kDaemonKinds[] = {
    "spawned", "triggered", "snapshotted", "resumed", "stopped"};

// `key` of the event's metadata, else of the event itself.
const JsonValue* ValueOf(const JsonValue& event, absl::string_view key) {
  const JsonValue* metadata = MemberOf(event, "metadata");
  const JsonValue* value =
      metadata == nullptr ? nullptr : MemberOf(*metadata, key);
  return value == nullptr ? MemberOf(event, key) : value;
}

std::string EventText(const JsonValue& event, absl::string_view key) {
  const JsonValue* value = ValueOf(event, key);
  return value != nullptr && value->is_string() ? value->string_value() : "";
}

int64_t EventCount(const JsonValue& event, absl::string_view key) {
  const JsonValue* value = ValueOf(event, key);
  const std::optional<int64_t> count =
      value == nullptr ? std::nullopt : value->integer_value();
  return count.has_value() && *count > 0 ? *count : 0;
}

void AddText(JsonObject& object, absl::string_view key,
             const std::optional<std::string>& text) {
  if (text.has_value()) object.Add(key, *text);
}

using AssetIds = absl::flat_hash_set<std::string>;

AssetIds AssetIdsOf(const JsonValue& transcript) {
  AssetIds ids;
  for (const JsonValue& asset : ElementsOf(transcript, "assets")) {
    const std::optional<std::string> id = StringOf(asset, "id");
    if (id.has_value()) ids.insert(*id);
  }
  return ids;
}

JsonValue CompactionEvent(const JsonValue& event,
                          const std::optional<std::string>& transcript_id,
                          const TranscriptPlace& place,
                          const AssetIds& assets) {
  JsonObject json;
  json.Add("id", TextOrEmpty(event, "id"));
  AddText(json, "transcript_id", transcript_id);
  AddText(json, "stage_id", place.stage_id);
  AddText(json, "node_id", place.node_id);
  json.Add("mode", EventText(event, "mode"));
  json.Add("strategy", EventText(event, "strategy"));
  for (const absl::string_view key :
       {"archived_messages", "estimated_tokens_before",
        "estimated_tokens_after"}) {
    json.Add(key, EventCount(event, key));
  }
  const JsonValue* snapshot = ValueOf(event, "snapshot_asset_id");
  const bool has_snapshot = snapshot != nullptr && snapshot->is_string();
  if (has_snapshot) json.Add("snapshot_asset_id", *snapshot);
  json.Add("snapshot_location",
           has_snapshot ? absl::StrCat(place.location, ".assets[",
                                       snapshot->string_value(), "]")
                        : place.location);
  AddText(json, "snapshot_path", place.persisted_path);
  json.Add("available",
           has_snapshot && assets.contains(snapshot->string_value()));
  return JsonValue(std::move(json));
}

// Nothing if the line is no daemon event.
std::optional<JsonValue> DaemonEvent(absl::string_view line) {
  const absl::StatusOr<JsonValue> event = ParseJson(line);
  if (!event.ok() || TextOrEmpty(*event, "type") != "daemon_event") {
    return std::nullopt;
  }
  for (const absl::string_view key : {"daemon_id", "name", "kind", "timestamp",
                                      "persist_path", "payload_summary"}) {
    const JsonValue* value = MemberOf(*event, key);
    if (value != nullptr && !value->is_string()) return std::nullopt;
  }
  const absl::string_view kind =
      TextOf(*event, "kind").value_or(kDaemonKinds[0]);
  bool is_known = false;
  for (const absl::string_view known : kDaemonKinds) {
    is_known = is_known || kind == known;
  }
  if (!is_known) return std::nullopt;

  JsonObject json;
  json.Add("daemon_id", TextOrEmpty(*event, "daemon_id"));
  json.Add("name", TextOrEmpty(*event, "name"));
  json.Add("kind", kind);
  json.Add("timestamp", TextOrEmpty(*event, "timestamp"));
  json.Add("persist_path", TextOrEmpty(*event, "persist_path"));
  AddText(json, "payload_summary", StringOf(*event, "payload_summary"));
  return JsonValue(std::move(json));
}

}  // namespace

std::optional<std::string> TranscriptSidecarPath(absl::string_view run_path) {
  if (!IsValidUtf8(run_path)) return std::nullopt;
  while (run_path.size() > 1 && run_path.back() == '/') {
    run_path.remove_suffix(1);
  }
  const size_t slash = run_path.rfind('/');
  const absl::string_view name =
      slash == absl::string_view::npos ? run_path : run_path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return std::nullopt;
  // The dot that a name begins with is no extension's.
  const size_t dot = name.rfind('.');
  const absl::string_view stem =
      dot == absl::string_view::npos || dot == 0 ? name : name.substr(0, dot);
  return JoinPath(ParentPath(run_path),
                  absl::StrCat(stem, "-llm/llm_transcript.jsonl"));
}

JsonArray CompactionEvents(const JsonValue& transcript,
                           const TranscriptPlace& place) {
  const AssetIds assets = AssetIdsOf(transcript);
  const std::optional<std::string> id = StringOf(transcript, "id");
  JsonArray events;
  for (const JsonValue& event : ElementsOf(transcript, "events")) {
    if (TextOrEmpty(event, "kind") != "compaction") continue;
    events.push_back(CompactionEvent(event, id, place, assets));
  }
  return events;
}

JsonArray DaemonEvents(absl::string_view lines) {
  JsonArray events;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    if (IsBlankText(line)) continue;
    std::optional<JsonValue> event = DaemonEvent(line);
    if (event.has_value()) events.push_back(*std::move(event));
  }
  return events;
}

absl::StatusOr<JsonArray> ReadDaemonEvents(FileSystem& files,
                                           absl::string_view sidecar_path) {
  const absl::StatusOr<std::string> lines =
      ReadFile(files, sidecar_path, kMaxSidecarBytes);
  if (absl::IsNotFound(lines.status())) return JsonArray();
  if (!lines.ok()) return lines.status();
  return DaemonEvents(*lines);
}

}  // namespace kinora
