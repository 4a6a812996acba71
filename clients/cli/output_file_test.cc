#include "clients/cli/output_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"

#include "common/status.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OutputFileTest : public ::testing::Test {
 protected:
  absl::Status Write(const std::string& name, const std::string& bytes,
                     ExistingFile existing = ExistingFile::kReplace) {
    absl::StatusOr<OutputFile> file =
        OutputFile::Open(dir_.Sub(name), existing);
    KINORA_RETURN_IF_ERROR(file.status());
    KINORA_RETURN_IF_ERROR(file->Append(bytes));
    return file->Finish();
  }
  absl::StatusOr<std::string> Read(const std::string& name) {
    return ReadFile(PosixFileSystem(), dir_.Sub(name));
  }
  std::vector<std::string> Names() {
    return PosixFileSystem().List(dir_.path()).value();
  }

  TempDir dir_;
};

TEST_F(OutputFileTest, IsThereOnceItIsWhole) {
  ASSERT_OK(Write("out", "old"));
  {
    ASSERT_OK_AND_ASSIGN(
        OutputFile given_up,
        OutputFile::Open(dir_.Sub("out"), ExistingFile::kReplace));
    ASSERT_OK(given_up.Append("half"));
    EXPECT_EQ(given_up.size(), 4);
    EXPECT_THAT(Read("out"), IsOkAndHolds("old"));
  }
  EXPECT_THAT(Names(), ElementsAre("out"));
  ASSERT_OK(Write("out", "new"));
  EXPECT_THAT(Read("out"), IsOkAndHolds("new"));
  EXPECT_THAT(Names(), ElementsAre("out"));
}

TEST_F(OutputFileTest, SeveralAtOnceAndFilesOfOthersAreNotInItsWay) {
  ASSERT_OK(Write("out.partial", "mine"));
  ASSERT_OK_AND_ASSIGN(
      OutputFile first,
      OutputFile::Open(dir_.Sub("out"), ExistingFile::kReplace));
  ASSERT_OK_AND_ASSIGN(
      OutputFile second,
      OutputFile::Open(dir_.Sub("out"), ExistingFile::kReplace));
  ASSERT_OK(first.Append("first"));
  ASSERT_OK(second.Append("second"));
  ASSERT_OK(first.Finish());
  EXPECT_THAT(Read("out"), IsOkAndHolds("first"));
  ASSERT_OK(second.Finish());
  EXPECT_THAT(Read("out"), IsOkAndHolds("second"));
  EXPECT_THAT(Read("out.partial"), IsOkAndHolds("mine"));
  EXPECT_THAT(Names(), ElementsAre("out", "out.partial"));
}

TEST_F(OutputFileTest, FollowsLinks) {
  namespace fs = std::filesystem;
  ASSERT_OK(PosixFileSystem().CreateDirectories(dir_.Sub("below")));
  fs::create_symlink("below/target", dir_.Sub("link"));
  fs::create_symlink(dir_.Sub("link"), dir_.Sub("link-to-link"));
  ASSERT_OK(Write("link-to-link", "made"));  // there was no target
  EXPECT_THAT(Read("below/target"), IsOkAndHolds("made"));
  ASSERT_OK(Write("link", "replaced"));
  EXPECT_THAT(Read("below/target"), IsOkAndHolds("replaced"));
  EXPECT_TRUE(fs::is_symlink(dir_.Sub("link")));
  EXPECT_TRUE(fs::is_symlink(dir_.Sub("link-to-link")));
  EXPECT_THAT(Names(), ElementsAre("below", "link", "link-to-link"));
  fs::create_symlink("loop", dir_.Sub("loop"));
  EXPECT_FALSE(Write("loop", "x").ok());
}

TEST_F(OutputFileTest, WritesToFifosAndDevicesAsTheyAre) {
  const std::string fifo = dir_.Sub("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] {
    FILE* const file = fopen(fifo.c_str(), "r");
    char buffer[16];
    got.assign(buffer, fread(buffer, 1, sizeof(buffer), file));
    fclose(file);
  });
  EXPECT_OK(Write("fifo", "through"));
  reader.join();
  EXPECT_EQ(got, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(fifo));
  std::filesystem::create_symlink("/dev/null", dir_.Sub("null"));
  EXPECT_OK(Write("null", "nothing", ExistingFile::kRefuse));
  EXPECT_TRUE(std::filesystem::is_symlink(dir_.Sub("null")));
  EXPECT_THAT(Names(), ElementsAre("fifo", "null"));
}

// Not the file that is only there meanwhile.
TEST_F(OutputFileTest, ErrorsNameThePathThatWasGiven) {
  const std::string path = dir_.Sub("missing/out");
  EXPECT_EQ(Write("missing/out", "x").message(),
            "open \"" + path + "\": No such file or directory");
  ASSERT_OK(Write("out", "old", ExistingFile::kRefuse));
  ASSERT_OK_AND_ASSIGN(
      OutputFile late,
      OutputFile::Open(dir_.Sub("late"), ExistingFile::kRefuse));
  ASSERT_OK(Write("late", "first"));
  EXPECT_EQ(late.Finish().message(),
            "there is a file \"" + dir_.Sub("late") + "\" already");
}

TEST_F(OutputFileTest, RefusesWhatItMustNotReplace) {
  ASSERT_OK(Write("out", "old", ExistingFile::kRefuse));
  EXPECT_THAT(Write("out", "new", ExistingFile::kRefuse),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("out")));
  EXPECT_THAT(Read("out"), IsOkAndHolds("old"));
  ASSERT_OK(PosixFileSystem().CreateDirectories(dir_.Sub("folder")));
  EXPECT_THAT(Write("folder", "x"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("is a directory")));
  // Made by somebody else meanwhile.
  ASSERT_OK_AND_ASSIGN(
      OutputFile late,
      OutputFile::Open(dir_.Sub("late"), ExistingFile::kRefuse));
  ASSERT_OK(Write("late", "first"));
  EXPECT_THAT(late.Finish(), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Read("late"), IsOkAndHolds("first"));
}

}  // namespace
}  // namespace kinora
