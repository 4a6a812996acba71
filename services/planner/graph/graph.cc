#include "services/planner/graph/graph.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {

// How a binding finds its sources: first element + fixed + the job's
// coordinates times their strides, then a run through the ranges.
struct BindingShape {
  struct Bound {
    size_t coordinate;  // position among the node's dimensions
    uint32_t stride;
  };
  struct Range {
    uint32_t size;
    uint32_t stride;
  };

  uint32_t first = 0;
  std::vector<Bound> bound;
  std::vector<Range> ranges;
  uint64_t count = 1;  // sources per job
};

namespace {

absl::Status DoesNotFit(absl::string_view what) {
  return WithReason(absl::FailedPreconditionError(what), "BLUEPRINT_INVALID");
}

// The declaration whose numbers hold `number`.
int Owner(const std::vector<uint32_t>& begin, uint32_t number) {
  return static_cast<int>(std::upper_bound(begin.begin(), begin.end(), number) -
                          begin.begin() - 1);
}

void AppendSources(const BindingShape& shape,
                   const std::vector<uint32_t>& point,
                   std::vector<uint32_t>* out) {
  uint32_t base = shape.first;
  for (const BindingShape::Bound& bound : shape.bound) {
    base += point[bound.coordinate] * bound.stride;
  }
  for (uint64_t i = 0; i < shape.count; ++i) {
    uint64_t rest = i;
    uint32_t element = base;
    for (size_t r = shape.ranges.size(); r-- > 0;) {
      element += static_cast<uint32_t>(rest % shape.ranges[r].size) *
                 shape.ranges[r].stride;
      rest /= shape.ranges[r].size;
    }
    out->push_back(element);
  }
}

}  // namespace

absl::StatusOr<Graph> Graph::Expand(const Blueprint& blueprint,
                                    std::vector<uint32_t> sizes) {
  Graph graph(blueprint);
  graph.sizes_ = std::move(sizes);
  KINORA_RETURN_IF_ERROR(graph.CountAll());
  KINORA_RETURN_IF_ERROR(graph.Link());
  return graph;
}

absl::Status Graph::CountAll() {
  uint64_t jobs = 0;
  uint64_t elements = 0;
  auto add = [&](const std::vector<int>& dimensions, absl::string_view what,
                 uint64_t* total) {
    *total += Volume(dimensions);
    if (*total <= kMaxGraphElements) return absl::OkStatus();
    return DoesNotFit(absl::StrCat("the blueprint expands to more than ",
                                   kMaxGraphElements, " ", what,
                                   " at the sizes of its dimensions"));
  };
  for (const InputDeclaration& input : blueprint_->inputs) {
    input_begin_.push_back(static_cast<uint32_t>(elements));
    KINORA_RETURN_IF_ERROR(add(input.over, "inputs", &elements));
  }
  input_begin_.push_back(static_cast<uint32_t>(elements));
  for (const OutputDeclaration& output : blueprint_->outputs) {
    output_begin_.push_back(static_cast<uint32_t>(elements));
    KINORA_RETURN_IF_ERROR(
        add(output.dimensions, "inputs and artefacts", &elements));
  }
  output_begin_.push_back(static_cast<uint32_t>(elements));
  for (const NodeDeclaration& node : blueprint_->nodes) {
    job_begin_.push_back(static_cast<uint32_t>(jobs));
    KINORA_RETURN_IF_ERROR(add(node.over, "jobs", &jobs));
  }
  job_begin_.push_back(static_cast<uint32_t>(jobs));
  return absl::OkStatus();
}

