// Blueprints that use others of their file.

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct BadCase {
  const char* from;
  const char* to;
  const char* error;  // a part of the message
};

constexpr char kUses[] = R"(blueprint: film
inputs:
  Count: {type: integer, default: 2}
  Shots: {type: integer, over: [segment], default: 2}
  Music: {type: boolean, default: true}
dimensions: {segment: {size: Input:Count}}
nodes:
  Script: {producer: script, outputs: {Text: {type: text/plain, over: [segment]}}}
  Scene:
    use: scene
    over: [segment]
    when: Input:Music
    inputs: {text: "Text[segment]", count: "Input:Shots[segment]"}
  Film:
    producer: film
    inputs: {scenes: {all: "Scene_Cut_Film[segment]"}}
    outputs: {Film: video/mp4}
outputs: [Film]
---
blueprint: scene
inputs:
  text: {type: text}
  count: {type: integer}
  style: {type: text, default: plain}
  mood: {type: text, over: [shot], default: ""}
dimensions: {shot: {size: Input:count}}
nodes:
  Shot:
    producer: shot
    over: [shot]
    inputs:
      text: Input:text
      style: Input:style
      mood: "Input:mood[shot]"
      before: "Shot[shot-1]"
    outputs: {Shot: {type: text/plain, readable: "shots/{shot}.txt"}}
  Cut: {use: cut, inputs: {shots: {all: "Shot[shot]"}}}
---
blueprint: cut
inputs: {shots: {type: text}}
nodes:
  Film: {producer: cut, inputs: {shots: Input:shots}, outputs: {Film: video/mp4}}
)";

template <size_t N>
void ExpectErrors(const BadCase (&cases)[N]) {
  for (const BadCase& bad : cases) {
    std::string yaml = kUses;
    ASSERT_NE(yaml.find(bad.from), std::string::npos) << bad.from;
    yaml.replace(yaml.find(bad.from), std::string(bad.from).size(), bad.to);
    EXPECT_THAT(
        ParseBlueprint("", yaml),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(bad.error)))
        << bad.to;
  }
}

// F: B-2
TEST(SubBlueprintsTest, UsesOfBlueprintsAreExpanded) {
  ASSERT_OK_AND_ASSIGN(Blueprint film, ParseBlueprint("", kUses));
  std::vector<std::string> names;
  for (const NodeDeclaration& node : film.nodes) names.push_back(node.name);
  EXPECT_THAT(names,
              ElementsAre("Script", "Scene_Shot", "Scene_Cut_Film", "Film"));
  names.clear();
  for (const InputDeclaration& in : film.inputs) names.push_back(in.name);
  EXPECT_THAT(names, ElementsAre("Count", "Shots", "Music", "Scene_style",
                                 "Scene_mood"));
  EXPECT_THAT(film.inputs[4].over, ElementsAre(0, 1));
  EXPECT_EQ(film.dimensions[1].name, "Scene_shot");
  EXPECT_EQ(film.dimensions[1].within, 0);
  const NodeDeclaration& shot = film.nodes[1];
  EXPECT_THAT(shot.over, ElementsAre(0, 1));
  EXPECT_EQ(shot.conditions.size(), 1u);
  EXPECT_EQ(shot.bindings[0].from.indices[1].offset, -1);
  EXPECT_EQ(film.outputs[1].readable.PathOf({2, 3}), "Scene/2/shots/3.txt");
  const NodeDeclaration& cut = film.nodes[2];
  EXPECT_THAT(cut.over, ElementsAre(0));
  EXPECT_TRUE(cut.bindings[0].is_list);
  EXPECT_EQ(cut.conditions.size(), 1u);

  const BadCase cases[] = {
      {"use: scene", "use: scen", "did you mean \"scene\"?"},
      {"use: scene", "use: scene\n    producer: p", "unknown key \"producer\""},
      {"inputs: {text: \"Text", "inputs: {txt: \"Text",
       "did you mean \"text\"?"},
      {"count: \"Input", "mood: \"Input", "has dimensions of its own"},
      {"use: cut, inputs: {shots: {all: \"Shot[shot]\"}}", "use: scene",
       "more than 8 levels deep"},
      {"use: scene\n    over: [segment]", "use: scene\n    over: segment",
       "nodes.Scene.over: must be a list of dimensions"},
      {"use: cut, inputs: {shots: {all: \"Shot[shot]\"}}",
       "use: cut, inputs: [\"Shot[shot]\"]", "must be a map from name"},
      {"over: [shot], default", "over: shot, default", "must be a list"},
      {"blueprint: cut", "blueprint: cuts", "did you mean \"cuts\"?"},
      {"blueprint: cut", "blueprint: scene", "is in the file twice"},
      {"use: cut, inputs: {shots: {all: \"Shot[shot]\"}}",
       "producer: p, outputs: {X: text/plain}", "is used by no other"},
      {"  Film:\n    producer: film", "  Scene_Shot:\n    producer: film",
       "line 14: nodes.Scene_Shot: is \"Scene_Shot\" once the uses are put in, "
       "and so is what line 28 declares"},
      {"dimensions: {segment: {size: Input:Count}}",
       "dimensions: {segment: {size: Input:Count}, Scene_shot: {size: 3}}",
       "dimensions.shot: is \"Scene_shot\""},
      {"  Music: {type: boolean", "  Scene_style: {type: boolean",
       "inputs.style: is \"Scene_style\""},
      {"inputs: {shots: {type", "input: {shots: {type",
       "line 40: blueprint cut: unknown key \"input\""},
  };
  ExpectErrors(cases);
}

