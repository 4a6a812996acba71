#include "common/rpc/status.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "common/utf8.h"
#include "kinora/v1/error.pb.h"

namespace kinora {
namespace {

#define KINORA_SAME_CODE(absl_code, grpc_code)                   \
  static_assert(static_cast<int>(absl::StatusCode::absl_code) == \
                static_cast<int>(grpc::StatusCode::grpc_code))
KINORA_SAME_CODE(kOk, OK);
KINORA_SAME_CODE(kCancelled, CANCELLED);
KINORA_SAME_CODE(kUnknown, UNKNOWN);
KINORA_SAME_CODE(kInvalidArgument, INVALID_ARGUMENT);
KINORA_SAME_CODE(kDeadlineExceeded, DEADLINE_EXCEEDED);
KINORA_SAME_CODE(kNotFound, NOT_FOUND);
KINORA_SAME_CODE(kAlreadyExists, ALREADY_EXISTS);
KINORA_SAME_CODE(kPermissionDenied, PERMISSION_DENIED);
KINORA_SAME_CODE(kResourceExhausted, RESOURCE_EXHAUSTED);
KINORA_SAME_CODE(kFailedPrecondition, FAILED_PRECONDITION);
KINORA_SAME_CODE(kAborted, ABORTED);
KINORA_SAME_CODE(kOutOfRange, OUT_OF_RANGE);
KINORA_SAME_CODE(kUnimplemented, UNIMPLEMENTED);
KINORA_SAME_CODE(kInternal, INTERNAL);
KINORA_SAME_CODE(kUnavailable, UNAVAILABLE);
KINORA_SAME_CODE(kDataLoss, DATA_LOSS);
KINORA_SAME_CODE(kUnauthenticated, UNAUTHENTICATED);
#undef KINORA_SAME_CODE

constexpr absl::string_view kReasonPrefix = "ERROR_REASON_";

// With details the message travels twice: as the status message and within
// the details, where the helpers of Python check that it is the same.
constexpr size_t kMaxMessageBytesWithDetails = 1200;
// Room for the type name and the framing of the messages.
constexpr size_t kDetailsOverheadBytes = 160;

std::string Clip(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  text = text.substr(0, max_bytes - 3);
  // The cut may have gone through a character.
  return absl::StrCat(text.substr(0, ValidUtf8Prefix(text)), "...");
}

std::string ValidText(absl::string_view text) {
  // A proto3 string, and gRPC's percent encoding, want UTF-8.
  return IsValidUtf8(text) ? std::string(text)
                           : std::string(text.substr(0, ValidUtf8Prefix(text)));
}

v1::ErrorDetail DetailOf(const absl::Status& status, size_t max_bytes) {
  v1::ErrorDetail detail;
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, ReasonOf(status)), &reason);
  detail.set_reason(reason);
  for (const auto& entry : MetadataOf(status)) {
    const std::string value = ValidText(entry.second);
    const size_t cost = entry.first.size() + value.size() + 8;
    if (cost > max_bytes) continue;
    max_bytes -= cost;
    (*detail.mutable_metadata())[ValidText(entry.first)] = value;
  }
  return detail;
}

void SetDetail(const v1::ErrorDetail& detail, absl::Status* status) {
  const std::string name = v1::ErrorReason_Name(detail.reason());
  if (detail.reason() != v1::ERROR_REASON_UNSPECIFIED && !name.empty()) {
    *status =
        WithReason(std::move(*status), absl::StripPrefix(name, kReasonPrefix));
  }
  for (const auto& entry : detail.metadata()) {
    if (entry.first == "field") {
      status->SetPayload(kFieldPayload, absl::Cord(entry.second));
    } else if (entry.first == "value") {
      status->SetPayload(kValuePayload, absl::Cord(entry.second));
    } else {
      status->SetPayload(absl::StrCat(kMetadataPayloadPrefix, entry.first),
                         absl::Cord(entry.second));
    }
  }
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string text = ValidText(status.message());
  if (ReasonOf(status).empty() && MetadataOf(status).empty()) {
    return grpc::Status(code, Clip(text, kMaxStatusBytes));
  }
  const std::string message = Clip(text, kMaxMessageBytesWithDetails);
  const v1::ErrorDetail detail = DetailOf(
      status, kMaxStatusBytes - kDetailsOverheadBytes - 2 * message.size());
  v1::StatusDetails details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  details.add_details()->PackFrom(detail);
  return grpc::Status(code, message, details.SerializeAsString());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
  v1::StatusDetails details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      v1::ErrorDetail detail;
      if (any.UnpackTo(&detail)) {
        result = WithErrorDetail(std::move(result), detail);
      }
    }
  }
  return result;
}

v1::ErrorDetail ErrorDetailOf(const absl::Status& status) {
  if (status.ok()) return v1::ErrorDetail();
  return DetailOf(status, kMaxStatusBytes - kDetailsOverheadBytes);
}

absl::Status WithErrorDetail(absl::Status status,
                             const v1::ErrorDetail& detail) {
  if (!status.ok()) SetDetail(detail, &status);
  return status;
}

}  // namespace kinora
