// SharedPages keeps the pages that readers of logs were given last, so that a
// page that many follow is read, decoded and encoded once for all of them.
//
// A page begins where a reader is. Those who have seen the same events ask for
// the same page, and go on behind it together, each in its own time: there is
// no list of followers, nothing is pushed, and nobody waits for a slow one,
// who finds its page gone and reads the log. A reader that is in the midst of a
// page gets the rest of it, and is with the others from then on.
//
// What is kept is never wrong, as lines of logs do not change; it is gone when
// logs are (Clear()).

#ifndef KINORA_SERVICES_STORE_EVENT_SHARED_PAGES_H_
#define KINORA_SERVICES_STORE_EVENT_SHARED_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "services/store/event/event_page.h"

namespace kinora {

// Thread-safe.
class SharedPages {
 public:
  // A few pages of the largest size, or thousands of what a log gets at once.
  static constexpr size_t kMaxBytes = 16 << 20;

  using ReadPage = absl::FunctionRef<absl::StatusOr<v1::ReadEventsResponse>()>;

  // Keeps pages of about `max_bytes` of memory in all, the ones read last.
  explicit SharedPages(size_t max_bytes = kMaxBytes) : max_bytes_(max_bytes) {}

  // The page of `log` behind `after`: one that is kept, or else the answer of
  // `read`, which is called without a lock, and is kept. Who asks for a page
  // that another is reading waits for that one; an error is only that caller's,
  // and the next one reads. A page without events is not kept. REQUIRES: the
  // log has not been trimmed behind `after`.
  absl::StatusOr<EventPagePtr> Get(const std::string& log, int64_t after,
                                   ReadPage read) ABSL_LOCKS_EXCLUDED(mu_);

  // Forgets all pages, also those that are being read. For when a log was
  // removed, whose name may become that of another.
  void Clear() ABSL_LOCKS_EXCLUDED(mu_);

  // What the pages that are kept take, about.
  size_t kept_bytes() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Place = std::pair<std::string, int64_t>;  // log, and behind what
  struct Kept {
    EventPagePtr page;
    size_t bytes = 0;
    std::list<Place>::iterator age;
  };

  // The page that has what follows the place, perhaps with events before it;
  // null if none is kept.
  EventPagePtr Find(const Place& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Keep(const Place& place, const EventPagePtr& page, size_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Drop(std::map<Place, Kept>::iterator kept)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t max_bytes_;

  Mutex mu_;
  CondVar read_cv_;                               // a reading has ended
  std::set<Place> reading_ ABSL_GUARDED_BY(mu_);  // by one caller each
  std::map<Place, Kept> pages_ ABSL_GUARDED_BY(mu_);
  std::list<Place> ages_ ABSL_GUARDED_BY(mu_);  // the oldest first
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t clears_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_SHARED_PAGES_H_
