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

#include "common/proto_json.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/reference_planner.h"

namespace kinora {
namespace {

// A random blueprint that can be written with different settings, so that it
// can be edited.
class RandomFilm {
 public:
  // With `deciding`, the lengths of lists that a node makes are sizes, too, and
  // conditions look at them.
  RandomFilm(Random& random, bool deciding)
      : random_(random), deciding_(deciding) {
    int count = 2 + Draw(5);
    for (int n = 0; n < count; ++n) AddNode(n);
  }

  std::string Yaml() const {
    std::string yaml =
        "blueprint: random\n"
        "inputs:\n"
        "  A: {type: integer, default: 2}\n"
        "  B: {type: integer, default: 1}\n"
        "  Text: {type: text, default: x}\n"
        "  Each: {type: text, over: [a], default: y}\n"
        "  C: {type: integer, over: [a], default: 1}\n"
        "  On: {type: boolean, over: [a], default: true}\n"
        "  AllOn: {type: boolean, default: true}\n"
        "dimensions:\n"
        "  a: {size: Input:A}\n"
        "  b: {size: Input:B}\n"
        "  c: {within: a, size: \"Input:C[a]\"}\n";
    if (deciding_) {
      yaml +=
          "  d: {size: List}\n"
          "  e: {within: d, size: \"Inner[d]\"}\n";
    }
    yaml += "nodes:\n";
    if (deciding_) {
      yaml +=
          "  Lister: {producer: p0, inputs: {text: Input:Text, b: Input:B},"
          " outputs: {List: application/json}}\n"
          "  Innermost: {producer: p1, over: [d], inputs: {list: List,"
          " a: Input:A}, outputs: {Inner: application/json}}\n";
    }
    for (const Node& node : nodes_) {
      absl::StrAppend(
          &yaml, "  ", node.name, ":\n    producer: ", node.producer,
          "\n    settings: {s: ", node.setting, "}\n", node.when, "    over: [",
          absl::StrJoin(node.over, ", "), "]\n    inputs: {",
          absl::StrJoin(node.bindings, ", "), "}\n    outputs: {O", node.name,
          ": {type: text/plain, over: [", absl::StrJoin(node.own, ", "),
          "]}}\n");
    }
    return yaml;
  }

  void ChangeSetting() { nodes_[Draw(nodes_.size())].setting = Draw(2); }
  const std::string& AnyNode() { return nodes_[Draw(nodes_.size())].name; }

 private:
  struct Node {
    std::string name;
    std::string producer;
    uint64_t setting = 0;
    std::string when;
    std::vector<std::string> over;
    std::vector<std::string> own;
    std::vector<std::string> dimensions;  // of its output
    std::vector<std::string> bindings;
  };

  uint64_t Draw(uint64_t bound) { return UniformBelow(random_, bound); }

  void AddNode(int number) {
    Node node;
    node.name = absl::StrCat("N", number);
    node.producer = absl::StrCat("p", Draw(2));
    std::vector<std::string> dimensions = {"a", "b", "c"};
    if (deciding_) dimensions.insert(dimensions.end(), {"d", "e"});
    for (const std::string& dimension : dimensions) {
      // c is nested in a, e in d.
      const bool nested = dimension == "c" || dimension == "e";
      const std::string outer = dimension == "c" ? "a" : "d";
      if (nested && !Has(node.dimensions, outer)) continue;
      switch (nested && !Has(node.over, outer) ? 1 + Draw(2) : Draw(3)) {
        case 0:
          node.over.push_back(dimension);
          node.dimensions.push_back(dimension);
          break;
        case 1:
          // Sizes are at least 1, so that a constant index 0 exists.
          node.own.push_back(dimension);
          node.dimensions.push_back(dimension);
          break;
        default:
          break;
      }
    }
    if (Draw(2) == 0) node.bindings.push_back("text: \"Input:Text\"");
    if (!node.over.empty() && node.over[0] == "a") {
      node.bindings.push_back("each: \"Input:Each[a]\"");
    }
    bool over_a = !node.over.empty() && node.over[0] == "a";
    if (Draw(4) == 0) {
      node.when = over_a && Draw(2) == 0 ? "    when: \"Input:On[a]\"\n"
                                         : "    when: Input:AllOn\n";
    }
    if (deciding_ && Draw(3) == 0) {
      node.when = Has(node.over, "d") && Draw(2) == 0
                      ? "    when: {value: \"Inner[d]\", is: [0, 1]}\n"
                      : "    when: {value: List, is_not: [0]}\n";
    }
    for (const Node& earlier : nodes_) {
      if (Draw(2) == 0) node.bindings.push_back(Read(node, earlier));
    }
    // Reads what it made itself one index before.
    if (over_a && Draw(3) == 0) {
      std::string itself = absl::StrCat("O", node.name, "[a-1]");
      bool all = false;
      for (size_t i = 1; i < node.dimensions.size(); ++i) {
        absl::StrAppend(&itself, "[", node.dimensions[i], "]");
        all = all || IsOwn(node, node.dimensions[i]);
      }
      node.bindings.push_back(
          absl::StrCat("itself: {", all ? "all" : "from", ": \"", itself,
                       all ? "\"}" : "\", else: Input:Text}"));
    }
    nodes_.push_back(std::move(node));
  }

