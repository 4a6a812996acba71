// A HydratedGraph is a movie at its current revision, ready to be planned: the
// expanded graph, what the base manifest says of it, the inputs in effect, and
// which jobs are known to be as the base has them. A planner keeps it from plan
// to plan, so that a re-plan looks only at what changed:
//
//   A job is *verified* if its key, computed from the base's artefacts, the
//   inputs in effect and the base's producer versions, is the one under which
//   the base has all it makes. As long as nothing it reads is another, a
//   verified job is clean without a look at it.
//
// What takes away that knowledge is an edit of an input the job reads, or a
// lost blob of what it makes; a plan gives it back when it sees the job clean.
// What a plan alone brings (staged edits, versions of producers, results in the
// log) never changes the HydratedGraph: such a plan looks at the jobs it
// reaches and forgets. So plans are the same whatever was planned before.
//
// Other inputs than values come with a new HydratedGraph: another manifest or
// blueprint, other sizes of dimensions.

#ifndef KINORA_SERVICES_PLANNER_PLAN_HYDRATED_GRAPH_H_
#define KINORA_SERVICES_PLANNER_PLAN_HYDRATED_GRAPH_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"

#include "common/digest.h"
#include "services/planner/graph/graph.h"
#include "services/planner/graph/readers.h"
#include "services/planner/plan/hydrated_base.h"
#include "services/planner/plan/input_table.h"
#include "services/planner/plan/job_set.h"

namespace kinora {

// Producer versions by producer's name.
using ProducerVersions = std::map<std::string, std::string>;

// The part of a node's key that depends on its producer's version.
Digest HashOfNode(const Blueprint& blueprint, int node,
                  const std::string& version);

// Which jobs are verified, and what that was seen with.
struct VerifiedJobs {
  JobSet jobs;
  std::vector<Digest> inputs;  // hash of each input's value, zero for none
  std::vector<Digest> nodes;   // hash of each node
};

// Not thread-safe.
class HydratedGraph {
 public:
  // The blueprint of `graph` and `base_blueprint`, which may be null, MUST
  // outlive it.
  HydratedGraph(std::string blueprint_hash, Graph graph, std::string base_hash,
                HydratedBase base, const Blueprint* base_blueprint);
  HydratedGraph(const HydratedGraph&) = delete;
  HydratedGraph& operator=(const HydratedGraph&) = delete;

  const Graph& graph() const { return graph_; }
  const Blueprint& blueprint() const { return graph_.blueprint(); }
  const std::string& blueprint_hash() const { return blueprint_hash_; }
  const HydratedBase& base() const { return base_; }
  const std::string& base_hash() const { return base_hash_; }
  // Null if it cannot be read.
  const Blueprint* base_blueprint() const { return base_blueprint_; }
  const InputTable& inputs() const { return inputs_; }

  // Errors of InputTable::Set().
  absl::Status SetInput(const std::string& id, const v1::Content& content);
  void ClearInput(const std::string& id);

  // The blobs that are named somewhere but gone, in place of those before.
  void SetLostBlobs(absl::flat_hash_set<Digest> lost);
  const absl::flat_hash_set<Digest>& lost_blobs() const { return lost_; }
  bool IsLost(uint32_t artefact) const {
    return !lost_.empty() && base_.IsBlob(artefact) &&
           lost_.contains(base_.content_hash(artefact));
  }
  bool IsLost(const v1::Content& content) const;

  // The version a node's producer has if nobody says otherwise: that of the
  // base's node, else that of another node with the producer, else empty.
  const std::string& version(int node) const { return versions_[node]; }
  const Digest& node_hash(int node) const { return node_hashes_[node]; }

  const JobSet& verified() const { return verified_; }
  // False only if no job is.
  bool any_verified() const { return any_verified_; }
  void Verify(Graph::Job job) {
    verified_.Add(job);
    any_verified_ = true;
  }

  VerifiedJobs Verified() const;

  // Takes jobs for verified that were so, as far as what they read is the same
  // now. REQUIRES: no job is, and `saved` is of the same graph and base.
  void Restore(const VerifiedJobs& saved);

  // Made when they are first asked for.
  const Readers& readers();

 private:
  void ChooseVersions();
  void Unverify(Graph::Element source);

  const std::string blueprint_hash_;
  const Graph graph_;
  const std::string base_hash_;
  const HydratedBase base_;
  const Blueprint* const base_blueprint_;
  InputTable inputs_;
  std::vector<std::string> versions_;  // by node
  std::vector<Digest> node_hashes_;    // by node
  absl::flat_hash_set<Digest> lost_;
  JobSet verified_;
  bool any_verified_ = false;
  std::unique_ptr<Readers> readers_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_HYDRATED_GRAPH_H_
