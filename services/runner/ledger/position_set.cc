#include "services/runner/ledger/position_set.h"

namespace kinora {
namespace {

constexpr size_t kBits = 64;

uint64_t BitOf(size_t position) { return uint64_t{1} << (position % kBits); }

size_t HighestBit(uint64_t word) {
  return kBits - 1 - static_cast<size_t>(__builtin_clzll(word));
}

}  // namespace

void PositionSet::Add(size_t position) {
  for (size_t level = 0;; ++level) {
    if (level == levels_.size()) {
      levels_.emplace_back();
      // What the level below held when it had one word.
      if (level > 0 && levels_[level - 1][0] != 0) levels_[level].push_back(1);
    }
    std::vector<uint64_t>& words = levels_[level];
    const size_t word = position / kBits;
    if (word >= words.size()) words.resize(word + 1);
    words[word] |= BitOf(position);
    if (words.size() == 1 && level + 1 == levels_.size()) return;
    position = word;
  }
}

void PositionSet::Remove(size_t position) {
  for (std::vector<uint64_t>& words : levels_) {
    const size_t word = position / kBits;
    if (word >= words.size()) return;
    words[word] &= ~BitOf(position);
    if (words[word] != 0) return;
    position = word;
  }
}

std::optional<size_t> PositionSet::Last() const {
  if (levels_.empty() || levels_.back()[0] == 0) return std::nullopt;
  size_t position = 0;
  for (size_t level = levels_.size(); level-- > 0;) {
    position = position * kBits + HighestBit(levels_[level][position]);
  }
  return position;
}

}  // namespace kinora
