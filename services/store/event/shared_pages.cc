#include "services/store/event/shared_pages.h"

#include <iterator>
#include <memory>

namespace kinora {
namespace {

// What a page takes in memory for each byte it has on the wire: there once,
// and some three times that as messages, with their allocations.
constexpr size_t kBytesPerEncodedByte = 4;
constexpr size_t kBytesBesides = 1'000;

// What of the page follows `after`.
EventPagePtr Rest(const EventPagePtr& page, int64_t after) {
  v1::ReadEventsResponse rest;
  *rest.mutable_bookmark() = page->page().bookmark();
  for (const v1::Event& event : page->page().events()) {
    if (event.sequence() > after) *rest.add_events() = event;
  }
  return std::make_shared<const EventPage>(std::move(rest));
}

}  // namespace

absl::StatusOr<EventPagePtr> SharedPages::Get(const std::string& log,
                                              int64_t after, ReadPage read) {
  const Place place(log, after);
  EventPagePtr found;
  uint64_t clears = 0;
  {
    MutexLock lock(mu_);
    for (;;) {
      found = Find(place);
      if (found != nullptr) break;
      clears = clears_;
      if (reading_.insert(place).second) break;
      read_cv_.Wait(mu_);
    }
  }
  if (found != nullptr) {
    const bool begins_here = found->page().events(0).sequence() == after + 1;
    return begins_here ? found : Rest(found, after);
  }
  absl::StatusOr<v1::ReadEventsResponse> answer = read();
  const absl::Status status = answer.status();
  size_t bytes = 0;
  if (status.ok()) {
    found = std::make_shared<const EventPage>(*std::move(answer));
    bytes = log.size() + kBytesBesides +
            kBytesPerEncodedByte * found->page().ByteSizeLong();
  }
  MutexLock lock(mu_);
  reading_.erase(place);
  read_cv_.SignalAll();
  if (!status.ok()) return status;
  if (clears == clears_ && !found->page().events().empty()) {
    Keep(place, found, bytes);
  }
  return found;
}

EventPagePtr SharedPages::Find(const Place& place) {
  const auto next = pages_.upper_bound(place);
  if (next == pages_.begin()) return nullptr;
  const auto kept = std::prev(next);
  if (kept->first.first != place.first) return nullptr;
  const EventPagePtr& page = kept->second.page;
  return page->through() > place.second ? page : nullptr;
}

void SharedPages::Keep(const Place& place, const EventPagePtr& page,
                       size_t bytes) {
  const auto kept = pages_.find(place);
  if (kept != pages_.end()) Drop(kept);
  if (bytes > max_bytes_) return;
  while (bytes_ + bytes > max_bytes_) Drop(pages_.find(ages_.front()));
  ages_.push_back(place);
  pages_[place] = {page, bytes, std::prev(ages_.end())};
  bytes_ += bytes;
}

void SharedPages::Drop(std::map<Place, Kept>::iterator kept) {
  bytes_ -= kept->second.bytes;
  ages_.erase(kept->second.age);
  pages_.erase(kept);
}

void SharedPages::Clear() {
  MutexLock lock(mu_);
  ++clears_;
  pages_.clear();
  ages_.clear();
  bytes_ = 0;
}

size_t SharedPages::kept_bytes() {
  MutexLock lock(mu_);
  return bytes_;
}

}  // namespace kinora
