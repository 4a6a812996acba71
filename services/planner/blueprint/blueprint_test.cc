#include "services/planner/blueprint/blueprint.h"

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kFilm[] = R"(blueprint: film
inputs:
  Story: {type: text, description: "What it tells."}
  Count: {type: integer, default: 3, minimum: 1, maximum: 60}
  Prompt: {type: text, over: [segment], default: ""}
dimensions:
  segment: {size: Input:Count}
  language: {size: 2}
nodes:
  Script:
    producer: script
    settings: {style: dark, n: 1.0}
    inputs: {story: "Input:Story", count: "Input:Count"}
    outputs: {Text: {type: text/plain, over: [segment]}}
  Voice:
    producer: voice-2
    over: [segment, language]
    inputs: {text: "Text[segment]", first: "Artifact:Text[segment=0]"}
    outputs: {Audio: audio/wav}
  Film:
    producer: film
    over: [language]
    inputs: {clips: {all: "Audio[segment][language]"}}
    outputs: {Film: video/mp4}
outputs: [Film]
)";

// The film with `from` replaced by `to`.
std::string Film(const std::string& from, const std::string& to) {
  std::string text = kFilm;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& yaml) {
  absl::StatusOr<Blueprint> parsed = ParseBlueprint("film.yaml", yaml);
  if (parsed.ok()) return "no error";
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(parsed.status()), "BLUEPRINT_INVALID");
  return std::string(parsed.status().message());
}

