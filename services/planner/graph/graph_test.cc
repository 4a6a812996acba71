#include "services/planner/graph/graph.h"

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/planner/graph/render.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kYaml[] = R"(blueprint: film
inputs:
  Story: {type: text, default: ""}
  N: {type: integer, default: 2}
  Prompt: {type: text, over: [segment], default: ""}
dimensions:
  segment: {size: Input:N}
  language: {size: 3}
nodes:
  Film:
    producer: film
    over: [language]
    inputs:
      own: {all: "Audio[segment][language]"}
      all: {all: "Text[segment]"}
    outputs: {Film: video/mp4}
  Script:
    producer: script
    inputs: {story: "Input:Story", prompts: {all: "Input:Prompt[segment]"}}
    outputs: {Title: text/plain, Text: {type: text/plain, over: [segment]}}
  Voice:
    producer: voice
    over: [language]
    inputs: {first: "Text[0]"}
    outputs: {Audio: {type: audio/wav, over: [segment]}}
)";

GraphShape Shape(std::vector<DimensionExtent> extents) {
  GraphShape shape;
  shape.extents = std::move(extents);
  return shape;
}

DimensionExtent Ragged(std::vector<uint32_t> sizes) {
  DimensionExtent extent;
  extent.is_ragged = true;
  extent.sizes = std::move(sizes);
  return extent;
}

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() : blueprint_(*ParseBlueprint("", kYaml)) {}

  Graph Expand(uint32_t segments) {
    absl::StatusOr<Graph> graph =
        Graph::Expand(blueprint_, Shape({segments, 3}));
    EXPECT_OK(graph);
    return *std::move(graph);
  }

  template <typename Elements>
  static std::vector<std::string> Ids(const Graph& graph,
                                      const Elements& elements) {
    std::vector<std::string> ids;
    for (Graph::Element e : elements) ids.push_back(graph.ElementIdOf(e));
    return ids;
  }

  const Blueprint blueprint_;
};

TEST_F(GraphTest, NumbersFollowTheBlueprint) {
  Graph graph = Expand(2);
  EXPECT_EQ(graph.num_inputs(), 4u);
  EXPECT_EQ(graph.num_jobs(), 7u);
  EXPECT_EQ(graph.num_artefacts(), 3u + 1 + 2 + 6);
  EXPECT_EQ(graph.JobIdOf(0, graph.FirstJob(0) + 2), "Film[language=2]");
  EXPECT_EQ(graph.NodeOf(3), 1);
}

// F: S0-7
TEST_F(GraphTest, ReadsInIndexOrder) {
  Graph graph = Expand(2);
  // Bindings are sorted by name: all, own.
  EXPECT_THAT(
      Ids(graph, graph.Sources(0, 1, 0)),
      ElementsAre("Artifact:Text[segment=0]", "Artifact:Text[segment=1]"));
  EXPECT_THAT(Ids(graph, graph.Sources(0, 1, 1)),
              ElementsAre("Artifact:Audio[segment=0][language=1]",
                          "Artifact:Audio[segment=1][language=1]"));
  EXPECT_THAT(
      Ids(graph, graph.Sources(1, 3, 0)),
      ElementsAre("Input:Prompt[segment=0]", "Input:Prompt[segment=1]"));
  EXPECT_THAT(Ids(graph, graph.Sources(2, 4, 0)),
              ElementsAre("Artifact:Text[segment=0]"));
}

TEST_F(GraphTest, MakersAndArtefactsAgree) {
  Graph graph = Expand(2);
  EXPECT_THAT(Ids(graph, graph.Artefacts(1, 3)),
              ElementsAre("Artifact:Title", "Artifact:Text[segment=0]",
                          "Artifact:Text[segment=1]"));
  EXPECT_THAT(Ids(graph, graph.Artefacts(2, 5)),
              ElementsAre("Artifact:Audio[segment=0][language=1]",
                          "Artifact:Audio[segment=1][language=1]"));
  for (size_t node = 0; node < 3; ++node) {
    for (Graph::Job job = graph.FirstJob(node); job < graph.FirstJob(node + 1);
         ++job) {
      for (Graph::Element e : graph.Artefacts(static_cast<int>(node), job)) {
        EXPECT_EQ(graph.MakerOf(e), job);
      }
    }
  }
}

