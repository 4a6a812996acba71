// Drawings of graphs in which values decide what jobs there are.

#include "services/planner/graph/drawing.h"

#include <string>

#include "common/testing/status_matchers.h"
#include "services/planner/graph/render.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDecided[] = R"(blueprint: decided
inputs:
  Count: {type: integer, default: 2}
  Bright: {type: boolean, over: [page], default: true}
dimensions:
  segment: {size: Scenes}
  page: {size: Input:Count}
nodes:
  Script: {producer: p, outputs: {Scenes: application/json, Mood: application/json}}
  Shot: {producer: p, over: [segment], inputs: {scenes: Scenes}, outputs: {Shot: image/png}}
  Page: {producer: p, over: [page], when: "Input:Bright[page]", outputs: {Page: text/plain}}
  Music: {producer: p, when: {value: Mood, is: calm}, outputs: {Music: audio/wav}}
  Film: {producer: p, inputs: {shots: {all: "Shot[segment]"}, music: Music}, outputs: {Film: video/mp4}}
)";

// As before the script is made, and after it.
class DecidedGraphTest : public ::testing::Test {
 protected:
  DecidedGraphTest() : blueprint_(*ParseBlueprint("", kDecided)) {
    after_.extents = {2, 2};
    before_.extents = {0, 2};
    before_.extents[0].is_unknown = true;
    before_.undecided = {{}, {}, {}, {true}};
    before_.unknown = {"Artifact:Mood", "Artifact:Scenes"};
  }

  std::string Drawn(const GraphShape& shape, int fold_above,
                    v1::GraphFormat format = v1::GRAPH_FORMAT_DOT) {
    const absl::StatusOr<Graph> graph = Graph::Expand(blueprint_, shape);
    EXPECT_OK(graph);
    return Render(*Draw(*graph, fold_above), format);
  }

  const Blueprint blueprint_;
  GraphShape before_;
  GraphShape after_;
};

TEST_F(DecidedGraphTest, DeferredNodesSayWhatTheyWaitFor) {
  const std::string dot = Drawn(before_, 0);
  EXPECT_THAT(dot, HasSubstr("  d1 [shape=box style=dashed "
                             "label=\"Shot: waits for Scenes\"];\n"));
  EXPECT_THAT(dot, HasSubstr("label=\"Music: waits for Mood\""));
  EXPECT_THAT(dot, HasSubstr("label=\"Film: waits for Scenes\""));
  EXPECT_THAT(dot, HasSubstr("  j0 -> d1;\n  j0 -> d1 [style=dotted "
                             "label=\"sizes segment\"];\n"));
  EXPECT_THAT(dot, HasSubstr("  j0 -> d3 [style=dotted label=\"if\"];\n"));
  EXPECT_THAT(dot, HasSubstr("  d1 -> d4;\n"));
  EXPECT_THAT(dot, Not(HasSubstr("j3")));  // the music, which is deferred
  const std::string mermaid = Drawn(before_, 0, v1::GRAPH_FORMAT_MERMAID);
  EXPECT_THAT(mermaid,
              HasSubstr("  d1[\"Shot: waits for Scenes\"]:::deferred\n"));
  EXPECT_THAT(mermaid, HasSubstr("  j0 -.->|\"sizes segment\"| d1\n"));
  EXPECT_THAT(mermaid, HasSubstr("classDef deferred stroke-dasharray"));
  const std::string svg = Drawn(before_, 0, v1::GRAPH_FORMAT_SVG);
  EXPECT_THAT(svg, HasSubstr(" stroke-dasharray=\"5 4\"/><text"));
  EXPECT_THAT(svg, HasSubstr(">sizes segment</text>"));
}

TEST_F(DecidedGraphTest, WhatDecidesLeadsToWhatItDecidesAbout) {
  const std::string dot = Drawn(after_, 0);
  EXPECT_THAT(dot, HasSubstr("j0 -> j2 [style=dotted label=\"sizes segment\""));
  EXPECT_THAT(dot, HasSubstr("j0 -> j5 [style=dotted label=\"if\""));
  EXPECT_THAT(dot, HasSubstr("i0 -> j3 [style=dotted label=\"sizes page\""));
  // Each page has a condition of its own.
  EXPECT_THAT(dot, HasSubstr("i2 -> j4 [style=dotted label=\"if\""));
  EXPECT_THAT(dot, Not(HasSubstr("i1 -> j4")));
  EXPECT_THAT(dot, Not(HasSubstr("dashed")));
  EXPECT_THAT(Drawn(after_, 0, v1::GRAPH_FORMAT_MERMAID),
              Not(HasSubstr("classDef")));
}

TEST_F(DecidedGraphTest, FoldedDrawingsShowThemToo) {
  const std::string dot = Drawn(before_, 1);
  EXPECT_THAT(dot, HasSubstr("label=\"Shot: waits for Scenes\""));
  EXPECT_THAT(dot, HasSubstr("n0 -> d1 [style=dotted label=\"sizes segment\""));
  EXPECT_THAT(dot, HasSubstr("i0 -> n2 [style=dotted label=\"sizes page\""));
  EXPECT_THAT(dot, HasSubstr("i1 -> n2 [style=dotted label=\"if\""));
  EXPECT_THAT(dot, HasSubstr("label=\"Page x2\""));
}

TEST_F(DecidedGraphTest, AllThatIsDrawnCountsForTheLimit) {
  ASSERT_OK_AND_ASSIGN(const Graph graph, Graph::Expand(blueprint_, before_));
  ASSERT_OK_AND_ASSIGN(const Drawing whole, Draw(graph, -1));
  const int parts = static_cast<int>(whole.boxes.size() + whole.arrows.size());
  EXPECT_FALSE(Draw(graph, parts)->folded);
  EXPECT_TRUE(Draw(graph, parts - 1)->folded);
}

}  // namespace
}  // namespace kinora
