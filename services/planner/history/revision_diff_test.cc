#include "services/planner/history/revision_diff.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/digest.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

constexpr char kFilm[] = R"(blueprint: film
inputs:
  Story: {type: text}
  Mood: {type: text, default: calm}
nodes:
  Script:
    producer: script
    settings: {tone: STYLE}
    inputs: {story: "Input:Story"}
    outputs: {Text: text/plain}
outputs: [Text]
)";

class RevisionDiffTest : public ::testing::Test {
 protected:
  RevisionDiffTest() {
    old_.set_revision("rev-0001");
    new_.set_revision("rev-0003");
    new_.set_base_revision("rev-0002");
  }

  static RevisionState StateOf(const v1::Manifest& manifest,
                               const std::string& tone) {
    std::string yaml = kFilm;
    yaml.replace(yaml.find("STYLE"), 5, tone);
    absl::StatusOr<Blueprint> blueprint = ParseBlueprint("film", yaml);
    EXPECT_OK(blueprint);
    return {std::make_shared<const v1::Manifest>(manifest),
            std::make_shared<const Blueprint>(*std::move(blueprint))};
  }

  static void Set(v1::Manifest* manifest, const std::string& id,
                  const std::string& text) {
    *(*manifest->mutable_inputs())[id].mutable_content() =
        InlineContent("text/plain", text);
  }
  static void Put(v1::Manifest* manifest, const std::string& id,
                  const std::string& text, const std::string& key) {
    v1::ManifestArtefact& artefact = (*manifest->mutable_artefacts())[id];
    *artefact.mutable_content() = InlineContent("text/plain", text);
    artefact.set_inputs_hash(Sha256Of(key).Hex());
    artefact.set_node("Script");
  }

