#include "services/store/object/checked_document.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/crc32c.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kCrcMember = ",\"crc32c\":\"";
constexpr absl::string_view kTail = "\"}";
constexpr size_t kCrcDigits = 8;
constexpr size_t kSuffixBytes = kCrcMember.size() + kCrcDigits + kTail.size();

std::string CrcDigits(absl::string_view covered) {
  return absl::StrCat(absl::Hex(Crc32c(covered), absl::kZeroPad8));
}

}  // namespace

std::string WithChecksum(absl::string_view json) {
  const absl::string_view covered = json.substr(0, json.size() - 1);
  return absl::StrCat(covered, kCrcMember, CrcDigits(covered), kTail);
}

bool HasChecksum(absl::string_view text) {
  return text.size() > kSuffixBytes && absl::EndsWith(text, kTail) &&
         absl::StartsWith(text.substr(text.size() - kSuffixBytes), kCrcMember);
}

absl::StatusOr<std::string> WithoutChecksum(absl::string_view text) {
  if (!HasChecksum(text)) return std::string(text);
  const absl::string_view covered = text.substr(0, text.size() - kSuffixBytes);
  const absl::string_view stored =
      text.substr(covered.size() + kCrcMember.size(), kCrcDigits);
  const std::string actual = CrcDigits(covered);
  if (stored != actual) {
    return absl::DataLossError(absl::StrCat(
        "the checksum says ", ClipValue(stored), ", the bytes say ", actual));
  }
  return absl::StrCat(covered, "}");
}

absl::Status ParseCheckedDocument(absl::string_view text,
                                  google::protobuf::Message* message) {
  KINORA_ASSIGN_OR_RETURN(const std::string json, WithoutChecksum(text));
  return ParseDocument(json, message);
}

absl::StatusOr<JsonValue> ParseCheckedJson(
    absl::string_view text, absl::Span<const absl::string_view> members) {
  KINORA_ASSIGN_OR_RETURN(const std::string json, WithoutChecksum(text));
  KINORA_ASSIGN_OR_RETURN(JsonValue value, ParseJson(json));
  if (!value.is_object()) {
    return absl::InvalidArgumentError("it is not a JSON object");
  }
  for (const JsonMember& member : value.object()) {
    if (std::count(members.begin(), members.end(), member.key) > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("unknown member \"", ClipValue(member.key), "\""));
  }
  return value;
}

}  // namespace kinora
