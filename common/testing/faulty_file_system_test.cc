#include "common/testing/faulty_file_system.h"

#include <memory>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Survival = FaultyFileSystem::Survival;

class FaultyFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(fs_.CreateDirectories("/d")); }

  std::unique_ptr<WritableFile> Open(absl::string_view path) {
    return fs_.OpenForWrite(path, OpenMode::kAppend).value();
  }
  std::string Read(absl::string_view path) {
    return ReadFile(fs_, path).value_or("(none)");
  }

  FaultyFileSystem fs_;
};

TEST_F(FaultyFileSystemTest, ACrashLosesWhatWasNotSynced) {
  auto file = Open("/d/f");
  ASSERT_OK(file->Append("synced"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(fs_.SyncDirectory("/d"));
  ASSERT_OK(file->Append(" lost"));
  fs_.Crash(Survival::kNothing, 0);
  EXPECT_EQ(Read("/d/f"), "synced");
}

TEST_F(FaultyFileSystemTest, ASyncedFileWithoutASyncedNameIsLost) {
  auto file = Open("/d/f");
  ASSERT_OK(file->Append("x"));
  ASSERT_OK(file->Sync());
  fs_.Crash(Survival::kNothing, 0);
  EXPECT_THAT(fs_.List("/d"), IsOkAndHolds(IsEmpty()));
}

// Every length of the unsynced part turns up, torn ones too, and nothing else.
TEST_F(FaultyFileSystemTest, ALuckyCrashKeepsAPrefix) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    FaultyFileSystem fs;
    ASSERT_OK(WriteFileAtomically(fs, "/f", "ab"));
    const auto file = fs.OpenForWrite("/f", OpenMode::kAppend).value();
    ASSERT_OK(file->Append("cd"));
    fs.Crash(seed);
    seen.insert(ReadFile(fs, "/f").value());
  }
  EXPECT_THAT(seen, ElementsAre("ab", "abc", "abcd"));
}

TEST_F(FaultyFileSystemTest, ALuckyCrashTearsWhatWasWrittenOverZeros) {
  const std::string zeros(4000, '\0');
  const std::string all(4000, 'x');
  bool tore_a_hole = false;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FaultyFileSystem fs;
    auto file = *fs.OpenForWrite("/a", OpenMode::kCreate);
    ASSERT_OK(file->Reserve(zeros.size()));
    ASSERT_OK(file->Sync());
    ASSERT_OK(fs.SyncDirectory("/"));
    ASSERT_OK(file->Append(all));
    fs.Crash(seed);
    ASSERT_OK_AND_ASSIGN(const std::string left, ReadFile(fs, "/a"));
    ASSERT_EQ(left.size(), zeros.size());
    EXPECT_EQ(left.find_first_not_of(std::string("x\0", 2)), left.npos);
    const size_t zero = left.find('\0');
    tore_a_hole = tore_a_hole || left.find('x', zero) != left.npos;
  }
  EXPECT_TRUE(tore_a_hole);  // sectors are written in any order
}

TEST_F(FaultyFileSystemTest, ARenameHappensWholeOrNot) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    FaultyFileSystem fs;
    ASSERT_OK(WriteFileAtomically(fs, "/f", "old"));
    ASSERT_OK(WriteFileAtomically(fs, "/g", "new"));
    ASSERT_OK(fs.Rename("/g", "/f"));
    fs.Crash(seed);
    seen.insert(ReadFile(fs, "/f").value() + "," +
                ReadFile(fs, "/g").value_or("-"));
  }
  EXPECT_THAT(seen, ElementsAre("new,-", "old,new"));
}

