#include "clients/cli/live_screen.h"

#include <atomic>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What is to be seen on a terminal of a width after what was written to it. It
// knows of line feeds, "\r", "\033[<n>A" and "\033[J" alone; ASCII only.
class SeenLines {
 public:
  explicit SeenLines(size_t columns) : columns_(columns) {}

  void Write(absl::string_view text) {
    while (!text.empty()) {
      if (text.substr(0, 2) == "\033[") {
        size_t end = 2;
        while (text[end] >= '0' && text[end] <= '9') ++end;
        const int count =
            std::atoi(std::string(text.substr(2, end - 2)).c_str());
        if (text[end] == 'A') {
          ASSERT_GE(row_, static_cast<size_t>(count)) << "above the first line";
          row_ -= static_cast<size_t>(count);
        } else {
          ASSERT_EQ(text[end], 'J');
          if (lines_.size() > row_) lines_.resize(row_);
        }
        text.remove_prefix(end + 1);
        continue;
      }
      Put(text[0]);
      text.remove_prefix(1);
    }
  }

  // Lines that were wider than this are wrapped, as terminals do.
  void Resize(size_t columns) {
    columns_ = columns;
    std::vector<std::string> before;
    before.swap(lines_);
    row_ = 0;
    for (const std::string& line : before) {
      for (const char c : line) Put(c);
      Put('\n');
    }
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void Put(char c) {
    if (c == '\r') {
      ASSERT_TRUE(lines_.size() <= row_ || lines_[row_].empty());
      return;
    }
    if (lines_.size() <= row_) lines_.resize(row_ + 1);
    if (c == '\n') {
      ++row_;
      return;
    }
    if (lines_[row_].size() == columns_) {
      ++row_;
      lines_.resize(row_ + 1);
    }
    lines_[row_] += c;
  }

  size_t columns_;
  size_t row_ = 0;
  std::vector<std::string> lines_;
};

v1::Event EventOf(int64_t sequence) {
  v1::Event event;
  event.set_sequence(sequence);
  event.mutable_ledger()->set_occurred_at_ms(sequence);
  return event;
}

v1::Event Started(int64_t sequence, const std::string& job) {
  v1::Event event = EventOf(sequence);
  event.mutable_ledger()->mutable_step_started()->mutable_step()->set_step_id(
      job);
  return event;
}

v1::Event Failed(int64_t sequence, const std::string& job,
                 const std::string& error) {
  v1::Event event = EventOf(sequence);
  v1::StepFailedEvent* failed = event.mutable_ledger()->mutable_step_failed();
  failed->mutable_step()->set_step_id(job);
  failed->set_error(error);
  return event;
}

v1::Event RunFailed(int64_t sequence, const std::string& error) {
  v1::Event event = EventOf(sequence);
  event.mutable_ledger()->mutable_run_failed()->set_error(error);
  return event;
}

class LiveScreenTest : public ::testing::Test {
 protected:
  void Begin(int64_t shown_after = 0) {
    v1::Plan plan;
    for (const char* job : {"A[i=0]", "A[i=1]", "B"}) {
      plan.add_layers()->add_jobs()->set_job_id(job);
    }
    Terminal terminal;
    terminal.write = [this](absl::string_view text) {
      MutexLock lock(mu_);
      seen_.Write(absl::StrReplaceAll(text, {{"\u2026", "?"}}));
      drawn_ = true;
      drawn_cv_.SignalAll();
    };
    // A window changes its size whenever it likes; here, before a drawing.
    terminal.size = [this] {
      MutexLock lock(mu_);
      if (next_columns_ != size_.columns) {
        size_.columns = next_columns_;
        seen_.Resize(static_cast<size_t>(next_columns_));
      }
      return size_;
    };
    live_.emplace(plan, RecordedDurations(), shown_after, std::move(terminal),
                  clock_);
  }
  // What is seen once nothing more is drawn.
  const std::vector<std::string>& Seen() {
    live_.reset();
    return seen_.lines();
  }

  void WaitUntilDrawn() {
    MutexLock lock(mu_);
    while (!drawn_) drawn_cv_.Wait(mu_);
  }

  FakeClock clock_{absl::UnixEpoch()};
  Mutex mu_;
  CondVar drawn_cv_;
  bool drawn_ = false;
  std::atomic<int> next_columns_ = 80;
  ScreenSize size_ = {.columns = 80, .rows = 24};
  SeenLines seen_{80};
  std::optional<LiveScreen> live_;
};

TEST_F(LiveScreenTest, WhatFailsStaysAboveTheBars) {
  Begin();
  live_->Show(Started(1, "A[i=0]"));
  live_->Show(Failed(2, "A[i=0]", "out of\nmemory"));
  live_->Show(Started(3, "A[i=1]"));
  live_->Leave();
  EXPECT_THAT(Seen(),
              ElementsAre("  failed   A[i=0]  out of", "memory",
                          HasSubstr("A [##########--"), HasSubstr("B [------"),
                          HasSubstr("total 1/3")));
}

TEST_F(LiveScreenTest, TheEndIsDrawnAtOnceAndIsTheLastLine) {
  Begin();
  live_->Show(Started(1, "B"));
  live_->Show(RunFailed(2, "B: no"));
  EXPECT_EQ(seen_.lines().back(), "failed: B: no");
  const size_t lines = seen_.lines().size();
  live_->Show(Started(3, "A[i=0]"));
  EXPECT_EQ(Seen().size(), lines);
}

// Of what was seen before only the bars tell.
TEST_F(LiveScreenTest, EarlierEventsCountButAreNotToldAgain) {
  Begin(2);
  live_->Show(Started(1, "A[i=0]"));
  live_->Show(Failed(2, "A[i=0]", "before"));
  live_->Show(Failed(3, "A[i=1]", "since"));
  live_->Leave();
  EXPECT_THAT(Seen(), ElementsAre("  failed   A[i=1]  since",
                                  HasSubstr("2/2  2 failed"), HasSubstr("0/1"),
                                  HasSubstr("total 2/3")));
}

// What the narrower terminal has wrapped takes more lines than were written.
TEST_F(LiveScreenTest, ATerminalThatIsMadeNarrowerIsDrawnOverWhole) {
  Begin();
  live_->Show(Started(1, "A[i=0]"));
  WaitUntilDrawn();
  next_columns_ = 20;
  live_->Show(RunFailed(2, "x"));
  EXPECT_THAT(Seen(), ElementsAre("  A 0/2  1 running", "  B 0/1",
                                  "  total 0/3", "failed: x"));
}

}  // namespace
}  // namespace kinora
