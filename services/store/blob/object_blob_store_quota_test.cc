// What a movie may hold.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/blob/object_blob_store_fixture.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ObjectBlobStoreTest, AMovieHoldsNoMoreThanItsQuota) {
  PutBlob(store(), "12345");  // beside the blueprint of 11 bytes
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 20}));
  EXPECT_OK(Upload(Header(), "1234"));
  const absl::Status status = Upload(Header(), "x").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                               HasSubstr("\"film\" may hold 20 bytes of blobs, "
                                         "20 are used, and 1 more are")));
  EXPECT_EQ(ReasonOf(status), "LIMIT_EXCEEDED");
  EXPECT_THAT(Read(ReadOf(Sha256Of("x").Hex())),
              StatusIs(absl::StatusCode::kNotFound));
  // What is there already costs nothing.
  EXPECT_OK(Upload(Header(), "1234"));
  EXPECT_OK(Upload(Header(), ""));
  ASSERT_OK(core().catalog.SetLimits("film", {}));
  EXPECT_OK(Upload(Header(), "x"));
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 21}));
  EXPECT_EQ(ReasonOf(Upload(Header(), "y").status()), "LIMIT_EXCEEDED");
}

// It is a blob like any other.
TEST_F(ObjectBlobStoreTest, ABlueprintCountsAgainstTheQuota) {
  PutBlob(store(), "12345");  // beside the blueprint of 11 bytes
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 40}));
  EXPECT_OK(Upload(Header(), "1234"));
  v1::SetBlueprintRequest request;
  request.set_movie_id("film");
  request.set_blueprint("blueprint: more");  // 15 bytes
  ASSERT_OK(store().movies.SetBlueprint(request));
  EXPECT_THAT(Upload(Header(), "654321").status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("35 are used, and 6 more are")));
  request.set_blueprint("blueprint: many more");
  EXPECT_EQ(ReasonOf(store().movies.SetBlueprint(request).status()),
            "LIMIT_EXCEEDED");
  // One that the movie has had costs nothing.
  request.set_blueprint("name: film\n");
  EXPECT_OK(store().movies.SetBlueprint(request));
}

// The first writes since the start are a batch: what is there is counted before
// any of it is stored, and not while some of it is.
TEST_F(ObjectBlobStoreTest, ABatchThatRepeatsABlobComesToItsEnd) {
  PutBlob(store(), "12345");  // beside the blueprint of 11 bytes
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 20}));
  v1::BatchWriteBlobsRequest request;
  request.set_movie_id("film");
  for (const char* data : {"12345", "1234", "x", "1234", "x"}) {
    request.add_blobs()->set_data(data);
  }
  ASSERT_OK_AND_ASSIGN(const v1::BatchWriteBlobsResponse response,
                       core().blobs.BatchWrite(request));
  std::vector<absl::StatusCode> codes;
  for (const v1::BatchBlobResult& result : response.results()) {
    codes.push_back(static_cast<absl::StatusCode>(result.code()));
  }
  constexpr auto kOver = absl::StatusCode::kResourceExhausted;
  EXPECT_THAT(codes, ElementsAre(absl::StatusCode::kOk, absl::StatusCode::kOk,
                                 kOver, absl::StatusCode::kOk, kOver));
  EXPECT_EQ(ReasonOf(Upload(Header(), "y").status()), "LIMIT_EXCEEDED");
}

// A quota below what is there refuses what is new, not what is named again.
TEST_F(ObjectBlobStoreTest, AQuotaThatIsPassedRefusesNothingThatIsThere) {
  v1::WriteBlobHeader header = Header();
  *header.mutable_expected_digest() = PutBlob(store(), "12345").digest();
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 1}));
  EXPECT_OK(Upload(header, "12345"));
  EXPECT_EQ(ReasonOf(Upload(Header(), "other").status()), "LIMIT_EXCEEDED");
}

TEST_F(ObjectBlobStoreTest, WhatIsDeletedIsFreeAgain) {
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 16}));
  const std::string key =
      BlobKey("film", PutBlob(store(), "12345").digest().hash());
  ASSERT_OK_AND_ASSIGN(const ObjectInfo blob, storage_.Stat(key));
  EXPECT_EQ(ReasonOf(Upload(Header(), "x").status()), "LIMIT_EXCEEDED");
  ASSERT_OK(core().blobs.Delete("film", {blob}));
  EXPECT_OK(Upload(Header(), "abcde"));
  EXPECT_EQ(ReasonOf(Upload(Header(), "x").status()), "LIMIT_EXCEEDED");
}

TEST_F(ObjectBlobStoreTest, ABlobThatCannotFitIsRefusedBeforeItsBytesCome) {
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 16}));
  v1::WriteBlobHeader header = Header();
  header.mutable_expected_digest()->set_hash(HashOf('a'));
  header.mutable_expected_digest()->set_size_bytes(6);
  EXPECT_EQ(ReasonOf(core().blobs.StartUpload(header).status()),
            "LIMIT_EXCEEDED");
  ASSERT_OK_AND_ASSIGN(auto upload, core().blobs.StartUpload(Header()));
  EXPECT_EQ(ReasonOf(upload->Append(std::string(17, 'x'))), "LIMIT_EXCEEDED");
}

// Writers at once: each must see what the others have reserved.
TEST_F(ObjectBlobStoreTest, ConcurrentWritersStayWithinTheQuota) {
  ASSERT_OK(core().catalog.SetLimits("film", {.max_blob_bytes = 11 + 25}));
  std::atomic<int> stored = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      if (Upload(Header(), std::string(10, static_cast<char>('a' + i))).ok()) {
        ++stored;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(stored, 2);
}

}  // namespace
}  // namespace kinora
