// The part of MakePlan that warns of leaves that an edit did not reach: one of
// a document's file in the store, which knows no leaves, or one by a program.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/json/json_leaf.h"
#include "common/status.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

constexpr size_t kMaxNamed = 3;

// The leaves of a document that a plan has.
std::vector<Graph::Element> LeavesOf(const Graph& graph,
                                     Graph::Element document) {
  const Blueprint& blueprint = graph.blueprint();
  const int output = graph.OutputOf(document);
  const std::vector<uint32_t> at = graph.ElementPoint(document);
  std::vector<Graph::Element> leaves;
  for (Graph::Element made : graph.Artefacts(blueprint.outputs[output].node,
                                             graph.MakerOf(document))) {
    const OutputDeclaration& leaf = blueprint.outputs[graph.OutputOf(made)];
    if (leaf.leaf_of == output &&
        blueprint.PointOfWhole(leaf, graph.ElementPoint(made)) == at) {
      leaves.push_back(made);
    }
  }
  return leaves;
}

absl::StatusOr<JsonValue> ReadDocument(const PlanState& state,
                                       const std::string& id,
                                       const v1::Content& content) {
  if (!content.has_blob()) {
    return ParseSplitDocument(id, content.inline_().data());
  }
  KINORA_RETURN_IF_ERROR(
      CheckSplitSize(id, content.blob().digest().size_bytes()));
  if (state.in.blob_bytes == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(id, ": is a blob"));
  }
  KINORA_ASSIGN_OR_RETURN(const std::string text,
                          state.in.blob_bytes->Read(content.blob()));
  return ParseSplitDocument(id, text);
}

// The leaves that were not edited since and have another value than stands in
// the document.
absl::StatusOr<std::vector<std::string>> LeavesBehind(
    const PlanState& state, const std::string& id, const HandEdit& edit,
    const std::vector<Graph::Element>& leaves) {
  const std::map<std::string, HandEdit>& edits = state.in.results->HandEdits();
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          ReadDocument(state, id, edit.result.content));
  std::vector<std::string> behind;
  for (Graph::Element element : leaves) {
    const OutputDeclaration& leaf =
        state.graph.blueprint().outputs[state.graph.OutputOf(element)];
    const std::string leaf_id = state.graph.ElementIdOf(element);
    const auto own = edits.find(leaf_id);
    if (own != edits.end() && own->second.sequence > edit.sequence &&
        own->second.inputs_hash == edit.inputs_hash) {
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(
        const std::string bytes,
        BytesOfLeaf(
            document,
            {leaf_id, id, leaf.pointer.At(state.graph.ElementPoint(element)),
             leaf.mime_type}));
    if (Sha256Of(bytes) != state.HashOfArtefact(element)) {
      behind.push_back(leaf_id);
    }
  }
  return behind;
}

// The document of an edit that the plan goes by; nullopt if it is none.
std::optional<Graph::Element> EditedDocument(const PlanState& state,
                                             const std::string& id,
                                             const HandEdit& edit) {
  const std::optional<Graph::Element> element = state.graph.FindArtefact(id);
  if (!element.has_value() ||
      state.OriginOf(*element) != ArtefactOrigin::kLog) {
    return std::nullopt;
  }
  const LoggedResult& taken = state.log_values.find(*element)->second.result;
  if (taken.sequence != edit.result.sequence) return std::nullopt;
  return element;
}

}  // namespace

void WarnOfStaleLeaves(PlanState* state) {
  for (const auto& [id, edit] : state->in.results->HandEdits()) {
    const std::optional<Graph::Element> document =
        EditedDocument(*state, id, edit);
    if (!document.has_value()) continue;
    const std::vector<Graph::Element> leaves =
        LeavesOf(state->graph, *document);
    if (leaves.empty()) continue;
    absl::StatusOr<std::vector<std::string>> behind =
        LeavesBehind(*state, id, edit, leaves);
    if (!behind.ok()) {
      Warn(absl::StrCat(id,
                        " was edited by hand, but its leaves are as before: ",
                        behind.status().message()),
           state);
      continue;
    }
    if (behind->empty()) continue;
    const size_t more = behind->size() - std::min(behind->size(), kMaxNamed);
    behind->resize(behind->size() - more);
    Warn(absl::StrCat(id, " was edited by hand without its leaves: ",
                      absl::StrJoin(*behind, ", "),
                      more == 0 ? "" : absl::StrCat(" and ", more, " more"),
                      " are as before; kinora artefact restore ",
                      state->in.movie_id, " '", id, "' --to ", edit.sequence,
                      " takes them along"),
         state);
  }
}

}  // namespace kinora