TEST_F(GraphTest, EveryIdIsFoundAgain) {
  Graph graph = Expand(4);
  for (Graph::Element e = 0; e < graph.num_elements(); ++e) {
    ASSERT_OK_AND_ASSIGN(ElementId id, ElementId::Parse(graph.ElementIdOf(e)));
    EXPECT_EQ(graph.Find(id), e);
  }
  for (const char* text :
       {"Artifact:Text[segment=4]", "Artifact:Text", "Artifact:Story",
        "Input:Text[segment=0]", "Artifact:Audio[language=0][segment=0]"}) {
    EXPECT_EQ(graph.Find(*ElementId::Parse(text)), std::nullopt) << text;
  }
}

TEST_F(GraphTest, EmptyDimension) {
  absl::StatusOr<Graph> graph = Graph::Expand(blueprint_, Shape({0, 3}));
  EXPECT_THAT(graph, StatusIs(absl::StatusCode::kFailedPrecondition,
                              HasSubstr("nodes.Voice.inputs.first")));
}

TEST_F(GraphTest, TooLargeIsRefusedBeforeItIsBuilt) {
  EXPECT_THAT(Graph::Expand(blueprint_, Shape({kMaxDimensionSize, 1000000})),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("more than 4000000")));
  // 20,000 readers of 20,000 each: few jobs, many references.
  Blueprint wide = *ParseBlueprint("", R"(blueprint: wide
dimensions: {a: {size: 20000}, b: {size: 20000}}
nodes:
  One: {producer: p, over: [a], outputs: {X: text/plain}}
  Two:
    producer: p
    over: [b]
    inputs: {x: {all: "X[a]"}}
    outputs: {Y: text/plain}
)");
  EXPECT_THAT(
      Graph::Expand(wide, Shape({20000, 20000})),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("node Two")));
}

// Segments with 2, 0 and 3 images; each image in two languages, declared
// between them.
constexpr char kNested[] = R"(blueprint: nested
inputs: {Sizes: {type: integer, over: [segment], default: 1}}
dimensions:
  segment: {size: 3}
  language: {size: 2}
  image: {within: segment, size: "Input:Sizes[segment]"}
nodes:
  Picture:
    producer: p
    over: [segment, language, image]
    outputs: {Image: image/png}
  Clip:
    producer: p
    over: [segment]
    inputs:
      all: {all: "Image[segment][0][image]"}
      before: {all: "Image[segment-1][1][image]"}
      first: "Image[segment][0][0]"
    outputs: {Clip: video/mp4}
  Album:
    producer: p
    inputs:
      back: {all: "Image[segment][1][image]", order: [image, -segment]}
      pages: {all: "Image[segment][0][image]", group: segment}
    outputs: {Album: text/plain}
)";

