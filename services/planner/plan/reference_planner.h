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
  std::set<std::string> left;  // kept by a pin though they are not clean

  friend bool operator==(const JobSets&, const JobSets&) = default;
};

// Of a scope it knows pins and regenerations without their lineage. What they
// name and nobody makes at these inputs, it passes over.
// REQUIRES: every input that is read has a value that fits.
JobSets ReferenceSets(const PlanInputs& in);

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
