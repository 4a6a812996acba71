#include "services/store/object/file_object_storage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/files/file_url.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "tests/contract/object_storage_contract.h"

namespace kinora {
namespace {

using testing::HasSubstr;

class FileFixture final : public ObjectStorageFixture {
 public:
  FileFixture()
      : storage_(*FileObjectStorage::Open(PosixFileSystem(), dir_.path())) {}
  ObjectStorage& storage() override { return *storage_; }

 private:
  TempDir dir_;
  std::unique_ptr<FileObjectStorage> storage_;
};

std::unique_ptr<ObjectStorageFixture> MakeFile() {
  return std::make_unique<FileFixture>();
}

INSTANTIATE_TEST_SUITE_P(File, ObjectStorageContract,
                         testing::Values(&MakeFile));

class FileObjectStorageTest : public testing::Test {
 protected:
  FileObjectStorageTest() { Reopen(); }

  void Reopen() {
    storage_.reset();
    auto opened = FileObjectStorage::Open(fs_, "/store");
    ASSERT_OK(opened);
    storage_ = *std::move(opened);
  }
  absl::StatusOr<bool> Upload(absl::string_view key, absl::string_view bytes) {
    auto writer = storage_->StartWrite("b/");
    if (!writer.ok()) return writer.status();
    const absl::Status appended = (*writer)->Append(bytes);
    if (!appended.ok()) return appended;
    return (*writer)->CommitIfAbsent(key);
  }
  std::vector<std::string> Staged() { return *fs_.List("/store/staging~"); }

