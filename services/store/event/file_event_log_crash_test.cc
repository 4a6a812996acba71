// What survives a crash, at every step of scripted runs.

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// A user of a store who remembers what was acknowledged.
class Client {
 public:
  explicit Client(FaultyFileSystem& fs) : fs_(fs) {
    options_.limits.journal_segment_bytes = 400;
    options_.limits.max_unsynced_logs = 2;
    options_.limits.checkpoint_records = 3;
  }

  absl::Status Open() {
    log_.reset();
    auto opened = FileEventLog::Open(fs_, "/store", options_);
    if (!opened.ok()) return opened.status();
    log_ = *std::move(opened);
    return absl::OkStatus();
  }
  void Close() { log_.reset(); }

  void Append(const std::string& name, int records) {
    if (log_ == nullptr) return;
    std::vector<std::string> bodies;
    for (int i = 0; i < records; ++i) {
      bodies.push_back(absl::StrCat("{\"mark\":", ++marks_, "}"));
    }
    const auto range = log_->Append(name, bodies, AdmitAlways);
    for (int i = 0; i < records; ++i) {
      if (range.ok()) {
        acknowledged_[name][range->first_sequence + i] = bodies[i];
      }
    }
    groups_.push_back(bodies);
  }

  void Archive(const std::string& name, int64_t through, int number) {
    if (log_ == nullptr) return;
    (void)log_->Archive(
        name, through,
        absl::StrCat(ParentPath(name), "/r", number, ArchiveSuffix(name)));
  }

  void Checkpoint(const std::string& name) {
    if (log_ != nullptr) (void)log_->Checkpoint(name);
  }

  // Everything acknowledged is there, each record once, all numbers dense, and
  // of each append all records or none.
  void Check(const std::string& context) {
    SCOPED_TRACE(context);
    std::map<std::string, int> seen;
    for (const std::string name : {"b/m/a.log", "b/m/b.log", "b/n/c.log"}) {
      const auto records = log_->Read(name, 0, kNoLimit, kNoLimit);
      ASSERT_OK(records);
      int64_t sequence = 0;
      for (const LogRecord& record : *records) {
        ASSERT_OK(CheckLogLineIs(++sequence, record.line));
        const auto known = acknowledged_[name].find(sequence);
        const size_t from = record.line.find("\"mark\"");
        const std::string body =
            "{" + record.line.substr(from, record.line.find(',', from) - from) +
            "}";
        if (known != acknowledged_[name].end()) {
          EXPECT_EQ(body, known->second) << name << " " << sequence;
        }
        EXPECT_EQ(++seen[body], 1) << body << " is there twice";
      }
      EXPECT_GE(sequence, static_cast<int64_t>(acknowledged_[name].size()))
          << name;
    }
    for (const auto& group : groups_) {
      for (const std::string& body : group) {
        EXPECT_EQ(seen.count(body), seen.count(group.front()))
            << "half an append: " << body;
      }
    }
  }

  FileEventLog* log() { return log_.get(); }

 private:
  FaultyFileSystem& fs_;
  FileEventLogOptions options_;
  std::unique_ptr<FileEventLog> log_;
  int marks_ = 0;
  std::map<std::string, std::map<int64_t, std::string>> acknowledged_;
  std::vector<std::vector<std::string>> groups_;
};

// Appends to three logs over several segments, with archives in between.
void RunScript(Client* client) {
  client->Append("b/m/a.log", 2);
  client->Append("b/m/b.log", 1);
  client->Append("b/m/a.log", 1);
  client->Archive("b/m/a.log", 2, 1);
  client->Append("b/m/a.log", 3);
  client->Append("b/n/c.log", 4);
  client->Append("b/m/b.log", 2);
  client->Archive("b/m/b.log", 3, 1);
  client->Checkpoint("b/m/a.log");
  client->Append("b/m/b.log", 1);
  client->Archive("b/m/a.log", 6, 2);
  client->Checkpoint("b/n/c.log");
  client->Append("b/m/a.log", 1);
  client->Append("b/n/c.log", 1);
}

int ChangesOfScript() {
  FaultyFileSystem fs;
  Client client(fs);
  EXPECT_OK(client.Open());
  RunScript(&client);
  client.Check("without a crash");
  return fs.changes();
}

// F: Invariant 2
TEST(FileEventLogCrashTest, AcknowledgedRecordsSurviveACrashAtEveryStep) {
  const int changes = ChangesOfScript();
  ASSERT_GT(changes, 60);
  for (int cut = 0; cut <= changes; ++cut) {
    for (uint64_t seed = 0; seed < 12; ++seed) {
      FaultyFileSystem fs;
      Client client(fs);
      fs.StopAfter(cut);
      (void)client.Open();
      RunScript(&client);
      client.Close();
      if (seed == 0) {
        fs.Crash(FaultyFileSystem::Survival::kNothing, 0);
      } else {
        fs.Crash(seed);
      }
      const std::string context = absl::StrCat("cut ", cut, " seed ", seed);
      ASSERT_OK(client.Open()) << context;
      client.Check(context);
      // It goes on as if nothing had happened.
      client.Append("b/m/a.log", 2);
      client.Append("b/n/c.log", 1);
      client.Archive("b/m/a.log", 99, 3);
      ASSERT_OK(client.Open()) << context;
      client.Check(absl::StrCat(context, ", gone on"));
      if (HasFailure()) return;
    }
  }
}

