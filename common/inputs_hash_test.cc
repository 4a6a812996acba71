#include "common/inputs_hash.h"

#include <functional>

#include "gtest/gtest.h"

namespace kinora {
namespace {

JobKey NarrationKey() {
  JobKey key;
  key.producer = "narration";
  key.producer_version = "1";
  key.settings = Sha256Of("{}");
  key.job_id = "Narration[segment=0]";
  key.artefact_ids = {"Artifact:NarrationAudio[segment=0]"};
  key.slots = {{"text", Sha256Of("Call me Ishmael.")},
               {"voice", Sha256Of("en")}};
  return key;
}

// The form is a contract with every stored log: this value may only change
// together with the tag.
TEST(InputsHashTest, HasAFixedForm) {
  EXPECT_EQ(InputsHash(NarrationKey()).Hex(),
            "519995a96b8311415ec918862c67cd8739430bedc28ef8273d6e223c85566db2");
}

TEST(InputsHashTest, IgnoresTheOrderOfSlots) {
  JobKey swapped = NarrationKey();
  std::swap(swapped.slots[0], swapped.slots[1]);
  EXPECT_EQ(InputsHash(swapped), InputsHash(NarrationKey()));
}

// F: S0-18
TEST(InputsHashTest, CoversEverythingTheProducerIsTold) {
  const std::vector<std::function<void(JobKey&)>> edits = {
      [](JobKey& k) { k.producer = "speech"; },
      [](JobKey& k) { k.producer_version = "2"; },
      [](JobKey& k) { k.settings = Sha256Of(R"({"speed":2})"); },
      [](JobKey& k) { k.job_id = "Narration[segment=1]"; },
      [](JobKey& k) { k.draw = 1; },
      [](JobKey& k) { k.salt = "again"; },
      [](JobKey& k) { k.artefact_ids.push_back("Artifact:Words[segment=0]"); },
      [](JobKey& k) { k.slots[0].name = "prompt"; },
      [](JobKey& k) { k.slots[0].content = Sha256Of("Call me."); },
      [](JobKey& k) { k.slots.pop_back(); },
      [](JobKey& k) {
        k.slots.push_back({EmptyFanInSlot("clips"), Digest()});
      },
  };
  for (size_t i = 0; i < edits.size(); ++i) {
    JobKey edited = NarrationKey();
    edits[i](edited);
    EXPECT_NE(InputsHash(edited), InputsHash(NarrationKey())) << "edit " << i;
  }
}

// Text may move between neighbouring fields without a collision.
TEST(InputsHashTest, KeepsFieldsApart) {
  JobKey a = NarrationKey();
  JobKey b = NarrationKey();
  a.producer = "ab";
  a.producer_version = "c";
  b.producer = "a";
  b.producer_version = "bc";
  EXPECT_NE(InputsHash(a), InputsHash(b));
}

}  // namespace
}  // namespace kinora