// F: S1-30
// As whoever wrote the blueprint used knows them.
TEST(SubBlueprintsTest, ErrorsNameThingsAsTheirBlueprintDoes) {
  const BadCase cases[] = {
      {"shots: Input:shots}, outputs", "shots: Input:shot}, outputs",
       "line 42: blueprint cut: nodes.Film.inputs.shots: unknown input "
       "\"shot\"; did you mean \"shots\"?"},
      {"producer: cut", "producers: cut",
       "line 42: blueprint cut: nodes.Film: unknown key \"producers\""},
      {"Shot[shot-1]", "Shto[shot-1]",
       "line 35: blueprint scene: nodes.Shot.inputs.before: unknown artefact "
       "\"Shto\"; did you mean \"Shot\"?"},
      {"over: [shot]\n    inputs", "over: [sho]\n    inputs",
       "nodes.Shot.over: unknown dimension \"sho\"; did you mean \"shot\"?"},
      {"{size: Input:count}", "{size: Input:conut}",
       "blueprint scene: dimensions.shot.size: unknown input \"conut\"; did "
       "you mean \"count\"?"},
      {"style: {type: text", "style: {type: txt",
       "blueprint scene: inputs.style.type: unknown type \"txt\""},
      {"{shots: {type: text}}", "{shots: {type: txt}}",
       "line 40: blueprint cut: inputs.shots.type: unknown type \"txt\""},
      {"use: cut", "use: cutt",
       "line 37: blueprint scene: nodes.Cut.use: unknown blueprint \"cutt\""},
      // What is bound stands in the blueprint that uses.
      {"\"Text[segment]\"", "\"Txet[segment]\"",
       "line 13: nodes.Scene.inputs.text: unknown artefact \"Txet\"; did you "
       "mean \"Text\"?"},
      {"\"Input:Shots[segment]\"", "\"Input:Shot[segment]\"",
       "line 13: nodes.Scene.inputs.count: unknown input \"Shot\"; did you "
       "mean \"Shots\"?"},
      {"{all: \"Shot[shot]\"}", "{all: \"Shto[shot]\"}",
       "line 37: blueprint scene: nodes.Cut.inputs.shots: unknown artefact "
       "\"Shto\"; did you mean \"Shot\"?"},
  };
  ExpectErrors(cases);
}

// F: S1-30
TEST(SubBlueprintsTest, WhatIsBoundHasTheTypeOfTheInput) {
  const BadCase cases[] = {
      {"{Text: {type: text/plain", "{Text: {type: image/png",
       "line 13: nodes.Scene.inputs.text: Input:text of blueprint scene is of "
       "type text, but \"Text[segment]\" is image/png"},
      {"Shots: {type: integer", "Shots: {type: number",
       "line 13: nodes.Scene.inputs.count: Input:count of blueprint scene is "
       "of type integer, but \"Input:Shots[segment]\" is of type number"},
      // An input that is bound in turn, to a text.
      {"{use: cut, inputs: {shots: {all: \"Shot[shot]\"}}}",
       "{use: cut, inputs: {shots: Input:count}}",
       "line 37: blueprint scene: nodes.Cut.inputs.shots: Input:shots of "
       "blueprint cut is of type text, but \"Input:count\" is of type integer"},
      {"{Shot: {type: text/plain, readable: \"shots/{shot}.txt\"}}",
       "{Shot: image/png}",
       "line 37: blueprint scene: nodes.Cut.inputs.shots: Input:shots of "
       "blueprint cut is of type text, but \"Shot[shot]\" is image/png"},
      {"{shots: {type: text}}", "{shots: {type: json}}",
       "is of type json, but \"Shot[shot]\" is text/plain"},
  };
  ExpectErrors(cases);
  // Any bytes are a file.
  for (const char* type : {"file", "text"}) {
    std::string yaml = kUses;
    yaml.replace(yaml.find("{shots: {type: text}}"), 21,
                 std::string("{shots: {type: ") + type + "}}");
    EXPECT_OK(ParseBlueprint("", yaml));
  }
}

// F: B-2
TEST(SubBlueprintsTest, UsesOfUsesAreLimited) {
  // Each blueprint uses the next twenty times, which no machine could expand.
  std::string bomb;
  for (int i = 0; i < 8; ++i) {
    bomb += "---\nblueprint: b" + std::to_string(i) + "\nnodes:\n";
    for (int use = 0; use < 20; ++use) {
      bomb += "  N" + std::to_string(use) + ": {use: b" +
              std::to_string(i + 1) + "}\n";
    }
  }
  bomb += "---\nblueprint: b8\nnodes: {}\n";
  EXPECT_THAT(ParseBlueprint("", bomb),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("more than 2000 nodes")));
  EXPECT_THAT(
      ParseBlueprint("",
                     "blueprint: b\nnodes: {N: {producer: p, outputs: {X: "
                     "text/plain}}}\n---\nblueprint: x\nnodes: {M: {producer: "
                     "p, outputs: {Y: text/plain}}}\n"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("uses no other")));
}

}  // namespace
}  // namespace kinora
