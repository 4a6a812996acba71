// Blueprints. Whatever parses expands, at the values of its defaults, to a
// graph that agrees with itself: ids are found again, whoever reads comes after
// whoever makes.

#include <vector>

#include "services/planner/blueprint/blueprint.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/graph_shape.h"
#include "services/planner/plan/input_values.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

// Larger graphs cost time and say no more.
constexpr uint32_t kMaxSize = 40;
constexpr size_t kMaxDepth = 4;

bool IsSmall(const Blueprint& blueprint, const GraphShape& shape) {
  for (const DimensionExtent& extent : shape.extents) {
    if (extent.size > kMaxSize) return false;
    for (uint32_t size : extent.sizes) {
      if (size > kMaxSize) return false;
    }
  }
  for (const OutputDeclaration& output : blueprint.outputs) {
    if (output.dimensions.size() > kMaxDepth) return false;
  }
  for (const InputDeclaration& input : blueprint.inputs) {
    if (input.over.size() > kMaxDepth) return false;
  }
  return true;
}

void CheckGraph(const Graph& graph) {
  for (Graph::Element e = 0; e < graph.num_elements(); e += 1 + e / 64) {
    const auto id = ElementId::Parse(graph.ElementIdOf(e));
    FUZZ_CHECK(id.ok());
    if (graph.Exists(e)) FUZZ_CHECK(graph.Find(*id) == e);
  }
  std::vector<bool> done(graph.num_jobs(), false);
  size_t count = 0;
  for (const Graph::JobRun& run : graph.order()) {
    for (Graph::Job job = run.first; job < run.end; ++job) {
      FUZZ_CHECK(graph.NodeOf(job) == run.node && !done[job]);
      const NodeDeclaration& node = graph.blueprint().nodes[run.node];
      for (size_t b = 0; b < node.bindings.size(); ++b) {
        const auto sources = graph.Sources(run.node, job, b);
        FUZZ_CHECK(node.bindings[b].is_list || sources.size() <= 1);
        for (Graph::Element source : sources) {
          FUZZ_CHECK(graph.Exists(source));
          FUZZ_CHECK(graph.IsInput(source) || done[graph.MakerOf(source)]);
        }
        if (node.bindings[b].group < 0) continue;
        uint64_t grouped = 0;
        for (uint32_t size : graph.GroupSizes(run.node, job, b)) {
          grouped += size;
        }
        FUZZ_CHECK(grouped == sources.size());
      }
      done[job] = true;
      ++count;
    }
  }
  FUZZ_CHECK(count == graph.num_jobs());
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const auto blueprint = ParseBlueprint("f.yaml", FuzzInput(data, size));
  if (!blueprint.ok()) return 0;
  const auto shape = ShapeOf(*blueprint, InputMap());
  if (!shape.ok() || !IsSmall(*blueprint, *shape)) return 0;
  const auto graph = Graph::Expand(*blueprint, *shape);
  if (graph.ok() && graph->num_elements() + graph->num_jobs() < 20000) {
    CheckGraph(*graph);
  }
  return 0;
}
