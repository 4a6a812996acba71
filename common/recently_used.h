// A RecentlyUsed keeps the values that were used last.

#ifndef KINORA_COMMON_RECENTLY_USED_H_
#define KINORA_COMMON_RECENTLY_USED_H_

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>

namespace kinora {

// Values by key, of so much weight in all; few enough that they are gone
// through. Not thread-safe.
template <typename T>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(size_t limit) : limit_(limit) {}

  // Null if it is not there.
  std::shared_ptr<T> Get(const std::string& key) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->key != key) continue;
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->value;
    }
    return nullptr;
  }

  // In the place of one of that key. What was used longest ago goes; a value
  // that is heavier than the limit is not kept.
  void Put(const std::string& key, std::shared_ptr<T> value,
           size_t weight = 1) {
    entries_.remove_if([&key](const Entry& entry) { return entry.key == key; });
    if (weight > limit_) return;
    entries_.push_front({key, std::move(value), weight});
    size_t total = 0;
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      total += entry->weight;
      if (total <= limit_) continue;
      entries_.erase(entry, entries_.end());
      return;
    }
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<T> value;
    size_t weight;
  };

  const size_t limit_;
  std::list<Entry> entries_;  // the latest first
};

}  // namespace kinora

#endif  // KINORA_COMMON_RECENTLY_USED_H_
