#include "services/planner/plan/plan_rules.h"

#include "gtest/gtest.h"

#include "common/content.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/reference_planner.h"

namespace kinora {

RandomFilm::Options FilmOptionsOf(int seed) {
  RandomFilm::Options options;
  options.deciding = seed % 2 == 1;
  options.parts = seed % 4 > 1;
  options.empty_lists = options.deciding && seed % 8 > 3;
  return options;
}

ArtefactHashes MadeAnew(const PlanWorld& world) {
  PlanInputs in = world.Inputs();
  ArtefactLogIndex nothing;
  in.base = nullptr;
  in.results = &nothing;
  absl::StatusOr<MadePlan> made = MakePlan(in);
  EXPECT_OK(made);
  PlanWorld fresh = world;
  fresh.has_manifest = false;
  fresh.manifest.Clear();
  fresh.ForgetResults();
  fresh.failing.clear();
  fresh.Run(made->plan);
  ArtefactHashes hashes;
  for (const auto& [id, artefact] : fresh.manifest.artefacts()) {
    hashes[id] = ContentHash(artefact.content());
  }
  return hashes;
}

ArtefactHashes Published(const PlanWorld& world) {
  ArtefactHashes hashes;
  for (const auto& [id, artefact] : world.manifest.artefacts()) {
    hashes[id] = ContentHash(artefact.content());
  }
  return hashes;
}

std::vector<std::string> Differing(const ArtefactHashes& left,
                                   const ArtefactHashes& right) {
  std::vector<std::string> ids;
  for (const auto& [id, hash] : left) {
    const auto other = right.find(id);
    if (other == right.end() || other->second != hash) ids.push_back(id);
  }
  for (const auto& [id, hash] : right) {
    if (!left.contains(id)) ids.push_back(id);
  }
  return ids;
}

void ExpectReferenceSets(const PlanWorld& world, const v1::Plan& plan) {
  const PlanInputs in = world.Inputs();
  const JobSets want = ReferenceSets(in);
  const JobSets got = SetsOf(plan, want);
  EXPECT_EQ(got.must_run, want.must_run);
  EXPECT_EQ(got.may_run, want.may_run);
  EXPECT_EQ(got.reused, want.reused);
  EXPECT_EQ(got.clean, want.clean);
  EXPECT_EQ(got.left, want.left);
  EXPECT_EQ(plan.summary().clean_jobs(),
            static_cast<int64_t>(want.clean.size()));
  // Of what is known only during the run, nothing is left but what nobody asks
  // for, which the reference does not know of.
  const auto left = static_cast<int64_t>(want.left.size());
  if (world.scope.only().empty()) {
    EXPECT_EQ(plan.summary().left_jobs(), left);
  } else {
    EXPECT_GE(plan.summary().left_jobs(), left);
  }
}

}  // namespace kinora
