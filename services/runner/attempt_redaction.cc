#include "services/runner/attempt_redaction.h"

#include "common/redaction.h"

namespace kinora {

void AttemptRedaction::Redact(AttemptResult* result) const {
  result->diagnostics_json = kinora::Redact(result->diagnostics_json, secrets_);
  if (!result->failure.has_value()) return;
  for (v1::Failure* failure = &*result->failure; failure != nullptr;
       failure = failure->has_cause() ? failure->mutable_cause() : nullptr) {
    failure->set_message(kinora::Redact(failure->message(), secrets_));
  }
}

v1::Progress AttemptRedaction::Redacted(v1::Progress progress) const {
  progress.set_message(kinora::Redact(progress.message(), secrets_));
  return progress;
}

v1::LogLines AttemptRedaction::Redacted(v1::LogLines lines) const {
  for (std::string& line : *lines.mutable_lines()) {
    line = kinora::Redact(line, secrets_);
  }
  return lines;
}

}  // namespace kinora