absl::Status Graph::Link() {
  makers_.resize(num_artefacts());
  made_.reserve(num_artefacts());
  row_begin_.push_back(0);
  uint64_t edges = 0;
  for (size_t n = 0; n < blueprint_->nodes.size(); ++n) {
    const NodeDeclaration& node = blueprint_->nodes[n];
    node_row_.push_back(static_cast<uint32_t>(row_begin_.size() - 1));
    uint32_t jobs = job_begin_[n + 1] - job_begin_[n];
    std::vector<BindingShape> shapes(node.bindings.size());
    for (size_t b = 0; b < shapes.size() && jobs > 0; ++b) {
      KINORA_RETURN_IF_ERROR(LinkBinding(node, node.bindings[b], &shapes[b]));
      // A row costs as much as an edge, also if it is empty.
      edges += jobs * (shapes[b].count + 1);
      if (edges > kMaxGraphEdges) {
        return DoesNotFit(absl::StrCat(
            "node ", node.name, " brings the blueprint to more than ",
            kMaxGraphEdges, " references at the sizes of its dimensions"));
      }
    }
    for (uint32_t local = 0; local < jobs; ++local) {
      std::vector<uint32_t> point = Point(node.over, local);
      for (const BindingShape& shape : shapes) {
        AppendSources(shape, point, &sources_);
        row_begin_.push_back(static_cast<uint32_t>(sources_.size()));
      }
    }
    LinkOutputs(static_cast<int>(n));
  }
  return absl::OkStatus();
}

absl::Status Graph::LinkBinding(const NodeDeclaration& node,
                                const Binding& binding,
                                BindingShape* shape) const {
  const std::vector<int>& dimensions =
      binding.is_input ? blueprint_->inputs[binding.target].over
                       : blueprint_->outputs[binding.target].dimensions;
  shape->first = binding.is_input ? input_begin_[binding.target]
                                  : output_begin_[binding.target];
  std::vector<uint32_t> strides(dimensions.size());
  uint32_t stride = 1;
  for (size_t i = dimensions.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= sizes_[dimensions[i]];
  }
  for (size_t i = 0; i < dimensions.size(); ++i) {
    uint32_t size = sizes_[dimensions[i]];
    if (binding.indices[i].is_constant) {
      if (binding.indices[i].constant >= size) {
        return DoesNotFit(absl::StrCat(
            "nodes.", node.name, ".inputs.", binding.name, ": index ",
            binding.indices[i].constant, " is beyond dimension ",
            blueprint_->dimensions[dimensions[i]].name, ", whose size is ",
            size));
      }
      shape->first += binding.indices[i].constant * strides[i];
      continue;
    }
    auto own = std::find(node.over.begin(), node.over.end(), dimensions[i]);
    if (own != node.over.end()) {
      size_t coordinate = static_cast<size_t>(own - node.over.begin());
      shape->bound.push_back({coordinate, strides[i]});
    } else {
      shape->ranges.push_back({size, strides[i]});
      shape->count *= size;
    }
  }
  return absl::OkStatus();
}

void Graph::LinkOutputs(int node_id) {
  const NodeDeclaration& node = blueprint_->nodes[node_id];
  std::vector<BindingShape> shapes;
  uint64_t count = 0;
  for (int output : node.outputs) {
    BindingShape shape;
    shape.first = output_begin_[output];
    const std::vector<int>& dimensions = blueprint_->outputs[output].dimensions;
    uint32_t stride = 1;
    for (size_t i = dimensions.size(); i-- > 0;) {
      auto own = std::find(node.over.begin(), node.over.end(), dimensions[i]);
      if (own != node.over.end()) {
        size_t coordinate = static_cast<size_t>(own - node.over.begin());
        shape.bound.push_back({coordinate, stride});
      } else {
        shape.ranges.insert(shape.ranges.begin(),
                            {sizes_[dimensions[i]], stride});
        shape.count *= sizes_[dimensions[i]];
      }
      stride *= sizes_[dimensions[i]];
    }
    count += shape.count;
    shapes.push_back(std::move(shape));
  }
  made_begin_.push_back(static_cast<uint32_t>(made_.size()));
  made_count_.push_back(static_cast<uint32_t>(count));
  uint32_t jobs = job_begin_[node_id + 1] - job_begin_[node_id];
  for (uint32_t local = 0; local < jobs; ++local) {
    std::vector<uint32_t> point = Point(node.over, local);
    size_t from = made_.size();
    for (const BindingShape& shape : shapes) {
      AppendSources(shape, point, &made_);
    }
    for (size_t i = from; i < made_.size(); ++i) {
      makers_[made_[i] - num_inputs()] = job_begin_[node_id] + local;
    }
  }
}

