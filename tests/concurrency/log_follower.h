// A LogFollower reads one log while it grows, page by page, waiting for news as
// a stream of the EventService does, and notes any gap, repetition or disorder.

#ifndef KINORA_TESTS_CONCURRENCY_LOG_FOLLOWER_H_
#define KINORA_TESTS_CONCURRENCY_LOG_FOLLOWER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

#include "services/store/event/event_store.h"

namespace kinora {

class LogFollower {
 public:
  // Delivers what comes after `start`, `limit` events at a time: few make a
  // slow reader, who is always behind.
  LogFollower(EventStore& events, v1::LogName log, int64_t start, int64_t limit)
      : events_(events), log_(std::move(log)), at_(start), limit_(limit) {}

  // Follows until it has delivered the event `last`. INTERNAL if any event was
  // not the one after its predecessor.
  absl::Status FollowTo(int64_t last);

 private:
  // Until there may be something after `at_`.
  void AwaitNews();

  EventStore& events_;
  const v1::LogName log_;
  int64_t at_;
  const int64_t limit_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_CONCURRENCY_LOG_FOLLOWER_H_
