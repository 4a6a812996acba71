#include "services/planner/plan/job_keys.h"

#include <algorithm>
#include <vector>

namespace kinora {

Digest JobKeys::KeyOfDraw(int node, Graph::Job job, uint32_t draw) {
  const NodeDeclaration& declaration = graph_.blueprint().nodes[node];
  text_.clear();
  graph_.AppendJobId(node, job, &text_);
  hasher_.Start(state_.node_hashes[node], text_, draw);
  AddArtefacts(graph_.Artefacts(node, job));
  for (size_t b = 0; b < declaration.bindings.size(); ++b) {
    const Binding& binding = declaration.bindings[b];
    const absl::Span<const Graph::Element> sources =
        graph_.Sources(node, job, b);
    if (binding.group >= 0) {
      hasher_.AddBinding(binding.name,
                         GroupedShape(graph_.GroupSizes(node, job, b)),
                         sources.size());
    } else {
      hasher_.AddBinding(binding.name, binding.is_list ? kListShape : kOneShape,
                         sources.size());
    }
    for (Graph::Element source : sources) {
      hasher_.AddContent(graph_.IsInput(source)
                             ? state_.InputOf(source)->hash
                             : state_.HashOfArtefact(source));
    }
  }
  return hasher_.Finish();
}

void JobKeys::AddArtefacts(absl::Span<const Graph::Element> artefacts) {
  if (artefacts.size() == 1) {
    text_.clear();
    graph_.AppendElementId(artefacts[0], &text_);
    hasher_.AddArtefact(text_);
    return;
  }
  std::vector<std::string> ids;
  for (Graph::Element artefact : artefacts) {
    ids.push_back(graph_.ElementIdOf(artefact));
  }
  std::sort(ids.begin(), ids.end());
  for (const std::string& id : ids) hasher_.AddArtefact(id);
}

}  // namespace kinora
