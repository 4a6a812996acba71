// A LogTail is the end of a log that its file has no room for: it is in the
// journal, durable, and held in memory for readers until there is room.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_TAIL_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_TAIL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

struct LogTail {
  // Where the lines begin in the file; what the file holds from there on does
  // not count.
  uint64_t offset = 0;
  std::string lines;
};

// By the logs' keys.
using LogTails = absl::flat_hash_map<std::string, LogTail>;

// The log file as it will be, which need not exist. Errors of OpenForRead(),
// but NOT_FOUND.
absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenWithTail(
    FileSystem& fs, absl::string_view path,
    std::shared_ptr<const LogTail> tail);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_TAIL_H_
