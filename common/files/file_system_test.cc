// One suite for every FileSystem: the disk and the one in memory, so that tests
// on the latter say something about the former. Then what only the disk does.

#include "common/files/file_system.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/status.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Kind { kPosix, kFaulty };

class FileSystemTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { ASSERT_OK(fs_.CreateDirectories(root_)); }

  std::string Path(absl::string_view name) { return JoinPath(root_, name); }

  absl::Status Write(absl::string_view name, absl::string_view bytes,
                     OpenMode mode) {
    absl::StatusOr<std::unique_ptr<WritableFile>> file =
        fs_.OpenForWrite(Path(name), mode);
    if (!file.ok()) return file.status();
    absl::Status status = (*file)->Append(bytes);
    status.Update((*file)->Sync());
    status.Update((*file)->Close());
    return status;
  }

  TempDir temp_;
  FaultyFileSystem faulty_;
  FileSystem& fs_ = GetParam() == Kind::kPosix
                        ? PosixFileSystem()
                        : static_cast<FileSystem&>(faulty_);
  const std::string root_ =
      GetParam() == Kind::kPosix ? temp_.path() : "/root/of/tests";
};

TEST_P(FileSystemTest, ReadsWhatWasWritten) {
  ASSERT_OK(Write("f", "hello", OpenMode::kCreate));
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds("hello"));
  EXPECT_THAT(ReadFileRange(fs_, Path("f"), 1, 3), IsOkAndHolds("ell"));
  EXPECT_THAT(ReadFileRange(fs_, Path("f"), 3, 1 << 30), IsOkAndHolds("lo"));
  EXPECT_THAT(ReadFileRange(fs_, Path("f"), 9, 1), IsOkAndHolds(""));
  EXPECT_THAT(ReadFile(fs_, Path("f"), 4),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("5 bytes, more than the limit of 4")));
}

TEST_P(FileSystemTest, OpenModesDoWhatTheySay) {
  ASSERT_OK(Write("f", "one", OpenMode::kAppend));
  ASSERT_OK(Write("f", "two", OpenMode::kAppend));
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds("onetwo"));
  EXPECT_THAT(Write("f", "x", OpenMode::kCreate),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("/f\"")));
  ASSERT_OK(Write("f", "three", OpenMode::kTruncate));
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds("three"));
}

TEST_P(FileSystemTest, SizeCountsWhatWasThereBefore) {
  ASSERT_OK(Write("f", "12345", OpenMode::kCreate));
  ASSERT_OK_AND_ASSIGN(const auto file,
                       fs_.OpenForWrite(Path("f"), OpenMode::kAppend));
  EXPECT_EQ(file->Size(), 5u);
  ASSERT_OK(file->Append("678"));
  EXPECT_EQ(file->Size(), 8u);
  // An open reader sees what is appended later.
  ASSERT_OK_AND_ASSIGN(const auto reader, fs_.OpenForRead(Path("f")));
  ASSERT_OK(file->Append("9"));
  EXPECT_THAT(reader->Size(), IsOkAndHolds(9u));
}

// Of whatever sizes it comes, and wherever the large part begins.
TEST_P(FileSystemTest, ALargeFileHasWhatWasAppended) {
  std::string bytes(5'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 31 + i / 977);
  }
  ASSERT_OK_AND_ASSIGN(const auto file,
                       fs_.OpenForWrite(Path("f"), OpenMode::kCreate));
  const size_t pieces[] = {4'095, 1, 700, 1'048'576, 3, 65'536, 2'000'001};
  size_t at = 0;
  for (size_t i = 0; at < bytes.size(); ++i) {
    if (i == 1 || i == 12) file->ExpectLarge();
    const size_t size = std::min(pieces[i % 7], bytes.size() - at);
    ASSERT_OK(file->Append(absl::string_view(bytes).substr(at, size)));
    at += size;
    EXPECT_EQ(file->Size(), at);
    if (i != 10) continue;
    ASSERT_OK(file->Sync());
    EXPECT_THAT(ReadFile(fs_, Path("f")),
                IsOkAndHolds(absl::string_view(bytes).substr(0, at)));
  }
  ASSERT_OK(file->Close());
  ASSERT_OK_AND_ASSIGN(const std::string read, ReadFile(fs_, Path("f")));
  EXPECT_TRUE(read == bytes);
}

