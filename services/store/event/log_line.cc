#include "services/store/event/log_line.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/crc32c.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kHead = "{\"seq\":";
constexpr absl::string_view kCrcMember = ",\"crc32c\":\"";
constexpr absl::string_view kTail = "\"}";
constexpr size_t kCrcDigits = 8;
constexpr size_t kSuffixBytes = kCrcMember.size() + kCrcDigits + kTail.size();

std::string CrcDigits(absl::string_view bytes) {
  uint32_t crc = Crc32c(bytes);
  std::string digits(kCrcDigits, '0');
  for (size_t i = kCrcDigits; i-- > 0; crc >>= 4) {
    digits[i] = "0123456789abcdef"[crc & 15];
  }
  return digits;
}

}  // namespace

absl::Status ValidateLogBody(absl::string_view body) {
  if (body.size() < 2 || body.front() != '{' || body.back() != '}') {
    return InvalidField("bodies", body, "must be a JSON object");
  }
  if (body.find('\n') != absl::string_view::npos) {
    return InvalidField("bodies", body, "must be one line");
  }
  if (absl::StartsWith(body, kHead)) {
    return InvalidField("bodies", body, "must not have a \"seq\"");
  }
  return absl::OkStatus();
}

void AppendLogLine(int64_t sequence, absl::string_view body, std::string* out) {
  const size_t begin = out->size();
  const absl::string_view members = body.substr(1, body.size() - 2);
  absl::StrAppend(out, kHead, sequence, members.empty() ? "" : ",", members);
  const std::string digits = CrcDigits(absl::string_view(*out).substr(begin));
  absl::StrAppend(out, kCrcMember, digits, kTail, "\n");
}

absl::StatusOr<int64_t> CheckLogLine(absl::string_view line) {
  if (line.size() < kHead.size() + kSuffixBytes ||
      !absl::StartsWith(line, kHead) || !absl::EndsWith(line, kTail)) {
    return absl::DataLossError(
        absl::StrCat("not a log line: \"", ClipValue(line), "\""));
  }
  const absl::string_view covered = line.substr(0, line.size() - kSuffixBytes);
  const absl::string_view suffix = line.substr(covered.size());
  const absl::string_view stored = suffix.substr(kCrcMember.size(), kCrcDigits);
  if (!absl::StartsWith(suffix, kCrcMember)) {
    return absl::DataLossError(
        absl::StrCat("no checksum at the end of \"", ClipValue(line), "\""));
  }
  const std::string actual = CrcDigits(covered);
  if (stored != actual) {
    return absl::DataLossError(absl::StrCat(
        "the checksum says ", ClipValue(stored), ", the bytes say ", actual));
  }
  const absl::string_view rest = covered.substr(kHead.size());
  int64_t sequence = 0;
  if (!absl::SimpleAtoi(rest.substr(0, rest.find(',')), &sequence) ||
      sequence < 1) {
    return absl::DataLossError(
        absl::StrCat("no sequence number in \"", ClipValue(line), "\""));
  }
  return sequence;
}

absl::string_view LogLineCrc(absl::string_view line) {
  return line.substr(line.size() - kTail.size() - kCrcDigits, kCrcDigits);
}

std::string LogLineBody(absl::string_view line) {
  line.remove_suffix(kSuffixBytes);
  const size_t comma = line.find(',');
  const absl::string_view members = comma == absl::string_view::npos
                                        ? absl::string_view()
                                        : line.substr(comma + 1);
  return absl::StrCat("{", members, "}");
}

absl::Status CheckLogLineIs(int64_t expected, absl::string_view line) {
  KINORA_ASSIGN_OR_RETURN(const int64_t sequence, CheckLogLine(line));
  if (sequence == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("it has sequence number ", sequence,
                                          " where ", expected, " is due"));
}

}  // namespace kinora
