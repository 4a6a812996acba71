// Amounts as people write and read them: sizes, counts, spans of time.

#ifndef KINORA_CLIENTS_CLI_AMOUNTS_H_
#define KINORA_CLIENTS_CLI_AMOUNTS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

#include "common/cost_text.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// "1048576", "1MiB" or "1.5 GiB"; B, KiB, MiB, GiB and TiB. INVALID_ARGUMENT
// for `flag` if it is something else, negative, or beyond 2^53.
absl::StatusOr<int64_t> ParseSize(absl::string_view flag,
                                  absl::string_view text);

// "17 B", "1.5 GiB".
std::string FormatSize(int64_t bytes);

// A whole number that is not negative.
absl::StatusOr<int64_t> ParseCount(absl::string_view flag,
                                   absl::string_view text);

// "10m", "1h30m", "0".
absl::StatusOr<absl::Duration> ParseSpan(absl::string_view flag,
                                         absl::string_view text);

// "1 blob", "2 blobs".
std::string Counted(int64_t count, absl::string_view noun);

// "USD 12.50", "12.50 USD" or "12.50"; FormatCost() writes them.
absl::StatusOr<v1::Cost> ParseCost(absl::string_view flag,
                                   absl::string_view text);

// "0.2 s", "1m30s".
std::string FormatSeconds(const google::protobuf::Duration& duration);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_AMOUNTS_H_
