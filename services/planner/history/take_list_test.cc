#include "services/planner/history/take_list.h"

#include <string>

#include "gtest/gtest.h"

#include "common/content.h"
#include "common/digest.h"

namespace kinora {
namespace {

constexpr char kImage[] = "Artifact:Image";

class TakeListTest : public ::testing::Test {
 protected:
  // Adds the next event: what draw `draw` is at the inputs now, under a key of
  // its own. Returns its sequence.
  int64_t Add(uint32_t draw, const std::string& text, bool by_hand = false,
              int64_t reused = 0) {
    v1::Event event;
    event.set_sequence(++sequence_);
    event.set_revision("rev-" + std::to_string(sequence_));
    v1::ArtefactEvent& attempt = *event.mutable_artefact();
    attempt.set_artefact_id(kImage);
    attempt.set_draw(draw);
    attempt.set_inputs_hash(KeyOf(draw));
    attempt.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *attempt.mutable_output() = InlineContent("text/plain", text);
    attempt.set_reused_sequence(reused);
    if (by_hand)
      attempt.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
    takes_.Add(event);
    return sequence_;
  }

  std::string KeyOf(uint32_t draw) const {
    return Sha256Of(inputs_ + std::to_string(draw)).Hex();
  }

  // `held`: what the current revision holds of draw 0 at the inputs now.
  v1::Take Take(int draw, const std::string& held = "") {
    v1::ManifestArtefact current;
    current.set_inputs_hash(KeyOf(0));
    *current.mutable_content() = InlineContent("text/plain", held);
    v1::ListTakesResponse response;
    takes_.Describe(held.empty() ? nullptr : &current, &response);
    return response.takes(draw);
  }
  std::string TextOf(int draw) { return Take(draw).content().inline_().data(); }

  TakeList takes_{kImage};
  int64_t sequence_ = 0;
  std::string inputs_ = "a";
};

// F: B-6, B-13
TEST_F(TakeListTest, TakeIsWhatWasPutInItsPlace) {
  const int64_t made = Add(0, "made");
  Add(1, "another");
  const int64_t edit = Add(0, "by hand", true);
  EXPECT_EQ(TextOf(0), "by hand");
  EXPECT_EQ(Take(0).sequence(), edit);
  EXPECT_EQ(TextOf(1), "another");
  // A run takes the edit over; that is no other value.
  Add(0, "by hand", true, edit);
  EXPECT_EQ(Take(0).sequence(), edit);
  // An edit that brings the made one back.
  Add(0, "made", true, made);
  EXPECT_EQ(TextOf(0), "made");
  EXPECT_EQ(Take(0).sequence(), made);
  // What is made anew is not what was edited.
  Add(0, "by hand again", true);
  EXPECT_EQ(TextOf(0), "by hand again");
  Add(0, "made anew");
  EXPECT_EQ(TextOf(0), "made anew");
}

// F: B-6, B-13: when an input is as it was before, so is the take.
TEST_F(TakeListTest, TakeComesBackWithItsKey) {
  const int64_t made = Add(0, "made");
  const int64_t edit = Add(0, "by hand", true);
  inputs_ = "b";
  Add(0, "of b");
  EXPECT_EQ(TextOf(0), "of b");
  EXPECT_TRUE(Take(0, "of b").is_current());
  inputs_ = "a";
  Add(0, "by hand", true, edit);
  EXPECT_EQ(TextOf(0), "by hand");
  EXPECT_EQ(Take(0).sequence(), edit);
  EXPECT_TRUE(Take(0, "by hand").is_current());
  EXPECT_FALSE(Take(0, "made").is_current());
  // Gone back to what was before the edit: it says when it was made.
  Add(0, "made", false, made);
  EXPECT_EQ(TextOf(0), "made");
  EXPECT_EQ(Take(0).sequence(), made);
  EXPECT_EQ(Take(0).revision(), "rev-1");
}

TEST_F(TakeListTest, TakeWhoseWorkIsGoneFromTheLogIsListed) {
  sequence_ = 7;
  Add(0, "kept", false, 3);
  EXPECT_EQ(TextOf(0), "kept");
  EXPECT_EQ(Take(0).sequence(), 3);
  EXPECT_TRUE(Take(0, "kept").is_current());
}

}  // namespace
}  // namespace kinora
