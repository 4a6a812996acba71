#include "services/store/object/checked_document.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "kinora/v1/run_record.pb.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::string_view kMembers[] = {"takes", "usedThrough"};

v1::RunRecord Record() {
  v1::RunRecord record;
  record.set_run_id("run-01KDV3N3C00000000000000001");
  record.set_movie_id("film");
  record.set_status(v1::RUN_STATUS_RUNNING);
  return record;
}

TEST(CheckedDocumentTest, TheChecksumIsTheLastMember) {
  const std::string json = R"({"takes":3})";
  const std::string text = WithChecksum(json);
  EXPECT_EQ(text, R"({"takes":3,"crc32c":"628b3939"})");
  EXPECT_TRUE(HasChecksum(text));
  EXPECT_THAT(WithoutChecksum(text), IsOkAndHolds(json));
}

TEST(CheckedDocumentTest, ADocumentOfBeforeIsTakenAsItIs) {
  const std::string json = CanonicalBytes(Record());
  EXPECT_FALSE(HasChecksum(json));
  EXPECT_THAT(WithoutChecksum(json), IsOkAndHolds(json));
  v1::RunRecord record;
  ASSERT_OK(ParseCheckedDocument(json, &record));
  EXPECT_EQ(CanonicalBytes(record), json);
  EXPECT_OK(ParseCheckedJson(R"({"takes":3})", kMembers));
}

TEST(CheckedDocumentTest, AnotherValueOfTheSameFormIsToldWithBothChecksums) {
  std::string text = WithChecksum(R"({"takes":3})");
  text[text.find('3')] = '7';
  EXPECT_THAT(ParseCheckedJson(text, kMembers),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("the checksum says 628b3939"),
                             HasSubstr("the bytes say "))));
}

// Whichever it is: in what is covered, in the digits, in the member's name, or
// in what makes it JSON.
TEST(CheckedDocumentTest, EveryFlippedBitIsRefused) {
  const auto refuses = [](const std::string& good, const auto& parse) {
    EXPECT_TRUE(parse(good));
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] ^= static_cast<char>(1 << bit % 8);
      EXPECT_FALSE(parse(bad)) << bad;
    }
  };
  refuses(WithChecksum(CanonicalBytes(Record())), [](const std::string& text) {
    v1::RunRecord record;
    return ParseCheckedDocument(text, &record).ok();
  });
  refuses(WithChecksum(R"({"takes":[{"keep":1}],"usedThrough":7})"),
          [](const std::string& text) {
            return ParseCheckedJson(text, kMembers).ok();
          });
}

TEST(CheckedDocumentTest, ADocumentCutShortIsRefused) {
  const std::string good = WithChecksum(CanonicalBytes(Record()));
  v1::RunRecord message;
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ParseCheckedDocument(good.substr(0, size), &message).ok());
  }
}

TEST(CheckedDocumentTest, WhatTheReaderDoesNotKnowIsRefused) {
  EXPECT_THAT(
      ParseCheckedJson(WithChecksum(R"({"takes":3,"more":1})"), kMembers),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("unknown member \"more\"")));
  for (const char* text : {"[]", "7", "", "null"}) {
    EXPECT_FALSE(ParseCheckedJson(text, kMembers).ok()) << text;
  }
}

}  // namespace
}  // namespace kinora
