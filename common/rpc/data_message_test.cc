#include "common/rpc/data_message.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "kinora/v1/blob.pb.h"

namespace kinora {
namespace {

// The message in slices of `slice` bytes, as a network may cut it.
grpc::ByteBuffer InSlices(const std::string& message, size_t slice) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < message.size(); at += slice) {
    slices.emplace_back(message.substr(at, slice));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

std::string Joined(const DataParts& data) {
  std::string bytes;
  for (absl::string_view part : data.parts()) {
    bytes.append(part.data(), part.size());
  }
  return bytes;
}

TEST(DataMessageTest, IsReadWhereverItIsCut) {
  for (const size_t size : {1, 127, 128, 300, 20'000}) {
    v1::WriteBlobRequest message;
    message.set_data(std::string(size, 'x'));
    const std::string wire = message.SerializeAsString();
    for (size_t slice = 1; slice < 9; ++slice) {
      DataParts data;
      ASSERT_TRUE(data.Read(InSlices(wire, slice))) << size << " " << slice;
      EXPECT_EQ(Joined(data), message.data());
    }
  }
}

TEST(DataMessageTest, IsWhatProtobufMakes) {
  const auto buffers = std::make_shared<DataBuffers>(20'000);
  for (const size_t size : {1, 127, 128, 300, 20'000}) {
    char* const buffer = buffers->Take();
    std::fill(buffer, buffer + size, 'x');
    v1::ReadBlobResponse message;
    ASSERT_OK(ParseMessage(DataMessage(buffers->Wrap(buffer, size)), &message));
    EXPECT_EQ(message.data(), std::string(size, 'x'));
    EXPECT_EQ(message.ByteSizeLong(),
              DataMessage(grpc::Slice(message.data())).Length());
  }
}

// Protobuf knows what to make of them.
TEST(DataMessageTest, OtherMessagesAreNoData) {
  v1::WriteBlobRequest message;
  message.set_data("bytes");
  const std::string data = message.SerializeAsString();
  message.mutable_header()->set_movie_id("film");
  const std::string header = message.SerializeAsString();
  DataParts parts;
  for (const std::string& wire :
       {std::string(), header, data + data, data + "\x08", data.substr(0, 1),
        data.substr(0, 4), std::string(30, '\xFF'),
        "R" + std::string(30, '\xFF')}) {
    EXPECT_FALSE(parts.Read(InSlices(wire, 4))) << testing::PrintToString(wire);
  }
  EXPECT_TRUE(parts.Read(InSlices(data, 4)));
}

TEST(DataMessageTest, WhatIsNoMessageIsAnError) {
  v1::WriteBlobRequest message;
  EXPECT_THAT(ParseMessage(InSlices("\xFF\xFF", 1), &message),
              StatusIs(absl::StatusCode::kInternal,
                       testing::HasSubstr("kinora.v1.WriteBlobRequest")));
}

// A buffer is used again once nobody holds the message.
TEST(DataMessageTest, BuffersComeBack) {
  const auto buffers = std::make_shared<DataBuffers>(10);
  char* const buffer = buffers->Take();
  {
    const grpc::ByteBuffer message = DataMessage(buffers->Wrap(buffer, 5));
    char* const other = buffers->Take();
    EXPECT_NE(other, buffer);
    delete[] other;
  }
  EXPECT_EQ(buffers->Take(), buffer);
  buffers->Return(buffer);
}

// Several calls send the same bytes, which are there until the last has.
TEST(DataMessageTest, ASharedMessageHoldsOnToItsBytes) {
  v1::WriteBlobRequest request;
  request.set_data("data");
  auto bytes = std::make_shared<const std::string>(request.SerializeAsString());
  const std::weak_ptr<const std::string> left = bytes;
  {
    const grpc::ByteBuffer first = SharedMessage(bytes);
    const grpc::ByteBuffer second = SharedMessage(std::move(bytes));
    for (const grpc::ByteBuffer* each : {&first, &second}) {
      v1::WriteBlobRequest parsed;
      ASSERT_OK(ParseMessage(*each, &parsed));
      EXPECT_EQ(parsed.data(), "data");
    }
  }
  EXPECT_TRUE(left.expired());
}

}  // namespace
}  // namespace kinora