TEST(BlueprintTest, ReadsTheWholeLanguage) {
  ASSERT_OK_AND_ASSIGN(Blueprint film, ParseBlueprint("film.yaml", kFilm));
  EXPECT_EQ(film.name, "film");
  EXPECT_EQ(film.inputs[1].rule.maximum, 60);
  EXPECT_EQ(film.inputs[1].default_value->inline_().data(), "3");
  EXPECT_EQ(film.inputs[2].default_value->inline_().mime_type(), "text/plain");
  EXPECT_EQ(film.dimensions[0].size_input, 1);
  EXPECT_EQ(film.dimensions[1].size, 2u);
  EXPECT_EQ(film.nodes[0].settings_json, R"({"n":1,"style":"dark"})");
  EXPECT_THAT(film.outputs[0].dimensions, ElementsAre(0));
  EXPECT_THAT(film.outputs[1].dimensions, ElementsAre(0, 1));
  EXPECT_EQ(film.nodes[1].bindings[0].name, "first");
  EXPECT_TRUE(film.nodes[1].bindings[0].from.indices[0].is_constant);
  EXPECT_TRUE(film.nodes[2].bindings[0].is_list);
  EXPECT_THAT(film.results, ElementsAre(2));
  EXPECT_THAT(film.node_groups,
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

TEST(BlueprintTest, OrdersNodesByWhatTheyRead) {
  ASSERT_OK_AND_ASSIGN(Blueprint b, ParseBlueprint("", R"(
blueprint: b
nodes:
  Last: {producer: p, inputs: {x: First}, outputs: {Z: text/plain}}
  Start: {producer: p, outputs: {First: text/plain}}
)"));
  EXPECT_THAT(b.node_groups, ElementsAre(ElementsAre(1), ElementsAre(0)));
}

struct BadCase {
  const char* from;
  const char* to;
  const char* error;  // the whole message or a part of it
};

// F: S1-30
TEST(BlueprintTest, NamesLineElementAndValueOfWhatIsWrong) {
  const BadCase cases[] = {
      // The message in full, once.
      {"text: \"Text[segment]\"", "text: \"Txt[segment]\"",
       "film.yaml:18: nodes.Voice.inputs.text: unknown artefact \"Txt\"; did "
       "you mean \"Text\"?"},
      // Structure.
      {"blueprint: film", "blueprin: film",
       "unknown key \"blueprin\"; did you"},
      {"blueprint: film\n", "", "blueprint: is missing"},
      {"blueprint: film", "blueprint: [film]", "must be a text, got a list"},
      {"blueprint: film", "blueprint: \"a b\"", "\"a b\" is not a name"},
      {"producer: script", "producers: script",
       "nodes.Script: unknown key \"producers\"; did you mean \"producer\"?"},
      {"    producer: script\n", "", "nodes.Script: producer is missing"},
      {"producer: script", "producer: \"\"", "is not a producer's name"},
      {"  Script:\n", "  Scr/ipt:\n", "film.yaml:10: nodes: name"},
      {"settings: {style: dark, n: 1.0}", "settings: dark",
       "nodes.Script.settings: must be a map, got a text"},
      {"n: 1.0", "n: 99999999999999999", "not exact"},
      {"outputs: [Film]", "outputs: Film", "must be a list"},
      {"outputs: [Film]", "outputs: [Flim]",
       "outputs: unknown artefact \"Flim\"; did you mean \"Film\"?"},
      {"outputs: [Film]", "outputs: [Film, Film]", "listed twice"},
      {"    outputs: {Film: video/mp4}\n", "", "at least one output"},
      // Inputs.
      {"type: text, desc", "typ: text, desc", "unknown key \"typ\""},
      {"{type: text, description: \"What it tells.\"}", "{}",
       "inputs.Story: type is missing"},
      {"type: text, desc", "type: txt, desc",
       "inputs.Story.type: unknown type \"txt\""},
      {"default: 3", "default: three",
       "inputs.Count.default: must be an integer, got string \"three\""},
      {"default: 3", "default: 2.5", "must be an integer, got number 2.5"},
      {"default: 3", "default: 61", "must be at most 60, got 61"},
      {"default: 3", "default: 0", "must be at least 1, got 0"},
      {"default: \"\"", "default: 12", "must be a text, got number 12"},
      {"maximum: 60", "maximum: many",
       "inputs.Count.maximum: must be a number"},
      {"minimum: 1", "minimum: 90", "minimum 90 is greater than maximum 60"},
      {"description: \"What it tells.\"", "minimum: 1", "has no bounds"},
      {"type: text, over", "type: file, over", "file has no default"},
      {"  Story: {", "  Blueprint: {", "Input:Blueprint is the blueprint"},
      {"over: [segment], default", "over: [segmnt], default",
       "inputs.Prompt.over: unknown dimension \"segmnt\"; did you mean"},
      {"over: [segment], default", "over: segment, default", "must be a list"},
      // Dimensions.
      {"size: 2", "size: 0", "dimensions.language.size: must be Input:NAME"},
      {"size: 2", "size: -1", "got \"-1\""},
      {"size: 2", "size: 1000001", "from 1 to 1000000"},
      {"size: 2", "size: 1.5", "got \"1.5\""},
      {"size: 2", "size: Count", "did you mean \"Input:Count\"?"},
      {"size: 2", "size: Artifact:Text",
       "a size is the length of a JSON list, but \"Text\" is text/plain"},
      {"size: Input:Count", "size: Input:Story", "Input:Story is of type text"},
      {"size: Input:Count", "size: Input:Cuont", "did you mean \"Count\"?"},
      {"{size: 2}", "{size: 2, witin: segment}",
       "unknown key \"witin\"; did you mean \"within\"?"},
      {"{size: 2}", "{}", "size is missing"},
      // References.
      {"\"Input:Story\"", "\"Input:Stroy\"",
       "unknown input \"Stroy\"; did you"},
      {"\"Input:Story\"", "\"Story\"", "did you mean \"Input:Story\"?"},
      {"\"Input:Story\"", "\"Input:Text\"", "\"Text\", the artefact"},
      {"\"Input:Story\"", "\"Input:Story[0]\"", "has no dimensions"},
      {"\"Input:Story\"", "\"Input:Prompt\"",
       "write \"Input:Prompt[segment]\""},
      {"\"Input:Story\"", "\"Input:Prompt[segment]\"",
       "node Script is not: take one as [0]"},
      {"\"Input:Story\"", "{any: \"Input:Story\"}", "unknown key \"any\""},
      {"\"Input:Story\"", "[\"Input:Story\"]", "must be a text, got a list"},
      {"\"Text[segment]\"", "\"Text[language]\"", "is not over dimension"},
      {"\"Text[segment]\"", "\"Text[sgment]\"", "unknown dimension \"sgment\""},
      {"\"Text[segment]\"", "\"Text[segment-0]\"", "is not an offset from 1"},
      {"\"Text[segment]\"", "\"Text[segment-]\"", "\"\" is not an offset"},
      {"\"Text[segment]\"", "\"Text[segment-1000001]\"", "is not an offset"},
      {"\"Input:Story\"", "\"Input:Prompt[segment-1]\"",
       "there is no index to count from"},
      {"\"Text[segment]\"", "\"Text[segment\"", "in brackets"},
      {"\"Text[segment]\"", "\"Text[]\"", "\"\" is not an index"},
      {"\"Text[segment]\"", "\"Text[01]\"", "is not an index"},
      {"\"Text[segment]\"", "\"Text[4294967296]\"", "is not an index"},
      {"\"Text[segment]\"", "\"Text[1000000]\"", "has no index 1000000"},
      {"\"Text[segment]\"", "\"\"", "a reference is Input:NAME"},
      {"\"Text[segment]\"", "{all: \"Text[segment]\"}",
       "runs through no dimension"},
      {"\"Audio[segment][language]\"", "\"Audio[segment][2]\"",
       "has no index 2: dimension language has size 2"},
      {"\"Audio[segment][language]\"", "\"Audio[segment]\"",
       "has the dimensions [segment][language]"},
      {"{all: \"Audio[segment][language]\"}", "\"Audio[segment][language]\"",
       "take one as [0], all as {all:"},
      {"over: [segment, language]", "over: [language, segment]",
       "stands out of order or twice"},
      // Outputs.
      {"Audio: audio/wav", "Audio: wav", "\"wav\" is not a media type"},
      {"Audio: audio/wav", "Audio: {over: []}", "type is missing"},
      {"Audio: audio/wav", "Audio: {type: audio/wav, over: [segment]}",
       "is over segment already"},
      {"{Film: video/mp4}", "{Audio: video/mp4}",
       "node Film makes \"Audio\", but node Voice (line 19) does already"},
      // Cycles.
      {"story: \"Input:Story\"", "story: \"Film[0]\"",
       "cycle: Script -> Voice -> Film -> Script"},
      {"text: \"Text[segment]\"", "text: \"Audio[0][0]\"",
       "film.yaml:15: nodes.Voice: cycle: Voice -> Voice"},
  };
  for (const BadCase& bad : cases) {
    EXPECT_THAT(ErrorOf(Film(bad.from, bad.to)), HasSubstr(bad.error))
        << "with " << bad.to;
  }
}

TEST(BlueprintTest, EmptyPartsAreNamed) {
  EXPECT_THAT(ErrorOf("blueprint: b\n"), HasSubstr("at least one node"));
  EXPECT_THAT(ErrorOf("blueprint: b\nnodes:\n"), HasSubstr("at least one"));
  EXPECT_THAT(ErrorOf("just text"), HasSubstr("must be a map"));
  EXPECT_THAT(ErrorOf("blueprint: b\nnodes: {A: x}\n"), HasSubstr("nodes.A"));
}

TEST(BlueprintTest, LimitsSize) {
  std::string large =
      std::string(kFilm) + std::string(kMaxBlueprintTextBytes, '#');
  EXPECT_THAT(ErrorOf(large), HasSubstr("more than 1048576"));
}

TEST(BlueprintTest, FileWithoutANameIsNamedByLine) {
  EXPECT_THAT(ParseBlueprint("", "x: 1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 1: unknown key")));
}

// Damaged blueprints are refused or accepted, but never crash the planner.
TEST(BlueprintTest, RandomDamageNeverCrashes) {
  SeededRandom random(7);
  const std::string pieces[] = {
      "{", "}", "[",  "]", ":", "\n",      "  ",     "&a ", "*a",   "- ",  "? ",
      "!", "'", "\"", "|", "~", "segment", "Input:", "0",   "\xc3", "<<: "};
  for (int round = 0; round < 3000; ++round) {
    std::string text = kFilm;
    for (int edits = 0; edits < 3; ++edits) {
      size_t at = UniformBelow(random, text.size());
      const std::string& piece =
          pieces[UniformBelow(random, std::size(pieces))];
      text.replace(at, UniformBelow(random, 4), piece);
    }
    absl::StatusOr<Blueprint> parsed = ParseBlueprint("film.yaml", text);
    if (!parsed.ok()) {
      EXPECT_THAT(parsed, StatusIs(absl::StatusCode::kInvalidArgument));
    }
  }
}

}  // namespace
}  // namespace kinora
