#include "services/planner/history/explanation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/digest.h"
#include "common/testing/status_matchers.h"

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

// A movie told by hand: each revision is what the one before was and more.
class ExplanationTest : public ::testing::Test, public ResultHistory {
 protected:
  ExplanationTest() { Pin(Film("dark")); }

  void Pin(const std::string& yaml) {
    ASSERT_OK_AND_ASSIGN(Blueprint parsed, ParseBlueprint("film", yaml));
    blueprint_ = std::make_shared<const Blueprint>(std::move(parsed));
    Set("Input:Blueprint", yaml);
  }
  void Set(const std::string& id, const std::string& text) {
    *(*manifest_.mutable_inputs())[id].mutable_content() =
        InlineContent("text/plain", text);
    v1::Event& event = events_.emplace_back();
    event.set_sequence(static_cast<int64_t>(events_.size()));
    event.set_revision(Next());
    event.mutable_input()->set_input_id(id);
    event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
    *event.mutable_input()->mutable_content() =
        InlineContent("text/plain", text);
  }

  // Makes an artefact of what it reads: slot and source.
  v1::ArtefactEvent& Make(
      const std::string& id, const std::string& node, const std::string& value,
      const std::vector<std::pair<std::string, std::string>>& reads) {
    RevisionState state = Look();
    v1::Event& event = events_.emplace_back();
    event.set_sequence(static_cast<int64_t>(events_.size()));
    event.set_revision(Next());
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_artefact_id(id);
    attempt.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *attempt.mutable_output() = InlineContent("text/plain", value);
    v1::ProducedBy& by = *attempt.mutable_produced_by();
    by.set_run_id("run-1");
    by.set_job_id(id.substr(id.find(':') + 1));
    by.set_node(node);
    by.mutable_producer()->set_name(node);
    by.mutable_producer()->set_version(versions_[node]);
    by.set_settings_hash(Sha256Of(state.SettingsOf(node)).Hex());
    std::string key = absl::StrCat(id, by.settings_hash(), versions_[node],
                                   state.SaltOf(node));
    for (const auto& [slot, source] : reads) {
      v1::Dependency& dependency = *attempt.add_dependencies();
      dependency.set_slot(slot);
      dependency.set_source_id(source);
      dependency.set_hash(state.HashOf(source));
      absl::StrAppend(&key, slot, dependency.hash());
    }
    attempt.set_inputs_hash(Sha256Of(key).Hex());
    v1::ManifestArtefact& artefact = (*manifest_.mutable_artefacts())[id];
    *artefact.mutable_content() = attempt.output();
    artefact.set_inputs_hash(attempt.inputs_hash());
    artefact.set_node(node);
    v1::ManifestNode& made = (*manifest_.mutable_nodes())[node];
    *made.mutable_producer() = by.producer();
    made.set_settings_hash(by.settings_hash());
    return attempt;
  }
  void MakeScript(const std::string& value) {
    Make("Artifact:Text", "Script", value, {{"story", "Input:Story"}});
  }
  void MakePicture(const std::string& value, int segment = 0) {
    Make(absl::StrCat("Artifact:Image[segment=", segment, "]"), "Picture",
         value, {{"mood", "Input:Mood"}, {"text", "Artifact:Text"}});
  }

  RevisionState Look() const {
    return {std::make_shared<const v1::Manifest>(manifest_), blueprint_};
  }
  RevisionState Commit() {
    manifest_.set_base_revision(manifest_.revision());
    manifest_.set_revision(Next());
    ++revision_;
    return Look();
  }
  std::string Next() const { return absl::StrCat("rev-000", revision_ + 1); }

  absl::StatusOr<std::vector<std::optional<v1::Event>>> Find(
      absl::Span<const ValueQuery> queries) override {
    std::vector<std::optional<v1::Event>> found(queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      for (const v1::Event& event : events_) {
        if (forgotten_ >= event.sequence()) continue;
        const v1::Content& content = event.has_input()
                                         ? event.input().content()
                                         : event.artefact().output();
        if (event.input().input_id() != queries[i].id &&
            event.artefact().artefact_id() != queries[i].id) {
          continue;
        }
        if (ContentHash(content) == queries[i].hash &&
            event.revision() <= queries[i].revision) {
          found[i] = event;
        }
      }
    }
    return found;
  }

  // Ids with their reasons.
  std::vector<std::string> Why(const std::string& id,
                               const RevisionState& before,
                               const RevisionState& now) {
    absl::StatusOr<v1::ExplainArtefactResponse> explained =
        Explain(id, before, now, *this);
    EXPECT_OK(explained);
    if (!explained.ok()) return {};
    explained_ = *explained;
    std::vector<std::string> lines;
    for (const v1::Cause& cause : explained->causes()) {
      lines.push_back(absl::StrCat(cause.depth(), " ", cause.id(), ": ",
                                   cause.reason().text()));
    }
    return lines;
  }

  std::map<std::string, std::string> versions_ = {{"Script", "1"},
                                                  {"Picture", "1"}};
  std::shared_ptr<const Blueprint> blueprint_;
  v1::Manifest manifest_;
  std::vector<v1::Event> events_;
  int64_t forgotten_ = 0;
  int revision_ = 0;
  v1::ExplainArtefactResponse explained_;
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
