// Random blueprints of which only a part is run, some is kept and some made
// anew: each plan is right by plan_rules.h, and does what its scope says.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/plan_rules.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/random_film.h"
#include "services/planner/plan/reference_planner.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;

class ScopePropertyTest : public ::testing::TestWithParam<int> {};

// A refusal names a control of the scope; and what is known, has a value and is
// asked for once is not refused.
void ExpectRefusedForCause(const PlanWorld& world, const absl::Status& status) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("scope."));
  // Targets that are not there decide about nothing.
  PlanInputs in = world.Inputs();
  in.scope.clear_only();
  const std::map<std::string, std::string> makers = ReferenceMakers(in);
  const ArtefactHashes published = Published(world);
  for (const std::string& name : world.scope.only()) {
    if (!makers.contains(name) || !world.scope.pin().empty()) return;
  }
  std::set<std::string> kept;
  std::set<std::string> made;
  for (const std::string& name : world.scope.pin()) {
    if (!makers.contains(name)) return;
    kept.insert(makers.at(name));
  }
  for (const std::string& name : world.scope.regenerate()) {
    if (!makers.contains(name)) return;
    made.insert(makers.at(name));
  }
  if (world.scope.with_lineage()) {
    ReferenceLineage lineage = LineageOf(in, world.scope.regenerate());
    // What may turn out to belong to it is refused if it is reused or kept.
    if (lineage.is_open) return;
    made.merge(lineage.jobs);
  }
  for (const auto& [artefact, job] : makers) {
    if (!kept.contains(job)) continue;
    if (made.contains(job) || !published.contains(artefact)) return;
  }
  ADD_FAILURE() << "nothing is wrong with " << world.scope.ShortDebugString()
                << ", but it is refused: " << status;
}

// What the artefacts to be made anew are made from, now that it is known.
std::set<std::string> LineageNow(const PlanWorld& world) {
  PlanInputs in = world.Inputs();
  in.scope.Clear();
  return LineageOf(in, world.scope.regenerate()).jobs;
}

void ExpectAllCalled(const std::set<std::string>& jobs,
                     const std::vector<std::string>& called) {
  for (const std::string& job : jobs) {
    EXPECT_TRUE(std::find(called.begin(), called.end(), job) != called.end())
        << job << " is of the lineage and not made anew";
  }
}

// Targets are what a run of everything makes of them, the rest follows in the
// next run, and what is made anew changes nothing, with its lineage or without.
// F: B-5
TEST_P(ScopePropertyTest, ScopedRunsMakeWhatARunOfEverythingMakes) {
  SeededRandom random(GetParam() + 2000);
  const RandomFilm::Options options = FilmOptionsOf(GetParam());
  RandomFilm film(random, options);
  PlanWorld world(film.Yaml());
  world.lists_may_be_empty = options.empty_lists;
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  for (int round = 0; round < 4; ++round) {
    world.Set("Input:Text", absl::StrCat("\"", round, "\""));
    world.Set("Input:B", absl::StrCat(1 + UniformBelow(random, 2)));
    PlanWorld whole = world;
    whole.Run();
    const ArtefactHashes all = Published(whole);
    if (all.empty()) continue;
    auto chosen = all.begin();
    std::advance(chosen, UniformBelow(random, all.size()));
    std::vector<std::string> ids = {chosen->first};
    if (UniformBelow(random, 2) == 0) {
      auto other = all.begin();
      std::advance(other, UniformBelow(random, all.size()));
      ids.push_back(other->first);
    }
    SCOPED_TRACE(
        absl::StrCat(absl::StrJoin(ids, " and "), " of\n", film.Yaml()));

    PlanWorld part = world;
    for (const std::string& id : ids) part.scope.add_only(id);
    const v1::Plan plan = part.Plan();
    ExpectReferenceSets(part, plan);
    part.Run(plan);
    for (const std::string& id : ids) {
      ASSERT_EQ(Published(part)[id], all.at(id)) << id;
    }
    EXPECT_EQ(part.Plan().layers_size(), 0);
    part.scope.Clear();
    part.Run();
    EXPECT_THAT(Differing(Published(part), all), IsEmpty());
    EXPECT_FALSE(part.called_twice);

    PlanWorld again = whole;
    for (const std::string& id : ids) again.scope.add_regenerate(id);
    again.scope.set_with_lineage(UniformBelow(random, 2) == 0);
    if (const auto made = again.TryPlan(); !made.ok()) {
      ExpectRefusedForCause(again, made.status());
      again.scope.set_with_lineage(false);
    }
    const v1::Plan anew = again.Plan();
    ExpectReferenceSets(again, anew);
    const std::vector<std::string> called = again.Run(anew);
    EXPECT_GT(called.size(), 0u);
    if (again.scope.with_lineage()) ExpectAllCalled(LineageNow(again), called);
    EXPECT_THAT(Differing(Published(again), all), IsEmpty());
    again.scope.Clear();
    EXPECT_EQ(again.Plan().layers_size(), 0);
    ASSERT_FALSE(HasFailure());
    world = whole;
  }
}

// One artefact that there is, or all of its name.
std::string AnyName(Random& random, const ArtefactHashes& published) {
  auto chosen = published.begin();
  std::advance(chosen, UniformBelow(random, published.size()));
  const std::string& id = chosen->first;
  return UniformBelow(random, 2) == 0 ? id : id.substr(0, id.find('['));
}

