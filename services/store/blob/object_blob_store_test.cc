#include "services/store/blob/object_blob_store.h"

#include <string>
#include <thread>

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/blob/object_blob_store_fixture.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// F: S1-9, S0-5, S1-3
TEST_F(ObjectBlobStoreTest, BytesBecomeAnObjectNamedByTheirHash) {
  const std::string hash = Sha256Of("hello").Hex();
  ASSERT_OK_AND_ASSIGN(v1::WriteBlobResponse written,
                       Upload(Header(), "hello"));
  EXPECT_EQ(written.digest().hash(), hash);
  EXPECT_EQ(written.digest().size_bytes(), 5);
  EXPECT_FALSE(written.existed());
  EXPECT_THAT(ReadObject(storage_,
                         "builds/film/blobs/" + hash.substr(0, 2) + "/" + hash),
              IsOkAndHolds("hello"));
  EXPECT_THAT(Read(ReadOf(hash)), IsOkAndHolds("hello"));
}

// F: S1-4
TEST_F(ObjectBlobStoreTest, BytesThatExistAreNeverWrittenAgain) {
  ASSERT_OK_AND_ASSIGN(v1::WriteBlobResponse first, Upload(Header(), "same"));
  const std::string key = BlobKey("film", first.digest().hash());
  ASSERT_OK_AND_ASSIGN(ObjectInfo before, storage_.Stat(key));
  clock_.Advance(absl::Seconds(5));

  ASSERT_OK_AND_ASSIGN(v1::WriteBlobResponse again, Upload(Header(), "same"));
  EXPECT_TRUE(again.existed());
  v1::WriteBlobHeader known = Header();
  *known.mutable_expected_digest() = first.digest();
  ASSERT_OK_AND_ASSIGN(v1::WriteBlobResponse third, Upload(known, "same"));
  EXPECT_TRUE(third.existed());

  ASSERT_OK_AND_ASSIGN(ObjectInfo after, storage_.Stat(key));
  EXPECT_EQ(after.create_time, before.create_time);
}

// What a disk lost is not taken for the blob when somebody brings it again.
TEST_F(ObjectBlobStoreTest, ABlobThatWasCutIsWrittenAgain) {
  ASSERT_OK_AND_ASSIGN(const v1::WriteBlobResponse first,
                       Upload(Header(), "all of it"));
  const std::string key = BlobKey("film", first.digest().hash());
  v1::WriteBlobHeader known = Header();
  *known.mutable_expected_digest() = first.digest();
  v1::WriteBlobHeader of_unknown_size = known;
  of_unknown_size.mutable_expected_digest()->clear_size_bytes();
  for (const v1::WriteBlobHeader& header : {Header(), known, of_unknown_size}) {
    ASSERT_OK(storage_.Write(key, "all"));
    ASSERT_OK_AND_ASSIGN(const v1::WriteBlobResponse again,
                         Upload(header, "all of it"));
    EXPECT_FALSE(again.existed());
    EXPECT_THAT(ReadObject(storage_, key), IsOkAndHolds("all of it"));
  }
  ASSERT_OK(storage_.Write(key, "all"));
  v1::BatchWriteBlobsRequest batch;
  batch.set_movie_id("film");
  batch.add_blobs()->set_data("all of it");
  ASSERT_OK(core().blobs.BatchWrite(batch));
  EXPECT_THAT(ReadObject(storage_, key), IsOkAndHolds("all of it"));
}

TEST_F(ObjectBlobStoreTest, BytesWithAnotherDigestAreNotStored) {
  v1::WriteBlobHeader header = Header();
  header.mutable_expected_digest()->set_hash(Sha256Of("hello").Hex());
  absl::Status status = Upload(header, "hellO").status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("expected " + Sha256Of("hello").Hex())));
  EXPECT_EQ(ReasonOf(status), "DIGEST_MISMATCH");
  EXPECT_THAT(Read(ReadOf(Sha256Of("hellO").Hex())),
              StatusIs(absl::StatusCode::kNotFound));

  header.mutable_expected_digest()->set_size_bytes(6);
  EXPECT_EQ(ReasonOf(Upload(header, "hello").status()), "DIGEST_MISMATCH");
}

