#include "services/planner/history/unmade.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/inputs_hash.h"
#include "common/testing/status_matchers.h"
#include "services/planner/history/told_movie.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kScenes[] = R"(blueprint: scenes
inputs:
  Story: {type: text}
  Loud: {type: boolean, default: true}
dimensions:
  segment: {size: Scenes}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Scenes: application/json}
  Shoot:
    producer: clip
    over: [segment]
    inputs: {scenes: Scenes, before: "Clip[segment-1]"}
    outputs: {Clip: text/plain}
  Music:
    producer: music
    when: Input:Loud
    inputs: {scenes: Scenes}
    outputs: {Song: text/plain}
  Cut:
    producer: cut
    inputs: {clips: {all: "Clip[segment]"}, song: Song}
    outputs: {Film: text/plain}
outputs: [Film]
)";

class UnmadeTest : public ToldMovie {
 protected:
  UnmadeTest() { Pin(kScenes); }

  Unmade Look(const std::string& text) {
    absl::StatusOr<ElementId> id = ElementId::Parse(text);
    EXPECT_OK(id);
    DecidingReader values(nullptr);
    absl::StatusOr<Unmade> unmade = ExplainUnmade(
        *id, ToldMovie::Look(), values, [this](const std::string& artefact) {
          looked_for_.push_back(artefact);
          return FindResult(artefact);
        });
    EXPECT_OK(unmade);
    return *std::move(unmade);
  }
  std::vector<std::string> Waits(const std::string& id) {
    std::vector<std::string> lines;
    const Unmade unmade = Look(id);
    for (const v1::Cause& cause : unmade.explained.causes()) {
      lines.push_back(absl::StrCat(cause.depth(), " ", cause.id(), ": ",
                                   cause.reason().text()));
    }
    return lines;
  }
  // The log as a store has it.
  absl::StatusOr<std::optional<v1::Event>> FindResult(const std::string& id) {
    std::optional<v1::Event> found;
    for (const v1::Event& event : events_) {
      if (event.artefact().artefact_id() == id) found = event;
    }
    return found;
  }
  std::string Suggest(const std::string& text) {
    absl::StatusOr<ElementId> id =
        ElementId::Parse(text, ElementId::Kind::kArtefact);
    EXPECT_OK(id);
    DecidingReader values(nullptr);
    absl::StatusOr<std::string> hint =
        SuggestArtefact(*id, ToldMovie::Look(), values);
    EXPECT_OK(hint);
    return *std::move(hint);
  }
  void MakeScenes(const std::string& scenes) {
    Make("Artifact:Scenes", "Script", scenes, {{"story", "Input:Story"}});
  }
  // As a run that failed does: what it made is in the log alone.
  void MakeUnpublished(
      const std::string& id, const std::string& node, const std::string& value,
      const std::vector<std::pair<std::string, std::string>>& reads) {
    v1::ArtefactEvent& attempt = Make(id, node, value, reads);
    Sign(&attempt);
    unpublished_.push_back(id);
  }
  // By the key that a plan gives the job, whose only artefact it is, and which
  // reads no list.
  void Sign(v1::ArtefactEvent* attempt) {
    v1::ProducedBy& by = *attempt->mutable_produced_by();
    const NodeDeclaration& node =
        blueprint_->nodes[blueprint_->FindNode(by.node())];
    by.mutable_producer()->set_name(node.producer);
    by.mutable_producer()->set_version("2");
    const ElementId id = *ElementId::Parse(attempt->artefact_id());
    std::string job_id = node.name;
    for (const DimensionIndex& index : id.indices) {
      absl::StrAppend(&job_id, "[", index.dimension, "=", index.index, "]");
    }
    by.set_job_id(job_id);
    JobKey key;
    key.node = {node.producer,
                "2",
                Sha256Of(node.settings_json),
                node.salt,
                {{id.name, blueprint_->outputs[node.outputs[0]].mime_type}}};
    key.job_id = job_id;
    key.draw = attempt->draw();
    key.artefact_ids = {attempt->artefact_id()};
    for (const Binding& binding : node.bindings) {
      KeyBinding& bound = key.bindings.emplace_back();
      bound.name = binding.name;
      for (const v1::Dependency& read : attempt->dependencies()) {
        if (read.slot() != binding.name) continue;
        bound.contents.push_back(*Digest::ParseHex(read.hash()));
      }
    }
    attempt->set_inputs_hash(InputsHash(key).Hex());
  }
  void Replace(const std::string& what, const std::string& by) {
    std::string edited = kScenes;
    edited.replace(edited.find(what), what.size(), by);
    Pin(edited);
  }
  void Fail() {
    for (const std::string& id : unpublished_) Remove(id);
    unpublished_.clear();
  }

