// Damage in the journal, and what a start makes of it.

#include "services/store/event/journal_mending.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/journal.h"
#include "services/store/event/journal_batch.h"
#include "services/store/event/journal_batch_v1.h"
#include "services/store/event/journal_mending_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What is in a file was acknowledged, whatever is left of the journal's end.
TEST_F(JournalMendingTest, AfterAKillTheLogsKeepWhatTheJournalsEndHasLost) {
  const std::vector<size_t> batches = Batches();
  for (size_t batch = 1; batch + 1 < batches.size(); ++batch) {
    SCOPED_TRACE(batch);
    std::string journal = journal_;
    std::fill(journal.begin() + batches[batch], journal.end(), '\0');
    auto fs = Disk(journal, Files::kWhole);
    {
      ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
      EXPECT_THAT(said_, HasSubstr("goes on behind the end of the journal"));
      for (const char* name : {kSea, kSky}) {
        EXPECT_EQ(Count(*log, name), 5);
        EXPECT_OK(AppendOne(*log, name, 6));
      }
    }
    fs->Crash(7);
    ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
    for (const char* name : {kSea, kSky}) EXPECT_EQ(Count(*log, name), 6);
  }
}

// Lines that do not go on where the journal ends, or are not whole, are cut.
TEST_F(JournalMendingTest, WhatIsNoLineOfTheLogIsCutOffItsEnd) {
  const std::string next = sea_.substr(sea_.rfind('\n', sea_.size() - 2) + 1);
  for (const std::string& junk : {next, std::string("{\"seq\":6,\"n\":6")}) {
    auto fs = Disk(journal_, Files::kWhole);
    ASSERT_OK(WriteFileAtomically(*fs, absl::StrCat("/store/", kSea),
                                  absl::StrCat(sea_, junk)));
    ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
    EXPECT_THAT(said_, HasSubstr("is not what the journal says"));
    EXPECT_EQ(Count(*log, kSea), 5);
    EXPECT_OK(AppendOne(*log, kSea, 6));
    EXPECT_EQ(Count(*log, kSea), 6);
  }
}

// The process died: every line is in its file, so whatever byte rots, nothing
// is lost and nobody is kept from writing.
TEST_F(JournalMendingTest, AfterAKillNoByteOfTheJournalMatters) {
  for (size_t at = 0; at < journal_.size(); ++at) {
    for (const int bits : {1 << (at % 8), 0xFF}) {
      SCOPED_TRACE(absl::StrCat("byte ", at, " bits ", bits));
      auto fs = Disk(Flipped(at, bits), Files::kWhole);
      ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
      EXPECT_THAT(said_, HasSubstr("mended"));
      for (const char* name : {kSea, kSky}) {
        EXPECT_EQ(Count(*log, name), 5);
        EXPECT_OK(AppendOne(*log, name, 6));
        EXPECT_EQ(Count(*log, name), 6);
      }
      EXPECT_FALSE(*Exists(*fs, kAside));
    }
  }
}

// Power was lost and the lines are only in the journal: a damaged line costs
// its own movie, which says so, and no other; all else costs nobody anything.
TEST_F(JournalMendingTest, AfterAPowerLossADamagedLineCostsItsMovieOnly) {
  const size_t last_batch = *(Batches().end() - 2);
  for (size_t at = 0; at < journal_.size(); ++at) {
    SCOPED_TRACE(absl::StrCat("byte ", at));
    const std::string owner = OwnerOf(at);
    auto fs = Disk(Flipped(at, 1 << (at % 8)), Files::kLost);
    ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
    if (!owner.empty() && at >= last_batch) {
      // As a crash leaves a batch that was never acknowledged.
      EXPECT_THAT(said_, HasSubstr("dropped the torn end of the journal"));
      for (const char* name : {kSea, kSky}) {
        EXPECT_EQ(Count(*log, name), 4);
        EXPECT_OK(AppendOne(*log, name, 5));
      }
      continue;
    }
    EXPECT_EQ(*Exists(*fs, kAside), !owner.empty());
    for (int start = 0; start < 2; ++start) {  // it is not forgotten
      for (const char* name : {kSea, kSky}) {
        if (name == owner) {
          EXPECT_TRUE(IsQuarantined(*log, name));
          EXPECT_THAT(log->Extent(name),
                      StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("but 5 was acknowledged")));
          EXPECT_LT(Count(*log, name), 5);
        } else {
          EXPECT_EQ(Count(*log, name), 5 + start);
          EXPECT_OK(AppendOne(*log, name, 6 + start));
        }
      }
      log.reset();
      log = *Open(*fs);
    }
    if (!owner.empty()) {
      EXPECT_THAT(ReadFile(*fs, kAside),
                  IsOkAndHolds(Flipped(at, 1 << (at % 8))));
    }
  }
}