TEST_F(ObjectBlobStoreTest, ABlobOverItsLimitIsRefused) {
  v1::WriteBlobHeader header = Header();
  header.set_max_size_bytes(4);
  EXPECT_OK(Upload(header, "four"));
  absl::Status status = Upload(header, "fiver").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                               HasSubstr("the request's max_size_bytes, 4 ")));
  EXPECT_EQ(ReasonOf(status), "LIMIT_EXCEEDED");
}

// What is wrong in a list is found by its place in it.
TEST_F(ObjectBlobStoreTest, ErrorsInListsNameThePlace) {
  v1::FindMissingBlobsRequest missing;
  missing.set_movie_id("film");
  missing.add_digests()->set_hash(HashOf('a'));
  missing.add_digests()->set_hash("abc");
  EXPECT_THAT(core().blobs.FindMissing(missing),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("digests[1].hash")));
  v1::BatchWriteBlobsRequest batch;
  batch.set_movie_id("film");
  batch.add_blobs()->set_data("fine");
  batch.add_blobs()->mutable_expected_digest()->set_hash("abc");
  ASSERT_OK_AND_ASSIGN(const v1::BatchWriteBlobsResponse written,
                       core().blobs.BatchWrite(batch));
  EXPECT_EQ(written.results(0).code(), 0);
  EXPECT_THAT(written.results(1).message(),
              HasSubstr("blobs[1].expected_digest.hash"));
}

TEST_F(ObjectBlobStoreTest, TheServersLimitHoldsAlsoForALargerWish) {
  ObjectBlobStore blobs(storage_, core().catalog, clock_,
                        {.max_blob_bytes = 3});
  v1::WriteBlobHeader header = Header();
  header.set_max_size_bytes(100);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> upload,
                       blobs.StartUpload(header));
  EXPECT_OK(upload->Append("abc"));
  EXPECT_THAT(upload->Append("d"),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(ObjectBlobStoreTest, AnUploadThatIsDroppedLeavesNothing) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> upload,
                       core().blobs.StartUpload(Header()));
  ASSERT_OK(upload->Append("half"));
  upload.reset();
  EXPECT_THAT(Read(ReadOf(Sha256Of("half").Hex())),
              StatusIs(absl::StatusCode::kNotFound));
}

// The next movie of that id has nothing of what was begun in the one before.
TEST_F(ObjectBlobStoreTest, AnUploadEndsWithItsMovie) {
  ASSERT_OK_AND_ASSIGN(v1::WriteBlobResponse known, Upload(Header(), "known"));
  v1::WriteBlobHeader expecting = Header();
  *expecting.mutable_expected_digest() = known.digest();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> fresh,
                       core().blobs.StartUpload(Header()));
  ASSERT_OK(fresh->Append("fresh"));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> again,
                       core().blobs.StartUpload(expecting));
  ASSERT_OK(again->Append("known"));
  v1::DeleteMovieRequest request;
  request.set_movie_id("film");
  ASSERT_OK(store().movies.Delete(request));
  MakeFilm(store());
  EXPECT_EQ(ReasonOf(fresh->Finish().status()), "MOVIE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(again->Finish().status()), "MOVIE_NOT_FOUND");
  for (const char* bytes : {"fresh", "known"}) {
    EXPECT_EQ(ReasonOf(Read(ReadOf(Sha256Of(bytes).Hex())).status()),
              "BLOB_NOT_FOUND");
  }
}

TEST_F(ObjectBlobStoreTest, TheEmptyBlobAlwaysExists) {
  const std::string hash = kEmptyDigest.Hex();
  EXPECT_THAT(Read(ReadOf(hash)), IsOkAndHolds(""));
  ASSERT_OK_AND_ASSIGN(v1::WriteBlobResponse written, Upload(Header(), ""));
  EXPECT_TRUE(written.existed());
  v1::FindMissingBlobsRequest request;
  request.set_movie_id("film");
  request.add_digests()->set_hash(hash);
  ASSERT_OK_AND_ASSIGN(v1::FindMissingBlobsResponse response,
                       core().blobs.FindMissing(request));
  EXPECT_EQ(response.missing_size(), 0);
}