  std::vector<std::string> unpublished_;
  std::vector<std::string> looked_for_;
};

// F: B-12: what is deferred waits for the list.
TEST_F(UnmadeTest, WaitsForWhatDecidesAndWhatIsRead) {
  EXPECT_THAT(Waits("Artifact:Clip[segment=1]"),
              ElementsAre("0 Artifact:Clip[segment=1]: not made yet; waits "
                          "for: Artifact:Scenes",
                          "1 Artifact:Scenes: not made yet; waits for: "
                          "Input:Story",
                          "2 Input:Story: not set"));
  Set("Input:Story", "a cat");
  MakeScenes("[1,2]");
  EXPECT_THAT(Waits("Artifact:Clip[segment=1]"),
              ElementsAre("0 Artifact:Clip[segment=1]: not made yet; waits "
                          "for: Artifact:Clip[segment=0]",
                          "1 Artifact:Clip[segment=0]: not made yet"));
  Set("Input:Loud", "false");
  // What is switched off is not waited for.
  EXPECT_THAT(Waits("Artifact:Film"),
              ElementsAre("0 Artifact:Film: not made yet; waits for: "
                          "Artifact:Clip[segment=0], Artifact:Clip[segment=1]",
                          "1 Artifact:Clip[segment=0]: not made yet",
                          "1 Artifact:Clip[segment=1]: not made yet; waits "
                          "for: Artifact:Clip[segment=0]"));
}

// A run that failed has made what the next one takes over.
TEST_F(UnmadeTest, TellsWhatIsMadeInNoRevisionYet) {
  Set("Input:Story", "a cat");
  Set("Input:Loud", "false");
  MakeUnpublished("Artifact:Scenes", "Script", "[1,2]",
                  {{"story", "Input:Story"}});
  MakeUnpublished("Artifact:Clip[segment=0]", "Shoot", "first",
                  {{"scenes", "Artifact:Scenes"}});
  Fail();
  EXPECT_THAT(Waits("Artifact:Clip[segment=0]"),
              ElementsAre("0 Artifact:Clip[segment=0]: made, in no revision "
                          "yet"));
  EXPECT_THAT(Waits("Artifact:Clip[segment=1]"),
              ElementsAre("0 Artifact:Clip[segment=1]: not made yet; waits "
                          "for: Artifact:Scenes",
                          "1 Artifact:Scenes: made, in no revision yet"));
}

TEST_F(UnmadeTest, WhatWasMadeOfSomethingElseIsToBeMadeAgain) {
  Set("Input:Story", "a cat");
  Set("Input:Loud", "false");
  MakeUnpublished("Artifact:Scenes", "Script", "[1,2]",
                  {{"story", "Input:Story"}});
  MakeUnpublished("Artifact:Clip[segment=0]", "Shoot", "first",
                  {{"scenes", "Artifact:Scenes"}});
  Fail();
  Set("Input:Story", "a dog");
  // Also what reads it: its own inputs are as they were.
  EXPECT_THAT(Waits("Artifact:Clip[segment=0]"),
              ElementsAre("0 Artifact:Clip[segment=0]: made, but not of what "
                          "it reads now; waits for: Artifact:Scenes",
                          "1 Artifact:Scenes: made, but not of what it reads "
                          "now"));
  Set("Input:Story", "a cat");
  EXPECT_EQ(Waits("Artifact:Clip[segment=0]").size(), 1u);
  Replace("producer: script", "producer: script\n    settings: {tone: dark}");
  EXPECT_EQ(Waits("Artifact:Scenes").front(),
            "0 Artifact:Scenes: made, but not of what it reads now");
}

