#include "services/planner/graph/graph.h"

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/planner/graph/render.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() : blueprint_(*ParseBlueprint("", kYaml)) {}

  Graph Expand(uint32_t segments) {
    absl::StatusOr<Graph> graph = Graph::Expand(blueprint_, {segments, 3});
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
  absl::StatusOr<Graph> graph = Graph::Expand(blueprint_, {0, 3});
  EXPECT_THAT(graph, StatusIs(absl::StatusCode::kFailedPrecondition,
                              HasSubstr("nodes.Voice.inputs.first")));
}

TEST_F(GraphTest, TooLargeIsRefusedBeforeItIsBuilt) {
  EXPECT_THAT(Graph::Expand(blueprint_, {kMaxDimensionSize, 1000000}),
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
      Graph::Expand(wide, {20000, 20000}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("node Two")));
}

TEST_F(GraphTest, DrawsBothFormats) {
  Graph graph = Expand(1);
  ASSERT_OK_AND_ASSIGN(std::string dot, DrawGraph(graph, v1::GRAPH_FORMAT_DOT));
  EXPECT_THAT(dot, HasSubstr("digraph \"film\" {"));
  EXPECT_THAT(dot, HasSubstr("[shape=box label=\"Voice[language=2]\"];"));
  EXPECT_THAT(dot, HasSubstr("  i0 -> j3;\n"));
  ASSERT_OK_AND_ASSIGN(std::string mermaid,
                       DrawGraph(graph, v1::GRAPH_FORMAT_MERMAID));
  EXPECT_THAT(mermaid, HasSubstr("flowchart LR\n"));
  EXPECT_THAT(mermaid, HasSubstr("  i0 --> j3\n"));
  EXPECT_THAT(CheckGraphFormat(v1::GRAPH_FORMAT_UNSPECIFIED),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace kinora