// F: B-2
TEST_F(GraphTest, NestedDimensionsAreRagged) {
  Blueprint nested = *ParseBlueprint("", kNested);
  ASSERT_OK_AND_ASSIGN(Graph graph,
                       Graph::Expand(nested, Shape({3, 2, Ragged({2, 0, 3})})));
  EXPECT_EQ(graph.num_jobs(), 10u + 3 + 1);
  EXPECT_EQ(graph.ElementIdOf(graph.FirstArtefact(0) + 2),
            "Artifact:Image[segment=0][language=1][image=0]");
  for (Graph::Element e = 0; e < graph.num_elements(); ++e) {
    ASSERT_OK_AND_ASSIGN(ElementId id, ElementId::Parse(graph.ElementIdOf(e)));
    EXPECT_EQ(graph.Find(id), e);
  }
  for (const char* text : {"Artifact:Image[segment=0][language=0][image=2]",
                           "Artifact:Image[segment=1][language=0][image=0]"}) {
    EXPECT_EQ(graph.Find(*ElementId::Parse(text)), std::nullopt) << text;
  }
  Graph::Job clip = graph.FirstJob(1);
  EXPECT_THAT(Ids(graph, graph.Sources(1, clip + 2, 0)),
              ElementsAre("Artifact:Image[segment=2][language=0][image=0]",
                          "Artifact:Image[segment=2][language=0][image=1]",
                          "Artifact:Image[segment=2][language=0][image=2]"));
  EXPECT_THAT(Ids(graph, graph.Sources(1, clip + 1, 1)),
              ElementsAre("Artifact:Image[segment=0][language=1][image=0]",
                          "Artifact:Image[segment=0][language=1][image=1]"));
  EXPECT_TRUE(graph.Sources(1, clip, 1).empty());
  // A constant index that some segments do not have is absent there.
  EXPECT_EQ(graph.Sources(1, clip, 2).size(), 1u);
  EXPECT_TRUE(graph.Sources(1, clip + 1, 2).empty());
}

// F: B-2
TEST_F(GraphTest, FanInsHaveOrdersAndGroups) {
  Blueprint nested = *ParseBlueprint("", kNested);
  ASSERT_OK_AND_ASSIGN(Graph graph,
                       Graph::Expand(nested, Shape({3, 2, Ragged({2, 0, 3})})));
  Graph::Job album = graph.FirstJob(2);
  EXPECT_THAT(Ids(graph, graph.Sources(2, album, 0)),
              ElementsAre("Artifact:Image[segment=2][language=1][image=0]",
                          "Artifact:Image[segment=0][language=1][image=0]",
                          "Artifact:Image[segment=2][language=1][image=1]",
                          "Artifact:Image[segment=0][language=1][image=1]",
                          "Artifact:Image[segment=2][language=1][image=2]"));
  EXPECT_THAT(graph.GroupSizes(2, album, 1), ElementsAre(2, 0, 3));
}

constexpr char kChain[] = R"(blueprint: chain
inputs: {Start: {type: text, default: ""}}
dimensions: {s: {size: 3}}
nodes:
  A:
    producer: p
    over: [s]
    inputs: {b: "B[s-1]"}
    outputs: {A: text/plain}
  B:
    producer: p
    over: [s]
    inputs: {a: "A[s]", next: {from: "A[s+1]", else: Input:Start}}
    outputs: {B: text/plain}
)";

std::vector<std::string> Order(const Graph& graph) {
  std::vector<std::string> ids;
  for (const Graph::JobRun& run : graph.order()) {
    for (Graph::Job job = run.first; job < run.end; ++job) {
      ids.push_back(graph.JobIdOf(run.node, job));
    }
  }
  return ids;
}

// F: B-2
TEST_F(GraphTest, OffsetsOrderJobsNotNodes) {
  std::string yaml = kChain;
  yaml.replace(yaml.find("A[s+1]"), 6, "B[s-2]");
  Blueprint chain = *ParseBlueprint("", yaml);
  ASSERT_OK_AND_ASSIGN(Graph graph, Graph::Expand(chain, Shape({3})));
  EXPECT_THAT(Order(graph), ElementsAre("A[s=0]", "B[s=0]", "A[s=1]", "B[s=1]",
                                        "A[s=2]", "B[s=2]"));
  EXPECT_TRUE(graph.Sources(0, 0, 0).empty());
  EXPECT_THAT(Ids(graph, graph.Sources(1, 3, 1)), ElementsAre("Input:Start"));
  EXPECT_THAT(Ids(graph, graph.Sources(1, 5, 1)),
              ElementsAre("Artifact:B[s=0]"));
}