TEST_P(FileSystemTest, ReservedRoomIsFilledFromItsStart) {
  for (const OpenMode mode : {OpenMode::kCreate, OpenMode::kTruncate}) {
    ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForWrite(Path("a"), mode));
    ASSERT_OK(file->Append("abc"));
    ASSERT_OK(file->Reserve(5));
    EXPECT_EQ(file->Size(), 3u);
    ASSERT_OK(file->Append("de"));
    ASSERT_OK(file->Sync());
    EXPECT_EQ(file->Size(), 5u);
    EXPECT_THAT(ReadFile(fs_, Path("a")),
                IsOkAndHolds(std::string("abcde\0\0\0", 8)));
    ASSERT_OK(file->Reserve(4));
    ASSERT_OK(file->Append("fghijkl"));
    EXPECT_EQ(file->Size(), 12u);
    EXPECT_THAT(ReadFile(fs_, Path("a")), IsOkAndHolds("abcdefghijkl"));
  }
}

TEST_P(FileSystemTest, MissingIsNotFoundWithThePath) {
  const std::string missing = Path("no/such");
  const auto is_not_found =
      StatusIs(absl::StatusCode::kNotFound, HasSubstr(missing + "\""));
  EXPECT_THAT(fs_.OpenForRead(missing).status(), is_not_found);
  EXPECT_THAT(fs_.OpenForWrite(missing, OpenMode::kCreate).status(),
              is_not_found);
  EXPECT_THAT(fs_.Stat(missing).status(), is_not_found);
  EXPECT_THAT(fs_.List(missing).status(), is_not_found);
  EXPECT_THAT(fs_.Remove(missing), is_not_found);
  EXPECT_THAT(fs_.Truncate(missing, 0), is_not_found);
  EXPECT_THAT(fs_.Touch(missing), is_not_found);
  EXPECT_THAT(fs_.SyncDirectory(missing), is_not_found);
  EXPECT_THAT(fs_.Rename(missing, Path("x")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no/such\" to")));
  EXPECT_THAT(Exists(fs_, missing), IsOkAndHolds(false));
}

TEST_P(FileSystemTest, RealPathsAreOfWhatIsThere) {
  ASSERT_OK_AND_ASSIGN(const std::string root, fs_.RealPath(root_));
  ASSERT_OK(Write("f", "x", OpenMode::kCreate));
  EXPECT_THAT(fs_.RealPath(Path("f")), IsOkAndHolds(JoinPath(root, "f")));
  EXPECT_THAT(fs_.RealPath(root_ + "/"), IsOkAndHolds(root));
  EXPECT_THAT(fs_.RealPath(Path("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none\"")));
}

TEST_P(FileSystemTest, TouchMakesAFileYoungAndLeavesItsBytes) {
  ASSERT_OK(Write("f", "bytes", OpenMode::kCreate));
  ASSERT_OK_AND_ASSIGN(const FileInfo before, fs_.Stat(Path("f")));
  ASSERT_OK(fs_.Touch(Path("f")));
  ASSERT_OK_AND_ASSIGN(const FileInfo after, fs_.Stat(Path("f")));
  EXPECT_GE(after.modify_time, before.modify_time);
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds("bytes"));
}

TEST_P(FileSystemTest, ListsNamesInOrder) {
  ASSERT_OK(Write("b", "", OpenMode::kCreate));
  ASSERT_OK(Write("a", "", OpenMode::kCreate));
  ASSERT_OK(fs_.CreateDirectories(Path("c/d")));
  EXPECT_THAT(fs_.List(root_), IsOkAndHolds(ElementsAre("a", "b", "c")));
  EXPECT_THAT(fs_.List(Path("c/d")), IsOkAndHolds(IsEmpty()));
}

