#include "services/runner/calls/call_places.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/telemetry/metrics.h"
#include "common/testing/manual_executor.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

ProducerConfigs OneProducer(const ProducerConfig& config) {
  ProducerConfigs configs;
  configs["tts"] = config;
  configs["tts"].targets = {"tts"};
  return configs;
}

class CallPlacesTest : public ::testing::Test {
 protected:
  // A run that takes all it can get whenever it is woken, up to `wanted`.
  struct Run {
    std::unique_ptr<CallPlaces::Seat> seat;
    std::vector<CallPlaces::Place> taken;
    size_t wanted = 0;
    int woken = 0;

    void Look() {
      seat->Look();
      while (taken.size() < wanted) {
        std::optional<CallPlaces::Place> place = seat->Take("tts", {});
        if (!place.has_value()) break;
        taken.push_back(*std::move(place));
      }
      seat->Settle();
    }
  };

  void Make(const ProducerConfig& config) {
    places_ =
        CallPlaces::Create(OneProducer(config), options_, executor_, clock_);
  }
  std::unique_ptr<Run> Begin(size_t wanted) {
    auto run = std::make_unique<Run>();
    run->wanted = wanted;
    run->seat = places_->Join([run = run.get()] {
      ++run->woken;
      if (run->seat != nullptr) run->Look();
    });
    run->Look();
    return run;
  }
  static void EndOne(Run& run, Contact contact = Contact::kAnswered) {
    CallPlaces::Place place = std::move(run.taken.back());
    run.taken.pop_back();
    --run.wanted;
    place.End(contact, "", absl::ZeroDuration());
  }

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  CallPlacesOptions options_;
  std::shared_ptr<CallPlaces> places_;
};

