// Starts after a crash whose journal has lost its end: what the log files have
// of it is not lost, too.

#include "services/store/event/unjournaled_lines.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log_recovery_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class UnjournaledLinesTest : public FileEventLogRecoveryTest {
 protected:
  // Where the line begins, of lines that are all of one size.
  uint64_t PlaceOf(int line, int lines) {
    return Bytes().size() / lines * (line - 1);
  }
  absl::Status AppendOne() {
    const std::vector<std::string> bodies = {"{\"one\":\"more\"}"};
    return log_->Append(kLog, bodies, AdmitAlways).status();
  }
  int64_t Last() {
    const auto records = log_->Read(kLog, 0, 99, 1'000'000);
    EXPECT_OK(records);
    return records.ok() ? static_cast<int64_t>(records->size()) : -1;
  }

  const std::string aside_ = path_ + ".damaged";
};

// Its movie was deleted and created again, and the journal lost that with its
// end: the lines of the one before are not written over those of the new one.
TEST_F(UnjournaledLinesTest, ALaterLogOfTheNameKeepsItsLines) {
  for (const char* what : {"x", "another event, and a longer line"}) {
    for (const int count : {1, 3, 9}) {
      SCOPED_TRACE(absl::StrCat(count, " of ", what));
      fs_.Remove(aside_).IgnoreError();
      ASSERT_OK(log_->Remove(kLog));
      Append(3);
      const std::string before = Bytes();
      const JournalEnd end = EndOfJournal();
      ASSERT_OK(log_->Remove(kLog));
      Append(count, what);
      const std::string later = Bytes();
      LoseJournalBehind(end);
      EXPECT_THAT(Reopen(),
                  AllOf(HasSubstr("is of a later log"), HasSubstr(path_)));
      EXPECT_EQ(Bytes(), later);
      EXPECT_THAT(ReadFile(fs_, aside_), IsOkAndHolds(before));
      EXPECT_EQ(Last(), count);
      EXPECT_OK(AppendOne());
      Reopen();
      EXPECT_EQ(Last(), count + 1);
    }
  }
}

// It has no number in common with the journal's lines, which are later ones of
// the log before; but where those have their place it is still at its first.
TEST_F(UnjournaledLinesTest, ALaterLogThatIsNotAsFarKeepsItsLines) {
  for (const int count : {1, 2, 3}) {
    SCOPED_TRACE(count);
    fs_.Remove(aside_).IgnoreError();
    ASSERT_OK(log_->Remove(kLog));
    Append(3);
    Reopen();  // the journal is done with them
    const size_t done = Bytes().size();
    Append(2);
    const std::string journaled = Bytes().substr(done);
    const JournalEnd end = EndOfJournal();
    ASSERT_OK(log_->Remove(kLog));
    Append(count, std::string(done, 'x'));
    const std::string later = Bytes();
    LoseJournalBehind(end);
    EXPECT_THAT(Reopen(),
                AllOf(HasSubstr("is of a later log"), HasSubstr(path_)));
    EXPECT_EQ(Bytes(), later);
    EXPECT_THAT(ReadFile(fs_, aside_), IsOkAndHolds(journaled));
    EXPECT_EQ(Last(), count);
    EXPECT_OK(AppendOne());
    Reopen();
    EXPECT_EQ(Last(), count + 1);
  }
}

// The removal is in the journal, what came after it is not.
TEST_F(UnjournaledLinesTest, ALaterLogIsNotRemovedInsteadOfTheOneBefore) {
  Append(3);
  ASSERT_OK(log_->Remove(kLog));
  const JournalEnd end = EndOfJournal();
  Append(2, "other");
  const std::string later = Bytes();
  LoseJournalBehind(end);
  Reopen();
  EXPECT_EQ(Bytes(), later);
  EXPECT_OK(AppendOne());
  EXPECT_EQ(Last(), 3);
}

// Which was acknowledged, and can be read: the bad one before it is damage.
TEST_F(UnjournaledLinesTest, ALineBehindABadOneIsNotCutOff) {
  Append(2);
  const JournalEnd end = EndOfJournal();
  Append(3);
  LoseJournalBehind(end);
  fs_.FlipByte(path_, PlaceOf(3, 5) + 9);
  const std::string damaged = Bytes();
  for (int start = 0; start < 2; ++start) {
    Reopen();
    EXPECT_EQ(Bytes(), damaged);
    EXPECT_THAT(log_->Extent(kLog),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr(absl::StrCat(path_, ", line 3"))));
    EXPECT_EQ(ReasonOf(AppendOne()), "MOVIE_QUARANTINED");
  }
}

