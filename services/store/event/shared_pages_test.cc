#include "services/store/event/shared_pages.h"

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "common/threads/mutex.h"

namespace kinora {
namespace {

// A log whose pages have up to so many events, and that counts its readings.
class ScratchLog {
 public:
  explicit ScratchLog(int page_events = 1000) : page_events_(page_events) {}

  void Append(int64_t count) {
    MutexLock lock(mu_);
    last_ += count;
    appended_cv_.SignalAll();
  }
  void AwaitBeyond(int64_t sequence) {
    MutexLock lock(mu_);
    while (last_ <= sequence) appended_cv_.Wait(mu_);
  }
  v1::ReadEventsResponse Page(int64_t after) {
    MutexLock lock(mu_);
    ++readings_;
    v1::ReadEventsResponse page;
    const int64_t end = std::min(last_, after + page_events_);
    for (int64_t sequence = after + 1; sequence <= end; ++sequence) {
      v1::Event& event = *page.add_events();
      event.set_sequence(sequence);
      event.set_revision("rev-0001");
    }
    page.mutable_bookmark()->set_sequence(end);
    return page;
  }
  int readings() {
    MutexLock lock(mu_);
    return readings_;
  }

 private:
  const int page_events_;
  Mutex mu_;
  CondVar appended_cv_;
  int64_t last_ ABSL_GUARDED_BY(mu_) = 0;
  int readings_ ABSL_GUARDED_BY(mu_) = 0;
};

EventPagePtr Get(SharedPages& pages, ScratchLog& log, int64_t after,
                 const std::string& name = "a.log") {
  absl::StatusOr<EventPagePtr> page =
      pages.Get(name, after, [&] { return log.Page(after); });
  EXPECT_TRUE(page.ok()) << page.status();
  return page.ok() ? *page : nullptr;
}

TEST(SharedPagesTest, ReadersOfOnePlaceHaveOnePage) {
  SharedPages pages;
  ScratchLog log;
  log.Append(3);
  const EventPagePtr first = Get(pages, log, 0);
  EXPECT_EQ(first->page().events_size(), 3);
  log.Append(2);
  // Those who come later see the same, and what is new behind it.
  EXPECT_EQ(Get(pages, log, 0), first);
  EXPECT_EQ(first->Encoded(), Get(pages, log, 0)->Encoded());
  EXPECT_EQ(log.readings(), 1);
  const EventPagePtr next = Get(pages, log, first->through());
  EXPECT_EQ(next->page().events(0).sequence(), 4);
  EXPECT_EQ(next->through(), 5);
  EXPECT_EQ(log.readings(), 2);
}

TEST(SharedPagesTest, TheEncodedPageIsThePage) {
  SharedPages pages;
  ScratchLog log;
  log.Append(3);
  const EventPagePtr page = Get(pages, log, 0);
  v1::ReadEventsResponse decoded;
  ASSERT_TRUE(decoded.ParseFromString(*page->Encoded()));
  EXPECT_EQ(decoded.SerializeAsString(), page->page().SerializeAsString());
}

// One that begins in the midst of a page is with the others behind it.
TEST(SharedPagesTest, AReaderWithinAPageGetsTheRestOfIt) {
  SharedPages pages;
  ScratchLog log;
  log.Append(10);
  const EventPagePtr whole = Get(pages, log, 0);
  for (const int64_t after : {1, 7, 9}) {
    const EventPagePtr rest = Get(pages, log, after);
    EXPECT_EQ(rest->page().events_size(), 10 - after);
    EXPECT_EQ(rest->page().events(0).sequence(), after + 1);
    EXPECT_EQ(rest->through(), whole->through());
  }
  EXPECT_EQ(log.readings(), 1);
}

TEST(SharedPagesTest, LogsAreToldApart) {
  SharedPages pages;
  ScratchLog a, b;
  a.Append(3);
  b.Append(5);
  EXPECT_EQ(Get(pages, a, 0, "a.log")->through(), 3);
  EXPECT_EQ(Get(pages, b, 0, "b.log")->through(), 5);
  EXPECT_EQ(Get(pages, b, 2, "c.log")->page().events_size(), 3);
}

TEST(SharedPagesTest, AnErrorIsNotKept) {
  SharedPages pages;
  ScratchLog log;
  log.Append(1);
  const auto failed = pages.Get("a.log", 0, [] {
    return absl::StatusOr<v1::ReadEventsResponse>(
        absl::UnavailableError("gone"));
  });
  EXPECT_TRUE(absl::IsUnavailable(failed.status()));
  EXPECT_EQ(Get(pages, log, 0)->through(), 1);
}

TEST(SharedPagesTest, AnEmptyPageIsNotKept) {
  SharedPages pages;
  ScratchLog log;
  EXPECT_EQ(Get(pages, log, 0)->page().events_size(), 0);
  log.Append(1);
  EXPECT_EQ(Get(pages, log, 0)->page().events_size(), 1);
}

// F: F3 (slow readers cost bounded memory)
TEST(SharedPagesTest, WhatIsKeptIsBoundedAndTheOldestGoes) {
  SharedPages pages(20'000);
  ScratchLog log(10);
  log.Append(10'000);
  for (int64_t after = 0; after < 10'000; after += 10) {
    ASSERT_EQ(Get(pages, log, after)->through(), after + 10);
    ASSERT_LE(pages.kept_bytes(), 20'000u);
  }
  EXPECT_GT(pages.kept_bytes(), 10'000u);
  EXPECT_EQ(log.readings(), 1000);
  Get(pages, log, 9'990);
  EXPECT_EQ(log.readings(), 1000);
  // A slow reader finds what has gone in the log.
  EXPECT_EQ(Get(pages, log, 0)->through(), 10);
  EXPECT_EQ(log.readings(), 1001);
}

TEST(SharedPagesTest, APageThatIsTooLargeIsGivenAndNotKept) {
  SharedPages pages(1'500);
  ScratchLog log;
  log.Append(1000);
  EXPECT_EQ(Get(pages, log, 0)->through(), 1000);
  EXPECT_EQ(pages.kept_bytes(), 0u);
}

// The name of a log that was removed may become that of another.
TEST(SharedPagesTest, NothingOfALogThatWasRemovedIsLeft) {
  SharedPages pages;
  ScratchLog old, young;
  old.Append(5);
  young.Append(2);
  Get(pages, old, 0);
  pages.Clear();
  EXPECT_EQ(pages.kept_bytes(), 0u);
  // Nor what was read before, and came after.
  const auto late = pages.Get("a.log", 0, [&] {
    v1::ReadEventsResponse page = old.Page(0);
    pages.Clear();
    return page;
  });
  ASSERT_TRUE(late.ok());
  EXPECT_EQ(Get(pages, young, 0)->through(), 2);
}

// F: F3, Invariant 9: whoever follows, from wherever, sees every event once and
// in order, while others do, the log grows, and pages come and go.
TEST(SharedPagesTest, FollowersSeeEveryEventOnceFromAnyPlace) {
  constexpr int kFollowers = 8;
  constexpr int64_t kEvents = 3'000;
  SharedPages pages(10'000);  // about five pages
  ScratchLog log(7);
  std::vector<std::thread> threads;
  std::vector<int64_t> seen(kFollowers, 0);
  for (int follower = 0; follower < kFollowers; ++follower) {
    threads.emplace_back([&pages, &log, &seen, follower] {
      // The first one is with the appends; others come later.
      const int64_t begin = follower * 100;
      log.AwaitBeyond(begin);
      int64_t at = begin;
      while (at < kEvents) {
        log.AwaitBeyond(at);
        const EventPagePtr page = Get(pages, log, at);
        if (page == nullptr) return;
        for (const v1::Event& event : page->page().events()) {
          if (event.sequence() != ++at) return;
        }
        if (page->through() != at) return;
      }
      seen[static_cast<size_t>(follower)] = at;
    });
  }
  std::minstd_rand random(7);
  for (int64_t left = kEvents; left > 0;) {
    const int64_t count =
        std::min<int64_t>(left, 1 + static_cast<int64_t>(random() % 5));
    log.Append(count);
    left -= count;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, std::vector<int64_t>(kFollowers, kEvents));
}

// Those who ask together wait for the one that reads.
TEST(SharedPagesTest, APageThatIsBeingReadIsNotReadAgain) {
  constexpr int kReaders = 4;
  SharedPages pages;
  ScratchLog log;
  log.Append(1);
  Mutex mu;
  CondVar begun_cv;
  int begun = 0;
  int readings = 0;
  std::vector<std::thread> threads;
  for (int reader = 0; reader < kReaders; ++reader) {
    threads.emplace_back([&] {
      {
        MutexLock lock(mu);
        ++begun;
        begun_cv.SignalAll();
      }
      EXPECT_TRUE(pages
                      .Get("a.log", 0,
                           [&] {
                             MutexLock lock(mu);
                             ++readings;
                             while (begun < kReaders) begun_cv.Wait(mu);
                             return log.Page(0);
                           })
                      .ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(readings, 1);
}

}  // namespace
}  // namespace kinora