TEST(FileEventLogCrashTest, ACrashWhileRecoveringIsHarmless) {
  SeededRandom random(7);
  const int changes = ChangesOfScript();
  for (int round = 0; round < 400; ++round) {
    FaultyFileSystem fs;
    Client client(fs);
    fs.StopAfter(UniformBelow(random, changes));
    (void)client.Open();
    RunScript(&client);
    client.Close();
    fs.Crash(random.Next());
    for (int cut = UniformBelow(random, 12); cut > 0; cut -= 3) {
      fs.StopAfter(cut);
      (void)client.Open();
      client.Append("b/m/b.log", 1);
      client.Close();
      fs.Crash(random.Next());
    }
    const std::string context = absl::StrCat("round ", round);
    ASSERT_OK(client.Open()) << context;
    client.Check(context);
    if (HasFailure()) return;
  }
}

// The process is killed, the machine goes on: nothing is lost, synced or not.
TEST(FileEventLogCrashTest, AKilledProcessLosesNothing) {
  const int changes = ChangesOfScript();
  for (int cut = 0; cut <= changes; ++cut) {
    FaultyFileSystem fs;
    Client client(fs);
    fs.StopAfter(cut);
    (void)client.Open();
    RunScript(&client);
    client.Close();
    fs.StopAfter(1 << 20);
    const std::string context = absl::StrCat("cut ", cut);
    ASSERT_OK(client.Open()) << context;
    client.Check(context);
    if (HasFailure()) return;
  }
}

// A log that is trimmed, removed and begun anew, and what it may be after a
// cut.
struct TrimmedLog {
  static constexpr char kName[] = "b/m/a.log";

  int64_t acknowledged = 0;  // records of the first log
  int64_t oldest = 1;        // as Trim() said
  bool removing = false;
  bool removed = false;
  int64_t new_acknowledged = 0;

  static absl::Status Append(FileEventLog& log, absl::string_view text) {
    const std::vector<std::string> bodies = {
        absl::StrCat("{\"log\":\"", text, "\"}")};
    return log.Append(kName, bodies, AdmitAlways).status();
  }

  void Run(FileEventLog& log) {
    for (int i = 1; i <= 6; ++i) {
      if (Append(log, "old").ok()) ++acknowledged;
      if (i % 2 != 0) continue;
      (void)log.Archive(kName, i, absl::StrCat("b/m/r", i, ".a.jsonl"));
    }
    (void)log.Checkpoint(kName);
    if (log.Trim(kName, 5).ok() && acknowledged == 6) oldest = 5;
    if (Append(log, "old").ok()) ++acknowledged;
    if (log.Trim(kName, 6).ok() && acknowledged == 7) oldest = 7;
    removing = true;
    removed = log.Remove(kName).ok();
    if (!removed) return;
    for (int i = 0; i < 3; ++i) {
      if (Append(log, "new").ok()) ++new_acknowledged;
    }
    (void)log.Checkpoint(kName);
    (void)log.Archive(kName, 2, "b/m/r2.a.jsonl");
  }

  void Check(FileEventLog& log) const {
    ASSERT_OK_AND_ASSIGN(const LogExtent extent, log.Extent(kName));
    if (extent.last_sequence == 0) {
      EXPECT_TRUE(removing || acknowledged == 0);
      EXPECT_EQ(new_acknowledged, 0);
      return;
    }
    ASSERT_OK_AND_ASSIGN(
        auto records,
        log.Read(kName, extent.oldest_sequence - 1, kNoLimit, kNoLimit));
    ASSERT_EQ(static_cast<int64_t>(records.size()),
              extent.last_sequence - extent.oldest_sequence + 1);
    const bool is_new = absl::StrContains(records[0].line, "new");
    for (const LogRecord& record : records) {
      EXPECT_EQ(absl::StrContains(record.line, "new"), is_new);
    }
    if (is_new) {
      EXPECT_EQ(extent.oldest_sequence, 1);
      EXPECT_GE(extent.last_sequence, new_acknowledged);
    } else {
      EXPECT_FALSE(removed);
      EXPECT_GE(extent.last_sequence, acknowledged);
      EXPECT_GE(extent.oldest_sequence, oldest);
    }
  }
};

