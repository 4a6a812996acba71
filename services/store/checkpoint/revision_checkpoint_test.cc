#include "services/store/checkpoint/revision_checkpoint.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"
#include "services/store/object/memory_object_storage.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr int kLines = 600;  // several reads of a search, at 200 bytes each
constexpr int64_t kNoLimit = int64_t{1} << 40;

class RevisionCheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 1; i <= kLines; ++i) {
      LogRecord& record = records_.emplace_back();
      record.sequence = 3 * i;  // others were not kept
      AppendLogLine(record.sequence,
                    absl::StrCat("{\"what\":\"", std::string(160, 'x'), "\"}"),
                    &record.line);
      record.line.pop_back();
    }
    CheckpointInfo info;
    info.revision = "rev-0001";
    info.artefacts_through = records_.back().sequence;
    info.producer_totals = "{}";
    ASSERT_OK(WriteRevisionCheckpoint(
        storage_, "film", info, {},
        [this](absl::FunctionRef<absl::Status(const LogRecord&)> keep) {
          for (const LogRecord& record : records_) {
            const absl::Status kept = keep(record);
            if (!kept.ok()) return kept;
          }
          return absl::OkStatus();
        }));
    ASSERT_OK_AND_ASSIGN(file_, ReadObject(storage_, key_));
  }

  // That whoever reads the ten records after `after` gets all of them, or is
  // told that he does not. Returns whether he does.
  bool ReadIsWholeOrRefused(int64_t after) {
    auto checkpoint = RevisionCheckpoint::OpenNewest(storage_, "film");
    EXPECT_OK(checkpoint);
    const absl::StatusOr<std::vector<LogRecord>> read =
        (*checkpoint)
            ->Read(v1::LOG_KIND_ARTEFACTS, after, kNoLimit, 10, kNoLimit);
    if (!read.ok()) {
      EXPECT_THAT(read, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(key_)));
      return false;
    }
    int64_t due = after / 3 * 3;
    for (const LogRecord& record : *read) {
      due += 3;
      EXPECT_EQ(record.sequence, due) << "after " << after;
    }
    EXPECT_EQ(due, std::min<int64_t>(after / 3 * 3 + 30, 3 * kLines));
    return true;
  }

  FakeClock clock_;
  MemoryObjectStorage storage_{clock_};
  const std::string key_ = ArtefactsCheckpointKey("film", "rev-0001");
  std::vector<LogRecord> records_;
  std::string file_;
};

TEST_F(RevisionCheckpointTest, RecordsAreFoundWhereverOneBegins) {
  for (int64_t after = 0; after <= 3 * kLines; after += 7) {
    EXPECT_TRUE(ReadIsWholeOrRefused(after));
  }
}

// Numbers have gaps in a checkpoint: one that is passed over is missed by
// nobody.
TEST_F(RevisionCheckpointTest, ADamagedRecordIsNeverPassedOver) {
  const size_t line = file_.size() / kLines;
  for (const size_t at : {size_t{0}, file_.size() / 3, file_.size() / 2}) {
    for (const bool zeros : {false, true}) {
      std::string bad = file_;
      if (zeros) {
        bad.replace(at, 512, 512, '\0');
      } else {
        // A number that reads like that of a record long before.
        const size_t digits = bad.find("\"seq\":", at) + 6;
        bad[digits] = bad[digits] == '1' ? '0' : '1';
      }
      ASSERT_OK(storage_.Write(key_, bad));
      const int64_t first = static_cast<int64_t>(at / line) * 3;
      int refused = 0;
      for (int64_t after = 0; after < 3 * kLines; after += 3) {
        if (ReadIsWholeOrRefused(after)) continue;
        ++refused;
        // Behind the damage all can be read.
        EXPECT_LE(after, first + 12);
      }
      EXPECT_GE(refused, 1);
    }
  }
}

}  // namespace
}  // namespace kinora
