#include "services/planner/graph/graph.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/graph/element_walk.h"

namespace kinora {
namespace {

// The declaration whose numbers hold `number`.
int Owner(const std::vector<uint32_t>& begin, uint32_t number) {
  return static_cast<int>(std::upper_bound(begin.begin(), begin.end(), number) -
                          begin.begin() - 1);
}

}  // namespace

absl::StatusOr<Graph> Graph::Expand(const Blueprint& blueprint,
                                    GraphShape shape) {
  Graph graph(blueprint, std::move(shape));
  KINORA_RETURN_IF_ERROR(graph.CountAll());
  KINORA_RETURN_IF_ERROR(graph.Link());
  KINORA_RETURN_IF_ERROR(graph.Order());
  graph.Defer();
  return graph;
}

absl::Status Graph::CountAll() {
  uint64_t jobs = 0;
  uint64_t elements = 0;
  auto add = [&](const std::vector<int>& dimensions, absl::string_view what,
                 std::vector<int>* space, uint64_t* total) {
    space->push_back(SpaceOf(dimensions));
    *total += spaces_[space->back()].volume();
    if (*total <= kMaxGraphElements) return absl::OkStatus();
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            "the blueprint expands to more than ", kMaxGraphElements, " ", what,
            " at the sizes of its dimensions")),
        "BLUEPRINT_INVALID");
  };
  for (const InputDeclaration& input : blueprint_->inputs) {
    input_begin_.push_back(static_cast<uint32_t>(elements));
    KINORA_RETURN_IF_ERROR(add(input.over, "inputs", &input_space_, &elements));
  }
  input_begin_.push_back(static_cast<uint32_t>(elements));
  for (const OutputDeclaration& output : blueprint_->outputs) {
    output_begin_.push_back(static_cast<uint32_t>(elements));
    KINORA_RETURN_IF_ERROR(add(output.dimensions, "inputs and artefacts",
                               &output_space_, &elements));
  }
  output_begin_.push_back(static_cast<uint32_t>(elements));
  for (const NodeDeclaration& node : blueprint_->nodes) {
    job_begin_.push_back(static_cast<uint32_t>(jobs));
    KINORA_RETURN_IF_ERROR(add(node.over, "jobs", &node_space_, &jobs));
  }
  job_begin_.push_back(static_cast<uint32_t>(jobs));
  AddGroupSpaces();
  return absl::OkStatus();
}

int Graph::SpaceOf(const std::vector<int>& dimensions) {
  for (size_t i = 0; i < spaces_.size(); ++i) {
    if (spaces_[i].dimensions() == dimensions) return static_cast<int>(i);
  }
  spaces_.emplace_back(*blueprint_, shape_.extents, dimensions);
  return static_cast<int>(spaces_.size()) - 1;
}

void Graph::AppendPoint(const PointSpace& space, uint32_t number,
                        std::string* out) const {
  // Written for every job of a plan, hence without an allocation.
  thread_local std::vector<uint32_t> point;
  space.FillPoint(number, &point);
  for (size_t i = 0; i < point.size(); ++i) {
    char digits[10];
    const char* const end =
        std::to_chars(digits, digits + sizeof(digits), point[i]).ptr;
    out->push_back('[');
    out->append(blueprint_->dimensions[space.dimensions()[i]].name);
    out->push_back('=');
    out->append(digits, static_cast<size_t>(end - digits));
    out->push_back(']');
  }
}

int Graph::NodeOf(Job job) const { return Owner(job_begin_, job); }
int Graph::InputOf(Element input) const { return Owner(input_begin_, input); }
int Graph::OutputOf(Element artefact) const {
  return Owner(output_begin_, artefact);
}

