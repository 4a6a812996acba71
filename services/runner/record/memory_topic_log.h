// An EventTopicLog in memory, for tests.

#ifndef KINORA_SERVICES_RUNNER_RECORD_MEMORY_TOPIC_LOG_H_
#define KINORA_SERVICES_RUNNER_RECORD_MEMORY_TOPIC_LOG_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "services/runner/record/topic_log.h"

namespace kinora {

// Not thread-safe.
class MemoryTopicLog final : public EventTopicLog {
 public:
  absl::StatusOr<std::vector<TopicRecord>> Read(absl::string_view topic,
                                                int64_t after_id,
                                                size_t max_records) override {
    page_sizes.push_back(max_records);
    ++reads;
    if (!read_error.ok() && reads >= failing_read) return read_error;
    std::vector<TopicRecord> page;
    for (const TopicRecord& record : topics[std::string(topic)]) {
      if (record.id > after_id && page.size() < max_records) {
        page.push_back(record);
      }
    }
    return page;
  }

  absl::StatusOr<int64_t> Append(absl::string_view topic,
                                 TopicRecord record) override {
    if (!append_error.ok()) return append_error;
    std::vector<TopicRecord>& records = topics[std::string(topic)];
    record.id = records.empty() ? 1 : records.back().id + 1;
    records.push_back(std::move(record));
    return records.back().id;
  }

  std::map<std::string, std::vector<TopicRecord>> topics;
  std::vector<size_t> page_sizes;  // of each read
  int reads = 0;
  absl::Status read_error;
  int failing_read = 1;  // the first read that fails, if there is an error
  absl::Status append_error;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_MEMORY_TOPIC_LOG_H_