// What is whole of a record whose lines are damaged is not given up.
TEST_F(JournalMendingTest, LinesBeforeTheDamagedOneAreKept) {
  const size_t at = journal_.find("\"n\":4");  // the sky's, second to last
  const size_t in_sky = journal_.rfind("\"n\":4");
  ASSERT_LT(at, in_sky);
  auto fs = Disk(Flipped(in_sky, 1), Files::kLost);
  ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
  EXPECT_THAT(said_, AllOf(HasSubstr("level=error"), HasSubstr(kSky),
                           HasSubstr("first_sequence=4"), HasSubstr(kAside)));
  EXPECT_THAT(said_, Not(HasSubstr(kSea)));
  // Before anybody has looked.
  EXPECT_FALSE(log->FoundDamage("builds/sky/").ok());
  EXPECT_OK(log->FoundDamage("builds/sea/"));
  EXPECT_EQ(Count(*log, kSky), 3);
  EXPECT_EQ(Count(*log, kSea), 5);
}

// A file that lost only its end has the line that the journal has lost, and the
// other way round.
TEST_F(JournalMendingTest, LinesAreTakenFromWhereTheyAreWhole) {
  const size_t at = journal_.find("\"n\":2");
  ASSERT_EQ(OwnerOf(at), kSea);
  auto fs = Disk(Flipped(at, 1), Files::kLost);
  ASSERT_OK(WriteFileAtomically(*fs, absl::StrCat("/store/", kSea),
                                sea_.substr(0, sea_.size() / 5 * 2 + 1)));
  ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
  EXPECT_EQ(Count(*log, kSea), 5);
  EXPECT_OK(AppendOne(*log, kSea, 6));
}

// Nobody can tell whose lines were there, so nobody is let in.
TEST_F(JournalMendingTest, BatchesThatAreGoneAreRefusedAndTouchNothing) {
  const std::vector<size_t> batches = Batches();
  std::string damaged = journal_;
  damaged.replace(batches[1], batches[2] - batches[1],
                  std::string(batches[2] - batches[1], '\0'));
  for (const Files files : {Files::kWhole, Files::kLost}) {
    auto fs = Disk(damaged, files);
    EXPECT_THAT(Open(*fs).status(),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr(kJournal),
                               HasSubstr("with later records behind it"))));
    EXPECT_THAT(ReadFile(*fs, kJournal), IsOkAndHolds(damaged));
    if (files == Files::kWhole) {
      EXPECT_THAT(ReadFile(*fs, absl::StrCat("/store/", kSea)),
                  IsOkAndHolds(sea_));
    }
  }
}