TEST_F(CallPlacesTest, ALargeRunDoesNotStarveASmallOne) {
  ProducerConfig config;
  config.concurrency = 2;
  Make(config);
  std::unique_ptr<Run> large = Begin(10'000);
  std::unique_ptr<Run> small = Begin(3);
  EXPECT_EQ(large->taken.size(), 2u);
  int ended = 0;
  while (small->wanted > 0) {
    EndOne(small->taken.empty() ? *large : *small);
    executor_.RunUntilIdle();
    ASSERT_LE(++ended, 12);
  }
}

TEST_F(CallPlacesTest, OnlyTheOneWhoseTurnItIsIsWoken) {
  ProducerConfig config;
  config.concurrency = 1;
  Make(config);
  std::unique_ptr<Run> first = Begin(1);
  std::unique_ptr<Run> second = Begin(1);
  std::unique_ptr<Run> third = Begin(1);
  EndOne(*first);
  executor_.RunUntilIdle();
  EXPECT_EQ(second->woken, 1);
  EXPECT_EQ(third->woken, 0);
  EXPECT_EQ(second->taken.size(), 1u);
}

// Its turn passes on, whether it has been told of it or not.
TEST_F(CallPlacesTest, ARunThatEndsIsInNobodysWay) {
  ProducerConfig config;
  config.concurrency = 1;
  Make(config);
  std::unique_ptr<Run> first = Begin(1);
  std::unique_ptr<Run> second = Begin(1);
  std::unique_ptr<Run> third = Begin(1);
  EndOne(*first);
  second->seat.reset();  // before it could look
  executor_.RunUntilIdle();
  EXPECT_EQ(third->taken.size(), 1u);
  third->seat.reset();
  EndOne(*third);  // the call has outlived its run
  std::unique_ptr<Run> fourth = Begin(1);
  EXPECT_EQ(fourth->taken.size(), 1u);
}

TEST_F(CallPlacesTest, WhoWaitsForTheRateIsWokenWhenItAllowsACall) {
  ProducerConfig config;
  config.rate.interval = absl::Seconds(10);
  Make(config);
  std::unique_ptr<Run> run = Begin(3);
  EXPECT_EQ(run->taken.size(), 1u);
  executor_.Advance(absl::Seconds(9));
  EXPECT_EQ(run->woken, 0);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(run->taken.size(), 2u);
  executor_.Advance(absl::Seconds(10));
  EXPECT_EQ(run->taken.size(), 3u);
  executor_.Advance(absl::Hours(1));
  EXPECT_EQ(run->woken, 2);  // nobody is woken for nothing
}

TEST_F(CallPlacesTest, RetryAfterHoldsAllRunsBack) {
  Make(ProducerConfig());
  std::unique_ptr<Run> run = Begin(1);
  run->taken.back().End(Contact::kAnswered, "", absl::Minutes(5));
  std::unique_ptr<Run> other = Begin(1);
  EXPECT_THAT(other->taken, ::testing::IsEmpty());
  EXPECT_EQ(places_->StandingOf("tts").held_back, absl::Minutes(5));
  executor_.Advance(absl::Minutes(4));
  EXPECT_THAT(other->taken, ::testing::IsEmpty());
  executor_.Advance(absl::Minutes(1));
  EXPECT_EQ(other->taken.size(), 1u);
}

TEST_F(CallPlacesTest, NobodyCallsAProducerThatIsDownAndOneProbesIt) {
  ProducerConfig config;
  config.breaker.failures = 2;
  config.breaker.open = absl::Seconds(5);
  Make(config);
  std::unique_ptr<Run> run = Begin(2);
  EndOne(*run, Contact::kLost);
  EndOne(*run, Contact::kLost);
  std::unique_ptr<Run> other = Begin(3);
  EXPECT_THAT(other->taken, ::testing::IsEmpty());
  EXPECT_EQ(places_->StandingOf("tts").targets.at(0).open_for,
            absl::Seconds(5));
  executor_.Advance(absl::Seconds(5));
  EXPECT_EQ(other->taken.size(), 1u);
  EXPECT_FALSE(
      other->taken.back().End(Contact::kLost, "", absl::ZeroDuration()));
  other->taken.clear();
  executor_.Advance(absl::Seconds(10));
  EXPECT_EQ(other->taken.size(), 1u);
  EndOne(*other);
  executor_.RunUntilIdle();
  EXPECT_EQ(other->taken.size(), 2u);
}

// As a scrape sees it; a probe that is lost opens nothing that was closed.
TEST_F(CallPlacesTest, BreakersAreCounted) {
  MetricsRegistry metrics;
  const auto seen = [&metrics](int open, int opened) {
    const std::string labels = R"({producer="tts",target="tts"} )";
    const std::string text = metrics.RenderPrometheus();
    EXPECT_THAT(text, ::testing::HasSubstr(absl::StrCat(
                          "kinora_runner_breaker_open", labels, open, "\n")));
    EXPECT_THAT(
        text, ::testing::HasSubstr(absl::StrCat(
                  "kinora_runner_breaker_opened_total", labels, opened, "\n")));
  };
  options_.metrics = &metrics;
  ProducerConfig config;
  config.breaker.failures = 1;
  config.breaker.open = absl::Seconds(5);
  Make(config);
  seen(0, 0);
  std::unique_ptr<Run> run = Begin(1);
  EndOne(*run, Contact::kLost);
  seen(1, 1);
  executor_.Advance(absl::Seconds(5));
  run = Begin(1);
  EndOne(*run, Contact::kLost);  // the probe
  seen(1, 1);
  executor_.Advance(absl::Seconds(10));
  run = Begin(1);
  EndOne(*run);
  seen(0, 1);
  run = Begin(1);
  EndOne(*run, Contact::kLost);
  seen(1, 2);
}

TEST_F(CallPlacesTest, ARateOfAllCallsIsKept) {
  options_.rate = CallRate(absl::Seconds(1), 2);
  ProducerConfig config;
  config.concurrency = 100;
  Make(config);
  std::unique_ptr<Run> run = Begin(4);
  EXPECT_EQ(run->taken.size(), 2u);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(run->taken.size(), 3u);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(run->taken.size(), 4u);
}

// Real threads: never more than the places, and every run gets through.
TEST_F(CallPlacesTest, ManyThreadsShareThePlaces) {
  constexpr int kRuns = 6;
  constexpr int kCalls = 200;
  ThreadPool pool("places", 4);
  ProducerConfig config;
  config.concurrency = 2;
  auto places = CallPlaces::Create(OneProducer(config), {}, pool, RealClock());
  struct Shared {
    Mutex mu;
    CondVar cv;
    int under_way ABSL_GUARDED_BY(mu) = 0;
    int most ABSL_GUARDED_BY(mu) = 0;
  } shared;
  auto carry_out = [&places, &shared] {
    struct Signal {
      Mutex mu;
      CondVar cv;
      bool woken ABSL_GUARDED_BY(mu) = false;
    };
    auto signal = std::make_shared<Signal>();
    std::unique_ptr<CallPlaces::Seat> seat = places->Join([signal] {
      MutexLock lock(signal->mu);
      signal->woken = true;
      signal->cv.SignalAll();
    });
    for (int made = 0; made < kCalls;) {
      seat->Look();
      std::optional<CallPlaces::Place> place = seat->Take("tts", {});
      seat->Settle();
      if (!place.has_value()) {
        MutexLock lock(signal->mu);
        while (!signal->woken) signal->cv.Wait(signal->mu);
        signal->woken = false;
        continue;
      }
      {
        MutexLock lock(shared.mu);
        shared.most = std::max(shared.most, ++shared.under_way);
      }
      std::this_thread::yield();
      {
        MutexLock lock(shared.mu);
        --shared.under_way;
      }
      ++made;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kRuns; ++i) threads.emplace_back(carry_out);
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(shared.mu);
  EXPECT_LE(shared.most, 2);
}

}  // namespace
}  // namespace kinora
