#include "services/planner/plan/reference_graph.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/element_id.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

bool IsAmong(const std::vector<std::string>& hashes, const std::string& hash) {
  return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
}

}  // namespace

ReferenceGraph::ReferenceGraph(const Blueprint& blueprint, const InputMap& set,
                               const DecidingValues& decided)
    : blueprint_(blueprint), set_(set), decided_(decided) {
  const std::vector<ReferenceIndex> runs;
  for (size_t n = 0; n < blueprint.nodes.size(); ++n) {
    const NodeDeclaration& node = blueprint.nodes[n];
    const int number = static_cast<int>(n);
    const Point nowhere;
    for (const Point& at : PointsOf({node.over, runs, nowhere}).points) {
      if (IsActive(number, at) != Truth::kYes || IsDeferred(number, at)) {
        continue;
      }
      ReferenceJob& job = jobs_[NamedAt(node.name, node.over, at)];
      job.node = number;
      for (const Binding& binding : node.bindings) {
        job.slots.push_back(SlotOf(binding, at));
      }
      for (int output : node.outputs) {
        const OutputDeclaration& made = blueprint.outputs[output];
        for (const Point& element :
             PointsOf({made.dimensions, runs, at}).points) {
          job.artefacts.push_back(NamedAt(absl::StrCat("Artifact:", made.name),
                                          made.dimensions, element));
        }
      }
    }
  }
}

std::map<std::string, ReferenceOrigin> ReferenceGraph::Origins() const {
  std::map<std::string, ReferenceOrigin> origins;
  const std::vector<ReferenceIndex> runs;
  for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
    const NodeDeclaration& node = blueprint_.nodes[n];
    const int number = static_cast<int>(n);
    const Point nowhere;
    for (const Point& at : PointsOf({node.over, runs, nowhere}).points) {
      looked_at_.clear();
      if (IsActive(number, at) == Truth::kNo) continue;
      ReferenceOrigin& job = origins[NamedAt(node.name, node.over, at)];
      PointsOf({node.over, runs, at});
      for (int output : node.outputs) {
        const OutputDeclaration& made = blueprint_.outputs[output];
        for (const Point& element :
             PointsOf({made.dimensions, runs, at}).points) {
          job.artefacts.push_back(NamedAt(absl::StrCat("Artifact:", made.name),
                                          made.dimensions, element));
        }
      }
      for (const Binding& binding : node.bindings) {
        AddRead(binding.from, at, &job);
        if (binding.fallback.has_value()) AddRead(*binding.fallback, at, &job);
      }
      job.made_from.merge(looked_at_);
    }
  }
  return origins;
}

void ReferenceGraph::AddRead(const Reference& reference, const Point& own,
                             ReferenceOrigin* job) const {
  for (const Point& at : Existing(reference, own).points) {
    if (!reference.is_input) job->made_from.insert(IdOf(reference, at));
  }
  // Also where an index leads out of another dimension.
  const std::vector<int>& dimensions = DimensionsOf(reference);
  for (int dimension : dimensions) {
    Reference list;
    list.target = blueprint_.dimensions[dimension].size_output;
    if (list.target < 0) continue;
    for (int outer : DimensionsOf(list)) {
      const auto place = std::find(dimensions.begin(), dimensions.end(), outer);
      list.indices.push_back(reference.indices[place - dimensions.begin()]);
    }
    for (const Point& at : Existing(list, own).points) {
      job->made_from.insert(IdOf(list, at));
    }
  }
}

std::set<std::string> ReferenceGraph::DecidersOf(const std::string& name,
                                                 bool* known) const {
  const ElementId id = ElementId::Parse(name).value();
  Reference named;
  named.target = blueprint_.FindOutput(id.name);
  const std::vector<int>& dimensions = DimensionsOf(named);
  looked_at_.clear();
  if (id.indices.empty() && !dimensions.empty()) {
    *known = Existing(named, {}).known;
    return looked_at_;
  }
  Point at;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    at[dimensions[i]] = id.indices[i].index;
  }
  const Points there = PointsOf({dimensions, {}, at});
  *known = there.known;
  if (!there.known) return looked_at_;
  looked_at_.clear();
  if (!there.points.empty()) {
    IsActive(blueprint_.outputs[named.target].node, at);
  }
  return looked_at_;
}

