#include "services/planner/blueprint/version_range.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxBytes = 256;

// `1.2.3` as numbers; nullopt if it is no such text.
std::optional<std::vector<uint32_t>> Numbers(absl::string_view version) {
  std::vector<uint32_t> numbers;
  for (absl::string_view part : absl::StrSplit(version, '.')) {
    uint32_t number = 0;
    if (part.empty() || !absl::ascii_isdigit(part[0]) ||
        !absl::SimpleAtoi(part, &number)) {
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  while (!numbers.empty() && numbers.back() == 0) numbers.pop_back();
  return numbers;
}

bool IsVersionText(absl::string_view text) {
  for (char c : text) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '-' && c != '_' &&
        c != '+') {
      return false;
    }
  }
  return !text.empty();
}

}  // namespace

absl::StatusOr<VersionRange> VersionRange::Parse(absl::string_view text) {
  auto malformed = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ClipValue(text), "\": ", why,
                     "; a range of versions is written as \">=1.2 <2\""));
  };
  if (text.size() > kMaxBytes) return malformed("too long");
  VersionRange range;
  range.text_ = std::string(text);
  for (absl::string_view rest :
       absl::StrSplit(text, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    Comparison comparison;
    if (absl::ConsumePrefix(&rest, ">=")) {
      comparison.relation = Relation::kAtLeast;
    } else if (absl::ConsumePrefix(&rest, "<=")) {
      comparison.relation = Relation::kAtMost;
    } else if (absl::ConsumePrefix(&rest, "!=")) {
      comparison.relation = Relation::kNotEqual;
    } else if (absl::ConsumePrefix(&rest, ">")) {
      comparison.relation = Relation::kGreater;
    } else if (absl::ConsumePrefix(&rest, "<")) {
      comparison.relation = Relation::kLess;
    } else if (absl::ConsumePrefix(&rest, "=")) {
      absl::ConsumePrefix(&rest, "=");
    }
    if (!IsVersionText(rest)) {
      return malformed(
          absl::StrCat("\"", ClipValue(rest), "\" is not a version"));
    }
    bool in_order = comparison.relation != Relation::kEqual &&
                    comparison.relation != Relation::kNotEqual;
    if (in_order && !Numbers(rest).has_value()) {
      return malformed(absl::StrCat("\"", ClipValue(rest),
                                    "\" is not a dotted number, so none is "
                                    "below or above it"));
    }
    comparison.version = std::string(rest);
    range.comparisons_.push_back(std::move(comparison));
  }
  if (range.comparisons_.empty()) return malformed("names no version");
  if (range.IsEmpty()) return malformed("no version is in it");
  return range;
}

bool VersionRange::IsEmpty() const {
  // In between any two there are more: 1.0.1 is between 1 and 1.1.
  std::string low = "0";
  std::optional<std::string> high;
  bool has_low = true;   // the bound itself is in the range
  bool has_high = true;  // likewise
  for (const Comparison& comparison : comparisons_) {
    const std::string& version = comparison.version;
    switch (comparison.relation) {
      case Relation::kEqual:
        return !Contains(version);
      case Relation::kNotEqual:
        continue;
      case Relation::kGreater:
      case Relation::kAtLeast: {
        const bool has = comparison.relation == Relation::kAtLeast;
        if (*Numbers(version) > *Numbers(low)) {
          low = version;
          has_low = has;
        } else if (*Numbers(version) == *Numbers(low)) {
          has_low = has_low && has;
        }
        break;
      }
      case Relation::kLess:
      case Relation::kAtMost: {
        const bool has = comparison.relation == Relation::kAtMost;
        if (!high.has_value() || *Numbers(version) < *Numbers(*high)) {
          high = version;
          has_high = has;
        } else if (*Numbers(version) == *Numbers(*high)) {
          has_high = has_high && has;
        }
        break;
      }
    }
  }
  if (!high.has_value()) return false;
  if (*Numbers(low) < *Numbers(*high)) return false;
  if (*Numbers(*high) < *Numbers(low)) return true;
  return !has_low || !has_high || !Contains(low);
}

bool VersionRange::Contains(absl::string_view version) const {
  for (const Comparison& comparison : comparisons_) {
    if (!Holds(comparison, version)) return false;
  }
  return true;
}

bool VersionRange::Holds(const Comparison& comparison,
                         absl::string_view version) {
  std::optional<std::vector<uint32_t>> want = Numbers(comparison.version);
  std::optional<std::vector<uint32_t>> have = Numbers(version);
  bool comparable = want.has_value() && have.has_value();
  bool equal = comparable ? *want == *have : comparison.version == version;
  switch (comparison.relation) {
    case Relation::kEqual:
      return equal;
    case Relation::kNotEqual:
      return !equal;
    case Relation::kLess:
      return comparable && *have < *want;
    case Relation::kAtMost:
      return comparable && *have <= *want;
    case Relation::kGreater:
      return comparable && *have > *want;
    case Relation::kAtLeast:
      return comparable && *have >= *want;
  }
  return false;
}

}  // namespace kinora
