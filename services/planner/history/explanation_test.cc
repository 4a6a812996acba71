#include "services/planner/history/explanation.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/content.h"
#include "common/digest.h"
#include "common/testing/status_matchers.h"
#include "services/planner/history/told_movie.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A film of a script and pictures: `style` is a setting of Picture.
std::string Film(const std::string& style) {
  return absl::StrReplaceAll(R"(blueprint: film
inputs:
  Story: {type: text}
  Mood: {type: text, default: calm}
  Count: {type: integer, default: 2}
dimensions:
  segment: {size: Input:Count}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: text/plain}
  Picture:
    producer: picture
    over: [segment]
    settings: {style: STYLE, size: 3}
    inputs: {text: "Text", mood: "Input:Mood"}
    outputs: {Image: text/plain}
outputs: [Image]
)",
                             {{"STYLE", style}});
}

class ExplanationTest : public ToldMovie {
 protected:
  ExplanationTest() { Pin(Film("dark")); }
};

// F: B-12
TEST_F(ExplanationTest, ChainGoesBackToTheInputThatChanged) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  Set("Input:Story", "a dog");
  MakeScript("about a dog");
  MakePicture("dog");
  const RevisionState second = Commit();
  EXPECT_THAT(Why("Artifact:Image[segment=0]", first, second),
              ElementsAre("0 Artifact:Image[segment=0]: upstream changed: "
                          "Artifact:Text",
                          "1 Artifact:Text: input changed: Input:Story",
                          "2 Input:Story: edited"));
  const v1::Cause& image = explained_.causes(0);
  EXPECT_EQ(image.origin(), v1::VALUE_ORIGIN_MADE);
  EXPECT_EQ(image.since_revision(), "rev-0002");
  ASSERT_EQ(image.changes_size(), 1);
  EXPECT_EQ(image.changes(0).part(), v1::KEY_PART_ARTEFACT);
  EXPECT_EQ(image.changes(0).name(), "text");
  EXPECT_EQ(image.changes(0).old_hash(), Sha256Of("about a cat").Hex());
  EXPECT_EQ(image.changes(0).new_hash(), Sha256Of("about a dog").Hex());
  const v1::Cause& story = explained_.causes(2);
  EXPECT_EQ(story.cause_of(), "Artifact:Text");
  EXPECT_EQ(story.old_content().inline_().data(), "a cat");
  EXPECT_EQ(story.new_content().inline_().data(), "a dog");
  EXPECT_EQ(story.edited_by(), v1::EDITED_BY_USER);
  EXPECT_THAT(explained_.notes(), IsEmpty());
}

// F: B-12: exactly the component that changed.
TEST_F(ExplanationTest, ProducersAndSettingsAreNamed) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  versions_["Picture"] = "2";
  MakePicture("a better cat");
  const RevisionState second = Commit();
  EXPECT_THAT(Why("Artifact:Image[segment=0]", first, second),
              ElementsAre("0 Artifact:Image[segment=0]: producer changed from "
                          "Picture version \"1\" to Picture version \"2\""));
  Pin(Film("light"));
  MakePicture("a light cat");
  const RevisionState third = Commit();
  EXPECT_THAT(
      Why("Artifact:Image[segment=0]", second, third),
      ElementsAre("0 Artifact:Image[segment=0]: settings changed: style",
                  "1 Input:Blueprint: edited"));
  ASSERT_EQ(explained_.causes(0).changes_size(), 1);
  const v1::KeyChange& style = explained_.causes(0).changes(0);
  EXPECT_EQ(style.part(), v1::KEY_PART_SETTING);
  EXPECT_EQ(style.old_text(), "\"dark\"");
  EXPECT_EQ(style.new_text(), "\"light\"");
}

// F: B-12
TEST_F(ExplanationTest, SaltIsNamed) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  Pin(absl::StrReplaceAll(Film("dark"), {{"    over: [segment]\n",
                                          "    over: [segment]\n"
                                          "    salt: again\n"}}));
  MakePicture("another cat");
  const RevisionState second = Commit();
  EXPECT_THAT(Why("Artifact:Image[segment=0]", first, second),
              ElementsAre("0 Artifact:Image[segment=0]: salt changed",
                          "1 Input:Blueprint: edited"));
  ASSERT_EQ(explained_.causes(0).changes_size(), 1);
  EXPECT_EQ(explained_.causes(0).changes(0).part(), v1::KEY_PART_SALT);
  EXPECT_EQ(explained_.causes(0).changes(0).new_text(), "again");
}

// F: B-12
TEST_F(ExplanationTest, UnchangedArtefactSaysSinceWhen) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  Set("Input:Mood", "wild");
  MakePicture("wild cat");
  const RevisionState second = Commit();
  EXPECT_THAT(Why("Artifact:Text", first, second),
              ElementsAre("0 Artifact:Text: unchanged since rev-0001"));
  EXPECT_EQ(explained_.causes(0).origin(), v1::VALUE_ORIGIN_UNCHANGED);
  // A default that was set over is no longer a default.
  EXPECT_THAT(Why("Artifact:Image[segment=0]", first, second),
              ElementsAre("0 Artifact:Image[segment=0]: input changed: "
                          "Input:Mood",
                          "1 Input:Mood: edited"));
  EXPECT_EQ(explained_.causes(1).old_content().inline_().data(), "calm");
}