  FaultyFileSystem fs_;
  std::unique_ptr<FileObjectStorage> storage_;
};

TEST_F(FileObjectStorageTest, TheKeyIsThePath) {
  ASSERT_OK(storage_->Write("builds/m/current.json", "{}"));
  EXPECT_THAT(ReadFile(fs_, "/store/builds/m/current.json"),
              IsOkAndHolds("{}"));
}

TEST_F(FileObjectStorageTest, AFullDiskFailsTheWriteAndLeavesNothing) {
  ASSERT_OK(storage_->Write("b/x", "old"));
  fs_.FailNext(FileOp::kAppend, absl::ResourceExhaustedError("disk full"));
  EXPECT_THAT(storage_->Write("b/x", "new"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  fs_.FailNext(FileOp::kSync, absl::DataLossError("I/O error"));
  EXPECT_THAT(Upload("b/y", "new"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Staged(), testing::IsEmpty());
  EXPECT_THAT(ReadObject(*storage_, "b/x"), IsOkAndHolds("old"));
  EXPECT_THAT(storage_->Stat("b/y"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(storage_->Write("b/x", "newer"));
}

TEST_F(FileObjectStorageTest, AFailedDirectorySyncMakesItReadOnly) {
  ASSERT_OK(storage_->Write("b/x", "old"));
  fs_.FailNext(FileOp::kSyncDirectory, absl::DataLossError("I/O error"));
  const auto read_only =
      StatusIs(absl::StatusCode::kUnavailable,
               testing::AllOf(HasSubstr("/store"), HasSubstr("read-only"),
                              HasSubstr("I/O error")));
  EXPECT_THAT(storage_->Write("b/x", "new"), read_only);
  EXPECT_THAT(storage_->Write("b/y", "1"), read_only);
  EXPECT_THAT(Upload("b/z", "1"), read_only);
  EXPECT_THAT(storage_->CompareAndSwap("b/x", "new", "1"), read_only);
  EXPECT_THAT(storage_->Delete("b/x"), read_only);
  EXPECT_OK(ReadObject(*storage_, "b/x"));
}

TEST_F(FileObjectStorageTest, LeftoversAreRemovedOnOpen) {
  ASSERT_OK_AND_ASSIGN(auto writer, storage_->StartWrite("b/"));
  ASSERT_OK(writer->Append("half"));
  ASSERT_OK(fs_.SyncDirectory("/store/staging~"));
  fs_.StopAfter(0);  // the dying process cannot tidy up
  writer.reset();
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  EXPECT_EQ(Staged().size(), 1u);
  Reopen();
  EXPECT_THAT(Staged(), testing::IsEmpty());
}

// As below a link to another disk.
TEST_F(FileObjectStorageTest, APlaceOnAnotherVolumeIsNamed) {
  const absl::Status crossed = absl::UnimplementedError("cross-device link");
  fs_.FailAlways(FileOp::kRename, crossed);
  fs_.FailAlways(FileOp::kRenameIfAbsent, crossed);
  const auto names = [](const std::string& key) {
    return StatusIs(absl::StatusCode::kFailedPrecondition,
                    testing::AllOf(HasSubstr("\"/store/" + key + "\""),
                                   HasSubstr("\"/store/staging~\""),
                                   HasSubstr("on one volume")));
  };
  EXPECT_THAT(storage_->Write("b/x", "1"), names("b/x"));
  EXPECT_THAT(storage_->CompareAndSwap("b/y", std::nullopt, "1"), names("b/y"));
  for (const int count : {1, 20}) {  // alone, and together
    std::vector<NewObject> objects(count);
    for (int i = 0; i < count; ++i) {
      objects[i].key = "b/" + std::to_string(i);
      objects[i].bytes = "1";
    }
    storage_->CreateAll(absl::MakeSpan(objects));
    for (const NewObject& object : objects) {
      EXPECT_THAT(object.created, names(object.key));
    }
  }
  EXPECT_THAT(Staged(), testing::IsEmpty());
  fs_.ClearFailures();
  EXPECT_OK(storage_->Write("b/x", "1"));
}

TEST_F(FileObjectStorageTest, ForeignFilesAreNoObjects) {
  ASSERT_OK(storage_->Write("b/x", "1"));
  ASSERT_OK(CreateFileAtomically(fs_, "/store/b/not ours~", "2"));
  ASSERT_OK_AND_ASSIGN(ObjectPage page, storage_->List("b/", 10, ""));
  ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects[0].key, "b/x");
}

// Somebody may have put one there; what it leads to is not the store's.
TEST(FileObjectStorageLinkTest, ALinkToADirectoryIsNotGoneThrough) {
  const TempDir root;
  const TempDir elsewhere;
  FileSystem& fs = PosixFileSystem();
  ASSERT_OK_AND_ASSIGN(const auto storage,
                       FileObjectStorage::Open(fs, root.path()));
  ASSERT_OK(storage->Write("b/x", "1"));
  ASSERT_OK(CreateFileAtomically(fs, elsewhere.Sub("precious"), "2"));
  ASSERT_EQ(symlink(elsewhere.path().c_str(), root.Sub("b/link").c_str()), 0);

  ASSERT_OK_AND_ASSIGN(ObjectPage page, storage->List("b/", 10, ""));
  EXPECT_THAT(page.prefixes, testing::IsEmpty());
  ASSERT_EQ(page.objects.size(), 2u);
  EXPECT_EQ(page.objects[0].key, "b/link");
  EXPECT_TRUE(page.objects[0].is_foreign);
  EXPECT_FALSE(page.objects[1].is_foreign);

  ASSERT_OK(storage->DeleteAll({"b/link", "b/x"}));
  EXPECT_THAT(fs.List(root.Sub("b")), IsOkAndHolds(testing::IsEmpty()));
  EXPECT_THAT(ReadFile(fs, elsewhere.Sub("precious")), IsOkAndHolds("2"));
}

// It is told to programs with another working directory.
TEST(FileObjectStorageUrlTest, UrlsAreAbsoluteHoweverTheRootIsNamed) {
  const TempDir dir;
  ASSERT_EQ(mkdir(dir.Sub("real").c_str(), 0755), 0);
  ASSERT_EQ(symlink(dir.Sub("real").c_str(), dir.Sub("link").c_str()), 0);
  FileSystem& fs = PosixFileSystem();
  std::string up;  // to "/", from wherever the test runs
  for (int i = 0; i < 64; ++i) up += "../";
  for (const std::string& root :
       {dir.Sub("real"), dir.Sub("link"), up + dir.Sub("real").substr(1)}) {
    ASSERT_OK_AND_ASSIGN(const auto storage, FileObjectStorage::Open(fs, root));
    ASSERT_OK_AND_ASSIGN(const std::string real, fs.RealPath(root));
    EXPECT_EQ(storage->UrlOf("b/x"), FileUrl(real + "/b/x")) << root;
    EXPECT_THAT(storage->UrlOf("b/x"), testing::EndsWith("/real/b/x")) << root;
  }
}

// Cuts a scripted run before each change of the disk, loses what was not
// synced, and looks whether everything acknowledged is there, whole. F: S3-9
TEST_F(FileObjectStorageTest, WhatWasAcknowledgedSurvivesEveryCrash) {
  bool finished = false;
  for (int cut = 0; !finished; ++cut) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      FaultyFileSystem fs;
      auto storage = *FileObjectStorage::Open(fs, "/store");
      ASSERT_OK(storage->Write("b/current", "v0"));
      fs.StopAfter(cut);
      const bool swapped =
          storage->CompareAndSwap("b/current", "v0", "v1").ok();
      bool uploaded = false;
      {
        auto writer = storage->StartWrite("b/blobs/");
        uploaded = writer.ok() && (*writer)->Append("blob").ok() &&
                   (*writer)->CommitIfAbsent("b/blobs/aa/aa").ok();
      }
      const bool deleted = storage->Delete("b/current").ok();
      finished = deleted;
      fs.Crash(seed);
      storage = *FileObjectStorage::Open(fs, "/store");

      const auto current = ReadObject(*storage, "b/current");
      if (deleted) {
        EXPECT_THAT(current, StatusIs(absl::StatusCode::kNotFound));
      } else if (current.ok()) {
        EXPECT_TRUE(*current == "v1" || (!swapped && *current == "v0"))
            << *current << " after a cut at " << cut;
      } else {
        // The deletion may have happened without being acknowledged.
        EXPECT_TRUE(uploaded) << current.status() << " cut at " << cut;
      }
      const auto blob = ReadObject(*storage, "b/blobs/aa/aa");
      if (uploaded || blob.ok()) {
        EXPECT_THAT(blob, IsOkAndHolds("blob"));
      }
    }
  }
}

// Another writer of the same bytes may have given the name and not yet synced
// it: whoever is told that the object is there can rely on it.
TEST_F(FileObjectStorageTest, WhatAnotherHasJustNamedIsDurableOnceItIsTold) {
  for (const bool together : {false, true}) {
    const std::string directory = absl::StrCat("b/", together ? 1 : 0, "/");
    const std::string key = directory + "x";
    ASSERT_OK(storage_->Write(directory + "before", "1"));
    const std::string staged = "/store/staging~/other";
    ASSERT_OK_AND_ASSIGN(auto file,
                         fs_.OpenForWrite(staged, OpenMode::kCreate));
    ASSERT_OK(file->Append("bytes"));
    ASSERT_OK(file->Sync());
    ASSERT_OK(file->Close());
    ASSERT_OK(fs_.RenameIfAbsent(staged, "/store/" + key));
    if (together) {
      std::vector<NewObject> objects(9);
      for (size_t i = 0; i < objects.size(); ++i) {
        objects[i].key = i == 0 ? key : absl::StrCat("b/2/", i);
        objects[i].bytes = "bytes";
      }
      storage_->CreateAll(absl::MakeSpan(objects));
      EXPECT_THAT(objects[0].created, IsOkAndHolds(false));
    } else {
      EXPECT_THAT(Upload(key, "bytes"), IsOkAndHolds(false));
    }
    fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
    Reopen();
    EXPECT_THAT(ReadObject(*storage_, key), IsOkAndHolds("bytes"));
  }
}

// In four directories.
std::vector<NewObject> ManyObjects() {
  std::vector<NewObject> objects(10);
  for (int i = 0; i < 10; ++i) {
    objects[i].key = absl::StrCat("b/", i % 4, "/", i);
    objects[i].bytes = "the bytes";
  }
  return objects;
}

// Of bytes that a failed sync may have dropped none is named, and nothing is
// written any more.
TEST_F(FileObjectStorageTest, AFailedSyncOfTheVolumeMakesItReadOnly) {
  for (const bool names : {false, true}) {
    const std::string root = names ? "/names" : "/bytes";
    ASSERT_OK_AND_ASSIGN(auto storage, FileObjectStorage::Open(fs_, root));
    if (names) fs_.FailNext(FileOp::kSyncVolume, absl::OkStatus());
    fs_.FailNext(FileOp::kSyncVolume, absl::DataLossError("I/O error"));
    const auto read_only =
        StatusIs(absl::StatusCode::kUnavailable,
                 testing::AllOf(HasSubstr(root), HasSubstr("read-only"),
                                HasSubstr("I/O error")));
    std::vector<NewObject> objects = ManyObjects();
    storage->CreateAll(absl::MakeSpan(objects));
    for (const NewObject& object : objects) {
      EXPECT_THAT(object.created, read_only);
      if (names) continue;
      EXPECT_THAT(storage->Stat(object.key),
                  StatusIs(absl::StatusCode::kNotFound));
    }
    EXPECT_THAT(storage->Write("b/x", "1"), read_only);
    storage->CreateAll(absl::MakeSpan(objects));
    EXPECT_THAT(objects[0].created, read_only);
    EXPECT_THAT(fs_.List(JoinPath(root, "staging~")),
                IsOkAndHolds(testing::IsEmpty()));
  }
}

TEST_F(FileObjectStorageTest, ManyObjectsDoWithoutASyncOfTheVolume) {
  fs_.FailAlways(FileOp::kOpenVolume, absl::UnimplementedError("an overlay"));
  std::vector<NewObject> objects = ManyObjects();
  storage_->CreateAll(absl::MakeSpan(objects));
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  Reopen();
  for (const NewObject& object : objects) {
    EXPECT_THAT(object.created, IsOkAndHolds(true));
    EXPECT_THAT(ReadObject(*storage_, object.key), IsOkAndHolds("the bytes"));
  }
}

// One that cannot be staged does not keep the others from being made.
TEST_F(FileObjectStorageTest, OfManyObjectsEachFailsAlone) {
  fs_.FailNext(FileOp::kAppend, absl::ResourceExhaustedError("disk full"));
  std::vector<NewObject> objects = ManyObjects();
  storage_->CreateAll(absl::MakeSpan(objects));
  EXPECT_THAT(objects[0].created,
              StatusIs(absl::StatusCode::kResourceExhausted));
  for (size_t i = 1; i < objects.size(); ++i) {
    EXPECT_THAT(objects[i].created, IsOkAndHolds(true));
  }
  EXPECT_THAT(Staged(), testing::IsEmpty());
}

// Many objects at once, cut at every change of the disk: each is whole or not
// there, and all that were acknowledged are there whatever was not synced.
TEST_F(FileObjectStorageTest, ManyObjectsAtOnceSurviveACrashAtAnyChange) {
  for (int cut = 0, done = 0; done < 2; ++cut) {
    FaultyFileSystem fs;
    {
      ASSERT_OK_AND_ASSIGN(auto storage, FileObjectStorage::Open(fs, "/root"));
      std::vector<NewObject> objects = ManyObjects();
      fs.StopAfter(cut);
      storage->CreateAll(absl::MakeSpan(objects));
      done = objects[0].created.ok() ? done + 1 : 0;
    }
    fs.Crash(done > 0 ? FaultyFileSystem::Survival::kNothing
                      : FaultyFileSystem::Survival::kRandom,
             cut);
    ASSERT_OK_AND_ASSIGN(auto storage, FileObjectStorage::Open(fs, "/root"));
    for (const NewObject& object : ManyObjects()) {
      const auto bytes = ReadObject(*storage, object.key);
      if (done == 0 && absl::IsNotFound(bytes.status())) continue;
      EXPECT_THAT(bytes, IsOkAndHolds("the bytes")) << "cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace kinora
