#include "services/store/event/journal.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/journal_reader.h"

namespace kinora {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    EXPECT_OK(fs_.CreateDirectories("/j"));
    journal_ = *Journal::Create(fs_, "/j", {}, 0);
  }

  // Writes a batch with a record for each text.
  void Write(const std::vector<std::string>& texts) {
    JournalBatchBuilder batch;
    for (const std::string& text : texts) {
      batch.Add({.log = "b/x.log",
                 .offset = 1234567890123,
                 .first_sequence = 42,
                 .lines = text});
    }
    ASSERT_OK(journal_->Write(batch));
  }

  absl::StatusOr<JournalNext> Read() {
    read_.clear();
    return ReadJournal(
        fs_, "/j", [this](const JournalPlace&, const JournalRecord& record) {
          EXPECT_EQ(record.log, "b/x.log");
          EXPECT_EQ(record.offset, 1234567890123u);
          EXPECT_EQ(record.first_sequence, 42);
          read_.emplace_back(record.lines);
          return absl::OkStatus();
        });
  }

  std::string Bytes(uint64_t segment) {
    return *ReadFile(fs_, JournalSegmentPath("/j", segment));
  }
  void Replace(uint64_t segment, absl::string_view bytes) {
    ASSERT_OK(
        WriteFileAtomically(fs_, JournalSegmentPath("/j", segment), bytes));
  }

  FaultyFileSystem fs_;
  std::unique_ptr<Journal> journal_;
  std::vector<std::string> read_;
};

TEST_F(JournalTest, ReadsBackWhatWasWritten) {
  Write({"one\n", "two\n"});
  Write({""});
  ASSERT_OK(journal_->StartSegment());
  Write({"three\n"});
  ASSERT_OK_AND_ASSIGN(JournalNext next, Read());
  EXPECT_THAT(read_, ElementsAre("one\n", "two\n", "", "three\n"));
  EXPECT_EQ(next.segment, 3u);
  EXPECT_EQ(next.batch, 4u);
}

TEST_F(JournalTest, AWrittenBatchSurvivesACrash) {
  Write({"one\n"});
  ASSERT_OK(journal_->StartSegment());
  Write({"two\n"});
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  ASSERT_OK(Read());
  EXPECT_THAT(read_, ElementsAre("one\n", "two\n"));
}

TEST_F(JournalTest, ATailTornAtAnyByteIsDropped) {
  Write({"one\n"});
  const std::string before = Bytes(1);
  Write({"two\n", "three\n"});
  const std::string whole = Bytes(1);
  for (size_t bytes = before.size(); bytes < whole.size(); ++bytes) {
    Replace(1, whole.substr(0, bytes));
    ASSERT_OK_AND_ASSIGN(JournalNext next, Read());
    EXPECT_THAT(read_, ElementsAre("one\n"));
    EXPECT_EQ(next.batch, 2u);
    EXPECT_EQ(Bytes(1), before);
  }
}

// A crash may keep the end of an unsynced batch and lose its beginning.
TEST_F(JournalTest, ALastBatchWithAHoleIsDropped) {
  Write({"one\n"});
  const size_t begin = Bytes(1).size();
  Write({"two\n", "three\n"});
  const std::string whole = Bytes(1);
  for (size_t i = begin; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xFF);
    Replace(1, damaged);
    ASSERT_OK(Read());
    EXPECT_THAT(read_, ElementsAre("one\n"));
  }
}

TEST_F(JournalTest, DamageBeforeALaterBatchIsReported) {
  Write({"one\n"});
  const size_t end = Bytes(1).size();
  Write({"two\n"});
  for (size_t i = 0; i < end; ++i) {
    std::string damaged = Bytes(1);
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const std::string intact = Bytes(1);
    Replace(1, damaged);
    const auto next = Read();
    EXPECT_FALSE(next.ok()) << "byte " << i;
    EXPECT_THAT(std::string(next.status().message()),
                HasSubstr("/j/0000000001.wal"));
    Replace(1, intact);
  }
}

TEST_F(JournalTest, DamageInASegmentBeforeTheLastIsReported) {
  Write({"one\n"});
  ASSERT_OK(journal_->StartSegment());
  Write({"two\n"});
  const std::string whole = Bytes(1);
  for (size_t bytes = kJournalHeader.size() + 1; bytes < whole.size();
       ++bytes) {
    Replace(1, whole.substr(0, bytes));
    EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("/j/0000000001.wal, offset 17")));
  }
  // Cut at a batch, or to nothing: only the numbers tell.
  Replace(1, kJournalHeader);
  Write({"three\n"});
  ASSERT_OK(journal_->StartSegment());
  Write({"four\n"});
  Replace(2, kJournalHeader);
  Replace(1, whole);
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("batch 4 where 2 is due")));
  ASSERT_OK(fs_.Remove(JournalSegmentPath("/j", 2)));
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("the segment before it is missing")));
}