  static bool Has(const std::vector<std::string>& names,
                  const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  static bool IsOwn(const Node& node, const std::string& dimension) {
    return Has(node.own, dimension);
  }

  // How `node` reads the output of `earlier`: each index its own, constant or
  // all of them.
  std::string Read(const Node& node, const Node& earlier) {
    std::string reference = absl::StrCat("O", earlier.name);
    bool all = false;
    std::string group;
    for (const std::string& dimension : earlier.dimensions) {
      bool own = false;
      for (const std::string& over : node.over) own = own || over == dimension;
      if (Draw(3) == 0) {
        reference += "[0]";
      } else {
        bool before = own && Draw(4) == 0;
        absl::StrAppend(&reference, "[", dimension, before ? "-1]" : "]");
        all = all || !own;
        if (!own && Draw(3) == 0) group = absl::StrCat(", group: ", dimension);
      }
    }
    return all ? absl::StrCat("r", earlier.name, ": {all: \"", reference, "\"",
                              group, "}")
               : absl::StrCat("r", earlier.name, ": \"", reference, "\"");
  }

  Random& random_;
  const bool deciding_;
  std::vector<Node> nodes_;
};

class PlanPropertyTest : public ::testing::TestWithParam<int> {};

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

void ExpectReferenceSets(const PlanWorld& world, const v1::Plan& plan) {
  const PlanInputs in = world.Inputs();
  const JobSets want = ReferenceSets(in);
  const JobSets got = SetsOf(plan, want);
  EXPECT_EQ(got.must_run, want.must_run);
  EXPECT_EQ(got.may_run, want.may_run);
  EXPECT_EQ(got.reused, want.reused);
  EXPECT_EQ(got.clean, want.clean);
  EXPECT_EQ(plan.summary().clean_jobs(),
            static_cast<int64_t>(want.clean.size()));
}

// Every way of planning gives the same bytes: PlanWorld::Plan() sees to that.
// F: S1-21, S1-22, S1-25, S1-26, S1-29, B-2, B-11
TEST_P(PlanPropertyTest, PlansAreRightAndNoWorkIsDoneTwice) {
  SeededRandom random(GetParam());
  // Every other film has lists that decide.
  RandomFilm film(random, GetParam() % 2 == 1);
  PlanWorld world(film.Yaml());
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  // Jobs that make the same bytes whatever they read, for early cutoff.
  world.constant = {{film.AnyNode(), "constant"}, {film.AnyNode(), "other"}};
  std::string text = "\"x\"";
  for (int round = 0; round < 20; ++round) {
    switch (UniformBelow(random, 9)) {
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
      default:
        world.versions["p0"] = absl::StrCat(UniformBelow(random, 2));
        break;
    }
    world.failing.clear();
    if (UniformBelow(random, 4) == 0) world.failing.insert(film.AnyNode());
    v1::Plan plan = world.Plan();
    ASSERT_EQ(CanonicalBytes(plan), CanonicalBytes(world.Plan()));
    // The reference planner knows nothing of artefacts that decide.
    if (GetParam() % 2 == 0) ExpectReferenceSets(world, plan);
    ASSERT_FALSE(HasFailure()) << film.Yaml();
    std::vector<std::string> called = world.Run(plan);
    ASSERT_FALSE(world.called_twice) << film.Yaml();
    bool failed = false;
    for (const std::string& job : called) {
      failed = failed || world.failing.contains(job);
    }
    if (failed) continue;
    ASSERT_EQ(Published(world), MadeAnew(world)) << film.Yaml();
    ASSERT_EQ(world.Plan().layers_size(), 0) << film.Yaml();
    ASSERT_EQ(world.Plan().reused_size(), 0) << film.Yaml();
    ASSERT_EQ(world.Plan().deferred_size(), 0) << film.Yaml();
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
  RandomFilm film(random, false);
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
    ASSERT_EQ(world.Plan().layers_size(), 0) << film.Yaml();
    ASSERT_EQ(world.Plan().reused_size(), 0) << film.Yaml();
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

// One target is what a run of everything makes of it, the rest follows in the
// next run, and what is made anew changes nothing.
// F: B-5
TEST_P(PlanPropertyTest, ScopedRunsMakeWhatARunOfEverythingMakes) {
  SeededRandom random(GetParam() + 2000);
  RandomFilm film(random, GetParam() % 2 == 1);
  PlanWorld world(film.Yaml());
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  for (int round = 0; round < 6; ++round) {
    world.Set("Input:Text", absl::StrCat("\"", round, "\""));
    world.Set("Input:B", absl::StrCat(1 + UniformBelow(random, 2)));
    PlanWorld whole = world;
    whole.Run();
    const std::map<std::string, std::string> all = Published(whole);
    if (all.empty()) continue;
    auto chosen = all.begin();
    std::advance(chosen, UniformBelow(random, all.size()));
    const std::string& id = chosen->first;
    SCOPED_TRACE(absl::StrCat(id, " of\n", film.Yaml()));

    PlanWorld part = world;
    part.scope.add_only(id);
    part.Run();
    ASSERT_EQ(Published(part)[id], chosen->second);
    EXPECT_EQ(part.Plan().layers_size(), 0);
    part.scope.Clear();
    part.Run();
    EXPECT_EQ(Published(part), all);
    EXPECT_FALSE(part.called_twice);

    PlanWorld again = whole;
    again.scope.add_regenerate(id);
    EXPECT_GT(again.Run().size(), 0u);
    EXPECT_EQ(Published(again), all);
    again.scope.Clear();
    EXPECT_EQ(again.Plan().layers_size(), 0);
    ASSERT_FALSE(HasFailure());
    world = whole;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlanPropertyTest, ::testing::Range(0, 32));

}  // namespace
}  // namespace kinora
