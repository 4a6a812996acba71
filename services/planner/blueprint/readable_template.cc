#include "services/planner/blueprint/readable_template.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/files/readable_path.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

constexpr uint32_t kMaxWidth = 6;  // as many digits as the largest index

}  // namespace

absl::StatusOr<ReadableTemplate> ReadableTemplate::Parse(
    absl::string_view text, const std::vector<std::string>& dimensions) {
  auto malformed = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ClipValue(text), "\": ", why));
  };
  ReadableTemplate result;
  std::vector<bool> seen(dimensions.size(), false);
  absl::string_view rest = text;
  while (!rest.empty()) {
    Part& part = result.parts_.emplace_back();
    size_t brace = std::min(rest.find('{'), rest.size());
    part.text = std::string(rest.substr(0, brace));
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    size_t close = rest.find('}');
    if (close == absl::string_view::npos) {
      return malformed("a { without its }");
    }
    absl::string_view name = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    size_t colon = name.find(':');
    if (colon != absl::string_view::npos) {
      absl::string_view width = name.substr(colon + 1);
      name = name.substr(0, colon);
      if (width.size() != 2 || width[0] != '0' ||
          !absl::SimpleAtoi(width, &part.width) || part.width == 0 ||
          part.width > kMaxWidth) {
        return malformed(absl::StrCat("\"", ClipValue(width),
                                      "\" is no width from 01 to 0", kMaxWidth,
                                      ", as in {segment:04}"));
      }
    }
    auto found = std::find(dimensions.begin(), dimensions.end(), name);
    if (found == dimensions.end()) {
      return malformed(absl::StrCat(
          "{", ClipValue(name), "} is no dimension of the output",
          DidYouMean(name, std::vector<absl::string_view>(dimensions.begin(),
                                                          dimensions.end()))));
    }
    part.place = static_cast<int>(found - dimensions.begin());
    if (seen[part.place]) {
      return malformed(absl::StrCat("{", name, "} stands there twice"));
    }
    seen[part.place] = true;
    bool after_digit = result.parts_.size() > 1 && part.text.empty();
    bool before_digit = !rest.empty() && absl::ascii_isdigit(rest[0]);
    if (!part.text.empty() && absl::ascii_isdigit(part.text.back())) {
      after_digit = true;
    }
    if (after_digit || before_digit) {
      return malformed(
          absl::StrCat("{", name,
                       "} stands right beside a digit or another "
                       "index, so two artefacts might share a file"));
    }
  }
  std::vector<absl::string_view> missing;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    if (!seen[i]) missing.push_back(dimensions[i]);
  }
  if (!missing.empty()) {
    return malformed(absl::StrCat(
        "every artefact needs a file of its own, so it must hold {",
        absl::StrJoin(missing, "} and {"), "}"));
  }
  std::vector<uint32_t> largest(dimensions.size(), 999999);
  absl::Status valid = ValidateReadablePath("path", result.PathOf(largest));
  if (!valid.ok()) return malformed(valid.message());
  return result;
}

std::string ReadableTemplate::PathOf(absl::Span<const uint32_t> point) const {
  std::string path;
  for (const Part& part : parts_) {
    path += part.text;
    if (part.place < 0) continue;
    std::string index = absl::StrCat(point[part.place]);
    if (index.size() < part.width) path.append(part.width - index.size(), '0');
    path += index;
  }
  return path;
}

std::string ReadableTemplate::Skeleton() const {
  std::string path;
  auto add = [&path](char c) {
    if (c != '#' || path.empty() || path.back() != '#') path.push_back(c);
  };
  for (const Part& part : parts_) {
    for (char c : part.text) {
      add(absl::ascii_isdigit(c) ? '#' : absl::ascii_tolower(c));
    }
    if (part.place >= 0) add('#');
  }
  return path;
}

}  // namespace kinora
