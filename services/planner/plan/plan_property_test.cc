// Random blueprints, edits, failures and undos: each plan is right by
// plan_rules.h, and no work is done twice.

#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/json/proto_json.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_rules.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/random_film.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;

class PlanPropertyTest : public ::testing::TestWithParam<int> {};

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
  const RandomFilm::Options options = FilmOptionsOf(GetParam());
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
    const ArtefactHashes all = Published(world);
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

INSTANTIATE_TEST_SUITE_P(Seeds, PlanPropertyTest, ::testing::Range(0, 32));

}  // namespace
}  // namespace kinora
