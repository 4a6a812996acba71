#include "services/runner/record/hitl_questions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "services/runner/record/document_members.h"

namespace kinora {
namespace {

bool IsOfRun(const TopicRecord& record, absl::string_view run_id) {
  return !run_id.empty() && (record.header("run_id") == run_id ||
                             TextOrEmpty(record.payload, "run_id") == run_id);
}

// The question that a record of the log tells of this run.
std::optional<JsonObject> AskedQuestion(const TopicRecord& record,
                                        absl::string_view run_id) {
  if (record.kind != kQuestionAsked || !IsOfRun(record, run_id)) {
    return std::nullopt;
  }
  const absl::string_view request_id =
      TextOf(record.payload, "request_id")
          .value_or(record.header("request_id"));
  const JsonValue* inner = MemberOf(record.payload, "payload");
  const absl::string_view prompt =
      inner == nullptr ? absl::string_view() : TextOrEmpty(*inner, "prompt");
  if (request_id.empty() || prompt.empty()) return std::nullopt;

  JsonObject question;
  question.Add("request_id", request_id);
  question.Add("prompt", prompt);
  question.Add("agent", TextOrEmpty(record.payload, "agent"));
  const std::optional<absl::string_view> trace_id =
      TextOf(record.payload, "trace_id");
  if (trace_id.has_value()) question.Add("trace_id", *trace_id);
  question.Add("asked_at", TextOrEmpty(record.payload, "requested_at"));
  return question;
}

// What the log says in place of what the record said.
void Overwrite(const JsonObject& asked, JsonValue& question) {
  if (!question.is_object()) question = JsonObject();
  question.object().Remove("trace_id");
  for (const JsonMember& member : asked) {
    question.object().Set(member.key, member.value);
  }
}

bool IsEarlier(const JsonValue& a, const JsonValue& b) {
  const absl::string_view a_time = TextOrEmpty(a, "asked_at");
  const absl::string_view b_time = TextOrEmpty(b, "asked_at");
  if (a_time != b_time) return a_time < b_time;
  return TextOrEmpty(a, "request_id") < TextOrEmpty(b, "request_id");
}

}  // namespace

absl::Status MergeQuestions(EventTopicLog* log, JsonValue& document) {
  if (log == nullptr) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const std::vector<TopicRecord> records,
                          ReadTopic(*log, kQuestionsTopic));
  std::map<std::string, JsonValue> by_id;
  JsonArray questions;  // first those without an id
  for (const JsonValue& question : ElementsOf(document, "hitl_questions")) {
    const absl::string_view id = TextOrEmpty(question, "request_id");
    if (id.empty()) {
      questions.push_back(question);
    } else {
      by_id[std::string(id)] = question;
    }
  }
  const std::string run_id(TextOrEmpty(document, "id"));
  for (const TopicRecord& record : records) {
    const std::optional<JsonObject> asked = AskedQuestion(record, run_id);
    if (!asked.has_value()) continue;
    Overwrite(*asked, by_id[asked->Find("request_id")->string_value()]);
  }
  for (auto& entry : by_id) questions.push_back(std::move(entry.second));
  std::stable_sort(questions.begin(), questions.end(), IsEarlier);
  if (!questions.empty() || document.Find("hitl_questions") != nullptr) {
    document.object().Set("hitl_questions", std::move(questions));
  }
  return absl::OkStatus();
}

}  // namespace kinora
