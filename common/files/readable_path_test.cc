#include "common/files/readable_path.h"

#include <string>

#include "gtest/gtest.h"

#include "common/element_id.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

// F: S1-7
TEST(ReadablePathTest, TakesPathsBelowPrompts) {
  EXPECT_OK(ValidateReadablePath("path", "segment/segment-0001/image.txt"));
  EXPECT_OK(ValidateReadablePath("path", "a"));
  EXPECT_OK(ValidateReadablePath(
      "path", FileNameOfId("Artifact:Text[segment=0]") + ".txt"));
}

TEST(ReadablePathTest, RefusesWhatCouldLeadElsewhere) {
  for (const char* path :
       {"", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/./b", ".hidden",
        "a\\b", "a b", "a%2", "a%2f", "%", "a:b", "a\nb"}) {
    EXPECT_THAT(ValidateReadablePath("path", path),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << path;
  }
  EXPECT_THAT(ValidateReadablePath("path", std::string(600, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace kinora
