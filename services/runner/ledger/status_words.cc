#include "services/runner/ledger/status_words.h"

#include <string>

#include "absl/strings/ascii.h"

#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

struct Name {
  absl::string_view text;
  absl::string_view word;
};

constexpr Name kRunNames[] = {
    {"queued", "queued"},         {"pending", "queued"},
    {"running", "running"},       {"started", "running"},
    {"waiting", "waiting"},       {"completed", "completed"},
    {"complete", "completed"},    {"succeeded", "completed"},
    {"failed", "failed"},         {"error", "failed"},
    {"cancelled", "cancelled"},   {"canceled", "cancelled"},
    {"terminated", "terminated"}, {"timed_out", "timed_out"},
    {"timeout", "timed_out"},
};

}  // namespace

absl::string_view NormalizedRunStatus(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(TrimmedText(text));
  for (const Name& name : kRunNames) {
    if (name.text == lower) return name.word;
  }
  return "unknown";
}

bool IsTerminalStatus(absl::string_view word) {
  switch (word.size()) {
    case 6:
      return word == "failed";
    case 9:
      return word == "completed" || word == "cancelled" || word == "timed_out";
    case 10:
      return word == "terminated";
    default:
      return false;
  }
}

std::optional<StepStatus> StepStatusOf(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(TrimmedText(text));
  if (lower == "running") return StepStatus::kRunning;
  if (lower == "completed") return StepStatus::kCompleted;
  if (lower == "failed") return StepStatus::kFailed;
  if (lower == "skipped") return StepStatus::kSkipped;
  return std::nullopt;
}

absl::string_view StepStatusWord(StepStatus status) {
  switch (status) {
    case StepStatus::kRunning:
      return "running";
    case StepStatus::kCompleted:
      return "completed";
    case StepStatus::kFailed:
      return "failed";
    case StepStatus::kSkipped:
      return "skipped";
  }
  return "";
}

}  // namespace kinora
