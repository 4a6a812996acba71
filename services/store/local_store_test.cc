#include "services/store/local_store.h"

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/files/file_url.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/thread_pool.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

class LocalStoreTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<LocalStore>> Open(FileSystem& fs,
                                                   absl::string_view dir) {
    LocalStoreOptions options;
    options.data_dir = std::string(dir);
    return LocalStore::Open(options, fs, clock_, random_, pool_);
  }

  // Everything up to the commit of rev-0002, which builds on rev-0001.
  v1::CommitRevisionRequest TellStory(Store store) {
    MakeFilm(store);
    const v1::LeaseToken lease = TakeFilmLease(store);
    EXPECT_OK(store.events.Append(InputEdit("Input:Topic", "sea")));
    EXPECT_OK(store.events.Append(
        ArtefactMade("Artifact:Script", 'a', "of the sea", lease)));
    absl::StatusOr<v1::CommitRevisionResponse> first =
        store.manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 2));
    EXPECT_OK(first);
    EXPECT_OK(
        store.events.Append(InputEdit("Input:Topic", "land", "rev-0002")));
    v1::AppendEventsRequest image =
        ArtefactMade("Artifact:Image", 'b', "", lease, kRun2, "rev-0002");
    *image.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = PutBlob(store, "pixels of the land");
    EXPECT_OK(store.events.Append(image));
    return CommitOf(lease, kRun2, "rev-0002", first->current().hash(), 3);
  }

  FakeClock clock_;
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
};

// F: S1-1, S1-2, S1-5, S0-21, S0-22
TEST_F(LocalStoreTest, AStoryOnFilesSurvivesAReopening) {
  TempDir dir;
  std::string json;
  std::string hash;
  v1::CommitRevisionRequest request;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                         Open(PosixFileSystem(), dir.path()));
    request = TellStory(local->store());
    ASSERT_OK_AND_ASSIGN(v1::CommitRevisionResponse response,
                         local->store().manifests.Commit(request));
    EXPECT_TRUE(response.published());
    hash = response.current().hash();
    json = ManifestJson(local->store());
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                       Open(PosixFileSystem(), dir.path()));
  EXPECT_EQ(CurrentOf(local->store()).hash(), hash);
  EXPECT_EQ(ManifestJson(local->store()), json);
  EXPECT_THAT(local->RebuildManifest("film", "rev-0002"), IsOkAndHolds(json));
  ASSERT_OK_AND_ASSIGN(v1::CommitRevisionResponse again,
                       local->store().manifests.Commit(request));
  EXPECT_EQ(again.current().hash(), hash);
}

TEST_F(LocalStoreTest, WhoAsksIsToldInWhichFileABlobIs) {
  TempDir dir;
  const std::string data = dir.Sub("50% of #1?");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                       Open(PosixFileSystem(), data));
  MakeFilm(local->store());
  v1::StatBlobRequest request;
  request.set_movie_id("film");
  *request.mutable_digest() = PutBlob(local->store(), "pixels").digest();
  BlobStore& blobs = local->store().blobs;
  ASSERT_OK_AND_ASSIGN(v1::StatBlobResponse blob, blobs.Stat(request));
  EXPECT_EQ(blob.url(), "");
  request.set_with_url(true);
  ASSERT_OK_AND_ASSIGN(blob, blobs.Stat(request));
  EXPECT_THAT(blob.url(), HasSubstr("/50%25%20of%20%231%3F/builds/film/blobs"));
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       PathOfFileUrl("url", blob.url()));
  EXPECT_THAT(ReadFile(PosixFileSystem(), path), IsOkAndHolds("pixels"));

  // What somebody has put in its place may lead out of the store.
  ASSERT_OK(
      CreateFileAtomically(PosixFileSystem(), dir.Sub("other"), "Pixels"));
  ASSERT_OK(PosixFileSystem().Remove(path));
  ASSERT_EQ(symlink(dir.Sub("other").c_str(), path.c_str()), 0);
  ASSERT_OK_AND_ASSIGN(blob, blobs.Stat(request));
  EXPECT_EQ(blob.url(), "");

  request.mutable_digest()->set_hash(kEmptyDigest.Hex());
  request.mutable_digest()->set_size_bytes(0);
  ASSERT_OK_AND_ASSIGN(blob, blobs.Stat(request));
  EXPECT_EQ(blob.url(), "");
}

