#include "services/runner/record/document_form.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/json/json_writer.h"
#include "common/status.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

// A member that is known, of an object of the record. Elements of an array are
// all of one type, and if that is objects they have members in turn.
struct Form {
  absl::string_view key;
  JsonValue::Type type = JsonValue::Type::kString;
  absl::Span<const Form> elements = {};
  JsonValue::Type element_type = JsonValue::Type::kObject;
};

constexpr JsonValue::Type kArray = JsonValue::Type::kArray;
constexpr JsonValue::Type kObject = JsonValue::Type::kObject;

constexpr Form kArtifactForm[] = {
    {"id"}, {"kind"}, {"created_at"}, {"metadata", kObject}};

constexpr Form kStageForm[] = {{"id"},
                               {"node_id"},
                               {"status"},
                               {"outcome"},
                               {"branch"},
                               {"visible_text"},
                               {"artifacts", kArray, kArtifactForm},
                               {"metadata", kObject}};

constexpr Form kChildRunForm[] = {{"worker_id"},
                                  {"worker_name"},
                                  {"parent_stage_id"},
                                  {"session_id"},
                                  {"parent_session_id"},
                                  {"mutation_scope"},
                                  {"task"},
                                  {"status"},
                                  {"started_at"},
                                  {"run_id"},
                                  {"run_path"},
                                  {"snapshot_path"},
                                  {"finished_at"}};

constexpr Form kQuestionForm[] = {
    {"request_id"}, {"prompt"}, {"agent"}, {"trace_id"}, {"asked_at"}};

constexpr Form kReceiptLinkForm[] = {{"kind"},        {"label"}, {"run_id"},
                                     {"artifact_id"}, {"path"},  {"href"}};

constexpr Form kHandoffForm[] = {{"id"},
                                 {"kind"},
                                 {"created_at"},
                                 {"parent_run_id"},
                                 {"receipt_links", kArray, kReceiptLinkForm},
                                 {"metadata", kObject}};

constexpr Form kRunForm[] = {{"type"},
                             {"id"},
                             {"workflow_id"},
                             {"workflow_name"},
                             {"root_run_id"},
                             {"parent_run_id"},
                             {"status"},
                             {"started_at"},
                             {"finished_at"},
                             {"persisted_path"},
                             {"stages", kArray, kStageForm},
                             {"child_runs", kArray, kChildRunForm},
                             {"hitl_questions", kArray, kQuestionForm},
                             {"handoffs", kArray, kHandoffForm},
                             {"artifacts", kArray, kArtifactForm},
                             {"replay_fixture", kObject},
                             {"metadata", kObject},
                             {"observability", kObject}};

constexpr Form kAssertionForm[] = {
    {"node_id"},
    {"expected_status"},
    {"expected_outcome"},
    {"expected_branch"},
    {"required_artifact_kinds", kArray, {}, JsonValue::Type::kString},
    {"visible_text_contains"}};

constexpr Form kFixtureForm[] = {{"type"},
                                 {"id"},
                                 {"source_run_id"},
                                 {"workflow_id"},
                                 {"workflow_name"},
                                 {"created_at"},
                                 {"eval_kind"},
                                 {"expected_status"},
                                 {"stage_assertions", kArray, kAssertionForm}};

absl::Status WrongType(absl::string_view field, JsonValue::Type expected,
                       const JsonValue& value) {
  return InvalidField(field, ToJson(value),
                      absl::StrCat("must be of type ", JsonTypeName(expected)));
}

absl::Status CheckMembers(const JsonValue& object, absl::string_view prefix,
                          absl::Span<const Form> forms) {
  for (const Form& form : forms) {
    const JsonValue* value = MemberOf(object, form.key);
    if (value == nullptr) continue;
    const std::string field = absl::StrCat(prefix, form.key);
    if (value->type() != form.type) return WrongType(field, form.type, *value);
    if (form.type != kArray) continue;
    const JsonArray& elements = value->array();
    for (size_t i = 0; i < elements.size(); ++i) {
      const std::string element = absl::StrCat(field, "[", i, "]");
      if (elements[i].type() != form.element_type) {
        return WrongType(element, form.element_type, elements[i]);
      }
      KINORA_RETURN_IF_ERROR(
          CheckMembers(elements[i], absl::StrCat(element, "."), form.elements));
    }
  }
  return absl::OkStatus();
}

void AdoptName(JsonObject& object, absl::string_view own,
               absl::string_view other) {
  const JsonValue* there = object.Find(own);
  if (there != nullptr && !there->is_null()) return;
  JsonValue* value = object.Find(other);
  if (value == nullptr || value->is_null()) return;
  JsonValue adopted = std::move(*value);
  object.Remove(other);
  object.Set(own, std::move(adopted));
}

}  // namespace

void AdoptOtherNames(JsonValue& document) {
  if (!document.is_object()) return;
  JsonObject& object = document.object();
  AdoptName(object, "type", "_type");
  AdoptName(object, "stages", "jobs");
  JsonValue* children = object.Find("child_runs");
  if (children == nullptr || !children->is_array()) return;
  for (JsonValue& child : children->array()) {
    if (!child.is_object()) continue;
    AdoptName(child.object(), "parent_stage_id", "parent_job_id");
  }
}

absl::Status CheckRunDocument(const JsonValue& document) {
  if (!document.is_object()) return WrongType("run record", kObject, document);
  return CheckMembers(document, "", kRunForm);
}

absl::Status CheckHandoff(const JsonValue& handoff) {
  if (!handoff.is_object()) return WrongType("handoff", kObject, handoff);
  return CheckMembers(handoff, "", kHandoffForm);
}

absl::Status CheckReplayFixture(const JsonValue& fixture) {
  if (!fixture.is_object()) {
    return WrongType("replay fixture", kObject, fixture);
  }
  KINORA_RETURN_IF_ERROR(CheckMembers(fixture, "", kFixtureForm));
  if (MemberOf(fixture, "expected_status") != nullptr) return absl::OkStatus();
  return InvalidField("expected_status", "",
                      "must be there, as in a replay fixture");
}

}  // namespace kinora
