#include "services/store/event/log_segment.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

using testing::HasSubstr;

class LogSegmentTest : public testing::Test {
 protected:
  LogSegmentTest() { EXPECT_OK(fs_.CreateDirectories("/b")); }

  static std::string Lines(int64_t first, int64_t last, int pad = 0) {
    std::string lines;
    for (int64_t n = first; n <= last; ++n) {
      AppendLogLine(n, "{\"pad\":\"" + std::string(pad, 'x') + "\"}", &lines);
    }
    return lines;
  }
  void Write(absl::string_view bytes) {
    ASSERT_OK(WriteFileAtomically(fs_, kPath, bytes));
  }
  absl::StatusOr<LogScan> Scan(
      int64_t archived_through = 0,
      const std::optional<LogPosition>& checkpoint = {}) {
    return ScanLogFile(fs_, kPath, archived_through, checkpoint);
  }

  const std::string kPath = "/b/x.log";
  FaultyFileSystem fs_;
};

TEST_F(LogSegmentTest, AMissingFileIsEmpty) {
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan());
  EXPECT_TRUE(scan.segment.empty());
  EXPECT_EQ(scan.segment.first_sequence(), 1);
  EXPECT_EQ(scan.segment.last_sequence(), 0);
}

TEST_F(LogSegmentTest, ScansWhatIsThere) {
  Write(Lines(4, 9));
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan());
  EXPECT_EQ(scan.segment.first_sequence(), 4);
  EXPECT_EQ(scan.segment.last_sequence(), 9);
  EXPECT_EQ(scan.segment.end_offset(), scan.file_bytes);
}

TEST_F(LogSegmentTest, ATornLastLineIsLeftOut) {
  const std::string whole = Lines(1, 2);
  const std::string torn = Lines(3, 3);
  for (size_t bytes = 0; bytes < torn.size(); ++bytes) {
    Write(whole + torn.substr(0, bytes));
    ASSERT_OK_AND_ASSIGN(LogScan scan, Scan());
    EXPECT_EQ(scan.segment.last_sequence(), 2);
    EXPECT_EQ(scan.segment.end_offset(), whole.size());
    EXPECT_EQ(scan.file_bytes, whole.size() + bytes);
  }
}

TEST_F(LogSegmentTest, DamageNamesFileAndLine) {
  const std::string lines = Lines(1, 5);
  const auto damaged = [](absl::string_view what) {
    return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(std::string(what)));
  };
  Write(Lines(1, 2) + "{}\n" + Lines(3, 4));
  EXPECT_THAT(Scan(), damaged("/b/x.log, line 3: not a log line"));
  Write(Lines(1, 2) + Lines(4, 4));
  EXPECT_THAT(Scan(), damaged("/b/x.log, line 3: it has sequence number 4"));
  Write(Lines(1, 2) + Lines(2, 2));
  EXPECT_THAT(Scan(), damaged("/b/x.log, line 3"));
  Write(Lines(5, 6));
  EXPECT_THAT(Scan(3), damaged("/b/x.log, line 1: it has record 5"));
  for (size_t i = 0; i < lines.size(); ++i) {
    Write(lines);
    fs_.FlipByte(kPath, i);
    const auto scan = Scan();
    // The last '\n' is what makes the last line one.
    if (i + 1 == lines.size()) {
      EXPECT_EQ(scan->segment.last_sequence(), 4);
    } else {
      EXPECT_THAT(scan, damaged("/b/x.log, line "));
    }
  }
}

TEST_F(LogSegmentTest, ArchivedRecordsArePassedOver) {
  Write(Lines(3, 8));
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan(5));
  EXPECT_EQ(scan.segment.first_sequence(), 6);
  EXPECT_EQ(scan.segment.begin_offset(), Lines(3, 5).size());
  EXPECT_EQ(scan.segment.RangeFrom(7).from_line, 4);
  ASSERT_OK_AND_ASSIGN(LogScan all, Scan(9));
  EXPECT_TRUE(all.segment.empty());
  EXPECT_EQ(all.segment.first_sequence(), 10);
  EXPECT_EQ(all.segment.end_offset(), all.file_bytes);
}

TEST_F(LogSegmentTest, ReadsFromAnywhereOfALargeFile) {
  constexpr int64_t kRecords = 600;
  Write(Lines(1, kRecords, 300));  // many index positions
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan());
  ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForRead(kPath));
  for (int64_t wanted = 1; wanted <= kRecords; wanted += 7) {
    const LogRange range = scan.segment.RangeFrom(wanted);
    std::vector<LogRecord> records;
    LogBudget budget{.records = 2, .bytes = 1 << 20};
    ASSERT_OK(ReadLogRecords(*file, range, &budget, &records));
    ASSERT_FALSE(records.empty());
    EXPECT_EQ(records[0].sequence, wanted);
    EXPECT_THAT(FindLogRecord(*file, range),
                IsOkAndHolds(Lines(1, wanted - 1, 300).size()));
  }
}

