// A store of which the process died, with damage in its journal.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_MENDING_FIXTURE_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_MENDING_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/file_event_log.h"
#include "services/store/event/journal.h"
#include "services/store/event/journal_batch.h"

namespace kinora {

inline constexpr char kSea[] = "builds/sea/events/inputs.log";
inline constexpr char kSky[] = "builds/sky/events/inputs.log";
inline constexpr char kJournal[] = "/store/journal/0000000001.wal";
inline constexpr char kAside[] = "/store/journal/0000000001.damaged";
inline constexpr int64_t kNoLimit = 1'000'000;

inline std::vector<std::string> Bodies(int64_t first, int count) {
  std::vector<std::string> bodies;
  for (int i = 0; i < count; ++i) {
    bodies.push_back(absl::StrCat("{\"n\":", first + i, "}"));
  }
  return bodies;
}

// A store of which the process died, and what was in its files.
class JournalMendingTest : public ::testing::Test {
 protected:
  // Both movies in one batch, each alone in one, and both again: 5 records of
  // each, the last ones of both in the last batch.
  JournalMendingTest() {
    auto log = *FileEventLog::Open(fs_, "/store", Options());
    AppendTo(*log, {{kSea, 1, 2}, {kSky, 1, 1}});
    AppendTo(*log, {{kSea, 3, 2}});
    AppendTo(*log, {{kSky, 2, 3}});
    AppendTo(*log, {{kSea, 5, 1}, {kSky, 5, 1}});
    log.reset();
    journal_ = *ReadFile(fs_, kJournal);
    journal_.resize(journal_.find_last_not_of('\0') + 1);  // without its room
    sea_ = *ReadFile(fs_, absl::StrCat("/store/", kSea));
    sky_ = *ReadFile(fs_, absl::StrCat("/store/", kSky));
  }

  // With little room reserved, which some thousand starts write.
  static FileEventLogOptions Options() {
    FileEventLogOptions options;
    options.limits.journal_segment_bytes = 8000;
    return options;
  }

  struct Part {
    const char* log;
    int64_t first;
    int count;
  };

  // As one group.
  static void AppendTo(EventLog& log, const std::vector<Part>& parts) {
    std::vector<std::vector<std::string>> bodies;
    for (const Part& part : parts) {
      bodies.push_back(Bodies(part.first, part.count));
    }
    std::vector<EventLog::AppendCall> calls;
    for (size_t i = 0; i < parts.size(); ++i) {
      calls.push_back(
          {.log = parts[i].log, .bodies = bodies[i], .admit = AdmitAlways});
    }
    log.AppendAll(absl::MakeSpan(calls));
    for (const EventLog::AppendCall& call : calls) EXPECT_OK(call.result);
  }

  enum class Files { kWhole, kLost };

  // A disk with that journal; the lines are in their files or only there.
  std::unique_ptr<FaultyFileSystem> Disk(absl::string_view journal,
                                         Files files) {
    auto fs = std::make_unique<FaultyFileSystem>();
    for (const char* movie : {"sea", "sky"}) {
      EXPECT_OK(fs->CreateDirectories(
          absl::StrCat("/store/builds/", movie, "/events")));
    }
    EXPECT_OK(fs->CreateDirectories("/store/journal"));
    EXPECT_OK(WriteFileAtomically(*fs, kJournal, journal));
    if (files == Files::kWhole) {
      EXPECT_OK(WriteFileAtomically(*fs, absl::StrCat("/store/", kSea), sea_));
      EXPECT_OK(WriteFileAtomically(*fs, absl::StrCat("/store/", kSky), sky_));
    }
    EXPECT_OK(fs->SyncDirectory("/store/journal"));
    return fs;
  }

  // Opens a store; what the process says meanwhile is kept in said_.
  absl::StatusOr<std::unique_ptr<FileEventLog>> Open(FileSystem& fs) {
    ::testing::internal::CaptureStderr();
    auto log = FileEventLog::Open(fs, "/store", Options());
    said_ = ::testing::internal::GetCapturedStderr();
    return log;
  }

  // How many records can be read; each must be what was written.
  static int64_t Count(EventLog& log, const char* name) {
    const auto records = log.Read(name, 0, kNoLimit, kNoLimit);
    if (!records.ok()) return 0;
    for (size_t i = 0; i < records->size(); ++i) {
      EXPECT_TRUE(absl::StrContains((*records)[i].line,
                                    absl::StrCat("\"n\":", i + 1, ",")));
    }
    return static_cast<int64_t>(records->size());
  }

  static absl::Status AppendOne(EventLog& log, const char* name, int64_t next) {
    const std::vector<std::string> bodies = Bodies(next, 1);
    return log.Append(name, bodies, AdmitAlways).status();
  }

  static bool IsQuarantined(EventLog& log, const char* name) {
    return ReasonOf(AppendOne(log, name, 6)) == "MOVIE_QUARANTINED";
  }

  // Where each batch begins, and the end.
  std::vector<size_t> Batches() const {
    std::vector<size_t> at = {kJournalHeader.size()};
    JournalBatchHeader header;
    while (ParseJournalBatchHeader(
        absl::string_view(journal_).substr(at.back()), &header)) {
      at.push_back(at.back() + header.bytes());
    }
    EXPECT_EQ(at.back(), journal_.size());
    return at;
  }

  // The movie whose line has this byte of the journal; "" for all else.
  std::string OwnerOf(size_t at) const {
    const std::vector<size_t> batches = Batches();
    for (size_t i = 0; i + 1 < batches.size(); ++i) {
      const absl::string_view bytes = absl::string_view(journal_).substr(
          batches[i], batches[i + 1] - batches[i]);
      JournalBatchHeader header;
      EXPECT_TRUE(ParseJournalBatchHeader(bytes, &header));
      const auto batch = ParseJournalBatch(bytes, header);
      EXPECT_OK(batch);
      for (const JournalRecord& record : batch->records) {
        const size_t begin = record.lines.data() - journal_.data();
        if (at >= begin && at < begin + record.lines.size()) {
          return std::string(record.log);
        }
      }
    }
    return "";
  }

  std::string Flipped(size_t at, int bits) const {
    std::string damaged = journal_;
    damaged[at] = static_cast<char>(damaged[at] ^ bits);
    return damaged;
  }

  FaultyFileSystem fs_;
  std::string journal_, sea_, sky_;
  std::string said_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_MENDING_FIXTURE_H_