// F: B-12, B-6
TEST_F(ExplanationTest, ReusedAndReplacedArtefactsSayHow) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  const RevisionState first = Commit();
  Make("Artifact:Text", "Script", "by hand", {{"story", "Input:Story"}})
      .mutable_produced_by()
      ->set_edited_by(v1::EDITED_BY_USER);
  const RevisionState second = Commit();
  EXPECT_THAT(Why("Artifact:Text", first, second),
              ElementsAre("0 Artifact:Text: replaced by hand"));
  EXPECT_EQ(explained_.causes(0).origin(), v1::VALUE_ORIGIN_EDITED);
  Make("Artifact:Text", "Script", "about a cat", {{"story", "Input:Story"}})
      .set_reused_sequence(3);
  const RevisionState third = Commit();
  EXPECT_THAT(Why("Artifact:Text", second, third),
              ElementsAre("0 Artifact:Text: the edit by hand was taken back"));
  EXPECT_EQ(explained_.causes(0).origin(), v1::VALUE_ORIGIN_REUSED);
  EXPECT_EQ(explained_.causes(0).reused_sequence(), 3);
}

// F: B-12, B-6: what brought the key of an edit back is why it holds again.
TEST_F(ExplanationTest, EditThatComesBackIsNotTheReason) {
  const auto put_in_by_hand = [this](int64_t reused) {
    v1::ArtefactEvent& edit =
        Make("Artifact:Text", "Script", "by hand", {{"story", "Input:Story"}});
    edit.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
    edit.set_reused_sequence(reused);
    return static_cast<int64_t>(events_.size());
  };
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  Commit();
  const int64_t edit = put_in_by_hand(0);
  Commit();
  Set("Input:Story", "a dog");
  MakeScript("about a dog");
  const RevisionState changed = Commit();
  Set("Input:Story", "a cat");
  put_in_by_hand(edit);
  const RevisionState undone = Commit();
  EXPECT_THAT(Why("Artifact:Text", changed, undone),
              ElementsAre("0 Artifact:Text: input changed: Input:Story",
                          "1 Input:Story: edited"));
  EXPECT_EQ(explained_.causes(0).origin(), v1::VALUE_ORIGIN_REUSED);
  EXPECT_EQ(explained_.causes(0).edited_by(), v1::EDITED_BY_USER);
  EXPECT_EQ(explained_.causes(0).reused_sequence(), edit);
  // Under the same key, as by a revert.
  MakeScript("made anew");
  const RevisionState anew = Commit();
  put_in_by_hand(edit);
  const RevisionState reverted = Commit();
  EXPECT_THAT(Why("Artifact:Text", anew, reverted),
              ElementsAre("0 Artifact:Text: an earlier value, put in by hand"));
  EXPECT_EQ(explained_.causes(0).origin(), v1::VALUE_ORIGIN_REUSED);
}

// F: B-12: an import has a hash for a key, and neither node nor producer.
TEST_F(ExplanationTest, WhatWasImportedBeforeSaysSo) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  v1::ArtefactEvent& imported = *events_.back().mutable_artefact();
  imported.set_inputs_hash(ContentHash(imported.output()));
  imported.clear_produced_by();
  imported.clear_dependencies();
  v1::ManifestArtefact& artefact =
      (*manifest_.mutable_artefacts())["Artifact:Text"];
  artefact.set_inputs_hash(imported.inputs_hash());
  artefact.clear_node();
  const RevisionState base = Commit();
  MakeScript("about a cat");
  EXPECT_THAT(Why("Artifact:Text", base, Commit()),
              ElementsAre("0 Artifact:Text: imported before, and not known "
                          "what it was made from"));
}

// F: B-12: nothing was made.
TEST_F(ExplanationTest, ReuseUnderTheSameKeyIsNotMadeAnew) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  const int64_t made = static_cast<int64_t>(events_.size());
  Commit();
  MakeScript("made anew");
  const RevisionState anew = Commit();
  Make("Artifact:Text", "Script", "about a cat", {{"story", "Input:Story"}})
      .set_reused_sequence(made);
  EXPECT_THAT(
      Why("Artifact:Text", anew, Commit()),
      ElementsAre("0 Artifact:Text: an earlier value, from the same inputs"));
}

