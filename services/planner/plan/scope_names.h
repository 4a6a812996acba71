// What the ids in the controls of a v1::PlanScope stand for in a graph.

#ifndef KINORA_SERVICES_PLANNER_PLAN_SCOPE_NAMES_H_
#define KINORA_SERVICES_PLANNER_PLAN_SCOPE_NAMES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

#include "services/planner/graph/graph.h"
#include "services/planner/plan/lineage.h"

namespace kinora {

// One id of a control.
struct ScopeName {
  std::string id;  // in full, `Artifact:Image` or `Artifact:Image[segment=0]`
  int output = 0;
  NamedArtefacts artefacts;
  // True for a name without indices whose artefacts hang on other artefacts, or
  // that stands for none: it is to mean the same as the run goes on, with what
  // decides about it.
  bool is_open = false;

  // True if there is nothing it could stand for.
  bool IsIdle() const {
    return artefacts.found.empty() && artefacts.to_come.empty();
  }
};

using ScopeIds = google::protobuf::RepeatedPtrField<std::string>;

// Sorted by id, each once. INVALID_ARGUMENT (INVALID_FIELD) for an id that
// names nothing: what is near, which dimensions the artefact has or how large
// they are. With `may_be_gone` an artefact that the graph has not is left out
// instead.
absl::StatusOr<std::vector<ScopeName>> NamesOf(absl::string_view field,
                                               const ScopeIds& ids,
                                               const Graph& graph,
                                               bool may_be_gone);

// All that the names stand for, each once.
NamedArtefacts Together(const std::vector<ScopeName>& names);

// Appends the ids that mean the same once more is known: an open name stands
// for itself, others for what they name.
void AppendFullIds(const Graph& graph, const std::vector<ScopeName>& names,
                   ScopeIds* full);

// True if the job is the one that would make what is to come, or may be.
bool MayMake(const Graph& graph, Graph::Job job,
             const NamedArtefacts::ToCome& artefact);
// True if one job may make both.
bool MayShareJob(const Graph& graph, const NamedArtefacts::ToCome& a,
                 const NamedArtefacts::ToCome& b);

// `segment has 3 elements, counted from 0`.
std::string CountOf(absl::string_view dimension, uint32_t size,
                    absl::string_view where);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_SCOPE_NAMES_H_
