#include "services/store/blob_service.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "clients/cpp/content_upload.h"
#include "clients/cpp/remote_store.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/rpc/unary.h"
#include "common/status.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/store/blob/object_blob_reader.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// The hash of a blob that is larger than any memory.
constexpr char kEndless[] = "endless";
constexpr int64_t kEndlessBytes = int64_t{1} << 50;

// Blobs in memory, and what became of the uploads.
class ScratchBlobStore final : public BlobStore {
 public:
  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) override {
    if (header.movie_id() != "film") {
      return WithReason(absl::NotFoundError("there is no such movie"),
                        "MOVIE_NOT_FOUND");
    }
    return std::make_unique<Upload>(*this);
  }
  absl::StatusOr<std::unique_ptr<BlobReader>> StartRead(
      const v1::ReadBlobRequest& request) override {
    const std::string& hash = request.digest().hash();
    if (hash == kEndless) {
      return std::make_unique<ObjectBlobReader>(
          hash, std::make_unique<Endless>(*this), 0, kEndlessBytes, "");
    }
    MutexLock lock(mu_);
    const auto found = blobs_.find(hash);
    if (found == blobs_.end()) {
      return WithReason(absl::NotFoundError("there is no such blob"),
                        "BLOB_NOT_FOUND");
    }
    const int64_t size = static_cast<int64_t>(found->second.size());
    int64_t left = size - request.offset();
    if (left < 0) return absl::OutOfRangeError("past the end");
    if (request.limit() > 0) left = std::min(left, request.limit());
    return std::make_unique<ObjectBlobReader>(
        hash, std::make_unique<Bytes>(found->second), request.offset(),
        request.offset() + left, request.verify() ? hash : "");
  }
  absl::Status Read(const v1::ReadBlobRequest&, Sink) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest&) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest&) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest&) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest&) override {
    return absl::InternalError("not used");
  }

  v1::Digest Put(const std::string& bytes) {
    v1::Digest digest;
    digest.set_hash(Sha256Of(bytes).Hex());
    digest.set_size_bytes(static_cast<int64_t>(bytes.size()));
    MutexLock lock(mu_);
    blobs_[digest.hash()] = bytes;
    return digest;
  }
  void Damage(const v1::Digest& digest) {
    MutexLock lock(mu_);
    blobs_[digest.hash()].back() ^= 1;
  }
  // What was read of the endless blob so far, and once nobody reads it any
  // more.
  int64_t EndlessRead() {
    MutexLock lock(mu_);
    return endless_read_;
  }
  int64_t EndlessReadInTheEnd() {
    MutexLock lock(mu_);
    while (endless_readers_ > 0) cv_.Wait(mu_);
    return endless_read_;
  }
  // Uploads finished once `ended` of them have ended, one way or the other.
  int FinishedOf(int ended) {
    MutexLock lock(mu_);
    while (ended_ < ended) cv_.Wait(mu_);
    return finished_;
  }

 private:
  class Bytes final : public ObjectReader {
   public:
    explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    absl::StatusOr<size_t> ReadAt(int64_t offset,
                                  absl::Span<char> out) const override {
      return bytes_.copy(out.data(), out.size(), static_cast<size_t>(offset));
    }
    int64_t size_bytes() const override {
      return static_cast<int64_t>(bytes_.size());
    }

   private:
    const std::string bytes_;
  };

  // Zeros.
  class Endless final : public ObjectReader {
   public:
    explicit Endless(ScratchBlobStore& store) : store_(store) {
      MutexLock lock(store_.mu_);
      ++store_.endless_readers_;
    }
    ~Endless() override {
      MutexLock lock(store_.mu_);
      --store_.endless_readers_;
      store_.cv_.SignalAll();
    }
    absl::StatusOr<size_t> ReadAt(int64_t,
                                  absl::Span<char> out) const override {
      std::fill(out.begin(), out.end(), '\0');
      MutexLock lock(store_.mu_);
      store_.endless_read_ += static_cast<int64_t>(out.size());
      return out.size();
    }
    int64_t size_bytes() const override { return kEndlessBytes; }

   private:
    ScratchBlobStore& store_;
  };

  class Upload final : public BlobUpload {
   public:
    explicit Upload(ScratchBlobStore& store) : store_(store) {}
    ~Upload() override {
      MutexLock lock(store_.mu_);
      ++store_.ended_;
      store_.cv_.SignalAll();
    }
    absl::Status Append(absl::string_view bytes) override {
      bytes_ += std::string(bytes);
      return absl::OkStatus();
    }
    absl::StatusOr<v1::WriteBlobResponse> Finish() override {
      v1::WriteBlobResponse response;
      *response.mutable_digest() = store_.Put(bytes_);
      MutexLock lock(store_.mu_);
      ++store_.finished_;
      return response;
    }

   private:
    ScratchBlobStore& store_;
    std::string bytes_;
  };

  Mutex mu_;
  CondVar cv_;
  std::map<std::string, std::string> blobs_ ABSL_GUARDED_BY(mu_);
  int endless_readers_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t endless_read_ ABSL_GUARDED_BY(mu_) = 0;
  int ended_ ABSL_GUARDED_BY(mu_) = 0;
  int finished_ ABSL_GUARDED_BY(mu_) = 0;
};

