// A blueprint expanded for tests: slow, obviously right, and apart from Graph.
// Points are maps, elements are ids, and every answer asks for the next one.

#ifndef KINORA_SERVICES_PLANNER_PLAN_REFERENCE_GRAPH_H_
#define KINORA_SERVICES_PLANNER_PLAN_REFERENCE_GRAPH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/planner/blueprint/blueprint.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/input_values.h"

namespace kinora {

// What a job reads under one name.
struct ReferenceSlot {
  std::string name;
  bool is_list = false;
  bool is_grouped = false;
  std::vector<uint32_t> group_sizes;
  std::vector<std::string> sources;
};

struct ReferenceJob {
  int node = 0;
  std::vector<ReferenceSlot> slots;
  std::vector<std::string> artefacts;
};

// Of a job, also of one that is deferred, as far as it is known.
struct ReferenceOrigin {
  std::vector<std::string> artefacts;
  // Artefacts that it reads, and those that decide about it and about what it
  // reads; some are of no job.
  std::set<std::string> made_from;
};

class ReferenceGraph {
 public:
  // REQUIRES: every input that decides has a value that fits.
  ReferenceGraph(const Blueprint& blueprint, const InputMap& set,
                 const DecidingValues& decided);

  // By id, those that are active and not deferred.
  const std::map<std::string, ReferenceJob>& jobs() const { return jobs_; }

  // By id of the job, those that are not known to be inactive.
  std::map<std::string, ReferenceOrigin> Origins() const;

  // The artefacts that decide about what a name stands for: how much there is
  // of it, if that is not known or the name has no indices, and what of it is
  // active. False in `known` if more may come of that name.
  std::set<std::string> DecidersOf(const std::string& name, bool* known) const;

 private:
  using Point = std::map<int, uint32_t>;  // index by dimension
  enum class Truth : uint8_t { kNo, kYes, kUnknown };

  // Some points, and whether all of them are known.
  struct Points {
    std::vector<Point> points;
    bool known = true;
  };

  // What a reference means for the job at `own`; without `indices` each index
  // is the job's own or runs.
  struct Walk {
    const std::vector<int>& dimensions;
    const std::vector<ReferenceIndex>& indices;
    const Point& own;
  };

  const std::vector<int>& DimensionsOf(const Reference& reference) const;
  std::string IdOf(const Reference& reference, const Point& at) const;
  std::string NamedAt(const std::string& name,
                      const std::vector<int>& dimensions,
                      const Point& at) const;

  // nullopt if it is not known.
  std::optional<uint32_t> SizeOf(int dimension, const Point& at) const;
  Truth IsActive(int node, const Point& at) const;
  Truth Holds(const Condition& condition, const Point& at) const;
  Points PointsOf(const Walk& walk) const;
  void AddPoints(const Walk& walk, size_t level, Point at, Points* found) const;

  // The points of what exists.
  Points Existing(const Reference& reference, const Point& own) const;
  bool IsDeferred(int node, const Point& at) const;
  bool ReadsDeferred(const Reference& reference, const Point& at) const;

  void AddRead(const Reference& reference, const Point& own,
               ReferenceOrigin* job) const;
  ReferenceSlot SlotOf(const Binding& binding, const Point& own) const;
  std::vector<uint32_t> GroupSizes(const Binding& binding, const Point& own,
                                   const std::vector<Point>& elements) const;
  Points GroupsOf(const Binding& binding, const Point& own) const;
  bool RunsThroughAncestors(const Binding& binding, const Point& own) const;

  const Blueprint& blueprint_;
  const InputMap& set_;
  const DecidingValues& decided_;
  mutable std::map<std::string, bool> deferred_;  // by job
  mutable std::set<std::string> looked_at_;  // artefacts that decide, so far
  std::map<std::string, ReferenceJob> jobs_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_REFERENCE_GRAPH_H_
