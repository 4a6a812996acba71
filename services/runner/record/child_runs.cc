#include "services/runner/record/child_runs.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

constexpr absl::string_view kPolicyLists[] = {
    "auto_approve", "auto_deny", "require_approval", "write_path_allowlist"};

constexpr absl::string_view kExecutionTexts[] = {
    "cwd",           "project_root", "source_dir", "adapter", "repo_path",
    "worktree_path", "branch",       "base_ref",   "cleanup"};

bool IsMissingOrText(const JsonValue* value) {
  return value == nullptr || value->is_string();
}

bool IsMissingOrTexts(const JsonValue* value) {
  if (value == nullptr) return true;
  if (!value->is_array()) return false;
  for (const JsonValue& element : value->array()) {
    if (!element.is_string()) return false;
  }
  return true;
}

bool IsMissingOrTextsByName(const JsonValue* value) {
  if (value == nullptr) return true;
  if (!value->is_object()) return false;
  for (const JsonMember& member : value->object()) {
    if (!member.value.is_string()) return false;
  }
  return true;
}

bool IsApprovalPolicy(const JsonValue& value) {
  if (!value.is_object()) return false;
  for (const absl::string_view key : kPolicyLists) {
    if (!IsMissingOrTexts(MemberOf(value, key))) return false;
  }
  return true;
}

bool IsExecution(const JsonValue& value) {
  if (!value.is_object()) return false;
  for (const absl::string_view key : kExecutionTexts) {
    if (!IsMissingOrText(MemberOf(value, key))) return false;
  }
  return IsMissingOrTextsByName(MemberOf(value, "env"));
}

// Copies a text, under another name if it has one there.
void CopyText(const JsonValue& from, absl::string_view key, JsonObject& to,
              absl::string_view new_key) {
  const std::optional<absl::string_view> text = TextOf(from, key);
  if (text.has_value()) to.Set(new_key, *text);
}

// Fills `existing` from `child`, in which all that is a value is one.
void FillMissing(const JsonValue& child, JsonObject& existing) {
  constexpr absl::string_view kEmptyIsMissing[] = {"worker_name", "task",
                                                   "status", "started_at"};
  for (const JsonMember& member : child.object()) {
    const JsonValue* there = existing.Find(member.key);
    bool is_missing = there == nullptr || there->is_null();
    for (const absl::string_view key : kEmptyIsMissing) {
      is_missing = is_missing || (key == member.key && there->is_string() &&
                                  there->string_value().empty());
    }
    if (is_missing) existing.Set(member.key, member.value);
  }
}

}  // namespace

std::optional<JsonValue> ChildRunOf(const JsonValue& stage) {
  const JsonValue* metadata = MemberOf(stage, "metadata");
  const JsonValue* worker =
      metadata == nullptr ? nullptr : MemberOf(*metadata, "worker");
  if (worker == nullptr) return std::nullopt;
  const absl::string_view id = TextOrEmpty(*worker, "id");
  if (id.empty()) return std::nullopt;

  JsonObject child;
  child.Add("worker_id", id);
  child.Add("worker_name", TextOf(*worker, "name").value_or("worker"));
  const absl::string_view stage_id = TextOrEmpty(stage, "id");
  if (!stage_id.empty()) child.Add("parent_stage_id", stage_id);
  if (const JsonValue* audit = MemberOf(*worker, "audit"); audit != nullptr) {
    for (const absl::string_view key :
         {"session_id", "parent_session_id", "mutation_scope"}) {
      CopyText(*audit, key, child, key);
    }
    const JsonValue* policy = MemberOf(*audit, "approval_policy");
    if (policy != nullptr && IsApprovalPolicy(*policy)) {
      child.Add("approval_policy", *policy);
    }
  }
  child.Add("task", TextOrEmpty(*worker, "task"));
  SetIfAny(child, "request", worker->Find("request"));
  SetIfAny(child, "provenance", worker->Find("provenance"));
  child.Add("status", TextOf(*worker, "status").value_or("completed"));
  child.Add("started_at", TextOrEmpty(*worker, "started_at"));
  CopyText(*worker, "finished_at", child, "finished_at");
  CopyText(*worker, "child_run_id", child, "run_id");
  CopyText(*worker, "child_run_path", child, "run_path");
  CopyText(*worker, "snapshot_path", child, "snapshot_path");
  const JsonValue* execution = MemberOf(*worker, "execution");
  if (execution != nullptr && IsExecution(*execution)) {
    child.Add("execution", *execution);
  }
  return JsonValue(std::move(child));
}

void AddChildRuns(JsonValue& document) {
  JsonArray found;
  for (const JsonValue& stage : ElementsOf(document, "stages")) {
    std::optional<JsonValue> child = ChildRunOf(stage);
    if (child.has_value()) found.push_back(*std::move(child));
  }
  if (found.empty()) return;

  JsonArray& children = ArrayIn(document, "child_runs");
  absl::flat_hash_map<std::string, size_t> by_worker;
  for (size_t i = 0; i < children.size(); ++i) {
    by_worker.try_emplace(std::string(TextOrEmpty(children[i], "worker_id")),
                          i);
  }
  for (JsonValue& child : found) {
    const auto [it, is_new] = by_worker.try_emplace(
        std::string(TextOrEmpty(child, "worker_id")), children.size());
    if (is_new) {
      children.push_back(std::move(child));
    } else {
      FillMissing(child, children[it->second].object());
    }
  }
}

}  // namespace kinora