// F: S1-50
TEST_F(LocalStoreTest, ACommitArchivesItsEventsAndTheyStayReadable) {
  TempDir dir;
  FileSystem& fs = PosixFileSystem();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local, Open(fs, dir.path()));
  ASSERT_OK(local->store().manifests.Commit(TellStory(local->store())));
  const std::string events = dir.Sub("builds/film/events/");
  for (const char* name :
       {"rev-0001.inputs.jsonl", "rev-0001.artefacts.jsonl",
        "rev-0002.inputs.jsonl", "rev-0002.artefacts.jsonl"}) {
    EXPECT_THAT(Exists(fs, events + name), IsOkAndHolds(true)) << name;
  }
  ASSERT_OK(local->store().events.Append(
      InputEdit("Input:Topic", "sky", "rev-0003")));
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(v1::ReadEventsResponse page,
                       local->store().events.ReadPage(read));
  ASSERT_EQ(page.events_size(), 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(page.events(i).sequence(), i + 1);
}

TEST_F(LocalStoreTest, ASecondStoreIsKeptOut) {
  TempDir dir;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                       Open(PosixFileSystem(), dir.path()));
  EXPECT_THAT(Open(PosixFileSystem(), dir.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// F: S0-20, S1-19, S1-56
TEST_F(LocalStoreTest, WithoutADirectoryItLivesInMemory) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                       Open(PosixFileSystem(), ""));
  ASSERT_OK(local->store().manifests.Commit(TellStory(local->store())));
  EXPECT_EQ(CurrentOf(local->store()).revision(), "rev-0002");
}

// F: S1-56
TEST_F(LocalStoreTest, EmptyDirectoriesOfDeletedMoviesGoWithTheNextStart) {
  TempDir dir;
  FileSystem& fs = PosixFileSystem();
  const std::string film = dir.Sub("builds/film");
  const std::string notes = JoinPath(film, "blobs/notes.txt");
  for (const bool has_notes : {false, true}) {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                         Open(fs, dir.path()));
    MakeFilm(local->store());
    v1::DeleteMovieRequest request;
    request.set_movie_id("film");
    ASSERT_OK(local->store().movies.Delete(request));
    if (has_notes) {
      ASSERT_OK(WriteFileAtomically(fs, notes, "mine"));
    }
    local.reset();
    ASSERT_OK_AND_ASSIGN(local, Open(fs, dir.path()));
    EXPECT_THAT(Exists(fs, film), IsOkAndHolds(has_notes));
    EXPECT_THAT(Exists(fs, notes), IsOkAndHolds(has_notes));
    MakeFilm(local->store());
    ASSERT_OK(local->store().movies.Delete(request));
  }
}

TEST_F(LocalStoreTest, LimitsAreThoseOfTheOptions) {
  LocalStoreOptions options;
  options.inline_limit_bytes = 2;
  options.max_blob_bytes = 16;
  ASSERT_OK_AND_ASSIGN(
      std::unique_ptr<LocalStore> local,
      LocalStore::Open(options, PosixFileSystem(), clock_, random_, pool_));
  MakeFilm(local->store());
  EXPECT_THAT(local->store().events.Append(InputEdit("Input:A", "abc")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at most 2 bytes")));
  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> upload,
                       local->store().blobs.StartUpload(header));
  EXPECT_THAT(upload->Append("seventeen letters"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("the store's max_blob_bytes, 16 bytes")));
  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->set_max_blob_bytes(14);
  ASSERT_OK(local->store().movies.SetQuota(quota));
  ASSERT_OK_AND_ASSIGN(upload, local->store().blobs.StartUpload(header));
  EXPECT_THAT(upload->Append("fifteen letters"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("the movie's quota, 14 bytes")));
}

// Each is acknowledged, and the bytes are there once.
TEST_F(LocalStoreTest, WritersOfTheSameBytesAtOnceAllSucceed) {
  TempDir dir;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local,
                       Open(PosixFileSystem(), dir.path()));
  const Store store = local->store();
  MakeFilm(store);
  v1::BatchWriteBlobsRequest batch;
  batch.set_movie_id("film");
  for (int i = 0; i < 10; ++i) {
    batch.add_blobs()->set_data(absl::StrCat("blob ", i));
  }
  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      if (i % 2 == 0) {
        ASSERT_OK_AND_ASSIGN(const v1::BatchWriteBlobsResponse written,
                             store.blobs.BatchWrite(batch));
        for (const v1::BatchBlobResult& result : written.results()) {
          EXPECT_EQ(result.code(), 0) << result.message();
        }
      } else {
        ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> upload,
                             store.blobs.StartUpload(header));
        ASSERT_OK(upload->Append("blob 3"));
        EXPECT_OK(upload->Finish());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  v1::BatchReadBlobsRequest read;
  read.set_movie_id("film");
  for (const v1::BatchBlob& blob : batch.blobs()) {
    v1::Digest& digest = *read.add_digests();
    digest.set_hash(Sha256Of(blob.data()).Hex());
    digest.set_size_bytes(static_cast<int64_t>(blob.data().size()));
  }
  ASSERT_OK_AND_ASSIGN(const v1::BatchReadBlobsResponse stored,
                       store.blobs.BatchRead(read));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(stored.results(i).data(), batch.blobs(i).data());
  }
  EXPECT_THAT(PosixFileSystem().List(dir.Sub("staging~")),
              IsOkAndHolds(::testing::IsEmpty()));
}

