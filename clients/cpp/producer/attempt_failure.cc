#include "clients/cpp/producer/attempt_failure.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

#include "common/utf8.h"

namespace kinora {
namespace {

// Messages end up in ledgers, records, logs and trailers.
constexpr size_t kMaxMessageBytes = 3 * 1024;
// Names that a provider gives to what it does.
constexpr size_t kMaxNameBytes = 256;
// Of a failure, its cause and so on.
constexpr int kMaxCauses = 8;

void Cut(size_t limit, std::string* text) {
  if (text->size() <= limit) return;
  text->resize(ValidUtf8Prefix(absl::string_view(*text).substr(0, limit)));
}

}  // namespace

void CutMessage(std::string* message) { Cut(kMaxMessageBytes, message); }

void CutFailure(v1::Failure* failure) {
  for (int depth = 1;; ++depth) {
    CutMessage(failure->mutable_message());
    Cut(kMaxNameBytes, failure->mutable_provider());
    Cut(kMaxNameBytes, failure->mutable_provider_request_id());
    Cut(kMaxNameBytes, failure->mutable_job_id());
    if (depth == kMaxCauses) failure->clear_cause();
    if (!failure->has_cause()) return;
    failure = failure->mutable_cause();
  }
}

v1::Failure MakeFailure(v1::FailureReason reason, absl::string_view message,
                        bool retryable) {
  v1::Failure failure;
  failure.set_reason(reason);
  failure.set_message(std::string(message));
  CutMessage(failure.mutable_message());
  failure.set_retryable(retryable);
  return failure;
}

v1::Failure FailureOfCall(const absl::Status& status) {
  const std::string message =
      absl::StrCat("the call to the producer ended: ", status.ToString());
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return MakeFailure(v1::FAILURE_REASON_PRODUCER_UNAVAILABLE, message,
                         true);
    case absl::StatusCode::kDeadlineExceeded:
      return MakeFailure(v1::FAILURE_REASON_DEADLINE_EXCEEDED, message, true);
    case absl::StatusCode::kResourceExhausted:
      return MakeFailure(v1::FAILURE_REASON_RATE_LIMITED, message, true);
    case absl::StatusCode::kAborted:
      return MakeFailure(v1::FAILURE_REASON_PRODUCER_ERROR, message, true);
    default:
      return MakeFailure(v1::FAILURE_REASON_PRODUCER_ERROR, message, false);
  }
}

}  // namespace kinora
