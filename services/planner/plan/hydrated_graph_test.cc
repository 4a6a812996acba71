// What a HydratedBase says must not depend on where it was read from: a
// message, canonical JSON or a saved file.

#include <string>
#include <vector>

#include "absl/strings/escaping.h"

#include "common/content.h"
#include "common/json/proto_json.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/hydrated_graph_file.h"
#include "services/planner/plan/manifest_scanner.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kYaml[] = R"(blueprint: film
inputs:
  Story: {type: text, default: ""}
  Prompt: {type: text, over: [segment], default: ""}
dimensions: {segment: {size: 12}, take: {size: 2}}
nodes:
  Script: {producer: script, inputs: {story: "Input:Story"},
           outputs: {Text: text/plain}}
  Image: {producer: image, over: [segment, take], outputs: {Image: image/png},
          inputs: {text: Text, prompt: "Input:Prompt[segment]"}}
)";

class HydratedGraphTest : public ::testing::Test {
 protected:
  HydratedGraphTest()
      : blueprint_(*ParseBlueprint("", kYaml)),
        graph_(*Graph::Expand(blueprint_, {{12, 2}, {}})) {
    manifest_.set_format_version(1);
    manifest_.set_revision("rev-0002");
    manifest_.set_base_revision("rev-0001");
    v1::ManifestNode& node = (*manifest_.mutable_nodes())["Script"];
    node.mutable_producer()->set_name("script");
    node.mutable_producer()->set_version("3");
    node.set_settings_hash(Sha256Of("{}").Hex());
    *(*manifest_.mutable_inputs())["Input:Story"].mutable_content() =
        InlineContent("text/plain", "a \"cat\"\n");
    *(*manifest_.mutable_inputs())["Input:Blueprint"].mutable_content() =
        Blob("application/yaml", kYaml);
  }

  static v1::Content Blob(const std::string& mime_type,
                          const std::string& bytes) {
    v1::Content content;
    content.mutable_blob()->set_mime_type(mime_type);
    v1::Digest& digest = *content.mutable_blob()->mutable_digest();
    digest.set_hash(Sha256Of(bytes).Hex());
    digest.set_size_bytes(static_cast<int64_t>(bytes.size()));
    return content;
  }

  void Add(const std::string& id, const v1::Content& content,
           const std::string& key = "key") {
    v1::ManifestArtefact& artefact = (*manifest_.mutable_artefacts())[id];
    *artefact.mutable_content() = content;
    if (!key.empty()) artefact.set_inputs_hash(Sha256Of(key).Hex());
    artefact.set_node("Image");
    artefact.set_readable_path("images/\u00e9.txt");
  }

  void ExpectSame(const HydratedBase& got, const HydratedBase& want) {
    EXPECT_EQ(got.revision(), want.revision());
    EXPECT_EQ(got.removed_artefact_ids(), want.removed_artefact_ids());
    EXPECT_EQ(CanonicalBytes(got.Head()), CanonicalBytes(want.Head()));
    for (uint32_t i = 0; i < graph_.num_artefacts(); ++i) {
      ASSERT_EQ(got.Has(i), want.Has(i)) << i;
      if (!want.Has(i)) continue;
      EXPECT_EQ(CanonicalBytes(got.ContentOf(i)),
                CanonicalBytes(want.ContentOf(i)));
      EXPECT_EQ(got.inputs_hash(i), want.inputs_hash(i));
    }
  }

  std::unique_ptr<HydratedGraph> Hydrate(HydratedBase base) {
    return std::make_unique<HydratedGraph>(
        "blueprint", *Graph::Expand(blueprint_, {{12, 2}, {}}), "manifest",
        std::move(base), &blueprint_);
  }

  const Blueprint blueprint_;
  const Graph graph_;
  v1::Manifest manifest_;
  FaultyFileSystem disk_;
  const HydratedGraphName name_ = {"manifest", "blueprint", "12,2"};
};

TEST_F(HydratedGraphTest, JsonSaysWhatTheMessageSays) {
  Add("Artifact:Text", InlineContent("text/plain", "\"q\" \\ \x01 \u00e9\n"));
  Add("Artifact:Image[segment=0][take=0]", Blob("image/png", "png"));
  Add("Artifact:Image[segment=0][take=1]",
      InlineContent("application/json", R"({"a":[1,{"b":"}\""}],"c":null})"));
  Add("Artifact:Image[segment=1][take=0]",
      InlineContent("application/octet-stream", "\xff\xfe\x01"));
  Add("Artifact:Image[segment=10][take=1]", InlineContent("", ""), "");
  Add("Artifact:Image[segment=11][take=1]", InlineContent("text/plain", "x"));
  // What the graph does not have: removed, out of range, spelled otherwise.
  Add("Artifact:Gone", InlineContent("text/plain", "x"));
  Add("Artifact:Image[segment=12][take=0]", InlineContent("text/plain", "x"));
  Add("Artifact:Image[segment=2][take=00]", InlineContent("text/plain", "x"));
  Add("Artifact:Image[segment=2]", InlineContent("text/plain", "x"));
  ASSERT_OK_AND_ASSIGN(HydratedBase want, HydratedBase::Of(manifest_, graph_));
  EXPECT_THAT(want.removed_artefact_ids(),
              ElementsAre("Artifact:Gone", "Artifact:Image[segment=12][take=0]",
                          "Artifact:Image[segment=2]",
                          "Artifact:Image[segment=2][take=00]"));
  const std::string json = CanonicalBytes(manifest_);
  for (size_t step : {size_t{1}, size_t{7}, size_t{100}, json.size()}) {
    SCOPED_TRACE(step);
    HydratedBaseBuilder builder(graph_);
    ManifestScanner scanner(&builder);
    for (size_t at = 0; at < json.size(); at += step) {
      scanner.Add(absl::string_view(json).substr(at, step));
    }
    ASSERT_TRUE(scanner.Finish());
    ASSERT_OK_AND_ASSIGN(HydratedBase got, builder.Finish());
    ExpectSame(got, want);
    EXPECT_EQ(got.blueprint().blob().digest().hash(), Sha256Of(kYaml).Hex());
  }
}