const std::vector<int>& ReferenceGraph::DimensionsOf(
    const Reference& reference) const {
  return reference.is_input ? blueprint_.inputs[reference.target].over
                            : blueprint_.outputs[reference.target].dimensions;
}

std::string ReferenceGraph::IdOf(const Reference& reference,
                                 const Point& at) const {
  return NamedAt(
      reference.is_input
          ? absl::StrCat("Input:", blueprint_.inputs[reference.target].name)
          : absl::StrCat("Artifact:",
                         blueprint_.outputs[reference.target].name),
      DimensionsOf(reference), at);
}

std::string ReferenceGraph::NamedAt(const std::string& name,
                                    const std::vector<int>& dimensions,
                                    const Point& at) const {
  std::string id = name;
  for (int dimension : dimensions) {
    absl::StrAppend(&id, "[", blueprint_.dimensions[dimension].name, "=",
                    at.at(dimension), "]");
  }
  return id;
}

std::optional<uint32_t> ReferenceGraph::SizeOf(int dimension,
                                               const Point& at) const {
  const DimensionDeclaration& declared = blueprint_.dimensions[dimension];
  if (declared.size_input >= 0) {
    const InputDeclaration& input = blueprint_.inputs[declared.size_input];
    const v1::Content* value = EffectiveValue(
        input, NamedAt(absl::StrCat("Input:", input.name), input.over, at),
        set_);
    uint32_t size = 0;
    EXPECT_TRUE(value != nullptr &&
                absl::SimpleAtoi(value->inline_().data(), &size))
        << input.name;
    return size;
  }
  if (declared.size_output < 0) return declared.size;
  const OutputDeclaration& list = blueprint_.outputs[declared.size_output];
  switch (IsActive(list.node, at)) {
    case Truth::kNo:
      return 0;
    case Truth::kUnknown:
      return std::nullopt;
    case Truth::kYes:
      break;
  }
  const std::string id =
      NamedAt(absl::StrCat("Artifact:", list.name), list.dimensions, at);
  looked_at_.insert(id);
  const auto value = decided_.find(id);
  if (value == decided_.end()) return std::nullopt;
  return static_cast<uint32_t>(value->second.length.value());
}

// `at` has the node's own dimensions at least.
ReferenceGraph::Truth ReferenceGraph::IsActive(int node,
                                               const Point& at) const {
  Truth all = Truth::kYes;
  for (const Condition& condition : blueprint_.nodes[node].conditions) {
    const Truth holds = Holds(condition, at);
    if (holds == Truth::kNo) return Truth::kNo;
    if (holds == Truth::kUnknown) all = Truth::kUnknown;
  }
  return all;
}

