// Random blueprints, edits, failures and undos against a slow planner that is
// obviously right, and two rules that are: a manifest is what one would get by
// calling every producer anew, and no producer is called twice for the same
// work.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/content.h"
#include "common/proto_json.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/random_film.h"
#include "services/planner/plan/reference_planner.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;

class PlanPropertyTest : public ::testing::TestWithParam<int> {};

// Every other film has lists that decide, half of those lists may be empty.
RandomFilm::Options OptionsOf(int seed) {
  RandomFilm::Options options;
  options.deciding = seed % 2 == 1;
  options.parts = seed % 4 > 1;
  options.empty_lists = options.deciding && seed % 8 > 3;
  return options;
}

// What every artefact would be if everything were made anew.
std::map<std::string, std::string> MadeAnew(const PlanWorld& world) {
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
  std::map<std::string, std::string> hashes;
  for (const auto& [id, artefact] : fresh.manifest.artefacts()) {
    hashes[id] = ContentHash(artefact.content());
  }
  return hashes;
}

std::map<std::string, std::string> Published(const PlanWorld& world) {
  std::map<std::string, std::string> hashes;
  for (const auto& [id, artefact] : world.manifest.artefacts()) {
    hashes[id] = ContentHash(artefact.content());
  }
  return hashes;
}

