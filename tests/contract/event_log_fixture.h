// The logs that the contract of EventLog is held against.

#ifndef KINORA_TESTS_CONTRACT_EVENT_LOG_FIXTURE_H_
#define KINORA_TESTS_CONTRACT_EVENT_LOG_FIXTURE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_line.h"

namespace kinora {

// Owns a log and what it needs. Each test gets an empty one.
class EventLogFixture {
 public:
  virtual ~EventLogFixture() = default;
  virtual EventLog& log() = 0;

  // Closes the log and opens it again with what it keeps; nothing for a driver
  // that keeps nothing.
  virtual void Reopen() {}
};

using EventLogFactory = std::unique_ptr<EventLogFixture> (*)();

// Counts notifications and waits for them.
class NotificationCounter {
 public:
  void Add() {
    MutexLock lock(mu_);
    ++count_;
    changed_.SignalAll();
  }
  // False if there are fewer than `count` after half a minute.
  bool WaitFor(int count) {
    MutexLock lock(mu_);
    while (count_ < count) {
      if (!changed_.WaitFor(mu_, absl::Seconds(30))) return count_ >= count;
    }
    return true;
  }
  int count() {
    MutexLock lock(mu_);
    return count_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

inline constexpr char kInputsLog[] = "builds/m/events/inputs.log";
inline constexpr char kArtefactsLog[] = "builds/m/events/artefacts.log";
inline constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

class EventLogContract : public testing::TestWithParam<EventLogFactory> {
 protected:
  EventLog& log() { return fixture_->log(); }
  void Reopen() { fixture_->Reopen(); }

  absl::StatusOr<AppendedRange> Append(absl::string_view name,
                                       std::vector<std::string> bodies) {
    return log().Append(name, bodies, AdmitAlways);
  }

  // Appends `count` records {"n":1}, {"n":2}, ... one by one; n goes on from
  // call to call and is the sequence number.
  void Fill(absl::string_view name, int count) {
    ASSERT_OK_AND_ASSIGN(const LogExtent extent, log().Extent(name));
    for (int64_t n = extent.last_sequence + 1;
         n <= extent.last_sequence + count; ++n) {
      ASSERT_OK(Append(name, {absl::StrCat("{\"n\":", n, "}")}));
    }
  }

  // The sequence numbers after `after`; checks each line.
  std::vector<int64_t> Sequences(absl::string_view name, int64_t after,
                                 int64_t limit = kNoLimit) {
    std::vector<int64_t> sequences;
    const auto records = log().Read(name, after, limit, kNoLimit);
    EXPECT_OK(records);
    if (!records.ok()) return sequences;
    for (const LogRecord& record : *records) {
      EXPECT_OK(CheckLogLineIs(record.sequence, record.line));
      EXPECT_TRUE(absl::StrContains(
          record.line, absl::StrCat("\"n\":", record.sequence, ",")))
          << record.line;
      sequences.push_back(record.sequence);
    }
    return sequences;
  }

 private:
  std::unique_ptr<EventLogFixture> fixture_ = GetParam()();
};

inline std::vector<int64_t> FromTo(int64_t first, int64_t last) {
  std::vector<int64_t> numbers;
  for (int64_t n = first; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

}  // namespace kinora

#endif  // KINORA_TESTS_CONTRACT_EVENT_LOG_FIXTURE_H_
