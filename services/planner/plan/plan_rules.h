// What the property tests of plans hold them against: a slow planner that is
// obviously right, and two rules that are: a manifest is what one would get by
// calling every producer anew, and no producer is called twice for the same
// work.

#ifndef KINORA_SERVICES_PLANNER_PLAN_PLAN_RULES_H_
#define KINORA_SERVICES_PLANNER_PLAN_PLAN_RULES_H_

#include <map>
#include <string>
#include <vector>

#include "kinora/v1/plan.pb.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/random_film.h"

namespace kinora {

// Hashes of contents, by artefact.
using ArtefactHashes = std::map<std::string, std::string>;

// The films of a seed. Every other one has lists that decide, half of those
// lists may be empty.
RandomFilm::Options FilmOptionsOf(int seed);

// What every artefact would be if everything were made anew.
ArtefactHashes MadeAnew(const PlanWorld& world);

// What the manifest has.
ArtefactHashes Published(const PlanWorld& world);

// Ids whose value is not the same in both.
std::vector<std::string> Differing(const ArtefactHashes& left,
                                   const ArtefactHashes& right);

// Fails the test unless the plan says of each job what the slow planner does.
void ExpectReferenceSets(const PlanWorld& world, const v1::Plan& plan);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_PLAN_RULES_H_