// Ids whose value is not the same in both.
std::vector<std::string> Differing(
    const std::map<std::string, std::string>& left,
    const std::map<std::string, std::string>& right) {
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

void LoseABlob(Random& random, PlanWorld* world) {
  std::vector<std::string> hashes;
  for (const auto& [id, artefact] : world->manifest.artefacts()) {
    if (artefact.content().has_blob()) {
      hashes.push_back(ContentHash(artefact.content()));
    }
  }
  if (hashes.empty()) return;
  world->lost_blobs.insert(
      *Digest::ParseHex(hashes[UniformBelow(random, hashes.size())]));
}

// Every way of planning gives the same bytes: PlanWorld::Plan() sees to that.
// F: S1-21, S1-22, S1-25, S1-26, S1-29, B-2, B-3, B-11, B-13, B-14
TEST_P(PlanPropertyTest, PlansAreRightAndNoWorkIsDoneTwice) {
  SeededRandom random(GetParam());
  const RandomFilm::Options options = OptionsOf(GetParam());
  RandomFilm film(random, options);
  PlanWorld world(film.Yaml());
  world.lists_may_be_empty = options.empty_lists;
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  world.texts_are_blobs = true;
  // Jobs that make the same bytes whatever they read, for early cutoff.
  world.constant = {{film.AnyNode(), "constant"}, {film.AnyNode(), "other"}};
  std::string text = "\"x\"";
  for (int round = 0; round < 20; ++round) {
    switch (UniformBelow(random, 11)) {
      case 0:
        text = absl::StrCat("\"", round % 3, "\"");
        world.Set("Input:Text", text);
        break;
      case 1:
        world.Set("Input:Each[a=0]", absl::StrCat("\"", round % 2, "\""));
        break;
      case 2:
        world.Set("Input:A", absl::StrCat(1 + UniformBelow(random, 3)));
        break;
      case 3:
        world.Set("Input:B", absl::StrCat(1 + UniformBelow(random, 2)));
        break;
      case 4:
        world.Set("Input:C[a=0]", absl::StrCat(UniformBelow(random, 3)));
        break;
      case 5:
        world.Set("Input:On[a=0]", round % 2 == 0 ? "true" : "false");
        break;
      case 6:
        world.Set("Input:AllOn", round % 2 == 0 ? "true" : "false");
        break;
      case 7:
        film.ChangeSetting();
        world.SetBlueprint(film.Yaml());
        break;
      case 8:
        if (const std::string take = film.AnyTake(); !take.empty()) {
          world.Set(take, absl::StrCat(UniformBelow(random, 3)));
        }
        break;
      case 9:
        LoseABlob(random, &world);
        break;
      default:
        world.versions["p0"] = absl::StrCat(UniformBelow(random, 2));
        break;
    }
    world.failing.clear();
    if (UniformBelow(random, 4) == 0) world.failing.insert(film.AnyNode());
    v1::Plan plan = world.Plan();
    ASSERT_EQ(CanonicalBytes(plan), CanonicalBytes(world.Plan()));
    ExpectReferenceSets(world, plan);
    ASSERT_FALSE(HasFailure()) << film.Yaml();
    std::vector<std::string> called = world.Run(plan);
    ASSERT_FALSE(world.called_twice) << film.Yaml();
    bool failed = false;
    for (const std::string& job : called) {
      failed = failed || world.failing.contains(job);
    }
    if (failed) continue;
    ASSERT_THAT(Differing(Published(world), MadeAnew(world)), IsEmpty())
        << film.Yaml();
    const v1::Plan after = world.Plan();
    ASSERT_EQ(after.layers_size(), 0) << film.Yaml();
    ASSERT_EQ(after.reused_size(), 0) << film.Yaml();
    ASSERT_EQ(after.deferred_size(), 0) << film.Yaml();
    if (UniformBelow(random, 4) != 0) continue;
    // An edit that was made and undone again costs nothing.
    world.Set("Input:Text", "\"undone\"");
    world.Run();
    world.Set("Input:Text", text);
    ASSERT_EQ(world.Plan().layers_size(), 0) << film.Yaml();
  }
}

// F: B-6
TEST_P(PlanPropertyTest, EditsByHandStandUntilTheirInputsChange) {
  SeededRandom random(GetParam() + 1000);
  RandomFilm film(random, {.parts = GetParam() % 2 == 1});
  PlanWorld world(film.Yaml());
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  world.Run();
  struct Edit {
    std::string key;
    std::string hash;
  };
  std::map<std::string, Edit> edits;
  for (int round = 0; round < 10; ++round) {
    const std::map<std::string, std::string> all = Published(world);
    if (all.empty() || UniformBelow(random, 2) == 0) {
      world.Set("Input:Text", absl::StrCat("\"", round % 2, "\""));
    } else {
      auto chosen = all.begin();
      std::advance(chosen, UniformBelow(random, all.size()));
      const std::string text = absl::StrCat("by hand ", round);
      world.EditByHand(chosen->first, text);
      edits[chosen->first] = {
          world.manifest.artefacts().at(chosen->first).inputs_hash(),
          Sha256Of(text).Hex()};
    }
    const v1::Plan plan = world.Plan();
    ExpectReferenceSets(world, plan);
    world.Run(plan);
    const v1::Plan after = world.Plan();
    ASSERT_EQ(after.layers_size(), 0) << film.Yaml();
    ASSERT_EQ(after.reused_size(), 0) << film.Yaml();
    for (const auto& [id, edit] : edits) {
      const auto now = world.manifest.artefacts().find(id);
      if (now == world.manifest.artefacts().end() ||
          now->second.inputs_hash() != edit.key) {
        continue;
      }
      EXPECT_EQ(ContentHash(now->second.content()), edit.hash) << id;
    }
    ASSERT_FALSE(HasFailure()) << film.Yaml();
  }
}

// A refusal names a control of the scope; and what is known, has a value and is
// asked for once is not refused.
void ExpectRefusedForCause(const PlanWorld& world, const absl::Status& status) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("scope."));
  // Targets that are not there decide about nothing.
  PlanInputs in = world.Inputs();
  in.scope.clear_only();
  const std::map<std::string, std::string> makers = ReferenceMakers(in);
  const std::map<std::string, std::string> published = Published(world);
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
TEST_P(PlanPropertyTest, ScopedRunsMakeWhatARunOfEverythingMakes) {
  SeededRandom random(GetParam() + 2000);
  const RandomFilm::Options options = OptionsOf(GetParam());
  RandomFilm film(random, options);
  PlanWorld world(film.Yaml());
  world.lists_may_be_empty = options.empty_lists;
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  for (int round = 0; round < 4; ++round) {
    world.Set("Input:Text", absl::StrCat("\"", round, "\""));
    world.Set("Input:B", absl::StrCat(1 + UniformBelow(random, 2)));
    PlanWorld whole = world;
    whole.Run();
    const std::map<std::string, std::string> all = Published(whole);
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
std::string AnyName(Random& random,
                    const std::map<std::string, std::string>& published) {
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
                    const std::map<std::string, std::string>& before) {
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
TEST_P(PlanPropertyTest, PinsAndRegenerationsHoldWhateverListsDecide) {
  SeededRandom random(GetParam() + 3000);
  const RandomFilm::Options options = OptionsOf(GetParam());
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
    const std::map<std::string, std::string> before = Published(world);
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

INSTANTIATE_TEST_SUITE_P(Seeds, PlanPropertyTest, ::testing::Range(0, 32));

// Where a pin of one artefact was lost beside one of all of its name, and where
// a run took from earlier ones what then turned out to be of the lineage.
INSTANTIATE_TEST_SUITE_P(FoundBefore, PlanPropertyTest,
                         ::testing::Values(97, 147, 275, 591, 753, 849));

}  // namespace
}  // namespace kinora
