#include "common/telemetry/run_labels.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxLabelBytes = 1024;

}  // namespace

absl::Status ValidateRunLabels(
    absl::string_view field,
    const google::protobuf::Map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return InvalidField(field, absl::StrCat(labels.size()),
                        absl::StrCat("at most ", kMaxLabels, " labels"));
  }
  size_t most = kMaxLabelBytes;
  std::string longest;
  for (const auto& label : labels) {
    const size_t bytes = label.first.size() + label.second.size();
    if (bytes <= most) continue;
    most = bytes;
    longest = label.first;
  }
  if (most == kMaxLabelBytes) return absl::OkStatus();
  return InvalidField(
      field, longest,
      absl::StrCat("a label has at most ", kMaxLabelBytes,
                   " bytes, name and value; this one has ", most));
}

}  // namespace kinora