class LocalStoreCrashTest
    : public LocalStoreTest,
      public ::testing::WithParamInterface<FaultyFileSystem::Survival> {
 protected:
  std::unique_ptr<LocalStore> MustOpen(FileSystem& fs) {
    absl::StatusOr<std::unique_ptr<LocalStore>> local = Open(fs, "/data");
    EXPECT_OK(local);
    return local.ok() ? *std::move(local) : nullptr;
  }

  FileSystem* fs_ = nullptr;  // of the store that is being checked

  // Runs `act` on a store whose disk stops after 0, 1, 2, ... changes and then
  // loses what was not synced, until it stops no more. After each crash the
  // store is opened again and handed to `check` with what `act` returned.
  void CutAtEveryStep(
      const std::function<void(Store)>& prepare,
      const std::function<absl::Status(Store)>& act,
      const std::function<void(LocalStore&, const absl::Status&)>& check) {
    for (int changes = 0; changes < 500; ++changes) {
      SCOPED_TRACE("stopped after " + std::to_string(changes) + " changes");
      FaultyFileSystem fs;
      absl::Status result;
      int used = 0;
      {
        std::unique_ptr<LocalStore> local = MustOpen(fs);
        ASSERT_NE(local, nullptr);
        prepare(local->store());
        const int before = fs.changes();
        fs.StopAfter(changes);
        result = act(local->store());
        used = fs.changes() - before;
      }
      fs.Crash(GetParam(), changes);
      fs_ = &fs;
      std::unique_ptr<LocalStore> local = MustOpen(fs);
      ASSERT_NE(local, nullptr);
      check(*local, result);
      if (HasFailure()) return;
      if (result.ok() && used < changes) return;
    }
    FAIL() << "it never got through";
  }
};

INSTANTIATE_TEST_SUITE_P(
    Survivals, LocalStoreCrashTest,
    ::testing::Values(FaultyFileSystem::Survival::kNothing,
                      FaultyFileSystem::Survival::kRandom));

// F: S1-40, S1-50
TEST_P(LocalStoreCrashTest, ACommitCutAnywhereIsTheOldOrTheNewRevision) {
  v1::CommitRevisionRequest request;
  std::string first;
  std::string second;  // as soon as a run has got that far
  CutAtEveryStep(
      [&](Store store) {
        request = TellStory(store);
        first = ManifestJson(store);
      },
      [&](Store store) { return store.manifests.Commit(request).status(); },
      [&](LocalStore& local, const absl::Status& committed) {
        Store store = local.store();
        const std::string revision = CurrentOf(store).revision();
        const std::string json = ManifestJson(store);
        EXPECT_EQ(ManifestJson(store, "rev-0001"), first);
        if (revision == "rev-0001") {
          EXPECT_FALSE(committed.ok());
          EXPECT_EQ(json, first);
        } else {
          EXPECT_EQ(revision, "rev-0002");
        }
        // Sent again it ends in the same bytes, with no event lost or doubled.
        ASSERT_OK(store.manifests.Commit(request));
        EXPECT_EQ(CurrentOf(store).revision(), "rev-0002");
        if (second.empty()) second = ManifestJson(store);
        EXPECT_EQ(ManifestJson(store), second);
        EXPECT_THAT(local.RebuildManifest("film", "rev-0002"),
                    IsOkAndHolds(second));
        EXPECT_THAT(
            Exists(*fs_, "/data/builds/film/events/rev-0002.artefacts.jsonl"),
            IsOkAndHolds(true));
        v1::GetLogStatusRequest status;
        status.mutable_log()->set_movie_id("film");
        status.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
        ASSERT_OK_AND_ASSIGN(v1::GetLogStatusResponse log,
                             store.events.GetLogStatus(status));
        EXPECT_EQ(log.last_sequence(), 4);
      });
}