TEST_P(FileSystemTest, MakesDirectoriesOnce) {
  ASSERT_OK(fs_.CreateDirectories(Path("x/y/z")));
  ASSERT_OK(fs_.CreateDirectories(Path("x/y/z")));
  ASSERT_OK_AND_ASSIGN(const FileInfo info, fs_.Stat(Path("x/y")));
  EXPECT_TRUE(info.is_directory);
  EXPECT_THAT(fs_.OpenForRead(Path("x")).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(Write("f", "", OpenMode::kCreate));
  EXPECT_THAT(fs_.CreateDirectories(Path("f")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(FileSystemTest, MakesOneDirectoryOnce) {
  EXPECT_OK(fs_.CreateDirectory(Path("d")));
  EXPECT_OK(fs_.CreateDirectory(Path("d")));
  EXPECT_THAT(fs_.List(Path("d")), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(fs_.CreateDirectory(Path("x/y")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("x/y")));
  ASSERT_OK(Write("f", "a file", OpenMode::kCreate));
  EXPECT_THAT(fs_.CreateDirectory(Path("f")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("f")));
}

TEST_P(FileSystemTest, SyncsAVolumeUnlessNobodyKnowsWhatThatCovers) {
  const auto volume = fs_.OpenVolume(root_);
  if (absl::IsUnimplemented(volume.status())) return;
  ASSERT_OK(volume);
  ASSERT_OK(Write("f", "bytes", OpenMode::kCreate));
  EXPECT_OK((*volume)->Sync());
  EXPECT_THAT(fs_.OpenVolume(Path("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_P(FileSystemTest, RenameReplacesAndRenameIfAbsentDoesNot) {
  ASSERT_OK(Write("a", "A", OpenMode::kCreate));
  ASSERT_OK(Write("b", "B", OpenMode::kCreate));
  EXPECT_THAT(fs_.RenameIfAbsent(Path("a"), Path("b")),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("/b\"")));
  EXPECT_THAT(ReadFile(fs_, Path("a")), IsOkAndHolds("A"));
  EXPECT_THAT(ReadFile(fs_, Path("b")), IsOkAndHolds("B"));
  ASSERT_OK(fs_.Rename(Path("a"), Path("b")));
  ASSERT_OK(fs_.RenameIfAbsent(Path("b"), Path("c")));
  EXPECT_THAT(fs_.List(root_), IsOkAndHolds(ElementsAre("c")));
  EXPECT_THAT(ReadFile(fs_, Path("c")), IsOkAndHolds("A"));
}

TEST_P(FileSystemTest, OneOfManyCreatorsWins) {
  std::vector<absl::Status> results(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([this, t, &results] {
      results[t] = CreateFileAtomically(fs_, Path("f"), std::to_string(t));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string winner;
  for (size_t t = 0; t < results.size(); ++t) {
    if (results[t].ok()) {
      winner += std::to_string(t);
    } else {
      EXPECT_THAT(results[t], StatusIs(absl::StatusCode::kAlreadyExists));
    }
  }
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds(winner));
  EXPECT_THAT(fs_.List(root_), IsOkAndHolds(ElementsAre("f")));
}

// F: S1-57
TEST_P(FileSystemTest, AtomicWriteReplacesAndLeavesNothingBeside) {
  ASSERT_OK(WriteFileAtomically(fs_, Path("f"), "old"));
  ASSERT_OK(WriteFileAtomically(fs_, Path("f"), "new"));
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds("new"));
  EXPECT_THAT(fs_.List(root_), IsOkAndHolds(ElementsAre("f")));
}

TEST_P(FileSystemTest, TruncateCutsAndPads) {
  ASSERT_OK(Write("f", "12345", OpenMode::kCreate));
  ASSERT_OK(fs_.Truncate(Path("f"), 2));
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds("12"));
  ASSERT_OK(fs_.Truncate(Path("f"), 3));
  EXPECT_THAT(ReadFile(fs_, Path("f")), IsOkAndHolds(std::string("12\0", 3)));
}

TEST_P(FileSystemTest, RemovesFilesAndEmptyDirectoriesOnly) {
  ASSERT_OK(fs_.CreateDirectories(Path("d")));
  ASSERT_OK(Write("d/f", "x", OpenMode::kCreate));
  EXPECT_THAT(fs_.Remove(Path("d")),
              StatusIs(absl::StatusCode::kAlreadyExists));
  ASSERT_OK(fs_.Remove(Path("d/f")));
  ASSERT_OK(fs_.Remove(Path("d")));
  EXPECT_THAT(fs_.List(root_), IsOkAndHolds(IsEmpty()));
}

TEST_P(FileSystemTest, RemoveTreeRemovesAllBelow) {
  ASSERT_OK(fs_.CreateDirectories(Path("d/e")));
  ASSERT_OK(Write("d/e/f", "x", OpenMode::kCreate));
  ASSERT_OK(Write("d.txt", "x", OpenMode::kCreate));
  ASSERT_OK(RemoveTree(fs_, Path("d")));
  ASSERT_OK(RemoveTree(fs_, Path("d")));
  EXPECT_THAT(fs_.List(root_), IsOkAndHolds(ElementsAre("d.txt")));
}

TEST_P(FileSystemTest, ALockIsHeldOnceAndNamesItsHolder) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<FileLock> lock, fs_.Lock(Path("LOCK")));
  EXPECT_THAT(fs_.Lock(Path("LOCK")).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("LOCK\": held by process ")));
  lock.reset();
  EXPECT_OK(fs_.Lock(Path("LOCK")));
}

INSTANTIATE_TEST_SUITE_P(All, FileSystemTest,
                         ::testing::Values(Kind::kPosix, Kind::kFaulty),
                         [](const auto& info) {
                           return info.param == Kind::kPosix ? "Posix"
                                                             : "Faulty";
                         });

TEST(PosixFileSystemTest, ALockKeepsOtherProcessesOut) {
  const TempDir temp;
  ASSERT_OK_AND_ASSIGN(const auto lock,
                       PosixFileSystem().Lock(temp.Sub("LOCK")));
  const std::string holder = "held by process " + std::to_string(getpid());
  const pid_t child = fork();
  if (child == 0) {
    const absl::Status status =
        PosixFileSystem().Lock(temp.Sub("LOCK")).status();
    _exit(absl::StrContains(status.message(), holder) ? 7 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(PosixFileSystemTest, AFullDiskIsResourceExhausted) {
  ASSERT_OK_AND_ASSIGN(const auto file, PosixFileSystem().OpenForWrite(
                                            "/dev/full", OpenMode::kAppend));
  EXPECT_THAT(file->Append("x"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "write \"/dev/full\": No space left on device"));
}

// Waiting for a writer of the FIFO would be for ever.
// As where a disk has taken a part of a block: what is large has to go on in a
// place that no write past the cache can begin at.
TEST(PosixFileSystemTest, ALargeFileGoesOnWhereNothingGoesPastTheCache) {
  TempDir temp;
  FileSystem& fs = PosixFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file,
                       fs.OpenForWrite(temp.Sub("f"), OpenMode::kAppend));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> other,
                       fs.OpenForWrite(temp.Sub("f"), OpenMode::kAppend));
  ASSERT_OK(other->Append("odd"));
  const std::string bytes = std::string(2'500'000, 'a') + "the end";
  file->ExpectLarge();
  ASSERT_OK(file->Append(bytes));
  ASSERT_OK(file->Sync());
  ASSERT_OK_AND_ASSIGN(const std::string read, ReadFile(fs, temp.Sub("f")));
  EXPECT_TRUE(read == "odd" + bytes);
}

TEST(PosixFileSystemTest, AFifoIsNotReadAndNotWaitedFor) {
  const TempDir temp;
  const std::string fifo = temp.Sub("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(PosixFileSystem().OpenForRead(fifo).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("fifo\": Not a regular file")));
  ASSERT_OK_AND_ASSIGN(const FileInfo info, PosixFileSystem().Stat(fifo));
  EXPECT_TRUE(info.is_special);
  EXPECT_FALSE(info.is_directory);
}

TEST(PosixFileSystemTest, RemovingATreeLeavesAloneWhatItsLinksLeadTo) {
  FileSystem& fs = PosixFileSystem();
  const TempDir temp;
  ASSERT_OK(fs.CreateDirectories(temp.Sub("kept")));
  ASSERT_OK(WriteFileAtomically(fs, temp.Sub("kept/file"), "bytes"));
  ASSERT_OK(fs.CreateDirectories(temp.Sub("tree")));
  const std::string link = temp.Sub("tree/link");
  ASSERT_EQ(symlink(temp.Sub("kept").c_str(), link.c_str()), 0);
  ASSERT_EQ(symlink("nowhere", temp.Sub("tree/broken").c_str()), 0);
  ASSERT_OK_AND_ASSIGN(const FileInfo info, fs.Stat(link));
  EXPECT_TRUE(info.is_link);
  EXPECT_TRUE(info.is_directory);
  ASSERT_OK(RemoveTree(fs, temp.Sub("tree")));
  EXPECT_THAT(fs.List(temp.path()), IsOkAndHolds(ElementsAre("kept")));
  EXPECT_THAT(ReadFile(fs, temp.Sub("kept/file")), IsOkAndHolds("bytes"));
}

// Nothing is made there: a rename cannot get that far.
TEST(PosixFileSystemTest, ARenameToAnotherVolumeIsUnimplemented) {
  const TempDir dir;
  FileSystem& fs = PosixFileSystem();
  struct stat here, there;
  ASSERT_EQ(stat(dir.path().c_str(), &here), 0);
  if (stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev) {
    GTEST_SKIP() << "there is one volume only";
  }
  ASSERT_OK(CreateFileAtomically(fs, dir.Sub("f"), "bytes"));
  const std::string to = TemporaryPath("/dev/shm/kinora-test");
  EXPECT_THAT(fs.Rename(dir.Sub("f"), to),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(to)));
  EXPECT_THAT(fs.RenameIfAbsent(dir.Sub("f"), to),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(to)));
  EXPECT_THAT(ReadFile(fs, dir.Sub("f")), IsOkAndHolds("bytes"));
}

TEST(PosixFileSystemTest, RealPathsHaveNoLinks) {
  TempDir temp;
  FileSystem& fs = PosixFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::string root, fs.RealPath(temp.path()));
  ASSERT_OK(fs.CreateDirectories(temp.Sub("a/b")));
  ASSERT_EQ(symlink("a", temp.Sub("link").c_str()), 0);
  EXPECT_THAT(fs.RealPath(temp.Sub("link/./b/../b")),
              IsOkAndHolds(root + "/a/b"));
  ASSERT_EQ(symlink("nowhere", temp.Sub("broken").c_str()), 0);
  EXPECT_THAT(fs.RealPath(temp.Sub("broken")),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_EQ(symlink("circle", temp.Sub("circle").c_str()), 0);
  EXPECT_THAT(fs.RealPath(temp.Sub("circle")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A file whose first page cannot be read, on any machine.
TEST(PosixFileSystemTest, ADiskThatFailsIsToldFromBytesThatAreBad) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RandomAccessFile> file,
                       PosixFileSystem().OpenForRead("/proc/self/mem"));
  char bytes[8];
  const absl::Status read = file->ReadAt(0, absl::MakeSpan(bytes)).status();
  EXPECT_THAT(read, StatusIs(absl::StatusCode::kDataLoss,
                             HasSubstr("Input/output error")));
  EXPECT_TRUE(IsDiskFailure(read));
  EXPECT_TRUE(IsDiskFailure(Annotate(read, "look")));
  EXPECT_FALSE(IsReadOnlyVolume(read));
  EXPECT_FALSE(IsDiskFailure(absl::DataLossError("a bad checksum")));
}

TEST(PosixFileSystemTest, NotEveryVolumeCanBeSyncedAsAWhole) {
  EXPECT_THAT(PosixFileSystem().OpenVolume("/proc"),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("/proc")));
}

TEST(PosixFileSystemTest, RefusesPathsTheSystemWouldMisread) {
  const TempDir temp;
  const std::string path = temp.Sub(absl::string_view("a\0b", 3));
  for (const absl::string_view bad :
       {absl::string_view(path), absl::string_view()}) {
    EXPECT_THAT(PosixFileSystem().Stat(bad).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(WriteFileAtomically(PosixFileSystem(), bad, "x"),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(PosixFileSystem().List(temp.path()), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(PosixFileSystem().Stat(temp.Sub(std::string(300, 'x'))).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PathTest, JoinsAndSplits) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(ParentPath("a/b/c"), "a/b");
  EXPECT_EQ(ParentPath("/a"), "/");
  EXPECT_EQ(ParentPath("a"), ".");
}

}  // namespace
}  // namespace kinora
