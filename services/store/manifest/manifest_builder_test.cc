#include "services/store/manifest/manifest_builder.h"

#include <memory>
#include <string>

#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

EventPtr Input(absl::string_view id, absl::string_view text) {
  v1::Event event;
  event.set_sequence(1);
  event.mutable_time()->set_seconds(99);
  event.mutable_input()->set_input_id(std::string(id));
  event.mutable_input()->mutable_content()->mutable_inline_()->set_data(
      std::string(text));
  return std::make_shared<const v1::Event>(event);
}

EventPtr Made(absl::string_view id, absl::string_view text,
              absl::string_view node = "Writer",
              absl::string_view version = "1") {
  v1::Event event;
  v1::ArtefactEvent& artefact = *event.mutable_artefact();
  artefact.set_artefact_id(std::string(id));
  artefact.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  artefact.set_inputs_hash("h-" + std::string(text));
  artefact.mutable_output()->mutable_inline_()->set_data(std::string(text));
  artefact.mutable_produced_by()->set_run_id("run-1");
  artefact.mutable_produced_by()->set_attempt(3);
  artefact.mutable_produced_by()->set_node(std::string(node));
  artefact.mutable_produced_by()->mutable_producer()->set_version(
      std::string(version));
  artefact.mutable_cost()->set_micros(5);
  return std::make_shared<const v1::Event>(event);
}

v1::Manifest First() {
  return BuildManifest(
      {}, "rev-0001",
      {.inputs = {Input("Input:Topic", "sea")},
       .artefacts = {Made("Artifact:Script", "s"), Made("Artifact:Old", "o")}});
}

// F: S1-14, S1-39
TEST(ManifestBuilderTest, ARevisionIsItsBaseWithTheNewValues) {
  const v1::Manifest second =
      BuildManifest(First(), "rev-0002",
                    {.inputs = {Input("Input:Tone", "dry")},
                     .artefacts = {Made("Artifact:Script", "s1"),
                                   Made("Artifact:Script", "s2")},
                     .removed_artefact_ids = {"Artifact:Old"}});
  EXPECT_EQ(second.revision(), "rev-0002");
  EXPECT_EQ(second.base_revision(), "rev-0001");
  EXPECT_EQ(second.inputs().at("Input:Topic").content().inline_().data(),
            "sea");
  EXPECT_EQ(second.inputs().at("Input:Tone").content().inline_().data(), "dry");
  ASSERT_EQ(second.artefacts_size(), 1);
  const v1::ManifestArtefact& script = second.artefacts().at("Artifact:Script");
  EXPECT_EQ(script.content().inline_().data(), "s2");
  EXPECT_EQ(script.inputs_hash(), "h-s2");
  EXPECT_EQ(script.node(), "Writer");
}

TEST(ManifestBuilderTest, TheBytesHoldNothingOfHowItCameAbout) {
  const std::string json = CanonicalBytes(First());
  for (const char* word : {"time", "run-1", "attempt", "cost", "sequence"}) {
    EXPECT_EQ(json.find(word), std::string::npos) << word << " in " << json;
  }
  EXPECT_EQ(json.find("\"formatVersion\":1"), json.find("\"formatVersion\""));
}

TEST(ManifestBuilderTest, ItsBytesAreTheCanonicalOnesOfAnyMessage) {
  EXPECT_EQ(ManifestBytes({}), CanonicalBytes(v1::Manifest()));
  EXPECT_EQ(ManifestBytes(First()), CanonicalBytes(First()));
  // Beyond ASCII bytes and UTF-16 code units are in another order.
  const v1::Manifest second = BuildManifest(
      First(), "rev-0002",
      {.inputs = {Input("Input:\xF0\x9F\x8E\xAC", "film"),
                  Input("Input:\xEF\xBC\xA1", "wide")},
       .artefacts = {Made("Artifact:Clip[segment=10]", "c", "Clips", "2"),
                     Made("Artifact:Clip[segment=9]", "d", "Clips", "2")}});
  EXPECT_EQ(ManifestBytes(second), CanonicalBytes(second));
}

TEST(ManifestBuilderTest, FailedAttemptsDoNotCount) {
  v1::Event failed = *Made("Artifact:Script", "x");
  failed.mutable_artefact()->set_status(v1::ARTEFACT_STATUS_FAILED);
  const v1::Manifest second =
      BuildManifest(First(), "rev-0002",
                    {.artefacts = {std::make_shared<const v1::Event>(failed)}});
  EXPECT_TRUE(SameContent(First(), second));
}

TEST(ManifestBuilderTest, ANodeIsListedWhileAnArtefactNamesIt) {
  v1::Manifest second =
      BuildManifest(First(), "rev-0002",
                    {.artefacts = {Made("Artifact:Script", "t", "Poet", "2")}});
  EXPECT_EQ(second.nodes().at("Poet").producer().version(), "2");
  EXPECT_TRUE(second.nodes().contains("Writer"));  // made Artifact:Old
  v1::Manifest third = BuildManifest(
      second, "rev-0003", {.removed_artefact_ids = {"Artifact:Old"}});
  EXPECT_FALSE(third.nodes().contains("Writer"));
}

TEST(ManifestBuilderTest, OnlyTheRevisionsNameMayDifferForTheSameContent) {
  EXPECT_TRUE(SameContent(First(), BuildManifest(First(), "rev-0002", {})));
  EXPECT_FALSE(SameContent(
      First(), BuildManifest(First(), "rev-0002",
                             {.inputs = {Input("Input:Topic", "land")}})));
}

}  // namespace
}  // namespace kinora
