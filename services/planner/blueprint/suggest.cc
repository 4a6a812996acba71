#include "services/planner/blueprint/suggest.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace kinora {
namespace {

// Longer names are not compared: the cost is the product of the lengths.
constexpr size_t kMaxLength = 128;

// Letters to insert, delete, replace or swap with their neighbour, blind to
// case.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before, last, row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  auto same = [&](size_t i, size_t j) {
    return absl::ascii_tolower(a[i]) == absl::ascii_tolower(b[j]);
  };
  for (size_t i = 1; i <= a.size(); ++i) {
    before = last;
    last = row;
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (same(i - 1, j - 1) ? 0 : 1),
                         last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

// The known name nearest to `name`; empty if none is near.
absl::string_view Nearest(absl::string_view name,
                          const std::vector<absl::string_view>& known) {
  if (name.empty() || name.size() > kMaxLength) return "";
  // A third of the letters wrong is a slip; more is another word.
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  absl::string_view nearest;
  for (absl::string_view candidate : known) {
    if (candidate.size() > kMaxLength) continue;
    size_t distance = Distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

// `Artifact:Image` of `Artifact:Image[segment=1]`.
absl::string_view WithoutIndices(absl::string_view id) {
  return id.substr(0, id.find('['));
}

absl::string_view WithoutPrefix(absl::string_view id) {
  return id.substr(std::min(id.size(), id.find(':') + 1));
}

}  // namespace

std::string DidYouMean(absl::string_view name,
                       const std::vector<absl::string_view>& known) {
  const absl::string_view nearest = Nearest(name, known);
  if (nearest.empty()) return "";
  return absl::StrCat("; did you mean \"", nearest, "\"?");
}

std::string DidYouMeanId(absl::string_view id,
                         const std::vector<absl::string_view>& known) {
  std::map<absl::string_view, std::vector<absl::string_view>> by_name;
  for (absl::string_view candidate : known) {
    by_name[WithoutPrefix(WithoutIndices(candidate))].push_back(candidate);
  }
  std::vector<absl::string_view> names;
  for (const auto& [name, ids] : by_name) names.push_back(name);
  const absl::string_view wanted = WithoutPrefix(WithoutIndices(id));
  const absl::string_view name = Nearest(wanted, names);
  if (name.empty()) return "";
  std::vector<absl::string_view>& ids = by_name[name];
  // As it would be but for the name.
  const std::string named =
      absl::StrCat(id.substr(0, id.size() - WithoutPrefix(id).size()), name,
                   id.substr(WithoutIndices(id).size()));
  const absl::string_view nearest = Nearest(named, ids);
  return absl::StrCat(
      "; did you mean \"",
      nearest.empty() ? *std::min_element(ids.begin(), ids.end()) : nearest,
      "\"?");
}

}  // namespace kinora
