#include "tests/concurrency/log_follower.h"

#include <memory>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

struct News {
  Mutex mu;
  CondVar changed;
  bool came ABSL_GUARDED_BY(mu) = false;
};

}  // namespace

absl::Status LogFollower::FollowTo(int64_t last) {
  v1::ReadEventsRequest request;
  *request.mutable_log() = log_;
  request.set_limit(limit_);
  while (at_ < last) {
    request.set_after_sequence(at_);
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            events_.ReadPage(request));
    for (const v1::Event& event : page.events()) {
      if (event.sequence() != at_ + 1) {
        return absl::InternalError(absl::StrCat("event ", event.sequence(),
                                                " was delivered after ", at_));
      }
      at_ = event.sequence();
    }
    if (page.bookmark().sequence() != at_) {
      return absl::InternalError(
          absl::StrCat("the bookmark after event ", at_, " is ",
                       page.bookmark().ShortDebugString()));
    }
    if (page.events().empty()) AwaitNews();
  }
  return absl::OkStatus();
}

void LogFollower::AwaitNews() {
  News news;
  const EventStore::WaiterId waiter = events_.NotifyAfter(log_, at_, [&news] {
    MutexLock lock(news.mu);
    news.came = true;
    news.changed.SignalAll();
  });
  {
    MutexLock lock(news.mu);
    while (!news.came) news.changed.Wait(news.mu);
  }
  // Until the callback has left `news`.
  events_.CancelNotify(waiter);
}

}  // namespace kinora