ReferenceGraph::Truth ReferenceGraph::Holds(const Condition& condition,
                                            const Point& at) const {
  const Reference& looked_at = condition.value;
  const Points found =
      PointsOf({DimensionsOf(looked_at), looked_at.indices, at});
  if (!found.known) return Truth::kUnknown;
  if (found.points.empty()) return Truth::kNo;
  const Point& element = found.points[0];
  const std::string id = IdOf(looked_at, element);
  std::string hash;
  std::optional<double> number;
  if (looked_at.is_input) {
    const v1::Content* value =
        EffectiveValue(blueprint_.inputs[looked_at.target], id, set_);
    EXPECT_NE(value, nullptr) << id;
    if (value == nullptr) return Truth::kNo;
    hash = ContentHash(*value);
    double parsed = 0;
    if (absl::SimpleAtod(value->inline_().data(), &parsed)) number = parsed;
  } else {
    const Truth made =
        IsActive(blueprint_.outputs[looked_at.target].node, element);
    if (made == Truth::kNo) return made;
    looked_at_.insert(id);
    if (made != Truth::kYes) return made;
    const auto value = decided_.find(id);
    if (value == decided_.end()) return Truth::kUnknown;
    hash = value->second.hash;
    number = value->second.number;
  }
  bool holds = true;
  if (!condition.hashes.empty()) {
    holds = IsAmong(condition.hashes, hash) != condition.negated;
  } else {
    if (condition.at_least.has_value()) {
      holds = holds && number.value() >= *condition.at_least;
    }
    if (condition.at_most.has_value()) {
      holds = holds && number.value() <= *condition.at_most;
    }
  }
  return holds ? Truth::kYes : Truth::kNo;
}

ReferenceGraph::Points ReferenceGraph::PointsOf(const Walk& walk) const {
  Points found;
  AddPoints(walk, 0, {}, &found);
  return found;
}

void ReferenceGraph::AddPoints(const Walk& walk, size_t level, Point at,
                               Points* found) const {
  if (level == walk.dimensions.size()) {
    found->points.push_back(std::move(at));
    return;
  }
  const int dimension = walk.dimensions[level];
  const std::optional<uint32_t> size = SizeOf(dimension, at);
  if (!size.has_value()) {
    found->known = false;
    return;
  }
  int64_t first = 0;
  int64_t last = int64_t{*size} - 1;
  const bool has_index = !walk.indices.empty();
  const auto own = walk.own.find(dimension);
  if (has_index && walk.indices[level].is_constant) {
    first = walk.indices[level].constant;
    last = std::min(last, first);
  } else if (own != walk.own.end()) {
    first = int64_t{own->second} + (has_index ? walk.indices[level].offset : 0);
    last = std::min(last, first);
  }
  if (first < 0) return;
  for (int64_t index = first; index <= last; ++index) {
    at[dimension] = static_cast<uint32_t>(index);
    AddPoints(walk, level + 1, at, found);
  }
}

ReferenceGraph::Points ReferenceGraph::Existing(const Reference& reference,
                                                const Point& own) const {
  Points found = PointsOf({DimensionsOf(reference), reference.indices, own});
  if (reference.is_input) return found;
  const int maker = blueprint_.outputs[reference.target].node;
  std::erase_if(found.points, [this, maker](const Point& at) {
    return IsActive(maker, at) == Truth::kNo;
  });
  return found;
}

bool ReferenceGraph::IsDeferred(int node, const Point& at) const {
  const NodeDeclaration& declared = blueprint_.nodes[node];
  Point own;
  for (int dimension : declared.over) own[dimension] = at.at(dimension);
  const std::string id = NamedAt(declared.name, declared.over, own);
  const auto known = deferred_.find(id);
  if (known != deferred_.end()) return known->second;
  bool deferred = IsActive(node, own) == Truth::kUnknown;
  const std::vector<ReferenceIndex> runs;
  for (int output : declared.outputs) {
    const std::vector<int>& dimensions = blueprint_.outputs[output].dimensions;
    deferred = deferred || !PointsOf({dimensions, runs, own}).known;
  }
  for (const Binding& binding : declared.bindings) {
    deferred = deferred || ReadsDeferred(binding.from, own) ||
               (binding.group >= 0 && !GroupsOf(binding, own).known);
    if (!binding.fallback.has_value()) continue;
    // Only what is read counts, but sizes on the way to it always do.
    const Points from = Existing(binding.from, own);
    deferred = deferred || !Existing(*binding.fallback, own).known ||
               (from.points.empty() && ReadsDeferred(*binding.fallback, own));
  }
  deferred_[id] = deferred;
  return deferred;
}

