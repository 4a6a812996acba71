// An EventTopicLog in files that anybody can follow: one a topic, one record a
// line.

#ifndef KINORA_SERVICES_RUNNER_RECORD_FILE_TOPIC_LOG_H_
#define KINORA_SERVICES_RUNNER_RECORD_FILE_TOPIC_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/runner/record/topic_log.h"

namespace kinora {

// A topic of more bytes is not read, and takes no more.
inline constexpr uint64_t kMaxTopicBytes = uint64_t{64} << 20;

// Keeps a topic in `<directory>/<topic>.jsonl`, in lines of JSON with `id`,
// `kind`, `headers` and `payload`. A record is on stable storage once Append()
// has returned. What a crash has left of a line that has no end is no record,
// and goes with the next append.
//
// Errors beside those of the disk: INVALID_ARGUMENT for a topic that is no name
// of a file; DATA_LOSS with file and line for one that is no record;
// FAILED_PRECONDITION of Append() while another process appends. Not
// thread-safe.
class FileTopicLog final : public EventTopicLog {
 public:
  // `files` MUST outlive this. Directories are made with the first record.
  FileTopicLog(FileSystem& files, std::string directory);

  absl::StatusOr<std::vector<TopicRecord>> Read(absl::string_view topic,
                                                int64_t after_id,
                                                size_t max_records) override;
  absl::StatusOr<int64_t> Append(absl::string_view topic,
                                 TopicRecord record) override;

 private:
  // What the whole lines of a file say.
  struct Topic {
    std::vector<TopicRecord> records;
    uint64_t bytes = 0;  // of these lines
    bool is_torn = false;
  };

  absl::StatusOr<std::string> PathOf(absl::string_view topic) const;
  absl::StatusOr<Topic> ReadTopicFile(const std::string& path) const;

  FileSystem& files_;
  const std::string directory_;
  // The file read last, as long as it stays of its size: its pages come of one
  // reading.
  std::string known_path_;
  Topic known_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_FILE_TOPIC_LOG_H_