// A rename between directories is synced with either of them; the older change
// of the other directory must not bring the file back.
TEST_F(FaultyFileSystemTest, SyncOfOneDirectoryCarriesTheWholeRename) {
  ASSERT_OK(fs_.CreateDirectories("/e"));
  auto file = Open("/d/f");
  ASSERT_OK(file->Append("x"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(fs_.Rename("/d/f", "/e/f"));
  ASSERT_OK(fs_.SyncDirectory("/e"));
  for (uint64_t seed = 0; seed < 20; ++seed) {
    fs_.Crash(seed);
    EXPECT_EQ(Read("/e/f"), "x");
    EXPECT_THAT(fs_.List("/d"), IsOkAndHolds(IsEmpty()));
  }
}

TEST_F(FaultyFileSystemTest, OpenFilesAndLocksDieWithTheCrash) {
  auto file = Open("/d/f");
  const auto reader = fs_.OpenForRead("/d/f").value();
  auto lock = fs_.Lock("/d/LOCK").value();
  fs_.Crash(1);
  EXPECT_THAT(file->Append("x"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(reader->Size(), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK_AND_ASSIGN(const auto again, fs_.Lock("/d/LOCK"));
  lock.reset();  // must not free the lock of the new life
  EXPECT_FALSE(fs_.Lock("/d/LOCK").ok());
}

TEST_F(FaultyFileSystemTest, FailuresComeInTheOrderAskedFor) {
  auto file = Open("/d/f");
  fs_.FailNext(FileOp::kAppend, absl::ResourceExhaustedError("full"));
  fs_.FailNext(FileOp::kAppend, absl::DataLossError("broken"));
  EXPECT_THAT(file->Append("x"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(file->Append("x"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_OK(file->Append("x"));
  EXPECT_EQ(Read("/d/f"), "x");
  fs_.FailAlways(FileOp::kRename, absl::InternalError("no"));
  EXPECT_FALSE(fs_.Rename("/d/f", "/d/g").ok());
  EXPECT_FALSE(fs_.Rename("/d/f", "/d/g").ok());
  fs_.ClearFailures();
  EXPECT_OK(fs_.Rename("/d/f", "/d/g"));
}

// The trap of fsync: the second one succeeds, and the bytes are gone all the
// same.
TEST_F(FaultyFileSystemTest, AFailedSyncLosesTheBytes) {
  auto file = Open("/d/f");
  ASSERT_OK(file->Append("a"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(file->Append("b"));
  fs_.FailNext(FileOp::kSync, absl::DataLossError("Input/output error"));
  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kDataLoss,
                                     HasSubstr("sync \"/d/f\"")));
  EXPECT_OK(file->Sync());
  EXPECT_EQ(Read("/d/f"), "a");
}

TEST_F(FaultyFileSystemTest, FlipByteChangesBothStates) {
  ASSERT_OK(WriteFileAtomically(fs_, "/d/f", "abc"));
  fs_.FlipByte("/d/f", 1);
  EXPECT_NE(Read("/d/f"), "abc");
  fs_.Crash(0);
  EXPECT_NE(Read("/d/f"), "abc");
}

// Invariant 1 for every file that is written this way: cut at every step, with
// many outcomes of the crash, it holds all of the old or all of the new bytes,
// and the new ones once the write was acknowledged.
TEST_F(FaultyFileSystemTest, AtomicWriteSurvivesACutAtEveryStep) {
  std::set<std::string> seen;
  for (int step = 0; step < 8; ++step) {
    for (uint64_t seed = 0; seed < 40; ++seed) {
      FaultyFileSystem fs;
      ASSERT_OK(WriteFileAtomically(fs, "/f", "old bytes"));
      fs.StopAfter(step);
      const bool acknowledged = WriteFileAtomically(fs, "/f", "new").ok();
      fs.Crash(seed);
      const std::string after = ReadFile(fs, "/f").value_or("(none)");
      EXPECT_TRUE(after == "new" || (after == "old bytes" && !acknowledged))
          << step << " " << seed << " " << after;
      seen.insert(after);
      EXPECT_OK(WriteFileAtomically(fs, "/f", "after"));
    }
  }
  EXPECT_THAT(seen, ElementsAre("new", "old bytes"));
}

TEST_F(FaultyFileSystemTest, ACrashMayUndoATouch) {
  int undone = 0;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    FaultyFileSystem fs;
    fs.SetNow(absl::FromUnixSeconds(1000));
    ASSERT_OK(WriteFileAtomically(fs, "f", "x"));
    fs.SetNow(absl::FromUnixSeconds(2000));
    ASSERT_OK(fs.Touch("f"));
    ASSERT_OK_AND_ASSIGN(FileInfo info, fs.Stat("f"));
    EXPECT_EQ(info.modify_time, absl::FromUnixSeconds(2000));
    fs.Crash(seed);
    ASSERT_OK_AND_ASSIGN(info, fs.Stat("f"));
    if (info.modify_time == absl::FromUnixSeconds(1000)) ++undone;
  }
  EXPECT_GT(undone, 0);
  EXPECT_LT(undone, 16);
}

}  // namespace
}  // namespace kinora
