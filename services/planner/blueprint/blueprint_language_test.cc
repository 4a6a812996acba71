// The parts of the language beyond the plain film of blueprint_test.cc.

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kAlbum[] = R"(blueprint: album
inputs:
  Count: {type: integer, default: 3}
  Images: {type: integer, over: [segment], default: 2}
  Music: {type: boolean, default: true}
  Style: {type: text, default: film}
  Sample: {type: file}
dimensions:
  segment: {size: Input:Count}
  image: {within: segment, size: "Input:Images[segment]"}
  language: {size: 2}
nodes:
  Picture:
    producer: picture@>=1.2 <2
    over: [segment, image]
    salt: again
    limits: {concurrency: 2, max_attempts: 5, attempt_timeout_seconds: 90, job_timeout_seconds: 300, priority: 7}
    price: {min: 0.01, max: 0.05, currency: USD}
    outputs:
      Image: image/png
      Note: {type: text/plain, readable: "notes/{segment:04}/{image}.txt"}
  Clip:
    producer: {name: clip, version: "!=3"}
    over: [segment]
    when: [Input:Music, {value: Input:Style, in: [film, trailer]}]
    inputs:
      before: "Clip[segment-1]"
      other: {from: "Clip[segment+2]", else: Input:Sample}
      images: {all: "Image[segment][image]"}
    outputs: {Clip: video/mp4}
  Album:
    producer: album
    inputs:
      pages: {all: "Image[segment][image]", group: segment}
      back: {all: "Image[segment][image]", order: [image, -segment]}
    outputs: {Album: application/pdf}
)";

// The album with `from` replaced by `to`.
std::string Album(const std::string& from, const std::string& to) {
  std::string text = kAlbum;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// F: B-2, B-7
TEST(BlueprintLanguageTest, ReadsTheAlbum) {
  ASSERT_OK_AND_ASSIGN(Blueprint album, ParseBlueprint("", kAlbum));
  EXPECT_EQ(album.dimensions[1].within, 0);
  EXPECT_THAT(album.dimensions[1].ancestors, ElementsAre(0));
  EXPECT_EQ(album.dimensions[1].size_input, 1);

  const NodeDeclaration& picture = album.nodes[0];
  EXPECT_EQ(picture.producer, "picture");
  EXPECT_TRUE(picture.producer_versions.Contains("1.10"));
  EXPECT_FALSE(picture.producer_versions.Contains("2.0"));
  EXPECT_FALSE(picture.producer_versions.Contains("nightly"));
  EXPECT_EQ(picture.salt, "again");
  EXPECT_EQ(picture.limits.concurrency, 2u);
  EXPECT_EQ(picture.limits.max_attempts, 5u);
  EXPECT_EQ(picture.limits.attempt_timeout_seconds, 90u);
  EXPECT_EQ(picture.limits.job_timeout_seconds, 300u);
  EXPECT_EQ(picture.limits.priority, 7u);
  EXPECT_EQ(picture.price->min_micros, 10000);
  EXPECT_EQ(picture.price->max_micros, 50000);
  EXPECT_EQ(picture.price->currency, "USD");
  EXPECT_EQ(album.outputs[1].readable.PathOf({7, 12}), "notes/0007/12.txt");

  const NodeDeclaration& clip = album.nodes[1];
  EXPECT_TRUE(clip.producer_versions.Contains("nightly"));
  EXPECT_FALSE(clip.producer_versions.Contains("3.0"));
  ASSERT_EQ(clip.conditions.size(), 2u);
  EXPECT_EQ(clip.conditions[1].hashes.size(), 2u);
  EXPECT_EQ(clip.bindings[0].from.indices[0].offset, -1);
  EXPECT_TRUE(clip.bindings[2].fallback->is_input);
  EXPECT_THAT(album.node_groups,
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));

  const NodeDeclaration& last = album.nodes[2];
  EXPECT_EQ(last.bindings[0].order[1].descending, true);
  EXPECT_EQ(last.bindings[1].group, 0);
  EXPECT_THAT(last.bindings[1].order, IsEmpty()) << "as declared";
}

struct BadCase {
  const char* from;
  const char* to;
  const char* error;  // a part of the message; null: only a graph can tell
};