// F: S1-43
TEST(FileEventLogCrashTest, ATrimmedOrRemovedLogIsInALegalStateAfterEveryCut) {
  FileEventLogOptions options;
  options.limits.journal_segment_bytes = 200;
  int changes = 0;
  {
    FaultyFileSystem fs;
    TrimmedLog script;
    script.Run(**FileEventLog::Open(fs, "/store", options));
    EXPECT_EQ(script.oldest, 7);
    EXPECT_TRUE(script.removed);
    EXPECT_EQ(script.new_acknowledged, 3);
    changes = fs.changes();
  }
  for (int cut = 0; cut <= changes; ++cut) {
    for (uint64_t seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE(absl::StrCat("cut ", cut, " seed ", seed));
      FaultyFileSystem fs;
      TrimmedLog script;
      fs.StopAfter(cut);
      {
        auto log = FileEventLog::Open(fs, "/store", options);
        if (log.ok()) script.Run(**log);
      }
      if (seed == 0) {
        fs.Crash(FaultyFileSystem::Survival::kNothing, 0);
      } else {
        fs.Crash(seed);
      }
      auto log = FileEventLog::Open(fs, "/store", options);
      ASSERT_OK(log);
      script.Check(**log);
      ASSERT_OK(TrimmedLog::Append(**log, "more"));
      ASSERT_OK((*log)->Remove(TrimmedLog::kName));
      log->reset();
      log = FileEventLog::Open(fs, "/store", options);
      ASSERT_OK_AND_ASSIGN(const LogExtent extent,
                           (*log)->Extent(TrimmedLog::kName));
      EXPECT_EQ(extent.last_sequence, 0);
      if (testing::Test::HasFailure()) return;
    }
  }
}

class TruncationTest : public testing::Test {
 protected:
  // Ten records in one log, all of them in the journal.
  TruncationTest() {
    log_ = *FileEventLog::Open(fs_, "/store");
    for (int i = 1; i <= 10; ++i) {
      const std::vector<std::string> bodies = {absl::StrCat("{\"n\":", i, "}")};
      EXPECT_OK(log_->Append("b/x.log", bodies, AdmitAlways));
    }
    log_.reset();
    journal_ = *ReadFile(fs_, kJournal);
    journal_.resize(journal_.find_last_not_of('\0') + 1);  // without its room
    lines_ = *ReadFile(fs_, kLog);
  }

  // The records there are with these files on the disk.
  int64_t Count(absl::string_view journal, absl::string_view lines) {
    FaultyFileSystem fs;
    EXPECT_OK(fs.CreateDirectories("/store/journal"));
    EXPECT_OK(fs.CreateDirectories("/store/b"));
    EXPECT_OK(WriteFileAtomically(fs, kJournal, journal));
    EXPECT_OK(WriteFileAtomically(fs, kLog, lines));
    auto log = FileEventLog::Open(fs, "/store");
    EXPECT_OK(log);
    const auto records = (*log)->Read("b/x.log", 0, kNoLimit, kNoLimit);
    EXPECT_OK(records);
    if (!records.ok()) return -1;
    for (size_t i = 0; i < records->size(); ++i) {
      EXPECT_TRUE(absl::StrContains((*records)[i].line,
                                    absl::StrCat("\"n\":", i + 1, ",")));
    }
    return static_cast<int64_t>(records->size());
  }

  const std::string kJournal = "/store/journal/0000000001.wal";
  const std::string kLog = "/store/b/x.log";
  FaultyFileSystem fs_;
  std::unique_ptr<FileEventLog> log_;
  std::string journal_;
  std::string lines_;
};

TEST_F(TruncationTest, ALogCutAtAnyByteIsCompletedFromTheJournal) {
  for (size_t bytes = 0; bytes <= lines_.size(); ++bytes) {
    EXPECT_EQ(Count(journal_, lines_.substr(0, bytes)), 10) << bytes;
  }
}

TEST_F(TruncationTest, ALogWhoseUnsyncedBytesAreGarbageIsCompletedToo) {
  EXPECT_EQ(Count(journal_, std::string(lines_.size(), '\0')), 10);
  EXPECT_EQ(Count(journal_, lines_ + "{\"seq\":11,\"torn"), 10);
}

// The journal decides: a tail that it lost was not acknowledged, though the log
// file may have it.
TEST_F(TruncationTest, AJournalCutAtAnyByteKeepsAllWholeBatches) {
  const size_t header = kJournalHeader.size();
  const size_t batch = (journal_.size() - header) / 10;
  int64_t before = -1;
  for (size_t bytes = 0; bytes <= journal_.size(); ++bytes) {
    const int64_t count = Count(journal_.substr(0, bytes), lines_.substr(0, 0));
    EXPECT_GE(count, before);
    if (bytes >= header) {
      EXPECT_GE(count + 1, static_cast<int64_t>((bytes - header) / batch));
    }
    before = count;
  }
  EXPECT_EQ(before, 10);
}

// With the journal gone, whole lines stay and a torn last one is dropped.
TEST_F(TruncationTest, ALogAloneKeepsItsWholeLines) {
  int64_t lines = 0;
  for (size_t bytes = 0; bytes <= lines_.size(); ++bytes) {
    if (bytes > 0 && lines_[bytes - 1] == '\n') ++lines;
    EXPECT_EQ(Count(kJournalHeader, lines_.substr(0, bytes)), lines);
  }
  EXPECT_EQ(lines, 10);
}

}  // namespace
}  // namespace kinora
