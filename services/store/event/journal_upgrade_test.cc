// Journals of the version before, and of versions to come.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/crc32c.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/journal.h"
#include "services/store/event/journal_batch.h"
#include "services/store/event/journal_batch_v1.h"
#include "services/store/event/journal_mending_fixture.h"
#include "services/store/event/little_endian.h"
#include "services/store/event/log_checkpoint.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A segment of an older build, written by hand.
std::string SegmentV1(const std::vector<std::string>& lines) {
  std::string segment(kJournalHeaderV1);
  uint64_t offset = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string payload("\x01", 1);
    AppendLittleEndian(static_cast<uint32_t>(sizeof(kSea) - 1), &payload);
    AppendLittleEndian(static_cast<uint32_t>(lines[i].size()), &payload);
    AppendLittleEndian(offset, &payload);
    AppendLittleEndian(static_cast<int64_t>(i + 1), &payload);
    payload += absl::StrCat(kSea, lines[i]);
    std::string summed;
    AppendLittleEndian(static_cast<uint32_t>(payload.size()), &summed);
    AppendLittleEndian(static_cast<uint64_t>(i + 1), &summed);
    segment += absl::StrCat(absl::string_view("\xfe\xff\xf5\xc0", 4), summed);
    AppendLittleEndian(ExtendCrc32c(Crc32c(summed), payload), &segment);
    segment += payload;
    offset += lines[i].size();
  }
  return segment;
}

class JournalUpgradeTest : public JournalMendingTest {
 protected:
  JournalUpgradeTest() {
    for (int64_t n = 1; n <= 5; ++n) {
      lines_.emplace_back();
      AppendLogLine(n, absl::StrCat("{\"n\":", n, "}"), &lines_.back());
    }
    journal_ = SegmentV1(lines_);
  }

  std::vector<std::string> lines_;
};

TEST_F(JournalUpgradeTest, AJournalOfVersion1IsReadAndReplaced) {
  auto fs = Disk(journal_, Files::kLost);
  ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
  EXPECT_EQ(Count(*log, kSea), 5);
  ASSERT_OK(AppendOne(*log, kSea, 6));
  log.reset();
  EXPECT_THAT(ListJournalSegments(*fs, "/store/journal"),
              IsOkAndHolds(ElementsAre(2)));
  EXPECT_THAT(ReadFile(*fs, JournalSegmentPath("/store/journal", 2)),
              IsOkAndHolds(testing::StartsWith("kinora-journal-2\n")));
  ASSERT_OK_AND_ASSIGN(log, Open(*fs));
  EXPECT_EQ(Count(*log, kSea), 6);
}

// Also of a log that nobody has asked for in between.
TEST_F(JournalUpgradeTest, TheEndOfALogInVersion1IsNotedAtAClose) {
  auto fs = Disk(journal_, Files::kLost);
  ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
  ASSERT_OK(log->Close());
  log.reset();
  EXPECT_EQ(
      ReadLogCheckpoint(*fs, JoinPath("/store", kSea)),
      (LogPosition{.sequence = 6, .offset = absl::StrJoin(lines_, "").size()}));
}

TEST_F(JournalUpgradeTest, ATornEndOfVersion1IsDropped) {
  const size_t last = SegmentV1({lines_.begin(), lines_.end() - 1}).size();
  for (size_t bytes = last; bytes < journal_.size(); ++bytes) {
    auto fs = Disk(journal_.substr(0, bytes), Files::kLost);
    ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
    EXPECT_EQ(Count(*log, kSea), 4) << bytes;
  }
}

// Such a batch does not tell which of its bytes are good.
TEST_F(JournalUpgradeTest, DamageInVersion1IsRefusedAsItWas) {
  const size_t last = SegmentV1({lines_.begin(), lines_.end() - 1}).size();
  for (size_t at = 0; at < last; ++at) {
    auto fs = Disk(Flipped(at, 1), Files::kWhole);
    EXPECT_THAT(std::string(Open(*fs).status().message()), HasSubstr(kJournal))
        << at;
    EXPECT_THAT(ReadFile(*fs, kJournal), IsOkAndHolds(Flipped(at, 1)));
  }
}

TEST_F(JournalUpgradeTest, AHeaderThatReadsAsVersion2IsRefused) {
  std::string damaged = journal_;
  damaged.replace(0, kJournalHeader.size(), std::string(kJournalHeader));
  auto fs = Disk(damaged, Files::kLost);
  EXPECT_THAT(Open(*fs).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kJournal)));
  EXPECT_THAT(ReadFile(*fs, kJournal), IsOkAndHolds(damaged));
}

TEST_F(JournalUpgradeTest, AVersionToComeIsRefused) {
  auto fs = Disk("kinora-journal-3\nwhatever it holds", Files::kWhole);
  EXPECT_THAT(Open(*fs).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("unknown journal version")));
}

}  // namespace
}  // namespace kinora
