#include "common/error_reason.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"

namespace kinora {

absl::Status WithReason(
    absl::Status status, absl::string_view reason,
    std::initializer_list<std::pair<absl::string_view, absl::string_view>>
        metadata) {
  if (status.ok()) return status;
  status.SetPayload(kReasonPayload, absl::Cord(reason));
  for (const auto& entry : metadata) {
    status.SetPayload(absl::StrCat(kMetadataPayloadPrefix, entry.first),
                      absl::Cord(entry.second));
  }
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  if (auto reason = status.GetPayload(kReasonPayload)) {
    return std::string(*reason);
  }
  return status.GetPayload(kFieldPayload) ? "INVALID_FIELD" : "";
}

std::map<std::string, std::string> MetadataOf(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (url == kFieldPayload) {
      metadata["field"] = std::string(payload);
    } else if (url == kValuePayload) {
      metadata["value"] = std::string(payload);
    } else if (absl::ConsumePrefix(&url, kMetadataPayloadPrefix)) {
      metadata[std::string(url)] = std::string(payload);
    }
  });
  return metadata;
}

}  // namespace kinora
