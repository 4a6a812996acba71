// What came or went is explained by what decides that there is such a thing.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/testing/status_matchers.h"
#include "services/planner/history/revision_diff.h"
#include "services/planner/history/told_movie.h"

namespace kinora {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Lists size both dimensions, and conditions look at an input and at artefacts.
constexpr char kScenes[] = R"(blueprint: scenes
inputs:
  Story: {type: text}
  Plot: {type: text, default: thin}
  Mode: {type: text, over: [segment], default: moving}
  Loud: {type: boolean, default: true}
dimensions:
  segment: {size: Scenes}
  shot: {within: segment, size: "Shots[segment]"}
  part: {size: 3}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story", plot: "Input:Plot"}
    outputs: {Scenes: application/json}
  Storyboard:
    producer: board
    over: [segment]
    inputs: {scenes: Scenes}
    outputs: {Shots: application/json}
  Judge:
    producer: judge
    over: [segment]
    inputs: {scenes: Scenes}
    outputs: {Verdict: text/plain}
  Shoot:
    producer: clip
    over: [segment, shot]
    inputs: {shots: "Shots[segment]"}
    outputs: {Clip: text/plain}
  Still:
    producer: still
    over: [segment]
    when:
      - {value: "Input:Mode[segment]", is: still}
      - {value: "Verdict[segment]", is: good}
    inputs: {scenes: Scenes}
    outputs: {Image: text/plain}
  Music:
    producer: music
    when: Input:Loud
    over: [part]
    inputs: {story: "Input:Story"}
    outputs: {Song: text/plain}
  Titles:
    producer: titles
    inputs: {story: "Input:Story"}
    outputs: {Title: {type: text/plain, over: [segment]}}
  Cut:
    producer: cut
    inputs: {clips: {all: "Clip[segment][shot]"}, song: "Song[0]"}
    outputs: {Film: text/plain}
outputs: [Film]
)";

class ExplanationPlacesTest : public ToldMovie {
 protected:
  ExplanationPlacesTest() {
    Pin(kScenes);
    Set("Input:Story", "a cat");
    Script("[1,2,3]");
    for (int i = 0; i < 3; ++i) Board(i, "[1]");
  }

  void Script(const std::string& scenes) {
    Make("Artifact:Scenes", "Script", scenes, {{"story", "Input:Story"}});
  }
  void Board(int segment, const std::string& shots) {
    Make(At("Shots", segment), "Storyboard", shots,
         {{"scenes", "Artifact:Scenes"}});
  }
  void Clip(int segment, int shot) {
    Make(ClipAt(segment, shot), "Shoot", absl::StrCat("clip ", segment, shot),
         {{"shots", At("Shots", segment)}});
  }
  static std::string At(const std::string& name, int segment) {
    return absl::StrCat("Artifact:", name, "[segment=", segment, "]");
  }
  static std::string ClipAt(int segment, int shot) {
    return absl::StrCat(At("Clip", segment), "[shot=", shot, "]");
  }

  // What `kinora diff` says of one artefact.
  std::string Difference(const std::string& id, const RevisionState& before,
                         const RevisionState& now) {
    RevisionDiff diff(before, now);
    DecidingReader values(blobs_.get());
    EXPECT_OK(diff.ExplainPlaces(values));
    for (const v1::Event& event : events_) diff.Add(event);
    for (size_t i = 0; i < diff.size(); ++i) {
      if (diff.At(i).id() == id) return diff.At(i).reason().text();
    }
    return "no difference";
  }
};

// F: B-12
TEST_F(ExplanationPlacesTest, ListThatGotShorterIsNamed) {
  Clip(2, 0);
  const RevisionState first = Commit();
  Set("Input:Story", "a short cat");
  Script("[1,2]");
  Remove(ClipAt(2, 0));
  Remove(At("Shots", 2));
  const RevisionState second = Commit();
  // The list within, which is gone for the same reason, is not to blame.
  EXPECT_THAT(Why(ClipAt(2, 0), first, second),
              ElementsAre(ClipAt(2, 0).insert(0, "0 ") +
                              ": upstream changed: Artifact:Scenes; no longer "
                              "part of the movie",
                          "1 Artifact:Scenes: input changed: Input:Story",
                          "2 Input:Story: edited"));
  EXPECT_EQ(explained_.causes(1).old_content().inline_().data(), "[1,2,3]");
  EXPECT_EQ(explained_.causes(1).new_content().inline_().data(), "[1,2]");
  EXPECT_EQ(Difference(ClipAt(2, 0), first, second),
            "upstream changed: Artifact:Scenes; no longer part of the movie");

  // Seen the other way round it came.
  EXPECT_THAT(Why(ClipAt(2, 0), second, first),
              Contains("0 " + ClipAt(2, 0) +
                       ": not in rev-0002; upstream changed: "
                       "Artifact:Scenes"));
  EXPECT_EQ(Difference(ClipAt(2, 0), second, first),
            "not in rev-0002; upstream changed: Artifact:Scenes");
}

