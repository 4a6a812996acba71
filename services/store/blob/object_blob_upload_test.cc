// What becomes of an upload that failed.

#include "services/store/blob/object_blob_upload.h"

#include <memory>

#include "common/digest.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/blob/object_blob_store_fixture.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/object/file_object_storage.h"
#include "services/store/store_core.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// A caller that goes on as if nothing had been does not store a blob with a
// hole in it, and hears why.
TEST_F(ObjectBlobStoreTest, AnUploadThatFailedSaysSoToTheEnd) {
  v1::WriteBlobHeader header = Header();
  header.set_max_size_bytes(4);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> upload,
                       core().blobs.StartUpload(header));
  const auto refused = StatusIs(absl::StatusCode::kResourceExhausted,
                                HasSubstr("the request's max_size_bytes, 4 "));
  EXPECT_OK(upload->Append("abc"));
  EXPECT_THAT(upload->Append("too much"), refused);
  EXPECT_THAT(upload->Append("d"), refused);
  EXPECT_THAT(upload->Finish(), refused);
  EXPECT_THAT(Read(ReadOf(Sha256Of("abcd").Hex())),
              StatusIs(absl::StatusCode::kNotFound));
}

// The disk has taken the bytes of one piece in part.
TEST(ObjectBlobUploadTest, AWriteThatFailedIsToldByAllThatComesAfter) {
  FaultyFileSystem fs;
  FakeClock clock;
  MemoryEventLog log;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<FileObjectStorage> storage,
                       FileObjectStorage::Open(fs, "/data"));
  StoreCore core(*storage, log, clock);
  MakeFilm(core.store());
  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobUpload> upload,
                       core.blobs.StartUpload(header));
  ASSERT_OK(upload->Append("one "));
  fs.FailNext(FileOp::kAppend, absl::DataLossError("Input/output error"));
  const auto failed =
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("Input/output error"));
  EXPECT_THAT(upload->Append("two "), failed);
  EXPECT_THAT(upload->Append("three"), failed);
  EXPECT_THAT(upload->Finish(), failed);
  EXPECT_THAT(upload->Finish(), failed);
  upload.reset();
  EXPECT_THAT(fs.List("/data/staging~"), IsOkAndHolds(::testing::IsEmpty()));
  v1::StatBlobRequest stat;
  stat.set_movie_id("film");
  stat.mutable_digest()->set_hash(Sha256Of("one three").Hex());
  EXPECT_THAT(core.blobs.Stat(stat), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace kinora
