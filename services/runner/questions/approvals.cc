#include "services/runner/questions/approvals.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "services/runner/questions/question_check.h"
#include "services/runner/questions/question_terms.h"

namespace kinora {
namespace {

// Enough that no two questions of a movie share one.
constexpr size_t kIdDigits = 32;

std::string ArtefactOf(const std::string& job_id,
                       const std::string& question_id) {
  const std::string hash =
      Sha256Of(absl::StrCat(job_id, "\n", question_id)).Hex();
  return absl::StrCat("Artifact:Approval_", hash.substr(0, kIdDigits));
}

std::string InputsHashOf(const std::string& content_hash) {
  return Sha256Of(absl::StrCat("kinora-approval-v1\n", content_hash)).Hex();
}

v1::QuestionKind FormOf(v1::QuestionKind kind) {
  return kind == v1::QUESTION_KIND_UNSPECIFIED ? v1::QUESTION_KIND_TEXT : kind;
}

std::string Text(const JsonValue& detail, absl::string_view name) {
  const JsonValue* value = detail.Find(name);
  return value != nullptr && value->is_string() ? value->string_value() : "";
}

int64_t Number(const JsonValue& detail, absl::string_view name) {
  const JsonValue* value = detail.Find(name);
  return value == nullptr ? 0 : value->integer_value().value_or(0);
}

}  // namespace

bool IsApproval(const RunQuestion& answered) {
  if (!answered.answer.has_value() || answered.is_assumed ||
      !answered.approved_in.empty() || answered.job_id.empty() ||
      answered.question.content_hash().empty()) {
    return false;
  }
  // Whoever has passed it over has not approved of anything.
  if (answered.answer->value_json() == "null" &&
      MayBePassedOver(answered.question)) {
    return false;
  }
  return answered.question.kind() != v1::QUESTION_KIND_CONFIRM ||
         answered.answer->value_json() == "true";
}

v1::Event ApprovalEvent(const std::string& run_id,
                        const RunQuestion& answered) {
  const v1::Question& question = answered.question;
  JsonObject detail;
  detail.Add("jobId", answered.job_id);
  detail.Add("questionId", question.question_id());
  detail.Add("contentHash", question.content_hash());
  detail.Add("kind", static_cast<int>(FormOf(question.kind())));
  detail.Add("quorum", QuorumOf(question));
  detail.Add("value",
             ParseJson(answered.answer->value_json()).value_or(JsonValue()));
  detail.Add("answeredBy", answered.answer->answered_by());
  detail.Add("runId", run_id);
  v1::Event event;
  v1::ArtefactEvent* artefact = event.mutable_artefact();
  artefact->set_artefact_id(
      ArtefactOf(answered.job_id, question.question_id()));
  artefact->set_inputs_hash(InputsHashOf(question.content_hash()));
  artefact->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  // Empty: a store may be set to take hardly anything inline.
  artefact->mutable_output()->mutable_inline_()->set_mime_type("text/plain");
  artefact->mutable_produced_by()->set_edited_by(v1::EDITED_BY_SYSTEM);
  artefact->set_diagnostics_json(CanonicalJson(JsonValue(std::move(detail))));
  return event;
}

std::vector<v1::ArtefactQuery> ApprovalQueries(const std::string& job_id,
                                               const v1::Question& question) {
  std::vector<v1::ArtefactQuery> queries(2);
  for (v1::ArtefactQuery& query : queries) {
    query.set_artefact_id(ArtefactOf(job_id, question.question_id()));
  }
  queries[0].set_inputs_hash(InputsHashOf(question.content_hash()));
  return queries;
}

std::optional<Approval> ApprovalIn(const v1::Event& event) {
  const absl::StatusOr<JsonValue> detail =
      ParseJson(event.artefact().diagnostics_json());
  if (!detail.ok() || detail->Find("value") == nullptr) return std::nullopt;
  Approval approval;
  approval.answer.set_question_id(Text(*detail, "questionId"));
  approval.answer.set_value_json(CanonicalJson(*detail->Find("value")));
  approval.answer.set_answered_by(Text(*detail, "answeredBy"));
  approval.answer.set_content_hash(Text(*detail, "contentHash"));
  approval.kind = static_cast<v1::QuestionKind>(Number(*detail, "kind"));
  approval.quorum = static_cast<uint32_t>(Number(*detail, "quorum"));
  approval.run_id = Text(*detail, "runId");
  return approval;
}

bool Answers(const Approval& approval, const v1::Question& question) {
  return approval.answer.content_hash() == question.content_hash() &&
         approval.answer.question_id() == question.question_id() &&
         approval.kind == FormOf(question.kind()) &&
         approval.quorum >= QuorumOf(question) &&
         CheckAnswer(question, approval.answer.value_json()).ok();
}

}  // namespace kinora