TEST_F(JournalTest, ASegmentTornAtBirthIsEmptyAndStaysSo) {
  Write({"one\n"});
  for (size_t bytes = 0; bytes <= kJournalHeader.size(); ++bytes) {
    Replace(2, std::string(bytes, '\0'));
    ASSERT_OK_AND_ASSIGN(JournalNext next, Read());
    EXPECT_EQ(next.segment, 3u);
    Replace(3, kJournalHeader);
    EXPECT_OK(Read());
    ASSERT_OK(fs_.Remove(JournalSegmentPath("/j", 3)));
  }
}

TEST_F(JournalTest, ReservesRoomThatReadsAsNothing) {
  journal_ = *Journal::Create(fs_, "/j", {.segment = 2}, 4096);
  Write({"one\n"});
  Write({"two\n"});
  EXPECT_GT(Bytes(2).size(), 4096u);
  EXPECT_LT(journal_->segment_bytes(), 400u);
  ASSERT_OK(journal_->StartSegment());
  Write({"three\n"});
  const std::string before = Bytes(3);
  ASSERT_OK_AND_ASSIGN(JournalNext next, Read());
  EXPECT_THAT(read_, ElementsAre("one\n", "two\n", "three\n"));
  EXPECT_EQ(next.segment, 4u);
  EXPECT_EQ(next.batch, 4u);
  EXPECT_EQ(Bytes(3), before);
}

TEST_F(JournalTest, ReservesNoRoomForLargeBatches) {
  journal_ = *Journal::Create(fs_, "/j", {.segment = 2}, 4096);
  Write({std::string(1000, 'x')});
  EXPECT_EQ(Bytes(2).size(), journal_->segment_bytes());
}

TEST_F(JournalTest, ABatchTurnedIntoZerosIsMissed) {
  journal_ = *Journal::Create(fs_, "/j", {.segment = 2}, 4096);
  Write({"one\n"});
  const size_t begin = journal_->segment_bytes();
  Write({"two\n"});
  const std::string intact = Bytes(2);
  std::string damaged = intact;
  std::fill(damaged.begin() + begin, damaged.end(), '\0');
  Replace(2, damaged);
  ASSERT_OK(Read());  // nothing behind it tells that it was there
  ASSERT_OK(journal_->StartSegment());
  Write({"three\n"});
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("batch 3 where 2 is due")));
  damaged = intact;
  std::fill(damaged.begin() + kJournalHeader.size(), damaged.begin() + begin,
            '\0');
  Replace(2, damaged);
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("/j/0000000002.wal")));
}

// Power is lost at any step; what was acknowledged before is read back, and a
// batch more or none.
TEST_F(JournalTest, KeepsWhatWasAcknowledgedInReservedRoom) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    fs_.Crash(FaultyFileSystem::Survival::kNothing, seed);
    ASSERT_OK(RemoveTree(fs_, "/j"));
    ASSERT_OK(fs_.CreateDirectories("/j"));
    auto journal = *Journal::Create(fs_, "/j", {}, 8 * 700);
    fs_.StopAfter(static_cast<int>(seed % 30));
    size_t acknowledged = 0;
    while (!fs_.stopped()) {
      JournalBatchBuilder batch;
      batch.Add({.log = "b/x.log",
                 .offset = 1234567890123,
                 .first_sequence = 42,
                 .lines = std::string(seed, 'x')});
      if (!journal->Write(batch).ok()) break;
      ++acknowledged;
      if (acknowledged % 5 == 0 && !journal->StartSegment().ok()) break;
    }
    fs_.Crash(seed);
    ASSERT_OK(Read()) << "seed " << seed;
    EXPECT_GE(read_.size(), acknowledged) << "seed " << seed;
    EXPECT_LE(read_.size(), acknowledged + 1) << "seed " << seed;
  }
}

TEST_F(JournalTest, AnotherVersionIsRefused) {
  Replace(1, "kinora-journal-3\nwhatever");
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("unknown journal version")));
}

TEST_F(JournalTest, RemovesTheOldestFirst) {
  Write({"one\n"});
  for (int i = 0; i < 3; ++i) ASSERT_OK(journal_->StartSegment());
  // Stopped anywhere in it, no segment is missing between two others.
  for (int changes = 0; changes < 6; ++changes) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      FaultyFileSystem fs;
      ASSERT_OK(fs.CreateDirectories("/j"));
      auto journal = *Journal::Create(fs, "/j", {}, 0);
      for (int i = 0; i < 3; ++i) ASSERT_OK(journal->StartSegment());
      fs.StopAfter(changes);
      (void)journal->RemoveSegmentsBelow(4);
      fs.Crash(seed);
      ASSERT_OK_AND_ASSIGN(auto left, ListJournalSegments(fs, "/j"));
      ASSERT_FALSE(left.empty());
      EXPECT_EQ(left.back(), 4u);
      EXPECT_EQ(left.back() - left.front() + 1, left.size());
    }
  }
}

}  // namespace
}  // namespace kinora