TEST_F(UnjournaledLinesTest, ALineBehindAGapIsNotCutOff) {
  Append(2);
  const JournalEnd end = EndOfJournal();
  Append(2);
  LoseJournalBehind(end);
  std::string gap = Bytes();
  gap.erase(gap.size() / 2, gap.size() / 4);
  ASSERT_OK(WriteFileAtomically(fs_, path_, gap));
  Reopen();
  EXPECT_EQ(Bytes(), gap);
  EXPECT_EQ(ReasonOf(AppendOne()), "MOVIE_QUARANTINED");
}

// Nothing is lost: the journal has what is bad, the file what the journal lost.
TEST_F(UnjournaledLinesTest, LinesBehindThoseThatAreMadeGoodStay) {
  Append(2);
  const JournalEnd end = EndOfJournal();
  Append(2);
  const std::string whole = Bytes();
  LoseJournalBehind(end);
  fs_.FlipByte(path_, 9);
  const std::string damaged = Bytes();
  EXPECT_THAT(Reopen(), AllOf(HasSubstr("lines that the journal has lost"),
                              HasSubstr("aside=" + aside_)));
  EXPECT_EQ(Bytes(), whole);
  EXPECT_THAT(ReadFile(fs_, aside_), IsOkAndHolds(damaged));
  EXPECT_OK(AppendOne());
  Reopen();
  EXPECT_EQ(Last(), 5);
}

// Of two bad lines the journal has one: the log ends before the other, and has
// lost its end.
TEST_F(UnjournaledLinesTest, WhatCannotBeKeptInTheLogIsPutAside) {
  Append(2);
  const JournalEnd end = EndOfJournal();
  Append(2);
  const std::string whole = Bytes();
  LoseJournalBehind(end);
  fs_.FlipByte(path_, PlaceOf(1, 4) + 9);
  fs_.FlipByte(path_, PlaceOf(3, 4) + 9);
  const std::string damaged = Bytes();
  for (int start = 0; start < 2; ++start) {
    Reopen();
    EXPECT_EQ(Bytes(), whole.substr(0, whole.size() / 2));
    EXPECT_THAT(ReadFile(fs_, aside_), IsOkAndHolds(damaged));
    EXPECT_THAT(log_->Extent(kLog),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("it ends with record 2, but 4 was")));
    EXPECT_EQ(ReasonOf(AppendOne()), "MOVIE_QUARANTINED");
  }
}

// Wherever the start is cut: the lines are there afterwards, or the log is
// known to have lost its end and they are in the file put aside.
TEST_F(UnjournaledLinesTest, AStartThatIsCutLosesNothing) {
  Append(2);
  const JournalEnd end = EndOfJournal();
  Append(2);
  const std::string whole = Bytes();
  LoseJournalBehind(end);
  ASSERT_OK_AND_ASSIGN(const std::string journal, ReadFile(fs_, end.segment));
  std::string damaged = whole;
  damaged[9] ^= 1;
  bool was_cut = true;
  for (int step = 0; was_cut; ++step) {
    SCOPED_TRACE(step);
    FaultyFileSystem fs;
    for (const char* made : {"/store/journal", "/store/builds/m/events"}) {
      ASSERT_OK(fs.CreateDirectories(made));
    }
    ASSERT_OK(WriteFileAtomically(fs, end.segment, journal));
    ASSERT_OK(WriteFileAtomically(fs, path_, damaged));
    fs.StopAfter(step);
    FileEventLog::Open(fs, "/store").status().IgnoreError();
    was_cut = fs.stopped();
    fs.Crash(step);
    ASSERT_OK_AND_ASSIGN(const auto log, FileEventLog::Open(fs, "/store"));
    ASSERT_OK_AND_ASSIGN(const auto records, log->Read(kLog, 0, 2, 1'000'000));
    EXPECT_EQ(records.size(), 2u);
    if (log->Extent(kLog).ok()) {
      EXPECT_THAT(ReadFile(fs, path_), IsOkAndHolds(whole));
    } else {
      EXPECT_THAT(ReadFile(fs, aside_), IsOkAndHolds(damaged));
    }
  }
}

// What there is no room to write is read from memory.
TEST_F(UnjournaledLinesTest, AFullVolumeKeepsNothingFromReaders) {
  Append(2);
  const JournalEnd end = EndOfJournal();
  Append(2);
  LoseJournalBehind(end);
  fs_.FlipByte(path_, 9);
  fs_.SetRoom(0);
  Reopen();
  EXPECT_EQ(Last(), 4);
  fs_.ClearFailures();
  EXPECT_FALSE(AppendOne().ok());  // finds the room
  EXPECT_OK(AppendOne());
  EXPECT_EQ(Last(), 5);
}

}  // namespace
}  // namespace kinora