// F: S1-30
TEST(BlueprintLanguageTest, NamesWhatIsWrong) {
  const BadCase cases[] = {
      // Producers and versions.
      {"picture@>=1.2 <2", "picture@", "names no version"},
      {"picture@>=1.2 <2", "picture@>=x", "\"x\" is not a dotted number"},
      {"picture@>=1.2 <2", "picture@>=", "\"\" is not a version"},
      {"picture@>=1.2 <2", "picture@>=2 <1", "\">=2 <1\": no version is in it"},
      {"picture@>=1.2 <2", "picture@>2 <=2.0", "no version is in it"},
      {"picture@>=1.2 <2", "picture@>=2 <=2 !=2.0", "no version is in it"},
      {"picture@>=1.2 <2", "picture@<0.0", "no version is in it"},
      {"picture@>=1.2 <2", "picture@=1 >1", "no version is in it"},
      {"picture@>=1.2 <2", "picture@=nightly >0", "no version is in it"},
      {"picture@>=1.2 <2", "picture@nightly beta", "no version is in it"},
      {"version: \"!=3\"", "versions: \"!=3\"", "did you mean \"version\"?"},
      {"name: clip, ", "", "nodes.Clip.producer: name is missing"},
      // Options.
      {"salt: again", "salt: [again]", "nodes.Picture.salt: must be a text"},
      {"concurrency: 2", "concurency: 2", "did you mean \"concurrency\"?"},
      {"concurrency: 2", "concurrency: 0", "from 1 to 10000, got 0"},
      {"priority: 7", "priority: 1001", "from 1 to 1000, got 1001"},
      {"job_timeout_seconds: 300", "job_timeout_seconds: 86401",
       "nodes.Picture.limits.job_timeout_seconds: must be an integer from 1 to "
       "86400, got 86401"},
      {"job_timeout_seconds: 300", "job_timeout_seconds: 0.5",
       "must be an integer from 1"},
      {"max_attempts: 5", "max_attempts: 1.5", "from 1 to 100, got 1.5"},
      {"seconds: 90", "seconds: long", "must be a number, got \"long\""},
      {"min: 0.01, ", "", "nodes.Picture.price: min is missing"},
      {"min: 0.01", "min: -1", "from 0 to 1e+09, got -1"},
      {"min: 0.01", "min: 0.5", "min 0.5 is greater than max 0.05"},
      {"currency: USD", "currency: usd", "\"usd\" is not a currency"},
      // Readable paths.
      {"{segment:04}/", "", "must hold {segment}"},
      {"{segment:04}", "{segmen}", "did you mean \"segment\"?"},
      {"{segment:04}", "{segment:4}", "\"4\" is no width from 01"},
      {"{segment:04}/{", "{segment:04}{", "two artefacts might share a file"},
      {"notes/", "../", "none of which begins with a dot"},
      {"{segment:04}/{image}", "{segment", "a { without its }"},
      {"type: text/plain, read", "type: image/png, read",
       "only text and JSON have a readable copy"},
      {"Image: image/png",
       "X: {type: text/css, readable: \"notes/{segment}/{image}.txt\"}",
       "its files may be those of output X (line 20)"},
      {"Image: image/png",
       "X: {type: text/css, readable: \"notes/{segment}/{image}.txt/x\"}",
       "its files may be those of output X"},
      // Nested dimensions.
      {"within: segment", "within: segmet", "did you mean \"segment\"?"},
      {"within: segment", "within: language", "must be declared before"},
      {"over: [segment, image]", "over: [image]",
       "nodes.Picture: is over image, which is nested in segment"},
      {"{within: segment, size", "{size", "add within: segment"},
      {"\"Input:Images[segment]\"", "Input:Images",
       "write \"Input:Images[segment]\""},
      {"\"Input:Images[segment]\"", "\"Input:Images[segment-1]\"",
       "write \"Input:Images[segment]\""},
      {"\"Input:Images[segment]\"", "\"Input:Images[0]\"",
       "write \"Input:Images[segment]\""},
      {"size: 2}", "size: 2, within: image}", nullptr},
      // Bindings.
      {"else: Input:Sample", "else: \"Clip[segment]\"", nullptr},
      {"else: Input:Sample", "els: Input:Sample", "did you mean \"else\"?"},
      {"else: Input:Sample", "else: \"Image[segment][image]\"",
       "nodes.Clip.inputs.other.else: \"Image\" is over image"},
      {"group: segment", "group: language",
       "the fan-in does not run through \"language\""},
      {"group: segment", "group: image, order: [segment]",
       "must be first in the order"},
      {"[image, -segment]", "[image, -image]", "stands there twice"},
      {"[image, -segment]", "image", "must be a list of dimensions"},
      // Conditions.
      {"[Input:Music, ", "[Input:Style, ", "not boolean: compare it"},
      {"[Input:Music, ", "[Image, ", "\"Image\" has the dimensions"},
      {"[Input:Music, ", "[Album, ",
       "\"Album\" is application/pdf, not JSON: compare it"},
      {"[Input:Music, ", "[", nullptr},
      {"value: Input:Style, in: [film, trailer]", "value: Input:Style",
       "takes one comparison"},
      {"in: [film, trailer]", "in: film", "must be a list"},
      {"in: [film, trailer]", "is: 3",
       "Input:Style must be a text, got number"},
      {"in: [film, trailer]", "at_least: 3", "which has no order"},
      {"value: Input:Style, in: [film, trailer]", "value: Input:Sample, is: x",
       "is a file, which cannot be compared"},
      // Cycles that no index ends.
      {"before: \"Clip[segment-1]\"", "before: \"Clip[segment]\"", nullptr},
  };
  for (const BadCase& bad : cases) {
    absl::StatusOr<Blueprint> parsed =
        ParseBlueprint("album.yaml", Album(bad.from, bad.to));
    if (bad.error == nullptr) {
      EXPECT_OK(parsed) << bad.to;
      continue;
    }
    EXPECT_THAT(parsed, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(bad.error)))
        << "with " << bad.to;
    EXPECT_EQ(ReasonOf(parsed.status()), "BLUEPRINT_INVALID");
  }
}