// F: B-12: what sizes a dimension within another is the list at that place.
TEST_F(ExplanationPlacesTest, ListOfThatPlaceIsNamed) {
  Clip(1, 0);
  const RevisionState first = Commit();
  Set("Input:Story", "a long cat");
  Script("[1,2,4]");
  for (int i = 0; i < 3; ++i) Board(i, "[1,2]");
  Clip(1, 1);
  const RevisionState second = Commit();
  EXPECT_THAT(
      Why(ClipAt(1, 1), first, second),
      ElementsAre("0 " + ClipAt(1, 1) +
                      ": not in rev-0001; upstream changed: " + At("Shots", 1),
                  "1 " + At("Shots", 1) + ": upstream changed: Artifact:Scenes",
                  "2 Artifact:Scenes: input changed: Input:Story",
                  "3 Input:Story: edited"));
}

// F: B-12: a condition on an input and one on an artefact, at one place.
TEST_F(ExplanationPlacesTest, ConditionsNameTheElementTheyLookAt) {
  const auto judge = [this](int segment, const std::string& verdict) {
    Make(At("Verdict", segment), "Judge", verdict,
         {{"scenes", "Artifact:Scenes"}});
  };
  judge(0, "good");
  judge(1, "good");
  const RevisionState first = Commit();
  Set("Input:Mode[segment=0]", "other");
  Set("Input:Mode[segment=1]", "still");
  Make(At("Image", 1), "Still", "image", {{"scenes", "Artifact:Scenes"}});
  const RevisionState second = Commit();
  EXPECT_THAT(Why(At("Image", 1), first, second),
              ElementsAre("0 " + At("Image", 1) +
                              ": not in rev-0001; input changed: "
                              "Input:Mode[segment=1]",
                          "1 Input:Mode[segment=1]: edited"));
  EXPECT_EQ(explained_.causes(1).old_content().inline_().data(), "moving");
  EXPECT_EQ(explained_.causes(1).new_content().inline_().data(), "still");

  versions_["Judge"] = "2";
  judge(0, "better");
  judge(1, "bad");
  Remove(At("Image", 1));
  const RevisionState third = Commit();
  EXPECT_THAT(Why(At("Image", 1), second, third),
              ElementsAre("0 " + At("Image", 1) +
                              ": upstream changed: " + At("Verdict", 1) +
                              "; no longer part of the movie",
                          "1 " + At("Verdict", 1) +
                              ": producer changed from Judge version \"\" to "
                              "Judge version \"2\""));
  EXPECT_EQ(explained_.causes(1).old_content().inline_().data(), "good");
  EXPECT_EQ(explained_.causes(1).new_content().inline_().data(), "bad");
  EXPECT_EQ(Difference(At("Image", 1), second, third),
            "upstream changed: Artifact:Verdict[segment=1]; no longer part of "
            "the movie");
}

