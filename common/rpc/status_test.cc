#include "common/rpc/status.h"

#include <string>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "common/testing/status_matchers.h"
#include "common/utf8.h"
#include "kinora/v1/error.pb.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

absl::Status RoundTrip(const absl::Status& status) {
  return FromGrpcStatus(ToGrpcStatus(status));
}

TEST(RpcStatusTest, OkStaysOk) { EXPECT_OK(RoundTrip(absl::OkStatus())); }

TEST(RpcStatusTest, EveryCodeAndMessageComesBack) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    EXPECT_EQ(RoundTrip(status), status) << code;
  }
}

TEST(RpcStatusTest, ReasonAndMetadataComeBack) {
  const absl::Status status =
      WithReason(absl::NotFoundError("there is no movie \"film\""),
                 "MOVIE_NOT_FOUND", {{"movie", "film"}});
  const absl::Status back = RoundTrip(status);
  EXPECT_EQ(back, status);
  EXPECT_EQ(ReasonOf(back), "MOVIE_NOT_FOUND");
  EXPECT_THAT(MetadataOf(back), ElementsAre(Pair("movie", "film")));
}

TEST(RpcStatusTest, AnInvalidFieldIsAReason) {
  const absl::Status back =
      RoundTrip(InvalidField("movie_id", "A", "must be lower case"));
  EXPECT_EQ(ReasonOf(back), "INVALID_FIELD");
  EXPECT_THAT(MetadataOf(back),
              ElementsAre(Pair("field", "movie_id"), Pair("value", "A")));
}

// Helpers of other languages check that the details repeat code and message.
TEST(RpcStatusTest, DetailsAreOneErrorDetailUnderTheSameMessage) {
  const grpc::Status status = ToGrpcStatus(
      WithReason(absl::AbortedError("current moved"), "BASE_CHANGED"));
  v1::StatusDetails details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 10);
  EXPECT_EQ(details.message(), status.error_message());
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(),
            "type.googleapis.com/kinora.v1.ErrorDetail");
  v1::ErrorDetail detail;
  ASSERT_TRUE(details.details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.reason(), v1::ERROR_REASON_BASE_CHANGED);
}

TEST(RpcStatusTest, MessageAndDetailsAreCutToTheLimit) {
  std::string message;
  for (int i = 0; i < 5000; ++i) message += "\xc3\xa9";  // two bytes each
  const std::string large(2000, 'x');
  const absl::Status status =
      WithReason(absl::InternalError(message), "DATA_CORRUPT",
                 {{"movie", "film"}, {"value", large}});
  const grpc::Status cut = ToGrpcStatus(status);
  EXPECT_LE(cut.error_message().size() + cut.error_details().size(),
            kMaxStatusBytes);
  EXPECT_TRUE(IsValidUtf8(cut.error_message()));
  // What fits of the metadata is kept.
  EXPECT_THAT(MetadataOf(FromGrpcStatus(cut)),
              ElementsAre(Pair("movie", "film")));

  const grpc::Status bare = ToGrpcStatus(absl::InternalError(message));
  EXPECT_LE(bare.error_message().size(), kMaxStatusBytes);
  EXPECT_GT(bare.error_message().size(), kMaxStatusBytes - 10);
}

TEST(RpcStatusTest, ADetailTravelsWithinAMessageToo) {
  const absl::Status lost =
      WithReason(absl::AbortedError("the lease has passed on"), "LEASE_LOST",
                 {{"holder", "runner-2"}});
  const v1::ErrorDetail detail = ErrorDetailOf(lost);
  EXPECT_EQ(detail.reason(), v1::ERROR_REASON_LEASE_LOST);
  EXPECT_EQ(
      WithErrorDetail(absl::AbortedError("the lease has passed on"), detail),
      lost);
  const absl::Status field = InvalidField("events", "0", "must not be empty");
  EXPECT_EQ(WithErrorDetail(absl::Status(field.code(), field.message()),
                            ErrorDetailOf(field)),
            FromGrpcStatus(ToGrpcStatus(field)));
  EXPECT_EQ(ErrorDetailOf(absl::InternalError("bare")).ByteSizeLong(), 0u);
  EXPECT_OK(WithErrorDetail(absl::OkStatus(), detail));
}

TEST(RpcStatusTest, ForeignDetailsAreIgnored) {
  const absl::Status status = FromGrpcStatus(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone", "not a proto"));
  EXPECT_EQ(status, absl::UnavailableError("gone"));
}

}  // namespace
}  // namespace kinora
