#include "services/planner/graph/render.h"

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/graph/svg_drawing.h"

namespace kinora {
namespace {

// Ids and names hold no quotes, so they stand in quotes as they are.
std::string RenderDot(const Drawing& drawing) {
  std::string text =
      absl::StrCat("digraph \"", drawing.title, "\" {\n  rankdir=LR;\n");
  for (const Box& box : drawing.boxes) {
    absl::StrAppend(&text, "  ", box.name,
                    box.is_input ? " [shape=oval " : " [shape=box ",
                    box.is_deferred ? "style=dashed " : "", "label=\"",
                    box.label, "\"];\n");
  }
  for (const Arrow& arrow : drawing.arrows) {
    absl::StrAppend(&text, "  ", drawing.boxes[arrow.from].name, " -> ",
                    drawing.boxes[arrow.to].name);
    if (!arrow.decides.empty()) {
      absl::StrAppend(&text, " [style=dotted label=\"", arrow.decides, "\"]");
    }
    text += ";\n";
  }
  return absl::StrCat(text, "}\n");
}

std::string RenderMermaid(const Drawing& drawing) {
  std::string text = "flowchart LR\n";
  bool any_deferred = false;
  for (const Box& box : drawing.boxes) {
    absl::StrAppend(&text, "  ", box.name, box.is_input ? "([\"" : "[\"",
                    box.label, box.is_input ? "\"])" : "\"]",
                    box.is_deferred ? ":::deferred\n" : "\n");
    any_deferred = any_deferred || box.is_deferred;
  }
  for (const Arrow& arrow : drawing.arrows) {
    absl::StrAppend(&text, "  ", drawing.boxes[arrow.from].name);
    if (arrow.decides.empty()) {
      text += " --> ";
    } else {
      absl::StrAppend(&text, " -.->|\"", arrow.decides, "\"| ");
    }
    absl::StrAppend(&text, drawing.boxes[arrow.to].name, "\n");
  }
  if (any_deferred) text += "  classDef deferred stroke-dasharray: 5 4\n";
  return text;
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

std::string Render(const Drawing& drawing, v1::GraphFormat format) {
  switch (format) {
    case v1::GRAPH_FORMAT_MERMAID:
      return RenderMermaid(drawing);
    case v1::GRAPH_FORMAT_SVG:
      return DrawSvg(drawing);
    default:
      return RenderDot(drawing);
  }
}

}  // namespace kinora