bool ReferenceGraph::ReadsDeferred(const Reference& reference,
                                   const Point& at) const {
  const Points found = Existing(reference, at);
  if (!found.known) return true;
  if (reference.is_input) return false;
  const int maker = blueprint_.outputs[reference.target].node;
  return std::any_of(found.points.begin(), found.points.end(),
                     [this, maker](const Point& element) {
                       return IsDeferred(maker, element);
                     });
}

ReferenceSlot ReferenceGraph::SlotOf(const Binding& binding,
                                     const Point& own) const {
  ReferenceSlot slot;
  slot.name = binding.name;
  slot.is_list = binding.is_list;
  slot.is_grouped = binding.group >= 0;
  const Reference* read = &binding.from;
  std::vector<Point> elements = Existing(*read, own).points;
  if (elements.empty() && binding.fallback.has_value()) {
    read = &*binding.fallback;
    elements = Existing(*read, own).points;
  }
  std::sort(elements.begin(), elements.end(),
            [&](const Point& left, const Point& right) {
              for (const ListOrder& step : binding.order) {
                const int dimension = DimensionsOf(binding.from)[step.place];
                const uint32_t l = left.at(dimension);
                const uint32_t r = right.at(dimension);
                if (l != r) return step.descending ? l > r : l < r;
              }
              return left < right;
            });
  for (const Point& at : elements) slot.sources.push_back(IdOf(*read, at));
  if (slot.is_grouped) slot.group_sizes = GroupSizes(binding, own, elements);
  return slot;
}

// The points of the dimension of the groups.
ReferenceGraph::Points ReferenceGraph::GroupsOf(const Binding& binding,
                                                const Point& own) const {
  const std::vector<int>& target = DimensionsOf(binding.from);
  std::vector<int> dimensions = blueprint_.dimensions[binding.group].ancestors;
  dimensions.push_back(binding.group);
  std::vector<ReferenceIndex> indices;
  for (int dimension : dimensions) {
    const auto place = std::find(target.begin(), target.end(), dimension);
    indices.push_back(binding.from.indices[place - target.begin()]);
  }
  return PointsOf({dimensions, indices, own});
}

std::vector<uint32_t> ReferenceGraph::GroupSizes(
    const Binding& binding, const Point& own,
    const std::vector<Point>& elements) const {
  std::vector<uint32_t> sizes;
  const auto at_least = [&sizes](uint32_t count) {
    if (sizes.size() < count) sizes.resize(count);
  };
  const DimensionDeclaration& group = blueprint_.dimensions[binding.group];
  const std::vector<int>* sized_over = nullptr;
  if (group.size_input >= 0) {
    sized_over = &blueprint_.inputs[group.size_input].over;
  } else if (group.size_output >= 0) {
    sized_over = &blueprint_.outputs[group.size_output].dimensions;
  }
  if (sized_over == nullptr || sized_over->empty()) {
    at_least(SizeOf(binding.group, {}).value());
  } else if (!RunsThroughAncestors(binding, own)) {
    at_least(static_cast<uint32_t>(GroupsOf(binding, own).points.size()));
  }
  for (const Point& at : elements) {
    at_least(at.at(binding.group) + 1);
    ++sizes[at.at(binding.group)];
  }
  if (!binding.order.empty() && binding.order[0].descending) {
    std::reverse(sizes.begin(), sizes.end());
  }
  return sizes;
}

// Then there are as many groups as there are elements for.
bool ReferenceGraph::RunsThroughAncestors(const Binding& binding,
                                          const Point& own) const {
  const std::vector<int>& dimensions = DimensionsOf(binding.from);
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const std::vector<int>& ancestors =
        blueprint_.dimensions[binding.group].ancestors;
    if (std::count(ancestors.begin(), ancestors.end(), dimensions[i]) > 0 &&
        !binding.from.indices[i].is_constant && !own.contains(dimensions[i])) {
      return true;
    }
  }
  return false;
}

}  // namespace kinora