TEST_F(ObjectBlobStoreTest, ReadsAnyPart) {
  const std::string hash = PutBlob(store(), "0123456789").digest().hash();
  v1::ReadBlobRequest request = ReadOf(hash);
  request.set_offset(3);
  EXPECT_THAT(Read(request), IsOkAndHolds("3456789"));
  request.set_limit(4);
  EXPECT_THAT(Read(request), IsOkAndHolds("3456"));
  request.set_limit(100);
  EXPECT_THAT(Read(request), IsOkAndHolds("3456789"));
  request.set_offset(10);
  EXPECT_THAT(Read(request), IsOkAndHolds(""));
  request.set_offset(11);
  EXPECT_THAT(Read(request), StatusIs(absl::StatusCode::kOutOfRange,
                                      HasSubstr("offset: 11 is past")));
  request.set_offset(-1);
  EXPECT_THAT(Read(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("offset: must not be")));
  request.set_offset(0);
  request.set_limit(-2);
  EXPECT_THAT(Read(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("limit: must not be")));
  request.set_limit(1);
  request.set_verify(true);
  EXPECT_THAT(Read(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("verify: needs offset 0")));
}

// A reader has what it opened, whatever becomes of the blob.
TEST_F(ObjectBlobStoreTest, AReadGoesOnWhenTheBlobIsCollected) {
  const v1::Digest digest = PutBlob(store(), "0123456789").digest();
  v1::ReadBlobRequest request = ReadOf(digest.hash());
  request.set_verify(true);
  ASSERT_OK_AND_ASSIGN(auto reader, core().blobs.StartRead(request));
  std::string bytes(4, '\0');
  EXPECT_THAT(reader->Read(absl::MakeSpan(bytes)), IsOkAndHolds(4));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo blob,
                       storage_.Stat(BlobKey("film", digest.hash())));
  ASSERT_OK(core().blobs.Delete("film", {blob}));
  EXPECT_THAT(Read(request), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(reader->Read(absl::MakeSpan(bytes)), IsOkAndHolds(4));
  EXPECT_EQ(bytes, "4567");
  EXPECT_THAT(reader->Read(absl::MakeSpan(bytes)), IsOkAndHolds(2));
  EXPECT_EQ(bytes.substr(0, 2), "89");
  EXPECT_THAT(reader->Read(absl::MakeSpan(bytes)), IsOkAndHolds(0));
}

TEST_F(ObjectBlobStoreTest, LargeBlobsComeInPiecesOfAtMostOneMebibyte) {
  std::string large(size_t{2'500'000}, 'x');
  large[2'000'000] = 'y';
  v1::ReadBlobRequest request = ReadOf(PutBlob(store(), large).digest().hash());
  request.set_verify(true);
  std::string bytes;
  int pieces = 0;
  ASSERT_OK(core().blobs.Read(request, [&](absl::string_view piece) {
    EXPECT_LE(piece.size(), size_t{1} << 20);
    bytes.append(piece.data(), piece.size());
    ++pieces;
    return absl::OkStatus();
  }));
  EXPECT_EQ(pieces, 3);
  EXPECT_TRUE(bytes == large);
}

TEST_F(ObjectBlobStoreTest, VerifyFindsDamage) {
  const std::string hash = PutBlob(store(), "precious").digest().hash();
  ASSERT_OK(storage_.Write(BlobKey("film", hash), "previous"));
  v1::ReadBlobRequest request = ReadOf(hash);
  EXPECT_OK(Read(request));
  request.set_verify(true);
  absl::Status status = Read(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(hash)));
  EXPECT_EQ(ReasonOf(status), "DATA_CORRUPT");

  // Nothing at all is damage, too.
  ASSERT_OK(storage_.Write(BlobKey("film", hash), ""));
  EXPECT_EQ(ReasonOf(Read(request).status()), "DATA_CORRUPT");
}

TEST_F(ObjectBlobStoreTest, FindMissingKeepsTheOrderAsked) {
  v1::FindMissingBlobsRequest request;
  request.set_movie_id("film");
  request.add_digests()->set_hash(HashOf('b'));
  *request.add_digests() = PutBlob(store(), "here").digest();
  request.add_digests()->set_hash(HashOf('a'));
  ASSERT_OK_AND_ASSIGN(v1::FindMissingBlobsResponse response,
                       core().blobs.FindMissing(request));
  ASSERT_EQ(response.missing_size(), 2);
  EXPECT_EQ(response.missing(0).hash(), HashOf('b'));
  EXPECT_EQ(response.missing(1).hash(), HashOf('a'));

  for (int i = 0; i < kMaxDigestsPerRequest; ++i) {
    request.add_digests()->set_hash(HashOf('a'));
  }
  EXPECT_THAT(
      core().blobs.FindMissing(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("digests")));
}

