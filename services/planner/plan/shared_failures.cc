#include "services/planner/plan/shared_failures.h"

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "google/protobuf/util/message_differencer.h"

#include "common/utf8.h"

namespace kinora {
namespace {

// Enough to recognise a failure by: a plan may name a million of them.
constexpr size_t kMaxFailureTextBytes = 500;

void Cut(std::string* text) {
  const absl::string_view head =
      absl::string_view(*text).substr(0, kMaxFailureTextBytes);
  text->resize(ValidUtf8Prefix(head));
}

}  // namespace

std::shared_ptr<const v1::Failure> SharedFailures::Keep(v1::Failure failure) {
  failure.clear_cause();
  failure.clear_job_id();
  Cut(failure.mutable_message());
  Cut(failure.mutable_provider());
  Cut(failure.mutable_provider_request_id());
  if (latest_ == nullptr ||
      !google::protobuf::util::MessageDifferencer::Equals(*latest_, failure)) {
    latest_ = std::make_shared<const v1::Failure>(std::move(failure));
  }
  return latest_;
}

}  // namespace kinora
