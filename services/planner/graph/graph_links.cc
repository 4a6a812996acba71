// The part of Graph that finds what each job reads and makes.

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/graph/element_walk.h"
#include "services/planner/graph/graph.h"

namespace kinora {
namespace {

absl::Status DoesNotFit(absl::string_view what) {
  return WithReason(absl::FailedPreconditionError(what), "BLUEPRINT_INVALID");
}

absl::Status TooManyEdges(const NodeDeclaration& node) {
  return DoesNotFit(absl::StrCat(
      "node ", node.name, " brings the blueprint to more than ", kMaxGraphEdges,
      " references at the sizes of its dimensions"));
}

}  // namespace

absl::Status Graph::Link() {
  makers_.resize(num_artefacts(), kNobody);
  made_.reserve(num_artefacts());
  made_row_.reserve(size_t{num_jobs()} + 1);
  made_row_.push_back(0);
  // What exists first: a job reads nothing of what does not.
  for (size_t n = 0; n < blueprint_->nodes.size(); ++n) {
    LinkOutputs(static_cast<int>(n));
  }
  row_begin_.push_back(0);
  uint64_t edges = 0;
  for (size_t n = 0; n < blueprint_->nodes.size(); ++n) {
    KINORA_RETURN_IF_ERROR(LinkNode(static_cast<int>(n), &edges));
  }
  return absl::OkStatus();
}

void Graph::LinkOutputs(int node) {
  const NodeDeclaration& declaration = blueprint_->nodes[node];
  std::vector<ElementWalk> walks;
  for (int output : declaration.outputs) {
    walks.emplace_back(spaces_[output_space_[output]], declaration.over,
                       absl::Span<const ReferenceIndex>());
  }
  const PointSpace& space = NodeSpace(node);
  std::vector<uint32_t> point;
  for (Job job = job_begin_[node]; job < job_begin_[node + 1]; ++job) {
    size_t from = made_.size();
    if (IsActive(node, job)) {
      space.FillPoint(job - job_begin_[node], &point);
      for (size_t i = 0; i < walks.size(); ++i) {
        walks[i].Append(output_begin_[declaration.outputs[i]], point, &made_);
      }
    } else {
      ++num_inactive_jobs_;
    }
    for (size_t i = from; i < made_.size(); ++i) {
      makers_[made_[i] - num_inputs()] = job;
    }
    made_row_.push_back(static_cast<uint32_t>(made_.size()));
  }
}

absl::Status Graph::LinkNode(int node, uint64_t* edges) {
  const NodeDeclaration& declaration = blueprint_->nodes[node];
  node_row_.push_back(static_cast<uint32_t>(row_begin_.size() - 1));
  uint64_t jobs = job_begin_[node + 1] - job_begin_[node];
  bool any_active = false;
  for (Job job = job_begin_[node]; job < job_begin_[node + 1]; ++job) {
    any_active = any_active || IsActive(node, job);
  }
  std::vector<ElementWalk> walks;
  std::vector<ElementWalk> fallbacks;  // of bindings without one the binding's
  for (const Binding& binding : declaration.bindings) {
    if (any_active) {
      KINORA_RETURN_IF_ERROR(CheckConstants(declaration, binding));
    }
    walks.emplace_back(TargetSpace(binding.from), declaration.over,
                       binding.from.indices);
    const Reference& fallback =
        binding.fallback.has_value() ? *binding.fallback : binding.from;
    fallbacks.emplace_back(TargetSpace(fallback), declaration.over,
                           fallback.indices);
    // A row costs as much as an edge, also if it is empty.
    *edges += jobs * (walks.back().uniform_count() + 1);
    if (*edges > kMaxGraphEdges) return TooManyEdges(declaration);
  }
  const PointSpace& space = NodeSpace(node);
  std::vector<uint32_t> point;
  for (Job job = job_begin_[node]; job < job_begin_[node + 1]; ++job) {
    bool active = IsActive(node, job);
    if (active) space.FillPoint(job - job_begin_[node], &point);
    for (size_t b = 0; b < walks.size(); ++b) {
      const Binding& binding = declaration.bindings[b];
      size_t from = sources_.size();
      if (active) AppendExisting(walks[b], binding.from, point);
      if (active && sources_.size() == from && binding.fallback.has_value()) {
        AppendExisting(fallbacks[b], *binding.fallback, point);
      }
      if (!binding.order.empty()) Arrange(binding, from);
      row_begin_.push_back(static_cast<uint32_t>(sources_.size()));
    }
    if (sources_.size() + row_begin_.size() > kMaxGraphEdges) {
      return TooManyEdges(declaration);
    }
  }
  return absl::OkStatus();
}

// An index that is the same for all jobs must be there. In a nested dimension,
// which has another size for each, it is outside for some.
absl::Status Graph::CheckConstants(const NodeDeclaration& node,
                                   const Binding& binding) const {
  auto check = [&](const Reference& reference) {
    const std::vector<int>& dimensions = TargetSpace(reference).dimensions();
    for (size_t i = 0; i < dimensions.size(); ++i) {
      const DimensionExtent& extent = shape_.extents[dimensions[i]];
      if (!reference.indices[i].is_constant || extent.HasUnknown() ||
          extent.is_ragged || reference.indices[i].constant < extent.size) {
        continue;
      }
      return DoesNotFit(absl::StrCat(
          "nodes.", node.name, ".inputs.", binding.name, ": index ",
          reference.indices[i].constant, " is beyond dimension ",
          blueprint_->dimensions[dimensions[i]].name, ", whose size is ",
          extent.size));
    }
    return absl::OkStatus();
  };
  return binding.fallback.has_value() ? check(*binding.fallback)
                                      : check(binding.from);
}

// Appends what the job at `point` reads, but for what does not exist.
void Graph::AppendExisting(const ElementWalk& walk, const Reference& reference,
                           absl::Span<const uint32_t> point) {
  size_t from = sources_.size();
  walk.Append(FirstOf(reference), point, &sources_);
  if (reference.is_input || num_inactive_jobs_ == 0) return;
  sources_.erase(std::remove_if(sources_.begin() + from, sources_.end(),
                                [this](Element e) { return !Exists(e); }),
                 sources_.end());
}

// Puts the sources from `from` on into the order of a fan-in.
void Graph::Arrange(const Binding& binding, size_t from) {
  const PointSpace& space = TargetSpace(binding.from);
  Element first = FirstOf(binding.from);
  size_t steps = binding.order.size();
  size_t count = sources_.size() - from;
  std::vector<uint32_t> keys;
  keys.reserve(count * steps);
  std::vector<uint32_t> point;
  for (size_t i = from; i < sources_.size(); ++i) {
    space.FillPoint(sources_[i] - first, &point);
    for (const ListOrder& step : binding.order) {
      uint32_t index = point[step.place];
      keys.push_back(step.descending ? ~index : index);
    }
  }
  std::vector<uint32_t> places(count);
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](uint32_t a, uint32_t b) {
    auto left = keys.begin() + static_cast<ptrdiff_t>(a * steps);
    auto right = keys.begin() + static_cast<ptrdiff_t>(b * steps);
    return std::lexicographical_compare(
        left, left + static_cast<ptrdiff_t>(steps), right,
        right + static_cast<ptrdiff_t>(steps));
  });
  std::vector<Element> arranged;
  arranged.reserve(count);
  for (uint32_t place : places) arranged.push_back(sources_[from + place]);
  std::copy(arranged.begin(), arranged.end(), sources_.begin() + from);
}

}  // namespace kinora