TEST_F(ObjectBlobStoreTest, EachBlobOfABatchFailsAlone) {
  v1::BatchWriteBlobsRequest write;
  write.set_movie_id("film");
  write.add_blobs()->set_data("good");
  v1::BatchBlob& bad = *write.add_blobs();
  bad.set_data("bad");
  bad.mutable_expected_digest()->set_hash(HashOf('a'));
  ASSERT_OK_AND_ASSIGN(v1::BatchWriteBlobsResponse written,
                       core().blobs.BatchWrite(write));
  EXPECT_EQ(written.results(0).code(), 0);
  EXPECT_EQ(written.results(1).code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));

  v1::BatchReadBlobsRequest read;
  read.set_movie_id("film");
  *read.add_digests() = written.results(0).digest();
  read.add_digests()->set_hash(HashOf('a'));
  read.mutable_digests(1)->set_size_bytes(3);
  ASSERT_OK_AND_ASSIGN(v1::BatchReadBlobsResponse answer,
                       core().blobs.BatchRead(read));
  EXPECT_EQ(answer.results(0).data(), "good");
  EXPECT_EQ(answer.results(1).code(),
            static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(ObjectBlobStoreTest, ABatchOverTheLimitIsRefusedWhole) {
  v1::BatchWriteBlobsRequest write;
  write.set_movie_id("film");
  write.add_blobs()->set_data(std::string(kMaxBatchBytes, 'x'));
  EXPECT_OK(core().blobs.BatchWrite(write));
  write.add_blobs()->set_data("y");
  EXPECT_THAT(
      core().blobs.BatchWrite(write),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("split it")));

  v1::BatchReadBlobsRequest read;
  read.set_movie_id("film");
  read.add_digests()->set_hash(HashOf('a'));
  EXPECT_THAT(
      core().blobs.BatchRead(read),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("size_bytes")));
}

TEST_F(ObjectBlobStoreTest, StatTellsSizeAndAge) {
  v1::StatBlobRequest request;
  request.set_movie_id("film");
  request.mutable_digest()->set_hash(PutBlob(store(), "12345").digest().hash());
  ASSERT_OK_AND_ASSIGN(v1::StatBlobResponse stat, core().blobs.Stat(request));
  EXPECT_EQ(stat.digest().size_bytes(), 5);
  EXPECT_EQ(stat.create_time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  // In memory there is no file to tell of.
  request.set_with_url(true);
  ASSERT_OK_AND_ASSIGN(stat, core().blobs.Stat(request));
  EXPECT_EQ(stat.url(), "");
  request.mutable_digest()->set_hash("../../etc/passwd");
  EXPECT_THAT(
      core().blobs.Stat(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("digest.hash")));
}

// A reader that polls for a blob meets its write.
TEST_F(ObjectBlobStoreTest, ABlobIsReadAtTheMomentItIsWritten) {
  constexpr int kBlobs = 300;
  std::thread reader([this] {
    for (int i = 0; i < kBlobs; ++i) {
      const std::string bytes = std::to_string(i);
      const v1::ReadBlobRequest request = ReadOf(Sha256Of(bytes).Hex());
      for (;;) {
        const absl::StatusOr<std::string> read = Read(request);
        if (absl::IsNotFound(read.status())) continue;
        EXPECT_EQ(read.value_or(read.status().ToString()), bytes);
        break;
      }
    }
  });
  for (int i = 0; i < kBlobs; ++i) {
    EXPECT_OK(Upload(Header(), std::to_string(i)));
  }
  reader.join();
}

TEST_F(ObjectBlobStoreTest, MoviesAreCheckedFirst) {
  v1::WriteBlobHeader header;
  header.set_movie_id("other");
  absl::Status status = core().blobs.StartUpload(header).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"other\"")));
  EXPECT_EQ(ReasonOf(status), "MOVIE_NOT_FOUND");
  header.set_movie_id("../film");
  EXPECT_THAT(
      core().blobs.StartUpload(header),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("movie_id")));
}

}  // namespace
}  // namespace kinora
