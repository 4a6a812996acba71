#include "services/planner/blueprint/reference.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/element_id.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr int32_t kMaxOffset = 1000000;

absl::Status Malformed(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", ClipValue(text), "\": ", why));
}

bool IsNumber(absl::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return true;
}

absl::StatusOr<SpelledIndex> ParseIndex(absl::string_view text,
                                        absl::string_view term) {
  SpelledIndex index;
  absl::string_view number = term;
  size_t equals = term.find('=');
  if (equals != absl::string_view::npos) {
    index.dimension = std::string(term.substr(0, equals));
    number = term.substr(equals + 1);
  } else if (!IsNumber(term)) {
    index.dimension = std::string(term);
  }
  size_t sign = index.dimension.find_first_of("+-");
  if (sign != std::string::npos && sign > 0 &&
      equals == absl::string_view::npos) {
    absl::string_view distance = term.substr(sign + 1);
    if (!IsNumber(distance) || distance[0] == '0' ||
        !absl::SimpleAtoi(distance, &index.offset) ||
        index.offset > kMaxOffset) {
      return Malformed(text, absl::StrCat("\"", ClipValue(distance),
                                          "\" is not an offset from 1 to ",
                                          kMaxOffset, ", as in [segment-1]"));
    }
    if (term[sign] == '-') index.offset = -index.offset;
    index.dimension.resize(sign);
  }
  bool named = !index.dimension.empty() || equals != absl::string_view::npos;
  if (named && !ValidateName("dimension", index.dimension).ok()) {
    return Malformed(text, absl::StrCat("[", ClipValue(term),
                                        "] is neither a dimension nor an "
                                        "index such as [0]"));
  }
  if (named && equals == absl::string_view::npos) return index;
  index.is_constant = true;
  if (!IsNumber(number) || (number.size() > 1 && number[0] == '0') ||
      !absl::SimpleAtoi(number, &index.constant)) {
    return Malformed(
        text, absl::StrCat("\"", ClipValue(number), "\" is not an index"));
  }
  return index;
}

}  // namespace

absl::StatusOr<SpelledReference> ParseReference(absl::string_view text) {
  SpelledReference reference;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "Input:")) {
    reference.is_input = true;
  } else {
    absl::ConsumePrefix(&rest, "Artifact:");
  }
  size_t bracket = rest.find('[');
  absl::string_view name = rest.substr(0, bracket);
  rest.remove_prefix(name.size());
  if (!ValidateName("name", name).ok()) {
    return Malformed(text,
                     "a reference is Input:NAME or an artefact's name, "
                     "followed by indices such as [segment] or [0]");
  }
  reference.name = std::string(name);
  while (!rest.empty()) {
    size_t close = rest.find(']');
    if (rest[0] != '[' || close == absl::string_view::npos) {
      return Malformed(text, "an index stands in brackets, such as [segment]");
    }
    if (reference.indices.size() == kMaxDimensionsPerId) {
      return Malformed(
          text, absl::StrCat("more than ", kMaxDimensionsPerId, " indices"));
    }
    KINORA_ASSIGN_OR_RETURN(SpelledIndex index,
                            ParseIndex(text, rest.substr(1, close - 1)));
    reference.indices.push_back(std::move(index));
    rest.remove_prefix(close + 1);
  }
  return reference;
}

}  // namespace kinora
