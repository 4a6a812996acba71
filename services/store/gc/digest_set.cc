#include "services/store/gc/digest_set.h"

#include <algorithm>

namespace kinora {

void DigestSet::Sort(Shard* shard) {
  std::vector<Digest>& all = shard->digests;
  if (shard->sorted == all.size()) return;
  const auto middle = all.begin() + static_cast<ptrdiff_t>(shard->sorted);
  std::sort(middle, all.end());
  std::inplace_merge(all.begin(), middle, all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  shard->sorted = all.size();
}

void DigestSet::Add(const Digest& digest) {
  Shard& shard = shards_[digest.bytes[0]];
  std::vector<Digest>& all = shard.digests;
  if (all.size() == all.capacity()) {
    // Every revision names most blobs again: that must not cost memory.
    Sort(&shard);
    const size_t room = all.capacity() - all.size();
    if (room < all.size() / 2 + 8) all.reserve(all.size() * 2 + 16);
  }
  all.push_back(digest);
}

bool DigestSet::Contains(const Digest& digest) {
  Shard& shard = shards_[digest.bytes[0]];
  Sort(&shard);
  return std::binary_search(shard.digests.begin(), shard.digests.end(), digest);
}

size_t DigestSet::size() {
  size_t size = 0;
  for (Shard& shard : shards_) {
    Sort(&shard);
    size += shard.digests.size();
  }
  return size;
}

}  // namespace kinora