// F: B-12: the blueprint is named only if it decided.
TEST_F(ExplanationPlacesTest, BlueprintIsBlamedForWhatItDecided) {
  const std::string song = "Artifact:Song[part=2]";
  const auto music = [this, &song] {
    Make(song, "Music", "la", {{"story", "Input:Story"}});
  };
  music();
  const RevisionState first = Commit();
  // It changed elsewhere.
  Pin(absl::StrReplaceAll(kScenes, {{"default: thin", "default: thick"}}));
  Set("Input:Loud", "false");
  Remove(song);
  const RevisionState second = Commit();
  EXPECT_THAT(Why(song, first, second),
              ElementsAre("0 " + song +
                              ": input changed: Input:Loud; no longer part of "
                              "the movie",
                          "1 Input:Loud: edited"));

  Set("Input:Loud", "true");
  Set("Input:Plot", "x");
  music();
  const RevisionState third = Commit();
  for (const auto& [was, is] : std::vector<std::pair<std::string, std::string>>{
           {"part: {size: 3}", "part: {size: 2}"},
           {"Song: text/plain", "Tune: text/plain"},
           {"when: Input:Loud", "when: {value: \"Input:Loud\", is: false}"},
           {"    over: [part]\n", ""},
       }) {
    const v1::Manifest kept = manifest_;
    Pin(absl::StrReplaceAll(kScenes, {{was, is}, {"Song[0]", "Input:Story"}}));
    Remove(song);
    const RevisionState fourth = Look();
    EXPECT_THAT(Why(song, third, fourth),
                ElementsAre("0 " + song +
                                ": input changed: Input:Blueprint; no longer "
                                "part of the movie",
                            "1 Input:Blueprint: edited"))
        << is;
    EXPECT_EQ(Difference(song, third, fourth),
              "input changed: Input:Blueprint; no longer part of the movie");
    manifest_ = kept;
  }
  // A new condition and another value: either alone would have left it.
  Pin(absl::StrReplaceAll(
      kScenes, {{"when: Input:Loud", "when: {value: \"Input:Plot\", is: x}"}}));
  Set("Input:Plot", "y");
  Remove(song);
  EXPECT_THAT(Why(song, third, Look()),
              ElementsAre("0 " + song +
                              ": input changed: Input:Blueprint, Input:Plot; "
                              "no longer part of the movie",
                          "1 Input:Plot: edited", "1 Input:Blueprint: edited"));
}

// F: B-12: a fan-in that got shorter.
TEST_F(ExplanationPlacesTest, FanInGoesOnToWhatWentAndWhy) {
  std::vector<std::pair<std::string, std::string>> reads;
  for (int i = 0; i < 3; ++i) {
    Clip(i, 0);
    reads.emplace_back(absl::StrCat("clips/", i), ClipAt(i, 0));
  }
  Make("Artifact:Film", "Cut", "long", reads);
  const RevisionState first = Commit();
  // It also changed elsewhere.
  Pin(absl::StrReplaceAll(kScenes, {{"default: thin", "default: thick"}}));
  Set("Input:Story", "a short cat");
  Script("[1,2]");
  Remove(ClipAt(2, 0));
  Remove(At("Shots", 2));
  reads.pop_back();
  Make("Artifact:Film", "Cut", "short", reads);
  const RevisionState second = Commit();
  EXPECT_THAT(Why("Artifact:Film", first, second),
              ElementsAre("0 Artifact:Film: reads or makes other things: "
                          "clips/2",
                          "1 " + ClipAt(2, 0) +
                              ": upstream changed: Artifact:Scenes; no longer "
                              "part of the movie",
                          "2 Artifact:Scenes: input changed: Input:Story",
                          "3 Input:Story: edited"));
  // And that got longer.
  EXPECT_THAT(Why("Artifact:Film", second, first),
              Contains("1 " + ClipAt(2, 0) +
                       ": not in rev-0002; upstream changed: "
                       "Artifact:Scenes"));
}

// More slots have moved than are shown.
TEST_F(ExplanationPlacesTest, FanInFindsWhatWentAmongMany) {
  const auto cut = [this](int shots) {
    std::vector<std::pair<std::string, std::string>> reads;
    for (int shot = 0; shot < shots + 200; ++shot) {
      reads.emplace_back(
          absl::StrCat("clips/", reads.size()),
          shot < shots ? ClipAt(0, shot) : ClipAt(1, shot - shots));
    }
    std::sort(reads.begin(), reads.end());
    Make("Artifact:Film", "Cut", absl::StrCat("film of ", shots), reads);
    return Commit();
  };
  std::string list = "[1";
  for (int shot = 0; shot < 200; ++shot) {
    Clip(1, shot);
    if (shot < 100) Clip(0, shot);
    list += shot > 0 && shot < 99 ? ",1" : "";
  }
  Board(0, list + ",1]");
  const RevisionState first = cut(100);
  versions_["Storyboard"] = "2";
  Board(0, list + "]");
  Remove(ClipAt(0, 99));
  const RevisionState second = cut(99);
  EXPECT_THAT(Why("Artifact:Film", first, second),
              Contains("1 " + ClipAt(0, 99) + ": upstream changed: " +
                       At("Shots", 0) + "; no longer part of the movie"));
  EXPECT_EQ(explained_.causes_size(), 3);
}

