// Times and spans of time as protobuf's well-known types, and back.

#ifndef KINORA_COMMON_PROTO_TIME_H_
#define KINORA_COMMON_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace kinora {

// To the nanosecond, towards zero. Both parts have the sign of `duration`,
// which MUST be finite.
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Duration FromProto(const google::protobuf::Duration& duration);

// To the nanosecond. `time` MUST be finite and not before 1970.
google::protobuf::Timestamp ToProto(absl::Time time);
absl::Time FromProto(const google::protobuf::Timestamp& time);

}  // namespace kinora

#endif  // KINORA_COMMON_PROTO_TIME_H_