// F: B-12, B-6
TEST_F(ExplanationTest, EditThatComesBackWithItsPlaceNamesWhatSizesIt) {
  const std::string id = "Artifact:Image[segment=2]";
  const auto put_in_by_hand = [this](int64_t reused) {
    MakePicture("by hand", 2);
    v1::ArtefactEvent& edit = *events_.back().mutable_artefact();
    edit.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
    edit.set_reused_sequence(reused);
    return static_cast<int64_t>(events_.size());
  };
  Set("Input:Story", "a cat");
  Set("Input:Count", "3");
  MakeScript("about a cat");
  const int64_t edit = put_in_by_hand(0);
  Commit();
  Set("Input:Count", "2");
  Remove(id);
  const RevisionState without = Commit();
  Set("Input:Count", "3");
  put_in_by_hand(edit);
  const RevisionState with = Commit();
  Why(id, without, with);
  EXPECT_THAT(explained_.causes(0).reason().text(),
              HasSubstr("not in rev-0002"));
  EXPECT_EQ(explained_.causes(0).origin(), v1::VALUE_ORIGIN_REUSED);
  ASSERT_EQ(explained_.causes_size(), 2);
  EXPECT_EQ(explained_.causes(1).id(), "Input:Count");
}

TEST_F(ExplanationTest, FirstRevisionIsExplainedByWhatItWasMadeOf) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  EXPECT_THAT(
      Why("Artifact:Image[segment=0]", RevisionState(), first),
      ElementsAre("0 Artifact:Image[segment=0]: first revision",
                  "1 Input:Mood: the blueprint's default",
                  "1 Artifact:Text: first revision", "2 Input:Story: set"));
}

// There is no picture before the first one.
TEST_F(ExplanationTest, WhatIsAbsentIsNoCause) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  Make("Artifact:Image[segment=0]", "Picture", "cat",
       {{"before", ""}, {"text", "Artifact:Text"}});
  EXPECT_THAT(
      Why("Artifact:Image[segment=0]", RevisionState(), Commit()),
      ElementsAre("0 Artifact:Image[segment=0]: first revision",
                  "1 Artifact:Text: first revision", "2 Input:Story: set"));
}

TEST_F(ExplanationTest, NewAndRemovedArtefactsNameTheSizeThatMadeThem) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  Set("Input:Count", "3");
  MakePicture("third cat", 2);
  const RevisionState second = Commit();
  Why("Artifact:Image[segment=2]", first, second);
  EXPECT_THAT(explained_.causes(0).reason().text(),
              HasSubstr("not in rev-0001"));
  EXPECT_EQ(explained_.causes(1).id(), "Input:Count");
  EXPECT_EQ(explained_.causes(1).reason().text(), "edited");
  EXPECT_THAT(Why("Artifact:Image[segment=2]", second, first),
              ElementsAre("0 Artifact:Image[segment=2]: input changed: "
                          "Input:Count; no longer part of the movie",
                          "1 Input:Count: back to the blueprint's default"));
}

// What retention has taken from the log cannot be told, and that is said.
TEST_F(ExplanationTest, LostEventsAreNoted) {
  Set("Input:Story", "a cat");
  MakeScript("about a cat");
  MakePicture("cat");
  const RevisionState first = Commit();
  versions_["Picture"] = "2";
  MakePicture("a better cat");
  const RevisionState second = Commit();
  forgotten_ = 4;
  EXPECT_THAT(Why("Artifact:Image[segment=0]", first, second),
              ElementsAre("0 Artifact:Image[segment=0]: producer changed from "
                          "Picture version \"1\" to Picture version \"2\""));
  EXPECT_THAT(explained_.notes(),
              ElementsAre("the log no longer holds how "
                          "Artifact:Image[segment=0] of rev-0001 was made"));
}

// A chain stays small enough to read, whatever the graph.
TEST_F(ExplanationTest, ChainIsBounded) {
  for (int change = 0; change < 2; ++change) {
    std::vector<std::pair<std::string, std::string>> reads;
    for (int i = 0; i < 150; ++i) {
      const std::string part = absl::StrCat("Artifact:Part[n=", i, "]");
      Make(part, "Part", absl::StrCat("part ", i, change), {});
      reads.emplace_back(absl::StrCat("parts/", i), part);
    }
    std::sort(reads.begin(), reads.end());
    Make("Artifact:Whole", "Whole", absl::StrCat("whole ", change), reads);
    Commit();
  }
  RevisionState now = Look();
  v1::Manifest before = manifest_;
  before.set_revision("rev-0001");
  for (auto& entry : *before.mutable_artefacts()) {
    if (entry.first == "Artifact:Whole") {
      *entry.second.mutable_content() = InlineContent("text/plain", "whole 0");
    } else {
      std::string text = entry.second.content().inline_().data();
      text.back() = '0';
      *entry.second.mutable_content() = InlineContent("text/plain", text);
    }
  }
  Why("Artifact:Whole",
      {std::make_shared<const v1::Manifest>(before), blueprint_}, now);
  EXPECT_LE(explained_.causes_size(), static_cast<int>(kMaxCauses));
  EXPECT_EQ(explained_.causes(0).changes_size(), 100);
  ASSERT_GT(explained_.notes_size(), 0);
  EXPECT_THAT(explained_.notes(0), HasSubstr("50 further things"));
}

}  // namespace
}  // namespace kinora