bool Graph::IsActive(int node, Job job) const {
  size_t n = static_cast<size_t>(node);
  return n >= shape_.inactive.size() || shape_.inactive[n].empty() ||
         !shape_.inactive[n][job - job_begin_[node]];
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

std::vector<uint32_t> Graph::JobPoint(int node, Job job) const {
  return NodeSpace(node).Point(job - job_begin_[node]);
}

std::vector<uint32_t> Graph::ElementPoint(Element element) const {
  if (IsInput(element)) {
    int input = InputOf(element);
    return spaces_[input_space_[input]].Point(element - input_begin_[input]);
  }
  int output = OutputOf(element);
  return spaces_[output_space_[output]].Point(element - output_begin_[output]);
}

std::string Graph::JobIdOf(int node, Job job) const {
  std::string id;
  AppendJobId(node, job, &id);
  return id;
}

std::string Graph::ElementIdOf(Element element) const {
  std::string id;
  AppendElementId(element, &id);
  return id;
}

void Graph::AppendJobId(int node, Job job, std::string* out) const {
  out->append(blueprint_->nodes[node].name);
  AppendPoint(NodeSpace(node), job - job_begin_[node], out);
}

void Graph::AppendElementId(Element element, std::string* out) const {
  if (IsInput(element)) {
    int input = InputOf(element);
    absl::StrAppend(out, "Input:", blueprint_->inputs[input].name);
    AppendPoint(spaces_[input_space_[input]], element - input_begin_[input],
                out);
  } else {
    int output = OutputOf(element);
    absl::StrAppend(out, "Artifact:", blueprint_->outputs[output].name);
    AppendPoint(spaces_[output_space_[output]], element - output_begin_[output],
                out);
  }
}

std::optional<Graph::Element> Graph::Find(const ElementId& id) const {
  bool is_input = id.kind == ElementId::Kind::kInput;
  int declaration = is_input ? blueprint_->FindInput(id.name)
                             : blueprint_->FindOutput(id.name);
  if (declaration < 0) return std::nullopt;
  const std::optional<uint32_t> number =
      NumberAt(spaces_[is_input ? input_space_[declaration]
                                : output_space_[declaration]],
               id.indices);
  if (!number.has_value()) return std::nullopt;
  if (is_input) return input_begin_[declaration] + *number;
  const Element artefact = output_begin_[declaration] + *number;
  return Exists(artefact) ? std::make_optional(artefact) : std::nullopt;
}

std::optional<Graph::Element> Graph::FindArtefact(absl::string_view id) const {
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok() || parsed->kind != ElementId::Kind::kArtefact) {
    return std::nullopt;
  }
  return Find(*parsed);
}

bool Graph::IsSwitchedOff(const ElementId& id) const {
  if (id.kind != ElementId::Kind::kArtefact) return false;
  const int output = blueprint_->FindOutput(id.name);
  if (output < 0) return false;
  const std::optional<uint32_t> number =
      NumberAt(spaces_[output_space_[output]], id.indices);
  return number.has_value() && !Exists(output_begin_[output] + *number);
}

std::optional<Graph::Job> Graph::FindJob(const ElementId& id) const {
  const int node = blueprint_->FindNode(id.name);
  if (node < 0) return std::nullopt;
  const std::optional<uint32_t> number = NumberAt(NodeSpace(node), id.indices);
  if (!number.has_value()) return std::nullopt;
  const Job job = job_begin_[node] + *number;
  return IsActive(node, job) ? std::make_optional(job) : std::nullopt;
}

std::optional<uint32_t> Graph::NumberAt(
    const PointSpace& space, const std::vector<DimensionIndex>& indices) const {
  if (space.depth() != indices.size()) return std::nullopt;
  std::vector<uint32_t> point;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i].dimension !=
        blueprint_->dimensions[space.dimensions()[i]].name) {
      return std::nullopt;
    }
    point.push_back(indices[i].index);
  }
  return space.Number(point);
}

std::optional<Graph::Element> Graph::ArtefactAt(
    int output, absl::Span<const uint32_t> point) const {
  std::optional<uint32_t> number = spaces_[output_space_[output]].Number(point);
  if (!number.has_value() || !Exists(output_begin_[output] + *number)) {
    return std::nullopt;
  }
  return output_begin_[output] + *number;
}

}  // namespace kinora
