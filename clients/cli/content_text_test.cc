#include "clients/cli/content_text.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "common/digest.h"
#include "common/files/file_system.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

TEST(ParseAssignmentTest, TakesJson) {
  const InputAssignment a = *ParseAssignment(R"(Count= 5 )");
  EXPECT_EQ(a.edit.input_id(), "Input:Count");
  EXPECT_EQ(a.edit.content().inline_().data(), "5");
  EXPECT_EQ(a.edit.content().inline_().mime_type(), "application/json");
}

TEST(ParseAssignmentTest, FindsTheNameBeforeTheValue) {
  const InputAssignment a = *ParseAssignment(R"(Prompt[segment=1]="a = [b]")");
  EXPECT_EQ(a.edit.input_id(), "Input:Prompt[segment=1]");
  EXPECT_EQ(a.edit.content().inline_().data(), R"("a = [b]")");
  EXPECT_EQ(ParseAssignment(R"(Topic="[x=1]")")->edit.input_id(),
            "Input:Topic");
}

TEST(ParseAssignmentTest, TakesFilesAsJsonOrAsBytes) {
  TempDir dir;
  const std::string json = dir.Sub("value.json");
  const std::string image = dir.Sub("whale.png");
  ASSERT_TRUE(
      WriteFileAtomically(PosixFileSystem(), json, R"({ "a": 1 })").ok());
  ASSERT_TRUE(WriteFileAtomically(PosixFileSystem(), image, "\x89PNG").ok());

  EXPECT_EQ(ParseAssignment("Style=@" + json)->edit.content().inline_().data(),
            R"({"a":1})");

  const InputAssignment file = *ParseAssignment("Whale=file:" + image);
  EXPECT_EQ(file.upload_path, image);
  EXPECT_EQ(file.edit.content().blob().mime_type(), "image/png");
  EXPECT_EQ(file.edit.content().blob().digest().hash(),
            Sha256Of("\x89PNG").Hex());
}

// A name may promise what the bytes do not hold.
TEST(ParseAssignmentTest, FilesHaveNoTypeThatTheirBytesCannotBeOf) {
  TempDir dir;
  const auto file = [&dir](const std::string& name, const std::string& bytes) {
    const std::string path = dir.Sub(name);
    EXPECT_TRUE(WriteFileAtomically(PosixFileSystem(), path, bytes).ok());
    const InputAssignment file = *ParseAssignment("A=file:" + path);
    return file.edit.content().blob().mime_type() +
           (file.is_text ? " text" : " bytes");
  };
  EXPECT_EQ(file("story.txt", "a whale"), "text/plain text");
  EXPECT_EQ(file("story.txt", "\xff\xfe"), "application/octet-stream bytes");
  EXPECT_EQ(file("story.md", "\xff\xfe"), "text/markdown bytes");
  EXPECT_EQ(file("style.json", "[1]"), "application/json text");
  EXPECT_EQ(file("style.json", "[1"), "text/plain text");
  EXPECT_EQ(file("style.json", "[\"\xff\"]"), "application/octet-stream bytes");
}

TEST(ParseAssignmentTest, NamesWhatIsWrong) {
  const char* const cases[][2] = {
      {"Topic", "expected NAME=JSON"},
      {"=5", "expected NAME=JSON"},
      {"Topic=night", "is not JSON (text needs quotes"},
      {"To pic=1", "To pic"},
      {"Artifact:Film=1", "names an artefact"},
      {"Count=9007199254740993",
       "the number 9007199254740993 is not exact in JSON; put it in quotes"},
      {"Topic=@no-such-file.json", "no-such-file.json"},
      {"Topic=file:no-such-file", "no-such-file"},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = ParseAssignment(text).status();
    EXPECT_FALSE(status.ok()) << text;
    EXPECT_TRUE(absl::StrContains(status.message(), message)) << status;
  }
}

TEST(ParseAssignmentTest, TellsAValueThatIsNotJsonOnce) {
  const std::string message(
      ParseAssignment("Topic=night sea").status().message());
  const size_t told = message.find("got \"");
  ASSERT_NE(told, std::string::npos) << message;
  EXPECT_EQ(message.find("got \"", told + 1), std::string::npos) << message;
}

TEST(DescribeContentTest, ShowsTheBeginningOfTextOnOneLine) {
  v1::Content content;
  content.mutable_inline_()->set_mime_type("text/plain");
  content.mutable_inline_()->set_data("Call me\nIshmael. " +
                                      std::string(100, 'x'));
  const std::string line = DescribeContent(content);
  EXPECT_TRUE(absl::StrContains(line, "Call me Ishmael."));
  EXPECT_TRUE(absl::StrContains(line, "..."));
  EXPECT_FALSE(absl::StrContains(line, "\n"));
}

}  // namespace
}  // namespace kinora
