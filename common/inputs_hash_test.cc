#include "common/inputs_hash.h"

#include <functional>

#include "gtest/gtest.h"

namespace kinora {
namespace {

KeyBinding Bound(const std::string& name, const std::string& text) {
  KeyBinding binding;
  binding.name = name;
  binding.contents = {Sha256Of(text)};
  return binding;
}

JobKey NarrationKey() {
  JobKey key;
  key.node.producer = "narration";
  key.node.producer_version = "1";
  key.node.settings = Sha256Of("{}");
  key.node.outputs = {{"NarrationAudio", "audio/wav"}, {"Words", "text/plain"}};
  key.job_id = "Narration[segment=0]";
  key.artefact_ids = {"Artifact:NarrationAudio[segment=0]",
                      "Artifact:Words[segment=0]"};
  key.bindings = {Bound("text", "Call me Ishmael."), Bound("voice", "en")};
  return key;
}

// The form is a contract with every stored log: this value may only change
// together with the tag.
TEST(InputsHashTest, HasAFixedForm) {
  EXPECT_EQ(InputsHash(NarrationKey()).Hex(),
            "8cd5d6570dad57b7ff61adf5659d5b2e3217e16e5887bf165bb89167a210337b");
}

TEST(InputsHashTest, IgnoresTheOrderOfDeclarations) {
  JobKey swapped = NarrationKey();
  std::swap(swapped.bindings[0], swapped.bindings[1]);
  std::swap(swapped.node.outputs[0], swapped.node.outputs[1]);
  std::swap(swapped.artefact_ids[0], swapped.artefact_ids[1]);
  EXPECT_EQ(InputsHash(swapped), InputsHash(NarrationKey()));
}

// F: S0-18
TEST(InputsHashTest, CoversEverythingTheProducerIsTold) {
  const std::vector<std::function<void(JobKey&)>> edits = {
      [](JobKey& k) { k.node.producer = "speech"; },
      [](JobKey& k) { k.node.producer_version = "2"; },
      [](JobKey& k) { k.node.settings = Sha256Of(R"({"speed":2})"); },
      [](JobKey& k) { k.node.salt = "again"; },
      [](JobKey& k) { k.node.outputs[0].name = "Audio"; },
      [](JobKey& k) { k.node.outputs[0].mime_type = "audio/mp3"; },
      [](JobKey& k) { k.node.outputs.pop_back(); },
      [](JobKey& k) { k.job_id = "Narration[segment=1]"; },
      [](JobKey& k) { k.draw = 1; },
      [](JobKey& k) { k.artefact_ids.pop_back(); },
      [](JobKey& k) { k.bindings[0].name = "prompt"; },
      [](JobKey& k) { k.bindings[0].contents[0] = Sha256Of("Call me."); },
      [](JobKey& k) { k.bindings[0].contents.clear(); },
      [](JobKey& k) { k.bindings[0].is_list = true; },
      [](JobKey& k) { k.bindings[0].is_grouped = true; },
      [](JobKey& k) { k.bindings.pop_back(); },
      [](JobKey& k) { k.bindings.emplace_back().name = "clips"; },
  };
  for (size_t i = 0; i < edits.size(); ++i) {
    JobKey edited = NarrationKey();
    edits[i](edited);
    EXPECT_NE(InputsHash(edited), InputsHash(NarrationKey())) << "edit " << i;
  }
}

TEST(InputsHashTest, OrderAndGroupsOfAFanInCount) {
  JobKey key = NarrationKey();
  KeyBinding& clips = key.bindings.emplace_back();
  clips.name = "clips";
  clips.is_list = true;
  clips.contents = {Sha256Of("a"), Sha256Of("b")};
  JobKey swapped = key;
  std::swap(swapped.bindings[2].contents[0], swapped.bindings[2].contents[1]);
  EXPECT_NE(InputsHash(swapped), InputsHash(key));
  JobKey grouped = key;
  grouped.bindings[2].is_grouped = true;
  grouped.bindings[2].group_sizes = {1, 1};
  JobKey other = grouped;
  other.bindings[2].group_sizes = {2, 0};
  EXPECT_NE(InputsHash(grouped), InputsHash(key));
  EXPECT_NE(InputsHash(grouped), InputsHash(other));
}

// Text may move between neighbouring fields without a collision.
TEST(InputsHashTest, KeepsFieldsApart) {
  JobKey a = NarrationKey();
  JobKey b = NarrationKey();
  a.node.producer = "ab";
  a.node.producer_version = "c";
  b.node.producer = "a";
  b.node.producer_version = "bc";
  EXPECT_NE(InputsHash(a), InputsHash(b));
}

// A fan-in larger than what is hashed in one piece.
TEST(InputsHashTest, HashesInPiecesAsInOne) {
  JobKey key = NarrationKey();
  key.bindings[0].is_list = true;
  key.bindings[0].contents.assign(5000, Sha256Of("a"));
  const Digest large = InputsHash(key);
  key.bindings[0].contents.back() = Sha256Of("b");
  EXPECT_NE(InputsHash(key), large);
  InputsHasher hasher;
  for (int i = 0; i < 2; ++i) {
    hasher.Start(NodeHash(key.node), key.job_id, key.draw);
    for (const std::string& id : key.artefact_ids) hasher.AddArtefact(id);
    hasher.AddBinding("text", kListShape, 5000);
    for (const Digest& d : key.bindings[0].contents) hasher.AddContent(d);
    hasher.AddBinding("voice", kOneShape, 1);
    hasher.AddContent(Sha256Of("en"));
    EXPECT_EQ(hasher.Finish(), InputsHash(key));
  }
}

}  // namespace
}  // namespace kinora
