// A FileEventLog on a disk that can fail.

#ifndef KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_FIXTURE_H_
#define KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/threads/executor.h"
#include "services/store/event/file_event_log.h"
#include "tests/contract/event_log_fixture.h"

namespace kinora {

// Small limits, so that segments change and logs are forgotten in short tests.
inline FileEventLogOptions SmallOptions(Executor* executor) {
  FileEventLogOptions options;
  options.executor = executor;
  options.limits.journal_segment_bytes = 2000;
  options.limits.max_unsynced_logs = 3;
  options.max_cached_logs = 2;
  return options;
}

class FileEventLogTest : public testing::Test {
 protected:
  FileEventLogTest() { Reopen(); }

  void Reopen() {
    log_.reset();
    auto opened = FileEventLog::Open(fs_, "/store", options_);
    ASSERT_OK(opened);
    log_ = *std::move(opened);
  }
  absl::Status Append(absl::string_view name, int count = 1) {
    for (int i = 0; i < count; ++i) {
      const std::vector<std::string> bodies = {"{\"some\":\"event\"}"};
      const auto range = log_->Append(name, bodies, AdmitAlways);
      if (!range.ok()) return range.status();
    }
    return absl::OkStatus();
  }
  // The last sequence, after checking that all up to it can be read.
  int64_t Last(absl::string_view name) {
    const auto records = log_->Read(name, 0, kNoLimit, kNoLimit);
    EXPECT_OK(records);
    if (!records.ok()) return -1;
    for (size_t i = 0; i < records->size(); ++i) {
      EXPECT_EQ((*records)[i].sequence, static_cast<int64_t>(i + 1));
    }
    const auto extent = log_->Extent(name);
    EXPECT_EQ(extent->last_sequence, static_cast<int64_t>(records->size()));
    return extent->last_sequence;
  }
  std::vector<uint64_t> Segments() {
    return *ListJournalSegments(fs_, "/store/journal");
  }

  const std::string kInputs = std::string("/store/") + kInputsLog;
  const std::string kArchive = "builds/m/events/rev-1.inputs.jsonl";
  FileEventLogOptions options_;
  FaultyFileSystem fs_;
  std::unique_ptr<FileEventLog> log_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_FIXTURE_H_