  v1::Event Made(const std::string& id, const std::string& text,
                 const std::string& key, const std::string& revision) {
    v1::Event event;
    event.set_sequence(++sequence_);
    event.set_revision(revision);
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_artefact_id(id);
    attempt.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    attempt.set_inputs_hash(Sha256Of(key).Hex());
    *attempt.mutable_output() = InlineContent("text/plain", text);
    attempt.mutable_produced_by()->set_run_id("run-of-" + revision);
    attempt.mutable_produced_by()->set_job_id(id);
    attempt.mutable_produced_by()->set_node("Script");
    attempt.mutable_produced_by()->set_attempt(1);
    attempt.mutable_produced_by()->mutable_producer()->set_name("script");
    attempt.mutable_duration()->set_seconds(2);
    attempt.mutable_cost()->set_currency_code("USD");
    attempt.mutable_cost()->set_micros(500'000);
    return event;
  }
  v1::Event MadeByHand(const std::string& id, const std::string& text,
                       const std::string& key, const std::string& revision) {
    v1::Event event = Made(id, text, key, revision);
    event.mutable_artefact()->mutable_produced_by()->set_edited_by(
        v1::EDITED_BY_USER);
    return event;
  }
  static void Read(const std::string& source, const std::string& text,
                   v1::Event* event) {
    v1::Dependency& dependency = *event->mutable_artefact()->add_dependencies();
    dependency.set_slot(source);
    dependency.set_source_id(source);
    dependency.set_hash(Sha256Of(text).Hex());
  }

  static std::vector<std::string> Lines(const RevisionDiff& diff) {
    std::vector<std::string> lines;
    for (size_t i = 0; i < diff.size(); ++i) {
      const v1::Difference difference = diff.At(i);
      lines.push_back(
          absl::StrCat(difference.id(), ": ", difference.reason().text()));
    }
    return lines;
  }

  v1::Manifest old_;
  v1::Manifest new_;
  int64_t sequence_ = 0;
};

TEST_F(RevisionDiffTest, NamesWhatDiffersAndWhy) {
  Set(&old_, "Input:Story", "a cat");
  Set(&new_, "Input:Story", "a dog");
  Set(&old_, "Input:Mood", "wild");
  Put(&old_, "Artifact:Same", "same", "same");
  Put(&new_, "Artifact:Same", "same", "same");
  Put(&old_, "Artifact:Gone", "gone", "gone");
  Put(&new_, "Artifact:New", "new", "new");
  Put(&old_, "Artifact:Text", "cat", "cat");
  Put(&new_, "Artifact:Text", "dog", "dog");
  Put(&old_, "Artifact:Hand", "made", "hand");
  Put(&new_, "Artifact:Hand", "by hand", "hand");
  Put(&old_, "Artifact:Again", "once", "again");
  Put(&new_, "Artifact:Again", "twice", "again");
  RevisionDiff diff(StateOf(old_, "dark"), StateOf(new_, "dark"));
  DecidingReader values(nullptr);
  ASSERT_OK(diff.ExplainPlaces(values));
  EXPECT_EQ(diff.FirstOfInterest(), "rev-0001");
  diff.Add(Made("Artifact:Text", "cat", "cat", "rev-0001"));
  v1::Event text = Made("Artifact:Text", "dog", "dog", "rev-0002");
  Read("Input:Story", "a dog", &text);
  diff.Add(text);
  // The edit, and the run that takes it over.
  v1::Event hand = MadeByHand("Artifact:Hand", "by hand", "hand", "rev-0002");
  hand.mutable_artefact()->mutable_produced_by()->clear_run_id();
  diff.Add(hand);
  const int64_t edit = hand.sequence();
  hand = MadeByHand("Artifact:Hand", "by hand", "hand", "rev-0003");
  hand.mutable_artefact()->set_reused_sequence(edit);
  diff.Add(hand);
  diff.Add(Made("Artifact:Again", "twice", "again", "rev-0003"));
  diff.Add(Made("Artifact:New", "new", "new", "rev-0003"));
  // After the newer one: of no interest.
  diff.Add(Made("Artifact:New", "new", "new", "rev-0004"));
  EXPECT_THAT(Lines(diff),
              ElementsAre("Input:Mood: back to the blueprint's default",
                          "Input:Story: edited",
                          "Artifact:Again: made anew from the same inputs",
                          "Artifact:Gone: no longer part of the movie",
                          "Artifact:Hand: replaced by hand",
                          "Artifact:New: not in rev-0001",
                          "Artifact:Text: input changed: Input:Story"));
  EXPECT_EQ(diff.At(4).origin(), v1::VALUE_ORIGIN_EDITED);
  EXPECT_EQ(diff.At(6).origin(), v1::VALUE_ORIGIN_MADE);
  EXPECT_EQ(diff.At(6).run_id(), "run-of-rev-0002");
  EXPECT_EQ(diff.At(1).old_content().inline_().data(), "a cat");
  const v1::RevisionDiff summary = diff.Summary();
  EXPECT_EQ(summary.changed_inputs(), 2);
  EXPECT_EQ(summary.added_artefacts(), 1);
  EXPECT_EQ(summary.removed_artefacts(), 1);
  EXPECT_EQ(summary.changed_artefacts(), 3);
  EXPECT_EQ(summary.unchanged_artefacts(), 1);
  EXPECT_TRUE(summary.complete_history());
}

// F: B-6: an edit before the older revision is why nothing changed since.
TEST_F(RevisionDiffTest, EditThatComesBackIsNotTheReason) {
  Set(&old_, "Input:Story", "a dog");
  Set(&new_, "Input:Story", "a cat");
  Put(&old_, "Artifact:Text", "dog", "dog");
  Put(&new_, "Artifact:Text", "by hand", "cat");
  Put(&old_, "Artifact:Hand", "made", "hand");
  Put(&new_, "Artifact:Hand", "by hand", "hand");
  RevisionDiff diff(StateOf(old_, "dark"), StateOf(new_, "dark"));
  v1::Event text = MadeByHand("Artifact:Text", "by hand", "cat", "rev-0003");
  text.mutable_artefact()->set_reused_sequence(3);
  Read("Input:Story", "a cat", &text);
  diff.Add(text);
  v1::Event hand = MadeByHand("Artifact:Hand", "by hand", "hand", "rev-0003");
  hand.mutable_artefact()->set_reused_sequence(4);
  diff.Add(hand);
  EXPECT_THAT(Lines(diff),
              ElementsAre("Input:Story: edited",
                          "Artifact:Hand: an earlier value, put in by hand",
                          "Artifact:Text: input changed: Input:Story"));
  EXPECT_EQ(diff.At(1).origin(), v1::VALUE_ORIGIN_REUSED);
  EXPECT_EQ(diff.At(2).origin(), v1::VALUE_ORIGIN_REUSED);
}

TEST_F(RevisionDiffTest, WhatWasImportedBeforeSaysSo) {
  Put(&old_, "Artifact:Text", "old", "old");
  (*old_.mutable_artefacts())["Artifact:Text"].clear_node();
  Put(&new_, "Artifact:Text", "new", "new");
  RevisionDiff diff(StateOf(old_, "dark"), StateOf(new_, "dark"));
  diff.Add(Made("Artifact:Text", "new", "new", "rev-0002"));
  EXPECT_THAT(Lines(diff),
              ElementsAre("Artifact:Text: imported before, and not known what "
                          "it was made from"));
}

// Nothing was made of what a revert brought back, but what a run without a
// revision had made is as good as made by the next one.
TEST_F(RevisionDiffTest, ReuseUnderTheSameKeyIsMadeAnewOnlyIfTheWorkIsNew) {
  for (const char* id : {"Artifact:Back", "Artifact:Made"}) {
    Put(&old_, id, "before", "same");
    Put(&new_, id, "now", "same");
  }
  RevisionDiff diff(StateOf(old_, "dark"), StateOf(new_, "dark"));
  v1::Event back = Made("Artifact:Back", "now", "same", "rev-0003");
  back.mutable_artefact()->set_reused_sequence(1);
  diff.Add(back);
  const v1::Event failed = Made("Artifact:Made", "now", "same", "rev-0002");
  diff.Add(failed);
  v1::Event made = Made("Artifact:Made", "now", "same", "rev-0002");
  made.mutable_artefact()->set_reused_sequence(failed.sequence());
  diff.Add(made);
  EXPECT_THAT(
      Lines(diff),
      ElementsAre("Artifact:Back: an earlier value, from the same inputs",
                  "Artifact:Made: made anew from the same inputs"));
}

// F: B-7: recorded actuals.
TEST_F(RevisionDiffTest, CountsWhatTheRunsBetweenCost) {
  RevisionDiff diff(StateOf(old_, "dark"), StateOf(new_, "dark"));
  diff.Add(Made("Artifact:A", "a", "a", "rev-0001"));  // of the older one
  v1::Event first = Made("Artifact:A", "a", "b", "rev-0002");
  diff.Add(first);
  // A second output of the same attempt costs nothing more.
  v1::Event second = Made("Artifact:B", "b", "b", "rev-0002");
  second.mutable_artefact()->mutable_produced_by()->set_job_id("Artifact:A");
  second.mutable_artefact()->clear_cost();
  diff.Add(second);
  v1::Event failed = Made("Artifact:C", "", "c", "rev-0003");
  failed.mutable_artefact()->clear_output();
  failed.mutable_artefact()->set_status(v1::ARTEFACT_STATUS_FAILED);
  failed.mutable_artefact()->mutable_cost()->set_currency_code("EUR");
  diff.Add(failed);
  v1::Event reused = Made("Artifact:D", "d", "d", "rev-0003");
  reused.mutable_artefact()->set_reused_sequence(1);
  reused.mutable_artefact()->clear_cost();
  diff.Add(reused);
  const v1::RevisionDiff summary = diff.Summary();
  EXPECT_EQ(summary.calls(), 2);
  EXPECT_EQ(summary.reused(), 1);
  EXPECT_EQ(summary.duration().seconds(), 4);
  ASSERT_EQ(summary.costs_size(), 2);
  EXPECT_EQ(summary.costs(0).currency_code(), "EUR");
  EXPECT_EQ(summary.costs(1).micros(), 500'000);
}

TEST_F(RevisionDiffTest, NodesSayProducerAndSettings) {
  (*old_.mutable_nodes())["Script"].mutable_producer()->set_version("1");
  (*old_.mutable_nodes())["Script"].set_settings_hash(Sha256Of("a").Hex());
  (*new_.mutable_nodes())["Script"].mutable_producer()->set_version("2");
  (*new_.mutable_nodes())["Script"].set_settings_hash(Sha256Of("b").Hex());
  const v1::RevisionDiff summary =
      RevisionDiff(StateOf(old_, "dark"), StateOf(new_, "light")).Summary();
  ASSERT_EQ(summary.nodes_size(), 1);
  EXPECT_EQ(summary.nodes(0).node(), "Script");
  EXPECT_EQ(summary.nodes(0).old_producer().version(), "1");
  EXPECT_EQ(summary.nodes(0).new_producer().version(), "2");
  ASSERT_EQ(summary.nodes(0).settings_size(), 1);
  EXPECT_EQ(summary.nodes(0).settings(0).name(), "tone");
  EXPECT_EQ(summary.nodes(0).settings(0).new_text(), "\"light\"");
}

// Seen the other way round the same artefacts differ.
TEST_F(RevisionDiffTest, GoesBackAsWell) {
  Set(&old_, "Input:Story", "a cat");
  Set(&new_, "Input:Story", "a dog");
  Put(&old_, "Artifact:Text", "cat", "cat");
  Put(&new_, "Artifact:Text", "dog", "dog");
  RevisionDiff diff(StateOf(new_, "dark"), StateOf(old_, "dark"));
  EXPECT_EQ(diff.FirstOfInterest(), "");
  v1::Event text = Made("Artifact:Text", "cat", "cat", "rev-0001");
  Read("Input:Story", "a cat", &text);
  diff.Add(text);
  diff.Add(Made("Artifact:Text", "dog", "dog", "rev-0002"));
  EXPECT_THAT(Lines(diff),
              ElementsAre("Input:Story: edited",
                          "Artifact:Text: input changed: Input:Story"));
  EXPECT_EQ(diff.Summary().calls(), 1);
}

}  // namespace
}  // namespace kinora
