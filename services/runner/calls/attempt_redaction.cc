#include "services/runner/calls/attempt_redaction.h"

#include "common/telemetry/redaction.h"

namespace kinora {

void AttemptRedaction::Redact(AttemptResult* result) const {
  result->diagnostics_json = Redacted(result->diagnostics_json);
  if (!result->failure.has_value()) return;
  for (v1::Failure* failure = &*result->failure; failure != nullptr;
       failure = failure->has_cause() ? failure->mutable_cause() : nullptr) {
    failure->set_message(Redacted(failure->message()));
  }
}

std::string AttemptRedaction::Redacted(const std::string& text) const {
  return kinora::Redact(text, secrets_);
}

v1::Progress AttemptRedaction::Redacted(v1::Progress progress) const {
  progress.set_message(Redacted(progress.message()));
  return progress;
}

v1::Question AttemptRedaction::Redacted(v1::Question question) const {
  question.set_prompt(Redacted(question.prompt()));
  question.set_metadata_json(Redacted(question.metadata_json()));
  return question;
}

v1::LogLines AttemptRedaction::Redacted(v1::LogLines lines) const {
  for (std::string& line : *lines.mutable_lines()) {
    line = Redacted(line);
  }
  return lines;
}

}  // namespace kinora