constexpr char kLeaves[] = R"(blueprint: leaves
dimensions: {shot: {size: 2}}
nodes:
  Director:
    producer: director
    outputs:
      Plan:
        type: application/json
        leaves:
          Prompt: {at: "/shots/{shot}/prompt", over: [shot], type: text/plain}
          Mood: /mood
  Shot:
    producer: shot
    over: [shot]
    inputs: {prompt: "Prompt[shot]", mood: Mood}
    outputs: {Shot: video/mp4}
)";

// F: B-3
TEST(BlueprintLanguageTest, LeavesAreOutputsOfTheirOwn) {
  ASSERT_OK_AND_ASSIGN(Blueprint film, ParseBlueprint("", kLeaves));
  ASSERT_EQ(film.outputs.size(), 4u);
  EXPECT_EQ(film.outputs[1].leaf_of, 0);
  EXPECT_THAT(film.outputs[1].dimensions, ElementsAre(0));
  EXPECT_EQ(film.outputs[1].pointer.At({1}), "/shots/1/prompt");
  EXPECT_EQ(film.outputs[2].mime_type, "application/json");
  EXPECT_EQ(film.outputs[3].leaf_of, -1);
  std::string salt = film.nodes[0].salt;
  std::string moved = kLeaves;
  moved.replace(moved.find("/mood"), 5, "/tone");
  EXPECT_NE(ParseBlueprint("", moved)->nodes[0].salt, salt);
  EXPECT_EQ(film.nodes[1].salt, "");

  const BadCase cases[] = {
      {"/mood", "mood", "\"mood\" is no JSON pointer"},
      {"/mood", "/mo~od", "a ~ is written as ~0"},
      {"/mood", "\"\"", "a leaf is a part"},
      {"{shot}/prompt", "0/prompt", "must hold {shot}"},
      {"{shot}/prompt", "{shots}/prompt", "did you mean \"shot\"?"},
      {"at: \"/shots/{shot}/prompt\", ", "", "at is missing"},
      {"type: text/plain}", "type: image/png}", "a leaf is text or JSON"},
      {"type: application/json", "type: text/plain", "only JSON has leaves"},
      {"type: application/json",
       "type: application/json\n        readable: plan.json",
       "an output with leaves has no readable copy"},
      {"Mood: /mood", "Plan: /mood", "makes \"Plan\", but node Director"},
  };
  for (const BadCase& bad : cases) {
    std::string yaml = kLeaves;
    yaml.replace(yaml.find(bad.from), std::string(bad.from).size(), bad.to);
    EXPECT_THAT(
        ParseBlueprint("", yaml),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(bad.error)))
        << bad.to;
  }
}

TEST(BlueprintLanguageTest, CyclesByOffsetsAndFallbacksMakeGroups) {
  ASSERT_OK_AND_ASSIGN(Blueprint b, ParseBlueprint("", R"(
blueprint: b
dimensions: {s: {size: 3}}
nodes:
  End: {producer: p, inputs: {x: {all: "A[s]"}}, outputs: {E: text/plain}}
  A: {producer: p, over: [s], inputs: {x: "B[s]"}, outputs: {A: text/plain}}
  B: {producer: p, over: [s], inputs: {x: "A[s-1]"}, outputs: {B: text/plain}}
)"));
  EXPECT_THAT(b.node_groups, ElementsAre(ElementsAre(1, 2), ElementsAre(0)));
}

TEST(BlueprintLanguageTest, LongChainsOfNodesAreOrdered) {
  std::string yaml = "blueprint: b\nnodes:\n";
  for (int i = 1999; i >= 0; --i) {
    yaml += "  N" + std::to_string(i) + ": {producer: p, ";
    if (i > 0) yaml += "inputs: {x: O" + std::to_string(i - 1) + "}, ";
    yaml += "outputs: {O" + std::to_string(i) + ": text/plain}}\n";
  }
  ASSERT_OK_AND_ASSIGN(Blueprint b, ParseBlueprint("", yaml));
  ASSERT_EQ(b.node_groups.size(), 2000u);
  EXPECT_EQ(b.nodes[b.node_groups[0][0]].name, "N0");
  EXPECT_EQ(b.nodes[b.node_groups[1999][0]].name, "N1999");
}

}  // namespace
}  // namespace kinora
