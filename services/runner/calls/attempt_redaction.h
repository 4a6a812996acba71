// Takes secrets out of what a producer says about an attempt, before it reaches
// a log. What it makes is not touched.

#ifndef KINORA_SERVICES_RUNNER_CALLS_ATTEMPT_REDACTION_H_
#define KINORA_SERVICES_RUNNER_CALLS_ATTEMPT_REDACTION_H_

#include <string>
#include <utility>
#include <vector>

#include "kinora/v1/producer.pb.h"
#include "services/runner/calls/producer_caller.h"

namespace kinora {

// Knows the secrets of one producer (ProducerConfig::secrets) and those that
// can be told by their form (common/telemetry/redaction.h). Thread-safe.
class AttemptRedaction {
 public:
  explicit AttemptRedaction(std::vector<std::string> secrets)
      : secrets_(std::move(secrets)) {}

  // Messages of the failure and its causes, and the diagnostics.
  void Redact(AttemptResult* result) const;

  std::string Redacted(const std::string& text) const;
  v1::Progress Redacted(v1::Progress progress) const;
  v1::LogLines Redacted(v1::LogLines lines) const;
  // Its prompt: answers must equal the options.
  v1::Question Redacted(v1::Question question) const;

 private:
  const std::vector<std::string> secrets_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_ATTEMPT_REDACTION_H_
