// Files that a scan cannot take: they are named, and keep no other back.

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "services/store/readable/readable_files.h"
#include "services/store/readable/readable_scan_fixture.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Neither does it come into the log, nor is it overwritten.
TEST_F(ReadableScanTest, AFileThatCannotBeTakenKeepsNoOtherBack) {
  Make("Artifact:Large", "a.txt");
  Make("Artifact:Latin", "b.txt");
  Make("Artifact:Prompt", "c.txt");
  EndRun();
  EditByHand("prompts/a.txt", std::string(kMaxReadableBytes + 1, 'x'));
  EditByHand("prompts/b.txt", "caf\xe9");
  EditByHand("prompts/c.txt", "a green sea");
  for (const bool dry_run : {true, false}) {
    EXPECT_THAT(Scan(dry_run), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
    EXPECT_THAT(
        skipped_,
        ElementsAre("prompts/a.txt of Artifact:Large: has 16777217 bytes, "
                    "readable files have at most 16777216",
                    "prompts/b.txt of Artifact:Latin: must be UTF-8 text"));
  }
  EXPECT_EQ(Latest("Artifact:Prompt").artefact().output().inline_().data(),
            "a green sea");
  EXPECT_EQ(FileText("prompts/b.txt"), "caf\xe9");
  EditByHand("prompts/b.txt", "caf\xc3\xa9");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Latin")));
}

// Outputs of several runs may name the file of one as the directory of another.
TEST_F(ReadableScanTest, AFileWhosePlaceIsTakenKeepsNoOtherBack) {
  Make("Artifact:First", "a.txt");
  Make("Artifact:Second", "a.txt/x.txt", kRun2);
  Make("Artifact:Third", "b.txt/x.txt");
  Make("Artifact:Fourth", "b.txt", kRun2);
  Make("Artifact:Prompt", "c.txt");
  EndRun();
  EditByHand("prompts/c.txt", "a green sea");
  EXPECT_THAT(Scan(), IsOkAndHolds(ElementsAre("Artifact:Prompt")));
  EXPECT_THAT(
      skipped_,
      ElementsAre(HasSubstr("prompts/a.txt/x.txt of Artifact:Second: something "
                            "else has its place: "),
                  HasSubstr("prompts/b.txt of Artifact:Fourth: something else "
                            "has its place: ")));
  EXPECT_EQ(FileText("prompts/a.txt"), "Artifact:First");
  EXPECT_EQ(FileText("prompts/b.txt/x.txt"), "Artifact:Third");
}

TEST_F(ReadableScanTest, WhatIsNoPlainFileIsNamedAndNotRead) {
  ASSERT_OK(store().events.Append(Prompt("a stormy sea")));
  EndRun();
  const std::string path = PathOf(kImage);
  const auto expect_skipped = [this] {
    EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(skipped_,
                ElementsAre(AllOf(HasSubstr(kImage), HasSubstr("Prompt"),
                                  Not(HasSubstr("staging")))));
  };
  ASSERT_OK(fs_.Remove(path));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  expect_skipped();
  ASSERT_OK(fs_.Remove(path));
  const TempDir elsewhere;
  ASSERT_OK(CreateFileAtomically(fs_, elsewhere.Sub("secret"), "not a prompt"));
  ASSERT_EQ(symlink(elsewhere.Sub("secret").c_str(), path.c_str()), 0);
  expect_skipped();
  ASSERT_OK(fs_.Remove(path));
  ASSERT_OK(fs_.CreateDirectory(path));
  expect_skipped();
  ASSERT_OK(fs_.Remove(path));
  EXPECT_THAT(Scan(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(skipped_, IsEmpty());
  EXPECT_EQ(FileText(kImage), "a stormy sea");
}

}  // namespace
}  // namespace kinora