std::string SomeBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 >> 3);
  return bytes;
}

class BlobServiceTest : public ::testing::TestWithParam<Transport> {
 protected:
  BlobServiceTest()
      : server_({{v1::BlobService::service_full_name(), &service_}}),
        channel_(server_.Channel(GetParam())),
        stub_(v1::BlobService::NewStub(channel_)),
        remote_(channel_) {}

  BlobStore& remote() { return remote_.store().blobs; }

  absl::StatusOr<std::string> Read(const v1::ReadBlobRequest& request) {
    std::string bytes;
    KINORA_RETURN_IF_ERROR(remote().Read(request, [&](absl::string_view piece) {
      bytes += std::string(piece);
      return absl::OkStatus();
    }));
    return bytes;
  }

  ScratchBlobStore blobs_;
  ThreadPool executor_{"test", 2};
  BlobRpcService service_{blobs_, executor_, v1::GetCapabilitiesResponse()};
  InProcessServer server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::BlobService::Stub> stub_;
  RemoteStore remote_;
};

INSTANTIATE_TEST_SUITE_P(All, BlobServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(BlobServiceTest, WhatIsUploadedIsReadBack) {
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{1} << 20, (size_t{5} << 20) + 17}) {
    const std::string bytes = SomeBytes(size);
    ASSERT_OK_AND_ASSIGN(const v1::WriteBlobResponse written,
                         UploadBytes(remote(), "film", bytes));
    EXPECT_EQ(written.digest().hash(), Sha256Of(bytes).Hex());
    v1::ReadBlobRequest request;
    *request.mutable_digest() = written.digest();
    request.set_verify(true);
    EXPECT_TRUE(Read(request).value() == bytes) << size;
  }
}

TEST_P(BlobServiceTest, ReadsThePartAskedFor) {
  const std::string bytes = SomeBytes(3'000'000);
  v1::ReadBlobRequest request;
  *request.mutable_digest() = blobs_.Put(bytes);
  request.set_offset(100);
  request.set_limit(2'000'000);
  EXPECT_TRUE(Read(request).value() == bytes.substr(100, 2'000'000));
  request.set_limit(0);
  EXPECT_TRUE(Read(request).value() == bytes.substr(100));
  request.set_offset(3'000'000);
  EXPECT_THAT(Read(request), IsOkAndHolds(""));
}

TEST_P(BlobServiceTest, AnOffsetPastTheEndIsOutOfRange) {
  v1::ReadBlobRequest request;
  *request.mutable_digest() = blobs_.Put("abc");
  request.set_offset(4);
  EXPECT_THAT(Read(request), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_P(BlobServiceTest, AVerifiedReadFindsDamage) {
  v1::ReadBlobRequest request;
  *request.mutable_digest() = blobs_.Put(SomeBytes(2'000'000));
  blobs_.Damage(request.digest());
  EXPECT_OK(Read(request));
  request.set_verify(true);
  const absl::Status status = Read(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(ReasonOf(status), "DATA_CORRUPT");
}

TEST_P(BlobServiceTest, AMissingBlobIsNotFound) {
  v1::ReadBlobRequest request;
  request.mutable_digest()->set_hash("00");
  const absl::Status status = Read(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(status), "BLOB_NOT_FOUND");
}

TEST_P(BlobServiceTest, AnErrorOfTheSinkEndsTheRead) {
  v1::ReadBlobRequest request;
  *request.mutable_digest() = blobs_.Put(SomeBytes(5'000'000));
  EXPECT_THAT(remote().Read(request,
                            [](absl::string_view) {
                              return absl::ResourceExhaustedError("enough");
                            }),
              StatusIs(absl::StatusCode::kResourceExhausted, "enough"));
}

TEST_P(BlobServiceTest, ARefusedUploadSaysWhy) {
  const absl::Status status =
      UploadBytes(remote(), "none", SomeBytes(9'000'000)).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kNotFound, "there is no such movie"));
  EXPECT_EQ(ReasonOf(status), "MOVIE_NOT_FOUND");
}

TEST_P(BlobServiceTest, BytesBeforeTheHeaderAreRefused) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::WriteBlobResponse response;
  auto writer = stub_->WriteBlob(&context, &response);
  v1::WriteBlobRequest request;
  request.set_data("abc");
  writer->Write(request);
  writer->WritesDone();
  EXPECT_THAT(FromGrpcStatus(writer->Finish()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("header: must come first")));
}

