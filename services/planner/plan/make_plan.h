// Making a plan: a pure function from a blueprint, a base manifest, the values
// of inputs and the results in the log to what must run. No I/O, no clock; the
// same inputs give the same plan, byte for byte.
//
// Each job is looked at once, after everything it reads from, unless it is
// known to be clean (hydrated_graph.h). If all it reads is known, so is its
// inputs hash, and a job is
//   clean   if the base manifest has all its artefacts under that hash,
//   reused  if base manifest and log together have them,
//   to run  otherwise.
// What a person put in the place of an artefact since the base revision comes
// before what the base has, as long as the hash is the one it was made for.
// What clean and reused jobs made is known in turn, so a change spreads only as
// far as bytes differ. A job that reads from one that is to run is to run, too:
// its key is not known yet. It *may* run if there is an earlier result that
// could turn out to be right, else it *must*.

#ifndef KINORA_SERVICES_PLANNER_PLAN_MAKE_PLAN_H_
#define KINORA_SERVICES_PLANNER_PLAN_MAKE_PLAN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "common/digest.h"
#include "common/threads/executor.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/graph_shape.h"
#include "services/planner/plan/hydrated_graph.h"
#include "services/planner/plan/input_values.h"
#include "services/planner/plan/result_index.h"

namespace kinora {

// What a plan depends on beside the HydratedGraph.
struct PlanOptions {
  std::string movie_id;
  // How far the log of inputs was read.
  int64_t inputs_through_sequence = 0;
  // Staged values, as CanonicalEdits() returns them; they win over those set.
  // REQUIRES: they leave the sizes of dimensions as they are in the graph.
  std::vector<v1::PendingEdit> edits;
  // Versions as of now; a producer that is left out is as in the base.
  std::vector<v1::ProducerIdentity> producers;
  // The same by node, which wins: versions as an earlier plan has them.
  std::map<std::string, std::string> node_versions;
  const ResultIndex* results = nullptr;  // REQUIRED; outlives the call
  // What the plan is narrowed or widened to.
  v1::PlanScope scope;
  // For an expansion: the run that carries the plan out. What it has made
  // already is not made anew, though the scope asks for it.
  std::string run_id;
  // For deciding artefacts and edited documents that are blobs; null if all
  // are inline. Outlives the call.
  BlobBytes* blob_bytes = nullptr;
  // Threads that may help; null for none. The plan is the same.
  Executor* executor = nullptr;
  // Leave out all but the plan's head and summary: no inputs, nodes and jobs.
  // What that takes goes with the jobs to run, not with their texts.
  bool summary_only = false;
  // The blobs of the base were asked for before: only those that jobs to run
  // read are relied on anew.
  bool base_blobs_known = false;
};

// Everything a plan depends on, without a HydratedGraph. Borrowed, but for the
// small things; MUST outlive the call.
struct PlanInputs : PlanOptions {
  const Blueprint* blueprint = nullptr;  // REQUIRED
  std::string blueprint_hash;            // SHA-256 of its YAML text
  // The current manifest; null before the first revision.
  const v1::Manifest* base = nullptr;
  std::string base_hash;
  // The blueprint of the base, for its defaults; null if it cannot be read,
  // then inputs that the base does not list count as unchanged defaults.
  const Blueprint* base_blueprint = nullptr;
  // Values set, without Input:Blueprint.
  InputMap inputs;
  // Blobs that are named somewhere but gone; a result there is none.
  absl::flat_hash_set<Digest> lost_blobs;
};

// A blob as far as asking for it goes.
struct BlobName {
  Digest hash;
  int64_t size_bytes = 0;

  friend bool operator==(const BlobName&, const BlobName&) = default;
  friend auto operator<=>(const BlobName&, const BlobName&) = default;
};

struct MadePlan {
  v1::Plan plan;
  bool summary_only = false;  // as in PlanOptions
  // Things worth knowing that are no errors, at most 20.
  std::vector<std::string> warnings;
  // The blobs the plan relies on, sorted: of the base, see `base_blobs_known`,
  // of reused and of deciding artefacts, and of inputs that are not staged. If
  // one is lost, plan again with it among the lost ones.
  std::vector<BlobName> relied_on;
  // The deciding artefacts whose values are known: what the plan ought to have
  // been made with.
  std::vector<DecidedArtefact> decided;
};

// A graph depends on the values of deciding artefacts, and those on what
// becomes of their jobs. So a plan is made with the values that the base has,
// and again if it finds that some are others or not known, until it finds what
// it was made with. Where one is not known, what depends on it is deferred.
//
// FAILED_PRECONDITION (INPUT_MISSING) if a job reads an input that has no
// value, or one that does not fit its declaration, or whose blob is lost;
// FAILED_PRECONDITION (BLUEPRINT_INVALID) as Graph::Expand(), or if a producer
// has a version that a node does not take; FAILED_PRECONDITION
// (DECISION_INVALID) if the value of a deciding artefact is known and cannot
// decide; INVALID_ARGUMENT
// for a producer without a name or given twice, and as ResolveScope();
// INVALID_ARGUMENT (SCOPE_CONTRADICTION) if a job in scope reads what the scope
// leaves out and nobody ever made; DATA_LOSS if the base manifest
// holds a malformed hash.
absl::StatusOr<MadePlan> MakePlan(const PlanInputs& inputs);

// A plan on a HydratedGraph of a given shape, which learns which jobs are
// clean: the next one on it looks only at what changed since.
absl::StatusOr<MadePlan> MakePlanOn(const PlanOptions& options,
                                    HydratedGraph* hydrated);

// Plans until a plan fits the shape that it was made for. `plan_with` makes one
// for a shape; `guess` are the values to begin with. Without deciding artefacts
// that is one call. Errors of ShapeOf() and of `plan_with`.
absl::StatusOr<MadePlan> PlanUntilItFits(
    const Blueprint& blueprint, const InputMap& set, DecidingValues guess,
    DecidingReader* reader,
    absl::FunctionRef<absl::StatusOr<MadePlan>(const GraphShape&)> plan_with);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_MAKE_PLAN_H_