// True if a job is one of the node that made the artefact, at its indices.
bool Makes(const std::string& job, const PlanWorld& world,
           const std::string& artefact_id) {
  const std::string& node = world.manifest.artefacts().at(artefact_id).node();
  if (job.substr(0, job.find('[')) != node) return false;
  for (size_t at = job.find('['); at < job.size(); at = job.find('[', at + 1)) {
    const std::string index = job.substr(at, job.find(']', at) + 1 - at);
    if (artefact_id.find(index) == std::string::npos) return false;
  }
  return true;
}

// True if the job of an artefact made something that was not there before; jobs
// have keys of their own.
bool IsMadeWithMore(const PlanWorld& world, const std::string& artefact_id,
                    const ArtefactHashes& before) {
  const auto& artefacts = world.manifest.artefacts();
  const std::string& key = artefacts.at(artefact_id).inputs_hash();
  return std::any_of(artefacts.begin(), artefacts.end(),
                     [&key, &before](const auto& entry) {
                       return entry.second.inputs_hash() == key &&
                              !before.contains(entry.first);
                     });
}

// Also what is known only during the run: what is to be kept is, what is to be
// made anew is, with its lineage if that is asked for, and the run after it
// makes up for what was kept. F: B-5
TEST_P(ScopePropertyTest, PinsAndRegenerationsHoldWhateverListsDecide) {
  SeededRandom random(GetParam() + 3000);
  const RandomFilm::Options options = FilmOptionsOf(GetParam());
  RandomFilm film(random, options);
  PlanWorld world(film.Yaml());
  world.lists_may_be_empty = options.empty_lists;
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  world.Run();
  for (int round = 0; round < 12; ++round) {
    world.Set("Input:Text", absl::StrCat("\"", UniformBelow(random, 4), "\""));
    if (UniformBelow(random, 2) == 0) {
      world.Set("Input:B", absl::StrCat(1 + UniformBelow(random, 2)));
    }
    if (UniformBelow(random, 4) == 0) {
      world.Set("Input:A", absl::StrCat(1 + UniformBelow(random, 2)));
    }
    if (UniformBelow(random, 4) == 0) {
      world.versions["p0"] = absl::StrCat(UniformBelow(random, 3));
    }
    const ArtefactHashes before = Published(world);
    if (before.empty()) return;
    const uint64_t controls = UniformBelow(random, 4);
    const auto one_or_two = [&random] { return 1 + UniformBelow(random, 2); };
    for (uint64_t n = controls == 0 ? 0 : one_or_two(); n > 0; --n) {
      world.scope.add_pin(AnyName(random, before));
    }
    for (uint64_t n = controls == 1 ? 0 : one_or_two(); n > 0; --n) {
      world.scope.add_regenerate(AnyName(random, before));
    }
    world.scope.set_with_lineage(controls != 1 && UniformBelow(random, 3) == 0);
    const bool is_part = UniformBelow(random, 4) == 0;
    for (uint64_t n = is_part ? one_or_two() : 0; n > 0; --n) {
      world.scope.add_only(AnyName(random, before));
    }
    SCOPED_TRACE(absl::StrCat("round ", round, ": ",
                              world.scope.ShortDebugString(), " of\n",
                              film.Yaml()));
    const absl::StatusOr<MadePlan> made = world.TryPlan();
    if (!made.ok()) {
      ExpectRefusedForCause(world, made.status());
    } else {
      const v1::Plan plan = world.Plan();
      ExpectReferenceSets(world, plan);
      ASSERT_FALSE(HasFailure());
      const std::vector<std::string> called = world.Run(plan);
      if (!world.refusal.ok()) ExpectRefusedForCause(world, world.refusal);
      for (const auto& entry : Published(world)) {
        if (!world.refusal.ok()) break;
        const std::string& id = entry.first;
        for (const std::string& name : world.scope.pin()) {
          if (!IsNamed(name, id) || !before.contains(id)) continue;
          // All of a name are kept but for those that a job makes along with
          // something new.
          if (name != id && IsMadeWithMore(world, id, before)) continue;
          EXPECT_EQ(entry.second, before.at(id)) << id << " is not kept";
        }
        for (const std::string& name : world.scope.regenerate()) {
          if (!IsNamed(name, id) || is_part) continue;
          EXPECT_TRUE(std::any_of(called.begin(), called.end(),
                                  [&world, &id](const std::string& job) {
                                    return Makes(job, world, id);
                                  }))
              << id << " is not made anew";
        }
      }
      if (world.scope.with_lineage() && !is_part && world.refusal.ok()) {
        ExpectAllCalled(LineageNow(world), called);
      }
    }
    ASSERT_FALSE(HasFailure());
    EXPECT_TRUE(!world.called_twice || world.scope.regenerate_size() > 0);
    world.scope.Clear();
    world.called_twice = false;
    world.Run();
    ASSERT_THAT(Differing(Published(world), MadeAnew(world)), IsEmpty());
    ASSERT_EQ(world.Plan().layers_size(), 0);
    ASSERT_FALSE(world.called_twice);
    ASSERT_FALSE(HasFailure());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ScopePropertyTest, ::testing::Range(0, 32));

// Where a pin of one artefact was lost beside one of all of its name, and where
// a run took from earlier ones what then turned out to be of the lineage.
INSTANTIATE_TEST_SUITE_P(FoundBefore, ScopePropertyTest,
                         ::testing::Values(97, 147, 275, 591, 753, 849));

}  // namespace
}  // namespace kinora
