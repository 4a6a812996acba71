// A store that is opened again, with what it says meanwhile.

#ifndef KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_RECOVERY_FIXTURE_H_
#define KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_RECOVERY_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/journal.h"

namespace kinora {

inline constexpr char kLog[] = "builds/m/events/inputs.log";
inline constexpr char kArchive[] = "builds/m/events/rev-0001.inputs.jsonl";
inline constexpr char kDiffers[] = "is not what the journal says";

class FileEventLogRecoveryTest : public ::testing::Test {
 protected:
  FileEventLogRecoveryTest() { Reopen(); }

  // What the process says meanwhile.
  std::string Reopen() {
    log_.reset();
    ::testing::internal::CaptureStderr();
    auto opened = FileEventLog::Open(fs_, "/store");
    std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_OK(opened);
    if (opened.ok()) log_ = *std::move(opened);
    return said;
  }
  void Append(int count, const std::string& what = "event") {
    for (int i = 0; i < count; ++i) {
      const std::vector<std::string> bodies = {
          absl::StrCat("{\"some\":\"", what, "\"}")};
      ASSERT_OK(log_->Append(kLog, bodies, AdmitAlways));
    }
  }
  std::string Bytes() {
    absl::StatusOr<std::string> bytes = ReadFile(fs_, path_);
    EXPECT_OK(bytes);
    return bytes.ok() ? *bytes : "";
  }

  // The segment of the journal that is written, and how far it is.
  struct JournalEnd {
    std::string segment;
    uint64_t bytes = 0;
  };
  JournalEnd EndOfJournal() {
    const auto segments = ListJournalSegments(fs_, "/store/journal");
    EXPECT_OK(segments);
    JournalEnd end;
    end.segment = JournalSegmentPath("/store/journal", segments->back());
    const auto bytes = ReadFile(fs_, end.segment);
    EXPECT_OK(bytes);
    end.bytes = bytes->find_last_not_of('\0') + 1;  // without its room
    return end;
  }
  // The store ends meanwhile.
  void LoseJournalBehind(const JournalEnd& end) {
    log_.reset();
    EXPECT_OK(fs_.Truncate(end.segment, end.bytes));
  }

  const std::string path_ = std::string("/store/") + kLog;
  FaultyFileSystem fs_;
  std::unique_ptr<FileEventLog> log_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_RECOVERY_FIXTURE_H_
