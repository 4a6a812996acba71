#include "common/element_id.h"

#include <string>

#include "absl/container/flat_hash_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

void ExpectRefused(const std::string& text, const std::string& message) {
  EXPECT_THAT(ElementId::Parse(text),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)))
      << text;
}

TEST(ElementIdTest, ReadsItsParts) {
  ASSERT_OK_AND_ASSIGN(
      const ElementId id,
      ElementId::Parse("Artifact:SegmentImage[segment=0][image=12]"));
  EXPECT_EQ(id.kind, ElementId::Kind::kArtefact);
  EXPECT_EQ(id.name, "SegmentImage");
  ASSERT_EQ(id.indices.size(), 2u);
  EXPECT_EQ(id.indices[0], (DimensionIndex{"segment", 0}));
  EXPECT_EQ(id.indices[1], (DimensionIndex{"image", 12}));
}

TEST(ElementIdTest, PrintsWhatItRead) {
  for (const char* text :
       {"Input:Topic", "Input:Prompt[segment=1]", "Artifact:Script",
        "Artifact:SegmentImage[segment=0][image=4294967295]"}) {
    ASSERT_OK_AND_ASSIGN(const ElementId id, ElementId::Parse(text));
    EXPECT_EQ(id.ToString(), text);
  }
}

TEST(ElementIdTest, RefusesEverySecondSpellingAndSaysWhere) {
  ExpectRefused("", "expected \"Input:\" or \"Artifact:\" at byte 0, got \"\"");
  ExpectRefused("Topic", "at byte 0, got \"Topic\"");
  ExpectRefused("Artefact:A", "at byte 0");
  ExpectRefused("input:A", "at byte 0");
  ExpectRefused("Input:",
                "expected a name, which begins with a letter, at "
                "byte 6, got \"Input:\"");
  ExpectRefused("Input:2A", "at byte 6");
  ExpectRefused("Input:A B", "expected '[' at byte 7");
  ExpectRefused("Input:../A", "at byte 6");
  ExpectRefused("Input:A[", "a name");
  ExpectRefused("Input:A[s]", "expected '=' at byte 9");
  ExpectRefused("Input:A[s=]", "a number without leading zeros");
  ExpectRefused("Input:A[s=-1]", "a number without leading zeros");
  ExpectRefused("Input:A[s=01]", "at byte 10");
  ExpectRefused("Input:A[s=00]", "at byte 10");
  ExpectRefused("Input:A[s=4294967296]", "at byte 10");
  ExpectRefused("Input:A[s=1", "expected ']' at byte 11");
  ExpectRefused("Input:A[s=1]x", "expected '[' at byte 12");
  ExpectRefused("Input:A[s=1][s=2]", "names the dimension s twice");
  ExpectRefused("Input:" + std::string(129, 'a'), "at most 128 bytes");
  ExpectRefused("Input:A[" + std::string(129, 'a') + "=0]", "128 bytes");
  ExpectRefused("Input:" + std::string(2000, 'a'), "at most 1024 bytes");
  std::string many = "Input:A";
  for (char c = 'a'; c <= 'i'; ++c) many += std::string("[") + c + "=0]";
  ExpectRefused(many, "at most 8 dimensions");
}

TEST(ElementIdTest, APrefixIsOptionalWhereAKindIsGiven) {
  const auto kind = ElementId::Kind::kArtefact;
  ASSERT_OK_AND_ASSIGN(const ElementId bare, ElementId::Parse("A[s=1]", kind));
  EXPECT_EQ(bare.ToString(), "Artifact:A[s=1]");
  ASSERT_OK_AND_ASSIGN(const ElementId other,
                       ElementId::Parse("Input:A", kind));
  EXPECT_EQ(other.ToString(), "Input:A");
  EXPECT_FALSE(ElementId::Parse("Other:A", kind).ok());
}

TEST(ElementIdTest, OrdersIndicesAsNumbers) {
  const auto id = [](absl::string_view text) {
    return ElementId::Parse(text).value();
  };
  EXPECT_LT(id("Input:A[s=2]"), id("Input:A[s=10]"));
  EXPECT_LT(id("Input:Z"), id("Artifact:A"));
  const absl::flat_hash_set<ElementId> ids = {
      id("Input:A"), id("Input:A"), id("Artifact:A"), id("Input:A[s=0]")};
  EXPECT_EQ(ids.size(), 3u);
}

// One spelling: whatever is accepted prints as it was.
TEST(ElementIdTest, AcceptedTextsPrintAsTheyWere) {
  SeededRandom random(11);
  constexpr absl::string_view kBytes = "As0912[]=:_-. %";
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = "Input:A[s=10][t=0]";
    for (int edits = 0; edits < 2; ++edits) {
      text[6 + UniformBelow(random, text.size() - 6)] =
          kBytes[UniformBelow(random, kBytes.size())];
    }
    text.resize(7 + UniformBelow(random, text.size() - 6));
    const absl::StatusOr<ElementId> id = ElementId::Parse(text);
    if (!id.ok()) continue;
    ++accepted;
    EXPECT_EQ(id->ToString(), text);
  }
  EXPECT_GT(accepted, 100);
}

TEST(JobIdTest, ReadsAndPrints) {
  for (const char* text : {"Timeline", "Narration[segment=0]"}) {
    ASSERT_OK_AND_ASSIGN(const JobId id, JobId::Parse(text));
    EXPECT_EQ(id.ToString(), text);
  }
  EXPECT_THAT(JobId::Parse("Artifact:A"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "job_id: expected '[' at byte 8, got \"Artifact:A\""));
}

TEST(FileNameOfIdTest, EncodesWhatAPathCouldTrip) {
  EXPECT_EQ(FileNameOfId("Artifact:SegmentImage[segment=0]"),
            "Artifact%3ASegmentImage%5Bsegment%3D0%5D");
  EXPECT_EQ(FileNameOfId("a%3A"), "a%253A");
  EXPECT_EQ(FileNameOfId("../a/b"), "%2E.%2Fa%2Fb");
  EXPECT_EQ(FileNameOfId("a.b-c_d"), "a.b-c_d");
}

TEST(FileNameOfIdTest, HashesNamesThatAreTooLong) {
  EXPECT_EQ(FileNameOfId(std::string(200, 'a')), std::string(200, 'a'));
  const std::string hashed = FileNameOfId(std::string(201, 'a'));
  EXPECT_EQ(hashed.size(), 7u + 64u);
  EXPECT_THAT(hashed, ::testing::StartsWith("sha256-"));
  EXPECT_NE(hashed, FileNameOfId(std::string(202, 'a')));
}

}  // namespace
}  // namespace kinora