// Both edges, or both directories: more than one place went bad.
TEST_F(JournalMendingTest, ABatchThatLostBothOfATwinIsRefused) {
  const std::vector<size_t> batches = Batches();
  for (const size_t from_edge : {size_t{6}, kJournalBatchEdgeBytes + 3}) {
    std::string damaged = Flipped(batches[0] + from_edge, 1);
    const size_t twin = from_edge < kJournalBatchEdgeBytes
                            ? batches[1] - 10
                            : batches[1] - kJournalBatchEdgeBytes - 3;
    damaged[twin] = static_cast<char>(damaged[twin] ^ 1);
    auto fs = Disk(damaged, Files::kWhole);
    EXPECT_THAT(Open(*fs).status(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 17")));
  }
}

// A removed log misses nothing, and one that was archived has it elsewhere.
TEST_F(JournalMendingTest, LinesThatALaterMarkCoversAreNotMissed) {
  ASSERT_OK_AND_ASSIGN(auto log, Open(fs_));
  AppendTo(*log, {{kSea, 6, 1}});
  AppendTo(*log, {{kSky, 6, 1}});
  ASSERT_OK(log->Remove(kSky));
  ASSERT_OK(log->Archive(kSea, 6, "builds/sea/events/rev-1.inputs.jsonl"));
  log.reset();
  const std::string path = JournalSegmentPath("/store/journal", 2);
  std::string bytes = *ReadFile(fs_, path);
  int damaged = 0;
  for (size_t at = bytes.find("\"n\":6"); at != std::string::npos;
       at = bytes.find("\"n\":6", at + 1)) {
    bytes[at + 4] = '7';
    ++damaged;
  }
  ASSERT_EQ(damaged, 2);
  ASSERT_OK(WriteFileAtomically(fs_, path, bytes));
  ASSERT_OK_AND_ASSIGN(log, Open(fs_));
  EXPECT_EQ(Count(*log, kSea), 6);
  EXPECT_EQ(Count(*log, kSky), 0);
  EXPECT_OK(AppendOne(*log, kSea, 7));
  EXPECT_OK(AppendOne(*log, kSky, 1));
  EXPECT_FALSE(*Exists(fs_, "/store/journal/0000000002.damaged"));
}

// Cut anywhere, mending ends the same way at the next start.
TEST_F(JournalMendingTest, MendingMayBeCutByACrash) {
  const std::string damaged = Flipped(journal_.find("\"n\":3"), 1);
  for (int changes = 0;; ++changes) {
    SCOPED_TRACE(changes);
    auto fs = Disk(damaged, Files::kLost);
    fs->StopAfter(changes);
    const bool opened = Open(*fs).ok();
    const bool done = !fs->stopped();
    fs->Crash(static_cast<uint64_t>(changes));
    ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
    EXPECT_TRUE(IsQuarantined(*log, kSea));
    EXPECT_EQ(Count(*log, kSea), 2);
    EXPECT_EQ(Count(*log, kSky), 5);
    EXPECT_THAT(ReadFile(*fs, kAside), IsOkAndHolds(damaged));
    EXPECT_FALSE(*Exists(*fs, absl::StrCat(kAside, "-2")));
    if (done) {
      EXPECT_TRUE(opened);
      break;
    }
  }
}

TEST_F(JournalMendingTest, WhatWasPutAsideBeforeStays) {
  const std::string damaged = Flipped(journal_.find("\"n\":3"), 1);
  auto fs = Disk(damaged, Files::kLost);
  ASSERT_OK(WriteFileAtomically(*fs, kAside, "from another day"));
  ASSERT_OK(Open(*fs));
  EXPECT_THAT(ReadFile(*fs, kAside), IsOkAndHolds("from another day"));
  EXPECT_THAT(ReadFile(*fs, absl::StrCat(kAside, "-2")), IsOkAndHolds(damaged));
}

// Read as it is, the journal would cut lines off logs that have them.
TEST_F(JournalMendingTest, WithoutRoomNothingIsMendedAndNothingLost) {
  const std::string damaged = Flipped(journal_.size() - 1, 1);
  auto fs = Disk(damaged, Files::kWhole);
  fs->SetRoom(10);
  EXPECT_THAT(Open(*fs).status(), StatusIs(absl::StatusCode::kDataLoss,
                                           HasSubstr("no room to mend it")));
  EXPECT_THAT(ReadFile(*fs, absl::StrCat("/store/", kSea)), IsOkAndHolds(sea_));
  fs->ClearFailures();
  ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
  EXPECT_EQ(Count(*log, kSea), 5);
}

// One bad bit or two in the header line, and all that follows it would be torn.
TEST_F(JournalMendingTest, AHeaderThatReadsAsVersion1LosesNothing) {
  std::string damaged = journal_;
  damaged.replace(0, kJournalHeaderV1.size(), std::string(kJournalHeaderV1));
  for (const Files files : {Files::kWhole, Files::kLost}) {
    auto fs = Disk(damaged, files);
    ASSERT_OK_AND_ASSIGN(auto log, Open(*fs));
    EXPECT_THAT(said_, HasSubstr("mended a damaged segment"));
    for (const char* name : {kSea, kSky}) {
      EXPECT_EQ(Count(*log, name), 5);
      EXPECT_OK(AppendOne(*log, name, 6));
    }
  }
  // Where the first batch cannot be told either, nothing is dropped.
  damaged[kJournalHeader.size()] ^= 1;
  damaged[Batches()[1] - 1] ^= 1;
  auto fs = Disk(damaged, Files::kLost);
  EXPECT_THAT(Open(*fs).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 17")));
  EXPECT_THAT(ReadFile(*fs, kJournal), IsOkAndHolds(damaged));
}

TEST_F(JournalMendingTest, AJournalWithoutDamageIsLeftAlone) {
  auto fs = Disk(journal_, Files::kLost);
  const int before = fs->changes();
  ASSERT_OK(MendJournal(*fs, "/store", "/store/journal"));
  EXPECT_EQ(fs->changes(), before);
}

}  // namespace
}  // namespace kinora