TEST_P(LocalStoreCrashTest, ACreationCutAnywhereIsNoMovieOrAWholeOne) {
  v1::CreateMovieRequest request;
  request.set_movie_id("film");
  request.set_request_id("r-1");
  request.set_blueprint("name: film\n");
  CutAtEveryStep(
      [](Store) {},
      [&](Store store) { return store.movies.Create(request).status(); },
      [&](LocalStore& local, const absl::Status& created) {
        Store store = local.store();
        v1::GetMovieRequest get;
        get.set_movie_id("film");
        absl::StatusOr<v1::GetMovieResponse> movie = store.movies.Get(get);
        if (!movie.ok()) {
          EXPECT_FALSE(created.ok());
          EXPECT_EQ(ReasonOf(movie.status()), "MOVIE_NOT_FOUND");
        }
        ASSERT_OK_AND_ASSIGN(v1::CreateMovieResponse again,
                             store.movies.Create(request));
        v1::FindMissingBlobsRequest find;
        find.set_movie_id("film");
        *find.add_digests() = again.movie().blueprint().digest();
        ASSERT_OK_AND_ASSIGN(v1::FindMissingBlobsResponse missing,
                             store.blobs.FindMissing(find));
        EXPECT_EQ(missing.missing_size(), 0);
        ASSERT_OK_AND_ASSIGN(v1::ListInputsResponse inputs,
                             store.events.ListInputs([] {
                               v1::ListInputsRequest list;
                               list.set_movie_id("film");
                               return list;
                             }()));
        EXPECT_EQ(inputs.through_sequence(), 1);
      });
}

// A runner that does not know whether its append arrived sends it again.
TEST_P(LocalStoreCrashTest, AnAppendSentAgainAfterACrashIsNotDoubled) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "sea");
  *request.add_events() = InputEdit("Input:Tone", "dry").events(0);
  request.set_request_id("r-1");
  CutAtEveryStep(
      [](Store store) { MakeFilm(store); },
      [&](Store store) { return store.events.Append(request).status(); },
      [&](LocalStore& local, const absl::Status&) {
        ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse again,
                             local.store().events.Append(request));
        EXPECT_EQ(again.first_sequence(), 2);
        EXPECT_EQ(again.last_sequence(), 3);
      });
}

// Decision 22: whichever driver sees the disk fail, the whole store refuses
// writes and says which volume it is; reads go on, and nothing is lost.
TEST_F(LocalStoreTest, AFailingDiskMakesTheWholeStoreReadOnly) {
  FaultyFileSystem fs;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local, Open(fs, "/data"));
  const Store store = local->store();
  MakeFilm(store);
  EXPECT_EQ(local->read_only_reason(), "");
  fs.FailNext(FileOp::kSync, absl::ResourceExhaustedError(
                                 "/data/journal: No space left on device"));
  const absl::Status full =
      store.events.Append(InputEdit("Input:Topic", "sea")).status();
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kUnavailable,
                             ::testing::AllOf(HasSubstr("/data"),
                                              HasSubstr("No space left"))));
  EXPECT_EQ(ReasonOf(full), "STORE_READ_ONLY");
  EXPECT_EQ(MetadataOf(full)["volume"], "/data");
  // Objects too, though their own writes would work.
  v1::BatchWriteBlobsRequest blob;
  blob.set_movie_id("film");
  blob.add_blobs()->set_data("bytes");
  ASSERT_OK_AND_ASSIGN(const v1::BatchWriteBlobsResponse written,
                       store.blobs.BatchWrite(blob));
  EXPECT_THAT(written.results(0).message(), HasSubstr("read-only"));
  EXPECT_THAT(local->read_only_reason(), HasSubstr("No space left"));
  v1::GetMovieRequest get;
  get.set_movie_id("film");
  EXPECT_OK(store.movies.Get(get));

  local.reset();
  ASSERT_OK_AND_ASSIGN(local, Open(fs, "/data"));
  EXPECT_EQ(local->read_only_reason(), "");
  EXPECT_OK(local->store().movies.Get(get));
  EXPECT_OK(local->store().events.Append(InputEdit("Input:Topic", "sea")));
}

}  // namespace
}  // namespace kinora
