#include "services/planner/graph/render.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/graph/svg_drawing.h"

namespace kinora {
namespace {

constexpr size_t kMaxArrows = 5000;
constexpr size_t kMaxBoxes = 5000;

// Boxes are named by letter and number, as ids hold brackets, which neither
// format takes in a name: i3 is an input, j3 a job.
std::string InputName(Graph::Element e) { return absl::StrCat("i", e); }
std::string JobName(Graph::Job job) { return absl::StrCat("j", job); }

struct Drawing {
  std::set<Graph::Element> inputs;  // those that somebody reads
  std::set<std::pair<std::string, std::string>> arrows;
};

absl::Status TooLarge(size_t most, absl::string_view what) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat("the graph has more than ",
                                                 most, " ", what, " to draw")),
      "LIMIT_EXCEEDED");
}

absl::StatusOr<Drawing> Collect(const Graph& graph) {
  Drawing drawing;
  if (graph.num_jobs() - graph.num_inactive_jobs() > kMaxBoxes) {
    return TooLarge(kMaxBoxes, "jobs");
  }
  for (size_t n = 0; n < graph.blueprint().nodes.size(); ++n) {
    int node = static_cast<int>(n);
    for (Graph::Job job = graph.FirstJob(n); job < graph.FirstJob(n + 1);
         ++job) {
      for (size_t b = 0; b < graph.blueprint().nodes[n].bindings.size(); ++b) {
        for (Graph::Element source : graph.Sources(node, job, b)) {
          std::string from;
          if (graph.IsInput(source)) {
            drawing.inputs.insert(source);
            from = InputName(source);
          } else {
            from = JobName(graph.MakerOf(source));
          }
          drawing.arrows.emplace(std::move(from), JobName(job));
        }
      }
      if (drawing.arrows.size() > kMaxArrows) {
        return TooLarge(kMaxArrows, "arrows");
      }
    }
  }
  return drawing;
}

std::string DrawAsSvg(const Graph& graph, const Drawing& drawing) {
  std::vector<SvgBox> boxes;
  std::map<std::string, size_t> box_by_name;
  for (Graph::Element input : drawing.inputs) {
    box_by_name[InputName(input)] = boxes.size();
    boxes.push_back({graph.ElementIdOf(input), true});
  }
  for (Graph::Job job = 0; job < graph.num_jobs(); ++job) {
    int node = graph.NodeOf(job);
    if (!graph.IsActive(node, job)) continue;
    box_by_name[JobName(job)] = boxes.size();
    boxes.push_back({graph.JobIdOf(node, job), false});
  }
  std::vector<std::pair<size_t, size_t>> arrows;
  for (const auto& [from, to] : drawing.arrows) {
    arrows.emplace_back(box_by_name[from], box_by_name[to]);
  }
  return DrawSvg(boxes, arrows);
}

}  // namespace

absl::Status CheckGraphFormat(v1::GraphFormat format) {
  switch (format) {
    case v1::GRAPH_FORMAT_DOT:
    case v1::GRAPH_FORMAT_MERMAID:
    case v1::GRAPH_FORMAT_SVG:
      return absl::OkStatus();
    default:
      return InvalidField("format", absl::StrCat(format),
                          "must be DOT, MERMAID or SVG");
  }
}

absl::StatusOr<std::string> DrawGraph(const Graph& graph,
                                      v1::GraphFormat format) {
  KINORA_ASSIGN_OR_RETURN(Drawing drawing, Collect(graph));
  if (format == v1::GRAPH_FORMAT_SVG) return DrawAsSvg(graph, drawing);
  bool dot = format == v1::GRAPH_FORMAT_DOT;
  std::string text = dot ? absl::StrCat("digraph \"", graph.blueprint().name,
                                        "\" {\n  rankdir=LR;\n")
                         : "flowchart LR\n";
  // Ids hold no quotes, so they stand in quotes as they are.
  for (Graph::Element input : drawing.inputs) {
    absl::StrAppend(&text, "  ", InputName(input),
                    dot ? " [shape=oval label=\"" : "([\"",
                    graph.ElementIdOf(input), dot ? "\"];\n" : "\"])\n");
  }
  for (Graph::Job job = 0; job < graph.num_jobs(); ++job) {
    int node = graph.NodeOf(job);
    if (!graph.IsActive(node, job)) continue;
    absl::StrAppend(&text, "  ", JobName(job),
                    dot ? " [shape=box label=\"" : "[\"",
                    graph.JobIdOf(node, job), dot ? "\"];\n" : "\"]\n");
  }
  for (const auto& [from, to] : drawing.arrows) {
    absl::StrAppend(&text, "  ", from, dot ? " -> " : " --> ", to,
                    dot ? ";\n" : "\n");
  }
  if (dot) text += "}\n";
  return text;
}

}  // namespace kinora