// Somebody who does not read holds what was sent and no more, and nobody else
// up; once gone nothing.
TEST_P(BlobServiceTest, ASlowReaderCostsBoundedMemory) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Minutes(5));
  v1::ReadBlobRequest endless;
  endless.mutable_digest()->set_hash(kEndless);
  const auto reader = stub_->ReadBlob(&context, endless);
  v1::ReadBlobResponse response;
  ASSERT_TRUE(reader->Read(&response));
  v1::ReadBlobRequest other;
  *other.mutable_digest() = blobs_.Put(SomeBytes(size_t{32} << 20));
  EXPECT_OK(Read(other));
  EXPECT_LE(blobs_.EndlessRead(), int64_t{24} << 20);
  context.TryCancel();
  EXPECT_THAT(FromGrpcStatus(reader->Finish()),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LE(blobs_.EndlessReadInTheEnd(), int64_t{24} << 20);
}

// What a client of another make may send: fields that this build does not
// know, data without bytes, a second header.
TEST_P(BlobServiceTest, MessagesOfAnyShapeAreUnderstood) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::WriteBlobResponse response;
  auto writer = stub_->WriteBlob(&context, &response);
  v1::WriteBlobRequest request;
  request.mutable_header()->set_movie_id("film");
  writer->Write(request);
  request.set_data("");
  writer->Write(request);
  request.set_data("abc");
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(77, 1);
  writer->Write(request);
  request.Clear();
  request.set_data(SomeBytes(300));  // a length of two bytes
  writer->Write(request);
  writer->WritesDone();
  ASSERT_OK(FromGrpcStatus(writer->Finish()));
  EXPECT_EQ(response.digest().hash(), Sha256Of("abc" + SomeBytes(300)).Hex());
}

TEST_P(BlobServiceTest, AMessageWithNothingInItIsRefused) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  v1::WriteBlobResponse response;
  auto writer = stub_->WriteBlob(&context, &response);
  v1::WriteBlobRequest request;
  request.mutable_header()->set_movie_id("film");
  writer->Write(request);
  writer->Write(v1::WriteBlobRequest());
  writer->WritesDone();
  EXPECT_THAT(FromGrpcStatus(writer->Finish()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must be a header or data")));
}

// The bytes so far may look like a whole blob; they are not.
TEST_P(BlobServiceTest, AnUploadThatIsGivenUpLeavesNothing) {
  constexpr int kUploads = 50;
  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  for (int i = 0; i < kUploads; ++i) {
    ASSERT_OK_AND_ASSIGN(auto upload, remote().StartUpload(header));
    ASSERT_OK(upload->Append("half of it"));
  }
  // An upload whose call was cancelled before it was served never started.
  ASSERT_OK(UploadBytes(remote(), "film", "whole"));
  server_.server().Drain(absl::Minutes(1));
  EXPECT_EQ(blobs_.FinishedOf(1), 1);
}

TEST_P(BlobServiceTest, LargeValuesBecomeBlobsAndSmallOnesStay) {
  v1::Content content;
  content.mutable_inline_()->set_mime_type("text/plain");
  content.mutable_inline_()->set_data("1234");
  ASSERT_OK(UploadIfLarge(remote(), "film", 4, &content));
  EXPECT_TRUE(content.has_inline_());
  content.mutable_inline_()->set_data("12345");
  ASSERT_OK(UploadIfLarge(remote(), "film", 4, &content));
  ASSERT_TRUE(content.has_blob());
  EXPECT_EQ(content.blob().mime_type(), "text/plain");
  EXPECT_EQ(content.blob().digest().size_bytes(), 5);
  EXPECT_THAT(ReadContent(remote(), "film", content, 5), IsOkAndHolds("12345"));
  EXPECT_THAT(ReadContent(remote(), "film", content, 4),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace kinora
