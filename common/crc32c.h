// CRC-32C (Castagnoli), the checksum of every log line and journal record. It
// finds torn and rotten bytes; it is no protection from anyone's intent.
//
// Uses the SSE4.2 instruction where the processor has it (found at run time)
// and tables elsewhere, with the same results.

#ifndef KINORA_COMMON_CRC32C_H_
#define KINORA_COMMON_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace kinora {

// The checksum of `bytes`, 0 for none.
uint32_t Crc32c(absl::string_view bytes);

// The checksum of A followed by `bytes`, where `crc` is Crc32c(A).
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes);

namespace internal {
// The table form, on every machine; for tests and as the fallback.
uint32_t ExtendCrc32cPortable(uint32_t crc, absl::string_view bytes);
}  // namespace internal

}  // namespace kinora

#endif  // KINORA_COMMON_CRC32C_H_
