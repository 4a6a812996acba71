// A RecentlyUsed keeps the values that were used last.

#ifndef KINORA_COMMON_RECENTLY_USED_H_
#define KINORA_COMMON_RECENTLY_USED_H_

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>

namespace kinora {

// So many values by key; few enough that they are gone through. Not
// thread-safe.
template <typename T>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(size_t limit) : limit_(limit) {}

  // Null if it is not there.
  std::shared_ptr<T> Get(const std::string& key) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->first != key) continue;
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->second;
    }
    return nullptr;
  }

  // In the place of one of that key.
  void Put(const std::string& key, std::shared_ptr<T> value) {
    entries_.remove_if(
        [&key](const auto& entry) { return entry.first == key; });
    entries_.emplace_front(key, std::move(value));
    if (entries_.size() > limit_) entries_.pop_back();
  }

 private:
  const size_t limit_;
  std::list<std::pair<std::string, std::shared_ptr<T>>> entries_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_RECENTLY_USED_H_