TEST_F(GraphTest, JobThatWaitsForItselfIsRefusedWithTheWayRound) {
  Blueprint chain = *ParseBlueprint("", kChain);
  EXPECT_THAT(Graph::Expand(chain, Shape({3})),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("line 5: nodes.A: cycle: A[s=1] -> B[s=0] -> "
                                 "A[s=1]")));
  // With one index there is nothing after the first.
  EXPECT_OK(Graph::Expand(chain, Shape({1})));
}

// F: B-2
TEST_F(GraphTest, InactiveJobsMakeNothingAndNobodyReadsThem) {
  GraphShape shape = Shape({2, 3});
  shape.inactive = {{}, {}, {false, true, false}};
  ASSERT_OK_AND_ASSIGN(Graph graph, Graph::Expand(blueprint_, shape));
  EXPECT_EQ(graph.num_inactive_jobs(), 1u);
  EXPECT_TRUE(graph.Artefacts(2, graph.FirstJob(2) + 1).empty());
  EXPECT_TRUE(graph.Sources(2, graph.FirstJob(2) + 1, 0).empty());
  EXPECT_TRUE(graph.Sources(0, 1, 1).empty());
  EXPECT_EQ(graph.Sources(0, 0, 1).size(), 2u);
  ElementId gone = *ElementId::Parse("Artifact:Audio[segment=0][language=1]");
  EXPECT_EQ(graph.Find(gone), std::nullopt);
  ASSERT_OK_AND_ASSIGN(const Drawing drawing, Draw(graph, 0));
  EXPECT_THAT(Render(drawing, v1::GRAPH_FORMAT_DOT),
              Not(HasSubstr("Voice[language=1]")));
  ASSERT_OK_AND_ASSIGN(const Drawing folded, Draw(graph, 1));
  EXPECT_THAT(Render(folded, v1::GRAPH_FORMAT_DOT),
              HasSubstr("label=\"Voice x2\""));
}

TEST_F(GraphTest, LargeGraphsAreFoldedByNode) {
  Graph graph = Expand(50);
  ASSERT_OK_AND_ASSIGN(const Drawing folded, Draw(graph, 20));
  EXPECT_TRUE(folded.folded);
  EXPECT_LE(folded.boxes.size() + folded.arrows.size(), 20u);
  EXPECT_THAT(Render(folded, v1::GRAPH_FORMAT_DOT), HasSubstr(" x50\""));
  ASSERT_OK_AND_ASSIGN(const Drawing whole, Draw(graph, -1));
  EXPECT_FALSE(whole.folded);
  EXPECT_GT(whole.boxes.size(), 50u);
}

TEST_F(GraphTest, DrawsAllFormats) {
  Graph graph = Expand(1);
  ASSERT_OK_AND_ASSIGN(const Drawing drawing, Draw(graph, 0));
  EXPECT_FALSE(drawing.folded);
  const std::string dot = Render(drawing, v1::GRAPH_FORMAT_DOT);
  EXPECT_THAT(dot, HasSubstr("digraph \"film\" {"));
  EXPECT_THAT(dot, HasSubstr("[shape=box label=\"Voice[language=2]\"];"));
  EXPECT_THAT(dot, HasSubstr("  i0 -> j3;\n"));
  const std::string mermaid = Render(drawing, v1::GRAPH_FORMAT_MERMAID);
  EXPECT_THAT(mermaid, HasSubstr("flowchart LR\n"));
  EXPECT_THAT(mermaid, HasSubstr("  i0 --> j3\n"));
  const std::string svg = Render(drawing, v1::GRAPH_FORMAT_SVG);
  EXPECT_THAT(svg, HasSubstr("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  // The script stands right of its inputs, the voices right of the script.
  EXPECT_THAT(svg, HasSubstr("<rect x=\"16\" y=\"16\""));
  EXPECT_THAT(svg, HasSubstr(">Voice[language=2]</text>"));
  EXPECT_EQ(svg, Render(*Draw(graph, 0), v1::GRAPH_FORMAT_SVG));
  EXPECT_THAT(CheckGraphFormat(v1::GRAPH_FORMAT_UNSPECIFIED),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace kinora
