// A planner for tests that is slow and obviously right: maps of ids, recursion,
// and everything computed anew each time. It shares with the real one only the
// parsed blueprint and the form of keys. Where artefacts decide, it starts from
// scratch with each value that it finds.

#ifndef KINORA_SERVICES_PLANNER_PLAN_REFERENCE_PLANNER_H_
#define KINORA_SERVICES_PLANNER_PLAN_REFERENCE_PLANNER_H_

#include <map>
#include <set>
#include <string>

#include "kinora/v1/plan.pb.h"
#include "services/planner/plan/make_plan.h"

namespace kinora {

// What becomes of each job, by id; without those that are deferred.
struct JobSets {
  std::set<std::string> clean;
  std::set<std::string> reused;
  std::set<std::string> must_run;
  std::set<std::string> may_run;
  // Not clean, but kept by a pin or not asked for.
  std::set<std::string> left;

  friend bool operator==(const JobSets&, const JobSets&) = default;
};

// Of a scope it knows targets, pins and regenerations, with their lineage or
// without. What they name and nobody makes at these inputs, it passes over.
// REQUIRES: every input that is read has a value that fits.
JobSets ReferenceSets(const PlanInputs& in);

// The jobs that the artefacts of those names are made from, also those that
// decide, and their own; without those that are deferred.
struct ReferenceLineage {
  std::set<std::string> jobs;
  // Jobs that are deferred belong to it, or may.
  bool is_open = false;
};
ReferenceLineage LineageOf(
    const PlanInputs& in,
    const google::protobuf::RepeatedPtrField<std::string>& names);

// The job that makes each artefact, by id; without those that are deferred.
std::map<std::string, std::string> ReferenceMakers(const PlanInputs& in);

// True if an artefact is what `name` means: itself, or, of a name without
// indices, all of that name. Both as `Artifact:Image[segment=0]`.
bool IsNamed(const std::string& name, const std::string& artefact_id);

// The sets of a plan; what it does not name of `all` is clean, or left if it is
// so there.
JobSets SetsOf(const v1::Plan& plan, const JobSets& all);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_REFERENCE_PLANNER_H_
