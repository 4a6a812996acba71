#include "common/files/file_url.h"

#include <string>

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(FileUrlTest, PlainPathsAreReadable) {
  EXPECT_EQ(FileUrl("/var/lib/kinora/builds/m-1/blobs/7f/7f3c"),
            "file:///var/lib/kinora/builds/m-1/blobs/7f/7f3c");
}

TEST(FileUrlTest, WhatMeansSomethingInAUrlIsEscaped) {
  EXPECT_EQ(FileUrl("/a b/50%/c#d?e/ü"),
            "file:///a%20b/50%25/c%23d%3Fe/%C3%BC");
}

// No path of a file keeps its bytes from coming back.
TEST(FileUrlTest, AnyPathComesBack) {
  std::string path = "/";
  for (int byte = 1; byte < 256; ++byte) path += static_cast<char>(byte);
  EXPECT_THAT(PathOfFileUrl("url", FileUrl(path)), IsOkAndHolds(path));
  EXPECT_THAT(PathOfFileUrl("url", FileUrl("/100%41")),
              IsOkAndHolds("/100%41"));
}

TEST(FileUrlTest, ARelativePathHasNone) {
  EXPECT_EQ(FileUrl("data/builds"), "");
  EXPECT_EQ(FileUrl(""), "");
}

TEST(FileUrlTest, OtherUrlsAreNamed) {
  for (const char* url :
       {"", "/a", "file:/a", "file://host/a", "https://host/a", "file:///a?b",
        "file:///a#b", "file://"}) {
    EXPECT_THAT(PathOfFileUrl("input text/0", url),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("input text/0"), HasSubstr(url))));
  }
}

}  // namespace
}  // namespace kinora
