#include "services/planner/history/leaf_list.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kLeaves[] = R"(blueprint: leaves
dimensions: {segment: {size: 2}, shot: {size: 2}}
nodes:
  Director:
    producer: director
    over: [segment]
    outputs:
      Plan:
        type: application/json
        leaves:
          Prompt: {at: "/shots/{shot}", over: [shot], type: text/plain}
          Mood: /mood
      Notes: {type: application/json, leaves: {Note: /note}}
)";

class LeafListTest : public ::testing::Test {
 protected:
  LeafListTest() : blueprint_(ParseBlueprint("", kLeaves).value()) {
    for (int segment = 0; segment < 2; ++segment) {
      for (const char* name : {"Plan", "Mood", "Notes", "Note"}) {
        Has(absl::StrCat("Artifact:", name, "[segment=", segment, "]"));
      }
      for (int shot = 0; shot < 11; ++shot) {
        Has(absl::StrCat("Artifact:Prompt[segment=", segment, "][shot=", shot,
                         "]"));
      }
    }
  }

  void Has(const std::string& id) { (*manifest_.mutable_artefacts())[id]; }

  // Each leaf as `id at pointer`.
  std::vector<std::string> Leaves(const std::string& id) {
    std::vector<std::string> found;
    for (const v1::Leaf& leaf :
         LeavesOf(blueprint_, manifest_, ElementId::Parse(id).value())) {
      found.push_back(
          absl::StrCat(leaf.artefact_id(), " at ", leaf.json_pointer()));
    }
    return found;
  }

  Blueprint blueprint_;
  v1::Manifest manifest_;
};

// The revision decides how many there are: inputs may have changed since.
TEST_F(LeafListTest, LeavesAreThoseThatTheRevisionHas) {
  const std::vector<std::string> leaves = Leaves("Artifact:Plan[segment=1]");
  ASSERT_EQ(leaves.size(), 12u);
  EXPECT_EQ(leaves[2], "Artifact:Prompt[segment=1][shot=2] at /shots/2");
  EXPECT_EQ(leaves[10], "Artifact:Prompt[segment=1][shot=10] at /shots/10");
  EXPECT_EQ(leaves[11], "Artifact:Mood[segment=1] at /mood");
  EXPECT_THAT(Leaves("Artifact:Notes[segment=0]"),
              ElementsAre("Artifact:Note[segment=0] at /note"));
  EXPECT_THAT(Leaves("Artifact:Mood[segment=0]"), IsEmpty());
  EXPECT_THAT(Leaves("Artifact:Other"), IsEmpty());
}

TEST_F(LeafListTest, DocumentMustHoldItsLeaves) {
  const std::string id = "Artifact:Notes[segment=0]";
  const std::vector<v1::Leaf> leaves =
      LeavesOf(blueprint_, manifest_, ElementId::Parse(id).value());
  EXPECT_OK(CheckHoldsLeaves(id, R"({"note": null})", leaves));
  EXPECT_THAT(CheckHoldsLeaves(id, R"({"notes": 1})", leaves),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("Artifact:Note[segment=0]: Artifact:Notes"
                                 "[segment=0] has nothing at /note")));
  EXPECT_THAT(
      CheckHoldsLeaves(id, "a note", leaves),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must be JSON")));
}

}  // namespace
}  // namespace kinora
