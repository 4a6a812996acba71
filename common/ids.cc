#include "common/ids.h"

#include <cstdio>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kRevisionPrefix = "rev-";
constexpr size_t kMinRevisionDigits = 4;

constexpr absl::string_view kRunPrefix = "run-";
constexpr absl::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kUlidDigits = 26;
constexpr size_t kUlidTimeDigits = 10;
constexpr uint64_t kMaxUlidMillis = (uint64_t{1} << 48) - 1;

bool IsMovieIdStart(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c);
}
bool IsMovieIdByte(char c) { return IsMovieIdStart(c) || c == '_' || c == '-'; }
bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '_'; }

absl::Status NoRevision(absl::string_view text) {
  return InvalidField("revision", text,
                      "must be \"rev-\" and a number from 1 on with at least "
                      "four digits, like rev-0001");
}

}  // namespace

absl::Status ValidateMovieId(absl::string_view movie_id) {
  constexpr absl::string_view kField = "movie_id";
  constexpr absl::string_view kForm = "must match [a-z0-9][a-z0-9_-]{0,127}";
  if (movie_id.empty()) {
    return InvalidField(kField, movie_id, absl::StrCat(kForm, ", is empty"));
  }
  if (movie_id.size() > kMaxMovieIdBytes) {
    return InvalidField(
        kField, movie_id,
        absl::StrCat(kForm, ", has ", movie_id.size(), " bytes"));
  }
  for (size_t i = 0; i < movie_id.size(); ++i) {
    if (i == 0 ? IsMovieIdStart(movie_id[i]) : IsMovieIdByte(movie_id[i])) {
      continue;
    }
    return InvalidField(kField, movie_id,
                        absl::StrCat(kForm, ", does not at byte ", i));
  }
  return absl::OkStatus();
}

absl::Status ValidateName(absl::string_view field, absl::string_view name) {
  constexpr absl::string_view kForm = "must match [A-Za-z][A-Za-z0-9_]*";
  if (name.empty()) {
    return InvalidField(field, name, absl::StrCat(kForm, ", is empty"));
  }
  if (name.size() > kMaxNameBytes) {
    return InvalidField(field, name,
                        absl::StrCat("must be at most ", kMaxNameBytes,
                                     " bytes, has ", name.size()));
  }
  for (size_t i = 0; i < name.size(); ++i) {
    if (i == 0 ? absl::ascii_isalpha(name[i]) : IsNameByte(name[i])) continue;
    return InvalidField(field, name,
                        absl::StrCat(kForm, ", does not at byte ", i));
  }
  return absl::OkStatus();
}

absl::StatusOr<Revision> Revision::Parse(absl::string_view text) {
  absl::string_view digits = text;
  if (!absl::ConsumePrefix(&digits, kRevisionPrefix)) return NoRevision(text);
  if (digits.size() < kMinRevisionDigits ||
      (digits.size() > kMinRevisionDigits && digits[0] == '0')) {
    return NoRevision(text);
  }
  for (const char c : digits) {
    if (!absl::ascii_isdigit(c)) return NoRevision(text);
  }
  Revision revision;
  if (!absl::SimpleAtoi(digits, &revision.number)) {
    return InvalidField(
        "revision", text,
        absl::StrCat("must be at most ", std::numeric_limits<uint32_t>::max()));
  }
  if (revision.IsNone()) return NoRevision(text);
  return revision;
}

std::string Revision::ToString() const {
  return absl::StrFormat("rev-%04d", number);
}

absl::Status ValidateRunId(absl::string_view run_id) {
  constexpr absl::string_view kField = "run_id";
  absl::string_view digits = run_id;
  if (!absl::ConsumePrefix(&digits, kRunPrefix)) {
    return InvalidField(kField, run_id, "must begin with \"run-\"");
  }
  if (digits.size() != kUlidDigits) {
    return InvalidField(kField, run_id,
                        absl::StrCat("must be \"run-\" and 26 base-32 digits, "
                                     "has ",
                                     digits.size()));
  }
  for (size_t i = 0; i < digits.size(); ++i) {
    if (kCrockford.find(digits[i]) != absl::string_view::npos) continue;
    return InvalidField(
        kField, run_id,
        absl::StrCat("must be \"run-\" and upper-case Crockford "
                     "base-32 digits, is not at byte ",
                     kRunPrefix.size() + i));
  }
  // 26 digits hold 130 bits, a ULID has 128.
  if (digits[0] > '7') {
    return InvalidField(kField, run_id, "holds a time of more than 48 bits");
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> RunIdTime(absl::string_view run_id) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(run_id));
  int64_t millis = 0;
  for (const char c : run_id.substr(kRunPrefix.size(), kUlidTimeDigits)) {
    millis = millis << 5 | static_cast<int64_t>(kCrockford.find(c));
  }
  return absl::FromUnixMillis(millis);
}

RunIdGenerator::RunIdGenerator(Clock& clock, Random& random)
    : clock_(clock), random_(random) {}

std::string RunIdGenerator::Next() {
  const int64_t now = NowMillis(clock_);
  const uint64_t millis = now < 0 ? 0 : static_cast<uint64_t>(now);
  MutexLock lock(mu_);
  if (millis > last_millis_) {
    last_millis_ = millis;
    random_.Fill(absl::MakeSpan(last_entropy_));
  } else {
    // The same millisecond, or a clock that was set back: count on.
    auto digit = last_entropy_.rbegin();
    while (digit != last_entropy_.rend() && ++*digit == 0) ++digit;
    if (digit == last_entropy_.rend()) ++last_millis_;
  }

  std::string id(kRunPrefix);
  for (int shift = 5 * (kUlidTimeDigits - 1); shift >= 0; shift -= 5) {
    id += kCrockford[((last_millis_ & kMaxUlidMillis) >> shift) & 31];
  }
  // 80 bits are 16 digits exactly: five bytes are eight digits.
  for (size_t half = 0; half < 2; ++half) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 5; ++i)
      bits = bits << 8 | last_entropy_[half * 5 + i];
    for (int shift = 35; shift >= 0; shift -= 5) {
      id += kCrockford[(bits >> shift) & 31];
    }
  }
  return id;
}

}  // namespace kinora