// F: B-12: a job that is to make more reads what it read before.
TEST_F(ExplanationPlacesTest, WhatAJobMakesFollowsFromTheList) {
  const auto title = [this](const std::string& text, const std::string& key) {
    Make(At("Title", 0), "Titles", text, {{"story", "Input:Story"}})
        .set_inputs_hash(key);
    (*manifest_.mutable_artefacts())[At("Title", 0)].set_inputs_hash(key);
  };
  title("one", "key of 3");
  const RevisionState first = Commit();
  versions_["Script"] = "2";
  Script("[1,2]");
  title("two", "key of 2");
  const RevisionState second = Commit();
  EXPECT_THAT(Why(At("Title", 0), first, second),
              ElementsAre("0 " + At("Title", 0) +
                              ": reads or makes other things: Artifact:Scenes",
                          "1 Artifact:Scenes: producer changed from Script "
                          "version \"1\" to Script version \"2\""));
}

// An input of a dimension that a list sizes comes and goes with it.
TEST_F(ExplanationPlacesTest, InputsComeWithTheListToo) {
  Make(At("Image", 1), "Still", "image", {{"scenes", "Artifact:Scenes"}});
  const RevisionState first = Commit();
  versions_["Script"] = "2";
  Script("[1,2,3,4]");
  Make(At("Image", 1), "Still", "another image",
       {{"mode", "Input:Mode[segment=3]"}, {"scenes", "Artifact:Scenes"}});
  const RevisionState second = Commit();
  EXPECT_THAT(Why(At("Image", 1), first, second),
              Contains("1 Input:Mode[segment=3]: not in rev-0001; upstream "
                       "changed: Artifact:Scenes"));
}

// The list is large, so its value is a blob.
class ListBlob : public BlobBytes {
 public:
  absl::StatusOr<std::string> Read(const v1::BlobRef& blob) override {
    if (blob.digest().hash() == Sha256Of("three").Hex()) return "[1,2,3]";
    if (blob.digest().hash() == Sha256Of("two").Hex()) return "[1,2]";
    return absl::NotFoundError("collected");
  }
};

TEST_F(ExplanationPlacesTest, ListsMayBeBlobsAndMayBeGone) {
  blobs_ = std::make_unique<ListBlob>();
  const auto script = [this](const std::string& name) {
    v1::Content& content =
        *(*manifest_.mutable_artefacts())["Artifact:Scenes"].mutable_content();
    content.mutable_blob()->mutable_digest()->set_hash(Sha256Of(name).Hex());
    return Commit();
  };
  Clip(2, 0);
  Clip(0, 0);
  const RevisionState first = script("three");
  Remove(ClipAt(2, 0));
  const RevisionState second = script("two");
  EXPECT_EQ(Difference(ClipAt(2, 0), first, second),
            "upstream changed: Artifact:Scenes; no longer part of the movie");
  // It has not another value for what the list still has.
  Remove(ClipAt(0, 0));
  const RevisionState third = Commit();
  EXPECT_EQ(Difference(ClipAt(0, 0), first, third),
            "no longer part of the movie");
  // What cannot be read any more may have decided it.
  const RevisionState last = script("lost");
  EXPECT_EQ(Difference(ClipAt(0, 0), first, last),
            "upstream changed: Artifact:Scenes; no longer part of the movie");
}

// What a scope left out came for no reason of its own.
TEST_F(ExplanationPlacesTest, WhatAScopeLeftOutIsExplainedByWhatItIsMadeOf) {
  const RevisionState first = Commit();
  Clip(0, 0);
  const RevisionState second = Commit();
  EXPECT_THAT(
      Why(ClipAt(0, 0), first, second),
      ElementsAre("0 " + ClipAt(0, 0) + ": not in rev-0001",
                  "1 " + At("Shots", 0) + ": unchanged since rev-0001"));
  EXPECT_THAT(explained_.notes(), IsEmpty());
}

}  // namespace
}  // namespace kinora