TEST_F(LogSegmentTest, AReadChecksWhatItReturns) {
  Write(Lines(1, 5));
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan());
  fs_.FlipByte(kPath, Lines(1, 3).size() + 5);
  ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForRead(kPath));
  std::vector<LogRecord> records;
  LogBudget budget{.records = 100, .bytes = 1 << 20};
  EXPECT_THAT(
      ReadLogRecords(*file, scan.segment.RangeFrom(2), &budget, &records),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("/b/x.log, line 4")));
}

TEST_F(LogSegmentTest, AnArchiveIsKnownFromItsEdges) {
  for (const int pad : {0, 1, 5000, 20000}) {
    for (const int64_t last : {3, 4, 9}) {
      Write(Lines(3, last, pad));
      ASSERT_OK_AND_ASSIGN(LogSegment archive, ArchiveSegment(fs_, kPath));
      EXPECT_EQ(archive.first_sequence(), 3);
      EXPECT_EQ(archive.last_sequence(), last);
      EXPECT_EQ(archive.end_offset(), Lines(3, last, pad).size());
    }
  }
  const auto damaged = StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kPath));
  Write("");
  EXPECT_THAT(ArchiveSegment(fs_, kPath), damaged);
  Write(Lines(1, 2) + "{");
  EXPECT_THAT(ArchiveSegment(fs_, kPath), damaged);
  Write("\n");
  EXPECT_THAT(ArchiveSegment(fs_, kPath), damaged);
}

// F: S0-24 (nothing is read to find a record but what is near it)
TEST_F(LogSegmentTest, FindsRecordsThatWereNeverScanned) {
  SeededRandom random(3);
  for (int round = 0; round < 20; ++round) {
    std::string lines;
    std::vector<size_t> begins = {0};
    const int64_t first = 1 + static_cast<int64_t>(random.Next() % 1000);
    for (int64_t n = first; begins.size() < 2000; ++n) {
      // Mostly alike, and now and then far longer than a look at the file.
      size_t pad = random.Next() % 300;
      if (random.Next() % 200 == 0) pad = random.Next() % 100'000;
      AppendLogLine(n, "{\"pad\":\"" + std::string(pad, 'x') + "\"}", &lines);
      begins.push_back(lines.size());
    }
    Write(lines);
    ASSERT_OK_AND_ASSIGN(LogSegment segment, ArchiveSegment(fs_, kPath));
    ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForRead(kPath));
    for (size_t at = 0; at + 1 < begins.size(); at += 1 + random.Next() % 40) {
      const int64_t wanted = first + static_cast<int64_t>(at);
      const LogRange range = segment.RangeFrom(wanted);
      ASSERT_THAT(FindLogRecord(*file, range), IsOkAndHolds(begins[at]));
      std::vector<LogRecord> records;
      LogBudget budget{.records = 1, .bytes = 1 << 20};
      ASSERT_OK(ReadLogRecords(*file, range, &budget, &records));
      ASSERT_EQ(records.size(), 1u);
      EXPECT_EQ(records[0].sequence, wanted);
    }
  }
}

TEST_F(LogSegmentTest, ACheckpointSparesReadingWhatItCovers) {
  const std::string covered = Lines(4, 300, 40);
  Write(covered + Lines(301, 305, 40));
  fs_.FlipByte(kPath, 2000);  // nobody will look
  const LogPosition checkpoint{.sequence = 301, .offset = covered.size()};
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan(0, checkpoint));
  EXPECT_TRUE(scan.from_checkpoint);
  EXPECT_EQ(scan.segment.first_sequence(), 4);
  EXPECT_EQ(scan.segment.last_sequence(), 305);
  EXPECT_EQ(scan.segment.end_offset(), scan.file_bytes);
  ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForRead(kPath));
  EXPECT_THAT(FindLogRecord(*file, scan.segment.RangeFrom(300)),
              IsOkAndHolds(Lines(4, 299, 40).size()));
  EXPECT_THAT(CheckLogLines(*file, scan.segment.RangeFrom(300)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line ")));
  // What comes after is checked as ever.
  fs_.FlipByte(kPath, covered.size() + Lines(301, 301, 40).size() + 9);
  EXPECT_THAT(Scan(0, checkpoint),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 299")));
}

TEST_F(LogSegmentTest, ACheckpointThatDoesNotFitIsIgnored) {
  const std::string covered = Lines(4, 6);
  Write(covered + Lines(7, 8));
  const uint64_t offset = covered.size();
  for (const LogPosition wrong :
       {LogPosition{7, offset + 1}, LogPosition{8, offset},
        LogPosition{7, offset * 9}, LogPosition{4, 0}, LogPosition{7, 0}}) {
    ASSERT_OK_AND_ASSIGN(LogScan scan, Scan(0, wrong));
    EXPECT_FALSE(scan.from_checkpoint);
    EXPECT_EQ(scan.segment.last_sequence(), 8);
  }
  // Records that an interrupted Archive() left in front.
  ASSERT_OK_AND_ASSIGN(LogScan scan, Scan(5, LogPosition{7, offset}));
  EXPECT_FALSE(scan.from_checkpoint);
  EXPECT_EQ(scan.segment.first_sequence(), 6);
}

}  // namespace
}  // namespace kinora