// JSON that is not canonical is read by the general parser, and whatever is cut
// short is an error and no crash.
TEST_F(HydratedGraphTest, OtherJsonIsReadOrRefused) {
  Add("Artifact:Text", InlineContent("text/plain", "text"));
  Add("Artifact:Image[segment=0][take=0]", Blob("image/png", "png"));
  const std::string json = CanonicalBytes(manifest_);
  ASSERT_OK_AND_ASSIGN(HydratedBase want, HydratedBase::Of(manifest_, graph_));
  ASSERT_OK_AND_ASSIGN(HydratedBase spaced,
                       HydrateManifest(" " + json, graph_));
  ExpectSame(spaced, want);
  for (size_t length = 0; length < json.size(); ++length) {
    EXPECT_FALSE(HydrateManifest(json.substr(0, length), graph_).ok());
  }
  Add("Artifact:Text", InlineContent("text/plain", "text"));
  (*manifest_.mutable_artefacts())["Artifact:Text"].set_inputs_hash("beef");
  EXPECT_THAT(HydrateManifest(CanonicalBytes(manifest_), graph_),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("Artifact:Text: the inputs hash")));
}

TEST_F(HydratedGraphTest, SavedGraphSaysTheSame) {
  Add("Artifact:Text", InlineContent("text/plain", "\"q\""));
  Add("Artifact:Gone", InlineContent("text/plain", "x"));
  Add("Artifact:Image[segment=3][take=1]", Blob("image/png", "png"));
  ASSERT_OK_AND_ASSIGN(HydratedBase want, HydratedBase::Of(manifest_, graph_));
  ASSERT_OK_AND_ASSIGN(HydratedBase base,
                       HydrateManifest(CanonicalBytes(manifest_), graph_));
  std::unique_ptr<HydratedGraph> hydrated = Hydrate(std::move(base));
  for (Graph::Job job : {0, 1, 4, 7}) hydrated->Verify(job);
  HydratedGraphFile file(disk_, "/cache/graphs");
  EXPECT_FALSE(file.Load(name_, graph_).has_value());
  file.Save(name_, *hydrated);

  std::optional<SavedGraph> saved = file.Load(name_, graph_);
  ASSERT_TRUE(saved.has_value());
  ExpectSame(saved->base, want);
  // An input that is another one now takes its readers' verification away.
  std::unique_ptr<HydratedGraph> again = Hydrate(std::move(saved->base));
  ASSERT_OK(again->SetInput("Input:Prompt[segment=0]",
                            InlineContent("text/plain", "fog")));
  again->Restore(saved->verified);
  EXPECT_TRUE(again->verified().Contains(0));
  EXPECT_FALSE(again->verified().Contains(1));  // Image[segment=0][take=0]
  EXPECT_TRUE(again->verified().Contains(4));
  EXPECT_TRUE(again->verified().Contains(7));
  EXPECT_FALSE(again->verified().Contains(8));

  // What is of another shape is another file, which replaces nothing.
  HydratedGraphName other = name_;
  other.shape = "12,3";
  EXPECT_FALSE(file.Load(other, graph_).has_value());
  file.Save(other, *hydrated);
  EXPECT_TRUE(file.Load(other, graph_).has_value());
  EXPECT_TRUE(file.Load(name_, graph_).has_value());
  // Under another name it is of no use.
  const std::string prefix = "/cache/graphs/manifest-blueprint-";
  ASSERT_OK(disk_.Rename(prefix + "12,3.hydrated", prefix + "12,2.hydrated"));
  EXPECT_FALSE(file.Load(name_, graph_).has_value());
}

TEST_F(HydratedGraphTest, DamagedFileIsNoFile) {
  Add("Artifact:Text", InlineContent("text/plain", "text"));
  ASSERT_OK_AND_ASSIGN(HydratedBase base, HydratedBase::Of(manifest_, graph_));
  HydratedGraphFile file(disk_, "/cache");
  file.Save(name_, *Hydrate(std::move(base)));
  const std::string path = "/cache/manifest-blueprint-12,2.hydrated";
  ASSERT_OK_AND_ASSIGN(const std::string good, ReadFile(disk_, path));
  for (size_t i = 0; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    ASSERT_OK(WriteFileAtomically(disk_, path, bad));
    EXPECT_FALSE(file.Load(name_, graph_).has_value()) << i;
    ASSERT_OK(WriteFileAtomically(disk_, path, good.substr(0, i)));
    EXPECT_FALSE(file.Load(name_, graph_).has_value()) << i;
  }
  ASSERT_OK(WriteFileAtomically(disk_, path, good));
  EXPECT_TRUE(file.Load(name_, graph_).has_value());
}

}  // namespace
}  // namespace kinora
