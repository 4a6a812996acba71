#include "common/failure_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/status.h"

namespace kinora {

std::string FailureText(const v1::Failure& failure) {
  const std::string name = v1::FailureReason_Name(failure.reason());
  absl::string_view word = name;
  absl::ConsumePrefix(&word, "FAILURE_REASON_");
  // Newer reasons have no name here.
  if (word.empty() || failure.reason() == v1::FAILURE_REASON_UNSPECIFIED) {
    word = "FAILED";
  }
  if (failure.message().empty()) return std::string(word);
  return absl::StrCat(word, " \"", ClipValue(failure.message()), "\"");
}

}  // namespace kinora