// What else makes the key of a job another one.
TEST_F(UnmadeTest, OnlyWhatTheNextRunTakesOverIsMade) {
  const std::string taken = "0 Artifact:Scenes: made, in no revision yet";
  const std::string not_taken =
      "0 Artifact:Scenes: made, but not of what it reads now";
  Set("Input:Story", "a cat");
  MakeUnpublished("Artifact:Scenes", "Script", "[1,2]",
                  {{"story", "Input:Story"}});
  Fail();
  EXPECT_EQ(Waits("Artifact:Scenes").front(), taken);
  const std::vector<std::string> edits = {
      "producer: script\n    salt: again",  // tried anew
      "producer: writer",
      "producer: {name: script, version: '>=3'}",  // it was made by 2
  };
  for (const std::string& edit : edits) {
    Replace("producer: script", edit);
    EXPECT_EQ(Waits("Artifact:Scenes").front(), not_taken) << edit;
  }
  Replace("outputs: {Scenes: application/json}",
          "outputs: {Scenes: application/json, Notes: text/plain}");
  EXPECT_EQ(Waits("Artifact:Scenes").front(), not_taken);
  Replace("{story: \"Input:Story\"}", "{tale: \"Input:Story\"}");
  EXPECT_EQ(Waits("Artifact:Scenes").front(), not_taken);
  Replace("story: \"Input:Story\"", "story: \"Input:Loud\"");
  EXPECT_EQ(Waits("Artifact:Scenes").front(), not_taken);
  Replace("producer: script", "producer: {name: script, version: '<3'}");
  EXPECT_EQ(Waits("Artifact:Scenes").front(), taken);
  // Another draw of it is wanted, then this one again.
  Set("Input:Take_Script", "1");
  EXPECT_EQ(Waits("Artifact:Scenes").front(), not_taken);
  Set("Input:Take_Script", "0");
  EXPECT_EQ(Waits("Artifact:Scenes").front(), taken);
}

// What the current revision dropped was made for one before it.
TEST_F(UnmadeTest, ResultsOfEarlierRevisionsAreNotAhead) {
  Set("Input:Story", "a cat");
  MakeScenes("[1]");
  Commit();
  Remove("Artifact:Scenes");
  EXPECT_THAT(Waits("Artifact:Scenes"),
              ElementsAre("0 Artifact:Scenes: not made yet"));
}

TEST_F(UnmadeTest, LooksForEachResultOnce) {
  Set("Input:Story", "a cat");
  MakeScenes("[1,2,3,4]");
  Waits("Artifact:Film");
  std::sort(looked_for_.begin(), looked_for_.end());
  EXPECT_EQ(std::unique(looked_for_.begin(), looked_for_.end()),
            looked_for_.end());
}

TEST_F(UnmadeTest, SaysWhatRulesItOut) {
  Set("Input:Story", "a cat");
  MakeScenes("[1,2]");
  Set("Input:Loud", "false");
  EXPECT_THAT(Look("Artifact:Clip[segment=2]").ruled_out_by,
              ElementsAre("Artifact:Scenes"));
  EXPECT_THAT(Look("Artifact:Song").ruled_out_by, ElementsAre("Input:Loud"));
  EXPECT_THAT(Look("Artifact:Nothing").ruled_out_by,
              ElementsAre("Input:Blueprint"));
  EXPECT_THAT(Look("Artifact:Song").explained.causes(), IsEmpty());
}

// A million clips do not make an answer of a million.
TEST_F(UnmadeTest, IsBounded) {
  Set("Input:Story", "a cat");
  std::string scenes = "[1";
  for (int i = 1; i < 50'000; ++i) scenes += ",1";
  MakeScenes(scenes + "]");
  const Unmade unmade = Look("Artifact:Film");
  EXPECT_EQ(unmade.explained.causes_size(), static_cast<int>(kMaxCauses));
  EXPECT_EQ(unmade.explained.notes_size(), 1);
}

TEST_F(UnmadeTest, SuggestsTheNearestThatIsThere) {
  Set("Input:Story", "a cat");
  MakeScenes("[1,2]");
  Make("Artifact:Clip[segment=0]", "Shoot", "first", {});
  Make("Artifact:Clip[segment=1]", "Shoot", "second", {});
  Commit();
  EXPECT_EQ(Suggest("Clip[segment=7]"), "; did you mean \"Clip[segment=1]\"?");
  EXPECT_EQ(Suggest("Clips[segment=1]"), "; did you mean \"Clip[segment=1]\"?");
  EXPECT_EQ(Suggest("Clip"), "; did you mean \"Clip[segment=0]\"?");
  EXPECT_EQ(Suggest("Scene"), "; did you mean \"Scenes\"?");
  // It is not made, so nobody means it.
  EXPECT_EQ(Suggest("Films"), "");
  EXPECT_EQ(Suggest("Whatever"), "");
}

}  // namespace
}  // namespace kinora