uint64_t Graph::Volume(const std::vector<int>& dimensions) const {
  uint64_t volume = 1;
  for (int dimension : dimensions) {
    // Sizes are below 2^20, so saturating here keeps products in range.
    volume = std::min(volume * sizes_[dimension], kMaxGraphElements + 1);
  }
  return volume;
}

std::vector<uint32_t> Graph::Point(const std::vector<int>& dimensions,
                                   uint32_t number) const {
  std::vector<uint32_t> point(dimensions.size());
  for (size_t i = dimensions.size(); i-- > 0;) {
    point[i] = number % sizes_[dimensions[i]];
    number /= sizes_[dimensions[i]];
  }
  return point;
}

void Graph::AppendPoint(const std::vector<int>& dimensions, uint32_t number,
                        std::string* out) const {
  std::vector<uint32_t> point = Point(dimensions, number);
  for (size_t i = 0; i < dimensions.size(); ++i) {
    absl::StrAppend(out, "[", blueprint_->dimensions[dimensions[i]].name, "=",
                    point[i], "]");
  }
}

int Graph::NodeOf(Job job) const { return Owner(job_begin_, job); }
int Graph::InputOf(Element input) const { return Owner(input_begin_, input); }
int Graph::OutputOf(Element artefact) const {
  return Owner(output_begin_, artefact);
}

absl::Span<const Graph::Element> Graph::Sources(int node, Job job,
                                                size_t binding) const {
  size_t row =
      node_row_[node] +
      size_t{job - job_begin_[node]} * blueprint_->nodes[node].bindings.size() +
      binding;
  return absl::MakeConstSpan(sources_).subspan(
      row_begin_[row], row_begin_[row + 1] - row_begin_[row]);
}

absl::Span<const Graph::Element> Graph::Artefacts(int node, Job job) const {
  size_t begin =
      made_begin_[node] + size_t{job - job_begin_[node]} * made_count_[node];
  return absl::MakeConstSpan(made_).subspan(begin, made_count_[node]);
}

std::vector<uint32_t> Graph::JobPoint(int node, Job job) const {
  return Point(blueprint_->nodes[node].over, job - job_begin_[node]);
}

std::vector<uint32_t> Graph::ElementPoint(Element element) const {
  if (IsInput(element)) {
    int input = InputOf(element);
    return Point(blueprint_->inputs[input].over, element - input_begin_[input]);
  }
  int output = OutputOf(element);
  return Point(blueprint_->outputs[output].dimensions,
               element - output_begin_[output]);
}

std::string Graph::JobIdOf(int node, Job job) const {
  const NodeDeclaration& declaration = blueprint_->nodes[node];
  std::string id = declaration.name;
  AppendPoint(declaration.over, job - job_begin_[node], &id);
  return id;
}

std::string Graph::ElementIdOf(Element element) const {
  std::string id;
  if (IsInput(element)) {
    int input = InputOf(element);
    const InputDeclaration& declaration = blueprint_->inputs[input];
    id = absl::StrCat("Input:", declaration.name);
    AppendPoint(declaration.over, element - input_begin_[input], &id);
  } else {
    int output = OutputOf(element);
    const OutputDeclaration& declaration = blueprint_->outputs[output];
    id = absl::StrCat("Artifact:", declaration.name);
    AppendPoint(declaration.dimensions, element - output_begin_[output], &id);
  }
  return id;
}

std::optional<Graph::Element> Graph::Find(const ElementId& id) const {
  bool is_input = id.kind == ElementId::Kind::kInput;
  int declaration = is_input ? blueprint_->FindInput(id.name)
                             : blueprint_->FindOutput(id.name);
  if (declaration < 0) return std::nullopt;
  const std::vector<int>& dimensions =
      is_input ? blueprint_->inputs[declaration].over
               : blueprint_->outputs[declaration].dimensions;
  if (dimensions.size() != id.indices.size()) return std::nullopt;
  uint32_t number = 0;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const DimensionIndex& index = id.indices[i];
    if (index.dimension != blueprint_->dimensions[dimensions[i]].name ||
        index.index >= sizes_[dimensions[i]]) {
      return std::nullopt;
    }
    number = number * sizes_[dimensions[i]] + index.index;
  }
  return number +
         (is_input ? input_begin_[declaration] : output_begin_[declaration]);
}

}  // namespace kinora
