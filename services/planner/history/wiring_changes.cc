#include "services/planner/history/wiring_changes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

const Binding* FindBinding(const Blueprint& blueprint, absl::string_view node,
                           absl::string_view name) {
  const int found = blueprint.FindNode(node);
  if (found < 0) return nullptr;
  for (const Binding& binding : blueprint.nodes[found].bindings) {
    if (binding.name == name) return &binding;
  }
  return nullptr;
}

// By names, so that it can be compared with that of another blueprint.
std::string Spell(const Blueprint& blueprint, const Reference& read) {
  std::string text =
      read.is_input ? absl::StrCat("Input:", blueprint.inputs[read.target].name)
                    : blueprint.outputs[read.target].name;
  const std::vector<int>& dimensions = blueprint.DimensionsOf(read);
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const ReferenceIndex& index = read.indices[i];
    absl::StrAppend(
        &text, "[", blueprint.dimensions[dimensions[i]].name, " ",
        index.is_constant ? "=" : "+",
        index.is_constant ? int64_t{index.constant} : int64_t{index.offset},
        "]");
  }
  return text;
}

std::string Spell(const Blueprint& blueprint, const Binding& binding) {
  std::string text = absl::StrCat(Spell(blueprint, binding.from), " ",
                                  binding.is_list ? "all" : "one");
  for (const ListOrder& order : binding.order) {
    absl::StrAppend(&text, " by ", order.place, order.descending ? "-" : "+");
  }
  if (binding.group >= 0) {
    absl::StrAppend(&text, " in ", blueprint.dimensions[binding.group].name);
  }
  if (binding.fallback.has_value()) {
    absl::StrAppend(&text, " else ", Spell(blueprint, *binding.fallback));
  }
  return text;
}

// Goes through what sizes dimensions, at one point or where it must at all.
class SizerSearch {
 public:
  SizerSearch(const RevisionState& before, const RevisionState& now,
              size_t limit, PlaceChanges* places)
      : before_(before), now_(now), limit_(limit), places_(*places) {}

  // `fixed` are the dimensions whose index in `point` is meant.
  absl::Status Search(const std::vector<int>& dimensions,
                      std::vector<bool> fixed, ElementPlaces::Point point) {
    dimensions_ = &dimensions;
    fixed_ = std::move(fixed);
    point_ = std::move(point);
    return Descend(0);
  }

  std::vector<std::string> Take() { return std::move(found_); }

 private:
  // A job may make a million things, each within another.
  static constexpr size_t kMaxLooks = 10'000;

  absl::Status Descend(size_t level) {
    if (level == dimensions_->size() || found_.size() >= limit_ ||
        looks_ >= kMaxLooks) {
      return absl::OkStatus();
    }
    ++looks_;
    const int dimension = (*dimensions_)[level];
    // That one index is there is not what this is about.
    const std::string sizer =
        fixed_[dimension] ? "" : places_.now()->SizerAt(dimension, point_);
    if (!sizer.empty() && before_.HashOf(sizer) != now_.HashOf(sizer) &&
        std::find(found_.begin(), found_.end(), sizer) == found_.end()) {
      found_.push_back(sizer);
    }
    if (fixed_[dimension] || !SizesFurther(level)) return Descend(level + 1);
    KINORA_ASSIGN_OR_RETURN(const std::optional<uint32_t> size,
                            places_.now()->SizeAt(dimension, point_));
    for (uint32_t i = 0; i < size.value_or(0); ++i) {
      point_[dimension] = i;
      KINORA_RETURN_IF_ERROR(Descend(level + 1));
      if (found_.size() >= limit_ || looks_ >= kMaxLooks) break;
    }
    point_[dimension] = 0;
    return absl::OkStatus();
  }

  // True if what sizes one further down has this dimension.
  bool SizesFurther(size_t level) const {
    const Blueprint& rules = places_.now()->rules();
    for (size_t i = level + 1; i < dimensions_->size(); ++i) {
      const DimensionDeclaration& inner = rules.dimensions[(*dimensions_)[i]];
      const std::vector<int>* over =
          inner.size_input >= 0 ? &rules.inputs[inner.size_input].over
          : inner.size_output >= 0
              ? &rules.outputs[inner.size_output].dimensions
              : nullptr;
      if (over != nullptr && std::find(over->begin(), over->end(),
                                       (*dimensions_)[level]) != over->end()) {
        return true;
      }
    }
    return false;
  }

  const RevisionState& before_;
  const RevisionState& now_;
  const size_t limit_;
  PlaceChanges& places_;
  const std::vector<int>* dimensions_ = nullptr;
  std::vector<bool> fixed_;
  ElementPlaces::Point point_;
  size_t looks_ = 0;
  std::vector<std::string> found_;
};

}  // namespace

bool BindsOtherwise(const Blueprint& before, const Blueprint& now,
                    absl::string_view node, absl::string_view slot) {
  const absl::string_view name = slot.substr(0, slot.find('/'));
  const Binding* old = FindBinding(before, node, name);
  const Binding* current = FindBinding(now, node, name);
  if (old == nullptr || current == nullptr) return old != current;
  return Spell(before, *old) != Spell(now, *current);
}

absl::StatusOr<std::vector<std::string>> ChangedSizersOfJob(
    const ElementId& artefact, const RevisionState& before,
    const RevisionState& now, size_t limit, PlaceChanges* places) {
  SizerSearch search(before, now, limit, places);
  ElementPlaces::Point point;
  const int output = places->now() == nullptr
                         ? -1
                         : places->now()->rules().FindOutput(artefact.name);
  if (output < 0 ||
      !places->now()->PlaceAt(places->now()->rules().outputs[output].dimensions,
                              artefact, &point)) {
    return std::vector<std::string>();
  }
  const Blueprint& rules = places->now()->rules();
  const NodeDeclaration& node = rules.nodes[rules.outputs[output].node];
  std::vector<bool> own(rules.dimensions.size(), false);
  for (int dimension : node.over) own[dimension] = true;
  for (int made : node.outputs) {
    KINORA_RETURN_IF_ERROR(
        search.Search(rules.outputs[made].dimensions, own, point));
  }
  std::vector<std::string> found = search.Take();
  if (!found.empty()) return found;
  SizerSearch reads(before, now, limit, places);
  for (const Binding& binding : node.bindings) {
    const std::vector<int>& dimensions = rules.DimensionsOf(binding.from);
    std::vector<bool> fixed = own;
    ElementPlaces::Point there = point;
    bool outside = false;
    for (size_t i = 0; i < dimensions.size(); ++i) {
      const ReferenceIndex& index = binding.from.indices[i];
      const int64_t at = index.At(there[dimensions[i]]);
      outside = outside || at < 0;
      there[dimensions[i]] = static_cast<uint32_t>(at);
      fixed[dimensions[i]] = fixed[dimensions[i]] || index.is_constant;
    }
    if (outside) continue;
    KINORA_RETURN_IF_ERROR(
        reads.Search(dimensions, std::move(fixed), std::move(there)));
  }
  return reads.Take();
}

}  // namespace kinora
