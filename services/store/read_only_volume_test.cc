// A store on a volume that the system has made read-only, or that fails:
// whichever write meets it first, all are refused and say why, and reads go on.

#include <functional>
#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/volume_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ReadOnlyVolumeTest : public VolumeFixture {
 protected:
  void TellStory() {
    Open();
    MakeFilm(store());
    v1::CreateMovieRequest spare;
    spare.set_movie_id("spare");
    spare.set_blueprint("name: spare\n");
    ASSERT_OK(store().movies.Create(spare));
    lease_ = TakeFilmLease(store());
    ASSERT_OK(store().events.Append(InputEdit("Input:Topic", "sea")));
    ASSERT_OK(
        store().manifests.Commit(CommitOf(lease_, kRun1, "rev-0001", "", 2)));
  }

  // As the kernel does: what changes the disk fails, the rest goes on.
  void Remount(bool read_only) {
    fs_.ClearFailures();
    if (!read_only) return;
    for (const FileOp op :
         {FileOp::kOpenForWrite, FileOp::kAppend, FileOp::kReserve,
          FileOp::kCreateDirectory, FileOp::kRename, FileOp::kRenameIfAbsent,
          FileOp::kRemove, FileOp::kTruncate, FileOp::kTouch}) {
      fs_.FailAlways(op, ReadOnlyVolume("write: Read-only file system"));
    }
  }

  // Each kind of write, and what it is refused with.
  std::vector<std::function<absl::Status()>> Writes() {
    return {
        [this] {
          return store()
              .events.Append(InputEdit("Input:Topic", "hill", "rev-0002"))
              .status();
        },
        [this] {
          v1::WriteBlobHeader header;
          header.set_movie_id("film");
          auto upload = store().blobs.StartUpload(header);
          if (!upload.ok()) return upload.status();
          const absl::Status appended = (*upload)->Append("bytes");
          return appended.ok() ? (*upload)->Finish().status() : appended;
        },
        [this] {
          v1::CreateMovieRequest create;
          create.set_movie_id("other");
          create.set_blueprint("name: other\n");
          return store().movies.Create(create).status();
        },
        [this] {
          v1::DeleteMovieRequest remove;
          remove.set_movie_id("spare");
          return store().movies.Delete(remove).status();
        },
        [this] {
          v1::PutRunRecordRequest put;
          put.mutable_record()->set_run_id(std::string(kRun1));
          put.mutable_record()->set_movie_id("film");
          put.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
          *put.mutable_lease() = lease_;
          return store().runs.Put(put).status();
        },
        [this] {
          return store()
              .manifests
              .Commit(CommitOf(lease_, kRun2, "rev-0002",
                               CurrentOf(store()).hash(), 2))
              .status();
        },
    };
  }
};

TEST_F(ReadOnlyVolumeTest, WhateverIsWrittenFirstTheStoreIsReadOnly) {
  TellStory();
  const std::string json = ManifestJson(store());
  const auto writes = Writes();
  for (size_t first = 0; first < writes.size(); ++first) {
    SCOPED_TRACE(first);
    Remount(true);
    for (size_t i = 0; i < writes.size(); ++i) {
      const absl::Status refused = writes[(first + i) % writes.size()]();
      EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable,
                                    AllOf(HasSubstr("the store on \"/data\""),
                                          HasSubstr("Read-only file system"))))
          << i;
      EXPECT_EQ(ReasonOf(refused), "STORE_READ_ONLY") << i;
      EXPECT_EQ(MetadataOf(refused)["volume"], "/data");
      EXPECT_THAT(local_->read_only_reason(),
                  HasSubstr("Read-only file system"));
    }
    EXPECT_EQ(ManifestJson(store()), json);
    // A volume that is writable again needs a restart: it failed before.
    Remount(false);
    EXPECT_EQ(ReasonOf(writes[0]()), "STORE_READ_ONLY");
    Open();
    EXPECT_EQ(local_->read_only_reason(), "");
    EXPECT_EQ(ManifestJson(store()), json);
  }
  lease_ = TakeFilmLease(store());
  EXPECT_OK(Writes()[0]());
}

TEST_F(ReadOnlyVolumeTest, AStartOnItIsRefusedAndSaysWhy) {
  TellStory();
  local_ = nullptr;
  fs_.FailAlways(FileOp::kLock, ReadOnlyVolume("open: Read-only file system"));
  EXPECT_THAT(TryOpen().status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("the store on \"/data\""),
                             HasSubstr("Read-only file system"))));
}

// Nobody can tell what of it is there; it was a blob, which is in no log.
// F: Decision 22
TEST_F(ReadOnlyVolumeTest, ADiskThatFailsAnyWriteIsTheSame) {
  TellStory();
  const std::string json = ManifestJson(store());
  for (const FileOp op : {FileOp::kAppend, FileOp::kSync, FileOp::kClose,
                          FileOp::kRenameIfAbsent, FileOp::kSyncDirectory}) {
    SCOPED_TRACE(static_cast<int>(op));
    fs_.FailNext(op, DiskFailure("write: Input/output error"));
    EXPECT_EQ(ReasonOf(Writes()[1]()), "STORE_READ_ONLY");
    EXPECT_THAT(local_->read_only_reason(), HasSubstr("Input/output error"));
    for (const auto& write : Writes()) {
      EXPECT_EQ(ReasonOf(write()), "STORE_READ_ONLY");
    }
    EXPECT_EQ(ManifestJson(store()), json);
    Open();
    EXPECT_EQ(local_->read_only_reason(), "");
    EXPECT_EQ(ManifestJson(store()), json);
  }
  EXPECT_OK(Writes()[1]());
}

// Every object is written there first.
TEST_F(ReadOnlyVolumeTest, ADirectoryThatNoWriteGetsAroundIsTheSame) {
  TellStory();
  fs_.FailNext(FileOp::kOpenForWrite,
               absl::PermissionDeniedError(
                   "open \"/data/staging~/9\": Permission denied"));
  const absl::Status refused = Writes()[1]();
  EXPECT_EQ(ReasonOf(refused), "STORE_READ_ONLY");
  EXPECT_THAT(local_->read_only_reason(), HasSubstr("Permission denied"));
}

// Other movies have nothing to do with it.
TEST_F(ReadOnlyVolumeTest, AFileThatRefusesTheServerIsNotTheVolume) {
  TellStory();
  Open();  // no file is open
  fs_.FailNext(FileOp::kOpenForWrite,
               absl::PermissionDeniedError(
                   "open \"/data/builds/film/events/inputs.log\": "
                   "Permission denied"));
  EXPECT_THAT(Writes()[0](), StatusIs(absl::StatusCode::kPermissionDenied,
                                      HasSubstr("film/events/inputs.log")));
  EXPECT_EQ(local_->read_only_reason(), "");
  EXPECT_OK(Writes()[0]());
}

}  // namespace
}  // namespace kinora
